#include "runner/session.h"
#include "runner/conf_keys.h"
#include "runner/decoder.h"
#include "runner/paths.h"

#include <stdlib.h>
#include <string.h>

#define TRAIN_IN_FLIGHT 2 /* the next step is the device's before it has done this one */

int session_plugins(struct session *s)
{
	*s = (struct session){ 0 };
	CLI_TRY(hlx_registry_create(&s->registry));
	CLI_TRY(hlx_registry_load_all(s->registry, path_plugins()));
	if (!hlx_registry_op_at(s->registry, 0, NULL))
		return hlx_fail(HLX_EPLUGIN, "no plugins in %s; HLX_PLUGIN_PATH names more folders", path_plugins());
	return 0;
}

int session_open(struct session *s, struct conf *c, const char *folder, const char *name, const struct cli_args *args)
{
	CLI_TRY(folder ? conf_open(folder, name, args, c) : conf_open_operand(args, c));
	CLI_TRY(session_plugins(s));
	return conf_read(c, s->registry, args);
}

static int build(struct session *s, struct conf *c, int64_t batch, bool train, struct hlx_graph **out)
{
	const struct hlx_graph_options o = {
		.batch = (uint64_t)batch, .seq_len = (uint64_t)c->seq_len, .train = train,
		.slots = batch == c->batch_size ? (uint64_t)c->slots : 0,
		.micro_batch = batch == c->batch_size ? (uint64_t)c->micro_batch : 0,
	};

	return hlx_graph_build(s->registry, c->ini, &o, out);
}

/* Tokens are drawn from the logits, and fed back: there are vocab_size of them. */
static int check_logits(struct session *s, const struct conf *c)
{
	const char *path = hlx_graph_logits(session_graph(s));
	const struct hlx_desc *d = path ? hlx_graph_desc(session_graph(s), path) : NULL;

	if (!d || d->rank < 2 || d->dtype != HLX_F32)
		return hlx_fail(HLX_EINVAL, "%s: [head] ends without a loss of logits", c->path);
	s->vocab_size = d->dim[d->rank - 1];
	if (s->vocab_size != (uint64_t)c->vocab_size)
		return hlx_fail(HLX_ESHAPE, "%s: %s has %llu logits a token, want vocab_size = %lld", c->path, path,
				(unsigned long long)s->vocab_size, (long long)c->vocab_size);
	return 0;
}

/* The parameters that [train] frozen names. */
static int freeze(struct hlx_graph *g, const struct conf *c)
{
	char *words = conf_unquote(c->frozen), *rest = words, *word;
	int status = words ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	while (status >= 0 && (word = strsep(&rest, " \t")))
		if (*word && !hlx_graph_freeze(g, word))
			status = hlx_fail(HLX_EINVAL, "train.frozen: %.100s is no parameter (they are like layer.0.fc.weight; * stands "
					"for anything)", word);
	free(words);
	return status;
}

int session_graphs(struct session *s, struct conf *c, int parts)
{
	if (parts & SESSION_TRAIN && !s->train_graph) {
		CLI_TRY(build(s, c, c->batch_size, true, &s->train_graph));
		CLI_TRY(freeze(s->train_graph, c));
	}
	if (parts & SESSION_EVAL && !s->eval_graph)
		CLI_TRY(build(s, c, c->batch_size, false, &s->eval_graph));
	if (parts & SESSION_SAMPLE && !s->sample_graph)
		CLI_TRY(build(s, c, 1, false, &s->sample_graph));
	if (s->train_graph)
		s->n_state = hlx_optimizer_states(s->registry, c->optimizer, s->state_name);
	CLI_TRY(conf_check(c, s->registry));
	return check_logits(s, c);
}

/* lavapipe's name says how wide it is: a name is looked for as the device is called before it is widened, and after. */
int session_device(struct session *s, const char *select)
{
	struct hlx_device_info list[CLI_DEVICES];
	int status = hlx_device_open(select, &s->device);
	char index[16];

	if (status < 0) {
		CLI_TRY(cli_list_devices(list));
		return hlx_device_open(select, &s->device);
	}
	if (!cli_widen(hlx_device_describe(s->device)))
		return 0;
	snprintf(index, sizeof(index), "%u", hlx_device_describe(s->device)->index);
	hlx_device_close(s->device);
	s->device = NULL;
	return hlx_device_open(index, &s->device);
}

static int make(struct session *s, struct hlx_graph *g, const struct hlx_program_options *o, struct hlx_program **out)
{
	return g ? hlx_program_create(s->device, g, s->weights, o, out) : 0;
}

static int make_train(struct session *s, struct conf *c)
{
	const struct hlx_program_options o = {
		.backward = true, .optimizer = c->optimizer, .ini = c->ini, .ini_section = "train", .hash = true,
		.recompute = (enum hlx_recompute)(c->recompute - 1), .in_flight = TRAIN_IN_FLIGHT
	};

	return make(s, s->train_graph, &o, &s->train);
}

int session_plans(struct session *s, struct conf *c)
{
	const char *keep[2] = { NULL, NULL };
	const struct hlx_program_options eval = { 0 }, sample = { .keep = keep };

	CLI_TRY(make_train(s, c));
	CLI_TRY(make(s, s->eval_graph, &eval, &s->eval));
	if (s->sample_graph)
		keep[0] = hlx_graph_logits(s->sample_graph);
	return make(s, s->sample_graph, &sample, &s->sample);
}

int session_retrain(struct session *s, struct conf *c)
{
	hlx_program_destroy(s->train);
	hlx_graph_destroy(s->train_graph);
	s->train = NULL;
	s->train_graph = NULL;
	CLI_TRY(session_graphs(s, c, SESSION_TRAIN));
	return make_train(s, c);
}

int session_programs(struct session *s, struct conf *c)
{
	CLI_TRY(hlx_weights_create(s->device, session_graph(s), s->n_state, &s->weights));
	return session_plans(s, c);
}

void session_close(struct session *s)
{
	decoder_destroy(s->decoder);
	hlx_program_destroy(s->sample);
	hlx_program_destroy(s->eval);
	hlx_program_destroy(s->train);
	hlx_weights_destroy(s->weights);
	hlx_device_close(s->device);
	hlx_graph_destroy(s->sample_graph);
	hlx_graph_destroy(s->eval_graph);
	hlx_graph_destroy(s->train_graph);
	hlx_registry_destroy(s->registry);
	*s = (struct session){ 0 };
}

const struct hlx_graph *session_graph(const struct session *s)
{
	return s->train_graph ? s->train_graph : s->eval_graph ? s->eval_graph : s->sample_graph;
}

uint64_t session_parameters(const struct session *s)
{
	const struct hlx_graph *g = session_graph(s);
	uint64_t n = 0;

	for (uint32_t i = 0; i < hlx_graph_param_count(g); i++)
		n += hlx_graph_param(g, i).numel;
	return n;
}

uint64_t session_room(const struct session *s)
{
	const struct hlx_graph *g = session_graph(s);
	uint64_t most = 1;

	for (uint32_t i = 0; i < hlx_graph_param_count(g); i++)
		most = hlx_graph_param(g, i).numel > most ? hlx_graph_param(g, i).numel : most;
	return most * sizeof(float);
}

uint64_t session_memory(const struct session *s)
{
	const struct hlx_program *program[] = { s->train, s->eval, s->sample };
	uint64_t weights = 0, sum = 0;

	for (size_t i = 0; i < CLI_COUNT(program); i++)
		if (program[i]) {
			const struct hlx_plan_info p = hlx_program_plan(program[i]);
			weights = p.weights; /* all share them */
			sum += p.total - p.weights;
		}
	return weights + sum;
}
