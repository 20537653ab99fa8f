/*
 * hlx/hlx.h - libhlx for a host application: registry, device, graph, program.
 *
 *   INI -> hlx_graph (nodes, slots, shapes; no device needed)
 *       -> hlx_program (one fixed list of steps, memory planned, recorded once, replayed every step)
 *   hlx_weights: the parameters and the optimizer's state, shared by the programs of one model.
 *
 * Errors:  every function returns 0 or a negative hlx_status (plugin.h); hlx_message() has the one line.
 * Threads: one thread at a time for each registry and what was made from it, unless said otherwise.
 * Owner:   what _create made, _destroy frees; destroy(NULL) is a no-op.  A device outlives its weights and programs,
 *          a registry its graphs, a graph its programs.
 */
#ifndef HLX_HLX_H
#define HLX_HLX_H

#include "hlx/plugin.h"

#include <stdio.h>

/* The thread's last error: one line, no newline.  Never NULL. */
const char *hlx_message(void);
/* Sets it and returns status; further context can be put in front. */
int hlx_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int hlx_prefix(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The name in names (count of them, NULLs skipped) nearest to word, or NULL where none is near. */
const char *hlx_nearest(const char *word, const char *const *names, size_t count);

/* ---- INI ------------------------------------------------------------------------------------------------ */

/* One setting; entries keep the file's order.  used: somebody has asked for it. */
struct hlx_setting {
	char *section, *key, *value, *file;
	unsigned line; /* 0: from --set */
	bool used;
};
struct hlx_ini {
	struct hlx_setting *entry;
	size_t count;
	char *path;
};
/* Read whole or refused whole: regular file, no NUL, lines of at most 199 bytes, no key twice in a section. */
int hlx_ini_read(const char *path, struct hlx_ini **out);
int hlx_ini_parse(const char *name, const char *text, size_t size, struct hlx_ini **out);
void hlx_ini_destroy(struct hlx_ini *);
/* "section.key=value", from --set: replaces or adds. */
int hlx_ini_set(struct hlx_ini *, const char *assignment);
/* "tiny.ini:12", or "--set section.key"; in a buffer of the thread. */
const char *hlx_setting_where(const struct hlx_setting *);
/* "tiny.ini:12: train.lr: " in front of the message; returns status. */
int hlx_setting_blame(const struct hlx_setting *, int status);
/* The setting or NULL; marks it used. */
const struct hlx_setting *hlx_ini_find(struct hlx_ini *, const char *section, const char *key);
/* Typed: *out is untouched where the key is absent; a bad or out-of-range value is HLX_EINVAL with file and line.
 * Integers and reals are expressions over numbers and [model]'s names. */
int hlx_ini_string(struct hlx_ini *, const char *section, const char *key, const char **out);
int hlx_ini_int(struct hlx_ini *, const char *section, const char *key, int64_t min, int64_t max, int64_t *out);
int hlx_ini_real(struct hlx_ini *, const char *section, const char *key, double min, double max, double *out);
int hlx_ini_bool(struct hlx_ini *, const char *section, const char *key, bool *out); /* yes|no|true|false|on|off|1|0 */
/* Refuses the first section not in sections, naming the nearest: to be called before what would miss it is. */
int hlx_ini_check_sections(const struct hlx_ini *, const char *const *sections);
/* The same, and then refuses the first key nobody asked for, naming the nearest of keys ("section.key").  Of [model] a
 * key has been asked for once an expression or an op has taken it.  Both lists end with NULL. */
int hlx_ini_check(const struct hlx_ini *, const char *const *sections, const char *const *keys);
/* Writes it as INI text that reads back the same. */
int hlx_ini_write(const struct hlx_ini *, FILE *);

/* ---- plugins --------------------------------------------------------------------------------------------- */

struct hlx_registry;
int hlx_registry_create(struct hlx_registry **out);
void hlx_registry_destroy(struct hlx_registry *);
/* One .so. */
int hlx_registry_load(struct hlx_registry *, const char *path);
/* Every *.so of a folder, by name; 0 for a folder that does not exist.  A plugin that is refused is an error. */
int hlx_registry_load_dir(struct hlx_registry *, const char *dir);
/* dir, then the folders of HLX_PLUGIN_PATH (separated by ':'), which must be there. */
int hlx_registry_load_all(struct hlx_registry *, const char *dir);
const struct hlx_op *hlx_registry_op(const struct hlx_registry *, const char *name);
/* With file, where it came from, and i = 0, 1, ... until NULL. */
const struct hlx_op *hlx_registry_op_at(const struct hlx_registry *, size_t i, const char **file);
const struct hlx_impl *hlx_registry_impl_at(const struct hlx_registry *, size_t i, const char **file);

/* ---- device ---------------------------------------------------------------------------------------------- */

struct hlx_device;
struct hlx_device_info {
	char name[256], driver[256], uses[256]; /* uses: what hlx would use of it, in words; or why it would not */
	char type[16];                          /* discrete, integrated, virtual, cpu, other */
	uint32_t api, index;
	uint64_t memory;                        /* bytes of its largest DEVICE_LOCAL heap */
	bool usable, chosen;                    /* chosen: what hlx_device_open(NULL) takes */
	struct hlx_caps caps;
};
/* Up to room entries; *count is how many there are.  HLX_EDEVICE where there is no Vulkan. */
int hlx_device_list(struct hlx_device_info *out, uint32_t room, uint32_t *count);
/* select: an index, a part of a name (case ignored), or NULL: discrete before integrated before CPU. */
int hlx_device_open(const char *select, struct hlx_device **out);
void hlx_device_close(struct hlx_device *);
const struct hlx_device_info *hlx_device_describe(const struct hlx_device *);

/* ---- graph ----------------------------------------------------------------------------------------------- */

struct hlx_graph;
struct hlx_graph_options {
	uint64_t batch, seq_len; /* dims of the inputs tokens and targets, both u32 (batch, seq_len) */
	bool train;
	bool input_grads;        /* gradients of f32 inputs are wanted too */
	uint64_t slots;          /* S; 0: the largest power of two up to 8 that divides batch */
	/* Sequences that a program works on at a time, 0: batch; a divisor of batch / slots, or a multiple of it that divides
	 * batch.  It changes no bit of a step, only what it takes: the tensors that have a batch axis, inputs included, have
	 * this many sequences, and a program makes batch / micro_batch passes. */
	uint64_t micro_batch;
	/* 0 or HLX_PORTABLE: portable implementations only, their kernels linted and tried against their references.
	 * HLX_DEVICE: those of any tier, by priority, as they are; the bits are this device's and driver's. */
	enum hlx_tier mode;
	/* Decoding: 0, or the most positions a sequence may have, of which this graph has first ... first + seq_len - 1.  What
	 * nodes take from those before comes from a struct hlx_past, where programs of the same positions have left it; run
	 * with hlx_step.position = first, every tensor has the bits that a graph of the whole sequence gives it.  One sequence,
	 * no training.  Where wiring fails that does not without positions, the model cannot be decoded in parts: the message
	 * says which node is in the way. */
	uint64_t positions, first;
};
/* Wires [embed], [layer] num_layers times, [head] of ini with the ops of [ops]; [model] gives the variables, [numerics]
 * the mode where it says one.  Touches no device.  The graph keeps the registry, not the ini. */
int hlx_graph_build(struct hlx_registry *, struct hlx_ini *, const struct hlx_graph_options *, struct hlx_graph **out);
/* The same piecewise, for host applications and tests. */
int hlx_graph_create(struct hlx_registry *, const struct hlx_graph_options *, struct hlx_graph **out);
int hlx_graph_define(struct hlx_graph *, const char *variable, double value);
int hlx_graph_choose(struct hlx_graph *, const char *op, const char *impl);
int hlx_graph_input(struct hlx_graph *, const char *name, const struct hlx_desc *); /* strides are made row-major */
/* section.name = text; text is "op input ... key=value ..."; where ("tiny.ini:12") goes into errors. */
int hlx_graph_wire(struct hlx_graph *, const char *section, const char *name, const char *text, const char *where);
/* What is wired from here on is of that layer, 0 ... 65,535; -1: of none, as at the beginning.  For recompute, below. */
int hlx_graph_layer(struct hlx_graph *, int32_t layer);
void hlx_graph_destroy(struct hlx_graph *);
/* By path ("layer.3.fc", "tokens"); NULL where there is none. */
const struct hlx_desc *hlx_graph_desc(const struct hlx_graph *, const char *path);
/* The path of the first input of the LOSS node (the logits), or NULL. */
const char *hlx_graph_logits(const struct hlx_graph *);

/* ---- parameters ------------------------------------------------------------------------------------------ */

struct hlx_param_info {
	const char *path;       /* "layer.3.fc.weight" */
	const struct hlx_desc *desc;
	struct hlx_init init;
	bool no_decay, frozen;
	uint64_t numel, offset; /* elements; offset in the arena, of value and of each state */
};
uint32_t hlx_graph_param_count(const struct hlx_graph *);
struct hlx_param_info hlx_graph_param(const struct hlx_graph *, uint32_t i); /* in INI order */

/* The parameters whose paths are like pattern ("embed.*", as fnmatch(3) has it) stay as they are in programs made from then
 * on: their gradients are 0, and count in no norm.  Returns how many there are. */
uint32_t hlx_graph_freeze(struct hlx_graph *, const char *pattern);

/* What decoding keeps of the positions before, on the device; shared by the programs of all graphs of these positions. */
struct hlx_past;
int hlx_past_create(struct hlx_device *, const struct hlx_graph *, struct hlx_past **out);
void hlx_past_destroy(struct hlx_past *);

struct hlx_weights;
/* Room for every parameter of g and n_state arrays of the optimizer, all zero. */
int hlx_weights_create(struct hlx_device *, const struct hlx_graph *g, uint32_t n_state, struct hlx_weights **out);
void hlx_weights_destroy(struct hlx_weights *);
/* Initial values, keyed by (seed, path, element). */
int hlx_weights_init(struct hlx_weights *, uint64_t seed);
/* state 0: the value; 1 ... n_state: the optimizer's arrays.  write stores through hlx_store; *flushed (may be
 * NULL) counts what that changed. */
int hlx_weights_read(struct hlx_weights *, uint32_t param, uint32_t state, float *out);
int hlx_weights_write(struct hlx_weights *, uint32_t param, uint32_t state, const float *in, uint64_t *flushed);

/* ---- program --------------------------------------------------------------------------------------------- */

struct hlx_program;
/*
 * Memory for time: with LAYER, what only one layer's nodes touch is not kept from the forward to the backward pass.  Before
 * a layer's backward pass its forward steps run a second time, those whose results that reads.  It changes no bit.
 */
enum hlx_recompute { HLX_RECOMPUTE_NONE = 0, HLX_RECOMPUTE_LAYER };
struct hlx_program_options {
	bool backward;               /* forward and backward */
	const char *optimizer;       /* op; NULL: no update */
	struct hlx_ini *ini;         /* its section and keys of the optimizer's attributes; NULL: defaults */
	const char *ini_section;
	const char *const *keep;     /* tensors to read after a run; ends with NULL; may be NULL */
	const char *seed;            /* where there is no LOSS: backward starts from this tensor's gradient, which the
	                              * caller writes */
	bool hash;                   /* with an optimizer: hash the state after the update */
	enum hlx_recompute recompute;
	struct hlx_past *past;       /* for a graph with positions; outlives the program */
	bool apart;                  /* no node does a neighbour's work (struct hlx_finish): it changes no bit; for tests */
	uint32_t in_flight;          /* runs that may be under way at once, up to HLX_MAX_IN_FLIGHT; 0: 1 */
};
#define HLX_MAX_IN_FLIGHT 8u
/* An arena's planned size, for hlxt plan and for refusing what does not fit. */
struct hlx_plan_info {
	/* bytes; activations: and all else that is dead at times; parameters: what the host writes and reads, in_flight times */
	uint64_t weights, states, gradients, activations, parameters;
	uint64_t total, available;
	uint64_t sums;   /* of gradients: what holds them, whole or unfinished */
	uint32_t arenas; /* that sums is made of: one of all parameters each */
	uint32_t passes; /* micro-batches a run */
	uint32_t steps, dispatches, barriers;
	uint32_t again;  /* dispatches that recompute made more */
	uint32_t fused;  /* passes of nodes that their neighbours do */
};
/* weights NULL: plan only (hlx_program_plan works, nothing is allocated).  Otherwise, where the graph's mode is portable,
 * each implementation that this device and driver have not run before is tried against its op's reference first. */
int hlx_program_create(struct hlx_device *, struct hlx_graph *, struct hlx_weights *,
		const struct hlx_program_options *, struct hlx_program **out);
void hlx_program_destroy(struct hlx_program *);
struct hlx_plan_info hlx_program_plan(const struct hlx_program *);
/* A line a step: what it does, in which arena. */
int hlx_program_print(const struct hlx_program *, FILE *);
/* The number of the optimizer's STATE arrays besides param, and their names, of the op named optimizer. */
uint32_t hlx_optimizer_states(const struct hlx_registry *, const char *optimizer, const char *names[HLX_MAX_SLOTS]);

/* Contiguous elements [first, first + count) of a tensor's value or gradient (what: HLX_VALUE, HLX_GRAD; a
 * parameter's HLX_GRAD is the final sum over the slots).  Where there are several passes an input's value is that of the
 * whole batch if its first axis is HLX_BATCH; other tensors have what the last pass left.
 * write stores f32 through hlx_store.
 * Each run under way has its inputs for itself: written is what the next start takes, read what the run last waited for
 * had, until a later one's inputs take that place.  With in_flight > 1 all inputs are to be written before each start: what
 * another run had is not there.  Anything else is one for all runs: reading or writing it waits for every run that was
 * started, and finds what the last one left. */
int hlx_program_write(struct hlx_program *, const char *tensor, int what, uint64_t first, uint64_t count, const void *in);
int hlx_program_read(struct hlx_program *, const char *tensor, int what, uint64_t first, uint64_t count, void *out);
/* Replays the whole list once, its passes one after the other, and waits. */
int hlx_program_run(struct hlx_program *, const struct hlx_step *);
/*
 * The same in two: between them the caller may do anything; what touches the device waits by itself.  Runs are made in the
 * order of their starts, each on what the one before left.  start returns while fewer than in_flight runs are under way; with
 * as many it waits for the oldest first, whose results are lost then.  (A run in several passes, or with host calls, is all
 * but over when start returns.)  wait waits for the oldest run not yet waited for; with none it returns 0.
 */
int hlx_program_start(struct hlx_program *, const struct hlx_step *);
int hlx_program_wait(struct hlx_program *);
/* Of the run last waited for, until the start that takes its place (with in_flight 1 the last one, waited for here): sum of
 * the loss, count of positions, norm of the mean gradient (0 without backward). */
struct hlx_result {
	float loss_sum, count, grad_norm;
};
int hlx_program_result(struct hlx_program *, struct hlx_result *);
/*
 * Of the same run, of a program with options.hash: the hash of hlx/math.h of every tensor in every array,
 * out[param * arrays + array], arrays being 1 + hlx_optimizer_states(): the value, then the states.  Of nothing where the
 * graph has no parameters.  Added up, the low and the high words each, they are the hash of the state.
 */
int hlx_program_hash(struct hlx_program *, uint64_t *out);
/* HLX_ENUMERIC, naming the first tensor that holds a value that is not finite; 0 where there is none.  Parameters and
 * gradients are those of the last run that was started, loss and norm those of the run last waited for. */
int hlx_program_find_bad(struct hlx_program *);

#endif
