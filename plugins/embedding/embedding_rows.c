/*
 * embedding_rows.c - the implementation "rows": windows of the tables, and the forward pass.  Backward: embedding_grad.c.
 *
 * Forward, for each window of y and of the tables: the rows whose id and place are in them.
 */
#include "plugins/embedding/embedding_rows.h"

#include "embedding_fwd1.spv.h"
#include "embedding_fwd4.spv.h"

/* By whether rows are whole vec4s. */
static const struct hlx_shader fwd[] = { EMBEDDING_SHADER(embedding_fwd1), EMBEDDING_SHADER(embedding_fwd4) };

typedef unsigned long long ull;

/* Rows of y at a time. */
static uint64_t y_window(const struct hlx_host *host, const struct hlx_node *node)
{
	uint64_t rows = hlx_numel(&node->desc[TOKENS]), most = (uint64_t)MAX_TURNS * host->caps->max_groups[0];
	return hlx_window_rows(rows, node->desc[TOKEN].dim[1] * 4, host->caps->max_range, most);
}

/* Loop bounds, layouts, what a binding must hold whole. */
int embedding_prepare(const struct hlx_host *host, struct hlx_node *node)
{
	uint64_t most = host->caps->max_range, d = node->desc[TOKEN].dim[1];
	struct rows r = embedding_rows(host, node);
	if (!flat_dense(&node->desc[TOKENS]) || !flat_dense(&node->desc[Y]))
		return host->fail(host, HLX_ENOTSUP, "tokens and y must be dense");
	if (hlx_numel(&node->desc[TOKENS]) * 4 > most || !embedding_window(host, node, TOKEN) || !y_window(host, node) ||
			(node->desc[POSITION].rank && !embedding_window(host, node, POSITION)))
		return host->fail(host, HLX_ENOTSUP, "tokens or a few rows of token exceed the %llu bytes a binding sees", (ull)most);
	if (((uint64_t)embedding_groups(r.columns, r.lanes) + 1) * MAX_TURNS > MAX_LOOPS)
		return host->fail(host, HLX_ENOTSUP, "d_model %llu means too long a loop", (ull)d);
	return node->train ? embedding_prepare_grad(host, node) : 0;
}

/* A window of y and of each table: rows, and elements from the first. */
struct part {
	uint64_t row, rows, id, ids, place, places;
};

/* A GPU starts one or two workgroups a nanosecond: up to 256 lanes each, and whole subgroups. */
static struct rows forward_rows(const struct hlx_host *host, const struct hlx_node *node)
{
	struct rows r = embedding_rows(host, node);
	uint32_t most = host->caps->max_invocations < 256 ? host->caps->max_invocations : 256, want = (r.columns + 31) / 32 * 32;
	if (!host->caps->cpu)
		r.lanes = want < most ? want : most;
	return r;
}

/* On a GPU 2 sequences at a time share a position's row, where there are many: what comes from the cache for medium's 50 MB is
 * then 75 MB, not 100 (H200: 16.2 us; 4 at a time 16.4, 8 17.4). */
static uint32_t forward_ahead(const struct hlx_host *host, const struct hlx_node *node)
{
	return !host->caps->cpu && node->desc[TOKENS].dim[0] > 1 && hlx_numel(&node->desc[TOKENS]) >= 2048 ? 2 : 1;
}

static int forward_part(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, struct part w)
{
	const struct hlx_desc *desc = node->desc;
	struct rows r = forward_rows(host, node);
	uint64_t d = desc[TOKEN].dim[1];
	uint32_t positions = desc[POSITION].rank != 0, ahead = forward_ahead(host, node);
	uint64_t seq_len = desc[TOKENS].dim[1], chunks = (w.rows + ahead * seq_len - 1) / (ahead * seq_len) * seq_len;
	uint32_t turns = embedding_turns(host, chunks, 1), blocks = embedding_groups(r.columns, r.lanes);
	const uint32_t push[] = { (uint32_t)w.row, (uint32_t)w.rows, (uint32_t)seq_len, r.columns,
		(uint32_t)desc[TOKEN].dim[0], (uint32_t)w.id, (uint32_t)w.ids,
		(uint32_t)desc[POSITION].dim[0], (uint32_t)w.place, (uint32_t)w.places, turns };
	const struct hlx_arg table = embedding_arg(TOKEN, HLX_VALUE, w.id * d, w.ids * d);
	const struct hlx_arg args[] = {
		flat_arg(node, TOKENS, HLX_VALUE, 0, hlx_numel(&desc[TOKENS])),
		table,
		positions ? embedding_arg(POSITION, HLX_VALUE, w.place * d, w.places * d) : table, /* bound, not read */
		flat_arg(node, Y, HLX_VALUE, w.row * d, w.rows * d),
		{ 0, HLX_STEP, HLX_SSBO, 0, 0 },
	};
	const uint32_t spec[] = { r.lanes, positions, ahead };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, &fwd[r.vec], spec, 3, &pipeline);
	return status ? status : host->dispatch(rec, pipeline, args, 5, push, sizeof push,
			embedding_groups(chunks, turns), host->caps->cpu ? 1 : blocks < 64 ? blocks : 64, 1);
}

static uint64_t at_most(uint64_t n, uint64_t most)
{
	return n < most ? n : most;
}

int embedding_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	uint64_t rows = hlx_numel(&node->desc[TOKENS]), v = node->desc[TOKEN].dim[0], ids = embedding_window(host, node, TOKEN);
	uint64_t p = node->desc[POSITION].rank ? node->desc[POSITION].dim[0] : 1;
	uint64_t places = p > 1 ? embedding_window(host, node, POSITION) : 1, n = y_window(host, node);
	int status = 0;
	for (uint64_t row = 0; row < rows; row += n)
		for (uint64_t id = 0; id < v; id += ids)
			for (uint64_t place = 0; place < p && !status; place += places)
				status = forward_part(host, node, rec, (struct part){ row, at_most(n, rows - row), id,
						at_most(ids, v - id), place, at_most(places, p - place) });
	return status;
}
