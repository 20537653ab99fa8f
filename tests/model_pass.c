/*
 * model_pass.c - one pass over a model's folder: logits, loss and the gradients of the mean loss, as safetensors.
 *
 * usage: model_pass DIR IN OUT      IN: a safetensors file with tokens and targets, (batch, seq) of I32
 */
#include "runner/model.h"

#include <stdlib.h>
#include <string.h>

struct pass {
	struct model model;
	struct st_file in;
	struct hlx_program *program;
	uint64_t batch, positions;
};

static int load(struct pass *p, const char *dir, const char *in)
{
	const struct st_tensor *t;
	char batch[40];
	struct cli_args args = { .set = { batch }, .n_set = 1, .steps = -1 };

	CLI_TRY(st_open(in, &p->in));
	t = st_find(&p->in, "tokens");
	if (!t || t->rank != 2 || !st_find(&p->in, "targets"))
		return hlx_fail(HLX_EIO, "%s: want tokens and targets (batch, seq)", in);
	p->batch = t->dim[0];
	p->positions = weights_numel(t);
	snprintf(batch, sizeof batch, "train.batch_size=%llu", (unsigned long long)p->batch);
	CLI_TRY(model_open(dir, &args, &p->model));
	return model_load(&p->model, SESSION_TRAIN, NULL);
}

static int put(struct pass *p, const char *name)
{
	uint32_t *data = malloc(p->positions * sizeof *data);
	int status = data ? st_read(&p->in, st_find(&p->in, name), 0, p->positions * sizeof *data, data) : HLX_ENOMEM;

	if (status >= 0)
		status = hlx_program_write(p->program, name, HLX_VALUE, 0, p->positions, data);
	free(data);
	return status;
}

static int run(struct pass *p, struct hlx_result *r)
{
	const struct hlx_graph *g = p->model.session.train_graph;
	const char *keep[] = { hlx_graph_logits(g), NULL };
	const struct hlx_program_options o = { .backward = true, .keep = keep };
	const struct hlx_step step = { .size = sizeof step, .train = 1, .step = 1, .n_seq = (uint32_t)p->batch };

	CLI_TRY(hlx_program_create(p->model.session.device, p->model.session.train_graph, p->model.session.weights, &o,
			&p->program));
	CLI_TRY(put(p, "tokens"));
	CLI_TRY(put(p, "targets"));
	CLI_TRY(hlx_program_run(p->program, &step));
	return hlx_program_result(p->program, r);
}

static int copy(struct pass *p, struct st_writer *w, const char *tensor, int what, uint64_t n, float factor)
{
	float *data = malloc(n * sizeof *data);
	int status = data ? hlx_program_read(p->program, tensor, what, 0, n, data) : HLX_ENOMEM;

	for (uint64_t i = 0; i < n && status >= 0; i++)
		data[i] *= factor;
	if (status >= 0)
		status = st_write(w, data, n * sizeof *data);
	free(data);
	return status;
}

static int write_all(struct pass *p, struct st_writer *w, const struct hlx_result *r)
{
	const struct hlx_graph *g = p->model.session.train_graph;
	const char *logits = hlx_graph_logits(g);
	const struct hlx_desc one = { .dtype = HLX_F32, .rank = 1, .dim = { 1 } };
	const float loss = r->loss_sum / r->count;

	CLI_TRY(st_declare(w, "loss", &one));
	CLI_TRY(st_declare(w, "logits", hlx_graph_desc(g, logits)));
	for (uint32_t i = 0; i < hlx_graph_param_count(g); i++)
		CLI_TRY(st_declare(w, hlx_graph_param(g, i).path, hlx_graph_param(g, i).desc));
	CLI_TRY(st_header(w));
	CLI_TRY(st_write(w, &loss, sizeof loss));
	CLI_TRY(copy(p, w, logits, HLX_VALUE, hlx_numel(hlx_graph_desc(g, logits)), 1));
	for (uint32_t i = 0; i < hlx_graph_param_count(g); i++)
		CLI_TRY(copy(p, w, hlx_graph_param(g, i).path, HLX_GRAD, hlx_graph_param(g, i).numel, 1 / r->count));
	return 0;
}

int main(int argc, char **argv)
{
	struct pass p = { .in.fd = -1 };
	struct st_writer w = { 0 };
	struct hlx_result r;
	int status = argc == 4 ? load(&p, argv[1], argv[2]) : hlx_fail(CLI_USAGE, "usage: model_pass DIR IN OUT");

	if (status >= 0)
		status = run(&p, &r);
	if (status >= 0)
		status = st_begin(&w, argv[3]);
	if (status >= 0)
		status = write_all(&p, &w, &r);
	status = st_end(&w, status);
	if (status < 0)
		fprintf(stderr, "model_pass: %s\n", hlx_message());
	hlx_program_destroy(p.program);
	model_close(&p.model);
	st_close(&p.in);
	return status < 0;
}
