/*
 * regions.c - how tensors that share a storage lie to each other: needed to know whether a gradient is written for the first
 * time, once more, or only in part; and which steps must wait for each other.
 *
 * A tensor is brought to runs: dims of 1 dropped, the rest sorted by stride, neighbours merged where one continues the
 * other.  q, k and v of (B, T, 3D) become { D by 1, B*T by 3D } at offsets 0, D, 2D: the same runs in disjoint columns.
 */
#include <string.h>

#include "core/program/program.h"

struct runs {
	uint64_t count[HLX_MAX_RANK], stride[HLX_MAX_RANK], offset;
	uint32_t n;
};

static struct runs make_runs(const struct hlx_desc *d)
{
	struct runs r = { .offset = d->offset };

	for (uint32_t i = 0; i < d->rank; i++) {
		uint32_t at = r.n;
		if (d->dim[i] == 1)
			continue;
		for (; at && r.stride[at - 1] > d->stride[i]; at--) {
			r.stride[at] = r.stride[at - 1];
			r.count[at] = r.count[at - 1];
		}
		r.stride[at] = d->stride[i];
		r.count[at] = d->dim[i];
		r.n++;
	}
	for (uint32_t i = 0; i + 1 < r.n;) {
		if (r.stride[i] * r.count[i] != r.stride[i + 1]) {
			i++;
			continue;
		}
		r.count[i] *= r.count[i + 1];
		for (uint32_t j = i + 1; j + 1 < r.n; j++) {
			r.count[j] = r.count[j + 1];
			r.stride[j] = r.stride[j + 1];
		}
		r.n--;
	}
	return r;
}

static uint64_t end_of(const struct runs *r)
{
	uint64_t last = r->offset;

	for (uint32_t i = 0; i < r->n; i++)
		last += (r->count[i] - 1) * r->stride[i];
	return last + 1;
}

/* Rows of `count` neighbours, `pitch` apart: false where the runs are something else. */
static bool as_columns(const struct runs *r, uint64_t *count, uint64_t *rows, uint64_t *pitch)
{
	bool one = r->n == 1 && r->stride[0] > 1; /* a column of single elements */

	*count = one ? 1 : r->count[0];
	*rows = r->count[one ? 0 : 1];
	*pitch = r->stride[one ? 0 : 1];
	return one || (r->n == 2 && r->stride[0] == 1);
}

static bool same_shape(const struct runs *a, const struct runs *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->count[i] != b->count[i] || a->stride[i] != b->stride[i])
			return false;
	return true;
}

/* As many rows of one pitch, from the same one on, and columns that do not meet. */
static bool apart_in_columns(const struct runs *a, const struct runs *b)
{
	uint64_t na, nb, rows_a, rows_b, pitch, pitch_b, ca, cb;

	if (!as_columns(a, &na, &rows_a, &pitch) || !as_columns(b, &nb, &rows_b, &pitch_b) || rows_a != rows_b ||
			pitch != pitch_b)
		return false;
	ca = a->offset % pitch;
	cb = b->offset % pitch;
	return a->offset / pitch == b->offset / pitch && ca + na <= pitch && cb + nb <= pitch &&
		(ca + na <= cb || cb + nb <= ca);
}

enum hlx_relation hlx_desc_relation(const struct hlx_desc *da, const struct hlx_desc *db)
{
	struct runs a = make_runs(da), b = make_runs(db);

	if (a.offset == b.offset && same_shape(&a, &b))
		return HLX_SAME;
	if (end_of(&a) <= b.offset || end_of(&b) <= a.offset || apart_in_columns(&a, &b))
		return HLX_DISJOINT;
	return HLX_MIXED;
}

/* The validation layer sees windows, no tensors: under its eyes everything waits whose windows meet. */
bool hlx_access_apart(const struct hlx_program *p, const struct hlx_prog_step *a, const struct hlx_access *x,
		const struct hlx_prog_step *b, const struct hlx_access *y)
{
	if (x->cell != y->cell || !x->tensor || !y->tensor || p->dev->messenger)
		return false;
	return hlx_desc_relation(&p->node[a->node].desc[x->tensor - 1], &p->node[b->node].desc[y->tensor - 1]) == HLX_DISJOINT;
}

static bool is_gapless(const struct hlx_desc *d, const struct runs *r)
{
	return end_of(r) - r->offset == hlx_numel(d);
}

/* One part may hold the whole; else disjoint parts within a gapless whole fill it when their elements add up. */
bool hlx_desc_covers(const struct hlx_desc *whole, const struct hlx_region *part, uint32_t n)
{
	struct runs w = make_runs(whole), r;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		r = make_runs(&part[i].desc);
		if (hlx_desc_relation(whole, &part[i].desc) == HLX_SAME || (is_gapless(&part[i].desc, &r) &&
				r.offset <= w.offset && end_of(&w) <= end_of(&r)))
			return true;
		if (r.offset >= w.offset && end_of(&r) <= end_of(&w))
			sum += hlx_numel(&part[i].desc);
	}
	return sum == hlx_numel(whole) && is_gapless(whole, &w);
}
