/*
 * program.h - a graph on a device: one fixed list of steps, replayed.
 *
 *   build.c   nodes forward, backward, reductions, norm, optimizer, hash -> steps with symbolic arguments (cells)
 *   passes.c  what a step in several micro-batches has besides: phases, and the sums that join them
 *   fuse.c    which nodes do a neighbour's work at the end of their own
 *   record.c  what a plugin's dispatch() and its kin check and append
 *   recompute.c a layer's forward steps once more, before its backward steps
 *   compile.c the steps' pipelines, built side by side
 *   schedule.c which steps run at once: epochs
 *   plan.c    lifetimes -> an arena and an offset for each cell
 *   barrier.c which steps wait for those before
 *   commands.c descriptor sets and command buffers
 *   replay.c  running them
 *
 * A cell is a piece of memory with one meaning: a storage's value or gradient, a node's saved or work bytes, a
 * parameter.  A cell may be a slice of another.
 */
#ifndef HLX_CORE_PROGRAM_H
#define HLX_CORE_PROGRAM_H

#include "core/graph/graph.h"
#include "core/vulkan/pipeline.h"

/*
 * GRADIENTS are those of parameters.  ACTIVATIONS has whatever lives for some of the steps: activations, their gradients,
 * partial sums, work bytes; with recompute those need 15 % less in one arena than in one each, as one grows when the other
 * shrinks.  The host writes PARAMETERS and reads RESULTS: those each lane has for itself.
 */
enum hlx_arena { HLX_ARENA_WEIGHTS, HLX_ARENA_STATES, HLX_ARENA_GRADIENTS, HLX_ARENA_ACTIVATIONS, HLX_ARENA_PARAMETERS,
	HLX_ARENA_RESULTS, HLX_ARENA_COUNT };

struct hlx_cell {
	enum hlx_arena arena;
	uint64_t bytes;
	uint32_t parent;         /* HLX_NONE, or the cell this is a slice of */
	uint64_t offset;         /* in parent or in the arena's chunk */
	uint32_t chunk;
	uint32_t first, last;    /* steps, once scheduled epochs, that touch it; first HLX_NONE: none */
	bool persistent;         /* keeps its memory all the time */
	const struct hlx_memory *external; /* of hlx_weights */
	bool dropped;            /* nobody writes it: a tensor between two nodes of which one does the other's work */
};

struct hlx_access {
	uint32_t cell;
	uint64_t offset, range;
	bool read, write, texel, next; /* next: of the node's neighbour, whose work it does */
	uint8_t tensor; /* 1 + the slot of whose tensor in the cell it sees elements, 0: of the bytes as they lie there */
};

/*
 * A run is its passes, each the steps of PASS; where there are several, those of the other phases come between and after
 * (passes.c).  A program of one pass has no other.
 */
#define HLX_MAX_LEVELS 16u /* 65,536 slots */
enum hlx_phase { HLX_PHASE_PASS, HLX_PHASE_ZERO, HLX_PHASE_STORE, HLX_PHASE_ADD = HLX_PHASE_STORE + HLX_MAX_LEVELS,
	HLX_PHASE_END = HLX_PHASE_ADD + HLX_MAX_LEVELS };

enum hlx_step_kind { HLX_DISPATCH, HLX_COPY, HLX_FILL, HLX_HOST_CALL };

struct hlx_prog_step {
	enum hlx_step_kind kind;
	uint32_t node;
	uint8_t phase;          /* enum hlx_phase; steps of one lie side by side */
	bool backward, again, barrier; /* again: recompute.c's; barrier: waits for what came before */
	struct hlx_pipeline *pipeline;
	unsigned char push[256];
	uint32_t push_bytes, groups[3], word;
	struct hlx_access access[HLX_MAX_BINDINGS];
	uint32_t n_access;
	hlx_host_fn fn;
	void *ctx;
};

/* What a run under way has for itself, besides its chunks of the arenas that the host touches. */
struct hlx_lane {
	VkDescriptorSet *set; /* by step, as view is */
	VkBufferView (*view)[HLX_MAX_BINDINGS];
	VkCommandBuffer *cmd;
	uint64_t sent; /* where its last run ends on the device's timeline */
};

struct hlx_prog_node {
	struct hlx_node pub;             /* its own copy: a graph may have several programs */
	struct hlx_desc desc[HLX_MAX_SLOTS];
	const struct hlx_op *op;
	const struct hlx_impl *impl;
	uint32_t value[HLX_MAX_SLOTS], grad[HLX_MAX_SLOTS], saved, work[2]; /* cells or HLX_NONE */
	uint32_t step_offset;            /* of its struct hlx_step in the parameters arena */
	char *path;
	void *attrs;                     /* owned, for nodes the graph does not have */
	bool prepared;
	struct hlx_finish finish[2];     /* forward, backward: node next's work, or none (HLX_NONE) */
	uint32_t next[2], done_by[2];    /* done_by: the node that does this one's work, or HLX_NONE */
};

struct hlx_rec {
	struct hlx_program *program;
	uint32_t node;
	bool backward;
};

/* What is known of a storage's gradient while the backward pass is laid out. */
struct hlx_region {
	struct hlx_desc desc;
};
struct hlx_grad_state {
	struct hlx_region *written;
	uint32_t n, since; /* since: the first node that knows the storage */
	uint32_t next; /* a ring of the storages whose gradients are one: share.c */
	bool zeroed; /* a fill came first: everything accumulates */
};

struct hlx_program {
	struct hlx_device *dev;
	struct hlx_graph *graph;
	struct hlx_weights *weights;
	struct hlx_program_options options;
	struct hlx_prog_node *node;
	struct hlx_cell *cell;
	struct hlx_prog_step *step;
	uint32_t n_nodes, n_cells, n_steps;
	uint32_t *value_cell, *grad_cell; /* by storage */
	uint32_t *batch_cell; /* by storage: where an input has all of the batch, or HLX_NONE */
	uint32_t *param_cell, *final_cell; /* by parameter: its value, its gradient summed over the slots */
	uint64_t *first_block; /* by parameter, and the end: of its squares, in elements */
	struct hlx_grad_state *grad_state; /* by storage */
	struct hlx_use *reader; /* by storage, of one tensor that fills it: its only reader, else HLX_NONE */
	uint32_t past_cell, weights_cell, gradients_cell, squares_cell, table_cell, flags_cell, loss_cell, norm_cell, steps_cell;
	uint32_t blocks_cell, keys_cell, sums_cell, result_cell; /* of the state hash, where there is one */
	uint64_t *further_use; /* by parameter, and the end: where sums of its uses but the first are in roots */
	uint32_t roots_cell, level_cell[HLX_MAX_LEVELS], n_levels; /* passes.c */
	uint32_t state_cell[HLX_MAX_SLOTS];
	const char *state_name[HLX_MAX_SLOTS];
	uint32_t n_arrays; /* that are hashed; 0: none */
	struct hlx_memory *chunk[HLX_ARENA_COUNT]; /* arrays; where each lane has its own, lane 0's, then lane 1's ... */
	uint32_t n_planned[HLX_ARENA_COUNT], n_chunks[HLX_ARENA_COUNT]; /* planned: of a lane; n_chunks: allocated */
	uint64_t arena_bytes[HLX_ARENA_COUNT];
	struct hlx_plan_info plan;
	VkDescriptorPool descriptors;
	struct hlx_lane *lane;
	uint32_t next, landed, under_way; /* lanes of the run to be started next, and last waited for; runs not yet waited for */
	VkCommandBuffer *queue; /* those to be submitted next */
	uint32_t *cmd_first; /* the step each command buffer begins with, in any lane */
	uint32_t n_cmds, n_queued; /* n_cmds: of a lane */
	uint8_t phase; /* of the steps that are recorded now */
	bool seeded;
};

/* program.c: hlx_program_create() without the self-test, for who makes tests of its own */
int hlx_program_create_untried(struct hlx_device *, struct hlx_graph *, struct hlx_weights *,
		const struct hlx_program_options *, struct hlx_program **out);
/* build.c */
int hlx_program_build(struct hlx_program *);
int hlx_program_add_cell(struct hlx_program *, struct hlx_cell, uint32_t *out);
/* regions.c: how two tensors of one storage lie to each other */
enum hlx_relation { HLX_SAME, HLX_DISJOINT, HLX_MIXED };
enum hlx_relation hlx_desc_relation(const struct hlx_desc *, const struct hlx_desc *);
/* Steps a and b see tensors of one cell that have no element in common, though their windows may meet. */
bool hlx_access_apart(const struct hlx_program *, const struct hlx_prog_step *a, const struct hlx_access *,
		const struct hlx_prog_step *b, const struct hlx_access *);
/* True when the n tensors, mutually disjoint, fill `whole` exactly. */
bool hlx_desc_covers(const struct hlx_desc *whole, const struct hlx_region *part, uint32_t n);
/* record.c */
void hlx_record_host(struct hlx_host *); /* sets dispatch, fill, copy, host_call */
/* All of a cell into another one of its size. */
int hlx_record_copy(struct hlx_program *, uint32_t node, uint32_t to, uint32_t from);
/* All of a cell with +0. */
int hlx_record_zero(struct hlx_program *, uint32_t node, uint32_t cell);
/* passes.c */
uint32_t hlx_passes_times(const struct hlx_program *, uint8_t phase); /* that a run makes of a phase */
/* Sends all of a run; the last of it is not waited for. */
int hlx_passes_start(struct hlx_program *, const struct hlx_step *);
/* recompute.c: where the options want it */
int hlx_program_recompute(struct hlx_program *);
/* schedule.c */
int hlx_program_schedule(struct hlx_program *);
/* compile.c: what its steps need */
int hlx_program_compile(struct hlx_program *);
/* plan.c */
int hlx_program_layout(struct hlx_program *);
int hlx_program_allocate(struct hlx_program *);
/* What a slice is cut from in the end; the cell itself where it is none.  *offset += where it begins there, unless NULL. */
uint32_t hlx_cell_root(const struct hlx_program *, uint32_t cell, uint64_t *offset);
uint32_t hlx_program_lanes(const struct hlx_program *);
bool hlx_cell_is_of_lane(const struct hlx_program *, uint32_t cell); /* each lane has its own */
const struct hlx_memory *hlx_lane_memory(const struct hlx_program *, uint32_t lane, uint32_t cell, uint64_t *offset);
/* In the lane of the next start. */
const struct hlx_memory *hlx_cell_memory(const struct hlx_program *, uint32_t cell, uint64_t *offset);
/* hash.c */
int hlx_program_write_hash_tables(struct hlx_program *);
/* barrier.c */
int hlx_program_barriers(struct hlx_program *);
/* commands.c */
int hlx_program_materialize(struct hlx_program *);
void hlx_program_release(struct hlx_program *);
/* Steps [first, first + n), of which none is a host call, once more; wait: behind a barrier. */
void hlx_program_record(struct hlx_program *, VkCommandBuffer, uint32_t first, uint32_t n, bool wait);
/* replay.c: the step as the kernels see it; the steps of one phase, where it has any; what they have queued: sent, or sent and
 * waited for. */
int hlx_replay_write(struct hlx_program *, const struct hlx_step *);
int hlx_replay_phase(struct hlx_program *, uint8_t phase, const struct hlx_step *);
int hlx_replay_send(struct hlx_program *);
int hlx_replay_submit(struct hlx_program *);
/* Bytes of a cell.  Where each lane has its own: put for the next start, get from the run last waited for. */
int hlx_replay_put(struct hlx_program *, uint32_t cell, uint64_t offset, uint64_t bytes, const void *in);
int hlx_replay_get(struct hlx_program *, uint32_t cell, uint64_t offset, uint64_t bytes, void *out);

/* span.c */
struct hlx_past {
	struct hlx_device *dev;
	struct hlx_memory memory;
	uint64_t elements;
};

/* weights.c */
struct hlx_weights {
	struct hlx_device *dev;
	const struct hlx_graph *graph;
	struct hlx_memory value, state[HLX_MAX_SLOTS];
	uint32_t n_state;
	struct { char *path; uint64_t offset, numel; struct hlx_init init; } *param;
	uint32_t n_params;
	uint64_t arena;
};

#endif
