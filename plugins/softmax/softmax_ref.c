/*
 * softmax_ref.c - the definition of softmax.
 *
 * x, y, dx, dy: (rows, cols)
 *
 *     x' = x * scale        m = max x', from -FLT_MAX        e = hlx_exp(x' - m)
 *     y  = store(e * hlx_rcp(tree(e)))
 *     dx = scale * (y * (dy - tree(dy * y)))
 *
 * tree is the row sum of hlx/tree.h, every * is hlx_mul.  Only the columns that the row sees take part (causal: query i
 * of T sees columns j <= i + cols - T); the others get +0, in y and in dx.  A row that sees nothing gets zeros.
 */
#include "hlx/tree.h"
#include "plugins/softmax/softmax.h"

#include <float.h>
#include <math.h>

/* How many of its columns row r sees. */
static uint64_t seen(const struct hlx_node *node, uint64_t r)
{
	struct softmax_mask mask = softmax_mask(node);
	int64_t n = mask.first + (int64_t)(r % mask.t);
	return n < 0 ? 0 : (uint64_t)n;
}

static void row_forward(const float *x, float *y, uint64_t n, uint64_t cols, float scale)
{
	struct hlx_tree64 t;
	float m = -FLT_MAX;
	for (uint64_t j = 0; j < n; j++) {
		y[j] = hlx_mul(x[j], scale);
		m = y[j] > m ? y[j] : m;
	}
	hlx_tree64_init(&t);
	for (uint64_t j = 0; j < n; j++) {
		y[j] = hlx_exp(y[j] - m);
		hlx_tree64_add(&t, j, y[j]);
	}
	float inv = hlx_rcp(hlx_tree64_finish(&t));
	for (uint64_t j = 0; j < cols; j++)
		y[j] = j < n ? hlx_store(hlx_mul(y[j], inv)) : 0.0f;
}

int softmax_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const float *x = value[X];
	float *y = value[Y];
	uint64_t cols = hlx_cols(&node->desc[X]), rows = hlx_rows(&node->desc[X]);
	(void)step;
	for (uint64_t r = 0; r < rows; r++)
		row_forward(x + r * cols, y + r * cols, seen(node, r), cols, softmax_scale(node));
	return 0;
}

int softmax_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		const struct hlx_step *step)
{
	const float *y = value[Y], *dy = grad[Y];
	float *dx = grad[X], scale = softmax_scale(node);
	uint64_t cols = hlx_cols(&node->desc[X]), rows = hlx_rows(&node->desc[X]);
	bool accum = node->accum >> X & 1;
	(void)step;
	if (!(node->grads >> X & 1))
		return 0;
	for (uint64_t r = 0; r < rows; r++, y += cols, dy += cols, dx += cols) {
		uint64_t n = seen(node, r);
		float c = hlx_row_dot(dy, y, n);
		for (uint64_t j = 0; j < cols; j++) {
			float g = j < n ? hlx_mul(scale, hlx_mul(y[j], dy[j] - c)) : 0.0f;
			dx[j] = accum ? hlx_accum(dx[j], g) : hlx_store(g);
		}
	}
	return 0;
}

int softmax_ref64(const struct hlx_node *node, double *const value[])
{
	const double *x = value[X];
	double *y = value[Y], scale = softmax_scale(node);
	uint64_t cols = hlx_cols(&node->desc[X]), rows = hlx_rows(&node->desc[X]);
	for (uint64_t r = 0; r < rows; r++, x += cols, y += cols) {
		uint64_t n = seen(node, r);
		double m = -INFINITY, sum = 0;
		for (uint64_t j = 0; j < n; j++)
			m = x[j] * scale > m ? x[j] * scale : m;
		for (uint64_t j = 0; j < n; j++)
			sum += exp(x[j] * scale - m);
		for (uint64_t j = 0; j < cols; j++)
			y[j] = j < n ? exp(x[j] * scale - m) / sum : 0;
	}
	return 0;
}
