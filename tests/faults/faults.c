/* faults.c - implementations of sway, each with one fault, and twins of it whose reference is wrong. */
#include "tests/faults/sway.h"

#include <stdlib.h>

#include "hlx/math.h"

SWAY_IMPL(swapped, "sway", SWAPPED, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(edge, "sway", EDGE, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(past, "sway", PAST, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(unwritten, "sway", UNWRITTEN, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(contracts, "sway", CONTRACTS, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(lost, "sway", LOST, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(fresh, "sway", FRESH, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(ticket, "sway", TICKET, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(race, "sway", RACE, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(unstored, "sway", UNSTORED, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(stride, "sway", STRIDE, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(behind, "sway", BEHIND, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(mixed, "sway", MIXED, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(ignored, "sway", IGNORED, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(input, "sway", INPUT, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(grabby, "sway", GRABBY, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(far, "sway", DOUBLED, HLX_DEVICE, sway_prepare);
SWAY_SURE_IMPL(sure, "sway", RIGHT, HLX_DEVICE, sway_prepare, 1e-9); /* fp32 is not */

static int any(const struct hlx_host *host, struct hlx_node *node)
{
	(void)host, (void)node;
	return 0;
}
SWAY_IMPL(endless, "sway", RIGHT, HLX_PORTABLE, any);

static int crash(const struct hlx_host *host, struct hlx_node *node)
{
	(void)host, (void)node;
	abort();
}
SWAY_IMPL(dead, "sway", RIGHT, HLX_PORTABLE, crash);

/* -- references: their kernels do as they say ---------------------------------------------------------------- */

static int ref_steep(const struct hlx_node *node, void *const value[], void *const grad[], const struct hlx_step *step)
{
	struct hlx_node twice = *node;
	struct sway_attrs attrs = { 2 * ((const struct sway_attrs *)node->attrs)->gain };

	twice.attrs = &attrs;
	return sway_backward(&twice, value, grad, step);
}

static int ref_doubled(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	struct hlx_node twice = *node;
	struct sway_attrs attrs = { 2 * ((const struct sway_attrs *)node->attrs)->gain };

	twice.attrs = &attrs;
	return sway_forward(&twice, value, step);
}

/* Scaled down and up again: exact, as long as denormals are kept, and there are enough bits in them. */
static int ref_denormal(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const struct hlx_desc *d = &node->desc[X];
	const float *x = value[X], *w = value[W];

	(void)step;
	for (uint64_t r = 0; r < d->dim[0]; r++) {
		float s = 0;
		for (uint64_t c = 0; c < d->dim[1]; c++)
			s += x[r * d->stride[0] + c * d->stride[1]] * 0x1p-90f * w[c] * 0x1p90f;
		((float *)value[Y])[r] = hlx_store(s);
	}
	return 0;
}

static int ref_negative(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	int status = sway_forward(node, value, step);

	if (((float *)value[Y])[0] == 0)
		((float *)value[Y])[0] = -0.0f;
	return status;
}

SWAY_OP(of_steep, "steep", .ref_forward = sway_forward, .ref_backward = ref_steep, .ref64 = sway_64);
SWAY_OP(of_doubled, "doubled", .ref_forward = ref_doubled, .ref_backward = sway_backward, .ref64 = sway_64);
SWAY_OP(of_denormal, "denormal", .ref_forward = ref_denormal);
SWAY_OP(of_negative, "negative", .ref_forward = ref_negative, .ref_backward = sway_backward, .ref64 = sway_64);
SWAY_IMPL(steep, "steep", STEEP, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(doubled, "doubled", DOUBLED, HLX_PORTABLE, sway_prepare);

static const struct hlx_op *const ops[] = { &of_steep, &of_doubled, &of_denormal, &of_negative, NULL };
static const struct hlx_impl *const impls[] = { &swapped, &edge, &past, &unwritten, &contracts, &lost, &fresh, &ticket, &race,
	&unstored, &stride, &behind, &mixed, &ignored, &input, &grabby, &far, &sure, &endless, &dead, &steep, &doubled, NULL };
HLX_PLUGIN(.name = "faults", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
