/*
 * public_shaders.c - the shaders that other Vulkan programs may use, in such a program: bindings and push constants of
 * docs/plugin.md's table, results against plain formulas in double.
 *
 *     public_shaders [FOLDER]     a folder with *.spv; without: the build tree's
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/public_check.h"

static struct vulkan vk;
static const char *folder;
static unsigned failures, checks;

/* -- arrays ------------------------------------------------------------------------------------------------ */

float *make(size_t n)
{
	float *x = malloc((n ? n : 1) * sizeof(*x));

	if (!x)
		exit(1);
	for (size_t i = 0; i < n; i++)
		x[i] = NAN; /* what a shader should have written shows */
	return x;
}

float *numbers(size_t n, uint32_t seed)
{
	float *x = make(n);

	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		x[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
	}
	return x;
}

struct array floats(float *x, size_t n)
{
	return (struct array){ x, n * sizeof(*x) };
}

void run(const char *op, const char *name, const void *push, uint32_t push_bytes, const struct array *a,
		uint32_t n, uint32_t x, uint32_t y)
{
	const char *build = getenv("top_builddir");
	char path[4096];

	if (folder)
		snprintf(path, sizeof(path), "%s/%s.spv", folder, name);
	else
		snprintf(path, sizeof(path), "%s/plugins/%s/%s.spv", build ? build : ".", op, name);
	vulkan_run(&vk, path, push, push_bytes, a, n, x, y);
}

void expect(const char *name, const char *what, size_t i, double got, double want, double tolerance)
{
	checks++;
	if (fabs(got - want) <= tolerance)
		return;
	if (failures++ < 20)
		fprintf(stderr, "public_shaders: %s, %s, element %zu: %.9g, want %.9g\n", name, what, i, got, want);
}

void release(int n, ...)
{
	va_list ap;

	va_start(ap, n);
	while (n--)
		free(va_arg(ap, void *));
	va_end(ap);
}

/* -- gemm -------------------------------------------------------------------------------------------------- */

struct gemm {
	uint32_t m, k, n, last; /* use_bias; backward: mode */
};

/* The specification's own test: C[0] is 256, exactly; here every element is. */
static void check_integration(void)
{
	const struct gemm p = { 512, 256, 512, 0 };
	float *a = make(512 * 256), *b = make(256 * 512), *c = make(512 * 512), none[1] = { 0 };
	const struct array arrays[] = { floats(a, 512 * 256), floats(b, 256 * 512), floats(c, 512 * 512), floats(none, 1) };

	for (size_t i = 0; i < 512 * 256; i++)
		a[i] = b[i] = 1;
	run("gemm", "gemm", &p, sizeof(p), arrays, 4, 512 / 16, 512 / 16);
	for (size_t i = 0; i < 512 * 512; i++)
		expect("gemm", "ones", i, c[i], 256, 0);
	release(3, a, b, c);
}

static void check_gemm(uint32_t m, uint32_t k, uint32_t n, uint32_t use_bias)
{
	const struct gemm p = { m, k, n, use_bias };
	float *a = numbers(m * k, 1), *b = numbers(k * n, 2), *c = make(m * n), *bias = numbers(n, 3);
	const struct array arrays[] = { floats(a, m * k), floats(b, k * n), floats(c, m * n), floats(bias, n) };

	run("gemm", "gemm", &p, sizeof(p), arrays, 4, (n + 15) / 16, (m + 15) / 16);
	for (uint32_t i = 0; i < m * n; i++) {
		double want = use_bias ? bias[i % n] : 0;
		for (uint32_t l = 0; l < k; l++)
			want += (double)a[i / n * k + l] * (double)b[l * n + i % n];
		expect("gemm", "C", i, c[i], want, 1e-6 * k + 1e-6);
	}
	release(4, a, b, c, bias);
}

static void check_gemm_backward(uint32_t m, uint32_t k, uint32_t n)
{
	const struct gemm p0 = { m, k, n, 0 }, p1 = { m, k, n, 1 };
	float *a = numbers(m * k, 1), *b = numbers(k * n, 2), *dc = numbers(m * n, 3), *da = make(m * k), *db = make(k * n);
	const struct array mode0[] = { floats(dc, m * n), floats(b, k * n), floats(da, m * k) };
	const struct array mode1[] = { floats(a, m * k), floats(dc, m * n), floats(db, k * n) };

	run("gemm", "gemm_backward", &p0, sizeof(p0), mode0, 3, (k + 15) / 16, (m + 15) / 16);
	run("gemm", "gemm_backward", &p1, sizeof(p1), mode1, 3, (n + 15) / 16, (k + 15) / 16);
	for (uint32_t i = 0; i < m * k; i++) {
		double want = 0;
		for (uint32_t j = 0; j < n; j++)
			want += (double)dc[i / k * n + j] * (double)b[i % k * n + j];
		expect("gemm_backward", "dA", i, da[i], want, 1e-6 * n + 1e-6);
	}
	for (uint32_t i = 0; i < k * n; i++) {
		double want = 0;
		for (uint32_t l = 0; l < m; l++)
			want += (double)a[l * k + i / n] * (double)dc[l * n + i % n];
		expect("gemm_backward", "dB", i, db[i], want, 1e-6 * m + 1e-6);
	}
	release(5, a, b, dc, da, db);
}

/* -- gelu and adam ----------------------------------------------------------------------------------------- */

static double gelu(double x)
{
	return 0.5 * x * (1 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
}

static void check_gelu(uint32_t n)
{
	float *x = numbers(n, 1), *y = make(n), *dy = numbers(n, 2), *dx = make(n);
	const struct array forward[] = { floats(x, n), floats(y, n) };
	const struct array backward[] = { floats(x, n), floats(dy, n), floats(dx, n) };

	for (uint32_t i = 0; i < n; i++)
		x[i] *= 6;
	run("gelu", "gelu_forward", &n, sizeof(n), forward, 2, (n + 255) / 256, 1);
	run("gelu", "gelu_backward", &n, sizeof(n), backward, 3, 1, 1); /* one workgroup does it all */
	for (uint32_t i = 0; i < n; i++) {
		double slope = (gelu(x[i] + 1e-5) - gelu(x[i] - 1e-5)) / 2e-5;
		expect("gelu_forward", "output", i, y[i], gelu(x[i]), 2e-6);
		expect("gelu_backward", "d_input", i, dx[i], slope * dy[i], 1e-5);
	}
	release(4, x, y, dy, dx);
}

static void check_adam(uint32_t n)
{
	struct { uint32_t num_params; float lr, beta1, beta2, eps, beta1_t, beta2_t; } p = { n, 3e-4f, 0.9f, 0.999f, 1e-8f,
		1, 1 };
	float *param = numbers(n, 1), *grad = numbers(n, 2), *m = make(n), *v = make(n);
	double *want = calloc(3 * n, sizeof(*want));
	const struct array arrays[] = { floats(param, n), floats(grad, n), floats(m, n), floats(v, n) };

	for (uint32_t i = 0; i < n; i++) {
		m[i] = v[i] = 0;
		want[i] = param[i];
	}
	for (int t = 1; t <= 5; t++) {
		p.beta1_t *= p.beta1;
		p.beta2_t *= p.beta2;
		run("adam", "adam_update", &p, sizeof(p), arrays, 4, 1, 1);
		for (uint32_t i = 0; i < n; i++) {
			double *wm = &want[n + i], *wv = &want[2 * n + i], g = grad[i];
			*wm = 0.9 * *wm + 0.1 * g;
			*wv = 0.999 * *wv + 0.001 * g * g;
			want[i] -= 3e-4 * (*wm / (1 - pow(0.9, t))) / (sqrt(*wv / (1 - pow(0.999, t))) + 1e-8);
			expect("adam_update", "m", i, m[i], *wm, 1e-6);
			expect("adam_update", "v", i, v[i], *wv, 1e-6);
			expect("adam_update", "params", i, param[i], want[i], 1e-6);
			grad[i] = -0.7f * grad[i];
		}
	}
	release(5, param, grad, m, v, want);
}

int main(int argc, char **argv)
{
	folder = argc > 1 ? argv[1] : NULL;
	vulkan_open(&vk);
	check_integration();
	check_gemm(33, 70, 17, 1);
	check_gemm(3, 257, 31, 0);
	check_gemm(1, 1, 1, 1);
	check_gemm_backward(33, 70, 17);
	check_gemm_backward(3, 1, 257);
	check_rows();
	check_gelu(1);
	check_gelu(1029);
	check_adam(257);
	vulkan_close(&vk);
	printf("%u checks, %u failures\n", checks, failures);
	return failures != 0;
}
