/* sway_record.c - sway's dispatches, right and wrong. */
#include "tests/faults/sway.h"

#include "sway_dw.spv.h"
#include "sway_dx.spv.h"
#include "sway_fma.spv.h"
#include "sway_forward.spv.h"
#include "sway_input.spv.h"
#include "sway_race.spv.h"
#include "sway_ticket.spv.h"

#define SHADER(id) static const struct hlx_shader id = { "sway_" #id, sway_##id##_spv, sizeof(sway_##id##_spv), 0 }
SHADER(forward);
SHADER(fma);
SHADER(input);
SHADER(race);
SHADER(ticket);
SHADER(dx);
SHADER(dw);

struct push {
	uint32_t rows, cols, x_first, x_row, x_col, y_first, slots, slot_stride, accum;
	float gain;
};

int sway_prepare(const struct hlx_host *host, struct hlx_node *node)
{
	node->work_bytes = 4;
	if (node->desc[X].dim[0] > 65535 || node->desc[X].dim[1] > 65535)
		return host->fail(host, HLX_ENOTSUP, "a loop of more than 65,535 iterations");
	return 0;
}

static struct push push_of(const struct hlx_node *node, bool twice)
{
	const struct hlx_desc *x = &node->desc[X];

	return (struct push){ (uint32_t)x->dim[0], (uint32_t)x->dim[1], (uint32_t)x->offset, (uint32_t)x->stride[0],
		(uint32_t)x->stride[1], (uint32_t)node->desc[Y].offset, node->slots, (uint32_t)hlx_slot_stride(&node->desc[W]),
		(node->accum >> X & 1) + 2 * (node->accum >> W & 1), (float)((1 + twice) * ((const struct sway_attrs *)node->attrs)->gain) };
}

static int dispatch(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct hlx_shader *shader, uint32_t fault, const struct hlx_arg *args, uint32_t x, uint32_t y)
{
	const struct push push = push_of(node, shader == &forward ? fault == DOUBLED : fault == STEEP);
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, shader, &fault, 1, &pipeline);

	return status < 0 ? status : host->dispatch(rec, pipeline, args, shader == &ticket ? 4 : 3, &push, sizeof(push), x, y, 1);
}

static int forward_pass(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint32_t fault)
{
	const struct hlx_arg args[] = { hlx_value(X), hlx_value(W), hlx_value(Y), { .what = HLX_WORK } };
	const struct hlx_shader *shader = fault == CONTRACTS ? &fma : fault == INPUT ? &input : fault == RACE ? &race :
		fault == TICKET ? &ticket : &forward;
	uint32_t rows = (uint32_t)node->desc[X].dim[0], groups = fault == EDGE ? rows / 8 : fault == RACE ? rows : rows / 8 + 1;

	return dispatch(host, node, rec, shader, fault, args, groups, 1);
}

static int backward_pass(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint32_t fault)
{
	const struct hlx_arg of_x[] = { hlx_grad(Y), hlx_value(W), hlx_grad(X) };
	const struct hlx_arg of_w[] = { hlx_grad(Y), hlx_value(X), hlx_grad(W) };
	uint32_t cols = (uint32_t)node->desc[X].dim[1], n = (uint32_t)hlx_numel(&node->desc[X]);
	int status = 0;

	if (node->grads >> X & 1 || fault == GRABBY)
		status = dispatch(host, node, rec, &dx, fault, of_x, (n + 7) / 8, 1);
	if (status >= 0 && node->grads >> W & 1)
		status = dispatch(host, node, rec, &dw, fault, of_w, (cols + 7) / 8, node->slots);
	return status;
}

int sway_record(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint32_t fault, bool backward)
{
	return backward ? backward_pass(host, node, rec, fault) : forward_pass(host, node, rec, fault);
}
