#include "core/check/selftest.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "core/check/probe.h"
#include "core/check/small.h"
#include "core/check/trial.h"
#include "core/check/verdict.h"
#include "core/numerics.h"

#define MAX_KERNELS 128u
#define MAX_CASES 128u
#define MAX_WORK 3e8 /* terms: 0.3 s of a reference */

/* A kernel (pipeline NULL: what is done on the host), and the neighbour whose work it does, if it does one's. */
struct kernel {
	const struct hlx_pipeline *pipeline;
	struct hlx_check_next next;
	enum hlx_check_mode mode;
};

/* One implementation: its kernels in the program, and how many shapes each has passed. */
struct trial {
	struct hlx_program *program;
	const struct hlx_prog_node *node; /* the first of it */
	struct kernel kernel[MAX_KERNELS];
	uint32_t passed[MAX_KERNELS];
	bool running[MAX_KERNELS];
	uint32_t n, enough; /* shapes */
	uint64_t base;
	struct hlx_check check;
	char seen[MAX_CASES][256];
	uint32_t n_seen;
	bool again;  /* what was wanted is wanted once more, with other values */
	bool big;    /* one kind of values has to do */
	bool strict; /* kernels that the program does not use are not to be compiled for this */
	char said[768];
};

#define LOG(t, ...) (t)->program->dev->host.pub.log(&(t)->program->dev->host.pub, 1, __VA_ARGS__)

/* ---- kernels ---- */

static bool kernel_of(const struct hlx_program *p, const struct hlx_prog_step *s, struct kernel *out)
{
	const struct hlx_prog_node *n = &p->node[s->node];

	*out = (struct kernel){ .pipeline = s->kind == HLX_DISPATCH ? s->pipeline : NULL };
	for (uint32_t i = 0; i < s->n_access; i++)
		if (s->access[i].next) {
			out->next = (struct hlx_check_next){ p->node[n->next[s->backward]].op, n->finish[s->backward].slot, !p->options.backward };
			out->mode = s->backward ? HLX_CHECK_BEHIND : HLX_CHECK_BEFORE;
		}
	return s->kind == HLX_DISPATCH || s->kind == HLX_HOST_CALL; /* fills and copies compute nothing */
}

static bool is_same(const struct kernel *a, const struct kernel *b)
{
	return a->pipeline == b->pipeline && a->next.op == b->next.op && a->next.slot == b->next.slot &&
		a->next.infer == b->next.infer && a->mode == b->mode;
}

static uint32_t find(const struct trial *t, const struct kernel *k)
{
	uint32_t i = 0;

	while (i < t->n && !is_same(&t->kernel[i], k))
		i++;
	return i;
}

static uint64_t key_of(const struct trial *t, const struct kernel *k)
{
	uint64_t key = hlx_verdict_key(t->base, k->pipeline);
	const uint32_t how[] = { k->next.slot, k->next.infer, k->mode };

	return k->next.op ? XXH64(how, sizeof(how), XXH64(k->next.op->name, strlen(k->next.op->name), key)) : key;
}

static void collect(struct trial *t, const struct hlx_verdicts *v)
{
	const struct hlx_program *p = t->program;
	struct kernel k;

	for (uint32_t i = 0; i < p->n_steps; i++)
		if (p->node[p->step[i].node].impl == t->node->impl && kernel_of(p, &p->step[i], &k) && find(t, &k) == t->n &&
				t->n < MAX_KERNELS && !(t->base && hlx_verdicts_has(v, key_of(t, &k))))
			t->kernel[t->n++] = k;
}

/* How many kernels lack shapes. */
static uint32_t lacking(const struct trial *t, uint32_t enough)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		n += t->passed[i] < enough;
	return n;
}

static void stop(struct trial *t, bool passed)
{
	for (uint32_t i = 0; i < t->n; i++) {
		t->passed[i] += t->running[i] && passed;
		t->running[i] = false;
	}
}

/* Does it run a kernel that lacks shapes, and in strict mode none but the program's? */
static bool wanted(void *ctx, const struct hlx_program *p)
{
	struct trial *t = ctx;
	struct kernel k;
	bool news = t->again, stranger = false;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		uint32_t at = kernel_of(p, &p->step[i], &k) ? find(t, &k) : t->n;
		news |= at < t->n && t->passed[at] < t->enough;
		stranger |= at == t->n && p->step[i].kind == HLX_DISPATCH && !t->again &&
			p->node[p->step[i].node].impl == t->node->impl;
	}
	if (!news || (t->strict && stranger))
		return false;
	for (uint32_t i = 0; i < p->n_steps; i++)
		if (kernel_of(p, &p->step[i], &k) && find(t, &k) < t->n)
			t->running[find(t, &k)] = true;
	return true;
}

static void complain(void *ctx, enum hlx_check_id id, const char *line)
{
	struct trial *t = ctx;

	(void)id;
	if (!t->said[0])
		snprintf(t->said, sizeof(t->said), "%s", line);
}

/* ---- one case ---- */

/* 0: it ran, or could not be asked for here; HLX_ENOTSUP: it differs */
static int judge(struct trial *t)
{
	int status = t->check.status;
	bool failed = t->check.failed;

	t->check.failed = 0;
	t->check.status = 0;
	if (hlx_check_refusal(status)) {
		stop(t, false);
		t->said[0] = '\0';
		return 0;
	}
	if (status == HLX_EDEVICE || status == HLX_ENOMEM)
		return status;
	return failed ? HLX_ENOTSUP : 0;
}

/* One pass; how the values lie is up to the checker's own command. */
static void run_one(struct trial *t, const struct hlx_check_case *c, const struct hlx_trial_how *how, enum hlx_family family)
{
	struct hlx_trial trial;
	int status = hlx_trial_open(&trial, &t->check, c, how, HLX_CHECK_BITS);

	if (status == 0)
		status = hlx_trial_run(&trial, family, 1);
	if (status < 0)
		hlx_check_complain(&t->check, HLX_CHECK_BUILD, c, trial.what, "%s", hlx_message());
	t->check.status = status < 0 ? status : 0;
	hlx_trial_finish(&trial);
}

/* With ordinary values, and then with those of every magnitude. */
static int run_both(struct trial *t, const struct hlx_check_case *c, struct hlx_trial_how how)
{
	unsigned ran = t->check.ran;
	int status;

	run_one(t, c, &how, HLX_FAMILY_NORMAL);
	status = judge(t);
	if (status == 0 && t->check.ran != ran && !t->big) {
		t->again = true;
		run_one(t, c, &how, HLX_FAMILY_MIXED);
		t->again = false;
		status = judge(t);
	}
	stop(t, status == 0);
	t->program->dev->trials += t->check.ran - ran;
	return status;
}

/* The same with each neighbour, where the two are fused. */
static int run_fused(struct trial *t, const struct hlx_check_case *c)
{
	int status = 0;

	t->check.strange = true; /* other shapes may not go together */
	for (uint32_t i = 0; i < t->n && status >= 0; i++) {
		const struct kernel *k = &t->kernel[i];
		struct hlx_check_case both = *c;
		unsigned ran = t->check.ran;
		if (!k->next.op || t->passed[i] >= t->enough)
			continue;
		both.next = &k->next;
		hlx_check_run_case(&t->check, &both, k->mode, HLX_FAMILY_NORMAL, 0);
		status = judge(t);
		if (status == 0 && t->check.ran != ran && !t->big) {
			t->again = true;
			hlx_check_run_case(&t->check, &both, k->mode, HLX_FAMILY_MIXED, 0);
			t->again = false;
			status = judge(t);
		}
		stop(t, status == 0);
		t->program->dev->trials += t->check.ran - ran;
	}
	t->check.strange = false;
	return status;
}

static int run_case(struct trial *t, const char *text)
{
	const struct hlx_op *op = t->node->op;
	const struct hlx_node *n = &t->node->pub;
	struct hlx_check_case c;

	if (!lacking(t, t->enough) || hlx_check_case_parse(op, text, &c) < 0)
		return 0;
	if (op->kind != HLX_LAYER && op->kind != HLX_LOSS) {
		HLX_TRY(run_both(t, &c, (struct hlx_trial_how){ .slots = n->slots }));
		for (uint64_t slots = 8; slots && hlx_check_slotted(op); slots /= 2) /* micro-batches end in fewer than a pass has */
			HLX_TRY(run_both(t, &c, (struct hlx_trial_how){ .slots = slots }));
		return 0;
	}
	HLX_TRY(run_fused(t, &c));
	HLX_TRY(run_both(t, &c, (struct hlx_trial_how){ 0 }));
	if (!op->ref_backward || !t->node->impl->backward)
		return 0;
	HLX_TRY(run_both(t, &c, (struct hlx_trial_how){ .grads = ~0ull }));
	HLX_TRY(run_both(t, &c, (struct hlx_trial_how){ .grads = ~0ull, .accum = ~0ull }));
	return n->grads ? run_both(t, &c, (struct hlx_trial_how){ .grads = n->grads, .accum = n->accum }) : 0;
}

/* ---- all cases ---- */

/* The layers of a model are much alike. */
static bool is_new(struct trial *t, const char *text)
{
	for (uint32_t i = 0; i < t->n_seen; i++)
		if (!strcmp(t->seen[i], text))
			return false;
	if (t->n_seen < MAX_CASES)
		snprintf(t->seen[t->n_seen++], sizeof(t->seen[0]), "%s", text);
	return true;
}

static int run_cases(struct trial *t)
{
	for (const char *const *c = t->node->op->cases; c && *c; c++)
		HLX_TRY(run_case(t, *c));
	return 0;
}

/* The program's own nodes, made small; tiny: and one of their dims made very small, each in turn. */
static int run_nodes(struct trial *t, uint64_t limit, bool tiny)
{
	uint64_t dims[HLX_MAX_SLOTS * HLX_MAX_RANK] = { 0 };
	uint32_t n;
	int status = 0;

	t->n_seen = 0;
	for (uint32_t i = 0; i < t->program->n_nodes && status >= 0 && lacking(t, t->enough); i++) {
		if (t->program->node[i].impl != t->node->impl)
			continue;
		n = tiny ? hlx_small_dims(&t->program->node[i], dims) : 1;
		for (uint32_t k = 0; k < n && status >= 0; k++) {
			struct hlx_small s = { .limit = limit, .tiny = tiny ? dims[k] : 0 };
			if (hlx_small_case(&t->program->node[i], &s) && s.work <= MAX_WORK && is_new(t, s.text))
				status = run_case(t, s.text);
		}
	}
	return status;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/*
 * Each kernel on two of the program's shapes and one of the author's, where that needs no other kernels: three, as one
 * may be too small to show anything.  Otherwise on one; bigger ones last, which cost more.
 */
static int run_all(struct trial *t)
{
	static const uint64_t limits[] = { 256, 1024, UINT64_MAX };

	t->strict = true;
	t->enough = 2;
	HLX_TRY(run_nodes(t, 64, false));
	t->enough = 3;
	HLX_TRY(run_cases(t));
	t->strict = false;
	t->enough = 1;
	HLX_TRY(run_nodes(t, 64, false));
	HLX_TRY(run_cases(t));
	t->big = true;
	for (unsigned i = 0; i < 3; i++)
		HLX_TRY(run_nodes(t, limits[i], true));
	return 0;
}

static int refuse(struct trial *t)
{
	const struct hlx_device_info *info = &t->program->dev->info;
	struct hlx_probe probe;

	if (hlx_probe(t->program->dev, &probe) < 0)
		snprintf(probe.words, sizeof(probe.words), "the device cannot be probed");
	return hlx_fail(HLX_ENOTSUP, "%s: not portable on %.80s, it differs from its reference: %s; %s. [ops] %s = NAME takes "
			"another implementation, [numerics] mode = device takes any as it is", t->node->path, info->name, t->said,
			probe.words, t->node->op->name);
}

/* ---- all implementations ---- */

static void keep(struct trial *t, struct hlx_verdicts *v)
{
	for (uint32_t i = 0; i < t->n; i++) {
		const struct hlx_pipeline *k = t->kernel[i].pipeline;
		const char *name = k ? k->shader->name : "the host's part";
		if (!t->passed[i])
			LOG(t, "self-test: %s/%s: no small shape reaches %s as it is specialized here: not tried", t->node->op->name,
					t->node->impl->name, name);
		if (t->base && t->passed[i])
			hlx_verdicts_add(v, key_of(t, &t->kernel[i]));
	}
}

static int try_impl(struct hlx_program *p, const struct hlx_prog_node *node, struct hlx_verdicts *v)
{
	struct trial *t = calloc(1, sizeof(*t));
	struct hlx_fpenv env;
	double start = now();
	int status = 0;

	if (!t)
		return hlx_no_memory();
	t->program = p;
	t->node = node;
	t->base = hlx_verdict_base(p->dev, p->graph->registry, node->op, node->impl);
	t->check = (struct hlx_check){ .registry = p->graph->registry, .dev = p->dev, .impl = node->impl, .wanted = wanted,
		.complain = complain, .ctx = t };
	collect(t, v);
	if (t->n && !node->op->ref_forward) {
		LOG(t, "self-test: op %s has no reference: %s is taken as it is", node->op->name, node->impl->name);
	} else if (t->n) {
		hlx_fpenv_enter(&env);
		status = run_all(t);
		hlx_fpenv_restore(&env);
		if (status == HLX_ENOTSUP)
			status = refuse(t);
		if (status >= 0)
			keep(t, v);
		LOG(t, "self-test: %s/%s: %u of %u kernels, %u runs, %.0f ms", node->op->name, node->impl->name, t->n - lacking(t, 1),
				t->n, t->check.ran, (now() - start) * 1e3);
	}
	free(t);
	return status;
}

int hlx_selftest(struct hlx_program *p)
{
	struct hlx_verdicts *v = hlx_verdicts_get(p->dev);
	int status = v ? 0 : hlx_no_memory();

	for (uint32_t i = 0; i < p->n_nodes && status >= 0 && p->graph->options.mode != HLX_DEVICE; i++) {
		uint32_t first = 0;
		while (p->node[first].impl != p->node[i].impl)
			first++;
		if (first == i && p->node[i].impl)
			status = try_impl(p, &p->node[i], v);
	}
	if (v)
		hlx_verdicts_save(p->dev);
	return status;
}
