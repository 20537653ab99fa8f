#include "core/check/walk.h"

#include <stdlib.h>
#include <string.h>

#include "hlx/tree.h"

static void *make(bool *lack, uint64_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	*lack |= !p;
	return p;
}

static void set_node(struct hlx_walk *w, uint32_t i, bool *lack)
{
	const struct hlx_graph *g = w->graph;
	const struct hlx_graph_node *gn = g->node[i];
	struct hlx_node *n = &w->node[i];

	*n = gn->pub;
	n->desc = w->desc[i];
	n->slots = (uint32_t)g->options.slots;
	n->grads = n->accum = 0;
	for (uint32_t s = 0; s < n->n_slots; s++) {
		const struct hlx_slot *slot = &gn->op->slots[s];
		n->desc[s] = gn->tensor[s] != HLX_NONE ? g->tensor[gn->tensor[s]].desc : gn->desc[s];
		if (slot->role == HLX_IN && gn->tensor[s] != HLX_NONE && g->tensor[gn->tensor[s]].grad &&
				!(slot->flags & HLX_NOGRAD)) {
			n->grads |= 1ull << s;
			n->accum |= 1ull << s;
		}
		if (gn->param[s] != HLX_NONE) {
			n->grads |= 1ull << s;
			w->partial[i * HLX_MAX_SLOTS + s] = make(lack, hlx_slot_stride(&n->desc[s]) * n->slots, 4);
		}
	}
}

static void make_tensors(struct hlx_walk *w, bool *lack)
{
	const struct hlx_graph *g = w->graph;

	for (uint32_t i = 0; i < g->n_storages; i++) {
		w->value[i] = make(lack, g->storage[i].elements, 4);
		w->grad[i] = make(lack, g->storage[i].elements, 4);
	}
	for (uint32_t i = 0; i < g->n_params; i++) {
		uint64_t n = hlx_numel(&g->param[i].desc);
		w->param[i] = make(lack, n, 4);
		w->final[i] = make(lack, n, 4);
		w->squares[i] = make(lack, (n + 1023) / 1024, 4);
	}
	for (uint32_t i = 0; i < g->n_nodes; i++)
		set_node(w, i, lack);
}

int hlx_walk_create(const struct hlx_graph *g, struct hlx_walk **out)
{
	bool lack = false;
	struct hlx_walk *w = make(&lack, 1, sizeof(*w));

	if (!w)
		return hlx_no_memory();
	w->graph = g;
	w->node = make(&lack, g->n_nodes, sizeof(*w->node));
	w->desc = make(&lack, g->n_nodes, sizeof(*w->desc));
	w->value = make(&lack, g->n_storages, sizeof(float *));
	w->grad = make(&lack, g->n_storages, sizeof(float *));
	w->param = make(&lack, g->n_params, sizeof(float *));
	w->final = make(&lack, g->n_params, sizeof(float *));
	w->squares = make(&lack, g->n_params, sizeof(float *));
	w->partial = make(&lack, (uint64_t)g->n_nodes * HLX_MAX_SLOTS, sizeof(float *));
	if (!lack)
		make_tensors(w, &lack);
	if (lack) {
		hlx_walk_destroy(w);
		return hlx_no_memory();
	}
	*out = w;
	return 0;
}

static void free_all(void *p, uint64_t n)
{
	void **list = p;

	for (uint64_t i = 0; list && i < n; i++)
		free(list[i]);
	free(list);
}

void hlx_walk_destroy(struct hlx_walk *w)
{
	if (!w)
		return;
	free_all(w->value, w->graph->n_storages);
	free_all(w->grad, w->graph->n_storages);
	free_all(w->param, w->graph->n_params);
	free_all(w->final, w->graph->n_params);
	free_all(w->squares, w->graph->n_params);
	free_all(w->partial, (uint64_t)w->graph->n_nodes * HLX_MAX_SLOTS);
	free(w->desc);
	free(w->node);
	free(w);
}

static const struct hlx_tensor *find(const struct hlx_graph *g, const char *path)
{
	int t = hlx_graph_find_tensor(g, path);

	return t < 0 ? NULL : &g->tensor[t];
}

float *hlx_walk_value(const struct hlx_walk *w, const char *path)
{
	const struct hlx_tensor *t = find(w->graph, path);

	return t ? w->value[t->storage] + t->desc.offset : NULL;
}

float *hlx_walk_grad(const struct hlx_walk *w, const char *path)
{
	const struct hlx_tensor *t = find(w->graph, path);

	return t ? w->grad[t->storage] + t->desc.offset : NULL;
}

static void arguments(struct hlx_walk *w, uint32_t i, void *value[HLX_MAX_SLOTS], void *grad[HLX_MAX_SLOTS])
{
	const struct hlx_graph_node *gn = w->graph->node[i];

	memset(value, 0, HLX_MAX_SLOTS * sizeof(*value));
	memset(grad, 0, HLX_MAX_SLOTS * sizeof(*grad));
	for (uint32_t s = 0; s < w->node[i].n_slots; s++) {
		if (gn->tensor[s] != HLX_NONE) {
			const struct hlx_tensor *t = &w->graph->tensor[gn->tensor[s]];
			value[s] = w->value[t->storage] + t->desc.offset;
			grad[s] = w->grad[t->storage] + t->desc.offset;
		} else if (gn->param[s] != HLX_NONE) {
			value[s] = w->param[gn->param[s]];
			grad[s] = w->partial[i * HLX_MAX_SLOTS + s];
		}
	}
}

/* P[i] += P[i + w] over the S runs, then one flush. */
static float slot_total(const float *run, uint64_t slots, uint64_t stride)
{
	float p[64];

	for (uint64_t s = 0; s < slots; s++)
		p[s] = run[s * stride];
	return hlx_slot_sum(p, slots, 1);
}

static void total_loss(struct hlx_walk *w)
{
	const struct hlx_graph_node *gn = w->graph->node[w->graph->loss];

	for (uint32_t s = 0; s < w->node[w->graph->loss].n_slots; s++)
		if (gn->op->slots[s].flags & HLX_SLOTTED)
			for (int i = 0; i < 2; i++)
				w->loss[i] = hlx_store(slot_total(w->value[w->graph->tensor[gn->tensor[s]].storage] + i,
						w->graph->options.slots, hlx_slot_stride(&gn->desc[s])));
}

int hlx_walk_forward(struct hlx_walk *w, const struct hlx_step *step)
{
	void *value[HLX_MAX_SLOTS], *grad[HLX_MAX_SLOTS];

	for (uint32_t i = 0; i < w->graph->n_nodes; i++) {
		arguments(w, i, value, grad);
		HLX_TRY(w->graph->node[i]->op->ref_forward(&w->node[i], value, step));
	}
	if (w->graph->loss != HLX_NONE)
		total_loss(w);
	return 0;
}

static void finish_param(struct hlx_walk *w, uint32_t i)
{
	const struct hlx_param *q = &w->graph->param[i];
	uint64_t n = hlx_numel(&q->desc), stride = hlx_slot_stride(&q->desc), slots = w->graph->options.slots;

	for (uint64_t e = 0; e < n; e++) {
		float t = 0;
		for (uint32_t u = 0; u < q->n_uses; u++) {
			float of_use = slot_total(w->partial[q->use[u].node * HLX_MAX_SLOTS + q->use[u].slot] + e, slots,
					stride);
			t = u ? t + of_use : of_use;
		}
		w->final[i][e] = hlx_store(t);
	}
	for (uint64_t b = 0; b * 1024 < n; b++)
		w->squares[i][b] = hlx_row_dot(w->final[i] + b * 1024, w->final[i] + b * 1024,
				n - b * 1024 < 1024 ? n - b * 1024 : 1024);
}

static void take_norm(struct hlx_walk *w)
{
	float total = 0;

	for (uint32_t i = 0; i < w->graph->n_params; i++) {
		float sum = 0;
		for (uint64_t b = 0; b * 1024 < hlx_numel(&w->graph->param[i].desc); b++)
			sum += w->squares[i][b];
		total += sum;
	}
	w->norm = w->loss[1] > 0 ? hlx_store(hlx_mul(hlx_sqrt(total), hlx_div(1.0f, w->loss[1]))) : 0;
}

int hlx_walk_backward(struct hlx_walk *w, const struct hlx_step *step, const char *seed_path, const float *seed)
{
	void *value[HLX_MAX_SLOTS], *grad[HLX_MAX_SLOTS];
	const struct hlx_graph *g = w->graph;

	for (uint32_t i = 0; i < g->n_storages; i++)
		memset(w->grad[i], 0, g->storage[i].elements * 4);
	if (seed_path)
		memcpy(hlx_walk_grad(w, seed_path), seed, hlx_numel(&find(g, seed_path)->desc) * 4);
	for (uint32_t i = g->n_nodes; i-- > 0;) {
		arguments(w, i, value, grad);
		if (w->node[i].grads)
			HLX_TRY(g->node[i]->op->ref_backward(&w->node[i], value, grad, step));
	}
	for (uint32_t i = 0; i < g->n_params; i++)
		finish_param(w, i);
	take_norm(w);
	return 0;
}

/* -- double ------------------------------------------------------------------------------------------------ */

static bool is_integer(const struct hlx_graph *g, uint32_t storage)
{
	for (uint32_t t = 0; t < g->n_tensors; t++)
		if (g->tensor[t].storage == storage)
			return g->tensor[t].desc.dtype == HLX_U32;
	return false;
}

static void widen(struct hlx_walk64 *w, const struct hlx_walk *from, bool *lack)
{
	const struct hlx_graph *g = from->graph;

	for (uint32_t i = 0; i < g->n_storages; i++) {
		w->value[i] = make(lack, g->storage[i].elements, 8);
		for (uint64_t e = 0; w->value[i] && e < g->storage[i].elements; e++)
			w->value[i][e] = is_integer(g, i) ? (double)hlx_bits(from->value[i][e]) : (double)from->value[i][e];
	}
	for (uint32_t i = 0; i < g->n_params; i++) {
		uint64_t n = hlx_numel(&g->param[i].desc);
		w->param[i] = make(lack, n, 8);
		for (uint64_t e = 0; w->param[i] && e < n; e++)
			w->param[i][e] = from->param[i][e];
	}
}

int hlx_walk64_create(const struct hlx_walk *from, struct hlx_walk64 **out)
{
	const struct hlx_graph *g = from->graph;
	bool lack = false;
	struct hlx_walk64 *w = make(&lack, 1, sizeof(*w));

	if (!w)
		return hlx_no_memory();
	w->graph = g;
	w->value = make(&lack, g->n_storages, sizeof(double *));
	w->param = make(&lack, g->n_params, sizeof(double *));
	if (!lack)
		widen(w, from, &lack);
	if (lack) {
		hlx_walk64_destroy(w);
		return hlx_no_memory();
	}
	*out = w;
	return 0;
}

void hlx_walk64_destroy(struct hlx_walk64 *w)
{
	if (!w)
		return;
	free_all(w->value, w->graph->n_storages);
	free_all(w->param, w->graph->n_params);
	free(w);
}

double *hlx_walk64_value(const struct hlx_walk64 *w, const char *path)
{
	const struct hlx_tensor *t = find(w->graph, path);

	return t ? w->value[t->storage] + t->desc.offset : NULL;
}

int hlx_walk64_forward(struct hlx_walk64 *w, const struct hlx_walk *nodes)
{
	for (uint32_t i = 0; i < w->graph->n_nodes; i++) {
		const struct hlx_graph_node *gn = w->graph->node[i];
		double *value[HLX_MAX_SLOTS] = { NULL };
		for (uint32_t s = 0; s < nodes->node[i].n_slots; s++) {
			if (gn->tensor[s] != HLX_NONE) {
				const struct hlx_tensor *t = &w->graph->tensor[gn->tensor[s]];
				value[s] = w->value[t->storage] + t->desc.offset;
			} else if (gn->param[s] != HLX_NONE) {
				value[s] = w->param[gn->param[s]];
			}
		}
		HLX_TRY(gn->op->ref64(&nodes->node[i], value));
	}
	return 0;
}
