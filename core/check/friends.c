/*
 * friends.c - check.scale: y = 0.75 x, and check.add: y = a + b, any layout; host calls, so that they need no kernel.
 *
 * x, a, b, y: any shape, all alike.  The reference and the implementation are one function: what is tried is their neighbour.
 */
#include "core/check/friends.h"

#include <stdlib.h>

#include "hlx/math.h"

enum { A, Y, B }; /* slots: x or a, y, and of check.add b */
#define FACTOR 0.75f

/* Of one call: y += or = factor (p + q), element by element. */
struct job {
	struct hlx_desc y, p, q; /* q.rank 0: none */
	float factor;
	bool accum;
};

static uint64_t place(const struct hlx_desc *d, uint64_t i)
{
	uint64_t at = d->offset;

	for (uint32_t k = d->rank; k-- > 0; i /= d->dim[k])
		at += i % d->dim[k] * d->stride[k];
	return at;
}

static void work(const struct job *j, float *y, const float *p, const float *q)
{
	for (uint64_t i = 0; i < hlx_numel(&j->y); i++) {
		float x = p[place(&j->p, i)], r;
		float *to = &y[place(&j->y, i)];
		r = hlx_mul(j->q.rank ? x + q[place(&j->q, i)] : x, j->factor);
		*to = j->accum ? hlx_accum(*to, r) : hlx_store(r);
	}
}

static int call(void *ctx, void *const *data, const struct hlx_step *step)
{
	const struct job *j = ctx;

	(void)step;
	work(j, data[0], data[1], j->q.rank ? data[2] : NULL);
	return 0;
}

static float factor_of(const struct hlx_node *n)
{
	return n->n_slots > B ? 1.0f : FACTOR;
}

static struct job forward_job(const struct hlx_node *n)
{
	struct job j = { .y = n->desc[Y], .p = n->desc[A], .factor = factor_of(n) };

	if (n->n_slots > B)
		j.q = n->desc[B];
	return j;
}

static struct job backward_job(const struct hlx_node *n, uint32_t s)
{
	return (struct job){ .y = n->desc[s], .p = n->desc[Y], .factor = factor_of(n), .accum = n->accum >> s & 1 };
}

/* -- the ops ----------------------------------------------------------------------------------------------- */

static int infer(const struct hlx_host *host, struct hlx_node *n)
{
	n->desc[Y] = n->desc[A];
	n->desc[Y].view_of = 0;
	n->desc[Y].offset = 0;
	hlx_contiguous(&n->desc[Y]);
	return n->n_slots > B && hlx_numel(&n->desc[B]) != hlx_numel(&n->desc[A]) ?
		host->fail(host, HLX_ESHAPE, "a and b differ in shape") : 0;
}

/* The reference's pointers are at the first element. */
static struct job from_zero(struct job j)
{
	j.y.offset = j.p.offset = j.q.offset = 0;
	return j;
}

static int ref_forward(const struct hlx_node *n, void *const value[], const struct hlx_step *step)
{
	const struct job j = from_zero(forward_job(n));

	(void)step;
	work(&j, value[Y], value[A], n->n_slots > B ? value[B] : NULL);
	return 0;
}

static int ref_backward(const struct hlx_node *n, void *const value[], void *const grad[], const struct hlx_step *step)
{
	(void)value, (void)step;
	for (uint32_t s = A; s < n->n_slots; s++)
		if (s != Y && n->grads >> s & 1) {
			const struct job j = from_zero(backward_job(n, s));
			work(&j, grad[s], grad[Y], NULL);
		}
	return 0;
}

static int ref64(const struct hlx_node *n, double *const value[])
{
	const struct job j = from_zero(forward_job(n));

	for (uint64_t i = 0; i < hlx_numel(&j.y); i++)
		value[Y][place(&j.y, i)] = (double)j.factor * (value[A][place(&j.p, i)] +
				(j.q.rank ? value[B][place(&j.q, i)] : 0));
	return 0;
}

/* -- the implementation ------------------------------------------------------------------------------------ */

/* priv: the jobs of forward, and of backward by slot; a node may move, they do not. */
static int prepare(const struct hlx_host *host, struct hlx_node *n)
{
	n->priv = calloc(1 + B + 1, sizeof(struct job));
	return n->priv ? 0 : host->fail(host, HLX_ENOMEM, "out of memory");
}

static int forward(const struct hlx_host *host, const struct hlx_node *n, struct hlx_rec *rec)
{
	const struct hlx_arg args[] = { hlx_value(Y), hlx_value(A), hlx_value(B) };
	static const bool write[] = { true, false, false };
	struct job *j = n->priv;

	*j = forward_job(n);
	return host->host_call(rec, call, j, args, write, n->n_slots > B ? 3 : 2);
}

static int backward(const struct hlx_host *host, const struct hlx_node *n, struct hlx_rec *rec)
{
	static const bool write[] = { true, false };
	int status = 0;

	for (uint16_t s = A; s < n->n_slots && status >= 0; s++)
		if (s != Y && n->grads >> s & 1) {
			struct job *j = (struct job *)n->priv + 1 + s;
			*j = backward_job(n, s);
			status = host->host_call(rec, call, j, (struct hlx_arg[]){ hlx_grad(s), hlx_grad(Y) }, write, 2);
		}
	return status;
}

static void destroy(const struct hlx_host *host, struct hlx_node *n)
{
	(void)host;
	free(n->priv);
}

static const struct hlx_slot scale_slots[] = { { "x", HLX_IN, 0 }, { "y", HLX_OUT, 0 }, { 0 } };
static const struct hlx_slot add_slots[] = { { "a", HLX_IN, 0 }, { "y", HLX_OUT, 0 }, { "b", HLX_IN, 0 }, { 0 } };

#define FRIEND(id, label) \
	static const struct hlx_op op_##id = { .struct_size = sizeof(struct hlx_op), .name = label, .kind = HLX_LAYER, \
		.slots = id##_slots, .infer = infer, .ref_forward = ref_forward, .ref_backward = ref_backward, .ref64 = ref64 }; \
	static const struct hlx_impl impl_##id = { .struct_size = sizeof(struct hlx_impl), .op = label, .name = "host", \
		.tier = HLX_PORTABLE, .prepare = prepare, .forward = forward, .backward = backward, .destroy = destroy }
FRIEND(scale, "check.scale");
FRIEND(add, "check.add");

int hlx_check_friends_load(struct hlx_registry *r)
{
	static const struct hlx_op *const ops[] = { &op_scale, &op_add, NULL };
	static const struct hlx_impl *const impls[] = { &impl_scale, &impl_add, NULL };
	static const struct hlx_plugin plugin = { HLX_ABI_MAJOR, HLX_ABI_MINOR, sizeof(plugin), .name = "check",
		.version = PACKAGE_VERSION, .license = "MIT", .ops = ops, .impls = impls };

	return hlx_registry_add(r, &plugin, "hlx");
}
