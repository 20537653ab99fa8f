/* train.h - the loop: steps, validation, samples, checkpoints; what run and resume share. */
#ifndef RUNNER_TRAIN_H
#define RUNNER_TRAIN_H

#include "runner/checkpoint.h"
#include "runner/data.h"
#include "runner/metrics.h"
#include "runner/progress.h"
#include "runner/tensorboard.h"
#include "runner/tensors.h"

struct train {
	struct conf *conf;
	struct session *session;
	struct data *data;
	struct folder *folder;
	struct journal metrics, samples, events; /* events: [output] tensorboard */
	struct chain chain;
	struct tensors tensors;
	uint64_t *sums;       /* the hashes of checkpoint_hash, of the last step */
	struct progress progress;
	struct checkpoint_kept *kept; /* n_kept: of every run-N.ini, read with the first checkpoint that is saved */
	size_t n_kept;
	struct checkpoint at; /* the state as of the last step */
	uint64_t saved;       /* step of the last checkpoint */
	uint64_t started, gathered, written; /* the last step that was sent, whose tokens are ready, that is on record */
	double begin;         /* of step at.step + 1, by the clock: when it was sent, or the step before waited for */
	struct metrics last;  /* of at.step */
	uint32_t *tokens, *targets;
};

/* A train that holds nothing. */
#define TRAIN_NONE .metrics.fd = -1, .samples.fd = -1, .events.fd = -1, .chain.file.fd = -1, .tensors.file.fd = -1
/* Data, split and steps; the device is not needed yet. */
int train_data(struct conf *, struct data *);
/* HLX_EIO where the data are not those of the state. */
int train_same_data(const struct train *);
/* Prints what is to be trained, on what. */
int train_say(struct train *);
/* Has [train] early_stop ended it at this state; and why, in words. */
bool train_ended(const struct train *);
const char *train_why_ended(const struct train *, char out[160]);
/* From at.step to conf->steps, or until it has ended.  CLI_STOPPED after SIGINT, SIGTERM or SIGHUP, with the state saved. */
int train_loop(struct train *);
/* The state as it is now, of no step yet made: its hashes, by the host. */
int train_hash(struct train *);
/* Step number, on the device alone; one more may be under way.  Waiting is for the step after at, and sets at, sums and last.
 * train_step.c, as what evaluates. */
int train_start(struct train *, uint64_t number);
int train_wait(struct train *);
/* What is written of at: its lines, and a checkpoint. */
int train_save(struct train *);
void train_close(struct train *);
/* The configuration as run.ini of the folder, or by another name (folder NULL: only checks that it could be written). */
int run_ini_write(struct conf *, const struct folder *, const char *name);

/* SIGINT, SIGTERM and, where it is not ignored, SIGHUP ask the loop to end; one of the first two that comes more than a second
 * after the first signal ends the process. */
void train_catch_signals(void);
bool train_stopping(void);
bool train_hung_up(void); /* by SIGHUP */

/* validation loss over eval_batches batches */
int train_evaluate(struct train *, float *loss);
/* A sample of the state, to the screen and to samples.txt. */
int train_sample(struct train *);

#endif
