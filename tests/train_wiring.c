#include "tests/train_wiring.h"

#define SIZE (WIRING_BATCH * WIRING_SEQ)
#define STEPS 2u

static void make_step(struct hlx_program *p, uint32_t step)
{
	uint32_t tokens[SIZE], targets[SIZE];

	for (uint32_t i = 0; i < SIZE; i++) {
		tokens[i] = (i * 7 + step * 3) % 20;
		targets[i] = (i * 11 + step) % 20;
	}
	ck_ok(hlx_program_write(p, "tokens", HLX_VALUE, 0, SIZE, tokens));
	ck_ok(hlx_program_write(p, "targets", HLX_VALUE, 0, SIZE, targets));
	ck_ok(hlx_program_run(p, &(struct hlx_step){ .size = sizeof(struct hlx_step), .train = 1, .step = step,
			.n_seq = WIRING_BATCH, .lr = 0.01f }));
}

uint32_t train_wiring(struct hlx_device *dev, struct hlx_registry *registry, const char *text, struct hlx_graph_options go,
		struct hlx_program_options po, uint32_t (*look)(const struct hlx_program *), uint64_t *hash)
{
	struct hlx_graph *g;
	struct hlx_weights *w;
	struct hlx_program *p;
	uint32_t seen;

	go.batch = WIRING_BATCH;
	go.seq_len = WIRING_SEQ;
	go.train = true;
	po.backward = po.hash = true;
	po.optimizer = "adam";
	po.ini_section = "train";
	ck_ok(hlx_ini_parse("wiring.ini", text, strlen(text), &po.ini));
	ck_ok(hlx_graph_build(registry, po.ini, &go, &g));
	ck_ok(hlx_weights_create(dev, g, 2, &w));
	ck_ok(hlx_weights_init(w, 3));
	ck_ok(hlx_program_create(dev, g, w, &po, &p));
	for (uint32_t step = 1; step <= STEPS; step++)
		make_step(p, step);
	ck_ok(hlx_program_hash(p, hash));
	seen = look(p);
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
	hlx_ini_destroy(po.ini);
	return seen;
}
