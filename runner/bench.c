/* bench.c - hlxt bench: what is asked for, and the device it is measured on. */
#include "runner/bench.h"

#include <stdlib.h>
#include <string.h>

int bench_device(struct bench *b)
{
	const struct hlx_device_info *d;

	CLI_TRY(session_device(&b->session, b->args->device));
	CLI_TRY(hlx_timer_create(b->session.device, b->args->quick, &b->timer));
	CLI_TRY(hlx_ceiling_measure(&b->timer, &b->ceiling));
	d = hlx_device_describe(b->session.device);
	json_object_set_new(b->out, "hlxt", json_string(PACKAGE_VERSION));
	json_object_set_new(b->out, "device", json_string(d->name));
	json_object_set_new(b->out, "driver", json_string(d->driver));
	json_object_set_new(b->out, "clock", json_string(b->timer.stamps ? "timestamps" : "wall"));
	json_object_set_new(b->out, "copy_bytes_per_s", json_real(b->ceiling.copy));
	json_object_set_new(b->out, "muladd_ops_per_s", json_real(b->ceiling.muladd));
	json_object_set_new(b->out, "fma_ops_per_s", json_real(b->ceiling.fma));
	return 0;
}

static bool is_ini(const char *word)
{
	const char *end = strrchr(word, '.');

	return end && !strcmp(end, ".ini");
}

/* "gemm" or "gemm/simt" where there is such an op. */
static const char *find_op(const struct bench *b, char *op, size_t room, const char **impl)
{
	const char *word = b->args->operand, *slash = strchr(word, '/');
	size_t n = slash ? (size_t)(slash - word) : strlen(word);

	*impl = slash ? slash + 1 : NULL;
	snprintf(op, room, "%.*s", n < room ? (int)n : 0, word);
	return hlx_registry_op(b->session.registry, op) ? op : NULL;
}

static int not_found(const struct bench *b)
{
	const char *names[256], *word = b->args->operand;
	size_t n = 0;

	for (const struct hlx_op *op; n < 256 && (op = hlx_registry_op_at(b->session.registry, n, NULL)); n++)
		names[n] = op->name;
	return hlx_fail(CLI_USAGE, "bench: \"%.60s\" is neither an op%s nor an INI: an INI's name ends in .ini", word,
			cli_hint(word, names, n));
}

static int measure(struct bench *b)
{
	const char *impl;
	char op[64];

	CLI_TRY(session_plugins(&b->session));
	if (is_ini(b->args->operand))
		return bench_model(b);
	return find_op(b, op, sizeof op, &impl) ? bench_op(b, op, impl) : not_found(b);
}

static int print_json(const struct bench *b)
{
	char *text = json_dumps(b->out, JSON_INDENT(1) | JSON_REAL_PRECISION(6));

	if (!text)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	puts(text);
	free(text);
	return 0;
}

static int bench(const struct cli_args *args)
{
	struct bench b = { .args = args, .out = json_object() };
	int status = b.out ? measure(&b) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0 && args->json)
		status = print_json(&b);
	json_decref(b.out);
	hlx_timer_finish(&b.timer);
	session_close(&b.session);
	return status;
}

const struct command command_bench = {
	"bench", "INI|OP [CASE...]", "measure a training step, or an op's shapes, against the device's ceilings",
	"An INI: the training step that it would run. Time on the wall, CPU time of the thread that submits it, "
	"tokens a second, the work of a step and its rates, dispatches, barriers and memory; and a profile: "
	"forward, backward, optimizer and hash, and each implementation of an op, with the operations and bytes "
	"a second that its work makes of that time. The last column is that rate as a share of a ceiling of the device, measured first: what it "
	"copies, or what it computes with a * b + c rounded twice (portable implementations) or with fma "
	"(others), whichever is nearer. What stays in a cache can be faster than that copy.\n\n"
	"Times are medians after a warm-up. The profile is of a second recording with a timestamp behind each "
	"node, which holds the device up a little; on a CPU driver each node is submitted alone and timed on the "
	"wall. Nothing is written.\n\n"
	"An OP: every implementation (OP/IMPL: that one), forward and backward, on the op's own shapes or on "
	"each CASE: inputs, dims and attributes in one word of the shell, as in 'a=8x128x256 out=1024 bias=yes'; "
	"'tokens=8x128<256' are integers below 256. The backward pass is measured whole, and for the gradient of "
	"each input and of all parameters alone. Shapes that are big for a CPU driver are measured there where "
	"they are named.",
	"hlxt bench tiny.ini\n"
	"hlxt bench gemm/simd 'a=3x7x64 out=32' --quick\n",
	{ OPT_SET, OPT_DEVICE, OPT_QUICK_BENCH, OPT_JSON, OPT_LIST_BENCH }, bench, NULL
};
