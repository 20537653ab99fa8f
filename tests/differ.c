/* differ.c - the names of the tensors that differ between two safetensors files; exit status 2 where it cannot tell.
 *
 * usage: differ A B
 */
#include "runner/safetensors.h"

#include <stdlib.h>
#include <string.h>

static bool same(const struct st_file *a, const struct st_tensor *x, const struct st_file *b)
{
	const struct st_tensor *y = st_find(b, x->name);
	uint64_t n = x->end - x->begin;
	char *p = malloc(n + 1), *q = malloc(n + 1);
	bool equal = p && q && y && y->end - y->begin == n && !st_read(a, x, 0, n, p) && !st_read(b, y, 0, n, q) && !memcmp(p, q, n);

	free(q);
	free(p);
	return equal;
}

int main(int argc, char **argv)
{
	struct st_file a, b;

	if (argc != 3 || st_open(argv[1], &a) || st_open(argv[2], &b) || a.count != b.count)
		return 2;
	for (size_t i = 0; i < a.count; i++)
		if (!same(&a, &a.tensor[i], &b))
			puts(a.tensor[i].name);
	st_close(&a);
	st_close(&b);
	return 0;
}
