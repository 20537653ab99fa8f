/*
 * check/trial.h - one node on the device against its op's reference, word by word.
 *
 *   a part (the value or the gradient of a slot), on the device and in three images on the host:
 *
 *   | guard | offset | row | gap | row | gap | ... | guard |     all but elements is POISON, and has to stay it
 *
 * Whatever the node is to write is POISON beforehand too, but for what it adds to.  Kernels see the guards: the windows that end
 * where a tensor ends are widened over them, so that a driver that masks what is out of bounds hides no stray write.
 */
#ifndef HLX_CHECK_TRIAL_H
#define HLX_CHECK_TRIAL_H

#include "core/check/node.h"
#include "core/check/run.h"

/* How float inputs lie, and outputs where these are no partial sums: dense from the storage's start; dense, further on (64
 * elements: still aligned); as columns of something wider, unaligned; the middle axes swapped, as heads are; the last two. */
enum hlx_layout { HLX_LAYOUT_DENSE, HLX_LAYOUT_BEHIND, HLX_LAYOUT_COLUMNS, HLX_LAYOUT_HEADS, HLX_LAYOUT_TURNED,
	HLX_LAYOUT_COUNT };

struct hlx_trial_how {
	uint64_t grads;  /* the slots whose gradients are wanted, of those that have one: ~0 for all, 0: no backward pass */
	uint64_t accum;  /* those that are added to */
	uint64_t slots;  /* batch slots; 0: the default */
	enum hlx_layout layout;
};

struct hlx_trial_part {
	uint64_t words, first, elements; /* without the guard; of the first element; how many, of all runs */
	uint32_t cell;
	bool present, output, f32, sums; /* output: the node writes it; sums: partial ones, unflushed */
	bool unknown;                    /* nothing says what it has to be */
	uint32_t *before, *want, *got;   /* want: the reference's */
	unsigned char *own;              /* by word: it is an element */
};

struct hlx_trial {
	struct hlx_check *bench;
	const struct hlx_check_case *c;
	struct hlx_trial_how how;
	enum hlx_check_id asking;        /* what it says where only the bits differ */
	const struct hlx_trial *plain;   /* or NULL: its results are what is wanted, where the op has no reference */
	bool unwired;                    /* neither layer nor loss: one pass, states live on */
	bool overflows;                  /* the reference's results are not all finite */
	char what[96];
	struct hlx_check_node hand;
	struct hlx_node node;            /* as the reference sees it */
	struct hlx_desc desc[HLX_MAX_SLOTS];
	struct hlx_init init[HLX_MAX_SLOTS];
	void *attrs;
	struct hlx_trial_part part[2 * HLX_MAX_SLOTS]; /* values, then gradients */
	uint64_t turn;
};

/* 0; 1: there is no such trial (a view, nothing to differentiate, not wanted, not supported); negative.  The caller calls
 * finish in any case. */
int hlx_trial_open(struct hlx_trial *, struct hlx_check *, const struct hlx_check_case *, const struct hlx_trial_how *,
		enum hlx_check_id asking);
/* The same without a device: for the reference alone. */
int hlx_trial_open_reference(struct hlx_trial *, struct hlx_check *, const struct hlx_check_case *,
		const struct hlx_trial_how *);
void hlx_trial_finish(struct hlx_trial *);
/* One pass (unwired: as many steps as `turns`), each `times` times on the same values; complains of what differs. */
int hlx_trial_run(struct hlx_trial *, enum hlx_family, unsigned times);
/* The reference with flush-to-zero off and on; complains. */
int hlx_trial_flush(struct hlx_trial *, enum hlx_family);

/* trial_compare.c */
void hlx_trial_compare(struct hlx_trial *);          /* got with want and before */
void hlx_trial_compare_own(struct hlx_trial *);      /* what a kernel keeps for itself: its guards */
void hlx_trial_judge_reference(struct hlx_trial *);  /* want with before, of a layer or a loss */
bool hlx_trial_agrees(struct hlx_trial *);           /* the same, without a word; to be asked first */
void hlx_trial_compare_runs(struct hlx_trial *, uint32_t *const first[2 * HLX_MAX_SLOTS], unsigned times);
/* trial_far.c: the distances in t->bench, of what a forward pass gave; after hlx_trial_agrees(), which finds an overflow */
void hlx_trial_measure(struct hlx_trial *);
/* plain.c: want, from t->plain, which has run on the same values */
void hlx_trial_expect_plain(struct hlx_trial *);
/* trial_fill.c: before, for this turn */
void hlx_trial_fill(struct hlx_trial *, enum hlx_family);

#define HLX_TRIAL_GUARD 64u /* words */
#define HLX_TRIAL_POISON 0xffffffffu /* as a float a NaN */
#define HLX_TRIAL_TURNS 3u /* of what keeps states */

static inline const struct hlx_slot *hlx_trial_slot(const struct hlx_trial *t, uint32_t part)
{
	return &t->c->op->slots[part % HLX_MAX_SLOTS];
}

/* Of the i-th element, from the first one. */
static inline uint64_t hlx_trial_place(const struct hlx_desc *d, uint64_t i)
{
	uint64_t at = 0;

	for (uint32_t k = d->rank; k-- > 0; i /= d->dim[k])
		at += i % d->dim[k] * d->stride[k];
	return at;
}

#endif
