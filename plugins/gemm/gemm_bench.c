/*
 * gemm_bench.c - shapes worth timing, and what they ask of a device: squares, then the three models' at two batch
 * sizes each: qkv, fc, mlp, proj, logits, score, ctx.
 */
#include "gemm.h"
#include "plugins/work.h"

#define MODEL(b, t, d, heads, width) \
	"a=" #b "x" #t "x" #d " out=" #d " bias=yes", "a=" #b "x" #t "x" #d " out=256", \
	"a=" #b "x" #heads "x" #t "x" #width " b=" #b "x" #heads "x" #t "x" #width " transpose_b=yes", \
	"a=" #b "x" #heads "x" #t "x" #t " b=" #b "x" #heads "x" #t "x" #width

const char *const gemm_bench[] = {
	"a=512x512 b=512x512", "a=1024x1024 b=1024x1024", "a=2048x2048 b=2048x2048", "a=4096x4096 b=4096x4096",
	"a=8x128x256 out=768 bias=yes", "a=8x128x256 out=1024 bias=yes", "a=8x128x1024 out=256 bias=yes",
	MODEL(8, 128, 256, 4, 64),
	"a=64x128x256 out=768 bias=yes", "a=64x128x256 out=1024 bias=yes", "a=64x128x1024 out=256 bias=yes",
	MODEL(64, 128, 256, 4, 64),
	"a=8x256x512 out=1536 bias=yes", "a=8x256x512 out=2048 bias=yes", "a=8x256x2048 out=512 bias=yes",
	MODEL(8, 256, 512, 8, 64),
	"a=64x256x512 out=1536 bias=yes", "a=64x256x512 out=2048 bias=yes", "a=64x256x2048 out=512 bias=yes",
	MODEL(64, 256, 512, 8, 64),
	"a=8x512x768 out=2304 bias=yes", "a=8x512x768 out=3072 bias=yes", "a=8x512x3072 out=768 bias=yes",
	MODEL(8, 512, 768, 12, 64),
	"a=32x512x768 out=2304 bias=yes", "a=32x512x768 out=3072 bias=yes", "a=32x512x3072 out=768 bias=yes",
	MODEL(32, 512, 768, 12, 64),
	NULL
};

static double product(const struct gemm_task *t)
{
	return 2.0 * (double)t->m * (double)t->n * (double)t->k * (double)t->z;
}

struct hlx_work gemm_work(const struct hlx_node *node, bool backward)
{
	unsigned other = gemm_has_weight(node) ? GEMM_WEIGHT : GEMM_B;
	double a = work_count(&node->desc[GEMM_A]), b = work_count(&node->desc[other]), c = work_count(&node->desc[GEMM_C]);
	struct gemm_task t = gemm_task_forward(node);
	struct hlx_work w = { product(&t), 4 * (a + b + c) };

	if (!backward) {
		w.ops += node->desc[GEMM_BIAS].rank ? c : 0;
		return w;
	}
	w = (struct hlx_work){ 0, 4 * c };
	if (gemm_wants(node, GEMM_A)) {
		w.ops += product(&t);
		w.bytes += 4 * b + work_grad(node, GEMM_A);
	}
	if (gemm_wants(node, other)) {
		w.ops += product(&t);
		w.bytes += 4 * a + (other == GEMM_WEIGHT ? work_runs(node, GEMM_WEIGHT) : work_grad(node, GEMM_B));
	}
	if (gemm_wants(node, GEMM_BIAS) && node->desc[GEMM_BIAS].rank) {
		w.ops += c;
		w.bytes += work_runs(node, GEMM_BIAS);
	}
	return w;
}
