/*
 * hlx/plugin.h - the whole contract between the hlx core and an op plugin.
 *
 * A plugin is one .so exporting one const object, hlx_plugin.  It brings ops (what is computed: slots,
 * attributes, shapes, the C reference that defines every bit) and implementations of ops, its own or others'
 * (how: kernels).  The core reads the ABI words before running any of its code, never calls dlclose(), and owns
 * every Vulkan object: a plugin describes, and records dispatches by slot.
 *
 * Memory:  everything reachable from hlx_plugin is static const.  Tensors, pipelines and node->attrs are the
 *          host's; node->priv is the implementation's.
 * Threads: [main] one thread at a time.  [any] reentrant on distinct nodes.
 * Errors:  0 or a negative hlx_status.  "return host->fail(host, st, fmt, ...)" keeps the thread's message;
 *          the host prefixes "node (op/impl): ".
 * Units:   dims, strides and desc.offset are elements; arg offsets and ranges are bytes.
 */
#ifndef HLX_PLUGIN_H
#define HLX_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HLX_ABI_MAJOR 1u /* must be equal */
#define HLX_ABI_MINOR 3u /* plugin's <= host's; members are only appended */
#define HLX_MAX_RANK  4
#define HLX_MAX_SLOTS 16
#define HLX_ALIGN     256u /* every tensor, and every slot of a partial, starts at a multiple of this many bytes */

enum hlx_status {
	HLX_OK = 0,
	HLX_EINVAL = -1,  /* an attribute, name or argument */
	HLX_ESHAPE = -2,
	HLX_EDTYPE = -3,
	HLX_ENOTSUP = -4, /* right, but not by this implementation or device */
	HLX_ENOMEM = -5,
	HLX_EDEVICE = -6, /* lost, hung, absent */
	HLX_EPLUGIN = -7, /* a plugin broke the contract */
	HLX_EIO = -8,     /* reading a file failed */
	HLX_EOUTPUT = -9, /* writing one failed */
	HLX_ENUMERIC = -10 /* a value that is not finite */
};

enum hlx_dtype { HLX_F32 = 1, HLX_I32, HLX_U32, HLX_F16, HLX_BF16, HLX_I8 };

/*
 * LAYER      a node of the model.
 * LOSS       a node whose OUT slot 0 is HLX_SLOTTED with dims (2): the sum of the loss and the count of
 *            positions it was summed over, both as f32.  Backward starts here: the gradient of the sum is 1.
 * OPTIMIZER  updates whole arenas; the core connects its slots by name: "param" (STATE), "grad", "flags", "loss",
 *            "norm" (IN); its further STATE slots have param's shape.  flags: a u32 for each 64 elements; bit 0: no weight
 *            decay; bit 1: frozen, nothing of them may change.
 * REDUCE     ends the gradient of one use of a parameter, and the loss: slots "partial" (IN, HLX_SLOTTED), "out"
 *            (OUT, the parameter's n elements), "squares" (OUT, one f32 for each 1,024 elements of out);
 *            BOOL attributes "first" (start from +0, else continue from out) and "last" (store and square).
 * NORM       slots "squares" (IN, all tensors' blocks), "table" (IN, u32, the first block of each tensor, and
 *            last the end), "loss" (IN), "norm" (OUT, dims (2): norm of the mean gradient, sum of squares).
 * HASH       the state hash of hlx/math.h, over the parameters and the optimizer's states: slots "array0" ... (IN, one for
 *            each of these arrays, all but the first OPTIONAL), "blocks" (IN, u32 (blocks, 4): each of at most
 *            HLX_HASH_BLOCK elements of one tensor, with the first one's place in the array / 64, the number of elements, the
 *            tensor, and the block's number in the tensor), "keys" (IN, u32 (arrays, rows, 2), a row a tensor), "sums" (OUT,
 *            likewise, overwritten): low words first.
 */
enum hlx_kind { HLX_LAYER = 1, HLX_LOSS, HLX_OPTIMIZER, HLX_REDUCE, HLX_NORM, HLX_HASH };
#define HLX_HASH_BLOCK 4096u

/* PORTABLE equals the reference in every bit on every device; DEVICE may differ from device to device. */
enum hlx_tier { HLX_PORTABLE = 1, HLX_DEVICE = 2 };

/*
 * Slots are the op's contract, the same for every implementation, in the order of the INI's arguments.  STATE is
 * checkpointed and hashed.  What an implementation keeps from forward to backward (SAVED) or needs for a
 * moment (WORK) is its own.
 */
enum hlx_role { HLX_IN = 1, HLX_PARAM, HLX_OUT, HLX_STATE };
enum {
	HLX_OPTIONAL = 1, /* absent: desc.rank == 0 */
	HLX_NOGRAD = 2,
	HLX_NODECAY = 4,  /* weight decay leaves it alone */
	HLX_SLOTTED = 8,  /* stored as partial sums: S runs of hlx_slot_stride() elements, one for each batch slot */
	HLX_SAMEGRAD = 16, /* IN: its gradient is the first OUT's, bit for bit; the core may let both be one and not ask for it */
	HLX_SPANS = 32    /* IN: a position of the output takes positions before its own from it (the keys of attention); in
	                   * decoding it comes with all of them, where the other inputs have the last ones */
};
struct hlx_slot {
	const char *name;
	enum hlx_role role;
	uint32_t flags;
};

/* INI keys of a node: the host parses, range-checks and stores each at attrs + offset. */
enum hlx_attr_type { HLX_INT = 1, HLX_FLOAT, HLX_BOOL, HLX_ENUM }; /* int64_t, double, int32_t, int32_t */
struct hlx_attr {
	const char *name, *help;
	enum hlx_attr_type type;
	size_t offset;
	double def, min, max;     /* an ENUM's and BOOL's def is an index */
	const char *const *names; /* HLX_ENUM, ends with NULL */
};

/*
 * A tensor as an op sees it.  The axis marks let a core that knows no op split the batch, keep a decoding cache
 * and evaluate short sequences.  A view lives inside the storage of another tensor of the same node: infer() sets
 * view_of to that slot + 1 and offset to where it starts there.  From prepare() on, offset counts from the first
 * element of the storage, which is where HLX_VALUE and HLX_GRAD arguments start.
 * PAST: positions like SEQ, in a tensor that has +0 where such a one lies after the SEQ axis' own.
 */
enum hlx_axis { HLX_OTHER = 0, HLX_BATCH, HLX_SEQ, HLX_PAST };
struct hlx_desc {
	enum hlx_dtype dtype;
	uint32_t rank; /* 0: absent */
	uint64_t dim[HLX_MAX_RANK], stride[HLX_MAX_RANK];
	uint8_t axis[HLX_MAX_RANK];
	uint32_t view_of;
	uint64_t offset;
};

/* How a parameter starts, set by infer(): normal with this deviation where deviation > 0, else the constant. */
struct hlx_init {
	double constant, deviation;
};

/* Bindings, their access, push size and workgroup size come from the SPIR-V itself. */
struct hlx_shader {
	const char *name;
	const uint32_t *code;
	size_t size;       /* bytes */
	uint32_t subgroup; /* 1: needs full subgroups of caps->subgroup lanes */
};

/* What changes from pass to pass, as the kernels see it in the uniform buffer (12 words, std140); an op's own scalars
 * follow, written by its step(). */
struct hlx_step {
	uint32_t size, train;
	uint64_t step; /* 1 for the first */
	uint32_t seed[2]; /* the run's, low word first */
	uint32_t seq0, n_seq; /* the index of this pass' first sequence among all of the run's (mod 2^32), and how many there are */
	uint32_t position;    /* of the pass' first token in its sequences: 0 but for cached decoding */
	float lr;             /* the schedule's, for this step */
	uint32_t pad[2];
};
#define HLX_STEP_ROOM 208u /* bytes for an op's own scalars */
#define HLX_STEP_REF64 { .size = sizeof(struct hlx_step), .train = 1, .step = 1, .n_seq = 1 } /* that of ref64 */

struct hlx_finish;

struct hlx_node { /* one line of the INI's wiring */
	size_t struct_size;
	const char *name;      /* "layer.3.fc" */
	uint32_t n_slots;
	uint32_t train;        /* backward will follow */
	struct hlx_desc *desc; /* by slot; infer() fills OUT, PARAM and STATE (a tied PARAM comes filled: check it) */
	struct hlx_init *init; /* by slot; infer() fills those of PARAM */
	const void *attrs;
	uint32_t slots;        /* S: partial sums of a parameter's gradient, 0 before prepare() */
	uint64_t grads;        /* bit s: backward is to give slot s's gradient */
	/* bit s: add to what is there.  Activations: g = hlx_accum(g, r) of the finished r.  Parameters: the accumulators
	 * continue from the stored partial sum, unflushed.  Known when backward() records, 0 in prepare(). */
	uint64_t accum;
	uint64_t saved_bytes, work_bytes; /* prepare() sets */
	void *priv;                       /* prepare() sets, destroy() frees */
	uint64_t key;                     /* of the name: what an op's random words are drawn with (hlx/philox.h) */
	/* infer() sets, if it can be sure: of a position of the outputs, each bit that counts (in columns that are positions:
	 * those up to its own) depends on inputs at that position, and up to it in SPANS inputs, and not on how many the node
	 * computes at a time, nor (but for step->position) on where the first one is.  Only a model of such nodes can be
	 * decoded in parts, with what SPANS inputs had before kept. */
	uint32_t causal;
	/* While a pass records: the neighbours whose work this node does at the end of its own, forward and backward, or NULL. */
	const struct hlx_finish *finish[2];
};

/*
 * A neighbour whose pass a node's last kernels can do: what lies between the two, a tensor that only the one makes and only
 * the other reads, then need not be written and read again.  All of it is in memory, or none.
 *
 *     forward    node -> tensor -> neighbour    the node writes the neighbour's first OUT; its own first OUT only if keep
 *     backward   neighbour -> tensor -> node    the node writes the gradient of the neighbour's input, not of its own:
 *                                               that of the one slot in the neighbour's grads, never added to
 *
 * The bits are those of the two one after the other.  The neighbour's tensors are HLX_NEXT_VALUE and HLX_NEXT_GRAD arguments.
 */
struct hlx_finish {
	size_t struct_size;
	const char *op;              /* the neighbour's */
	const struct hlx_node *node;
	uint32_t slot;               /* forward: the tensor is this input of the neighbour's; backward: of the node's */
	uint32_t keep;               /* forward: others read the tensor, too */
};

/* One kernel argument, in binding order: a window of a slot's storage.  A kernel writes elements of the slot's tensor alone:
 * others that the window holds may be changing meanwhile. */
enum hlx_what { HLX_VALUE = 0, HLX_GRAD, HLX_SAVED, HLX_WORK, HLX_STEP, HLX_NEXT_VALUE, HLX_NEXT_GRAD };
enum hlx_how { HLX_SSBO = 0, HLX_TEXEL }; /* TEXEL: a uniform texel buffer of rgba32f */
struct hlx_arg {
	uint16_t slot;
	uint8_t what, how;
	uint64_t offset, range; /* bytes, offset a multiple of HLX_ALIGN; range 0: to the storage's end */
};

struct hlx_rec;
struct hlx_pipeline;

struct hlx_caps { /* what an implementation may choose by; never what is computed */
	size_t struct_size;
	uint64_t max_range;    /* bytes one binding can see: 128 MiB on lavapipe */
	uint64_t max_texels;   /* rgba32f elements one texel binding can see */
	uint32_t cpu;          /* a CPU driver */
	uint32_t subgroup;     /* lanes */
	uint32_t shuffle;      /* subgroupShuffle works in compute shaders */
	uint32_t shared_bytes, push_bytes, max_invocations;
	uint32_t max_groups[3];
	uint32_t int64, fp16, bf16, int8;
	/* Cooperative matrices by a subgroup: fp16 of (m, k) and (k, n), sums of fp32; else 0.  Their SPIR-V has Vulkan's memory model. */
	uint32_t coopmat;
	/* A CPU driver's compiler works out once what is the same in all lanes (a load from one address, the value of one
	 * lane); 0: in a loop over the lanes. */
	uint32_t uniform;
	uint32_t coopmat_m, coopmat_n, coopmat_k;
	uint32_t coopmat_rate; /* such products in the time of one fma of fp32, where that is known of the device; else 0 */
};

/* A host call: runs on the CPU between submissions, with the windows of args as host memory. */
typedef int (*hlx_host_fn)(void *ctx, void *const *data, const struct hlx_step *);

struct hlx_host { /* every member [any] */
	size_t struct_size;
	uint32_t abi_major, abi_minor;
	const struct hlx_caps *caps; /* NULL while no device is chosen: infer() does not need it */
	void (*log)(const struct hlx_host *, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
	int (*fail)(const struct hlx_host *, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
	/* spec: n_spec values of the constant ids 0, 1, ...  The same shader and values give the same pipeline. */
	int (*pipeline)(const struct hlx_host *, const struct hlx_shader *,
			const uint32_t *spec, uint32_t n_spec, struct hlx_pipeline **out);
	int (*dispatch)(struct hlx_rec *, struct hlx_pipeline *, const struct hlx_arg *args, uint32_t n_args,
			const void *push, size_t push_size, uint32_t x, uint32_t y, uint32_t z);
	int (*fill)(struct hlx_rec *, const struct hlx_arg *, uint32_t word);
	int (*copy)(struct hlx_rec *, const struct hlx_arg *dst, const struct hlx_arg *src);
	/* write[i]: fn writes args[i]; what fn is not to write, it must not.  ctx outlives the program. */
	int (*host_call)(struct hlx_rec *, hlx_host_fn fn, void *ctx, const struct hlx_arg *args, const bool *write,
			uint32_t n_args);
	const void *(*extension)(const struct hlx_host *, const char *id); /* or NULL */
};

/*
 * Operations of the definition (a product and its sum are two; a function of hlx/math.h counts with all that it is made
 * of), and bytes of memory when each value that is needed is read once and each result written once.  Backward: of the
 * gradients in node->grads.
 */
struct hlx_work {
	double ops, bytes;
};

/* What is computed. */
struct hlx_op {
	size_t struct_size;
	const char *name, *doc;
	enum hlx_kind kind;
	const struct hlx_slot *slots; /* ends with .name = NULL */
	const struct hlx_attr *attrs; /* likewise, or NULL */
	size_t attrs_size;
	int (*infer)(const struct hlx_host *, struct hlx_node *); /* [any] */
	/* The definition, on host memory, IEEE binary32; value[], grad[] by slot, each at its desc's first element
	 * (strides as in desc); a SLOTTED value and a PARAM's grad are S runs of hlx_slot_stride() elements. */
	int (*ref_forward)(const struct hlx_node *, void *const value[], const struct hlx_step *);
	int (*ref_backward)(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
	/* The same mathematics in double, for gradients by central differences: fills OUT.  Integer inputs come as
	 * doubles; a SLOTTED OUT is one run (the sum over all slots); the step is HLX_STEP_REF64. */
	int (*ref64)(const struct hlx_node *, double *const value[]);
	/* Shapes worth testing: "x=2x3x257 causal=yes" names inputs' dims ("tokens=2x5<256": integers below 256) and
	 * attributes; ends with NULL. */
	const char *const *cases;
	/* For hlxt bench; both may be NULL.  bench: shapes worth timing, written like cases.  work: what the node asks of a
	 * device at the least. */
	const char *const *bench;
	struct hlx_work (*work)(const struct hlx_node *, bool backward); /* [any] */
};

/* How it is computed. */
struct hlx_impl {
	size_t struct_size;
	const char *op, *name, *doc;
	enum hlx_tier tier;
	int priority; /* the highest that supports the node is the default; builtin ones use 0 to 99 */
	/* In call order; all but forward may be NULL. */
	int (*supports)(const struct hlx_host *, const struct hlx_node *); /* [any] 0: yes */
	int (*prepare)(const struct hlx_host *, struct hlx_node *);        /* [main]; loop bounds checked here */
	/* Replayable: the same dispatches every step; no allocation, no readback. */
	int (*forward)(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *);
	int (*backward)(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *);
	/* Bytes written at scalars (at most room); 0 where the op has none. */
	size_t (*step)(const struct hlx_node *, const struct hlx_step *, void *scalars, size_t room);
	void (*destroy)(const struct hlx_host *, struct hlx_node *); /* [main] */
	/* Its node's pass can end with the neighbour's: 0, else no (nobody is told why).  [main], after prepare(); no pass has
	 * recorded yet, or no backward one. */
	int (*finishes)(const struct hlx_host *, const struct hlx_node *, const struct hlx_finish *, bool backward);
	/* HLX_YIELDS_...: what this implementation computes is the op's definition and no more (nothing is saved for backward),
	 * so that a neighbour may do it.  Nobody does so where an INI names the implementation. */
	uint32_t yields;
	/* bit s: backward() does not read the value of slot s */
	uint64_t unread;
	/* Its priority for this node on this device, where that is not the same for all; without a device priority is taken. */
	int (*prefers)(const struct hlx_host *, const struct hlx_node *); /* [any] */
	/* DEVICE: how far its results are from ref64's at the most, of the largest in the tensor (hlxt check); 0: it does not say */
	double accuracy;
};
#define HLX_YIELDS_FORWARD 1u
#define HLX_YIELDS_BACKWARD 2u

struct hlx_plugin {
	uint32_t abi_major, abi_minor; /* these two words never move */
	size_t struct_size;
	const char *name, *version, *license;
	int (*init)(const struct hlx_host *); /* optional, once, [main] */
	const struct hlx_op *const *ops;      /* ends with NULL; NULL where there are none */
	const struct hlx_impl *const *impls;  /* likewise */
};

#define HLX_PLUGIN(...) \
	extern const struct hlx_plugin hlx_plugin __attribute__((visibility("default"))); \
	const struct hlx_plugin hlx_plugin = { HLX_ABI_MAJOR, HLX_ABI_MINOR, sizeof(struct hlx_plugin), __VA_ARGS__ }

/* ---- helpers on descriptions ------------------------------------------------------------------------- */

static inline uint64_t hlx_numel(const struct hlx_desc *d)
{
	uint64_t n = d->rank ? 1 : 0;
	for (uint32_t i = 0; i < d->rank; i++)
		n *= d->dim[i];
	return n;
}

/* Elements from the first to past the last one of the storage that d touches. */
static inline uint64_t hlx_extent(const struct hlx_desc *d)
{
	uint64_t last = 0;
	for (uint32_t i = 0; i < d->rank; i++)
		last += (d->dim[i] - 1) * d->stride[i];
	return d->rank ? last + 1 : 0;
}

/* Elements from one batch slot's partial sums to the next's. */
static inline uint64_t hlx_slot_stride(const struct hlx_desc *d)
{
	return (hlx_numel(d) + HLX_ALIGN / 4 - 1) / (HLX_ALIGN / 4) * (HLX_ALIGN / 4);
}

/* Row-major strides for d's dims. */
static inline void hlx_contiguous(struct hlx_desc *d)
{
	uint64_t s = 1;
	for (uint32_t i = d->rank; i-- > 0; s *= d->dim[i])
		d->stride[i] = s;
}

static inline bool hlx_is_contiguous(const struct hlx_desc *d)
{
	uint64_t s = 1;
	for (uint32_t i = d->rank; i-- > 0; s *= d->dim[i])
		if (d->dim[i] != 1 && d->stride[i] != s)
			return false;
	return true;
}

/* No element of a row is of another position than its others: what an op computes by rows is causal. */
static inline bool hlx_rows_causal(const struct hlx_desc *d)
{
	return d->rank && d->axis[d->rank - 1] == HLX_OTHER;
}

/* The product of all dims but the last: rows of a row op. */
static inline uint64_t hlx_rows(const struct hlx_desc *d)
{
	uint64_t n = d->rank ? 1 : 0;
	for (uint32_t i = 0; i + 1 < d->rank; i++)
		n *= d->dim[i];
	return n;
}

static inline uint64_t hlx_cols(const struct hlx_desc *d)
{
	return d->rank ? d->dim[d->rank - 1] : 0;
}

/* Rows per binding window, so that rows * row_bytes <= max_range, rows <= max_rows and every window starts aligned;
 * 0 where even the smallest aligned block of rows is too big for a binding. */
static inline uint64_t hlx_window_rows(uint64_t rows, uint64_t row_bytes, uint64_t max_range, uint64_t max_rows)
{
	uint64_t step = 1, n = max_range / (row_bytes ? row_bytes : 1);
	while (step * row_bytes % HLX_ALIGN)
		step *= 2;
	n = n < max_rows ? n : max_rows;
	return n >= rows ? rows : n / step * step;
}

static inline struct hlx_arg hlx_value(uint16_t slot)
{
	return (struct hlx_arg){ slot, HLX_VALUE, HLX_SSBO, 0, 0 };
}

static inline struct hlx_arg hlx_grad(uint16_t slot)
{
	return (struct hlx_arg){ slot, HLX_GRAD, HLX_SSBO, 0, 0 };
}

#endif
