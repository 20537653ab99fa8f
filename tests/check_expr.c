/* The arithmetic of INI values, attributes of nodes, and the words of errors. */
#include "tests/toys.h"

#include <locale.h>
#include <math.h>

#include "core/error.h"
#include "core/ini/expr.h"
#include "core/graph/graph.h"

static int find(void *ctx, const char *name, double *out)
{
	(void)ctx;
	*out = !strcmp(name, "d_model") ? 256 : 4;
	return !strcmp(name, "d_model") || !strcmp(name, "e4") ? 0 : HLX_EINVAL;
}

static const char *const names[] = { "d_model", "e4" };
static const struct hlx_scope scope = { find, NULL, names, 2 };

static const struct {
	const char *text;
	double want;
} good[] = {
	{ "1", 1 }, { " 1 ", 1 }, { "1e-3", 1e-3 }, { "1E+3", 1000 }, { "3e-4", 3e-4 }, { ".5", .5 }, { "2.", 2 }, { "0.1", 0.1 },
	{ "1+2*3", 7 }, { "(1+2)*3", 9 }, { "8/4/2", 1 }, { "8-4-2", 2 }, { "8/(4/2)", 4 }, { "2*-3", -6 }, { "--3", 3 },
	{ "-(2+1)", -3 }, { "3*d_model", 768 }, { "d_model/4", 64 }, { "rsqrt(d_model/4)", 0.125 }, { "sqrt(2*8)", 4 },
	{ "0.02*rsqrt(2*8)", 0.005 }, { "e4", 4 }, { "1e4", 10000 }, { "1-e4", -3 }, { "2\t*\t3", 6 }, { "sqrt (4)", 2 },
	{ "1e1-1e1", 0 },
};

static const struct {
	const char *text, *word;
} broken[] = {
	{ "", "expected a number" }, { "  ", "expected a number" }, { "1+", "expected a number" }, { "*2", "expected a number" },
	{ "(1", "expected ')'" }, { "1)", "cannot read \")\"" }, { "1 2", "cannot read \"2\"" }, { "1,5", "cannot read" },
	{ "0x10", "not a number" }, { "1e", "not a number" }, { "1e+", "not a number" }, { "1.2.3", "not a number" },
	{ "5apples", "not a number" }, { "inf", "not known" }, { "nan", "not known" }, { "1e999", "not" },
	{ "1/0", "division by zero" }, { "1/(2-2)", "division by zero" }, { "sqrt(-1)", "negative" }, { "rsqrt(0)", "not finite" },
	{ "1e308*10", "not finite" }, { "exp(1)", "no function exp" }, { "sqrt", "not known" }, { "sqrt(", "expected a number" },
	{ "d_modl", "did you mean d_model?" }, { "a$b", "not known" }, { "\xc3\xa9", "expected a number" }, { "2^3", "cannot read" },
	{ "1e-", "not a number" },
};

START_TEST(values)
{
	double v = -1;
	int64_t i = -1;

	for (size_t k = 0; k < sizeof(good) / sizeof(*good); k++) {
		ck_assert_msg(hlx_expr(good[k].text, &scope, &v) == 0, "%s: %s", good[k].text, hlx_message());
		ck_assert_msg(v == good[k].want, "%s = %.17g", good[k].text, v);
	}
	ck_ok(hlx_expr_int("9007199254740992", &scope, &i));
	ck_assert_int_eq(i, 9007199254740992);
	ck_ok(hlx_expr_int("-d_model", &scope, &i));
	ck_assert_int_eq(i, -256);
	ck_refused(hlx_expr_int("d_model/3", &scope, &i), HLX_EINVAL, "whole number");
	ck_refused(hlx_expr_int("1e17", &scope, &i), HLX_EINVAL, "whole number");
	ck_refused(hlx_expr("x", NULL, &v), HLX_EINVAL, "x is not known here");
}
END_TEST

START_TEST(errors)
{
	double v = 0;

	for (size_t k = 0; k < sizeof(broken) / sizeof(*broken); k++) {
		ck_assert_msg(hlx_expr(broken[k].text, &scope, &v) == HLX_EINVAL, "\"%s\" is %g", broken[k].text, v);
		ck_assert_msg(strstr(hlx_message(), broken[k].word) != NULL, "\"%s\": %s", broken[k].text, hlx_message());
	}
}
END_TEST

/* As deep as a stack could not bear. */
START_TEST(depth)
{
	static const char *const open[] = { "(", "-", "sqrt(", "-(" };
	double v;

	for (size_t k = 0; k < 4; k++) {
		size_t n = 200000, len = strlen(open[k]);
		char *text = malloc(n * len + 2);
		for (size_t i = 0; i < n; i++)
			memcpy(text + i * len, open[k], len);
		strcpy(text + n * len, "1");
		ck_refused(hlx_expr(text, &scope, &v), HLX_EINVAL, "nested too deep");
		free(text);
	}
	ck_ok(hlx_expr("((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))", &scope, &v));
	ck_ok(hlx_expr("(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)"
			"+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+(1)+sqrt(1)+sqrt(1)+-1", &scope, &v)); /* side by side is not deep */
	ck_assert_double_eq(v, 36);
}
END_TEST

START_TEST(locales)
{
	static const char *const with_comma[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE" };
	bool found = false;
	double v;

	for (size_t i = 0; i < 5 && !found; i++)
		found = setlocale(LC_ALL, with_comma[i]) != NULL;
	ck_ok(hlx_expr("1.5*2", &scope, &v)); /* where no such locale is installed, this is all */
	ck_assert_double_eq(v, 3);
	ck_assert_int_eq(hlx_expr("1,5", &scope, &v), HLX_EINVAL);
	setlocale(LC_ALL, "C");
}
END_TEST

/* -- attributes -------------------------------------------------------------------------------------------- */

struct attrs {
	int64_t n;
	double eps;
	int32_t flag, kind;
};
static const char *const kinds[] = { "red", "green", NULL };
static const struct hlx_attr table[] = {
	{ "n", "", HLX_INT, offsetof(struct attrs, n), 5, 1, 64, NULL },
	{ "eps", "", HLX_FLOAT, offsetof(struct attrs, eps), 1e-5, 0, 1, NULL },
	{ "flag", "", HLX_BOOL, offsetof(struct attrs, flag), 1, 0, 0, NULL },
	{ "kind", "", HLX_ENUM, offsetof(struct attrs, kind), 1, 0, 0, kinds },
	{ 0 },
};
static const struct hlx_op op = { .name = "op", .attrs = table, .attrs_size = sizeof(struct attrs) };

START_TEST(attributes)
{
	struct attrs *a;
	void *made;

	ck_ok(hlx_attrs_create(&op, &made));
	a = made;
	ck_assert_int_eq(a->n, 5);
	ck_assert_double_eq(a->eps, 1e-5);
	ck_assert_int_eq(a->flag, 1);
	ck_assert_int_eq(a->kind, 1);
	ck_ok(hlx_attrs_set(&op, a, &table[0], "d_model/4", &scope));
	ck_ok(hlx_attrs_set(&op, a, &table[1], "0.5", &scope));
	ck_ok(hlx_attrs_set(&op, a, &table[2], "off", &scope));
	ck_ok(hlx_attrs_set(&op, a, &table[3], "red", &scope));
	ck_assert(a->n == 64 && a->eps == 0.5 && !a->flag && !a->kind);
	ck_refused(hlx_attrs_set(&op, a, &table[0], "65", &scope), HLX_EINVAL, "n: 65 is out of range, want 1 to 64");
	ck_refused(hlx_attrs_set(&op, a, &table[0], "1.5", &scope), HLX_EINVAL, "n: ", "whole number");
	ck_refused(hlx_attrs_set(&op, a, &table[1], "-0.1", &scope), HLX_EINVAL, "eps: ", "out of range");
	ck_refused(hlx_attrs_set(&op, a, &table[2], "maybe", &scope), HLX_EINVAL, "flag: ", "neither yes nor no");
	ck_refused(hlx_attrs_set(&op, a, &table[3], "gren", &scope), HLX_EINVAL, "kind: ", "did you mean green?");
	ck_ok(hlx_attrs_set_int(&op, a, "flag", 1));
	ck_assert_int_eq(a->flag, 1);
	ck_refused(hlx_attrs_set_int(&op, a, "flags", 1), HLX_EPLUGIN, "no attribute flags");
	free(made);
}
END_TEST

/* -- errors ------------------------------------------------------------------------------------------------ */

START_TEST(messages)
{
	static const char *const near[] = { "gemm", NULL, "gelu", "layernorm" };
	char big[3000], word[3000];

	ck_assert_int_eq(hlx_fail(HLX_EIO, "a %d\nb\r\n", 1), HLX_EIO);
	ck_assert_str_eq(hlx_message(), "a 1 b  "); /* always one line */
	hlx_fail(HLX_EIO, "inner");
	ck_assert_int_eq(hlx_prefix(HLX_EINVAL, "outer %s: ", "x"), HLX_EINVAL);
	ck_assert_str_eq(hlx_message(), "outer x: inner");
	hlx_fail(HLX_EIO, "again: %s", hlx_message());
	ck_assert_str_eq(hlx_message(), "again: outer x: inner");
	memset(big, 'b', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	hlx_fail(HLX_EIO, "%s", big);
	hlx_prefix(HLX_EIO, "%s", big);
	ck_assert_uint_lt(strlen(hlx_message()), 1024);
	ck_assert_str_eq(hlx_nearest("gem", near, 4), "gemm");
	ck_assert_str_eq(hlx_nearest("layrnorm", near, 4), "layernorm");
	ck_assert_ptr_null(hlx_nearest("attention", near, 4));
	ck_assert_ptr_null(hlx_nearest("x", near, 0));
	memset(word, 'g', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	ck_assert_ptr_null(hlx_nearest(word, near, 4));
	ck_assert_str_eq(hlx_hint("gemmm", near, 4), " (did you mean gemm?)");
	ck_assert_str_eq(hlx_hint("zzzzzzz", near, 4), "");
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { values, 0 }, { errors, 0 }, { depth, 0 }, { locales, 0 }, { attributes, 0 },
		{ messages, 0 } };

	return TOYS_RUN("expr", tests, 30, true);
}
