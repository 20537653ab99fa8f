/*
 * check/sweep.h - between suite.c (verdicts, rows), sweep.c (layers and losses), sweep_large.c (windows, loops) and
 * sweep_unwired.c (reductions, norm, optimizers, hash).
 */
#ifndef HLX_CHECK_SWEEP_H
#define HLX_CHECK_SWEEP_H

#include "core/check/suite.h"
#include "core/check/trial.h"
#include "core/check/vary.h"

#define HLX_SWEEP_MANY 3u /* runs of the same values */
#define HLX_SWEEP_SIGHT (64u << 10) /* bytes that a binding sees, where windows are tried; 4 times as many of what no INI
	wires: partial sums of 16 slots lie side by side */
#define HLX_FAMILY(f) (1u << (f))
#define HLX_FAMILIES_ALL (HLX_FAMILY(HLX_FAMILY_COUNT) - 1)

struct hlx_sweep {
	const struct hlx_suite_options *o;
	struct hlx_check check;
	struct hlx_suite_row *row;
	int status; /* negative: nothing goes on */
};

/* One trial with each of the families, unless it is settled already; times: runs of ordinary values. */
void hlx_sweep_try(struct hlx_sweep *, const struct hlx_check_case *, struct hlx_trial_how, enum hlx_check_id,
		unsigned families, unsigned times);
bool hlx_sweep_settled(const struct hlx_sweep *, enum hlx_check_id);
/* What a status says of a case. */
void hlx_sweep_take(struct hlx_sweep *, const struct hlx_check_case *, const char *what, int status);
/* A case, counted where anything of it ran. */
void hlx_sweep_case(struct hlx_sweep *, const struct hlx_check_case *, uint32_t k,
		void (*check)(struct hlx_sweep *, const struct hlx_check_case *, uint32_t k));
/* A generated case, unless it is too much work. */
void hlx_sweep_text(struct hlx_sweep *, const struct hlx_op *, const char *text, uint32_t k,
		void (*check)(struct hlx_sweep *, const struct hlx_check_case *, uint32_t k));

void hlx_sweep_wired(struct hlx_sweep *, const struct hlx_op *);
void hlx_sweep_unwired(struct hlx_sweep *, const struct hlx_op *);
/* With each neighbour whose work the implementation does: the bits of both. */
void hlx_sweep_fused(struct hlx_sweep *, const struct hlx_check_case *);
/* k: the case's number; thorough: each of its dims in turn, else one, by k. */
void hlx_sweep_windows(struct hlx_sweep *, const struct hlx_check_case *, uint32_t k, bool thorough);
void hlx_sweep_loops(struct hlx_sweep *, const struct hlx_check_case *, uint32_t k, bool thorough);

#endif
