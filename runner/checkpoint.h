/*
 * checkpoint.h - checkpoints/step-N/: model.safetensors (parameters), optimizer.safetensors (its arrays, as
 * "<parameter>.<array>"), state.json.  Made aside in checkpoints/.partial, synced, renamed: a step-N is whole.
 */
#ifndef RUNNER_CHECKPOINT_H
#define RUNNER_CHECKPOINT_H

#include "runner/chain.h"
#include "runner/session.h"

struct checkpoint {
	uint64_t step, seed;
	uint64_t model, hash;   /* state hash of the parameters; with the optimizer's arrays */
	uint64_t chain;         /* of the last line of chain */
	uint64_t samples;       /* bytes of samples.txt */
	uint64_t corpus_size, corpus_hash, config;
	uint64_t tokenizer;     /* its digest, where said: states from before do not */
	bool said;
	uint64_t since;         /* the steps after this one were made with config: history.h */
	uint32_t loss_bits, best_bits;
	uint64_t best, stale;   /* step of the smallest validation loss, 0: none yet; validations since then */
};

/* What a checkpoint holds, in the order of hashes and of the file tensors: a parameter, then its states. */
uint32_t checkpoint_arrays(const struct session *);
/* Their names: new, with checkpoint_free_names. */
int checkpoint_names(const struct session *, char ***out);
void checkpoint_free_names(char **names, uint32_t count);
/* The hash of each as it is on the device, computed on the host. */
int checkpoint_hash(const struct session *, uint64_t *sums);
/* Sets model and hash from them. */
void checkpoint_sum(const struct session *, const uint64_t *sums, struct checkpoint *);
/* HLX_EDEVICE where what is read back does not hash to what it should. */
int checkpoint_save(const struct folder *, const struct session *, const struct checkpoint *);
/* The steps after since, up to the next one's, were made with keep_every (0: none). */
struct checkpoint_kept {
	uint64_t since;
	int64_t every;
};
/*
 * Keeps those of step 0, of the best validation, the last keep, and for good what keep_every says: that of the last of the n, and
 * that which a step was made with.
 */
void checkpoint_prune(const struct folder *, int64_t keep, const struct checkpoint_kept *, size_t n, uint64_t best);
/* The steps of the checkpoints, ascending; *out is new. */
size_t checkpoint_list(const char *path, uint64_t **out);
/* The state.json of one; its step even where that cannot be read. */
int checkpoint_at(const char *path, uint64_t step, struct checkpoint *out);
/* The newest one's state.json, of the run's folder at path; its step even where that cannot be read. */
int checkpoint_latest(const char *path, struct checkpoint *out);
/* Opens the tokenizer; HLX_EIO where it is not the one that the checkpoint was made with.  One that does not say takes this one. */
int checkpoint_tokenizer(struct checkpoint *, struct conf *);
/* Adds to the message of HLX_EIO which older one is whole, where the newest, of that step, is not; returns status. */
int checkpoint_advise(const char *path, uint64_t step, int status);
/* Loads the parameters and, where the session has any, the optimizer's arrays; compares the hash. */
int checkpoint_load(const char *path, const struct session *, const struct checkpoint *);

#endif
