/* export.h - what the formats of hlxt export share. */
#ifndef RUNNER_EXPORT_H
#define RUNNER_EXPORT_H

#include "runner/gpt2.h"
#include "runner/model.h"

struct export {
	struct model model;
	struct st_file file;      /* its parameters */
	const struct hlx_graph *graph;
	struct gpt2 gpt2;         /* where the format is GPT-2's */
	struct gpt2_param *param; /* by parameter */
	float *data, *turned;     /* room for any parameter */
};
/* Parameter i; turned: transposed where Hugging Face's is. */
int export_read(struct export *, uint32_t i, bool turned, const float **out);
/* A safetensors file of all parameters, in their order, as declare describes them. */
int export_tensors(struct export *, const char *path, int (*declare)(struct export *, struct st_writer *), bool turned);
/* Into dir, which is there and empty; to path. */
int export_hf(struct export *, const char *dir);
int export_gguf(struct export *, const char *path);
#endif
