/* hash_bench.c - three arrays of each of the three models, and what their hashes ask of a device. */
#include "hash.h"

#define MODEL(n, blocks) "array0=" #n " array1=" #n " array2=" #n " blocks=" #blocks "x4<2 keys=3x1x2<1000000000"

const char *const hash_bench[] = { MODEL(3321856, 811), MODEL(19308544, 4714), MODEL(85843968, 20958), NULL };

/* A word: its place in the base 2, two mixes of 3 shifts, 3 exclusive ors and 2 products, one shorter by a shift, and sums. */
struct hlx_work hash_work(const struct hlx_node *node, bool backward)
{
	double words = (double)hlx_numel(&node->desc[0]) * hash_arrays(node);

	(void)backward;
	return (struct hlx_work){ words * (2 + 1 + 8 + 1 + 7 + 2), 4 * words };
}
