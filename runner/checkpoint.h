/*
 * checkpoint.h - checkpoints/step-N/: model.safetensors (parameters), optimizer.safetensors (its arrays, as
 * "<parameter>.<array>"), state.json.  Made aside in checkpoints/.partial, synced, renamed: a step-N is whole.
 */
#ifndef RUNNER_CHECKPOINT_H
#define RUNNER_CHECKPOINT_H

#include "runner/folder.h"
#include "runner/session.h"

#define NUMERICS 1 /* raised whenever a definition changes */

struct checkpoint {
	uint64_t step, seed;
	uint64_t model, hash;   /* state hash of the parameters; with the optimizer's arrays */
	uint64_t chain;         /* of the last line of chain */
	uint64_t samples;       /* bytes of samples.txt */
	uint64_t corpus_size, corpus_hash, config;
	uint32_t loss_bits;
};

/* The state as it is on the device: sets model and hash. */
int checkpoint_hash(const struct session *, struct checkpoint *);
int checkpoint_save(const struct folder *, const struct session *, const struct checkpoint *);
/* Keeps step 0 and the last keep others. */
void checkpoint_prune(const struct folder *, int64_t keep);
/* The newest one's state.json, of the run's folder at path; its step even where that cannot be read. */
int checkpoint_latest(const char *path, struct checkpoint *out);
/* Loads the parameters and, where the session has any, the optimizer's arrays; compares the hash. */
int checkpoint_load(const char *path, const struct session *, const struct checkpoint *);

#endif
