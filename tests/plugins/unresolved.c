/* unresolved.c - a plugin that calls what nobody has: refused when it is loaded (RTLD_NOW), not in the middle of a run. */
#include "hlx/plugin.h"

int hlx_nobody_has_this(void);

static int init(const struct hlx_host *host)
{
	(void)host;
	return hlx_nobody_has_this();
}

HLX_PLUGIN(.name = "unresolved", .version = "1", .license = "MIT", .init = init);
