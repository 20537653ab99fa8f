/* safetensors_write.c - the writer: the same tensors give the same bytes. */
#include "runner/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int st_begin(struct st_writer *w, const char *path)
{
	*w = (struct st_writer){ .json = json_object() };
	return w->json ? out_open(path, &w->out) : hlx_fail(HLX_ENOMEM, "out of memory");
}

static const char *dtype_name(enum hlx_dtype d)
{
	switch (d) {
	case HLX_F32: return "F32";
	case HLX_I32: return "I32";
	case HLX_U32: return "U32";
	case HLX_F16: return "F16";
	case HLX_BF16: return "BF16";
	default: return "I8";
	}
}

static uint64_t dtype_size(enum hlx_dtype d)
{
	return d == HLX_I8 ? 1 : d == HLX_F16 || d == HLX_BF16 ? 2 : 4;
}

int st_declare(struct st_writer *w, const char *name, const struct hlx_desc *d)
{
	uint64_t end = w->offset + hlx_numel(d) * dtype_size(d->dtype);
	json_t *shape = json_array(), *entry;

	for (uint32_t i = 0; i < d->rank; i++)
		json_array_append_new(shape, json_integer((json_int_t)d->dim[i]));
	entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_name(d->dtype), "shape", shape, "data_offsets",
			(json_int_t)w->offset, (json_int_t)end);
	w->offset = end;
	return json_object_set_new(w->json, name, entry) ? hlx_fail(HLX_ENOMEM, "out of memory") : 0;
}

int st_describe(struct st_writer *w, const char *key, const char *text)
{
	json_t *words = json_object_get(w->json, "__metadata__");

	if (!words && json_object_set_new(w->json, "__metadata__", words = json_object()))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	return json_object_set_new(words, key, json_string(text)) ? hlx_fail(HLX_ENOMEM, "out of memory") : 0;
}

int st_header(struct st_writer *w)
{
	static const char spaces[8] = "       ";
	char *text = json_dumps(w->json, JSON_COMPACT);
	uint64_t n = text ? strlen(text) : 0, padded = (n + 7) / 8 * 8;
	int status = 0;

	if (!text)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	if (fwrite(&padded, 8, 1, w->out.f) != 1 || fwrite(text, 1, n, w->out.f) != n ||
			fwrite(spaces, 1, padded - n, w->out.f) != padded - n)
		status = out_failed(&w->out);
	free(text);
	return status;
}

int st_write(struct st_writer *w, const void *data, uint64_t size)
{
	return fwrite(data, 1, size, w->out.f) == size ? 0 : out_failed(&w->out);
}

int st_end(struct st_writer *w, int status)
{
	json_decref(w->json);
	return out_end(&w->out, status);
}
