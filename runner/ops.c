/* ops.c - hlxt ops: what the plugins bring. */
#include "runner/paths.h"
#include "runner/session.h"

#include <string.h>

static const char *const tiers[] = { [HLX_PORTABLE] = "portable", [HLX_DEVICE] = "device" };
static const char *const kinds[] = {
	[HLX_LAYER] = "layer", [HLX_LOSS] = "loss", [HLX_OPTIMIZER] = "optimizer", [HLX_REDUCE] = "reduce", [HLX_NORM] = "norm",
	[HLX_HASH] = "hash"
};

/* An optimizer has no backward pass to tell of. */
static const char *passes(const struct hlx_op *op, const struct hlx_impl *impl)
{
	if (op->kind != HLX_LAYER && op->kind != HLX_LOSS)
		return "";
	return impl->backward ? "forward, backward" : "forward only";
}

static void print_impls(const struct hlx_registry *r, const struct hlx_op *op)
{
	const struct hlx_impl *impl;
	const char *file;

	for (size_t i = 0; (impl = hlx_registry_impl_at(r, i, &file)); i++)
		if (!strcmp(impl->op, op->name)) {
			printf("  %-10s %s, priority %d, %s\n", impl->name, tiers[impl->tier], impl->priority, file ? file : "builtin");
			printf("             %s%s%s\n", passes(op, impl), *passes(op, impl) && impl->doc ? "; " : "",
					impl->doc ? impl->doc : "");
		}
}

static int print_ops(const struct hlx_registry *r)
{
	const struct hlx_op *op;

	for (size_t i = 0; (op = hlx_registry_op_at(r, i, NULL)); i++) {
		printf("%s (%s): %s\n", op->name, kinds[op->kind], op->doc ? op->doc : "");
		print_impls(r, op);
	}
	return 0;
}

static int ops(const struct cli_args *args)
{
	struct session s = { 0 };
	int status = session_plugins(&s);

	(void)args;
	if (status >= 0)
		status = print_ops(s.registry);
	session_close(&s);
	return status;
}

const struct command command_ops = {
	"ops", NULL, "list the ops and their implementations",
	"A node takes the implementation of highest priority that supports its shape on the device, or the one "
	"that [ops] names: gemm = gemm16. HLX_PLUGIN_PATH names folders with more plugins.",
	"hlxt ops\n",
	{ 0 }, ops, NULL
};
