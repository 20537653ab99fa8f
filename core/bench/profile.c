#include "core/bench/profile.h"

#include <stdlib.h>

#include "core/bench/one.h"

static bool is_of_loss(const struct hlx_program *p, const struct hlx_prog_node *reduce)
{
	for (uint32_t s = 0; s < reduce->pub.n_slots; s++)
		if (reduce->value[s] == p->loss_cell)
			return true;
	return false;
}

static enum hlx_part part_of(const struct hlx_program *p, const struct hlx_prog_step *s)
{
	switch (p->node[s->node].op->kind) {
	case HLX_REDUCE: return is_of_loss(p, &p->node[s->node]) ? HLX_PART_FORWARD : HLX_PART_BACKWARD;
	case HLX_NORM: case HLX_OPTIMIZER: return HLX_PART_OPTIMIZER;
	case HLX_HASH: return HLX_PART_HASH;
	default: return s->backward ? HLX_PART_BACKWARD : HLX_PART_FORWARD;
	}
}

static bool begins_run(const struct hlx_prog_step *s, const struct hlx_prog_step *before)
{
	return before->node != s->node || before->backward != s->backward || before->phase != s->phase;
}

static bool begins_epoch(const struct hlx_prog_step *s, const struct hlx_prog_step *before)
{
	return s->barrier || before->phase != s->phase;
}

typedef bool begins_fn(const struct hlx_prog_step *, const struct hlx_prog_step *before);

static int list_spans(const struct hlx_program *p, begins_fn *begins, struct hlx_profile *out)
{
	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct hlx_prog_step *s = &p->step[i];
		struct hlx_span *grown;
		if (s->kind == HLX_HOST_CALL)
			return hlx_fail(HLX_ENOTSUP, "%s runs on the host: a step with it has no profile", p->node[s->node].path);
		if (!i || begins(s, s - 1)) {
			if (!(grown = hlx_grow(out->span, out->n, sizeof(*grown))))
				return HLX_ENOMEM;
			out->span = grown;
			grown[out->n++] = (struct hlx_span){ .node = s->node, .first = i, .backward = s->backward,
				.part = part_of(p, s), .times = hlx_passes_times(p, s->phase) };
		}
		out->span[out->n - 1].n++;
		out->span[out->n - 1].dispatches += s->kind == HLX_DISPATCH;
	}
	return 0;
}

/* One turn: seconds[i] of span i. */
static int run_stamped(struct hlx_timer *t, const struct hlx_profile *f, double *seconds)
{
	HLX_TRY(hlx_timer_submit(t, NULL));
	HLX_TRY(hlx_timer_read(t, f->n + 1, seconds));
	for (uint32_t i = 0; i < f->n; i++)
		seconds[i] = seconds[i + 1] - seconds[i];
	return 0;
}

static int record_stamped(struct hlx_timer *t, struct hlx_program *p, const struct hlx_profile *f)
{
	HLX_TRY(hlx_timer_reserve(t, f->n + 1));
	HLX_TRY(hlx_timer_begin(t));
	hlx_timer_stamp(t, 0);
	for (uint32_t i = 0; i < f->n; i++) {
		hlx_program_record(p, t->cmd, f->span[i].first, f->span[i].n, i == 0);
		hlx_timer_stamp(t, i + 1);
	}
	return hlx_timer_end(t);
}

static int run_apart(struct hlx_timer *t, struct hlx_program *p, const struct hlx_profile *f, double *seconds)
{
	for (uint32_t i = 0; i < f->n; i++) {
		HLX_TRY(hlx_timer_begin(t));
		hlx_program_record(p, t->cmd, f->span[i].first, f->span[i].n, true);
		HLX_TRY(hlx_timer_end(t));
		HLX_TRY(hlx_timer_submit(t, &seconds[i]));
	}
	return 0;
}

static int run_turns(struct hlx_timer *t, struct hlx_program *p, unsigned turns, struct hlx_profile *f, double *all)
{
	double *one = all + (size_t)turns * (f->n + 1), *whole = one + turns;

	if (t->stamps)
		HLX_TRY(record_stamped(t, p, f));
	for (unsigned k = 0; k <= turns; k++) { /* the first warms up */
		double *row = all + (size_t)(k ? k - 1 : 0) * (f->n + 1);
		HLX_TRY(t->stamps ? run_stamped(t, f, row) : run_apart(t, p, f, row));
	}
	for (unsigned k = 0; k < turns; k++)
		whole[k] = 0;
	for (uint32_t i = 0; i < f->n; i++) {
		for (unsigned k = 0; k < turns; k++) {
			one[k] = all[(size_t)k * (f->n + 1) + i] * f->span[i].times;
			whole[k] += one[k];
		}
		f->span[i].seconds = hlx_timer_median(one, turns);
	}
	f->seconds = hlx_timer_median(whole, turns);
	return 0;
}

/* With the neighbour's that the node does: what lies between them is not read, and where it is not kept, not written. */
static struct hlx_work work_of(const struct hlx_program *p, const struct hlx_span *s)
{
	const struct hlx_prog_node *n = &p->node[s->node], *next;
	struct hlx_work w = hlx_bench_node_work(n->op, &n->pub, s->backward), more;
	const struct hlx_finish *f = &n->finish[s->backward];

	if (n->next[s->backward] == HLX_NONE)
		return w;
	next = &p->node[n->next[s->backward]];
	more = hlx_bench_node_work(next->op, &next->pub, s->backward);
	w.ops += more.ops;
	w.bytes += more.bytes - 4.0 * (double)hlx_numel(s->backward ? &n->desc[f->slot] : &next->desc[f->slot]) * (f->keep ? 1 : 2);
	return w;
}

/* The spans of each pass become one. */
static void merge(const struct hlx_program *p, struct hlx_profile *f)
{
	uint32_t n = 0, k;

	for (uint32_t i = 0; i < f->n; i++) {
		struct hlx_span s = f->span[i];
		s.dispatches *= s.times;
		for (k = 0; k < n && (f->span[k].node != s.node || f->span[k].backward != s.backward); k++)
			;
		if (k < n) {
			f->span[k].n += s.n;
			f->span[k].dispatches += s.dispatches;
			f->span[k].seconds += s.seconds;
			continue;
		}
		s.work = work_of(p, &s);
		s.work.ops *= s.times;
		s.work.bytes *= s.times;
		f->span[n++] = s;
	}
	f->n = n;
}

static int measure(struct hlx_timer *t, struct hlx_program *p, unsigned turns, begins_fn *begins, struct hlx_profile *out)
{
	double *all;
	int status;

	*out = (struct hlx_profile){ 0 };
	HLX_TRY(list_spans(p, begins, out));
	if (!(all = calloc((size_t)turns * (out->n + 3), sizeof(*all))))
		return hlx_no_memory();
	status = run_turns(t, p, turns, out, all);
	free(all);
	return status;
}

int hlx_profile_run(struct hlx_timer *t, struct hlx_program *p, unsigned turns, struct hlx_profile *out)
{
	HLX_TRY(measure(t, p, turns, begins_run, out));
	merge(p, out);
	return 0;
}

int hlx_profile_epochs(struct hlx_timer *t, struct hlx_program *p, unsigned turns, struct hlx_profile *out)
{
	return measure(t, p, turns, begins_epoch, out);
}

void hlx_profile_finish(struct hlx_profile *f)
{
	free(f->span);
	*f = (struct hlx_profile){ 0 };
}

const struct hlx_op *hlx_profile_op(const struct hlx_program *p, const struct hlx_span *s, const struct hlx_impl **impl)
{
	*impl = p->node[s->node].impl;
	return p->node[s->node].op;
}
