/*
 * train_step.c - one step, and validation.
 *
 *   host     gather 1 | start 1, gather 2 | start 2, gather 3 | wait 1 | write down 1 | start 3, gather 4 | wait 2 ...
 *   device                    |        step 1                 |        step 2                |       step 3
 *
 * So the device has the next step before it is done with one, and a step is written down while others run.  Where the state
 * is wanted as it is after a step, the next one is started only then (train.c).
 */
#include "runner/train.h"

#include "hlx/math.h"

#include <stdlib.h>

static int make_room(struct train *t)
{
	size_t n = (size_t)(t->conf->batch_size * t->conf->seq_len);

	if (!t->tokens)
		t->tokens = malloc(n * sizeof(*t->tokens));
	if (!t->targets)
		t->targets = malloc(n * sizeof(*t->targets));
	if (!t->sums)
		t->sums = calloc(checkpoint_arrays(t->session) + 1, sizeof(*t->sums));
	return t->tokens && t->targets && t->sums ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
}

/* first: the first sequence of the batch */
static int gather(struct train *t, uint64_t (*start)(const struct train *, uint64_t), uint64_t first)
{
	uint64_t batch = (uint64_t)t->conf->batch_size, n = (uint64_t)t->conf->seq_len;

	CLI_TRY(make_room(t));
	t->gathered = 0;
	for (uint64_t b = 0; b < batch; b++)
		CLI_TRY(data_sequence(t->data, start(t, first + b), t->tokens + b * n, t->targets + b * n));
	return 0;
}

static int upload(const struct train *t, struct hlx_program *p)
{
	uint64_t n = (uint64_t)(t->conf->batch_size * t->conf->seq_len);

	CLI_TRY(hlx_program_write(p, "tokens", HLX_VALUE, 0, n, t->tokens));
	return hlx_program_write(p, "targets", HLX_VALUE, 0, n, t->targets);
}

static struct hlx_step step_of(const struct train *t, uint64_t step, bool train)
{
	uint64_t seed = (uint64_t)t->conf->seed, batch = (uint64_t)t->conf->batch_size;
	const struct hlx_schedule schedule = conf_schedule(t->conf);

	return (struct hlx_step){
		.size = sizeof(struct hlx_step), .train = train, .step = step,
		.seed = { (uint32_t)seed, (uint32_t)(seed >> 32) }, .seq0 = (uint32_t)((step - 1) * batch),
		.n_seq = (uint32_t)batch, .lr = hlx_schedule_lr(&schedule, step),
	};
}

static uint64_t sequence_start(const struct train *t, uint64_t g)
{
	return data_start(t->data, g);
}

static int gather_step(struct train *t, uint64_t number)
{
	if (t->gathered == number)
		return 0;
	CLI_TRY(gather(t, sequence_start, (number - 1) * (uint64_t)t->conf->batch_size));
	t->gathered = number;
	return 0;
}

int train_hash(struct train *t)
{
	CLI_TRY(make_room(t));
	CLI_TRY(checkpoint_hash(t->session, t->sums));
	checkpoint_sum(t->session, t->sums, &t->at);
	return 0;
}

static int check_finite(struct hlx_program *p, const struct hlx_result *r, uint64_t number)
{
	int status;

	if (hlx_is_finite(r->loss_sum) && hlx_is_finite(r->grad_norm))
		return 0;
	status = hlx_program_find_bad(p);
	if (status >= 0)
		status = hlx_fail(HLX_ENUMERIC, "the loss is not finite");
	return hlx_prefix(status, "step %llu: ", (unsigned long long)number);
}

int train_start(struct train *t, uint64_t number)
{
	const struct hlx_step step = step_of(t, number, true);

	CLI_TRY(gather_step(t, number));
	if (t->started <= t->at.step) /* else this one begins where the step before ends */
		t->begin = progress_now();
	CLI_TRY(upload(t, t->session->train));
	CLI_TRY(hlx_program_start(t->session->train, &step));
	t->started = number;
	if (number < (uint64_t)t->conf->steps && gather_step(t, number + 1) < 0)
		t->gathered = 0; /* it is said when that step's turn comes */
	return 0;
}

int train_wait(struct train *t)
{
	struct hlx_program *p = t->session->train;
	struct metrics *m = &t->last;
	uint64_t number = t->at.step + 1;
	struct hlx_result r;
	double now;

	CLI_TRY(hlx_program_wait(p));
	CLI_TRY(hlx_program_result(p, &r));
	*m = (struct metrics){ .step = number, .loss = r.count > 0 ? r.loss_sum / r.count : 0,
		.lr = step_of(t, number, true).lr, .grad_norm = r.grad_norm, .memory = session_memory(t->session) };
	CLI_TRY(check_finite(p, &r, number));
	CLI_TRY(hlx_program_hash(p, t->sums));
	now = progress_now();
	m->ms = 1e3 * (now - t->begin);
	t->begin = now;
	m->tokens_per_s = (double)(t->conf->batch_size * t->conf->seq_len) / (m->ms * 1e-3);
	t->at.step = number;
	t->at.loss_bits = hlx_bits(m->loss);
	checkpoint_sum(t->session, t->sums, &t->at);
	return 0;
}

/* ---- validation ---- */

static uint64_t valid_count(const struct train *t)
{
	uint64_t most = (uint64_t)(t->conf->eval_batches * t->conf->batch_size), n = t->data->valid_windows;
	uint64_t batch = (uint64_t)t->conf->batch_size;

	return most <= n ? most : n < batch ? batch : n / batch * batch;
}

static uint64_t valid_start(const struct train *t, uint64_t i)
{
	return data_valid_start(t->data, i, valid_count(t));
}

int train_evaluate(struct train *t, float *loss)
{
	uint64_t batch = (uint64_t)t->conf->batch_size, n = valid_count(t);
	const struct hlx_step step = step_of(t, t->at.step, false);
	struct hlx_result r;
	double sum = 0, count = 0;

	for (uint64_t i = 0; i < n; i += batch) {
		CLI_TRY(gather(t, valid_start, i));
		CLI_TRY(upload(t, t->session->eval));
		CLI_TRY(hlx_program_run(t->session->eval, &step));
		CLI_TRY(hlx_program_result(t->session->eval, &r));
		sum += (double)r.loss_sum;
		count += (double)r.count;
	}
	*loss = count > 0 ? (float)(sum / count) : 0;
	return 0;
}
