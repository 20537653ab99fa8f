/* check_decorate - hlx-spirv, the program that decorates kernels and turns them into C. */
#include <check.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/spirv/matrix.v15.h"
#include "tests/spirv_modules.h"
#include "tests/suite.h"

static char dir[] = "/tmp/check_spirv.XXXXXX";
static char path_in[64], path_out[64], path_again[64], path_header[64], path_err[64];

static void setup_dir(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path_in, sizeof path_in, "%s/in-1.comp.spv", dir);
	snprintf(path_out, sizeof path_out, "%s/out.spv", dir);
	snprintf(path_again, sizeof path_again, "%s/again.raw", dir);
	snprintf(path_header, sizeof path_header, "%s/out.h", dir);
	snprintf(path_err, sizeof path_err, "%s/err", dir);
}

static void teardown_dir(void)
{
	char *const made[] = { path_in, path_out, path_again, path_header, path_err };

	for (size_t i = 0; i < COUNT(made); i++)
		remove(made[i]);
	ck_assert_msg(rmdir(dir) == 0, "%s holds a file that hlx-spirv left", dir);
	strcpy(dir, "/tmp/check_spirv.XXXXXX");
}

static int shell(const char *command)
{
	int status = system(command);

	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The program's exit status; what it said is in path_err. */
__attribute__((format(printf, 1, 2)))
static int tool(const char *fmt, ...)
{
	const char *program = getenv("HLX_SPIRV"), *build_dir = getenv("top_builddir");
	char args[512], command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args, sizeof args, fmt, ap);
	va_end(ap);
	snprintf(command, sizeof command, "'%s%s' %s >'%s' 2>&1", program ? program : build_dir ? build_dir : ".",
			program ? "" : "/hlx-spirv", args, path_err);
	return shell(command);
}

static void save(const char *path, const void *data, size_t bytes)
{
	FILE *f = fopen(path, "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, bytes, f), bytes);
	ck_assert_int_eq(fclose(f), 0);
}

/* At most room bytes, and a 0 behind them. */
static size_t load(const char *path, void *data, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t bytes;

	ck_assert_msg(f != NULL, "no %s", path);
	bytes = fread(data, 1, room, f);
	ck_assert_uint_lt(bytes, room);
	((char *)data)[bytes] = 0;
	fclose(f);
	return bytes;
}

static void assert_says(const char *want)
{
	char text[4096];

	load(path_err, text, sizeof text);
	ck_assert_msg(strstr(text, want) != NULL, "said \"%s\", want \"%s\"", text, want);
}

static void assert_one_line(void)
{
	char text[4096];
	size_t n = load(path_err, text, sizeof text);

	ck_assert_msg(n > 0 && strchr(text, '\n') == text + n - 1, "said \"%s\"", text);
}

/* By number, so as not to believe the list under test: FAdd FSub FMul FDiv FRem FMod, VectorTimesScalar to Dot. */
static bool rounds(uint32_t op)
{
	return op == 129 || op == 131 || op == 133 || op == 136 || (op >= 140 && op <= 148);
}

struct tally { int floats, decorated, decorations, functions; };

static struct tally count_floats(const uint32_t *code, size_t n)
{
	static uint8_t marks[4096];
	struct tally t = { 0 };
	bool fresh = false; /* in a function with no float operation yet */

	memset(marks, 0, sizeof marks);
	for (size_t at = 5; at < n; at += code[at] >> 16) {
		uint32_t op = code[at] & 0xffff;
		fresh |= op == SpvOpFunction;
		if (op == SpvOpDecorate && code[at + 2] == SpvDecorationNoContraction) {
			ck_assert_uint_lt(code[at + 1], sizeof marks);
			marks[code[at + 1]]++;
			t.decorations++;
		} else if (rounds(op)) {
			t.floats++;
			t.decorated += marks[code[at + 2]] == 1;
			t.functions += fresh;
			fresh = false;
		}
	}
	return t;
}

static void validate(const char *path)
{
	char command[256];

	if (shell("command -v spirv-val >/dev/null 2>&1"))
		return;
	snprintf(command, sizeof command, "spirv-val --target-env vulkan1.2 '%s'", path);
	ck_assert_int_eq(shell(command), 0);
}

/* What was there is still there, in order: only the decorations are new, and they stand together. */
static void assert_only_added(const struct module *m, const uint32_t *code, size_t n)
{
	size_t added = n - m->n_words, same = 0;

	while (same < m->n_words && code[same] == m->code[same])
		same++;
	if (added == 0)
		ck_assert_uint_eq(same, n);
	else /* the first added word may equal the one it displaced */
		ck_assert_mem_eq(code + same + added, m->code + same, (m->n_words - same) * 4);
}

START_TEST(decorated)
{
	const struct module *m = &modules[_i];
	static uint32_t code[16384], again[16384];
	struct tally before = count_floats(m->code, m->n_words), after;
	struct hlx_reflect r, r_out;
	size_t bytes;

	save(path_in, m->code, m->n_words * 4);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 0);
	bytes = load(path_out, code, sizeof code);
	after = count_floats(code, bytes / 4);
	ck_assert_int_eq(after.floats, before.floats);
	ck_assert_int_eq(after.decorated, after.floats);
	ck_assert_int_eq(after.decorations - before.decorations, before.floats - before.decorated);
	ck_assert_uint_eq(bytes / 4, m->n_words + 3 * (size_t)(after.decorations - before.decorations));
	assert_only_added(m, code, bytes / 4);
	validate(path_out);
	ck_assert_int_eq(reflect(m->code, m->n_words, &r), 0);
	ck_assert_int_eq(reflect(code, bytes / 4, &r_out), 0);
	ck_assert_mem_eq(&r, &r_out, sizeof r);

	ck_assert_int_eq(tool("--binary '%s' -o '%s'", path_out, path_again), 0);
	ck_assert_uint_eq(load(path_again, again, sizeof again), bytes);
	ck_assert_mem_eq(again, code, bytes);
}
END_TEST

START_TEST(ops_are_what_they_test)
{
	struct tally t = count_floats(ops_v15, COUNT(ops_v15));

	ck_assert_int_ge(t.floats, 18);
	ck_assert_int_ge(t.functions, 3);
	ck_assert_int_gt(t.decorated, 0); /* the precise ones */
	ck_assert_int_lt(t.decorated, t.floats);
}
END_TEST

/* Each operation, whatever compilers write today; and none of the others, the integer ones and FNegate among them. */
START_TEST(every_operation)
{
	uint32_t w[5 * 40], in[1024];
	static uint32_t out[1024];
	struct words body = { w, 0 };
	struct planted p = { 0 };
	struct tally t;
	size_t n;

	for (uint32_t op = 126; op < 160; op++)
		body.n = append(w, body.n, (struct words)W(I(op, 5), FLOAT, op - 90, ONE, ONE));
	p.body = body;
	n = build(in, &p);
	save(path_in, in, n * 4);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 0);
	ck_assert_uint_eq(load(path_out, out, sizeof out), (n + 3 * 13) * 4);
	t = count_floats(out, n + 3 * 13);
	ck_assert_int_eq(t.decorated, 13);
	ck_assert_int_eq(t.decorations, 13);
}
END_TEST

/* A module without one annotation: the decoration goes before the types. */
START_TEST(no_annotations)
{
	const struct words parts[] = {
		W(0x07230203, 0x00010300, 0, 20, 0, I(SpvOpCapability, 2), SpvCapabilityShader, I(SpvOpMemoryModel, 3), 0, 1,
			ENTRY(GLCompute, FN), I(SpvOpExecutionMode, 6), FN, SpvExecutionModeLocalSize, 1, 1, 1),
		W(I(SpvOpTypeVoid, 2), VOID, I(SpvOpTypeFunction, 3), FN_TYPE, VOID, I(SpvOpTypeFloat, 3), FLOAT, 32,
			I(SpvOpConstant, 4), FLOAT, ONE, 0x3f800000, I(SpvOpFunction, 5), VOID, FN, 0, FN_TYPE,
			I(SpvOpLabel, 2), LABEL, I(SpvOpFAdd, 5), FLOAT, 12, ONE, ONE, I(SpvOpReturn, 1), I(SpvOpFunctionEnd, 1)),
	};
	uint32_t in[1024], out[1024];
	size_t head = append(in, 0, parts[0]), n = append(in, head, parts[1]);

	save(path_in, in, n * 4);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 0);
	ck_assert_uint_eq(load(path_out, out, sizeof out), (n + 3) * 4);
	ck_assert_mem_eq(out + head, ((const uint32_t[]){ DECO(12, NoContraction) }), 12);
	ck_assert_mem_eq(out + head + 3, in + head, (n - head) * 4);
	validate(path_out);
}
END_TEST

/* Of matrices' operations none is decorated, of the others all. */
START_TEST(matrices)
{
	static uint32_t code[8192];
	struct hlx_spirv_iter it;
	struct hlx_spirv_inst in;
	struct hlx_spirv_decos decos;
	uint32_t real = 0;
	int plain = 0, of_matrices = 0;
	size_t n;

	save(path_in, matrix_v15, sizeof matrix_v15);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 0);
	n = load(path_out, code, sizeof code);
	ck_assert_int_eq(hlx_spirv_begin(&it, code, n, err, sizeof err), 0);
	ck_assert_int_eq(hlx_spirv_decos_init(&decos, it), 0);
	while (hlx_spirv_next(&it, &in) > 0) {
		bool marked = hlx_spirv_decos_find(&decos, in.result, HLX_SPIRV_WHOLE, SpvDecorationNoContraction);
		if (in.op == SpvOpTypeFloat && in.w[2] == 32)
			real = in.result;
		if (!rounds(in.op))
			continue;
		plain += in.type == real;
		of_matrices += in.type != real;
		ck_assert_msg(marked == (in.type == real), "opcode %u at word %zu", in.op, in.at);
	}
	hlx_spirv_decos_finish(&decos);
	ck_assert(plain == 1 && of_matrices == 3);
}
END_TEST

START_TEST(bad_matrix)
{
	const struct planted p = { .global = W(I(SpvOpConstant, 4), UINT, 20, 24,
		I(HLX_SPIRV_MATRIX_TYPE, 7), 21, 20, ONE, EIGHT, EIGHT, ONE) };
	uint32_t code[1024];

	save(path_in, code, build(code, &p) * 4);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 4);
	assert_says("in-1.comp.spv: word ");
	assert_says("a matrix of 24-bit floats");
	assert_one_line();
}
END_TEST

START_TEST(header_text)
{
	static const char *const forms[] = { "--name my_kernel", "" }, *const names[] = { "my_kernel", "in_1_spv" };
	static char text[65536], want[128];
	static uint32_t code[8192];
	size_t n = 0, n_code;
	char *s;

	save(path_in, ops_v15, sizeof ops_v15);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 0);
	n_code = load(path_out, code, sizeof code) / 4;
	ck_assert_int_eq(tool("%s '%s' -o '%s'", forms[_i], path_in, path_header), 0);
	load(path_header, text, sizeof text);
	snprintf(want, sizeof want, "\nstatic const uint32_t %s[] = {\n\t0x07230203, ", names[_i]);
	ck_assert_msg(strstr(text, want) != NULL, "header begins\n%.200s", text);
	for (s = strchr(text, '{'); (s = strstr(s, "0x")) != NULL; n++) {
		ck_assert_uint_lt(n, n_code);
		ck_assert_uint_eq(strtoul(s, &s, 16), code[n]);
	}
	ck_assert_uint_eq(n, n_code);
	ck_assert_str_eq(text + strlen(text) - 4, "\n};\n");
}
END_TEST

START_TEST(tool_usage)
{
	static const char *const bad[] = { "", "in.spv", "-o out.h", "a b -o c", "--nonsense", "--name 1a in -o out",
		"--name 'a b' in -o out", "in -o" };

	ck_assert_int_eq(tool("--help"), 0);
	assert_says("usage: hlx-spirv [--name SYMBOL] IN.spv -o OUT");
	for (size_t i = 0; i < COUNT(bad); i++) {
		ck_assert_msg(tool("%s", bad[i]) == 2, "hlx-spirv %s", bad[i]);
		assert_says("usage: hlx-spirv");
	}
}
END_TEST

/* A failed run keeps what OUT held. */
START_TEST(tool_input)
{
	static const struct { size_t bytes; const char *says; } cases[] = {
		{ 0, "0 bytes cannot be" }, { 7, "7 bytes cannot be" }, { 12, "ends inside its header" },
		{ sizeof ops_v10 - 8, "runs past the end" },
	};
	char held[64];

	save(path_header, "old", 3);
	for (size_t i = 0; i < COUNT(cases); i++) {
		save(path_in, ops_v10, cases[i].bytes);
		ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_header), 4);
		assert_says(path_in);
		assert_says(cases[i].says);
		assert_one_line();
	}
	ck_assert_int_eq(tool("'%s/none.spv' -o '%s'", dir, path_header), 4);
	assert_says("none.spv: No such file");
	ck_assert_int_eq(tool("'%s' -o '%s'", dir, path_header), 4);
	assert_says("not a regular file");
	load(path_header, held, sizeof held);
	ck_assert_str_eq(held, "old");
}
END_TEST

START_TEST(tool_output)
{
	save(path_in, ops_v10, sizeof ops_v10);
	ck_assert_int_eq(tool("'%s' -o '%s/none/out.h'", path_in, dir), 6);
	assert_one_line();
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, dir), 6); /* a folder of that name */
	assert_one_line();
}
END_TEST

int main(void)
{
	TCase *program = tcase_create("decorate");

	tcase_add_checked_fixture(program, setup_fence, NULL);
	tcase_add_checked_fixture(program, setup_dir, teardown_dir);
	tcase_set_timeout(program, 60);
	tcase_add_loop_test(program, decorated, 0, COUNT(modules));
	tcase_add_test(program, ops_are_what_they_test);
	tcase_add_test(program, every_operation);
	tcase_add_test(program, no_annotations);
	tcase_add_test(program, matrices);
	tcase_add_test(program, bad_matrix);
	tcase_add_loop_test(program, header_text, 0, 2);
	tcase_add_test(program, tool_usage);
	tcase_add_test(program, tool_input);
	tcase_add_test(program, tool_output);
	return suite_run("decorate", program);
}
