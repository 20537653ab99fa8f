/*
 * safetensors.h - tensors in a file, as other programs read and write them.
 *
 *     | u64 LE: header bytes | JSON header, spaces to a multiple of 8 | tensor | tensor | ...
 *     header: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [from, to]}, ...}, offsets from the header's end
 *
 * A reader gets files from strangers: nothing of the header is believed before it is checked, and tensors lie one after
 * the other, without hole or overlap, up to the end of the file.
 */
#ifndef RUNNER_SAFETENSORS_H
#define RUNNER_SAFETENSORS_H

#include "runner/out.h"

#define ST_MAX_RANK 8
#define ST_MAX_HEADER 100000000u

struct st_tensor {
	const char *name, *dtype; /* "F32" */
	uint32_t rank;
	uint64_t dim[ST_MAX_RANK];
	uint64_t begin, end; /* bytes of the file */
};
struct st_file {
	char *path;
	int fd;
	struct st_tensor *tensor; /* in the order of the data */
	size_t count;
	void *json; /* holds the names */
};

int st_open(const char *path, struct st_file *out);
const struct st_tensor *st_find(const struct st_file *, const char *name);
/* Bytes [offset, offset + size) of the tensor. */
int st_read(const struct st_file *, const struct st_tensor *, uint64_t offset, uint64_t size, void *out);
void st_close(struct st_file *);

/* Writing: first what there will be, then the data of each, in that order. */
struct st_writer {
	struct out out;
	void *json;
	uint64_t offset;
};
int st_begin(struct st_writer *, const char *path);
int st_declare(struct st_writer *, const char *name, const struct hlx_desc *);
/* A word about the whole file, under __metadata__. */
int st_describe(struct st_writer *, const char *key, const char *text);
int st_header(struct st_writer *);
int st_write(struct st_writer *, const void *data, uint64_t size);
/* As out_end: also after an error. */
int st_end(struct st_writer *, int status);

#endif
