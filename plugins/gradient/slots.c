/*
 * slots.c - the gradient of one use of a parameter, from the partial sums of S batch slots.
 *
 * partial: S runs of (n)   out: (n)   squares: (ceil(n / 1024))
 * work, where S > 8: S / 8 runs of (n), each the sum of 8 slots (and S / 64 of those ...)
 *
 * A kernel adds up to 8 slots, each a binding of its own, so that S runs need not fit one binding.  More slots take
 * levels: groups of 8 first, as the tree does.
 */
#include "gradient.h"

#include "plugins/rows.h"

#include "slots_rows.spv.h"
#include "slots_shared.spv.h"
#include "slots_texel.spv.h"

#define AT_ONCE 8u     /* slots of one kernel */
#define MAX_SLOTS 64u  /* two levels */

static const struct hlx_slot slots[] = {
	[PARTIAL] = { "partial", HLX_IN, HLX_SLOTTED },
	[OUT] = { "out", HLX_OUT, 0 },
	[SQUARES] = { "squares", HLX_OUT, 0 },
	{ NULL, 0, 0 }
};

#define AT(member) offsetof(struct slots_attrs, member)
static const struct hlx_attr attrs[] = {
	{ "first", "out starts here, else it is added to", HLX_BOOL, AT(first), 1, 0, 1, NULL },
	{ "last", "out is complete: flush it, and sum squares", HLX_BOOL, AT(last), 1, 0, 1, NULL },
	{ NULL, NULL, 0, 0, 0, 0, 0, NULL }
};

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *partial = &node->desc[PARTIAL];
	struct hlx_desc *out = &node->desc[OUT];

	if (partial->dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "partial is not of floats");
	if (partial->rank == 0 || !hlx_is_contiguous(partial))
		return host->fail(host, HLX_ESHAPE, "partial is not a contiguous tensor");
	*out = *partial;
	out->view_of = 0;
	out->offset = 0;
	hlx_contiguous(out);
	node->desc[SQUARES] = (struct hlx_desc){ .dtype = HLX_F32, .rank = 1, .stride = { 1 },
						 .dim = { (hlx_numel(out) + GRADIENT_BLOCK - 1) / GRADIENT_BLOCK } };
	return 0;
}

static const struct hlx_shader shaders[ROWS_BUILDS] = ROWS_SHADERS(slots_shared, slots_rows, slots_texel);

struct plan {
	enum rows_build build;
	struct hlx_pipeline *level[2]; /* groups of 8 into work; then what is left, at most 8, into out */
	uint32_t groups;               /* of 8, where there is a first level */
	uint64_t window;               /* elements a dispatch does, a multiple of 64 blocks */
	uint32_t at_once;              /* blocks a workgroup does side by side */
};

static int plan_window(const struct hlx_host *host, const struct hlx_node *node, struct plan *plan)
{
	uint64_t n = hlx_numel(&node->desc[OUT]), most = 65535ull * plan->at_once * GRADIENT_BLOCK,
			step = 64 * GRADIENT_BLOCK;

	plan->window = host->caps->max_range / 4 < most ? host->caps->max_range / 4 : most;
	plan->window = plan->window / step * step;
	if (plan->window > 1u << 29)
		plan->window = 1u << 29;
	if (node->slots == 0 || node->slots > MAX_SLOTS || node->slots & (node->slots - 1))
		return host->fail(host, HLX_ENOTSUP,
				"%u batch slots, want 1 to %u, a power of two", node->slots, MAX_SLOTS);
	if (node->desc[PARTIAL].offset % 64 || node->desc[OUT].offset % 64)
		return host->fail(host, HLX_ENOTSUP, "a gradient starts at no multiple of 64 elements of its storage");
	if (plan->window == 0 && n)
		return host->fail(host, HLX_ENOTSUP, "a binding sees %llu bytes, want 256 KiB at least",
				  ROWS_ULL(host->caps->max_range));
	return 0;
}

/* For `slots` runs of n elements; first and last as in slots.glsl. */
static int get_pipeline(const struct hlx_host *host, enum rows_build build, uint32_t slots_here, uint64_t n, bool first,
			bool last, struct hlx_pipeline **out)
{
	const uint32_t spec[6] = { host->caps->subgroup, slots_here, rows_unit(n), first, last, cpu_wide(host->caps) };
	const struct hlx_shader *shader = &shaders[build];
	return shader->subgroup ? host->pipeline(host, shader, spec, build == ROWS_TEXEL ? 6 : 3, out) :
			host->pipeline(host, shader, spec + 1, 1, out);
}

static int prepare(const struct hlx_host *host, struct hlx_node *node, enum rows_build build)
{
	const struct slots_attrs *at = node->attrs;
	struct plan *plan = calloc(1, sizeof *plan);
	int rc;

	node->priv = plan;
	if (!plan)
		return host->fail(host, HLX_ENOMEM, "out of memory");
	plan->build = build;
	plan->at_once = rows_at_once(host, &shaders[build]);
	plan->groups = node->slots > AT_ONCE ? node->slots / AT_ONCE : 0;
	node->work_bytes = 4 * plan->groups * hlx_slot_stride(&node->desc[PARTIAL]);
	rc = plan_window(host, node, plan);
	if (rc == 0 && plan->groups)
		rc = get_pipeline(host, build, AT_ONCE, 4, true, false, &plan->level[0]);
	return rc ? rc : get_pipeline(host, build, plan->groups ? plan->groups : node->slots, hlx_numel(&node->desc[OUT]),
				      at->first, at->last, &plan->level[1]);
}

/* Elements [e, e + n) of one run of partial sums, with its padding up to a whole vec4. */
static struct hlx_arg run(const struct hlx_node *node, uint8_t what, uint64_t s, uint64_t e, uint64_t n)
{
	uint64_t start = what == HLX_WORK ? 0 : node->desc[PARTIAL].offset;
	start += s * hlx_slot_stride(&node->desc[PARTIAL]) + e;
	return (struct hlx_arg){ PARTIAL, what, HLX_SSBO, 4 * start, 4 * ((n + 3) / 4 * 4) };
}

struct push {
	uint32_t n, first, last, first_square;
};

/* Adds `slots` runs from run s on, elements [e, e + n), into `out`. */
static int add(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, int level, uint8_t what,
	       uint32_t s, uint32_t slots_here, uint64_t e, struct hlx_arg out, struct push push)
{
	const struct plan *plan = node->priv;
	uint64_t square = node->desc[SQUARES].offset + e / GRADIENT_BLOCK;
	uint64_t blocks = (push.n + GRADIENT_BLOCK - 1) / GRADIENT_BLOCK;
	struct hlx_arg args[AT_ONCE + 3];

	for (uint32_t i = 0; i < AT_ONCE; i++)
		args[i] = rows_read(plan->build, run(node, what, s + (i < slots_here ? i : 0), e, push.n));
	args[AT_ONCE] = out;
	push.first_square = square % 64;
	args[AT_ONCE + 1] = (struct hlx_arg){ SQUARES, HLX_VALUE, HLX_SSBO, 4 * (square - square % 64),
					      4 * (square % 64 + blocks) };
	args[AT_ONCE + 2] = rows_read(plan->build, out);
	return host->dispatch(rec, plan->level[level], args, AT_ONCE + (plan->build == ROWS_TEXEL ? 3 : 2), &push, sizeof push,
			      (uint32_t)((blocks + plan->at_once - 1) / plan->at_once), 1, 1);
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct slots_attrs *at = node->attrs;
	const struct plan *plan = node->priv;
	uint64_t total = hlx_numel(&node->desc[OUT]), n;
	int rc = 0;

	for (uint64_t e = 0; e < total && rc == 0; e += n) {
		n = total - e < plan->window ? total - e : plan->window;
		const struct hlx_arg out = { OUT, HLX_VALUE, HLX_SSBO, 4 * (node->desc[OUT].offset + e), 4 * n };
		struct push push = { (uint32_t)((n + 3) / 4 * 4), 1, 0, 0 };
		for (uint32_t g = 0; g < plan->groups && rc == 0; g++)
			rc = add(host, node, rec, 0, HLX_VALUE, g * AT_ONCE, AT_ONCE, e, run(node, HLX_WORK, g, e, n),
					push);
		push = (struct push){ (uint32_t)n, at->first != 0, at->last != 0, 0 };
		if (rc == 0)
			rc = add(host, node, rec, 1, plan->groups ? HLX_WORK : HLX_VALUE, 0,
				 plan->groups ? plan->groups : node->slots, e, out, push);
	}
	return rc;
}

static const char *const cases[] = { "partial=257", "partial=1", "partial=4x1024", "partial=3x1000 last=no",
				     "partial=5x5 first=no", "partial=2100 first=no last=no", NULL };

const struct hlx_op slots_op = {
	.struct_size = sizeof slots_op,
	.name = "slots",
	.doc = "the gradient of a parameter: the batch slots' partial sums, added in a fixed tree",
	.kind = HLX_REDUCE,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct slots_attrs),
	.infer = infer,
	.ref_forward = slots_ref_forward,
	.cases = cases,
	.bench = slots_bench,
	.work = slots_work,
};

ROWS_IMPLS(, slots_, "slots", NULL);
