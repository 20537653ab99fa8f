/* host.c - the functions a plugin may call at any time. */
#include "core/vulkan/host.h"

#include <stdlib.h>

#include "core/vulkan/pipeline.h"
#include "core/program/program.h"

static void say(const struct hlx_host *h, int level, const char *fmt, ...)
{
	const char *wanted = getenv("HLX_LOG");
	va_list ap;

	(void)h;
	if (!wanted || atoi(wanted) < level)
		return;
	va_start(ap, fmt);
	fputs("hlx: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static int fail(const struct hlx_host *h, int status, const char *fmt, ...)
{
	va_list ap;

	(void)h;
	va_start(ap, fmt);
	hlx_vfail(status, fmt, ap);
	va_end(ap);
	return status < 0 ? status : HLX_EPLUGIN;
}

static int pipeline(const struct hlx_host *h, const struct hlx_shader *shader, const uint32_t *spec, uint32_t n_spec,
		struct hlx_pipeline **out)
{
	const struct hlx_core_host *core = (const struct hlx_core_host *)h;

	if (!core->pipelines)
		return hlx_fail(HLX_EPLUGIN, "%s.comp: a pipeline, but no device is open yet", shader->name);
	return hlx_pipelines_get(core->pipelines, shader, spec, n_spec, core->lint, out);
}

static const void *extension(const struct hlx_host *h, const char *id)
{
	(void)h;
	(void)id;
	return NULL;
}

void hlx_host_init(struct hlx_core_host *h)
{
	*h = (struct hlx_core_host){ .pub = { .struct_size = sizeof(h->pub), .abi_major = HLX_ABI_MAJOR,
		.abi_minor = HLX_ABI_MINOR, .log = say, .fail = fail, .pipeline = pipeline, .extension = extension } };
	hlx_record_host(&h->pub);
}
