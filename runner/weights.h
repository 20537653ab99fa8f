/* weights.h - the parameters of a model in a safetensors file, each under its path. */
#ifndef RUNNER_WEIGHTS_H
#define RUNNER_WEIGHTS_H

#include "runner/safetensors.h"
#include "runner/session.h"

/*
 * path: a safetensors file, a folder with model.safetensors (of a model, of a checkpoint), or a run's folder, which gives
 * that of its newest checkpoint.  Every parameter of the graph is in it, with its shape; where a state.json lies beside
 * it, the parameters hash to what that says.  HLX_EIO where not.
 */
int weights_open(const char *path, const struct hlx_graph *, struct st_file *out);
/* Into the device.  *flushed: values that memory holds as another one (|x| < 2^-50 and -0 become +0). */
int weights_load(const struct st_file *, const struct session *, uint64_t *flushed);

/* All elements of one tensor as f32: F16 and BF16 are converted exactly, another type is HLX_EIO. */
int weights_read(const struct st_file *, const struct st_tensor *, float *out);
/* What memory makes of n values, counted; HLX_EIO for one that is not finite. */
int weights_flush(const struct st_file *, const struct st_tensor *, float *values, uint64_t n, uint64_t *flushed);
/* in: (rows, columns), out: (columns, rows) */
void weights_transpose(const float *in, uint64_t rows, uint64_t columns, float *out);
uint64_t weights_numel(const struct st_tensor *);
/* "2 values of it, -0 or closer to 0 than 2^-50, are +0 here"; empty for none. */
const char *weights_said(uint64_t flushed, char room[96]);

#endif
