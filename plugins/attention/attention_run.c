/*
 * attention_run.c - windows and dispatches.
 *
 * A window is a range of sequences whose parts of q, k, v and o each fit a binding.  A tensor's part starts at its first
 * element, moved down to a multiple of HLX_ALIGN bytes; the kernel gets the distance moved.
 */
#include "attention.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define ALIGN (HLX_ALIGN / 4) /* elements */
#define KEPT_KEYS 512u        /* of each head, as memory goes: at most 8 times q where d_head is 64 */
#define KEPT_GROUPS 512u      /* of 64 keys, that a dispatch has at least: an H200 holds 264 of them at a time */
#define KEPT_FEW 4u
#define KEPT_BYTES (UINT64_C(1) << 30) /* at most: with delta, less than some drivers' largest allocation, 2 GiB */
#define MAX_TURNS 60000u      /* of an invocation's loops, see docs/numerics.md */

enum { KEEP = 1, ACCUM_0 = 2, ACCUM_1 = 4, SKIP_0 = 8, SKIP_1 = 16 }; /* attention.glsl has them too */

/* What kernels see: attention.glsl has the same block. */
struct push {
	uint32_t tq, tk, dh, heads;
	int32_t first, slope;
	float scale;
	uint32_t flags;
	uint32_t base[SLOTS], row[SLOTS], s0[SLOTS], s1[SLOTS];
	uint32_t stat_base, z0;
};

struct run {
	const struct hlx_host *host;
	const struct hlx_node *node;
	struct hlx_rec *rec; /* NULL in prepare(): pipelines are made */
	const struct attention_engine *engine;
	uint64_t b0, b1;     /* sequences */
	uint64_t z0, z1;     /* heads of these */
};

/* ---- windows ------------------------------------------------------------------------------------------- */

static uint64_t first_element(const struct hlx_desc *d, uint64_t b)
{
	return (d->offset + b * d->stride[0]) / ALIGN * ALIGN;
}

static uint64_t past_element(const struct hlx_desc *d, uint64_t b1)
{
	return d->offset + (b1 - 1) * d->stride[0] + (d->dim[1] - 1) * d->stride[1] + (d->dim[2] - 1) * d->stride[2] + d->dim[3];
}

static struct hlx_arg tensor_arg(const struct run *r, unsigned slot, enum hlx_what what)
{
	const struct hlx_desc *d = &r->node->desc[slot];
	uint64_t first = first_element(d, r->b0);

	return (struct hlx_arg){ (uint16_t)slot, (uint8_t)what, HLX_SSBO, first * 4, (past_element(d, r->b1) - first) * 4 };
}

/* A tensor that is only read. */
static struct hlx_arg input_arg(const struct run *r, unsigned slot, enum hlx_what what)
{
	struct hlx_arg arg = tensor_arg(r, slot, what);

	arg.how = r->engine->how;
	return arg;
}

/* A number for each query. */
static uint64_t stats(const struct hlx_node *node, uint64_t b)
{
	return b * node->desc[Q].dim[1] * node->desc[Q].dim[2];
}

static struct hlx_arg stat_arg(const struct run *r, enum hlx_what what)
{
	uint64_t first = stats(r->node, r->b0) / ALIGN * ALIGN;

	return (struct hlx_arg){ 0, (uint8_t)what, HLX_SSBO, first * 4, (stats(r->node, r->b1) - first) * 4 };
}

/* Does each tensor's part fit a binding, and do 32-bit indices reach all of it? */
static bool fits(const struct hlx_host *host, const struct hlx_node *node, uint64_t b0, uint64_t b1)
{
	uint64_t room = MIN(host->caps->max_range, UINT64_C(1) << 33) / 4;

	if ((b1 - b0) * node->desc[Q].dim[1] > host->caps->max_groups[0] ||
	    stats(node, b1) - stats(node, b0) / ALIGN * ALIGN > room)
		return false;
	for (unsigned s = Q; s < SLOTS; s++)
		if (past_element(&node->desc[s], b1) - first_element(&node->desc[s], b0) > room)
			return false;
	return true;
}

/* ---- dS kept ------------------------------------------------------------------------------------------- */

/* Keys and queries padded to tiles of 64. */
static uint64_t kept_elements(const struct hlx_node *node)
{
	return (node->desc[Q].dim[2] + 63) / 64 * 64 * ((node->desc[K].dim[2] + 63) / 64 * 64);
}

/*
 * Of how many heads dS is kept at a time: no more memory than KEPT_KEYS keys of all heads need, or for a GPU KEPT_GROUPS blocks of 64
 * keys, so that it grows as the sequence does: 128 KiB a query.  At 4,096 and 24 heads backward then takes 0.80 of its time.
 * 0: dq makes its own scores.  That is two products more, but a GPU that dk and dv leave without work has dq at the same time.
 * Where there is next to none it makes no difference, and `hlxt check` sees both ways.
 */
uint64_t attention_kept_heads(const struct hlx_host *host, const struct hlx_node *node)
{
	uint64_t all = node->desc[Q].dim[0] * node->desc[Q].dim[1], keys = (node->desc[K].dim[2] + 63) / 64 * 64;
	uint64_t room = MIN(host->caps->max_range, KEPT_BYTES) / 4;
	uint64_t some = all * KEPT_KEYS / keys, enough = host->caps->cpu ? 0 : (KEPT_GROUPS * 64 + keys - 1) / keys;
	uint64_t most = MIN(MIN(all, some > enough ? some : enough), room / kept_elements(node)), groups = most * (keys / 64);

	return host->caps->cpu || groups <= KEPT_FEW || groups >= KEPT_GROUPS ? most : 0;
}

/* Behind delta. */
static uint64_t kept_first(const struct hlx_node *node)
{
	return (stats(node, node->desc[Q].dim[0]) + ALIGN - 1) / ALIGN * ALIGN;
}

static struct hlx_arg kept_arg(const struct run *r, enum hlx_how how)
{
	uint64_t first = kept_first(r->node);

	return (struct hlx_arg){ 0, HLX_WORK, (uint8_t)how, first * 4, (r->z1 - r->z0) * kept_elements(r->node) * 4 };
}

/* ---- dispatches ---------------------------------------------------------------------------------------- */

static struct push make_push(const struct run *r, uint32_t flags)
{
	const struct hlx_desc *d = r->node->desc;
	struct attention_mask mask = attention_mask(r->node);
	struct push p = {
		.tq = (uint32_t)d[Q].dim[2], .tk = (uint32_t)d[K].dim[2], .dh = (uint32_t)d[Q].dim[3],
		.heads = (uint32_t)d[Q].dim[1], .first = (int32_t)mask.first, .slope = (int32_t)mask.slope,
		.scale = attention_scale(r->node), .flags = flags, .stat_base = (uint32_t)(stats(r->node, r->b0) % ALIGN),
		.z0 = (uint32_t)r->z0,
	};

	for (unsigned s = Q; s < SLOTS; s++) {
		p.base[s] = (uint32_t)(d[s].offset + r->b0 * d[s].stride[0] - first_element(&d[s], r->b0));
		p.row[s] = (uint32_t)d[s].stride[2];
		p.s0[s] = (uint32_t)d[s].stride[0];
		p.s1[s] = (uint32_t)d[s].stride[1];
	}
	return p;
}

static int dispatch(const struct run *r, enum attention_kernel which, const struct hlx_arg *args, uint32_t n, uint32_t flags)
{
	const struct push push = make_push(r, flags);
	uint64_t length = r->node->desc[attention_side(which)].dim[2];
	struct hlx_pipeline *pipeline;
	uint32_t rows, spec[8], n_spec = r->engine->choose(r->host, r->node, which, &rows, spec);
	int rc;

	rc = r->host->pipeline(r->host, &r->engine->shader[which], spec, n_spec, &pipeline);
	if (rc || !r->rec)
		return rc;
	return r->host->dispatch(r->rec, pipeline, args, n, &push, sizeof push, (uint32_t)(r->z1 - r->z0),
				 (uint32_t)((length + rows - 1) / rows), 1);
}

static int run_forward(const struct run *r)
{
	bool keep = r->node->train;
	const struct hlx_arg args[] = {
		input_arg(r, Q, HLX_VALUE), input_arg(r, K, HLX_VALUE), input_arg(r, V, HLX_VALUE),
		tensor_arg(r, O, HLX_VALUE), keep ? stat_arg(r, HLX_SAVED) : tensor_arg(r, O, HLX_VALUE),
	};

	return dispatch(r, ATTENTION_FORWARD, args, 5, keep ? KEEP : 0);
}

static int run_delta(const struct run *r)
{
	const struct push push = make_push(r, 0);
	const struct hlx_arg args[] = { input_arg(r, O, HLX_VALUE), input_arg(r, O, HLX_GRAD), stat_arg(r, HLX_WORK) };
	struct hlx_pipeline *pipeline;
	const uint32_t spec[] = { r->host->caps->cpu ? r->host->caps->subgroup : 64, attention_whole(r->node) };
	int rc = r->host->pipeline(r->host, &r->engine->shader[ATTENTION_DELTA], spec, r->engine->how == HLX_TEXEL ? 1 : 2, &pipeline);

	if (rc || !r->rec)
		return rc;
	return r->host->dispatch(r->rec, pipeline, args, 3, &push, sizeof push, (uint32_t)(r->z1 - r->z0),
				 (push.tq + spec[0] - 1) / spec[0], 1);
}

static bool wants(const struct run *r, unsigned slot)
{
	return r->node->grads >> slot & 1;
}

static uint32_t output_flags(const struct run *r, unsigned slot, uint32_t accum, uint32_t skip)
{
	return (r->node->accum >> slot & 1 ? accum : 0) | (wants(r, slot) ? 0 : skip);
}

/* q, k, v, do, lse and delta, followed by gradients in the order of the slots: one tensor may be all of them. */
static void backward_args(const struct run *r, struct hlx_arg args[6])
{
	args[0] = input_arg(r, Q, HLX_VALUE);
	args[1] = input_arg(r, K, HLX_VALUE);
	args[2] = input_arg(r, V, HLX_VALUE);
	args[3] = input_arg(r, O, HLX_GRAD);
	args[4] = stat_arg(r, HLX_SAVED);
	args[5] = stat_arg(r, HLX_WORK);
}

static int run_dq(const struct run *r)
{
	struct hlx_arg args[7];

	backward_args(r, args);
	args[6] = tensor_arg(r, Q, HLX_GRAD);
	return dispatch(r, ATTENTION_DQ, args, 7, output_flags(r, Q, ACCUM_0, 0));
}

/* Of dk and dv, one that is not wanted is not there: the other one, or dq, not written. */
static int run_dkv(const struct run *r, bool keep, uint32_t skip)
{
	struct hlx_arg args[9];

	backward_args(r, args);
	args[6] = tensor_arg(r, wants(r, K) ? K : wants(r, V) ? V : Q, HLX_GRAD);
	args[7] = tensor_arg(r, wants(r, V) ? V : wants(r, K) ? K : Q, HLX_GRAD);
	if (keep)
		args[8] = kept_arg(r, HLX_SSBO);
	return dispatch(r, keep ? ATTENTION_DKV_KEEP : ATTENTION_DKV, args, keep ? 9 : 8,
			output_flags(r, K, ACCUM_0, SKIP_0) | output_flags(r, V, ACCUM_1, SKIP_1) | skip);
}

/* q and v have a binding in simt.glsl, and are not read; with texels they have none. */
static int run_dq_kept(const struct run *r)
{
	const struct hlx_arg args[] = {
		input_arg(r, Q, HLX_VALUE), input_arg(r, K, HLX_VALUE), input_arg(r, K, HLX_VALUE), kept_arg(r, r->engine->how),
		tensor_arg(r, Q, HLX_GRAD),
	};
	uint32_t first = r->engine->how == HLX_TEXEL ? 2 : 0;

	return dispatch(r, ATTENTION_DQ_KEPT, args + first, 5 - first, output_flags(r, Q, ACCUM_0, 0));
}

/* dk, dv and then dq. */
static int run_kept(const struct run *r)
{
	int rc = run_dkv(r, true, 0);

	return rc ? rc : run_dq_kept(r);
}

/* dq from a dS that is made for it alone, and then the others. */
static int run_kept_apart(const struct run *r)
{
	int rc = wants(r, Q) ? run_dkv(r, true, SKIP_0 | SKIP_1) : 0;

	if (rc == 0 && wants(r, Q))
		rc = run_dq_kept(r);
	return rc == 0 && (wants(r, K) || wants(r, V)) ? run_dkv(r, true, 0) : rc;
}

/* As many heads at a time as dS is kept of. */
static int run_heads(const struct run *all, uint64_t heads, int (*pass)(const struct run *))
{
	struct run r = *all;
	int rc = 0;

	for (r.z0 = all->z0; rc == 0 && r.z0 < all->z1; r.z0 = r.z1) {
		r.z1 = MIN(r.z0 + heads, all->z1);
		rc = pass(&r);
	}
	return rc;
}

static int run_backward(const struct run *r)
{
	uint64_t heads = attention_kept_heads(r->host, r->node);
	int rc = run_delta(r);

	/* Gradients add in the order of the slots: dq may be last where k and v add to none, and so not to it. */
	if (rc == 0 && heads && r->node->grads == 7 && !(r->node->accum & (1 << K | 1 << V)))
		return run_heads(r, heads, run_kept);
	if (rc == 0 && !r->engine->shader[ATTENTION_DKV].name)
		return run_heads(r, heads, run_kept_apart);
	if (rc == 0 && wants(r, Q))
		rc = run_dq(r);
	if (rc == 0 && (wants(r, K) || wants(r, V)))
		rc = run_dkv(r, false, 0);
	return rc;
}

static int run_windows(struct run *r, int (*pass)(const struct run *))
{
	uint64_t batch = r->node->desc[Q].dim[0];

	for (r->b0 = 0; r->b0 < batch; r->b0 = r->b1) {
		uint64_t most = batch - r->b0;
		while (most > 1 && !fits(r->host, r->node, r->b0, r->b0 + most))
			most = (most + 1) / 2;
		r->b1 = r->b0 + most;
		r->z0 = 0;
		r->z1 = most * r->node->desc[Q].dim[1];
		if (!fits(r->host, r->node, r->b0, r->b1))
			return r->host->fail(r->host, HLX_ENOTSUP, "one sequence is larger than a binding");
		int rc = pass(r);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- the implementation's calls ------------------------------------------------------------------------ */

bool attention_whole(const struct hlx_node *node)
{
	uint64_t all = node->desc[Q].dim[3];

	for (unsigned s = Q; s < SLOTS; s++)
		all |= node->desc[s].offset | node->desc[s].stride[0] | node->desc[s].stride[1] | node->desc[s].stride[2];
	return all % 4 == 0;
}

int attention_prepare(const struct hlx_host *host, struct hlx_node *node, const struct attention_engine *engine)
{
	struct run r = { .host = host, .node = node, .engine = engine };
	const struct hlx_desc *d = node->desc;
	uint64_t longest = d[Q].dim[2] > d[K].dim[2] ? d[Q].dim[2] : d[K].dim[2];
	int rc;

	if ((longest + 127) / 64 * engine->turns(node) > MAX_TURNS)
		return host->fail(host, HLX_ENOTSUP, "sequences of %llu mean a loop of more than %u turns",
				  (unsigned long long)longest, MAX_TURNS);
	node->saved_bytes = node->train ? stats(node, d[Q].dim[0]) * 4 : 0;
	node->work_bytes = node->train ? (kept_first(node) + attention_kept_heads(host, node) * kept_elements(node)) * 4 : 0;
	rc = run_windows(&r, run_forward);
	return rc || !node->train ? rc : run_windows(&r, run_backward);
}

int attention_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		      const struct attention_engine *engine)
{
	struct run r = { .host = host, .node = node, .rec = rec, .engine = engine };

	return run_windows(&r, run_forward);
}

int attention_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		       const struct attention_engine *engine)
{
	struct run r = { .host = host, .node = node, .rec = rec, .engine = engine };

	return run_windows(&r, run_backward);
}
