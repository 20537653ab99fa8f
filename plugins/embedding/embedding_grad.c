/*
 * embedding_grad.c - the implementation "rows": backward, in the order of the definition and without atomics.
 *
 * The partial sums are filled with +0 (or continue), links from each position to the next with the same id are made
 * once, (S, positions) u32 in WORK, and each id's first position in a slot follows them.  So rows of absent ids
 * cost the fill alone, and each row of dy is read once.  The position table adds a slot's sequences element by element.
 *
 * Where not all slots fit into a binding each slot is dispatched alone: its dy in up to 4 windows for the token table,
 * which has windows of its own, and sequence after sequence for the position table.
 */
#include "plugins/embedding/embedding_rows.h"

#include "embedding_next.spv.h"
#include "embedding_position1.spv.h"
#include "embedding_position4.spv.h"
#include "embedding_token1.spv.h"
#include "embedding_token4.spv.h"

static const struct hlx_shader next = EMBEDDING_SHADER(embedding_next);
/* By whether rows are whole vec4s. */
static const struct hlx_shader token[] = { EMBEDDING_SHADER(embedding_token1), EMBEDDING_SHADER(embedding_token4) };
static const struct hlx_shader position[] = { EMBEDDING_SHADER(embedding_position1),
	EMBEDDING_SHADER(embedding_position4) };

#define DY_WINDOWS 4u

typedef unsigned long long ull;

/* Rows of n of dy in a window that may start less than HLX_ALIGN bytes late. */
static uint64_t dy_window(const struct hlx_host *host, const struct hlx_node *node, uint64_t n)
{
	return hlx_window_rows(n, node->desc[TOKEN].dim[1] * 4, host->caps->max_range - HLX_ALIGN, n);
}

int embedding_prepare_grad(const struct hlx_host *host, struct hlx_node *node)
{
	uint64_t per_slot = embedding_per_slot(node), window = dy_window(host, node, per_slot);
	if (per_slot + MAX_TURNS > MAX_LOOPS)
		return host->fail(host, HLX_ENOTSUP, "a batch slot of %llu positions means a loop over 65,535", (ull)per_slot);
	if (!window || per_slot > window * DY_WINDOWS)
		return host->fail(host, HLX_ENOTSUP, "a batch slot's gradient exceeds %u times the %llu bytes a binding sees",
				DY_WINDOWS, (ull)host->caps->max_range);
	node->work_bytes = hlx_numel(&node->desc[TOKENS]) * 4;
	return 0;
}

/* Whether all slots' dy and partial sums of `param` fit into a binding each. */
static bool all_fit(const struct hlx_host *host, const struct hlx_node *node, int param)
{
	return hlx_numel(&node->desc[Y]) * 4 <= host->caps->max_range &&
			hlx_slot_stride(&node->desc[param]) * node->slots * 4 <= host->caps->max_range;
}

/* Rows row to row + n - 1 of dy; where they start in the binding, in floats, is at *into. */
static struct hlx_arg dy_arg(const struct hlx_node *node, uint64_t row, uint64_t n, uint32_t *into)
{
	uint64_t d = node->desc[TOKEN].dim[1], at = row * d;
	*into = (uint32_t)(at % (HLX_ALIGN / 4));
	return flat_arg(node, Y, HLX_GRAD, at - *into, n * d + *into);
}

static int fill_grad(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint16_t slot)
{
	const struct hlx_arg all = embedding_arg(slot, HLX_GRAD, 0, hlx_slot_stride(&node->desc[slot]) * node->slots);
	return node->accum >> slot & 1 ? 0 : host->fill(rec, &all, 0);
}

/* ---- the token table --------------------------------------------------------------------------------- */

static int links(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	struct rows r = embedding_rows(host, node);
	uint64_t n = hlx_numel(&node->desc[TOKENS]), per_slot = embedding_per_slot(node);
	const uint32_t push[] = { (uint32_t)per_slot, (uint32_t)node->desc[TOKENS].dim[1] };
	const struct hlx_arg args[] = { flat_arg(node, TOKENS, HLX_VALUE, 0, n), embedding_arg(0, HLX_WORK, 0, n) };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, &next, &r.lanes, 1, &pipeline);
	return status ? status : host->dispatch(rec, pipeline, args, 2, push, sizeof push,
			embedding_groups(per_slot, r.lanes), node->slots, 1);
}

/* The slots of a dispatch, their dy in windows. */
struct span {
	uint64_t slot, n, window;
	uint32_t windows, dy0;
	struct hlx_arg dy[DY_WINDOWS];
};

static struct span span_of(const struct hlx_host *host, const struct hlx_node *node, uint64_t slot, bool all)
{
	uint64_t per_slot = embedding_per_slot(node), row = slot * per_slot, rows = all ? per_slot * node->slots : per_slot;
	struct span s = { .slot = slot, .n = all ? node->slots : 1, .window = all ? rows : dy_window(host, node, rows) };
	s.windows = embedding_groups(rows, s.window);
	for (uint32_t w = 0; w < DY_WINDOWS; w++) {
		uint64_t first = w < s.windows ? w * s.window : 0;
		s.dy[w] = dy_arg(node, row + first, rows - first < s.window ? rows - first : s.window, &s.dy0);
	}
	return s;
}

/* The span's slots for ids first to first + count - 1. */
static int token_window(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct span *s, uint64_t first, uint64_t count)
{
	struct rows r = embedding_rows(host, node);
	uint64_t n = hlx_numel(&node->desc[TOKENS]), per_slot = embedding_per_slot(node);
	uint64_t d = node->desc[TOKEN].dim[1], stride = hlx_slot_stride(&node->desc[TOKEN]);
	uint32_t blocks = embedding_groups(r.columns, r.lanes), turns = embedding_turns(host, per_slot, s->n * blocks);
	const uint32_t push[] = { (uint32_t)(s->slot * per_slot), (uint32_t)per_slot, r.columns, turns, (uint32_t)first,
		(uint32_t)count, (uint32_t)(stride / r.unit), s->dy0 / r.unit, (uint32_t)s->window };
	const struct hlx_arg args[] = {
		flat_arg(node, TOKENS, HLX_VALUE, 0, n),
		embedding_arg(0, HLX_WORK, 0, n),
		s->dy[0],
		s->dy[1],
		s->dy[2],
		s->dy[3],
		embedding_arg(TOKEN, HLX_GRAD, s->slot * stride + first * d, (s->n - 1) * stride + count * d),
	};
	const uint32_t spec[] = { r.lanes, s->windows };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, &token[r.vec], spec, 2, &pipeline);
	return status ? status : host->dispatch(rec, pipeline, args, 7, push, sizeof push,
			embedding_groups(per_slot, turns), blocks, (uint32_t)s->n);
}

static int token_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	bool all = all_fit(host, node, TOKEN);
	uint64_t v = node->desc[TOKEN].dim[0], ids = all ? v : embedding_window(host, node, TOKEN);
	int status = fill_grad(host, node, rec, TOKEN);
	if (!status)
		status = links(host, node, rec);
	for (uint64_t slot = 0; slot < node->slots && !status; slot += all ? node->slots : 1) {
		struct span s = span_of(host, node, slot, all);
		for (uint64_t id = 0; id < v && !status; id += ids)
			status = token_window(host, node, rec, &s, id, v - id < ids ? v - id : ids);
	}
	return status;
}

/* ---- the position table ------------------------------------------------------------------------------ */

/* Rows row to row + rows - 1 of `slots` slots from slot on, for the slot's sequences from `sequence` on. */
struct piece {
	uint64_t slot, slots, sequence, sequences, row, rows;
};

static int position_piece(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, struct piece q)
{
	const struct hlx_desc *table = &node->desc[POSITION];
	struct rows r = embedding_rows(host, node);
	uint64_t d = table->dim[1], t = node->desc[TOKENS].dim[1], stride = hlx_slot_stride(table);
	uint64_t first = (q.slot * (node->desc[TOKENS].dim[0] / node->slots) + q.sequence) * t + q.row, n = q.rows * r.columns;
	uint32_t turns = embedding_turns(host, embedding_groups(n, r.lanes), q.slots), into;
	const struct hlx_arg args[] = {
		dy_arg(node, first, q.slots * q.sequences > 1 ? q.slots * q.sequences * t : q.rows, &into),
		embedding_arg(POSITION, HLX_GRAD, q.slot * stride + q.row * d, (q.slots - 1) * stride + q.rows * d),
	};
	turns = turns * (q.sequences + 1) > MAX_LOOPS ? 1 : turns;
	const uint32_t push[] = { (uint32_t)n, (uint32_t)q.sequences, (uint32_t)t * r.columns, turns,
		(uint32_t)(stride / r.unit), node->accum >> POSITION & 1 || q.sequence, into / r.unit };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, &position[r.vec], &r.lanes, 1, &pipeline);
	return status ? status : host->dispatch(rec, pipeline, args, 2, push, sizeof push,
			embedding_groups(n, (uint64_t)turns * r.lanes), (uint32_t)q.slots, 1);
}

/* Sequence after sequence of one slot, in windows of rows. */
static int position_slot(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint64_t slot)
{
	uint64_t b = node->desc[TOKENS].dim[0] / node->slots, t = node->desc[TOKENS].dim[1], n = dy_window(host, node, t);
	int status = 0;
	for (uint64_t sequence = 0; sequence < b; sequence++)
		for (uint64_t row = 0; row < t && !status; row += n)
			status = position_piece(host, node, rec,
					(struct piece){ slot, 1, sequence, 1, row, t - row < n ? t - row : n });
	return status;
}

static int position_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	uint64_t b = node->desc[TOKENS].dim[0] / node->slots, t = node->desc[TOKENS].dim[1];
	/* rows past T have no term */
	int status = t < node->desc[POSITION].dim[0] ? fill_grad(host, node, rec, POSITION) : 0;
	if (!status && all_fit(host, node, POSITION))
		return position_piece(host, node, rec, (struct piece){ 0, node->slots, 0, b, 0, t });
	for (uint64_t slot = 0; slot < node->slots && !status; slot++)
		status = position_slot(host, node, rec, slot);
	return status;
}

int embedding_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	int status = node->grads >> TOKEN & 1 ? token_backward(host, node, rec) : 0;
	if (!status && node->grads >> POSITION & 1 && node->desc[POSITION].rank)
		status = position_backward(host, node, rec);
	return status;
}
