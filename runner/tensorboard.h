/* tensorboard.h - a TensorBoard event file of what metrics.jsonl has: [output] tensorboard = yes. */
#ifndef RUNNER_TENSORBOARD_H
#define RUNNER_TENSORBOARD_H

#include "runner/metrics.h"

/* A new file with every step of metrics.jsonl, in place of those that there were: a TensorBoard that runs takes the name of
 * a file for what it has read of it. */
int tensorboard_open(const struct folder *, struct journal *out);
int tensorboard_append(struct journal *, const struct metrics *);

#endif
