/* checkpoint_files.h - the files of one checkpoint. */
#ifndef RUNNER_CHECKPOINT_FILES_H
#define RUNNER_CHECKPOINT_FILES_H

#include "runner/checkpoint.h"
#include "runner/safetensors.h"

#define CHECKPOINT_NAME 256

int checkpoint_write_state(const char *dir, const struct checkpoint *);
int checkpoint_read_state(const char *dir, struct checkpoint *);
int checkpoint_load_files(const char *dir, const struct session *, const struct checkpoint *);

/* "layer.3.fc.weight", or "layer.3.fc.weight.m" of state 1. */
void checkpoint_name(const struct session *, uint32_t param, uint32_t state, char *out, size_t room);
uint64_t checkpoint_hash_array(const char *name, const float *data, uint64_t numel);
/* Adds up the hashes of the file's tensors. */
int checkpoint_hash_file(const struct st_file *, uint64_t *hash);

#endif
