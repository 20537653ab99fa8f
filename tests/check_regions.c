/*
 * How tensors of one storage lie to each other, against a model that lists their elements.  "Mixed" is always allowed to
 * be said, "same" and "disjoint" only where they are true; and the views that models are made of must not be mixed.
 */
#include "tests/toys.h"

#include "core/program/program.h"

#define ROOM 4096u

static uint32_t draw(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 33) % below;
}

/* A box cut from a dense tensor, its dims in any order, perhaps one of them split in two. */
static struct hlx_desc draw_box(uint64_t *state, const uint64_t whole[3])
{
	struct hlx_desc d = { .dtype = HLX_F32, .rank = 3 };
	uint64_t stride = 1;

	for (int i = 2; i >= 0; i--) {
		uint64_t first = draw(state, 2) ? 0 : draw(state, (uint32_t)whole[i]);
		d.dim[i] = draw(state, 2) ? whole[i] - first : 1 + draw(state, (uint32_t)(whole[i] - first));
		d.stride[i] = stride;
		d.offset += first * stride;
		stride *= whole[i];
	}
	if (draw(state, 2)) { /* split */
		uint32_t i = draw(state, 3), by = 1 + draw(state, 3);
		if (d.dim[i] % by == 0) {
			d.rank = 4;
			d.dim[3] = by;
			d.stride[3] = d.stride[i];
			d.dim[i] /= by;
			d.stride[i] *= by;
		}
	}
	for (uint32_t i = 0; i < d.rank; i++) { /* shuffle */
		uint32_t j = draw(state, d.rank);
		uint64_t n = d.dim[i], s = d.stride[i];
		d.dim[i] = d.dim[j];
		d.stride[i] = d.stride[j];
		d.dim[j] = n;
		d.stride[j] = s;
	}
	return d;
}

static void mark(const struct hlx_desc *d, unsigned char *set)
{
	uint64_t n = hlx_numel(d);

	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = d->offset, rest = i;
		for (uint32_t k = d->rank; k-- > 0; rest /= d->dim[k])
			at += rest % d->dim[k] * d->stride[k];
		ck_assert_uint_lt(at, ROOM);
		set[at] = 1;
	}
}

static enum hlx_relation truth(const struct hlx_desc *a, const struct hlx_desc *b)
{
	static unsigned char in_a[ROOM], in_b[ROOM];
	bool same = true, apart = true;

	memset(in_a, 0, sizeof(in_a));
	memset(in_b, 0, sizeof(in_b));
	mark(a, in_a);
	mark(b, in_b);
	for (unsigned i = 0; i < ROOM; i++) {
		same &= in_a[i] == in_b[i];
		apart &= !(in_a[i] && in_b[i]);
	}
	return same ? HLX_SAME : apart ? HLX_DISJOINT : HLX_MIXED;
}

START_TEST(random_relations)
{
	uint64_t state = 7;
	unsigned said[3] = { 0 }, cautious = 0;

	for (int round = 0; round < 30000; round++) {
		uint64_t whole[3] = { 1 + draw(&state, 4), 1 + draw(&state, 4), 1 + draw(&state, 6) };
		struct hlx_desc a = draw_box(&state, whole), b = draw_box(&state, whole);
		enum hlx_relation r = hlx_desc_relation(&a, &b), t = truth(&a, &b);
		ck_assert_int_eq(r, hlx_desc_relation(&b, &a));
		ck_assert_int_eq(hlx_desc_relation(&a, &a), HLX_SAME);
		ck_assert_msg(r == HLX_MIXED || r == t, "round %d: said %d, is %d", round, r, t);
		said[t]++;
		cautious += r != t;
	}
	ck_assert_uint_gt(said[HLX_SAME], 1000);
	ck_assert_uint_gt(said[HLX_DISJOINT], 1000);
	ck_assert_uint_gt(said[HLX_MIXED], 1000);
	ck_assert_uint_lt(cautious, 6000);
}
END_TEST

START_TEST(random_covers)
{
	uint64_t state = 11;
	unsigned yes = 0, no = 0;

	for (int round = 0; round < 30000; round++) {
		static unsigned char want[ROOM], have[ROOM];
		uint64_t dims[3] = { 1 + draw(&state, 3), 1 + draw(&state, 3), 1 + draw(&state, 4) };
		struct hlx_desc whole = draw_box(&state, dims);
		struct hlx_region part[4];
		uint32_t n = 0, tries = 1 + draw(&state, 6);
		bool full = true;
		for (; tries && n < 4; tries--) { /* only parts that are known to be apart may come in */
			bool fits = true;
			part[n].desc = draw_box(&state, dims);
			for (uint32_t i = 0; i < n; i++)
				fits &= hlx_desc_relation(&part[i].desc, &part[n].desc) == HLX_DISJOINT;
			n += fits;
		}
		memset(want, 0, sizeof(want));
		memset(have, 0, sizeof(have));
		mark(&whole, want);
		for (uint32_t i = 0; i < n; i++)
			mark(&part[i].desc, have);
		for (unsigned i = 0; i < ROOM; i++)
			full &= !want[i] || have[i];
		if (hlx_desc_covers(&whole, part, n)) {
			ck_assert_msg(full, "round %d: said to be covered", round);
			yes++;
		} else {
			no++;
		}
	}
	ck_assert_uint_gt(yes, 1000);
	ck_assert_uint_gt(no, 1000);
}
END_TEST

static struct hlx_desc heads(uint64_t b, uint64_t t, uint64_t h, uint64_t dh, uint64_t part)
{
	return (struct hlx_desc){ .rank = 4, .dim = { b, h, t, dh }, .stride = { t * 3 * h * dh, dh, 3 * h * dh, 1 },
		.offset = part * h * dh };
}

/* q, k and v of qkv, of every odd size, are apart and fill it; the same view twice is the same. */
START_TEST(heads_of_qkv)
{
	static const uint64_t sizes[][4] = { { 8, 128, 4, 64 }, { 1, 1, 1, 1 }, { 1, 5, 1, 1 }, { 3, 1, 2, 1 }, { 1, 1, 3, 5 },
		{ 2, 3, 1, 7 }, { 1, 7, 12, 1 }, { 5, 1, 1, 1 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const uint64_t *s = sizes[i];
		struct hlx_desc qkv = { .rank = 3, .dim = { s[0], s[1], 3 * s[2] * s[3] } };
		struct hlx_region part[3];
		hlx_contiguous(&qkv);
		for (uint64_t k = 0; k < 3; k++)
			part[k].desc = heads(s[0], s[1], s[2], s[3], k);
		for (int k = 0; k < 3; k++)
			for (int l = 0; l < 3; l++)
				ck_assert_msg(hlx_desc_relation(&part[k].desc, &part[l].desc) == (k == l ? HLX_SAME : HLX_DISJOINT),
						"size %zu, parts %d and %d", i, k, l);
		ck_assert(hlx_desc_covers(&qkv, part, 3));
		ck_assert(!hlx_desc_covers(&qkv, part, 2));
		ck_assert(!hlx_desc_covers(&qkv, part + 1, 2));
		ck_assert_int_eq(hlx_desc_relation(&qkv, &part[0].desc), HLX_MIXED);
	}
}
END_TEST

START_TEST(merged_heads)
{
	/* unheads: (B, H, T, dh) laid into (B, T, H dh) is all of it, in another order of dims */
	struct hlx_desc flat = { .rank = 3, .dim = { 2, 5, 12 } };
	struct hlx_desc ctx = { .rank = 4, .dim = { 2, 3, 5, 4 }, .stride = { 60, 4, 12, 1 } };
	struct hlx_region part = { ctx };

	hlx_contiguous(&flat);
	ck_assert_int_eq(hlx_desc_relation(&flat, &ctx), HLX_SAME);
	ck_assert(hlx_desc_covers(&flat, &part, 1));
	ck_assert(!hlx_desc_covers(&flat, &part, 0));
	part.desc.dim[0] = 1;
	ck_assert_int_eq(hlx_desc_relation(&flat, &part.desc), HLX_MIXED);
	ck_assert(!hlx_desc_covers(&flat, &part, 1));
	part.desc.offset = 60;
	ck_assert(!hlx_desc_covers(&flat, &part, 1));
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { random_relations, 0 }, { random_covers, 0 }, { heads_of_qkv, 0 },
		{ merged_heads, 0 } };

	return TOYS_RUN("regions", tests, 60, true);
}
