/* check_gpt2.c - GPT-2 folders of strangers, and values of 16 bits. */
#include "runner/cli.h"
#include "runner/gpt2.h"
#include "runner/weights.h"

#include "core/numerics.h"
#include "hlx/math.h"
#include "tests/run_files.h"
#include "tests/suite.h"

#include <math.h>

static const char config[] =
	"{\"model_type\": \"gpt2\", \"vocab_size\": 7, \"n_positions\": 5, \"n_embd\": 4, \"n_layer\": 1, \"n_head\": 2, \"n_inner\": 6,"
	" \"activation_function\": \"gelu_new\", \"layer_norm_epsilon\": 1e-05, \"tie_word_embeddings\": true, \"add_cross_attention\": false}";

static void put_in(const char *name, const void *bytes, size_t n)
{
	snprintf(path, sizeof path, "%s/%s", dir, name);
	put_file(bytes, n);
}

/* ---- config.json ---- */

START_TEST(defaults_are_those_of_transformers)
{
	static const char bare[] = "{\"model_type\": \"gpt2\", \"n_inner\": null}";
	struct gpt2 g;

	put_in("config.json", bare, sizeof bare - 1);
	ck_assert_int_eq(gpt2_read_config(dir, &g), 0);
	ck_assert_uint_eq(g.vocab_size, 50257);
	ck_assert_uint_eq(g.max_seq_len, 1024);
	ck_assert_uint_eq(g.d_model, 768);
	ck_assert_uint_eq(g.num_layers, 12);
	ck_assert_uint_eq(g.num_heads, 12);
	ck_assert_uint_eq(g.ffn_dim, 3072);
	ck_assert(g.eps == 1e-5 && g.tied);
}
END_TEST

/* One to three bytes of text become others. */
static void mutate(char *text, size_t n, uint64_t i)
{
	static const char likely[] = "{}[]\",:-+.eE0123456789tfn \\u";
	uint32_t r[4];

	hlx_philox(3, 1, i, r);
	for (uint32_t k = 0; k <= r[0] % 3; k++) {
		uint32_t at = (r[1] >> 8 * k) * 7919u + r[2];
		text[at % n] = r[3] >> 31 ? likely[(r[3] >> 8 * k & 255u) % (sizeof likely - 1)] : (char)(r[3] >> 8 * k);
	}
}

static bool is_one_line(void)
{
	return *hlx_message() && !strchr(hlx_message(), '\n');
}

/* Whatever it says: a model within bounds, or one line; no crash (the sanitizers watch). */
START_TEST(mutated_configs)
{
	char text[sizeof config];
	uint64_t good = 0;

	for (uint64_t i = 0; i < 5000; i++) {
		struct gpt2 g;
		memcpy(text, config, sizeof config);
		mutate(text, sizeof config - 1, i);
		put_in("config.json", text, sizeof config - 1);
		if (gpt2_read_config(dir, &g) < 0) {
			ck_assert_msg(is_one_line(), "%s", hlx_message());
			continue;
		}
		good++;
		ck_assert(g.vocab_size && g.d_model && g.num_layers && g.ffn_dim && g.max_seq_len && g.eps > 0);
		ck_assert_uint_eq(g.d_model % g.num_heads, 0);
	}
	ck_assert_uint_gt(good, 50);
}
END_TEST

/* ---- the command ---- */

static const struct {
	const char *name;
	uint32_t rank;
	uint64_t dim[2];
} tensors[] = {
	{ "wte.weight", 2, { 7, 4 } }, { "wpe.weight", 2, { 5, 4 } }, { "h.0.ln_1.weight", 1, { 4 } }, { "h.0.ln_1.bias", 1, { 4 } },
	{ "h.0.attn.c_attn.weight", 2, { 4, 12 } }, { "h.0.attn.c_attn.bias", 1, { 12 } },
	{ "h.0.attn.c_proj.weight", 2, { 4, 4 } }, { "h.0.attn.c_proj.bias", 1, { 4 } }, { "h.0.ln_2.weight", 1, { 4 } },
	{ "h.0.ln_2.bias", 1, { 4 } }, { "h.0.mlp.c_fc.weight", 2, { 4, 6 } }, { "h.0.mlp.c_fc.bias", 1, { 6 } },
	{ "h.0.mlp.c_proj.weight", 2, { 6, 4 } }, { "h.0.mlp.c_proj.bias", 1, { 4 } }, { "ln_f.weight", 1, { 4 } },
	{ "ln_f.bias", 1, { 4 } }, { "h.0.attn.masked_bias", 1, { 1 } },
};

static struct hlx_desc desc_of(size_t i)
{
	return (struct hlx_desc){ .dtype = HLX_F32, .rank = tensors[i].rank, .dim = { tensors[i].dim[0], tensors[i].dim[1] } };
}

/* Element e of tensor i is i + e / 1000. */
static void write_weights(void)
{
	struct st_writer w;

	snprintf(path, sizeof path, "%s/model.safetensors", dir);
	unlink(path);
	ck_assert_int_eq(st_begin(&w, path), 0);
	for (size_t i = 0; i < CLI_COUNT(tensors); i++) {
		const struct hlx_desc d = desc_of(i);
		ck_assert_int_eq(st_declare(&w, tensors[i].name, &d), 0);
	}
	ck_assert_int_eq(st_header(&w), 0);
	for (size_t i = 0; i < CLI_COUNT(tensors); i++) {
		const struct hlx_desc d = desc_of(i);
		for (uint64_t e = 0; e < hlx_numel(&d); e++) {
			float x = (float)i + (float)e / 1000;
			ck_assert_int_eq(st_write(&w, &x, 4), 0);
		}
	}
	ck_assert_int_eq(st_end(&w, 0), 0);
}

static int import(char *out, size_t room)
{
	struct cli_args args = { .operand = dir, .out = out, .quiet = true };

	snprintf(out, room, "%s/out", dir);
	return command_import.run(&args);
}

static void remove_out(const char *out)
{
	char file[160];

	snprintf(file, sizeof file, "%s/model.ini", out);
	unlink(file);
	snprintf(file, sizeof file, "%s/model.safetensors", out);
	unlink(file);
	ck_assert_int_eq(rmdir(out), 0);
}

/* Import of files whose bytes are damaged anywhere, tensors' names and sizes in the header above all: one line and nothing
 * written, or a model. */
START_TEST(mutated_folders)
{
	static char good[8192], bytes[8192];
	char out[96];
	uint64_t imported = 0, size;
	size_t n;

	put_in("config.json", config, sizeof config - 1);
	write_weights();
	n = get_file(path, good, sizeof good);
	memcpy(&size, good, sizeof size);
	ck_assert_msg(import(out, sizeof out) >= 0, "%s", hlx_message());
	remove_out(out);
	for (uint64_t i = 0; i < 150; i++) {
		memcpy(bytes, good, n);
		mutate(bytes, i % 3 ? 8 + size : n, i);
		put_in("model.safetensors", bytes, n);
		if (import(out, sizeof out) >= 0) {
			imported++;
			remove_out(out);
			continue;
		}
		ck_assert_msg(is_one_line(), "%s", hlx_message());
		ck_assert_int_ne(access(out, F_OK), 0);
	}
	ck_assert_uint_gt(imported, 5);
	ck_assert_uint_lt(imported, 120);
}
END_TEST

/* What is not finite has no place in a model. */
START_TEST(not_finite)
{
	static char bytes[8192];
	const float nan = NAN;
	char out[96];
	size_t n;

	put_in("config.json", config, sizeof config - 1);
	write_weights();
	n = get_file(path, bytes, sizeof bytes);
	memcpy(bytes + n - 4 - 4 * 4, &nan, 4); /* ln_f.bias, before masked_bias */
	put_in("model.safetensors", bytes, n);
	ck_assert_int_eq(import(out, sizeof out), HLX_EIO);
	ck_assert_msg(strstr(hlx_message(), "ln_f.bias: element 0 is not finite") != NULL, "%s", hlx_message());
	ck_assert_int_ne(access(out, F_OK), 0);
}
END_TEST

/* ---- 16 bits ---- */

/* The value of a binary16, from its definition. */
static float half_value(uint16_t h)
{
	int e = h >> 10 & 31, m = h & 1023;
	double x = e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);

	return (float)(h >> 15 ? -x : x);
}

START_TEST(every_value_of_16_bits)
{
	const struct hlx_desc d = { .dtype = HLX_F16, .rank = 1, .dim = { 65536 } }, b = { .dtype = HLX_BF16, .rank = 1, .dim = { 65536 } };
	static uint16_t all[65536];
	static float out[65536];
	struct st_writer w;
	struct st_file f;

	for (uint32_t i = 0; i < 65536; i++)
		all[i] = (uint16_t)i;
	ck_assert_int_eq(st_begin(&w, path), 0);
	ck_assert_int_eq(st_declare(&w, "half", &d), 0);
	ck_assert_int_eq(st_declare(&w, "brain", &b), 0);
	ck_assert_int_eq(st_header(&w), 0);
	ck_assert_int_eq(st_write(&w, all, sizeof all), 0);
	ck_assert_int_eq(st_write(&w, all, sizeof all), 0);
	ck_assert_int_eq(st_end(&w, 0), 0);
	ck_assert_int_eq(st_open(path, &f), 0);
	ck_assert_int_eq(weights_read(&f, st_find(&f, "half"), out), 0);
	for (uint32_t i = 0; i < 65536; i++)
		if ((i >> 10 & 31) == 31)
			ck_assert(i & 1023 ? isnan(out[i]) : isinf(out[i]) && !signbit(out[i]) == !(i >> 15));
		else
			ck_assert_msg(hlx_bits(out[i]) == hlx_bits(half_value((uint16_t)i)), "%04x", i);
	ck_assert_int_eq(weights_read(&f, st_find(&f, "brain"), out), 0);
	for (uint32_t i = 0; i < 65536; i++)
		ck_assert_uint_eq(hlx_bits(out[i]), i << 16);
	st_close(&f);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("gpt2");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, defaults_are_those_of_transformers);
	tcase_add_test(t, mutated_configs);
	tcase_add_test(t, mutated_folders);
	tcase_add_test(t, not_finite);
	tcase_add_test(t, every_value_of_16_bits);
	return suite_run("gpt2", t);
}
