#include "runner/data.h"

#include "core/numerics.h"

#include <stdlib.h>

enum { SHUFFLE = 2, SHIFT = 3 }; /* purposes of random numbers; the core's initial weights are 1 */

int data_split(struct data *d, double split, uint64_t seq_len, uint64_t seed)
{
	bool own = d->n_files > d->n_train;
	uint64_t valid = own ? d->size - d->train_size : (uint64_t)((double)d->size * split);

	d->seq_len = seq_len;
	d->seed = seed;
	d->train_size = d->size - valid;
	if (d->train_size <= seq_len)
		return hlx_fail(HLX_EIO, "corpus %s%s: %llu %s for training are fewer than one sequence takes (max_seq_len = %llu, and one more)",
				d->file[0].path, d->n_train > 1 ? " and others" : "", (unsigned long long)d->train_size,
				d->file[0].width == 1 ? "bytes" : "tokens", (unsigned long long)seq_len);
	if (own && valid <= seq_len)
		return hlx_fail(HLX_EIO, "corpus %s%s: %llu tokens for validation are fewer than one sequence takes (max_seq_len = %llu, and one more)",
				d->file[d->n_train].path, d->n_files > d->n_train + 1 ? " and others" : "", (unsigned long long)valid,
				(unsigned long long)seq_len);
	/* One window fewer than there is room for leaves more than seq_len offsets, so that epochs cut differently. */
	d->windows = d->train_size / seq_len;
	d->windows -= d->windows > 1;
	d->slack = d->train_size - 1 - d->windows * seq_len;
	d->valid_windows = valid ? (valid - 1) / seq_len : 0;
	return 0;
}

uint64_t data_start(const struct data *d, uint64_t g)
{
	uint64_t epoch = g / d->windows, window;
	uint32_t r[4];
	char name[32];

	snprintf(name, sizeof name, "epoch.%llu", (unsigned long long)epoch);
	hlx_philox(d->seed, hlx_stream(SHIFT, "offset"), epoch, r);
	window = hlx_permute(d->seed, hlx_stream(SHUFFLE, name), g % d->windows, d->windows);
	return window * d->seq_len + (((uint64_t)r[1] << 32 | r[0]) % (d->slack + 1));
}

uint64_t data_valid_start(const struct data *d, uint64_t i, uint64_t count)
{
	uint64_t n = d->valid_windows, used = count < n ? count : n;

	i %= used; /* where the part has fewer windows than asked for, some serve twice */
	return d->train_size + i * (n / used) * d->seq_len;
}

struct span {
	const struct data_file *file;
	uint64_t at, vocab_size;
	uint32_t *to;
};

static int copy_tokens(void *ctx, const uint8_t *bytes, uint64_t n)
{
	struct span *s = ctx;
	uint32_t width = s->file->width;

	for (uint64_t i = 0; i < n; i++) {
		uint32_t token = token_at(bytes + i * width, width);
		if (token >= s->vocab_size)
			return data_blame(s->file, s->at + i, token, s->vocab_size);
		s->to[i] = token;
	}
	return 0;
}

static int copy_range(const struct data *d, uint64_t start, uint64_t n, uint32_t *out)
{
	for (size_t i = 0; i < d->n_files && n; i++) {
		const struct data_file *f = &d->file[i];
		struct span s = { f, start - f->first, d->vocab_size, out };
		uint64_t part;

		if (start >= f->first + f->size)
			continue;
		part = f->size - s.at < n ? f->size - s.at : n;
		CLI_TRY(data_read(f, s.at, part, copy_tokens, &s));
		start += part;
		out += part;
		n -= part;
	}
	return n ? hlx_fail(HLX_EIO, "corpus: sequence beyond its end") : 0;
}

int data_sequence(const struct data *d, uint64_t start, uint32_t *tokens, uint32_t *targets)
{
	uint64_t n = d->seq_len;
	uint32_t *all = malloc((n + 1) * sizeof *all);
	int status;

	if (!all)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	status = copy_range(d, start, n + 1, all);
	for (uint64_t i = 0; i < n && status >= 0; i++) {
		tokens[i] = all[i];
		targets[i] = all[i + 1];
	}
	free(all);
	return status;
}
