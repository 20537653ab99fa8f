/*
 * weights.c - the parameters and the optimizer's state: one array of each, laid out alike.
 *
 *   | embed.x.token ... pad | embed.x.position ... pad | layer.0.n1.gamma ... pad | ...
 *     each parameter starts at a multiple of HLX_ALIGN bytes; the padding is zero and stays so
 */
#include <stdlib.h>
#include <string.h>

#include "core/numerics.h"
#include "core/program/program.h"
#include "hlx/math.h"

#define PURPOSE_INIT 1u

static int copy_params(struct hlx_weights *w, const struct hlx_graph *g)
{
	w->param = calloc(g->n_params + 1, sizeof(*w->param));
	if (!w->param)
		return hlx_no_memory();
	for (uint32_t i = 0; i < g->n_params; i++, w->n_params++) {
		w->param[i].offset = g->param[i].offset;
		w->param[i].numel = hlx_numel(&g->param[i].desc);
		w->param[i].init = g->param[i].init;
		if (!(w->param[i].path = strdup(g->param[i].path)))
			return hlx_no_memory();
	}
	w->arena = g->arena;
	return 0;
}

static int allocate(struct hlx_weights *w, uint32_t n_state)
{
	uint64_t bytes = w->arena * 4, need = bytes * (1 + n_state), have = hlx_memory_available(w->dev);

	if (need > have)
		return hlx_fail(HLX_ENOMEM, "the model does not fit: parameters and optimizer state take %llu MiB, %s has %llu "
				"MiB free", (unsigned long long)need >> 20, w->dev->info.name, (unsigned long long)have >> 20);
	HLX_TRY(hlx_memory_create(w->dev, bytes, HLX_MEMORY_LOCAL, &w->value));
	for (; w->n_state < n_state; w->n_state++)
		HLX_TRY(hlx_memory_create(w->dev, bytes, HLX_MEMORY_LOCAL, &w->state[w->n_state]));
	return 0;
}

int hlx_weights_create(struct hlx_device *dev, const struct hlx_graph *g, uint32_t n_state, struct hlx_weights **out)
{
	struct hlx_weights *w = calloc(1, sizeof(*w));
	int status;

	if (!w)
		return hlx_no_memory();
	w->dev = dev;
	status = n_state < HLX_MAX_SLOTS ? copy_params(w, g) : hlx_fail(HLX_EINVAL, "%u optimizer states", n_state);
	if (status >= 0)
		status = allocate(w, n_state);
	if (status < 0) {
		hlx_weights_destroy(w);
		return status;
	}
	*out = w;
	return 0;
}

void hlx_weights_destroy(struct hlx_weights *w)
{
	if (!w)
		return;
	hlx_memory_finish(w->dev, &w->value);
	for (uint32_t i = 0; i < w->n_state; i++)
		hlx_memory_finish(w->dev, &w->state[i]);
	for (uint32_t i = 0; i < w->n_params; i++)
		free(w->param[i].path);
	free(w->param);
	free(w);
}

int hlx_weights_init(struct hlx_weights *w, uint64_t seed)
{
	for (uint32_t i = 0; i < w->n_params; i++) {
		uint64_t n = w->param[i].numel, stream = hlx_stream(PURPOSE_INIT, w->param[i].path);
		float *x = malloc(n * sizeof(*x));
		int status;
		if (!x)
			return hlx_no_memory();
		for (uint64_t e = 0; e < n; e++)
			x[e] = w->param[i].init.deviation > 0 ?
				hlx_init_normal(seed, stream, e, w->param[i].init.deviation) : (float)w->param[i].init.constant;
		status = hlx_weights_write(w, i, 0, x, NULL);
		free(x);
		HLX_TRY(status);
	}
	return 0;
}

static int find_state(struct hlx_weights *w, uint32_t param, uint32_t state, const struct hlx_memory **m)
{
	if (param >= w->n_params || state > w->n_state)
		return hlx_fail(HLX_EINVAL, "parameter %u of %u, state %u of %u", param, w->n_params, state, w->n_state);
	*m = state ? &w->state[state - 1] : &w->value;
	return 0;
}

int hlx_weights_read(struct hlx_weights *w, uint32_t param, uint32_t state, float *out)
{
	const struct hlx_memory *m = NULL;

	HLX_TRY(find_state(w, param, state, &m));
	return hlx_memory_read(w->dev, m, w->param[param].offset * 4, w->param[param].numel * 4, out);
}

int hlx_weights_write(struct hlx_weights *w, uint32_t param, uint32_t state, const float *in, uint64_t *flushed)
{
	const struct hlx_memory *m = NULL;
	uint64_t n;
	float *x;
	int status;

	HLX_TRY(find_state(w, param, state, &m));
	n = w->param[param].numel;
	if (!(x = malloc(n * sizeof(*x))))
		return hlx_no_memory();
	for (uint64_t e = 0; e < n; e++) {
		x[e] = hlx_store(in[e]);
		if (flushed && memcmp(&x[e], &in[e], sizeof(*x)))
			++*flushed;
	}
	status = hlx_memory_write(w->dev, m, w->param[param].offset * 4, n * 4, x);
	free(x);
	return status;
}
