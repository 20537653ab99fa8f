/* safetensors.c - the reader, which trusts nothing. */
#include "runner/safetensors.h"

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	uint64_t bytes;
} dtypes[] = {
	{ "F32", 4 }, { "F16", 2 }, { "BF16", 2 }, { "F64", 8 }, { "I8", 1 }, { "U8", 1 }, { "BOOL", 1 }, { "I16", 2 },
	{ "U16", 2 }, { "I32", 4 }, { "U32", 4 }, { "I64", 8 }, { "U64", 8 },
};

static int bad(const struct st_file *f, const char *name, const char *what)
{
	return hlx_fail(HLX_EIO, "%s: %s%.80s%s%s", f->path, name ? "tensor " : "", name ? name : "", name ? ": " : "", what);
}

/* A whole number of the header that is not negative. */
static bool get_u64(const json_t *j, uint64_t *out)
{
	if (!json_is_integer(j) || json_integer_value(j) < 0)
		return false;
	*out = (uint64_t)json_integer_value(j);
	return true;
}

static const char *get_dtype(const json_t *j, uint64_t *bytes)
{
	for (size_t i = 0; json_is_string(j) && i < CLI_COUNT(dtypes); i++)
		if (!strcmp(json_string_value(j), dtypes[i].name)) {
			*bytes = dtypes[i].bytes;
			return dtypes[i].name;
		}
	return NULL;
}

static bool get_shape(const json_t *j, struct st_tensor *t, uint64_t *bytes)
{
	if (!json_is_array(j) || json_array_size(j) > ST_MAX_RANK)
		return false;
	t->rank = (uint32_t)json_array_size(j);
	for (uint32_t i = 0; i < t->rank; i++)
		if (!get_u64(json_array_get(j, i), &t->dim[i]) || __builtin_mul_overflow(*bytes, t->dim[i], bytes))
			return false;
	return true;
}

/* data: where the tensors' bytes begin, size: how many there are. */
static int parse_tensor(const struct st_file *f, const char *name, const json_t *j, uint64_t data, uint64_t size,
		struct st_tensor *t)
{
	const json_t *offsets = json_object_get(j, "data_offsets");
	uint64_t bytes, from, to;

	*t = (struct st_tensor){ .name = name };
	if (!json_is_object(j) || json_object_size(j) != 3)
		return bad(f, name, "want dtype, shape and data_offsets");
	if (!(t->dtype = get_dtype(json_object_get(j, "dtype"), &bytes)))
		return bad(f, name, "unknown dtype");
	if (!get_shape(json_object_get(j, "shape"), t, &bytes))
		return bad(f, name, "not a shape");
	if (!json_is_array(offsets) || json_array_size(offsets) != 2 || !get_u64(json_array_get(offsets, 0), &from) ||
			!get_u64(json_array_get(offsets, 1), &to) || from > to || to > size)
		return bad(f, name, "data_offsets do not lie in the file");
	if (to - from != bytes)
		return bad(f, name, "data_offsets do not fit dtype and shape");
	t->begin = data + from;
	t->end = data + to;
	return 0;
}

static bool is_metadata(const char *name, const json_t *j)
{
	const char *key;
	json_t *value;

	if (strcmp(name, "__metadata__") || !json_is_object(j))
		return false;
	json_object_foreach((json_t *)j, key, value)
		if (!json_is_string(value))
			return false;
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct st_tensor *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static int parse_header(struct st_file *f, uint64_t data, uint64_t size)
{
	uint64_t at = data;
	const char *name;
	json_t *value;

	f->tensor = calloc(json_object_size(f->json) + 1, sizeof(*f->tensor));
	if (!f->tensor)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	json_object_foreach((json_t *)f->json, name, value)
		if (!is_metadata(name, value))
			CLI_TRY(parse_tensor(f, name, value, data, size, &f->tensor[f->count++]));
	qsort(f->tensor, f->count, sizeof(*f->tensor), by_place);
	for (size_t i = 0; i < f->count; at = f->tensor[i++].end)
		if (f->tensor[i].begin != at)
			return bad(f, f->tensor[i].name, f->tensor[i].begin > at ? "a hole before it" : "overlaps another");
	return at == data + size ? 0 : bad(f, NULL, "bytes after the last tensor, or it is cut short");
}

static int read_at(const struct st_file *f, uint64_t offset, uint64_t size, void *out)
{
	char *to = out;

	while (size) {
		ssize_t n = pread(f->fd, to, size < (1u << 30) ? size : 1u << 30, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return bad(f, NULL, n ? strerror(errno) : "is cut short");
		to += n;
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

static int read_header(struct st_file *f, uint64_t file_size)
{
	json_error_t error;
	uint64_t size;
	char *text;
	int status;

	if (file_size < 8)
		return bad(f, NULL, "too short for a safetensors file");
	CLI_TRY(read_at(f, 0, 8, &size));
	if (size > ST_MAX_HEADER || size > file_size - 8 || size < 2)
		return bad(f, NULL, "not a safetensors file, or cut short: its header's length is wrong");
	if (!(text = malloc(size)))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	status = read_at(f, 8, size, text);
	if (status >= 0 && text[0] != '{')
		status = bad(f, NULL, "not a safetensors file: the header does not begin with {");
	if (status >= 0 && !(f->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error)))
		status = hlx_fail(HLX_EIO, "%s: header: %.100s", f->path, error.text);
	free(text);
	return status < 0 ? status : parse_header(f, 8 + size, file_size - 8 - size);
}

int st_open(const char *path, struct st_file *f)
{
	const char *wrong;
	struct stat st;
	int status;

	*f = (struct st_file){ .path = strdup(path), .fd = -1 };
	if (!f->path)
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	else if ((wrong = hlx_file_open(path, O_RDONLY, &f->fd, &st)))
		status = bad(f, NULL, wrong);
	else
		status = read_header(f, (uint64_t)st.st_size);
	if (status < 0)
		st_close(f);
	return status;
}

const struct st_tensor *st_find(const struct st_file *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->tensor[i].name, name))
			return &f->tensor[i];
	return NULL;
}

int st_read(const struct st_file *f, const struct st_tensor *t, uint64_t offset, uint64_t size, void *out)
{
	if (offset > t->end - t->begin || size > t->end - t->begin - offset)
		return bad(f, t->name, "read beyond its end");
	return read_at(f, t->begin + offset, size, out);
}

void st_close(struct st_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	json_decref(f->json);
	free(f->tensor);
	free(f->path);
	*f = (struct st_file){ .fd = -1 };
}
