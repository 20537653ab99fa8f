/* plan.c - hlxt plan INI: what a run would take of the device's memory, before anything is allocated. */
#include "runner/decoder.h"

static void bytes(const char *name, uint64_t n)
{
	printf("  %-14s %12.2f MiB\n", name, (double)n / 1048576.0);
}

static void print_plan(const char *name, const struct hlx_program *p)
{
	const struct hlx_plan_info i = hlx_program_plan(p);
	char sums[24];

	printf("\n%s: %u steps, %u dispatches", name, i.steps, i.dispatches);
	if (i.again)
		printf(" (%u of them to recompute)", i.again);
	printf(", %u barriers", i.barriers);
	if (i.fused)
		printf(", %u passes fused with their neighbours'", i.fused);
	printf(i.passes > 1 ? ", in %u passes\n" : "\n", i.passes);
	bytes("weights", i.weights);
	bytes("optimizer", i.states);
	bytes("gradients", i.gradients);
	if (i.arenas) { /* finished or not; the rest are the norm's */
		snprintf(sums, sizeof sums, "  sums, %u x", i.arenas);
		bytes(sums, i.sums);
	}
	bytes("activations", i.activations);
	bytes("parameters", i.parameters);
	bytes("total", i.total);
	bytes("available", i.available);
}

/* What a text of all positions has made in the end. */
static int print_decoding(const struct conf *c, const struct session *s)
{
	struct decoder_plan d;
	int status = decoder_plan(s, c, &d);

	if (status)
		return status < 0 ? status : 0;
	printf("\nsampling position by position (beside that): up to %llu programs of %d positions\n", (unsigned long long)d.n_blocks,
			DECODER_BLOCK);
	bytes("kept", d.kept);
	bytes("each program", d.block);
	bytes("total", d.kept + d.n_blocks * d.block);
	return 0;
}

static int print(struct conf *c, struct session *s, const struct cli_args *args)
{
	const struct hlx_device_info *d = hlx_device_describe(s->device);

	printf("%s: %llu parameters in %u tensors, %lld x %lld tokens a step", c->path,
			(unsigned long long)session_parameters(s), hlx_graph_param_count(s->train_graph),
			(long long)c->batch_size, (long long)c->seq_len);
	if (c->micro_batch < c->batch_size)
		printf(", %lld x %lld at a time", (long long)c->micro_batch, (long long)c->seq_len);
	printf("\n");
	printf("device: %s (%s)\n", d->name, d->type);
	print_plan("training", s->train);
	print_plan("validation (weights are those of training)", s->eval);
	print_plan("sampling (weights are those of training)", s->sample);
	CLI_TRY(print_decoding(c, s));
	if (!args->list)
		return 0;
	printf("\nthe steps of training:\n");
	return hlx_program_print(s->train, stdout);
}

static int plan_in(struct conf *c, struct session *s, const struct cli_args *args)
{
	CLI_TRY(session_open(s, c, NULL, NULL, args));
	CLI_TRY(session_graphs(s, c, SESSION_TRAIN | SESSION_EVAL | SESSION_SAMPLE));
	CLI_TRY(session_device(s, args->device));
	CLI_TRY(session_plans(s, c));
	return print(c, s, args);
}

static int plan(const struct cli_args *args)
{
	struct conf conf = { 0 };
	struct session session = { 0 };
	int status = plan_in(&conf, &session, args);

	session_close(&session);
	conf_close(&conf);
	return status;
}

const struct command command_plan = {
	"plan", "INI", "print what a run would take of the device's memory",
	"Nothing is allocated.",
	"hlxt plan small.ini --set train.micro_batch=2\n",
	{ OPT_SET, OPT_DEVICE, OPT_LIST }, plan, NULL
};
