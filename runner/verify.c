/* verify.c - hlxt verify: are these the bits that the INI, the corpus and the seed give? */
#include "runner/verify.h"

#include <stdlib.h>

int verify_range(const struct cli_args *args, uint64_t steps, uint64_t *from, uint64_t *to)
{
	*from = args->from >= 0 ? (uint64_t)args->from : 0;
	*to = args->to >= 0 ? (uint64_t)args->to : steps - 1;
	if (*to >= steps)
		return hlx_fail(CLI_USAGE, "--to %llu: the last step is %llu", (unsigned long long)*to,
				(unsigned long long)steps - 1);
	if (*from > *to)
		return hlx_fail(CLI_USAGE, "--from %llu: comes after the last step, %llu", (unsigned long long)*from,
				(unsigned long long)*to);
	return 0;
}

const char *verify_more(const struct past_differs *d, char out[64])
{
	snprintf(out, 64, d->count > 1 ? " (and %zu more hashes)" : "", d->count - 1);
	return out;
}

static int check_state(const struct past *p, uint64_t step)
{
	const struct chain_line *line = &p->line[step];
	struct checkpoint c;

	CLI_TRY(checkpoint_at(p->path, step, &c));
	if (c.hash == line->state && c.chain == line->hash && c.loss_bits == line->loss_bits)
		return 0;
	return hlx_fail(VERIFY_DIFFERS, "%s: step %llu: state.json of its checkpoint says loss %08x, state %016llx, chain %016llx; "
			"the line in chain %08x, %016llx, %016llx", p->path, (unsigned long long)step, c.loss_bits,
			(unsigned long long)c.hash, (unsigned long long)c.chain, line->loss_bits,
			(unsigned long long)line->state, (unsigned long long)line->hash);
}

int verify_checkpoints(const struct past *p, uint64_t from, uint64_t to, uint64_t *step, struct past_differs *which)
{
	size_t n = p->tensors.count;
	uint64_t *got = calloc(2 * n + 1, sizeof(*got)), *want = got + n;
	int status = got ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	*step = UINT64_MAX;
	for (size_t i = 0; i < p->n_checkpoints && status >= 0 && *step == UINT64_MAX; i++) {
		uint64_t s = p->checkpoint[i];
		if (s < from || s > to)
			continue;
		status = check_state(p, s);
		if (status >= 0)
			status = past_sums(p, s, want);
		if (status >= 0)
			status = past_checkpoint_sums(p, s, got);
		if (status >= 0 && (*which = past_compare(got, want, n)).count)
			*step = s;
	}
	free(got);
	return status;
}

static int verify(const struct cli_args *args)
{
	return args->other ? verify_pair(args) : verify_replay(args);
}

static const char *const sets[] = {
	"ops.", "data.corpus", "data.validation", "data.tokenizer", "train.micro_batch", "train.recompute", NULL
};

const struct command command_verify = {
	"verify", "DIR [DIR2]", "replay a run and compare every step's hash, or compare two runs",
	"With one folder: trains again what the run has trained, from its first checkpoint on and on this "
	"machine's device, and compares the hash of the whole state and the loss after each step with the run's. "
	"The files of each checkpoint must hash to what the run had at that step, too. Where a run went on "
	"with other settings, each step is replayed with its own.\n\n"
	"With two: compares them by what they have written, as far as both go; no device is needed.\n\n"
	"The first difference ends it with status 1 and names the step and the first tensor that differs, "
	"parameters before the optimizer's arrays for them; where the run has a checkpoint of that step, also "
	"how many elements differ, and the first one's bits on both sides. It writes nothing, and may be used on "
	"a run that is going on. --set takes what changes no bit: [ops], where the corpus, the validation's files and the "
	"tokenizer are, train.micro_batch and train.recompute.",
	"hlxt verify runs/tiny --from 1\n"
	"hlxt verify runs/tiny runs/tiny --to 2\n",
	{ OPT_FROM, OPT_TO, OPT_DEVICE, OPT_SET, OPT_QUIET }, verify, sets
};
