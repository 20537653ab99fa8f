/* verify_pair.c - hlxt verify DIR1 DIR2: two runs by what they have written. */
#include "runner/verify.h"

#include <stdlib.h>
#include <string.h>

struct pair {
	struct past a, b;
	uint64_t from, to;
	struct progress progress;
};

static int same_names(const struct pair *q)
{
	const struct tensors *a = &q->a.tensors, *b = &q->b.tensors;

	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->name[i], b->name[i]))
			return hlx_fail(VERIFY_DIFFERS, "%s and %s are of different models: where one has %s the other has %s", q->a.path,
					q->b.path, a->name[i], b->name[i]);
	if (a->count != b->count)
		return hlx_fail(VERIFY_DIFFERS, "%s and %s are of different models: %zu and %zu arrays", q->a.path, q->b.path,
				a->count, b->count);
	return 0;
}

/* Elements of one array in the checkpoints of both, where both are there; else "". */
static int describe(const struct pair *q, uint64_t step, const char *name, char *out, size_t room)
{
	uint32_t *a = NULL, *b = NULL;
	uint64_t n = 0, k = 0;
	int status = 0;

	*out = '\0';
	if (!past_has_checkpoint(&q->a, step) || !past_has_checkpoint(&q->b, step))
		return 0;
	status = past_array(&q->a, step, name, &a, &n);
	if (status >= 0)
		status = past_array(&q->b, step, name, &b, &k);
	if (status >= 0) {
		snprintf(out, room, ": ");
		if (n == k)
			past_describe(a, "in the first", b, "in the second", n, out + 2, room - 2);
		else
			snprintf(out, room, ": %llu and %llu elements", (unsigned long long)n, (unsigned long long)k);
	}
	free(a);
	free(b);
	return status;
}

static int name_tensor(const struct pair *q, uint64_t step, const uint64_t *a, const uint64_t *b)
{
	const struct past_differs d = past_compare(a, b, q->a.tensors.count);
	const struct chain_line *x = &q->a.line[step], *y = &q->b.line[step];
	char loss[64] = "", elements[160], more[64];

	if (x->loss_bits != y->loss_bits)
		snprintf(loss, sizeof loss, "the loss is %08x and %08x%s", x->loss_bits, y->loss_bits, d.count ? "; " : "");
	if (!d.count)
		return hlx_fail(VERIFY_DIFFERS, "%s and %s differ at step %llu: %s", q->a.path, q->b.path,
				(unsigned long long)step, loss);
	CLI_TRY(describe(q, step, q->a.tensors.name[d.first], elements, sizeof elements));
	return hlx_fail(VERIFY_DIFFERS, "%s and %s differ at step %llu: %s%s%s%s", q->a.path, q->b.path,
			(unsigned long long)step, loss, q->a.tensors.name[d.first], elements, verify_more(&d, more));
}

static int differs_at(const struct pair *q, uint64_t step)
{
	size_t n = q->a.tensors.count;
	uint64_t *a = calloc(2 * n + 1, sizeof(*a));
	int status = a ? past_sums(&q->a, step, a) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0)
		status = past_sums(&q->b, step, a + n);
	if (status >= 0)
		status = name_tensor(q, step, a, a + n);
	free(a);
	return status;
}

/* A checkpoint of p is not the state that its run had. */
static int bad_checkpoint(const struct pair *q, const struct past *p, uint64_t step, const struct past_differs *d)
{
	const char *name = p->tensors.name[d->first];
	char elements[160], more[64];

	CLI_TRY(describe(q, step, name, elements, sizeof elements));
	return hlx_fail(VERIFY_DIFFERS, "%s: step %llu: %s in its checkpoint is not what the run had%s%s", p->path,
			(unsigned long long)step, name, elements, verify_more(d, more));
}

static int check_checkpoints(const struct pair *q, uint64_t to)
{
	struct past_differs a = { 0 }, b = { 0 };
	uint64_t at, bt;

	CLI_TRY(verify_checkpoints(&q->a, q->from, to, &at, &a));
	CLI_TRY(verify_checkpoints(&q->b, q->from, to, &bt, &b));
	if (at == UINT64_MAX && bt == UINT64_MAX)
		return 0;
	return at <= bt ? bad_checkpoint(q, &q->a, at, &a) : bad_checkpoint(q, &q->b, bt, &b);
}

static int compare(struct pair *q)
{
	uint64_t s = q->from;

	CLI_TRY(same_names(q));
	CLI_TRY(past_check(&q->a, q->from, q->to));
	CLI_TRY(past_check(&q->b, q->from, q->to));
	while (s <= q->to && q->a.line[s].loss_bits == q->b.line[s].loss_bits && q->a.line[s].state == q->b.line[s].state)
		s++;
	CLI_TRY(check_checkpoints(q, s < q->to ? s : q->to));
	if (s <= q->to)
		return differs_at(q, s);
	if (q->a.steps != q->b.steps)
		CLI_TRY(progress_say(&q->progress, "note     %s has %llu steps, %s %llu: compared are those that both have", q->a.path,
				(unsigned long long)q->a.steps - 1, q->b.path, (unsigned long long)q->b.steps - 1));
	return progress_say(&q->progress, "equal    steps %llu to %llu, chain %016llx", (unsigned long long)q->from,
			(unsigned long long)q->to, (unsigned long long)q->a.line[q->to].hash);
}

int verify_pair(const struct cli_args *args)
{
	struct pair q = { .a.tensors.file.fd = -1, .b.tensors.file.fd = -1 };
	int status;

	if (args->device || args->n_set)
		return hlx_fail(CLI_USAGE, "verify: --%s is for the replay of one run", args->device ? "device" : "set");
	progress_begin(&q.progress, args->quiet, 0, 0, 1);
	status = past_open(args->operand, &q.a);
	if (status >= 0)
		status = past_open(args->other, &q.b);
	if (status >= 0)
		status = verify_range(args, q.a.steps < q.b.steps ? q.a.steps : q.b.steps, &q.from, &q.to);
	if (status >= 0)
		status = compare(&q);
	past_close(&q.a);
	past_close(&q.b);
	return status;
}
