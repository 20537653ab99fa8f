/*
 * hash.c - what the state hash costs: a program of nothing else, over the parameters and states of an INI's model.
 *
 * usage: hash INI [IMPLEMENTATION [DEVICE]]
 */
#include "core/program/build.h"
#include "runner/progress.h"
#include "runner/session.h"

#include <stdlib.h>

#define TURNS 200

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int state_cell(struct hlx_program *p, uint32_t chunk, struct hlx_memory *m, uint32_t *out)
{
	return hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_STATES, .bytes = p->graph->arena * 4,
			.parent = HLX_NONE, .chunk = chunk, .persistent = true, .external = m }, out);
}

static int make(struct session *s, const struct conf *c, struct hlx_program *p)
{
	p->dev = s->device;
	p->graph = s->train_graph;
	p->weights = s->weights;
	p->options = (struct hlx_program_options){ .optimizer = c->optimizer, .hash = true };
	CLI_TRY(hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_PARAMETERS, .bytes = HLX_ALIGN,
			.parent = HLX_NONE, .persistent = true }, &p->steps_cell));
	CLI_TRY(state_cell(p, 0, &s->weights->value, &p->weights_cell));
	for (uint32_t i = 0; i < s->n_state; i++)
		CLI_TRY(state_cell(p, i, &s->weights->state[i], &p->state_cell[i]));
	CLI_TRY(hlx_build_hash(p));
	CLI_TRY(hlx_program_layout(p));
	CLI_TRY(hlx_program_barriers(p));
	CLI_TRY(hlx_program_allocate(p));
	CLI_TRY(hlx_program_write_hash_tables(p));
	return hlx_program_materialize(p);
}

static int measure(struct session *s, struct hlx_program *p)
{
	const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = 1, .n_seq = 1 };
	uint32_t n = hlx_graph_param_count(s->train_graph) * p->n_arrays;
	uint64_t *sums = calloc(n + 1, sizeof(*sums)), hash = 0;
	double run[TURNS], read[TURNS];

	if (!sums)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	for (int i = -5; i < TURNS; i++) {
		double begin = progress_now(), middle;
		CLI_TRY(hlx_program_run(p, &step));
		middle = progress_now();
		CLI_TRY(hlx_program_hash(p, sums));
		if (i >= 0) {
			run[i] = middle - begin;
			read[i] = progress_now() - middle;
		}
	}
	for (uint32_t i = 0; i < n; i++)
		hash = hlx_hash_add(hash, sums[i]);
	qsort(run, TURNS, sizeof(*run), by_value);
	qsort(read, TURNS, sizeof(*read), by_value);
	printf("%s: %llu words in %u sums: %.3f ms (least %.3f), read back in %.3f ms; state %016llx\n",
			hlx_device_describe(s->device)->name, (unsigned long long)(session_parameters(s) * p->n_arrays), n,
			1e3 * run[TURNS / 2], 1e3 * run[0], 1e3 * read[TURNS / 2], (unsigned long long)hash);
	free(sums);
	return 0;
}

static int run(char **argv)
{
	struct cli_args args = { .operand = argv[1], .steps = 1 };
	char choice[64];
	struct conf conf = { 0 };
	struct session s = { 0 };
	struct hlx_program *p = calloc(1, sizeof(*p));

	if (argv[2]) {
		snprintf(choice, sizeof choice, "ops.hash=%s", argv[2]);
		args.set[args.n_set++] = choice;
	}
	CLI_TRY(session_open(&s, &conf, NULL, NULL, &args));
	CLI_TRY(session_graphs(&s, &conf, SESSION_TRAIN));
	CLI_TRY(session_device(&s, argv[2] ? argv[3] : NULL));
	CLI_TRY(hlx_weights_create(s.device, session_graph(&s), s.n_state, &s.weights));
	CLI_TRY(hlx_weights_init(s.weights, 1));
	CLI_TRY(make(&s, &conf, p));
	CLI_TRY(measure(&s, p));
	hlx_program_destroy(p);
	session_close(&s);
	conf_close(&conf);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 4) {
		fputs("usage: hash INI [IMPLEMENTATION [DEVICE]]\n", stderr);
		return EXIT_USAGE;
	}
	if (run(argv) < 0) {
		fprintf(stderr, "hash: %s\n", hlx_message());
		return EXIT_CONFIG;
	}
	return 0;
}
