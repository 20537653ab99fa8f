/*
 * flip_run.c - a run's folder as it would be if one bit of one element had been another after one step: in the file tensors,
 * in chain from there on, and in the checkpoints, each consistent in itself.
 *
 * usage: flip_run DIR STEP TENSOR ELEMENT BIT
 */
#include "core/numerics.h"
#include "runner/checkpoint_files.h"
#include "runner/past.h"
#include "runner/safetensors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct flip {
	struct past past;
	uint64_t step, element, *sums;
	uint32_t bit;
	size_t tensor;
};

static int put(const char *path, uint64_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool bad = fd < 0 || pwrite(fd, bytes, n, (off_t)at) != (ssize_t)n || close(fd);

	return bad ? hlx_fail(HLX_EOUTPUT, "%s: %m", path) : 0;
}

/* In the checkpoint's file; the array's hash goes to *sum. */
static int flip_file(const struct flip *f, const char *dir, uint64_t *sum)
{
	static const char *const files[] = { "model.safetensors", "optimizer.safetensors" };
	const char *name = f->past.tensors.name[f->tensor];

	for (int i = 0; i < 2; i++) {
		const struct st_tensor *t;
		struct st_file st;
		uint32_t *bits;
		char path[4200];
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		CLI_TRY(st_open(path, &st));
		if ((t = st_find(&st, name))) {
			uint64_t n = (t->end - t->begin) / 4, at = t->begin + 4 * f->element;
			bits = malloc(4 * n);
			CLI_TRY(st_read(&st, t, 0, 4 * n, bits));
			bits[f->element] ^= 1u << f->bit;
			*sum = hlx_hash_words(hlx_hash_key(name), 0, bits, n);
			CLI_TRY(put(path, at, &bits[f->element], 4));
			free(bits);
		}
		st_close(&st);
	}
	return 0;
}

static int rewrite_chain(struct flip *f)
{
	struct folder folder = { .path = (char *)(uintptr_t)f->past.path, .lock = -1 };
	struct chain c;

	CLI_TRY(chain_create(&folder, &c));
	for (uint64_t s = 0; s < f->past.steps; s++) {
		struct chain_line *l = &f->past.line[s];
		CLI_TRY(chain_append(&c, s, l->loss_bits, l->state));
		l->hash = c.hash;
	}
	journal_close(&c.file);
	return 0;
}

static int rewrite_states(const struct flip *f)
{
	for (size_t i = 0; i < f->past.n_checkpoints; i++) {
		uint64_t s = f->past.checkpoint[i];
		char dir[4096], path[4200];
		struct checkpoint c;

		if (s < f->step)
			continue;
		CLI_TRY(checkpoint_at(f->past.path, s, &c));
		c.chain = f->past.line[s].hash;
		c.hash = f->past.line[s].state;
		if (s == f->step) { /* the parameters: names that are no other name's state */
			c.model = 0;
			for (size_t k = 0; k < f->past.tensors.count; k += 3)
				c.model = hlx_hash_add(c.model, f->sums[k]);
		}
		snprintf(dir, sizeof dir, "%s/checkpoints/step-%llu", f->past.path, (unsigned long long)s);
		snprintf(path, sizeof path, "%s/state.json", dir);
		unlink(path);
		CLI_TRY(checkpoint_write_state(dir, &c));
	}
	return 0;
}

static int flip(struct flip *f)
{
	struct past *p = &f->past;
	char dir[4096];

	f->sums = calloc(p->tensors.count + 1, sizeof(*f->sums));
	CLI_TRY(past_sums(p, f->step, f->sums));
	snprintf(dir, sizeof dir, "%s/checkpoints/step-%llu", p->path, (unsigned long long)f->step);
	if (past_has_checkpoint(p, f->step))
		CLI_TRY(flip_file(f, dir, &f->sums[f->tensor]));
	else
		f->sums[f->tensor] ^= 1;
	p->line[f->step].state = tensors_state(f->sums, p->tensors.count);
	CLI_TRY(put(p->tensors.file.path, p->tensors.head + 8 * (f->step * p->tensors.count + f->tensor),
			&f->sums[f->tensor], 8));
	CLI_TRY(rewrite_chain(f));
	return rewrite_states(f);
}

int main(int argc, char **argv)
{
	struct flip f = { 0 };

	if (argc != 6 || past_open(argv[1], &f.past) < 0) {
		fprintf(stderr, "usage: flip_run DIR STEP TENSOR ELEMENT BIT: %s\n", hlx_message());
		return 2;
	}
	f.step = strtoull(argv[2], NULL, 10);
	f.element = strtoull(argv[4], NULL, 10);
	f.bit = (uint32_t)atoi(argv[5]);
	while (f.tensor < f.past.tensors.count && strcmp(f.past.tensors.name[f.tensor], argv[3]))
		f.tensor++;
	if (f.tensor == f.past.tensors.count || f.step >= f.past.steps || flip(&f) < 0) {
		fprintf(stderr, "flip_run: %s\n", hlx_message());
		return 1;
	}
	free(f.sums);
	past_close(&f.past);
	return 0;
}
