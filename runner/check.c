/* check.c - hlxt check [OP | OP/IMPL | FILE.so]: every implementation against its op's reference, as a table. */
#include "core/registry/registry.h"
#include "runner/check_jobs.h"
#include "runner/paths.h"
#include "runner/session.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK_FAILED = -103 }; /* exit status 1 */

/* What is asked for: of the op, of the implementation, of the file; NULL is any. */
struct wish {
	const char *impl;
	char op[64], *file;
};

struct tally {
	unsigned rows, failed, ops;
	bool quiet;
};

/* -- what to check ----------------------------------------------------------------------------------------- */

static bool is_file(const char *word)
{
	size_t n = strlen(word);

	return n > 3 && !strcmp(word + n - 3, ".so");
}

static int unknown_op(const struct session *s, const char *name)
{
	const char *names[256];
	size_t n = hlx_registry_op_names(s->registry, names, CLI_COUNT(names));

	return hlx_fail(CLI_USAGE, "check: no op %.60s%s; hlxt ops lists them, and a plugin's file ends in .so", name,
			cli_hint(name, names, n));
}

static int unknown_impl(const struct session *s, const struct wish *w)
{
	const char *names[64];
	const struct hlx_impl *impl;
	size_t n = 0;

	for (size_t i = 0; (impl = hlx_registry_impl_at(s->registry, i, NULL)) && n < CLI_COUNT(names); i++)
		if (!strcmp(impl->op, w->op))
			names[n++] = impl->name;
	return hlx_fail(CLI_USAGE, "check: op %s has no implementation \"%.60s\"%s; hlxt ops lists them", w->op, w->impl,
			cli_hint(w->impl, names, n));
}

/* The file first: an installed plugin that brings the same is an older build of it. */
static int load_file(struct session *s, const char *path, struct wish *w)
{
	CLI_TRY(hlx_registry_create(&s->registry));
	CLI_TRY(hlx_registry_load(s->registry, path));
	hlx_registry_shadow(s->registry);
	w->file = realpath(path, NULL);
	return w->file ? hlx_registry_load_all(s->registry, path_plugins()) : hlx_fail(HLX_ENOMEM, "out of memory");
}

static int read_wish(struct session *s, const char *word, struct wish *w)
{
	const char *slash = word ? strchr(word, '/') : NULL;

	if (word && is_file(word))
		return load_file(s, word, w);
	CLI_TRY(session_plugins(s));
	if (!word)
		return 0;
	snprintf(w->op, sizeof(w->op), "%.*s", slash ? (int)(slash - word) : (int)strlen(word), word);
	w->impl = slash ? slash + 1 : NULL;
	if (!hlx_registry_op(s->registry, w->op))
		return unknown_op(s, word);
	return w->impl && !hlx_registry_has_impl(s->registry, w->op, w->impl) ? unknown_impl(s, w) : 0;
}

/* Did this file bring it?  The same file may have come from the plugin folder, by another path. */
static bool is_from(const struct session *s, const struct wish *w, const void *op_or_impl)
{
	const char *path = hlx_registry_file(s->registry, op_or_impl);
	char *real = path ? realpath(path, NULL) : NULL;
	bool same = real && !strcmp(real, w->file);

	free(real);
	return same;
}

/* "hlx": the checker's own, which it has for neighbours. */
static bool wants_op(const struct session *s, const struct wish *w, const struct hlx_op *op)
{
	if (!strcmp(hlx_registry_file(s->registry, op), "hlx"))
		return false;
	return w->file ? is_from(s, w, op) : !*w->op || !strcmp(w->op, op->name);
}

/* Of a file: its own implementations, and all there are of its ops. */
static bool wants_impl(const struct session *s, const struct wish *w, const struct hlx_op *op, const struct hlx_impl *impl)
{
	return !strcmp(impl->op, op->name) && (wants_op(s, w, op) || (w->file && is_from(s, w, impl))) &&
		(!w->impl || !strcmp(w->impl, impl->name));
}

/* -- the table --------------------------------------------------------------------------------------------- */

#define LAST_OF_IMPL HLX_CHECK_LOOPS

static bool is_of_reference(int id)
{
	return id == HLX_CHECK_WRITTEN || id == HLX_CHECK_STORE || id > LAST_OF_IMPL;
}

static void print_head(bool reference)
{
	printf("%-20s %-8s %5s", reference ? "op (its reference)" : "op/implementation", reference ? "" : "tier", "cases");
	for (int i = 0; i < HLX_CHECK_COUNT; i++)
		if (reference ? is_of_reference(i) : i <= LAST_OF_IMPL)
			printf(" %s", hlx_check_name[i]);
	printf("\n");
}

static void print_verdicts(const struct hlx_suite_row *r)
{
	for (int i = 0; i < HLX_CHECK_COUNT; i++)
		if (r->impl ? i <= LAST_OF_IMPL : is_of_reference(i))
			printf(" %-*s", (int)strlen(hlx_check_name[i]), r->check[i].failed ? "FAIL" : r->check[i].ran ? "ok" : "-");
	printf("\n");
	for (int i = 0; i < HLX_CHECK_COUNT; i++)
		if (r->check[i].failed)
			printf("  %s: %s\n", hlx_check_name[i], r->check[i].first);
}

static void print_notes(const struct hlx_suite_row *r)
{
	if (!r->reference)
		printf("  op %s has no reference (ref_forward): what it computes was not checked\n", r->op->name);
	if (!r->op->cases || !*r->op->cases)
		printf("  op %s has no cases: nothing could be run\n", r->op->name);
	else if (r->impl && !r->cases && !hlx_suite_failed(r))
		printf("  it supports none of the cases on this device\n");
	if (r->far > 0)
		printf("  its results are within %.2g of the largest one from exact ones, the reference's within %.2g\n", r->far,
				r->far_reference);
	if (!r->impl && r->reference && r->op->kind == HLX_LAYER && !r->op->ref64)
		printf("  op %s has no ref64: its gradient was not checked\n", r->op->name);
}

static void print_row(const struct hlx_suite_row *r, struct tally *t)
{
	char name[64];

	t->rows++;
	t->failed += hlx_suite_failed(r);
	if (t->quiet && !hlx_suite_failed(r))
		return;
	snprintf(name, sizeof(name), "%s%s%s", r->op->name, r->impl ? "/" : "", r->impl ? r->impl->name : "");
	printf("%-20s %-8s %5u", name, !r->impl ? "" : r->impl->tier == HLX_PORTABLE ? "portable" : "device", r->cases);
	print_verdicts(r);
	print_notes(r);
	fflush(stdout);
}

/* -- the command ------------------------------------------------------------------------------------------- */

struct checking {
	struct session *s;
	const struct cli_args *args;
	struct tally t;
	int head; /* of the tables, how many are there */
};

/* In the row's own process. */
static void work(void *ctx, struct check_job *j)
{
	const struct checking *c = ctx;
	struct hlx_suite_options o = { .registry = c->s->registry, .quick = c->args->quick, .seed = c->args->seed };
	struct check_result *r = &j->result;

	r->status = session_device(c->s, c->args->device);
	if (r->status >= 0) {
		const struct hlx_device_info *info = hlx_device_describe(o.dev = c->s->device);
		snprintf(r->device, sizeof(r->device), "%s (%s)", info->name, info->driver);
		r->status = j->impl ? hlx_suite_impl(&o, j->op, j->impl, &r->row) : hlx_suite_reference(&o, j->op, &r->row);
	}
	if (r->status < 0)
		snprintf(r->message, sizeof(r->message), "%s", hlx_message());
	session_close(c->s);
}

static int take(void *ctx, const struct check_job *j)
{
	struct checking *c = ctx;
	const struct check_result *r = &j->result;

	if (r->status < 0)
		return hlx_fail(r->status, "%s", r->message);
	if (!c->t.quiet && !c->head && *r->device)
		printf("device: %s\n", r->device);
	if (!c->t.quiet && (!c->head || (c->head == 1 && !j->impl)))
		print_head(!j->impl);
	c->head = j->impl ? 1 : 2;
	print_row(&r->row, &c->t);
	return 0;
}

/* Implementations, then references; returns how many.  job NULL: counts alone. */
static size_t list(const struct session *s, const struct wish *w, struct check_job *job)
{
	const struct hlx_impl *impl;
	const struct hlx_op *op;
	size_t n = 0;

	for (size_t i = 0; (op = hlx_registry_op_at(s->registry, i, NULL)); i++)
		for (size_t k = 0; (impl = hlx_registry_impl_at(s->registry, k, NULL)); k++)
			if (wants_impl(s, w, op, impl)) {
				if (job)
					job[n] = (struct check_job){ .op = op, .impl = impl };
				n++;
			}
	for (size_t i = 0; (op = hlx_registry_op_at(s->registry, i, NULL)) && !w->impl; i++)
		if (wants_op(s, w, op)) {
			if (job)
				job[n] = (struct check_job){ .op = op };
			n++;
		}
	return n;
}

static int check_all(struct session *s, const struct wish *w, const struct cli_args *args)
{
	struct checking c = { .s = s, .args = args, .t = { .quiet = args->quiet } };
	size_t n = list(s, w, NULL);
	struct check_job *job = calloc(n + 1, sizeof(*job));
	int status = job ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	if (job && list(s, w, job))
		status = check_jobs_run(job, n, work, take, &c);
	free(job);
	CLI_TRY(status);
	if (c.t.failed)
		return hlx_fail(CHECK_FAILED, "check: %u of %u failed", c.t.failed, c.t.rows);
	if (!c.t.rows)
		return hlx_fail(HLX_EPLUGIN, "%s brings neither ops nor implementations of ops that are known", w->file);
	if (!c.t.quiet)
		printf("all %u passed\n", c.t.rows);
	return 0;
}

static int check(const struct cli_args *args)
{
	struct session s = { 0 };
	struct wish w = { 0 };
	int status = read_wish(&s, args->operand, &w);

	if (status >= 0)
		status = check_all(&s, &w, args);
	session_close(&s);
	free(w.file);
	return status;
}

const struct command command_check = {
	"check", "[OP | OP/IMPL | FILE.so]", "hold implementations of ops to their references, bit for bit",
	"Runs each implementation of each op, of one op, or one implementation, on the device and compares it "
	"with the op's reference: bit for bit where its tier is portable, within 1/128 of the tensor's largest "
	"magnitude where it is device. FILE.so is loaded beside the installed plugins, and what it brings is "
	"checked: its ops with all their implementations, and its implementations of other ops.\n\n"
	"Cases are the op's own and others made from them: sizes, attributes, layouts, batch slots, kinds of "
	"values. Each implementation has a process of its own, as many at a time as there are processors, 8 "
	"at most: one that crashes fails, and the others go on.\n\n"
	"A line for each implementation says ok, FAIL, or - where a check does not apply or an earlier one has "
	"failed; then what failed, with the first case, slot, element and both bit patterns. References come "
	"last: what they leave in memory, their bits with denormals flushed, their results and gradients in "
	"double.\n\n"
	"Status 1 if anything failed, 2 for an op or implementation that is not there, 4 for a file that is no "
	"plugin. With --quiet only what failed is printed.",
	"hlxt check gelu --quick\n"
	"hlxt check gelu/flat\n",
	{ OPT_QUICK, OPT_SEED_CHECK, OPT_DEVICE, OPT_QUIET }, check, NULL
};
