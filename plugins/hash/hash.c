/*
 * hash.c - the state hash: two integer sums for each tensor of each array, in one pass over the arrays.
 *
 * array0 ... array7: (n), n a multiple of 64   blocks: (blocks, 4)   keys, sums: (arrays, rows, 2)
 *
 * A workgroup is a block of one tensor in one array.  An array that exceeds a binding is seen through windows, each of
 * which runs all the blocks: those that lie outside end at once (0.09 us on lavapipe), those on a border do their part.
 */
#include "hash.h"

#include "hash_shared.spv.h"
#include "hash_subgroup.spv.h"
#include "hash_texel.spv.h"

#define SEGMENT 64u
#define SHADER(name, subgroup) { #name, name##_spv, sizeof name##_spv, subgroup }

typedef unsigned long long ull;

static const struct hlx_shader shader_shared = SHADER(hash_shared, 0);
static const struct hlx_shader shader_subgroup = SHADER(hash_subgroup, 1);
static const struct hlx_shader shader_texel = SHADER(hash_texel, 1);

static const struct hlx_slot slots[] = {
	{ "array0", HLX_IN, HLX_NOGRAD },
	{ "array1", HLX_IN, HLX_NOGRAD | HLX_OPTIONAL },
	{ "array2", HLX_IN, HLX_NOGRAD | HLX_OPTIONAL },
	{ "array3", HLX_IN, HLX_NOGRAD | HLX_OPTIONAL },
	{ "array4", HLX_IN, HLX_NOGRAD | HLX_OPTIONAL },
	{ "array5", HLX_IN, HLX_NOGRAD | HLX_OPTIONAL },
	{ "array6", HLX_IN, HLX_NOGRAD | HLX_OPTIONAL },
	{ "array7", HLX_IN, HLX_NOGRAD | HLX_OPTIONAL },
	[HASH_BLOCKS] = { "blocks", HLX_IN, HLX_NOGRAD },
	[HASH_KEYS] = { "keys", HLX_IN, HLX_NOGRAD },
	[HASH_SUMS] = { "sums", HLX_OUT, 0 },
	{ NULL, 0, 0 }
};

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *blocks = &node->desc[HASH_BLOCKS], *keys = &node->desc[HASH_KEYS];
	uint32_t arrays = hash_arrays(node);
	uint64_t n = hlx_numel(&node->desc[0]);

	for (uint32_t a = 0; a < arrays; a++)
		if (hlx_numel(&node->desc[a]) != n || !hlx_is_contiguous(&node->desc[a]))
			return host->fail(host, HLX_ESHAPE, "array%u has %llu elements, array0 %llu", a,
					(ull)hlx_numel(&node->desc[a]), (ull)n);
	if (!n || n % SEGMENT)
		return host->fail(host, HLX_ESHAPE, "array0 has %llu elements, want a multiple of %u", (ull)n, SEGMENT);
	if (blocks->dtype != HLX_U32 || keys->dtype != HLX_U32)
		return host->fail(host, HLX_EDTYPE, "blocks or keys are not u32");
	if (blocks->rank != 2 || blocks->dim[1] != 4 || keys->rank != 3 || keys->dim[0] != arrays || keys->dim[2] != 2)
		return host->fail(host, HLX_ESHAPE, "want blocks (blocks, 4) and keys (%u, rows, 2)", arrays);
	node->desc[HASH_SUMS] = *keys;
	node->desc[HASH_SUMS].view_of = 0;
	node->desc[HASH_SUMS].offset = 0;
	hlx_contiguous(&node->desc[HASH_SUMS]);
	return 0;
}

/* ---- recording ---- */

struct push {
	uint32_t first, segment, length, row;
};

/* Elements that a dispatch sees: 2^30, so that every index in the kernel stays in 32 bits. */
static uint64_t window(const struct hlx_caps *caps, bool texel)
{
	uint64_t n = caps->max_range / 4;

	if (texel && caps->max_texels < n / 4)
		n = caps->max_texels * 4;
	return (n < 1u << 30 ? n : 1u << 30) / SEGMENT * SEGMENT;
}

static struct hlx_arg all(const struct hlx_node *node, uint16_t slot)
{
	const struct hlx_desc *d = &node->desc[slot];

	return (struct hlx_arg){ slot, HLX_VALUE, HLX_SSBO, d->offset * 4, hlx_numel(d) * 4 };
}

/* Row a of keys or sums by itself, where it starts aligned: then no dispatch waits for that of the array before it. */
static bool rows_apart(const struct hlx_node *node)
{
	return node->desc[HASH_SUMS].dim[1] * 8 % HLX_ALIGN == 0;
}

static struct hlx_arg row(const struct hlx_node *node, uint16_t slot, uint32_t a)
{
	uint64_t bytes = node->desc[slot].dim[1] * 8;
	struct hlx_arg arg = all(node, slot);

	if (rows_apart(node)) {
		arg.offset += a * bytes;
		arg.range = bytes;
	}
	return arg;
}

/* Elements [from, from + n) of array a. */
static int record_window(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		struct hlx_pipeline *pipeline, bool texel, uint32_t a, uint64_t from, uint64_t n)
{
	uint64_t blocks = node->desc[HASH_BLOCKS].dim[0], groups;
	const struct hlx_arg args[] = {
		{ (uint16_t)a, HLX_VALUE, texel ? HLX_TEXEL : HLX_SSBO, (node->desc[a].offset + from) * 4, n * 4 },
		all(node, HASH_BLOCKS), row(node, HASH_KEYS, a), row(node, HASH_SUMS, a),
	};
	struct push push = { 0, (uint32_t)(from / SEGMENT), (uint32_t)(n / SEGMENT),
		rows_apart(node) ? 0 : a * (uint32_t)node->desc[HASH_KEYS].dim[1] };
	int status = 0;

	for (uint64_t at = 0; at < blocks && !status; at += groups) {
		groups = blocks - at < host->caps->max_groups[0] ? blocks - at : host->caps->max_groups[0];
		push.first = (uint32_t)at;
		status = host->dispatch(rec, pipeline, args, 4, &push, sizeof push, (uint32_t)groups, 1, 1);
	}
	return status;
}

static int record(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct hlx_shader *shader, uint32_t lanes, bool texel)
{
	const struct hlx_arg sums = all(node, HASH_SUMS);
	uint64_t n = hlx_numel(&node->desc[0]), most = window(host->caps, texel);
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, shader, &lanes, 1, &pipeline);

	if (!status)
		status = host->fill(rec, &sums, 0);
	for (uint32_t a = 0; a < hash_arrays(node) && !status; a++)
		for (uint64_t at = 0; at < n && !status; at += most)
			status = record_window(host, node, rec, pipeline, texel, a, at, n - at < most ? n - at : most);
	return status;
}

static int prepare(const struct hlx_host *host, struct hlx_node *node)
{
	for (uint32_t s = 0; s <= HASH_SUMS; s++)
		if (node->desc[s].rank && node->desc[s].offset % SEGMENT)
			return host->fail(host, HLX_ENOTSUP, "%s starts at no multiple of %u elements", slots[s].name, SEGMENT);
	for (uint32_t s = HASH_BLOCKS; s <= HASH_SUMS; s++)
		if (hlx_numel(&node->desc[s]) * 4 > host->caps->max_range)
			return host->fail(host, HLX_ENOTSUP, "%s has %llu elements: more than a binding sees", slots[s].name,
					(ull)hlx_numel(&node->desc[s]));
	return window(host->caps, false) ? 0 : host->fail(host, HLX_ENOTSUP, "a binding sees %llu bytes, want 256",
			(ull)host->caps->max_range);
}

static int subgroup_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	const struct hlx_caps *caps = host->caps;

	(void)node;
	if (caps && (!caps->shuffle || caps->subgroup < 4 || caps->subgroup > 64))
		return host->fail(host, HLX_ENOTSUP, "needs shuffles in subgroups of 4 to 64 lanes");
	return 0;
}

/* A texel binding that sees 1 MiB (SwiftShader's) would take many windows. */
static int texel_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	const struct hlx_caps *caps = host->caps;

	if (caps && (!caps->cpu || caps->max_texels < caps->max_range / 16))
		return host->fail(host, HLX_ENOTSUP, "for CPU drivers whose texel bindings see as much as others");
	return subgroup_supports(host, node);
}

static int shared_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return record(host, node, rec, &shader_shared, host->caps->max_invocations < 128 ? host->caps->max_invocations : 128,
			false);
}

static int subgroup_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return record(host, node, rec, &shader_subgroup, host->caps->subgroup, false);
}

static int texel_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return record(host, node, rec, &shader_texel, host->caps->subgroup, true);
}

/* ---- what the plugin brings ---- */

/* Blocks of at most 3 elements, in any order, several at the same place. */
static const char *const cases[] = {
	"array0=256 blocks=9x4<4 keys=1x4x2<1000000000", "array0=256 array1=256 array2=256 blocks=200x4<4 keys=3x4x2<99", NULL
};

static const struct hlx_op op = {
	.struct_size = sizeof(struct hlx_op),
	.name = "hash",
	.doc = "the state hash of parameters and optimizer states, a pair of sums a tensor",
	.kind = HLX_HASH,
	.slots = slots,
	.infer = infer,
	.ref_forward = hash_ref_forward,
	.cases = cases,
	.bench = hash_bench,
	.work = hash_work,
};

static const struct hlx_impl shared = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "hash",
	.name = "shared",
	.doc = "128 lanes a block, added up in shared memory",
	.tier = HLX_PORTABLE,
	.priority = 0,
	.prepare = prepare,
	.forward = shared_forward,
};

static const struct hlx_impl subgroup = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "hash",
	.name = "subgroup",
	.doc = "a subgroup a block, added up through shuffles",
	.tier = HLX_PORTABLE,
	.priority = 10,
	.supports = subgroup_supports,
	.prepare = prepare,
	.forward = subgroup_forward,
};

static const struct hlx_impl texel = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "hash",
	.name = "texel",
	.doc = "for CPU drivers: as subgroup, with texel fetches",
	.tier = HLX_PORTABLE,
	.priority = 20,
	.supports = texel_supports,
	.prepare = prepare,
	.forward = texel_forward,
};

static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &shared, &subgroup, &texel, NULL };

HLX_PLUGIN(.name = "hash", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
