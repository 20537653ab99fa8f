/* host.h - the hlx_host that plugins see, and what stands behind its opaque types.  [main] */
#ifndef HLX_CORE_HOST_H
#define HLX_CORE_HOST_H

#include "core/error.h"

struct hlx_pipelines;

struct hlx_core_host {
	struct hlx_host pub;              /* first: a plugin's pointer to it is one to us */
	struct hlx_pipelines *pipelines; /* NULL without a device */
	bool lint;                       /* the implementation that runs now has to be portable: so do its kernels */
};

/* The functions that need no device; caps and pipelines are the device's to set. */
void hlx_host_init(struct hlx_core_host *);

#endif
