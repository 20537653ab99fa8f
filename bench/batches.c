/*
 * batches.c - where the sequences of a run's batches start in its corpus, for a trainer that is to follow it step by step.
 *
 * usage: batches RUN STEPS
 * First line: seq_len and the corpus files; then a line a step, the starts of its sequences in bytes.
 */
#include "runner/data.h"
#include "runner/session.h"
#include "runner/train.h"

#include <stdlib.h>

static void print(const struct conf *c, const struct data *d, uint64_t steps)
{
	printf("%lld", (long long)c->seq_len);
	for (size_t i = 0; i < d->n_files; i++)
		printf(" %s", d->file[i].path);
	putchar('\n');
	for (uint64_t s = 0; s < steps; s++)
		for (int64_t b = 0; b < c->batch_size; b++)
			printf("%llu%c", (unsigned long long)data_start(d, s * (uint64_t)c->batch_size + (uint64_t)b),
					b + 1 < c->batch_size ? ' ' : '\n');
}

static int run(const char *dir, uint64_t steps)
{
	struct cli_args args = { .operand = dir, .steps = -1 };
	struct conf conf = { 0 };
	struct session session = { 0 };
	struct data data = { 0 };
	int status = session_open(&session, &conf, dir, "run.ini", &args);

	if (status >= 0)
		status = train_data(&conf, &data);
	if (status >= 0)
		print(&conf, &data, steps);
	data_close(&data);
	session_close(&session);
	conf_close(&conf);
	return status;
}

int main(int argc, char **argv)
{
	if (argc != 3 || atoi(argv[2]) < 1) {
		fputs("usage: batches RUN STEPS\n", stderr);
		return EXIT_USAGE;
	}
	if (run(argv[1], (uint64_t)atoi(argv[2])) < 0) {
		fprintf(stderr, "batches: %s\n", hlx_message());
		return EXIT_INPUT;
	}
	return 0;
}
