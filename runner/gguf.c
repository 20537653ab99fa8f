#include "runner/gguf.h"

#include <stdlib.h>
#include <string.h>

enum { TYPE_U32 = 4, TYPE_I32 = 5, TYPE_F32 = 6, TYPE_BOOL = 7, TYPE_STRING = 8, TYPE_ARRAY = 9 };

static void close_memory(struct gguf_writer *w)
{
	if (w->keys)
		fclose(w->keys);
	if (w->infos)
		fclose(w->infos);
	w->keys = w->infos = NULL;
}

int gguf_begin(struct gguf_writer *w, const char *path)
{
	*w = (struct gguf_writer){ .n_keys = 0 };
	w->keys = open_memstream(&w->key_bytes, &w->key_size);
	w->infos = open_memstream(&w->info_bytes, &w->info_size);
	if (!w->keys || !w->infos)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	return out_open(path, &w->out);
}

/* ---- keys; a memory stream that is out of memory says so when it is flushed ---- */

static void put_u32(FILE *f, uint32_t v)
{
	fwrite(&v, sizeof v, 1, f);
}

static void put_u64(FILE *f, uint64_t v)
{
	fwrite(&v, sizeof v, 1, f);
}

static void put_text(FILE *f, const char *text)
{
	put_u64(f, strlen(text));
	fwrite(text, 1, strlen(text), f);
}

static void put_key(struct gguf_writer *w, const char *key, uint32_t type)
{
	put_text(w->keys, key);
	put_u32(w->keys, type);
	w->n_keys++;
}

void gguf_string(struct gguf_writer *w, const char *key, const char *text)
{
	put_key(w, key, TYPE_STRING);
	put_text(w->keys, text);
}

void gguf_u32(struct gguf_writer *w, const char *key, uint32_t value)
{
	put_key(w, key, TYPE_U32);
	put_u32(w->keys, value);
}

void gguf_f32(struct gguf_writer *w, const char *key, float value)
{
	put_key(w, key, TYPE_F32);
	fwrite(&value, sizeof value, 1, w->keys);
}

void gguf_bool(struct gguf_writer *w, const char *key, bool value)
{
	put_key(w, key, TYPE_BOOL);
	fputc(value, w->keys);
}

static void put_array(struct gguf_writer *w, const char *key, uint32_t type, uint64_t count)
{
	put_key(w, key, TYPE_ARRAY);
	put_u32(w->keys, type);
	put_u64(w->keys, count);
}

void gguf_strings(struct gguf_writer *w, const char *key, uint64_t count)
{
	put_array(w, key, TYPE_STRING, count);
}

void gguf_item_string(struct gguf_writer *w, const char *text)
{
	put_text(w->keys, text);
}

void gguf_i32s(struct gguf_writer *w, const char *key, uint64_t count)
{
	put_array(w, key, TYPE_I32, count);
}

void gguf_item_i32(struct gguf_writer *w, int32_t value)
{
	put_u32(w->keys, (uint32_t)value);
}

/* ---- tensors ---- */

static uint64_t pad(uint64_t n)
{
	return (GGUF_ALIGN - n % GGUF_ALIGN) % GGUF_ALIGN;
}

void gguf_declare(struct gguf_writer *w, const char *name, const struct hlx_desc *d)
{
	uint64_t size = hlx_numel(d) * sizeof(float);

	put_text(w->infos, name);
	put_u32(w->infos, d->rank);
	for (uint32_t i = d->rank; i-- > 0;)
		put_u64(w->infos, d->dim[i]);
	put_u32(w->infos, 0); /* f32 */
	put_u64(w->infos, w->offset);
	w->offset += size + pad(size);
	w->n_tensors++;
}

static int put_zeros(struct gguf_writer *w, uint64_t n)
{
	static const char zeros[GGUF_ALIGN];

	return fwrite(zeros, 1, n, w->out.f) == n ? 0 : out_failed(&w->out);
}

int gguf_header(struct gguf_writer *w)
{
	bool whole = !fflush(w->keys) && !fflush(w->infos);

	close_memory(w);
	if (!whole)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	fwrite("GGUF", 1, 4, w->out.f);
	put_u32(w->out.f, 3);
	put_u64(w->out.f, w->n_tensors);
	put_u64(w->out.f, w->n_keys);
	if (fwrite(w->key_bytes, 1, w->key_size, w->out.f) != w->key_size ||
			fwrite(w->info_bytes, 1, w->info_size, w->out.f) != w->info_size)
		return out_failed(&w->out);
	return put_zeros(w, pad(24 + w->key_size + w->info_size));
}

int gguf_write(struct gguf_writer *w, const float *data, uint64_t numel)
{
	if (fwrite(data, sizeof *data, numel, w->out.f) != numel)
		return out_failed(&w->out);
	return put_zeros(w, pad(numel * sizeof *data));
}

int gguf_end(struct gguf_writer *w, int status)
{
	close_memory(w);
	free(w->key_bytes);
	free(w->info_bytes);
	w->key_bytes = w->info_bytes = NULL;
	return out_end(&w->out, status);
}
