#include "core/ini/expr.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "core/numerics.h"

struct parser {
	const char *at, *text;
	const struct hlx_scope *scope;
	unsigned depth;
};

static int sum(struct parser *, double *);

static char peek(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
	return *p->at;
}

static int want(struct parser *p, char c)
{
	if (peek(p) != c)
		return hlx_fail(HLX_EINVAL, "\"%.80s\": expected '%c' at \"%.40s\"", p->text, c, p->at);
	p->at++;
	return 0;
}

static int number(struct parser *p, double *out)
{
	char word[64];
	size_t n = 0;

	while (isalnum((unsigned char)p->at[n]) || p->at[n] == '.' ||
			(n && strchr("+-", p->at[n]) && p->at[n] && strchr("eE", p->at[n - 1])))
		n++;
	if (!n || n >= sizeof(word))
		return hlx_fail(HLX_EINVAL, "\"%.80s\": expected a number or a name at \"%.40s\"", p->text, p->at);
	memcpy(word, p->at, n);
	word[n] = '\0';
	p->at += n;
	if (!hlx_parse_double(word, out))
		return hlx_fail(HLX_EINVAL, "\"%.80s\": %s is not a number", p->text, word);
	return 0;
}

static int deeper(struct parser *p)
{
	return ++p->depth > 32 ? hlx_fail(HLX_EINVAL, "\"%.80s\": nested too deep", p->text) : 0;
}

static int call(struct parser *p, const char *name, double *out)
{
	if (strcmp(name, "sqrt") && strcmp(name, "rsqrt"))
		return hlx_fail(HLX_EINVAL, "\"%.80s\": no function %s (known: sqrt, rsqrt)", p->text, name);
	p->at++;
	HLX_TRY(deeper(p));
	HLX_TRY(sum(p, out));
	HLX_TRY(want(p, ')'));
	p->depth--;
	if (*out < 0)
		return hlx_fail(HLX_EINVAL, "\"%.80s\": %s of a negative number", p->text, name);
	*out = name[0] == 's' ? sqrt(*out) : 1.0 / sqrt(*out);
	return 0;
}

static int name(struct parser *p, double *out)
{
	char word[64];
	size_t n = 0;

	while (isalnum((unsigned char)p->at[n]) || p->at[n] == '_')
		n++;
	if (n >= sizeof(word))
		return hlx_fail(HLX_EINVAL, "\"%.80s\": a name of %zu letters", p->text, n);
	memcpy(word, p->at, n);
	word[n] = '\0';
	p->at += n;
	if (peek(p) == '(')
		return call(p, word, out);
	if (!p->scope || !p->scope->find || p->scope->find(p->scope->ctx, word, out) < 0)
		return hlx_fail(HLX_EINVAL, "\"%.80s\": %s is not known here%s", p->text, word,
				p->scope && p->scope->names ? hlx_hint(word, p->scope->names, p->scope->count) : "");
	return 0;
}

static int factor(struct parser *p, double *out)
{
	char c = peek(p);

	if (c == '-' || c == '(') {
		HLX_TRY(deeper(p));
		p->at++;
		if (c == '-') {
			HLX_TRY(factor(p, out));
			*out = -*out;
		} else {
			HLX_TRY(sum(p, out));
			HLX_TRY(want(p, ')'));
		}
		p->depth--;
		return 0;
	}
	return isalpha((unsigned char)c) || c == '_' ? name(p, out) : number(p, out);
}

static int product(struct parser *p, double *out)
{
	double b;
	char c;

	HLX_TRY(factor(p, out));
	while ((c = peek(p)) == '*' || c == '/') {
		p->at++;
		HLX_TRY(factor(p, &b));
		if (c == '/' && b == 0)
			return hlx_fail(HLX_EINVAL, "\"%.80s\": division by zero", p->text);
		*out = c == '*' ? *out * b : *out / b;
	}
	return 0;
}

static int sum(struct parser *p, double *out)
{
	double b;
	char c;

	HLX_TRY(product(p, out));
	while ((c = peek(p)) == '+' || c == '-') {
		p->at++;
		HLX_TRY(product(p, &b));
		*out = c == '+' ? *out + b : *out - b;
	}
	return 0;
}

int hlx_expr(const char *text, const struct hlx_scope *scope, double *out)
{
	struct parser p = { text, text, scope, 0 };

	HLX_TRY(sum(&p, out));
	if (peek(&p))
		return hlx_fail(HLX_EINVAL, "\"%.80s\": cannot read \"%.40s\"", text, p.at);
	if (!isfinite(*out))
		return hlx_fail(HLX_EINVAL, "\"%.80s\" is not finite", text);
	return 0;
}

int hlx_expr_int(const char *text, const struct hlx_scope *scope, int64_t *out)
{
	double v;

	HLX_TRY(hlx_expr(text, scope, &v));
	if (v < -9007199254740992.0 || v > 9007199254740992.0 || v != (double)(int64_t)v)
		return hlx_fail(HLX_EINVAL, "\"%.80s\" is %.17g, want a whole number", text, v);
	*out = (int64_t)v;
	return 0;
}

int hlx_expr_bool(const char *text, bool *out)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(text, words[i])) {
			*out = i & 1;
			return 0;
		}
	return hlx_fail(HLX_EINVAL, "\"%.80s\" is neither yes nor no", text);
}
