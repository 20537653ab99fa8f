/* check.c - hlxt check [OP | OP/IMPL | FILE.so]: every implementation against its op's reference, as a table. */
#include "core/check/suite.h"
#include "core/registry.h"
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
	return hlx_fail(CLI_USAGE, "check: op %s has no implementation %.60s%s; hlxt ops lists them", w->op, w->impl,
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

static int check_impls(const struct session *s, const struct wish *w, const struct hlx_suite_options *o, struct tally *t)
{
	struct hlx_suite_row *row = malloc(sizeof(*row));
	const struct hlx_impl *impl;
	const struct hlx_op *op;
	int status = row ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	if (!t->quiet)
		print_head(false);
	for (size_t i = 0; (op = hlx_registry_op_at(s->registry, i, NULL)) && status >= 0; i++)
		for (size_t k = 0; (impl = hlx_registry_impl_at(s->registry, k, NULL)) && status >= 0; k++)
			if (wants_impl(s, w, op, impl) &&
					(status = hlx_suite_impl(o, op, impl, row)) >= 0)
				print_row(row, t);
	free(row);
	return status;
}

static int check_references(const struct session *s, const struct wish *w, const struct hlx_suite_options *o, struct tally *t)
{
	struct hlx_suite_row *row = malloc(sizeof(*row));
	const struct hlx_op *op;
	int status = row ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
	bool head = t->quiet;

	for (size_t i = 0; (op = hlx_registry_op_at(s->registry, i, NULL)) && status >= 0 && !w->impl; i++) {
		if (!wants_op(s, w, op))
			continue;
		if (!head)
			print_head(true);
		head = true;
		if ((status = hlx_suite_reference(o, op, row)) >= 0)
			print_row(row, t);
	}
	free(row);
	return status;
}

static int check_all(struct session *s, const struct wish *w, const struct cli_args *args)
{
	struct hlx_suite_options o = { .registry = s->registry, .quick = args->quick, .seed = args->seed };
	struct tally t = { .quiet = args->quiet };

	CLI_TRY(session_device(s, args->device));
	o.dev = s->device;
	if (!t.quiet)
		printf("device: %s (%s)\n", hlx_device_describe(o.dev)->name, hlx_device_describe(o.dev)->driver);
	CLI_TRY(check_impls(s, w, &o, &t));
	CLI_TRY(check_references(s, w, &o, &t));
	if (t.failed)
		return hlx_fail(CHECK_FAILED, "check: %u of %u failed", t.failed, t.rows);
	if (!t.rows)
		return hlx_fail(HLX_EPLUGIN, "%s brings neither ops nor implementations of ops that are known", w->file);
	if (!t.quiet)
		printf("all %u passed\n", t.rows);
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
	"Without a word: all there are.  FILE.so is loaded beside the installed plugins, and what it brings is checked.  For each\n"
	"implementation a line: ok, FAIL, or - where a check does not apply or an earlier one has failed; what failed is named\n"
	"with the first case, element and both bit patterns.  Exit status 0: all passed, 1: one failed.\n",
	{ OPT_QUICK, OPT_SEED, OPT_DEVICE, OPT_QUIET }, check
};
