#include "tests/train_model.h"

#include <stdlib.h>
#include <string.h>

#include "core/vulkan/host.h"
#include "core/registry/registry.h"
#include "core/check/data.h"

#define MODEL(layers) \
	"[model]\nvocab_size = 13\nd_model = 24\nnum_layers = " layers "\nnum_heads = 3\nffn_dim = 40\nmax_seq_len = 35\n" \
	"[train]\nlr = 0.01\nweight_decay = 0.1\ngrad_clip = 0.5\n" \
	"[embed]\nx = embedding tokens\n"
#define ATTENTION(in) \
	"qkv = gemm " in " out=3*d_model bias=yes\n" \
	"q = heads qkv part=0\nk = heads qkv part=1\nv = heads qkv part=2\n" \
	"score = gemm q k transpose_b=yes\n" \
	"prob = softmax score causal=yes scale=rsqrt(d_model/num_heads)\n" \
	"ctx = gemm prob v\nflat = unheads ctx\n" \
	"proj = gemm flat out=d_model bias=yes\n"
#define FFN(in) \
	"fc = gemm " in " out=ffn_dim bias=yes\nact = gelu fc\nmlp = gemm act out=d_model bias=yes\n"
#define HEAD "[head]\nn = layernorm x\nlogits = gemm n out=vocab_size\nloss = xent logits targets\n"

const char pre_ln[] = MODEL("2") "[layer]\nn1 = layernorm x\n" ATTENTION("n1") "x1 = add x proj\nn2 = layernorm x1\n"
	FFN("n2") "x = add x1 mlp\n" HEAD;
const char post_ln[] = MODEL("2") "[layer]\n" ATTENTION("x") "a1 = add x proj\nx1 = layernorm a1\n" FFN("x1")
	"a2 = add x1 mlp\nx = layernorm a2\n[head]\nlogits = gemm x out=vocab_size\nloss = xent logits targets\n";
const char attention_only[] = MODEL("2") "[layer]\nn1 = layernorm x\n" ATTENTION("n1") "x = add x proj\n" HEAD;
const char tied_head[] = MODEL("1") "[layer]\nn1 = layernorm x\n" ATTENTION("n1") "x = add x proj\n"
	"[head]\nn = layernorm x\nlogits = gemm n out=vocab_size weight=@embed.x.token\nloss = xent logits targets\n";
const char parallel[] = MODEL("1") "[layer]\nn1 = layernorm x\n" ATTENTION("n1") FFN("n1")
	"x1 = add x proj\nx = add x1 mlp\n" HEAD;

/* Counting by 1, 2 or 3 from somewhere: learnt in a few steps. */
static void make_tokens(struct model *m, uint64_t number)
{
	uint64_t stream = hlx_data_stream("tokens", number);

	for (uint32_t b = 0; b < MODEL_BATCH; b++) {
		uint32_t start = hlx_data_index(HLX_FAMILY_NORMAL, stream, 2 * b, MODEL_VOCAB);
		uint32_t by = 1 + hlx_data_index(HLX_FAMILY_NORMAL, stream, 2 * b + 1, 3);
		for (uint32_t t = 0; t < MODEL_SEQ; t++) {
			m->tokens[b * MODEL_SEQ + t] = (start + by * t) % MODEL_VOCAB;
			m->targets[b * MODEL_SEQ + t] = (start + by * (t + 1)) % MODEL_VOCAB;
			if (m->ignore && (t % 5 == 4 || b == 1 || (b + 1 == MODEL_BATCH && t > 1)))
				m->targets[b * MODEL_SEQ + t] = MODEL_IGNORED;
		}
	}
}

static int open_all(struct model *m, const char *text, const char *const *set, struct model_how how)
{
	const struct hlx_graph_options o = { .batch = MODEL_BATCH, .seq_len = MODEL_SEQ, .train = true, .slots = how.slots,
		.micro_batch = how.micro };
	struct hlx_program_options p = { .backward = true, .optimizer = "adam", .ini_section = "train",
		.hash = true, .recompute = how.recompute ? HLX_RECOMPUTE_LAYER : HLX_RECOMPUTE_NONE, .in_flight = how.in_flight };
	const char *path = getenv("HLX_PLUGIN_PATH"), *names[HLX_MAX_SLOTS];

	HLX_TRY(hlx_registry_create(&m->registry));
	HLX_TRY(hlx_registry_load_all(m->registry, path && *path ? "/nonexistent" : "plugins/.libs"));
	HLX_TRY(hlx_device_open(NULL, &m->dev));
	HLX_TRY(hlx_ini_parse("test.ini", text, strlen(text), &m->ini));
	for (; set && *set; set++)
		HLX_TRY(hlx_ini_set(m->ini, *set));
	HLX_TRY(hlx_graph_build(m->registry, m->ini, &o, &m->graph));
	m->n_state = hlx_optimizer_states(m->registry, "adam", names);
	HLX_TRY(hlx_weights_create(m->dev, m->graph, m->n_state, &m->weights));
	HLX_TRY(hlx_weights_init(m->weights, 7));
	p.ini = m->ini;
	return hlx_program_create(m->dev, m->graph, m->weights, &p, &m->program);
}

int model_open_as(struct model *m, const char *text, const char *const *set, struct model_how how)
{
	memset(m, 0, sizeof(*m));
	return open_all(m, text, set, how);
}

int model_open(struct model *m, const char *text, const char *const *set, uint64_t slots)
{
	return model_open_as(m, text, set, (struct model_how){ .slots = slots });
}

void model_close(struct model *m)
{
	hlx_program_destroy(m->program);
	hlx_weights_destroy(m->weights);
	hlx_graph_destroy(m->graph);
	hlx_ini_destroy(m->ini);
	hlx_device_close(m->dev);
	hlx_registry_destroy(m->registry);
}

struct hlx_step model_step(uint64_t number)
{
	return (struct hlx_step){ .size = sizeof(struct hlx_step), .train = 1, .step = number, .n_seq = MODEL_BATCH,
		.lr = 0.01f };
}

int model_load(struct model *m, uint64_t number)
{
	(m->fill ? m->fill : make_tokens)(m, number);
	HLX_TRY(hlx_program_write(m->program, "tokens", HLX_VALUE, 0, MODEL_TOKENS, m->tokens));
	return hlx_program_write(m->program, "targets", HLX_VALUE, 0, MODEL_TOKENS, m->targets);
}

int model_train(struct model *m, uint64_t number, struct hlx_result *out)
{
	const struct hlx_step step = model_step(number);

	HLX_TRY(model_load(m, number));
	HLX_TRY(hlx_program_run(m->program, &step));
	return hlx_program_result(m->program, out);
}

static uint64_t count_bits(const struct model *m)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < hlx_graph_param_count(m->graph); i++)
		n += hlx_graph_param(m->graph, i).numel * (1 + m->n_state);
	return n;
}

float *model_bits(struct model *m, size_t *count)
{
	float *bits = malloc(count_bits(m) * sizeof(*bits)), *at = bits;

	*count = count_bits(m);
	for (uint32_t s = 0; bits && s <= m->n_state; s++)
		for (uint32_t i = 0; i < hlx_graph_param_count(m->graph); i++) {
			if (hlx_weights_read(m->weights, i, s, at) < 0) {
				free(bits);
				return NULL;
			}
			at += hlx_graph_param(m->graph, i).numel;
		}
	return bits;
}

/* -- on the host ------------------------------------------------------------------------------------------- */

static uint32_t slot_of(const struct hlx_op *op, const char *name)
{
	uint32_t s = 0;

	while (op->slots[s].name && strcmp(op->slots[s].name, name))
		s++;
	return s;
}

static void flat(struct hlx_desc *d, enum hlx_dtype dtype, uint64_t n)
{
	*d = (struct hlx_desc){ .dtype = dtype, .rank = 1, .dim = { n }, .stride = { 1 } };
}

static int read_attrs(struct host_model *h, const struct hlx_op *op, struct model *like)
{
	HLX_TRY(hlx_attrs_create(op, &h->attrs));
	for (const struct hlx_attr *a = op->attrs; a->name; a++) {
		const struct hlx_setting *s = hlx_ini_find(like->ini, "train", a->name);
		double v;
		if (s && a->type == HLX_FLOAT) {
			HLX_TRY(hlx_ini_real(like->ini, "train", a->name, a->min, a->max, &v));
			*(double *)((char *)h->attrs + a->offset) = v;
		}
	}
	return 0;
}

int host_model_open(struct host_model *h, struct model *like)
{
	const struct hlx_op *op = hlx_registry_op(like->registry, "adam");
	uint64_t n = like->graph->arena;
	uint32_t *flags;

	memset(h, 0, sizeof(*h));
	HLX_TRY(hlx_walk_create(like->graph, &h->walk));
	HLX_TRY(read_attrs(h, op, like));
	flat(&h->desc[slot_of(op, "param")], HLX_F32, n);
	flat(&h->desc[slot_of(op, "grad")], HLX_F32, n);
	flat(&h->desc[slot_of(op, "flags")], HLX_U32, n / 64);
	flat(&h->desc[slot_of(op, "loss")], HLX_F32, 2);
	flat(&h->desc[slot_of(op, "norm")], HLX_F32, 2);
	h->adam = (struct hlx_node){ .struct_size = sizeof(h->adam), .name = "adam", .desc = h->desc, .attrs = h->attrs,
		.slots = 1 };
	while (op->slots[h->adam.n_slots].name)
		h->adam.n_slots++;
	HLX_TRY(op->infer(&hlx_registry_host(like->registry)->pub, &h->adam));
	for (uint32_t s = 0; s < h->adam.n_slots; s++)
		if (!(h->value[s] = calloc(hlx_numel(&h->desc[s]), 4)))
			return hlx_no_memory();
	flags = h->value[slot_of(op, "flags")];
	for (uint32_t i = 0; i < like->graph->n_params; i++) {
		const struct hlx_param *p = &like->graph->param[i];
		HLX_TRY(hlx_weights_read(like->weights, i, 0, (float *)h->value[slot_of(op, "param")] + p->offset));
		for (uint64_t e = 0; e < hlx_slot_stride(&p->desc); e += 64)
			flags[(p->offset + e) / 64] = p->no_decay;
	}
	return 0;
}

void host_model_close(struct host_model *h)
{
	hlx_walk_destroy(h->walk);
	free(h->attrs);
	for (uint32_t s = 0; s < HLX_MAX_SLOTS; s++)
		free(h->value[s]);
}

/* Parameters to the walk, or gradients from it. */
static void spread(struct host_model *h, struct model *like)
{
	const float *arena = h->value[slot_of(hlx_registry_op(like->registry, "adam"), "param")];

	for (uint32_t i = 0; i < like->graph->n_params; i++)
		memcpy(h->walk->param[i], arena + like->graph->param[i].offset, hlx_numel(&like->graph->param[i].desc) * 4);
}

static void collect(struct host_model *h, struct model *like)
{
	const struct hlx_op *op = hlx_registry_op(like->registry, "adam");
	float *arena = h->value[slot_of(op, "grad")];

	for (uint32_t i = 0; i < like->graph->n_params; i++)
		memcpy(arena + like->graph->param[i].offset, h->walk->final[i], hlx_numel(&like->graph->param[i].desc) * 4);
	memcpy(h->value[slot_of(op, "loss")], h->walk->loss, 8);
	memcpy(h->value[slot_of(op, "norm")], &h->walk->norm, 4);
}

int host_model_train(struct host_model *h, struct model *like, uint64_t number)
{
	const struct hlx_step step = model_step(number);

	(like->fill ? like->fill : make_tokens)(like, number);
	spread(h, like);
	memcpy(hlx_walk_value(h->walk, "tokens"), like->tokens, sizeof(like->tokens));
	memcpy(hlx_walk_value(h->walk, "targets"), like->targets, sizeof(like->targets));
	HLX_TRY(hlx_walk_forward(h->walk, &step));
	HLX_TRY(hlx_walk_backward(h->walk, &step, NULL, NULL));
	collect(h, like);
	return hlx_registry_op(like->registry, "adam")->ref_forward(&h->adam, h->value, &step);
}

float *host_model_bits(struct host_model *h, struct model *like, size_t *count)
{
	const struct hlx_op *op = hlx_registry_op(like->registry, "adam");
	float *bits = malloc(count_bits(like) * sizeof(*bits)), *at = bits;
	const char *names[HLX_MAX_SLOTS];

	*count = count_bits(like);
	hlx_optimizer_states(like->registry, "adam", names);
	for (uint32_t s = 0; bits && s <= like->n_state; s++) {
		const float *arena = h->value[slot_of(op, s ? names[s - 1] : "param")];
		for (uint32_t i = 0; i < like->graph->n_params; i++) {
			uint64_t n = hlx_numel(&like->graph->param[i].desc);
			memcpy(at, arena + like->graph->param[i].offset, n * 4);
			at += n;
		}
	}
	return bits;
}
