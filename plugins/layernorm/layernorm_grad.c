/*
 * layernorm_grad.c - the backward pass.
 *
 * work: terms (sequences, blocks of 32 positions, 2, d rounded up to 4)
 *
 * Three kernels: dx by rows; the terms of dgamma and dbeta by (block, column); their sums by (slot, column).  On a GPU with
 * subgroups of 32 the first two are one, which reads x and dy once, and on any GPU both sums are one dispatch.
 */
#include "plugins/layernorm/layernorm_rows.h"

#include "layernorm_backward.spv.h"
#include "layernorm_backward_rows.spv.h"
#include "layernorm_backward_texel.spv.h"
#include "layernorm_block.spv.h"
#include "layernorm_params.spv.h"
#include "layernorm_sums.spv.h"
#include "layernorm_terms.spv.h"
#include "layernorm_terms_texel.spv.h"

static const struct hlx_shader backward_shader[ROWS_BUILDS] =
		ROWS_SHADERS(layernorm_backward, layernorm_backward_rows, layernorm_backward_texel);
static const struct hlx_shader terms_shader = ROWS_SHADER(layernorm_terms, 0);
static const struct hlx_shader terms_texel = ROWS_SHADER(layernorm_terms_texel, 0);
static const struct hlx_shader block_shader = ROWS_SHADER(layernorm_block, 1);
static const struct hlx_shader params_shader = ROWS_SHADER(layernorm_params, 0);
static const struct hlx_shader sums_shader = ROWS_SHADER(layernorm_sums, 0);

/* Bytes of the terms of one block. */
static uint64_t block_bytes(const struct hlx_node *node)
{
	return (hlx_cols(&node->desc[X]) + 3) / 4 * 4 * sizeof(float) * 2;
}

/* Workgroups of layernorm_sums, whose 32 lanes have a column each. */
static uint32_t sums_groups(const struct hlx_node *node)
{
	return (uint32_t)((block_bytes(node) / sizeof(float) + 31) / 32);
}

/* A window of terms starts at a multiple of 64 rows, for alignment: up to 63 rows before its first block. */
static int plan_terms(const struct hlx_host *host, const struct hlx_node *node, struct plan *plan)
{
	uint64_t d = hlx_cols(&node->desc[X]), seen = host->caps->max_range / (4 * d);

	plan->blocks = (layernorm_positions(node) + 31) / 32;
	plan->blocks_here = seen < hlx_rows(&node->desc[X]) ? (seen < 95 ? 0 : (seen - 63) / 32) : 65535;
	if (plan->blocks_here > 65535)
		plan->blocks_here = 65535;
	if (plan->blocks_here == 0)
		return host->fail(host, HLX_ENOTSUP,
				"rows of %llu elements exceed what the device can see at once", ROWS_ULL(d));
	return 0;
}

static int plan_backward(const struct hlx_host *host, struct hlx_node *node, struct plan *plan)
{
	uint64_t batch = node->desc[X].dim[0];
	int rc = plan_terms(host, node, plan);

	if (rc)
		return rc;
	node->work_bytes = batch * plan->blocks * block_bytes(node);
	if (node->work_bytes > host->caps->max_range)
		return host->fail(host, HLX_ENOTSUP,
				"the terms of dgamma and dbeta take %llu bytes, a binding sees %llu",
				  ROWS_ULL(node->work_bytes), ROWS_ULL(host->caps->max_range));
	if (node->slots == 0 || batch % node->slots || batch / node->slots * plan->blocks > 60000)
		return host->fail(host, HLX_ENOTSUP,
				"a batch of %llu sequences of %llu blocks in %u slots", ROWS_ULL(batch),
				  ROWS_ULL(plan->blocks), node->slots);
	return 0;
}

/*
 * Lanes of layernorm_block, or 0: a subgroup of 32 a row, and 8 rows at a time as long as there are too few blocks to keep an H200
 * busy; then 2, so that fewer wait for each other (512 blocks of rows of 768: 49.2 us, with 4 rows 51.0, with 8 52.8; with
 * the kernels that read twice 68.7.  128 blocks, 8 rows: 14.6 us, reading twice 18.7; all with params, not sums).
 */
static uint32_t block_lanes(const struct hlx_host *host, const struct hlx_node *node, const struct plan *plan)
{
	const struct hlx_caps *caps = host->caps;
	uint64_t d = hlx_cols(&node->desc[X]), blocks = node->desc[X].dim[0] * plan->blocks;
	uint32_t rows = blocks < 512 ? 8 : 2;

	while (rows > 2 && (rows * 8 * d > caps->shared_bytes || rows * 32 > caps->max_invocations))
		rows /= 2;
	if (plan->build != ROWS_SUBGROUP || caps->cpu || caps->subgroup != 32 || d % 4 || d > 1024 ||
			rows * 8 * d > caps->shared_bytes || blocks > caps->max_groups[0] ||
			4 * hlx_numel(&node->desc[X]) > caps->max_range)
		return 0;
	return 32 * rows;
}

/*
 * A GPU has as many of a sum's loads under way as there are terms (a batch slot of one sequence of 128 has 4), up to 64, or of
 * params', which are 4 columns each, 32; and of terms' 16 rows.
 */
static int get_sums(const struct hlx_host *host, const struct hlx_node *node, struct plan *plan)
{
	const struct hlx_shader *terms = plan->build == ROWS_TEXEL ? &terms_texel : &terms_shader;
	uint64_t n = node->desc[X].dim[0] / node->slots * plan->blocks;
	bool cpu = host->caps->cpu;
	const uint32_t terms_spec[3] = { rows_unit(hlx_cols(&node->desc[X])), cpu ? 8 : 16, cpu ? 64 : 32 };
	uint32_t ahead = 4;
	int rc = host->pipeline(host, terms, terms_spec, 3, &plan->terms);

	while (!cpu && ahead < 64 && ahead < n)
		ahead *= 2;
	const uint32_t spec[2] = { ahead < 32 ? ahead : 32, cpu ? 64 : 16 };
	plan->terms_lanes = terms_spec[2];
	plan->params_lanes = spec[1];
	rc = rc ? rc : host->pipeline(host, &params_shader, spec, 2, &plan->params);
	if (rc || cpu || sums_groups(node) > host->caps->max_groups[0])
		return rc;
	return host->pipeline(host, &sums_shader, &ahead, 1, &plan->sums);
}

int layernorm_prepare_grad(const struct hlx_host *host, struct hlx_node *node, struct plan *plan)
{
	int rc = plan_backward(host, node, plan);

	if (rc)
		return rc;
	plan->block_lanes = block_lanes(host, node, plan);
	return get_sums(host, node, plan);
}

static int backward_dx(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t rows = hlx_rows(&node->desc[X]), d = hlx_cols(&node->desc[X]), n;
	uint32_t accumulate = node->accum >> X & 1;
	struct hlx_pipeline *pipeline;
	int rc = rows_pipeline(host, backward_shader, plan->build, d, accumulate, &pipeline);

	for (uint64_t r = 0; r < rows && rc == 0; r += n) {
		n = rows_next(&plan->grid, rows, r);
		const uint32_t push[] = { (uint32_t)n, (uint32_t)d, accumulate };
		const struct hlx_arg args[] = {
			rows_read(plan->build, rows_window(node, X, HLX_VALUE, r, n)),
			rows_read(plan->build, rows_window(node, Y, HLX_GRAD, r, n)),
			rows_read(plan->build, rows_window(node, GAMMA, HLX_VALUE, 0, 1)),
			rows_read(plan->build, stats_window(node, r, n)),
			rows_window(node, X, HLX_GRAD, r, n),
			rows_read(plan->build, rows_window(node, X, HLX_GRAD, r, n)),
		};
		rc = host->dispatch(rec, pipeline, args, plan->build == ROWS_TEXEL ? 6 : 5, push,
				    rows_push(plan->build, sizeof push), rows_groups(&plan->grid, n), 1, 1);
	}
	return rc;
}

/* The row where a block starts, or, for the block after the last, where they end. */
static uint64_t block_row(const struct hlx_node *node, uint64_t block)
{
	const struct plan *plan = node->priv;
	return block / plan->blocks * layernorm_positions(node) + block % plan->blocks * 32;
}

/* Workgroups of so many lanes, each with 4 columns. */
static uint32_t column_groups(const struct hlx_node *node, uint32_t lanes)
{
	return (uint32_t)((hlx_cols(&node->desc[X]) + 4 * lanes - 1) / (4 * lanes));
}

static int backward_terms(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t d = hlx_cols(&node->desc[X]), blocks = node->desc[X].dim[0] * plan->blocks, n;
	int rc = 0;

	for (uint64_t b = 0; b < blocks && rc == 0; b += n) {
		n = blocks - b < plan->blocks_here ? blocks - b : plan->blocks_here;
		uint64_t r = block_row(node, b) / 64 * 64, rows_here = block_row(node, b + n) - r;
		const uint32_t push[] = { (uint32_t)layernorm_positions(node), (uint32_t)d, (uint32_t)b, (uint32_t)r };
		const struct hlx_arg args[] = {
			rows_read(plan->build, rows_window(node, X, HLX_VALUE, r, rows_here)),
			rows_read(plan->build, rows_window(node, Y, HLX_GRAD, r, rows_here)),
			rows_read(plan->build, stats_window(node, r, rows_here)),
			{ 0, HLX_WORK, HLX_SSBO, 0, 0 },
		};
		rc = host->dispatch(rec, plan->terms, args, 4, push, sizeof push, column_groups(node, plan->terms_lanes),
				(uint32_t)n, 1);
	}
	return rc;
}

static int backward_param(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint16_t slot)
{
	const struct plan *plan = node->priv;
	uint64_t d = hlx_cols(&node->desc[X]);
	const uint32_t push[] = { (uint32_t)d, (uint32_t)(node->desc[X].dim[0] / node->slots * plan->blocks),
				  (uint32_t)hlx_slot_stride(&node->desc[slot]), slot == BETA, node->accum >> slot & 1 };
	const struct hlx_arg args[] = { { 0, HLX_WORK, HLX_SSBO, 0, 0 }, hlx_grad(slot) };

	return host->dispatch(rec, plan->params, args, 2, push, sizeof push, column_groups(node, plan->params_lanes), node->slots, 1);
}

static int backward_params(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, bool gamma, bool beta)
{
	int rc = gamma ? backward_param(host, node, rec, GAMMA) : 0;
	return rc || !beta ? rc : backward_param(host, node, rec, BETA);
}

/* Both at once: on an H200 3.4 us, where two dispatches of params take 4.6 (64 terms of 768 columns in each of 8 slots). */
static int backward_sums(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint32_t gamma = node->accum >> GAMMA & 1, beta = node->accum >> BETA & 1;
	const uint32_t push[] = { (uint32_t)hlx_cols(&node->desc[X]), (uint32_t)(node->desc[X].dim[0] / node->slots * plan->blocks),
				  (uint32_t)hlx_slot_stride(&node->desc[GAMMA]), gamma | beta << 1 };
	const struct hlx_arg args[] = { { 0, HLX_WORK, HLX_SSBO, 0, 0 }, hlx_grad(GAMMA), hlx_grad(BETA) };

	return host->dispatch(rec, plan->sums, args, 3, push, sizeof push, sums_groups(node), node->slots, 1);
}

/* dx and the terms at once. */
static int backward_block(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t d = hlx_cols(&node->desc[X]), rows = hlx_rows(&node->desc[X]);
	const uint32_t spec[3] = { plan->block_lanes, (uint32_t)d, node->accum >> X & 1 };
	const uint32_t push = (uint32_t)layernorm_positions(node);
	const struct hlx_arg args[] = {
		rows_window(node, X, HLX_VALUE, 0, rows), rows_window(node, Y, HLX_GRAD, 0, rows),
		rows_window(node, GAMMA, HLX_VALUE, 0, 1), stats_window(node, 0, rows), rows_window(node, X, HLX_GRAD, 0, rows),
		{ 0, HLX_WORK, HLX_SSBO, 0, 0 },
	};
	struct hlx_pipeline *pipeline;
	int rc = host->pipeline(host, &block_shader, spec, 3, &pipeline);

	return rc ? rc : host->dispatch(rec, pipeline, args, 6, &push, sizeof push,
			(uint32_t)(node->desc[X].dim[0] * plan->blocks), 1, 1);
}

int layernorm_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	bool gamma = node->grads >> GAMMA & 1, beta = node->grads >> BETA & 1, x = node->grads >> X & 1;
	bool block = plan->block_lanes && x && (gamma || beta);
	int rc = 0;

	if (block)
		rc = backward_block(host, node, rec);
	else if (gamma || beta)
		rc = backward_terms(host, node, rec);
	if (rc == 0 && gamma && beta && plan->sums)
		rc = backward_sums(host, node, rec);
	else if (rc == 0 && (gamma || beta))
		rc = backward_params(host, node, rec, gamma, beta);
	if (rc == 0 && x && !block)
		rc = backward_dx(host, node, rec);
	return rc;
}
