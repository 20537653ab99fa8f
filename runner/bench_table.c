/* bench_table.c - what was measured, for people: everything comes out of the JSON that tools get. */
#include "runner/bench.h"

#include <string.h>

void bench_rate(const struct bench *b, json_t *object, double seconds, struct hlx_work w, const struct hlx_impl *impl)
{
	bool copies;

	json_object_set_new(object, "seconds", json_real(seconds));
	if (w.ops <= 0 && w.bytes <= 0)
		return;
	double share = hlx_ceiling_share(&b->ceiling, w, seconds, impl->tier == HLX_PORTABLE, &copies);
	json_object_set_new(object, "ops_per_s", json_real(w.ops / seconds));
	json_object_set_new(object, "bytes_per_s", json_real(w.bytes / seconds));
	json_object_set_new(object, "share", json_real(share));
	json_object_set_new(object, "ceiling", json_string(copies ? "copy" : impl->tier == HLX_PORTABLE ? "muladd" : "fma"));
}

static double real(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

void bench_print_device(const struct bench *b)
{
	printf("device    %s, timed by %s\n", string(b->out, "device"),
			b->timer.stamps ? "its timestamps" : "the clock on the wall");
	printf("ceilings  copy %.1f GB/s, mul + add %.1f GFLOP/s (portable), fma %.1f GFLOP/s (device)\n\n", b->ceiling.copy * 1e-9,
			b->ceiling.muladd * 1e-9, b->ceiling.fma * 1e-9);
}

/* "     12.3 us     512.0      33.1   45.1 % copy" */
static void print_rate(const json_t *o)
{
	double s = real(o, "seconds");

	printf("%10.1f us", s * 1e6);
	if (json_object_get(o, "share"))
		printf(" %9.1f %9.1f %6.1f %% %s", real(o, "ops_per_s") * 1e-9, real(o, "bytes_per_s") * 1e-9, real(o, "share") * 100,
				string(o, "ceiling"));
	putchar('\n');
}

void bench_print_cases(const struct bench *b)
{
	const char *last = "";
	const json_t *row;
	size_t i;

	bench_print_device(b);
	printf("  %-10s %-22s %13s %9s %9s %8s\n", "impl", "pass", "median", "GFLOP/s", "GB/s", "share of");
	json_array_foreach(json_object_get(b->out, "cases"), i, row) {
		if (strcmp(last, string(row, "case")))
			printf("%s %s\n", string(b->out, "op"), string(row, "case"));
		last = string(row, "case");
		printf("  %-10s ", string(row, "impl"));
		if (json_object_get(row, "skipped")) {
			printf("- %s\n", string(row, "skipped"));
			continue;
		}
		printf("%-22s ", string(row, "pass"));
		print_rate(row);
	}
}

static void print_memory(const json_t *memory)
{
	const char *key;
	const json_t *value;

	printf("\nmemory   ");
	json_object_foreach((json_t *)memory, key, value)
		printf(" %s %.1f%s", key, json_number_value(value) / 1048576.0, strcmp(key, "total") ? "," : " MiB\n");
}

static void print_epochs(const json_t *epochs)
{
	const json_t *epoch, *step;
	size_t i, k;

	printf("\nwhat runs at once:\n");
	json_array_foreach(epochs, i, epoch)
		json_array_foreach(json_object_get(epoch, "steps"), k, step)
			if (k)
				printf("%16s%s\n", "", json_string_value(step));
			else
				printf("  %9.2f us  %s\n", 1e6 * real(epoch, "seconds"), json_string_value(step));
}

static void print_work(const struct bench *b)
{
	double ops = real(b->out, "step_ops"), bytes = real(b->out, "step_bytes"), s = real(b->out, "step_seconds");
	bool fma = !strcmp(string(b->out, "mode"), "device");

	printf("work      %.1f GFLOP, %.2f GB: %.1f GFLOP/s (%.1f %% of %s), %.1f GB/s (%.1f %% of copy)\n", ops * 1e-9, bytes * 1e-9,
			ops / s * 1e-9, 100 * ops / s / (fma ? b->ceiling.fma : b->ceiling.muladd), fma ? "fma" : "mul + add",
			bytes / s * 1e-9, 100 * bytes / s / b->ceiling.copy);
}

void bench_print_model(const struct bench *b)
{
	const json_t *o = b->out, *row;
	double profile = real(o, "profile_seconds");
	const char *key;
	size_t i;

	bench_print_device(b);
	printf("%s: %.0f x %.0f tokens a step\n", string(o, "model"), real(o, "batch_size"), real(o, "seq_len"));
	printf("step      %.3f ms on the wall, %.0f tokens/s; %.1f us of the host's CPU; %.0f dispatches, %.0f barriers\n",
			real(o, "step_seconds") * 1e3, real(o, "tokens_per_s"), real(o, "cpu_seconds") * 1e6, real(o, "dispatches"),
			real(o, "barriers"));
	print_work(b);
	printf("profile   %.3f ms:", profile * 1e3);
	json_object_foreach(json_object_get(o, "phases"), key, row)
		printf(" %s %.3f ms (%.0f %%)", key, json_number_value(row) * 1e3, 100 * json_number_value(row) / profile);
	printf("\n\n  %-24s %-9s %6s %6s  %6s %13s %9s %9s %8s\n", "op/impl", "pass", "nodes", "disp.", "% time", "together",
			"GFLOP/s", "GB/s", "share of");
	json_array_foreach(json_object_get(o, "ops"), i, row) {
		char name[64];
		snprintf(name, sizeof name, "%s/%s", string(row, "op"), string(row, "impl"));
		printf("  %-24s %-9s %6.0f %6.0f  %6.1f ", name, string(row, "phase"), real(row, "nodes"), real(row, "dispatches"),
				100 * real(row, "seconds") / profile);
		print_rate(row);
	}
	print_memory(json_object_get(o, "memory"));
	if (json_object_get(o, "epochs"))
		print_epochs(json_object_get(o, "epochs"));
}
