/* bench_op.c - hlxt bench OP: each shape, each implementation. */
#include "runner/bench.h"

#include <string.h>

#include "core/bench/one.h"
#include "core/registry/registry.h"

/* On a CPU the shapes made for cards would take minutes: operations and bytes a shape may ask for, forward and backward. */
static const struct hlx_work most = { 5e10, 2e9 }, most_quick = { 2e9, 1e8 };

static const char *const tiers[] = { [HLX_PORTABLE] = "portable", [HLX_DEVICE] = "device" };

struct sweep {
	struct bench *b;
	const struct hlx_op *op;
	const char *impl; /* or NULL: all */
	json_t *rows;
	unsigned measured;
	char why[512]; /* the last refusal */
};

static int add_row(struct sweep *s, const char *text, const struct hlx_impl *impl, json_t **out)
{
	*out = json_pack("{s:s, s:s, s:s}", "impl", impl ? impl->name : "", "tier", impl ? tiers[impl->tier] : "", "case", text);
	return *out && !json_array_append_new(s->rows, *out) ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
}

/* What was said of the node "t (op/impl): ", which is one of ours. */
static const char *reason(const char *message)
{
	const char *end = strncmp(message, "t (", 3) ? NULL : strstr(message, "): ");

	return end ? end + 3 : message;
}

static int skip(struct sweep *s, const char *text, const struct hlx_impl *impl, const char *why)
{
	json_t *row;

	CLI_TRY(add_row(s, text, impl, &row));
	snprintf(s->why, sizeof s->why, "%s%s%s: %s", s->op->name, impl ? "/" : "", impl ? impl->name : "", why);
	json_object_set_new(row, "skipped", json_string(why));
	return 0;
}

static int run_impl(struct sweep *s, const struct hlx_check_case *c, const struct hlx_impl *impl)
{
	struct hlx_bench_pass pass[HLX_BENCH_PASSES];
	json_t *row;
	uint32_t n = 0;
	int status = hlx_bench_one(&s->b->timer, s->b->session.registry, c, impl, pass, &n);

	if (status == HLX_ENOTSUP || status == HLX_ENOMEM)
		return skip(s, c->text, impl, reason(hlx_message()));
	CLI_TRY(status);
	for (uint32_t i = 0; i < n; i++) {
		CLI_TRY(add_row(s, c->text, impl, &row));
		json_object_set_new(row, "pass", json_string(pass[i].name));
		json_object_set_new(row, "dispatches", json_integer(pass[i].dispatches));
		bench_rate(s->b, row, pass[i].seconds, pass[i].work, impl);
	}
	s->measured++;
	return 0;
}

static bool is_too_big(const struct sweep *s, struct hlx_work w)
{
	struct hlx_work limit = s->b->args->quick ? most_quick : most;

	return hlx_device_describe(s->b->session.device)->caps.cpu && (w.ops > limit.ops || w.bytes > limit.bytes);
}

static int read_case(const struct sweep *s, const char *text, struct hlx_check_case *c, struct hlx_work *w)
{
	int status;

	CLI_TRY(hlx_check_case_parse(s->op, text, c));
	status = hlx_bench_work(s->b->session.registry, c, w);
	return status < 0 ? hlx_prefix(status, "%s: case '%s': ", s->op->name, text) : 0;
}

static int run_case(struct sweep *s, const char *text, bool own)
{
	const struct hlx_impl *impl;
	struct hlx_check_case c;
	struct hlx_work w;

	CLI_TRY(read_case(s, text, &c, &w));
	if (own && is_too_big(s, w))
		return skip(s, text, NULL, "big for a CPU: measured where it is named");
	for (size_t i = 0; (impl = hlx_registry_impl_at(s->b->session.registry, i, NULL)); i++)
		if (!strcmp(impl->op, s->op->name) && (!s->impl || !strcmp(impl->name, s->impl)))
			CLI_TRY(run_impl(s, &c, impl));
	return 0;
}

static int check_impl(const struct sweep *s)
{
	const struct hlx_registry *r = s->b->session.registry;
	const struct hlx_impl *impl;
	const char *names[64];
	size_t n = 0;

	if (!s->impl || hlx_registry_has_impl(r, s->op->name, s->impl))
		return 0;
	for (size_t i = 0; (impl = hlx_registry_impl_at(r, i, NULL)) && n < CLI_COUNT(names); i++)
		if (!strcmp(impl->op, s->op->name))
			names[n++] = impl->name;
	return hlx_fail(CLI_USAGE, "bench: op %s has no implementation \"%.60s\"%s; hlxt ops lists them", s->op->name, s->impl,
			cli_hint(s->impl, names, n));
}

/* Before the device is touched. */
static int check(const struct sweep *s, const char *const *own)
{
	const struct cli_args *args = s->b->args;
	struct hlx_check_case c;
	struct hlx_work w;

	if (args->n_set)
		return hlx_fail(CLI_USAGE, "bench: --set is for an INI; %s/IMPL measures one implementation", s->op->name);
	if (args->list)
		return hlx_fail(CLI_USAGE, "bench: --list is for an INI: an op has no steps to list");
	CLI_TRY(check_impl(s));
	if (!args->n_words && (!own || !*own))
		return hlx_fail(HLX_EINVAL, "op %s has no shapes of its own to measure: name a case, as in hlxt bench %s 'x=2x3x5'",
				s->op->name, s->op->name);
	for (int i = 0; i < args->n_words; i++)
		CLI_TRY(read_case(s, args->words[i], &c, &w));
	return 0;
}

int bench_op(struct bench *b, const char *op, const char *impl)
{
	struct sweep s = { .b = b, .op = hlx_registry_op(b->session.registry, op), .impl = impl, .rows = json_array() };
	const char *const *own = HLX_LATER(s.op, bench);

	json_object_set_new(b->out, "op", json_string(op));
	json_object_set_new(b->out, "cases", s.rows);
	CLI_TRY(check(&s, own));
	CLI_TRY(bench_device(b));
	for (int i = 0; i < b->args->n_words; i++)
		CLI_TRY(run_case(&s, b->args->words[i], false));
	for (; !b->args->n_words && *own; own++)
		CLI_TRY(run_case(&s, *own, true));
	if (!s.measured)
		return hlx_fail(HLX_ENOTSUP, "nothing of %s could be measured here: %s", op, s.why);
	if (!b->args->json)
		bench_print_cases(b);
	return 0;
}
