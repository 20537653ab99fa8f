/* foreign.c - of another ABI, with code that runs when the module is mapped: it must never be. */
#include <stdlib.h>

#include "hlx/plugin.h"

struct hlx_plugin hlx_plugin __attribute__((visibility("default"))) = { 7, 0, sizeof(struct hlx_plugin), "foreign", "1",
	"MIT", NULL, NULL, NULL };

static __attribute__((constructor)) void run(void)
{
	abort();
}
