/*
 * hash_ref.c - the definition of hash.
 *
 * array0 ...: (n)   blocks: (blocks, 4) place / 64, elements, tensor, number   keys, sums: (arrays, rows, 2)
 *
 *     sums[a][t] = the sum, mod 2^32, of what each element of tensor t in array a adds (hlx/math.h), low sum and high
 */
#include "hash.h"

#include <string.h>

#include "hlx/math.h"

/* One block's elements in one array. */
static void add(const uint32_t *data, const uint32_t block[4], const uint32_t key[2], uint32_t sum[2])
{
	uint64_t first = (uint64_t)block[3] * HLX_HASH_BLOCK;
	uint32_t base = hlx_hash_base(key[0], key[1], (uint32_t)(first >> 32));

	for (uint32_t i = 0; i < block[1]; i++) {
		uint32_t lo = hlx_hash_lo(base, (uint32_t)first + i, data[(uint64_t)block[0] * 64 + i]);
		sum[0] += lo;
		sum[1] += hlx_hash_hi(lo, key[1]);
	}
}

int hash_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const uint32_t *blocks = value[HASH_BLOCKS], *keys = value[HASH_KEYS];
	uint64_t n_blocks = node->desc[HASH_BLOCKS].dim[0], rows = node->desc[HASH_KEYS].dim[1];
	uint32_t *sums = value[HASH_SUMS];

	(void)step;
	memset(sums, 0, hlx_numel(&node->desc[HASH_SUMS]) * sizeof *sums);
	for (uint32_t a = 0; a < hash_arrays(node); a++)
		for (uint64_t b = 0; b < n_blocks; b++) {
			uint64_t at = 2 * (a * rows + blocks[4 * b + 2]);
			add(value[a], blocks + 4 * b, keys + at, sums + at);
		}
	return 0;
}
