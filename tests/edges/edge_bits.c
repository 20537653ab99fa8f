#include "tests/edges/edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/data.h"
#include "core/error.h"
#include "core/numerics.h"
#include "hlx/math.h"

int edge_bits_add(struct edge_bits *b, const char *what, const char *path, const float *x, uint64_t n)
{
	float *grown = realloc(b->x, (b->n + n) * sizeof(*x));

	if (!grown)
		return hlx_no_memory();
	b->x = grown;
	memcpy(b->x + b->n, x, n * sizeof(*x));
	if (b->parts == EDGE_PARTS)
		return hlx_fail(HLX_EINVAL, "more than %d parts", EDGE_PARTS);
	snprintf(b->part[b->parts].what, sizeof(b->part->what), "%s of %s", what, path);
	b->part[b->parts++].first = b->n;
	b->n += n;
	return 0;
}

void edge_bits_free(struct edge_bits *b)
{
	free(b->x);
	*b = (struct edge_bits){ 0 };
}

bool edge_bits_finite(const struct edge_bits *b)
{
	for (uint64_t i = 0; i < b->n; i++)
		if (!hlx_is_finite(b->x[i]))
			return false;
	return true;
}

uint64_t edge_bits_hash(const struct edge_bits *b)
{
	return hlx_hash_words(hlx_hash_key("edge"), 0, (const uint32_t *)b->x, b->n);
}

const char *edge_bits_differ(const struct edge_bits *got, const struct edge_bits *want)
{
	static _Thread_local char line[192];
	uint64_t n = got->n < want->n ? got->n : want->n, at = hlx_data_compare(got->x, want->x, n);
	unsigned p = 0;

	if (got->n != want->n) {
		snprintf(line, sizeof(line), "%llu elements, want %llu", (unsigned long long)got->n, (unsigned long long)want->n);
		return line;
	}
	if (at == n)
		return "";
	while (p + 1 < want->parts && want->part[p + 1].first <= at)
		p++;
	snprintf(line, sizeof(line), "%s, element %llu is %08x (%g), want %08x (%g)", want->part[p].what,
			(unsigned long long)(at - want->part[p].first), hlx_bits(got->x[at]), (double)got->x[at],
			hlx_bits(want->x[at]), (double)want->x[at]);
	return line;
}
