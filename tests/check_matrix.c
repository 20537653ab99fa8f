/* check_matrix - types of cooperative matrices, as compilers leave them and as hlx-spirv completes them (tools/matrix.h). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/spirv/matrix.v15.h"
#include "tests/spirv_modules.h"
#include "tests/suite.h"
#include "tools/matrix.h"

#define WORDS 4096

/* Of a copy on the heap, where a checker of addresses sees what is read beyond it; what comes out is in `out`. */
static uint32_t out[WORDS];
static size_t n_out;

static int resolve(const uint32_t *code, size_t n)
{
	struct spirv_module m = { malloc(n * 4 + !n), n };
	int status;

	ck_assert_ptr_nonnull(m.code);
	memcpy(m.code, code, n * 4);
	err[0] = 0;
	status = matrix_resolve(&m, err, sizeof err);
	ck_assert_msg((status < 0) == (err[0] != 0) && !strchr(err, '\n'), "status %d, \"%s\"", status, err);
	ck_assert_uint_le(m.n_words, WORDS);
	memcpy(out, m.code, m.n_words * 4);
	n_out = m.n_words;
	free(m.code);
	return status;
}

/* ---- what a compiler writes ---- */

struct view {
	struct hlx_spirv_iter it;
	struct hlx_spirv_defs defs;
	struct hlx_spirv_decos decos;
};

static void view_init(struct view *v, const uint32_t *code, size_t n)
{
	ck_assert_msg(!hlx_spirv_begin(&v->it, code, n * 4, err, sizeof err) && !hlx_spirv_defs_init(&v->defs, v->it) &&
			!hlx_spirv_decos_init(&v->decos, v->it), "%s", err);
}

static void view_finish(struct view *v)
{
	hlx_spirv_decos_finish(&v->decos);
	hlx_spirv_defs_finish(&v->defs);
}

static struct hlx_spirv_inst find(const struct view *v, uint32_t id)
{
	const struct hlx_spirv_def *def = hlx_spirv_defs_find(&v->defs, id);
	struct hlx_spirv_inst in;

	ck_assert_msg(def && !hlx_spirv_at(&v->it, def->at, &in), "id %u is nowhere", id);
	return in;
}

/* What stands for a number of the compiler's: what it should be, in front of the matrix type. */
static void check_operand(const struct view *was, uint32_t number, const struct view *is, const struct hlx_spirv_inst *type,
		int i)
{
	struct hlx_spirv_inst of = find(was, number), in = find(is, type->w[i]);
	const struct hlx_spirv_deco *d = hlx_spirv_decos_find(&is->decos, type->w[i], HLX_SPIRV_WHOLE, SpvDecorationSpecId);

	ck_assert_uint_eq(of.op, SpvOpConstant);
	ck_assert_msg(in.at < type->at, "operand %d of word %zu comes at word %zu", i, type->at, in.at);
	if (i == 2)
		ck_assert(in.op == SpvOpTypeFloat && in.n == 3 && in.w[2] == of.w[3]);
	else if (of.w[3] >= MATRIX_SPEC)
		ck_assert(in.op == SpvOpSpecConstant && d && d->value == of.w[3] - MATRIX_SPEC);
	else
		ck_assert_uint_eq(in.result, number);
}

static void check_types(const struct view *was, const struct view *is, int want)
{
	struct hlx_spirv_iter it = is->it;
	struct hlx_spirv_inst in, old;
	int n = 0;

	while (hlx_spirv_next(&it, &in) > 0) {
		if (in.op != HLX_SPIRV_MATRIX_TYPE)
			continue;
		old = find(was, in.result);
		for (int i = 2; i <= 6; i++)
			check_operand(was, old.w[i], is, &in, i);
		n++;
	}
	ck_assert_int_eq(n, want);
}

static int count(const struct view *v, const struct hlx_spirv_inst *like)
{
	struct hlx_spirv_iter it = v->it;
	struct hlx_spirv_inst in;
	int n = 0;

	while (hlx_spirv_next(&it, &in) > 0)
		n += in.n == like->n && !memcmp(in.w, like->w, in.n * 4);
	return n;
}

/* Every other instruction is there as often as it was, functions word for word. */
static void check_kept(const struct view *was, const struct view *is)
{
	struct hlx_spirv_iter it = was->it;
	struct hlx_spirv_inst in;
	size_t functions = 0;

	while (hlx_spirv_next(&it, &in) > 0) {
		if (in.op == SpvOpFunction && !functions)
			functions = was->it.n_words - in.at;
		if (in.op != HLX_SPIRV_MATRIX_TYPE)
			ck_assert_msg(count(is, &in) == count(was, &in), "opcode %u at word %zu", in.op, in.at);
	}
	ck_assert_uint_gt(functions, 0);
	ck_assert_mem_eq(is->it.code + is->it.n_words - functions, was->it.code + was->it.n_words - functions, functions * 4);
}

START_TEST(compiled)
{
	static uint32_t once[WORDS];
	struct view was, is;
	size_t n = COUNT(matrix_v15);

	ck_assert_msg(!resolve(matrix_v15, n), "%s", err);
	ck_assert_uint_eq(n_out, n + 3); /* fp16 alone was nowhere */
	view_init(&was, matrix_v15, n);
	view_init(&is, out, n_out);      /* which refuses an id that is defined twice, or beyond the bound */
	ck_assert_uint_eq(is.it.bound, was.it.bound + 1);
	check_types(&was, &is, 2);
	check_kept(&was, &is);
	view_finish(&is);
	view_finish(&was);

	memcpy(once, out, n_out * 4);
	n = n_out;
	ck_assert_msg(!resolve(once, n), "%s", err);
	ck_assert_uint_eq(n_out, n);
	ck_assert_mem_eq(out, once, n * 4);
}
END_TEST

START_TEST(without_matrices)
{
	const struct module *m = &modules[_i];

	ck_assert_msg(!resolve(m->code, m->n_words), "%s", err);
	ck_assert_uint_eq(n_out, m->n_words);
	ck_assert_mem_eq(out, m->code, m->n_words * 4);
}
END_TEST

/* ---- planted words, all of a module's ids known ---- */

enum { C16 = 20, C32, C64, SCOPE, SPEC4, SPEC9, MATRIX, LATE4 = 40, LATE9, HALF, BRAIN, INT, REAL, C24 };
#define NUMBER(id, value) I(SpvOpConstant, 4), UINT, id, value
#define TYPE(id, ...) I(HLX_SPIRV_MATRIX_TYPE, 7), id, __VA_ARGS__
#define SPEC(type, id, value) I(SpvOpSpecConstant, 4), type, id, value
#define NUMBERS NUMBER(C16, 16), NUMBER(C32, 32), NUMBER(C64, 64), NUMBER(SCOPE, 3), NUMBER(SPEC4, MATRIX_SPEC + 4), \
	NUMBER(SPEC9, MATRIX_SPEC + 9), NUMBER(C24, 24)
#define LATE I(SpvOpTypeInt, 4), INT, 32, 1, SPEC(UINT, LATE4, 7), SPEC(INT, LATE9, 5)

/*
 * A float type in front stays; one behind moves, but for the bfloat16 of four words; one that is nowhere is made; constants move,
 * with a type of theirs; numbers that stand for nothing stay.
 */
START_TEST(planted)
{
	const struct planted before = { .deco = W(DECO1(LATE4, SpecId, 4), DECO1(LATE9, SpecId, 9)), .global = W(NUMBERS,
		TYPE(MATRIX, C16, SCOPE, SPEC4, C16, ONE), TYPE(MATRIX + 1, C32, SCOPE, SPEC9, SPEC4, ONE),
		TYPE(MATRIX + 2, C64, SCOPE, C32, EIGHT, ONE), TYPE(MATRIX + 3, FLOAT, SCOPE, LATE4, C16, ONE),
		I(SpvOpTypeFloat, 4), BRAIN, 16, 0, LATE, I(SpvOpTypeFloat, 3), HALF, 16, NUMBER(60, 9)) };
	const struct planted after = { .deco = before.deco, .global = W(NUMBERS, I(SpvOpTypeFloat, 3), PLANTED_BOUND, 64,
		I(SpvOpTypeFloat, 3), HALF, 16, SPEC(UINT, LATE4, 7), I(SpvOpTypeInt, 4), INT, 32, 1, SPEC(INT, LATE9, 5),
		TYPE(MATRIX, HALF, SCOPE, LATE4, C16, ONE), TYPE(MATRIX + 1, FLOAT, SCOPE, LATE9, LATE4, ONE),
		TYPE(MATRIX + 2, PLANTED_BOUND, SCOPE, C32, EIGHT, ONE), TYPE(MATRIX + 3, FLOAT, SCOPE, LATE4, C16, ONE),
		I(SpvOpTypeFloat, 4), BRAIN, 16, 0, NUMBER(60, 9)) };
	uint32_t in[1024], want[1024];
	size_t n = build(in, &before), n_want = build(want, &after);

	want[3] = PLANTED_BOUND + 1;
	ck_assert_msg(!resolve(in, n), "%s", err);
	ck_assert_uint_eq(n_out, n_want);
	ck_assert_mem_eq(out, want, n_want * 4);
}
END_TEST

static const struct { const char *message; struct words deco, global; } refused[] = {
	{ "a matrix of 24-bit floats, want 16, 32 or 64", { 0 }, W(NUMBERS, TYPE(MATRIX, C24, SCOPE, EIGHT, EIGHT, ONE)) },
	{ "a matrix size is specialization constant 4, and no number is that one", W(DECO1(LATE9, SpecId, 9)),
		W(NUMBERS, TYPE(MATRIX, C16, SCOPE, SPEC9, SPEC4, ONE), LATE) },
	{ "a matrix size is specialization constant 4, and no number is that one", W(DECO1(LATE4, SpecId, 4)),
		W(NUMBERS, TYPE(MATRIX, C16, SCOPE, SPEC4, C16, ONE), I(SpvOpSpecConstantTrue, 3), BOOL, LATE4) },
	{ "a matrix type of 6 words, want 7", { 0 },
		W(NUMBERS, I(HLX_SPIRV_MATRIX_TYPE, 6), MATRIX, C16, SCOPE, EIGHT, EIGHT) },
	{ "a matrix type of 8 words, want 7", { 0 },
		W(NUMBERS, I(HLX_SPIRV_MATRIX_TYPE, 8), MATRIX, C16, SCOPE, EIGHT, EIGHT, ONE, ONE) },
	{ "opcode 4456 has 1 words, too few for its ids", { 0 }, W(NUMBERS, I(HLX_SPIRV_MATRIX_TYPE, 1)) },
	{ "id 26 is defined twice", { 0 }, W(NUMBERS, TYPE(MATRIX, C16, SCOPE, EIGHT, EIGHT, ONE), NUMBER(MATRIX, 1)) },
};

START_TEST(errors)
{
	const struct planted p = { .deco = refused[_i].deco, .global = refused[_i].global };
	uint32_t in[1024];

	ck_assert_int_lt(resolve(in, build(in, &p)), 0);
	ck_assert_msg(!strncmp(err, "word ", 5) && strstr(err, refused[_i].message), "said \"%s\", want \"%s\"", err,
			refused[_i].message);
}
END_TEST

START_TEST(too_many)
{
	uint32_t deco[4 * 17], global[400] = { 0 }, in[1024];
	struct planted p = { .deco = { deco, 0 }, .global = { global, 0 } };

	p.global.n = append(global, 0, (struct words)W(NUMBERS));
	for (uint32_t i = 0; i < 17; i++) {
		p.deco.n = append(deco, p.deco.n, (struct words)W(DECO1(60 + i, SpecId, i)));
		p.global.n = append(global, p.global.n, (struct words)W(NUMBER(80 + i, MATRIX_SPEC + i)));
	}
	for (uint32_t i = 0; i < 17; i++)
		p.global.n = append(global, p.global.n, (struct words)W(TYPE(26 + i, C32, SCOPE, 80 + i, EIGHT, ONE)));
	for (uint32_t i = 0; i < 17; i++)
		p.global.n = append(global, p.global.n, (struct words)W(SPEC(UINT, 60 + i, 8)));
	ck_assert_int_lt(resolve(in, build(in, &p)), 0);
	ck_assert_msg(strstr(err, "more than 16 operands of matrix types to move") != NULL, "said \"%s\"", err);
}
END_TEST

/* ---- modules that nobody should have made ---- */

START_TEST(truncated)
{
	for (size_t n = 0; n < COUNT(matrix_v15); n++) {
		int status = resolve(matrix_v15, n);
		ck_assert_msg(status < 0 || n >= HLX_SPIRV_HEADER_WORDS, "%zu words pass", n);
	}
}
END_TEST

/* What passes is a module still: the same instructions, but for those that were made. */
START_TEST(damaged)
{
	static uint32_t code[COUNT(matrix_v15)];
	uint32_t seed = 1;
	int accepted = 0, refused_ = 0;

	for (unsigned turn = 0; turn < 20000; turn++) {
		memcpy(code, matrix_v15, sizeof code);
		for (unsigned k = 0; k < 1 + turn % 4; k++) {
			seed = seed * 1664525u + 1013904223u;
			uint32_t at = HLX_SPIRV_HEADER_WORDS + (seed >> 8) % (COUNT(code) - HLX_SPIRV_HEADER_WORDS);
			seed = seed * 1664525u + 1013904223u;
			code[at] = turn & 1 ? code[seed % COUNT(code)] : (code[at] & ~63u) | seed >> 26;
		}
		if (resolve(code, COUNT(code))) {
			refused_++;
			continue;
		}
		accepted++;
		ck_assert(n_out >= COUNT(code) && n_out <= COUNT(code) + 9 && n_out % 3 == COUNT(code) % 3);
		struct hlx_spirv_iter it;
		struct hlx_spirv_inst in;
		int more = hlx_spirv_begin(&it, out, n_out * 4, err, sizeof err);
		while (!more && (more = hlx_spirv_next(&it, &in)) > 0)
			more = 0;
		ck_assert_msg(it.at == n_out, "%s", err);
	}
	ck_assert_msg(accepted > 1000 && refused_ > 1000, "%d accepted, %d refused", accepted, refused_);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("matrix");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, compiled);
	tcase_add_loop_test(t, without_matrices, 0, COUNT(modules));
	tcase_add_test(t, planted);
	tcase_add_loop_test(t, errors, 0, COUNT(refused));
	tcase_add_test(t, too_many);
	tcase_add_test(t, truncated);
	tcase_add_test(t, damaged);
	return suite_run("matrix", t);
}
