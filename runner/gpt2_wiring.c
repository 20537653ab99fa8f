/*
 * gpt2_wiring.c - which graphs are a GPT-2: compared node by node with what it is made of, in order, whatever the names.
 */
#include "runner/gpt2.h"

#include "core/graph/graph.h"
#include "hlx/math.h"

#include <stdlib.h>
#include <string.h>

/* ---- names of the parameters ---- */

enum {
	TOKEN, POSITION, LN1_W, LN1_B, QKV_W, QKV_B, PROJ_W, PROJ_B, LN2_W, LN2_B, FC_W, FC_B, MLP_W, MLP_B, LNF_W, LNF_B, HEAD_W,
	NAMES
};
static const struct gpt2_name names[NAMES] = {
	[TOKEN] = { "wte.weight", "token_embd.weight", false },
	[POSITION] = { "wpe.weight", "position_embd.weight", false },
	[LN1_W] = { "h.%u.ln_1.weight", "blk.%u.attn_norm.weight", false },
	[LN1_B] = { "h.%u.ln_1.bias", "blk.%u.attn_norm.bias", false },
	[QKV_W] = { "h.%u.attn.c_attn.weight", "blk.%u.attn_qkv.weight", true },
	[QKV_B] = { "h.%u.attn.c_attn.bias", "blk.%u.attn_qkv.bias", false },
	[PROJ_W] = { "h.%u.attn.c_proj.weight", "blk.%u.attn_output.weight", true },
	[PROJ_B] = { "h.%u.attn.c_proj.bias", "blk.%u.attn_output.bias", false },
	[LN2_W] = { "h.%u.ln_2.weight", "blk.%u.ffn_norm.weight", false },
	[LN2_B] = { "h.%u.ln_2.bias", "blk.%u.ffn_norm.bias", false },
	[FC_W] = { "h.%u.mlp.c_fc.weight", "blk.%u.ffn_up.weight", true },
	[FC_B] = { "h.%u.mlp.c_fc.bias", "blk.%u.ffn_up.bias", false },
	[MLP_W] = { "h.%u.mlp.c_proj.weight", "blk.%u.ffn_down.weight", true },
	[MLP_B] = { "h.%u.mlp.c_proj.bias", "blk.%u.ffn_down.bias", false },
	[LNF_W] = { "ln_f.weight", "output_norm.weight", false },
	[LNF_B] = { "ln_f.bias", "output_norm.bias", false },
	[HEAD_W] = { "lm_head.weight", "output.weight", false },
};

static void put_name(const char *prefix, const char *pattern, uint32_t layer, char *out, size_t room)
{
	const char *hole = strstr(pattern, "%u");

	if (hole)
		snprintf(out, room, "%s%.*s%u%s", prefix, (int)(hole - pattern), pattern, layer, hole + 2);
	else
		snprintf(out, room, "%s%s", prefix, pattern);
}

void gpt2_hf_name(const struct gpt2_param *p, const char *prefix, char *out, size_t room)
{
	put_name(p->name == &names[HEAD_W] ? "" : prefix, p->name->hf, p->layer, out, room);
}

void gpt2_gguf_name(const struct gpt2_param *p, char *out, size_t room)
{
	put_name("", p->name->gguf, p->layer, out, room);
}

bool gpt2_is_constant(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(name, prefix, n) || strncmp(name + n, "h.", 2))
		return false;
	name += n + 2;
	n = strspn(name, "0123456789");
	return n && (!strcmp(name + n, ".attn.bias") || !strcmp(name + n, ".attn.masked_bias"));
}

/* ---- what the wiring must be ---- */

#define X (-1)    /* what comes from the layer before */
#define TEXT (-2) /* tokens */
#define NO (-3)
#define SCALE (-1.0) /* 1 / sqrt(d_head) */

/* A node: its inputs, by row; its parameters; attributes that are not at their defaults; where struct gpt2 has the dropout
 * of its result, 0: nowhere. */
struct row {
	const char *op;
	int in[3];
	int param[2]; /* names, in the order of its slots; -1: none */
	struct {
		const char *name;
		double value;
	} set[2];
	size_t pdrop;
};
#define PDROP(which) offsetof(struct gpt2, which##_pdrop)
static const struct row embed[] = {
	{ "embedding", { TEXT, NO, NO }, { TOKEN, POSITION }, { { NULL, 0 } }, PDROP(embd) },
};
static const struct row layer[] = {
	[0] = { "layernorm", { X, NO, NO }, { LN1_W, LN1_B }, { { NULL, 0 } } },
	[1] = { "gemm", { 0, NO, NO }, { QKV_W, QKV_B }, { { "bias", 1 } } },
	[2] = { "heads", { 1, NO, NO }, { -1, -1 }, { { "part", 0 } } },
	[3] = { "heads", { 1, NO, NO }, { -1, -1 }, { { "part", 1 } } },
	[4] = { "heads", { 1, NO, NO }, { -1, -1 }, { { "part", 2 } } },
	[5] = { "gemm", { 2, 3, NO }, { -1, -1 }, { { "transpose_b", 1 } } },
	[6] = { "softmax", { 5, NO, NO }, { -1, -1 }, { { "causal", 1 }, { "scale", SCALE } }, PDROP(attn) },
	[7] = { "gemm", { 6, 4, NO }, { -1, -1 }, { { NULL, 0 } } },
	[8] = { "unheads", { 7, NO, NO }, { -1, -1 }, { { NULL, 0 } } },
	[9] = { "gemm", { 8, NO, NO }, { PROJ_W, PROJ_B }, { { "bias", 1 } }, PDROP(resid) },
	[10] = { "add", { X, 9, NO }, { -1, -1 }, { { NULL, 0 } } },
	[11] = { "layernorm", { 10, NO, NO }, { LN2_W, LN2_B }, { { NULL, 0 } } },
	[12] = { "gemm", { 11, NO, NO }, { FC_W, FC_B }, { { "bias", 1 } } },
	[13] = { "gelu", { 12, NO, NO }, { -1, -1 }, { { NULL, 0 } } },
	[14] = { "gemm", { 13, NO, NO }, { MLP_W, MLP_B }, { { "bias", 1 } }, PDROP(resid) },
	[15] = { "add", { 10, 14, NO }, { -1, -1 }, { { NULL, 0 } } },
};
/* Rows 5 to 7 of a layer in one op. */
static const struct row attention = { "attention", { 2, 3, 4 }, { -1, -1 }, { { "causal", 1 }, { "scale", SCALE } }, 0 };
static const struct row head[] = {
	[0] = { "layernorm", { X, NO, NO }, { LNF_W, LNF_B }, { { NULL, 0 } } },
	[1] = { "gemm", { 0, NO, NO }, { HEAD_W, -1 }, { { NULL, 0 } } },
};

struct match {
	const struct hlx_graph *g;
	struct gpt2 *out;
	struct gpt2_param *param;
	uint32_t node, layer;
	uint32_t x, at[CLI_COUNT(layer)]; /* tensors: the last section's result, and this one's by row */
};

/* ---- comparing attributes ---- */

static double attr_value(const struct hlx_graph_node *n, const struct hlx_attr *a)
{
	const char *at = (const char *)n->attrs + a->offset;

	switch (a->type) {
	case HLX_INT: return (double)*(const int64_t *)(const void *)at;
	case HLX_FLOAT: return *(const double *)(const void *)at;
	default: return *(const int32_t *)(const void *)at;
	}
}

/* Sizes show in the parameters' shapes; deviations are of the initial weights only. */
static bool is_free(const char *name)
{
	static const char *const free_names[] = { "std", "out", "vocab_size", "d_model", "max_seq_len", "num_heads", "eps" };

	for (size_t i = 0; i < CLI_COUNT(free_names); i++)
		if (!strcmp(name, free_names[i]))
			return true;
	return false;
}

/* The model's own sizes: the same wherever they stand. */
static bool same_size(const char *op, const char *name, double value, struct gpt2 *g)
{
	if (!strcmp(op, "heads") && !strcmp(name, "num_heads")) {
		g->num_heads = g->num_heads ? g->num_heads : (uint64_t)value;
		return value == (double)g->num_heads;
	}
	if (!strcmp(name, "eps")) {
		g->eps = g->eps > 0 ? g->eps : value;
		return value == g->eps;
	}
	return true;
}

static bool right_scale(const struct gpt2 *g, double value)
{
	double want = (double)g->d_model / (double)g->num_heads;

	return value > 0 && value * value * want > 1 - 1e-6 && value * value * want < 1 + 1e-6;
}

static int check_attrs(struct match *m, const struct hlx_graph_node *n, const struct row *r)
{
	for (const struct hlx_attr *a = n->op->attrs; a && a->name; a++) {
		double value = attr_value(n, a), want = a->def;
		for (size_t i = 0; i < CLI_COUNT(r->set) && r->set[i].name; i++)
			want = strcmp(r->set[i].name, a->name) ? want : r->set[i].value;
		if (is_free(a->name) ? !same_size(r->op, a->name, value, m->out) :
				want == SCALE ? !right_scale(m->out, value) : value != want)
			return hlx_fail(HLX_ENOTSUP, "%s: %s is not GPT-2's", n->path, a->name);
	}
	return 0;
}

/* ---- dropout ---- */

static const struct hlx_graph_node *dropout_at(const struct hlx_graph *g, uint32_t node)
{
	const struct hlx_graph_node *n = node < g->n_nodes ? g->node[node] : NULL;

	return n && !strcmp(n->op->name, "dropout") ? n : NULL;
}

/* What a tensor is where nothing trains. */
static uint32_t undropped(const struct hlx_graph *g, uint32_t tensor)
{
	const struct hlx_graph_node *n = dropout_at(g, g->tensor[tensor].producer);

	return n ? undropped(g, n->tensor[0]) : tensor;
}

/* Behind row i of a section. */
static void skip_dropout(struct match *m, const struct row *rows, size_t i)
{
	const struct hlx_graph_node *n;

	for (; (n = dropout_at(m->g, m->node)); m->node++) {
		const struct hlx_attr *a = hlx_attrs_find(n->op, "p");
		double p = a ? attr_value(n, a) : 0;
		for (size_t j = 0; j <= i; j++)
			if (rows[j].pdrop && m->at[j] == undropped(m->g, n->tensor[0]))
				memcpy((char *)m->out + rows[j].pdrop, &p, sizeof p);
	}
}

/* ---- comparing a node ---- */

static uint32_t source(const struct match *m, int row)
{
	return row == X ? m->x : row == TEXT ? (uint32_t)hlx_graph_find_tensor(m->g, "tokens") : m->at[row];
}

/* The inputs, in either order where the op is add. */
static int check_inputs(const struct match *m, const struct hlx_graph_node *n, const struct row *r)
{
	uint32_t have[HLX_MAX_SLOTS], count = 0;

	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		if (n->op->slots[s].role == HLX_IN && n->tensor[s] != HLX_NONE)
			have[count++] = undropped(m->g, n->tensor[s]);
	if (!strcmp(r->op, "add") && count == 2 && have[0] == source(m, r->in[1])) {
		have[0] = have[1];
		have[1] = source(m, r->in[1]);
	}
	for (uint32_t i = 0; i < CLI_COUNT(r->in); i++)
		if (r->in[i] == NO ? count > i : count <= i || have[i] != source(m, r->in[i]))
			return hlx_fail(HLX_ENOTSUP, "%s: its inputs are not those of GPT-2", n->path);
	return 0;
}

static int take_params(struct match *m, const struct hlx_graph_node *n, const struct row *r)
{
	size_t count = 0;

	for (uint32_t s = 0; s < n->pub.n_slots; s++) {
		uint32_t p = n->param[s];
		if (p == HLX_NONE)
			continue;
		if (count == CLI_COUNT(r->param) || r->param[count] < 0)
			return hlx_fail(HLX_ENOTSUP, "%s: GPT-2 has no %s there", n->path, n->op->slots[s].name);
		int name = r->param[count++];
		if (!m->param[p].name)
			m->param[p] = (struct gpt2_param){ &names[name], m->layer };
		else if (name == HEAD_W && m->param[p].name == &names[TOKEN])
			m->out->tied = true;
		else
			return hlx_fail(HLX_ENOTSUP, "%s: GPT-2 does not tie its %s", n->path, n->op->slots[s].name);
		if (name == TOKEN) { /* the scale of the scores asks for d_model */
			m->out->vocab_size = m->g->param[p].desc.dim[0];
			m->out->d_model = m->g->param[p].desc.dim[1];
		}
	}
	if (count < CLI_COUNT(r->param) && r->param[count] >= 0)
		return hlx_fail(HLX_ENOTSUP, "%s: has no %s, GPT-2's has", n->path,
				strstr(names[r->param[count]].hf, "wpe") ? "positions" : "bias");
	return 0;
}

static int match_row(struct match *m, const struct row *r, uint32_t *out)
{
	const struct hlx_graph_node *n = m->node < m->g->n_nodes ? m->g->node[m->node] : NULL;

	if (!n || strcmp(n->op->name, r->op))
		return hlx_fail(HLX_ENOTSUP, "%s is not where GPT-2 has %s", n ? n->path : "the end", r->op);
	CLI_TRY(check_inputs(m, n, r));
	CLI_TRY(take_params(m, n, r));
	CLI_TRY(check_attrs(m, n, r));
	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		if (n->op->slots[s].role == HLX_OUT)
			*out = n->tensor[s];
	m->node++;
	return 0;
}

static int match_rows(struct match *m, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct hlx_graph_node *n = m->node < m->g->n_nodes ? m->g->node[m->node] : NULL;
		bool fused = rows == layer && i == 5 && n && !strcmp(n->op->name, attention.op);
		i += fused ? 2 : 0;
		CLI_TRY(match_row(m, fused ? &attention : &rows[i], &m->at[i]));
		skip_dropout(m, rows, i);
	}
	m->x = m->at[count - 1];
	return 0;
}

/* Sizes from the shapes; the residual connections make most of them the same in each layer. */
static int take_sizes(const struct match *m)
{
	for (uint32_t i = 0; i < m->g->n_params; i++) {
		const uint64_t *dim = m->g->param[i].desc.dim;
		const struct gpt2_name *name = m->param[i].name;
		if (name == &names[POSITION])
			m->out->max_seq_len = dim[0];
		if (name == &names[FC_W] && !m->out->ffn_dim)
			m->out->ffn_dim = dim[0];
		if ((name == &names[FC_W] && m->out->ffn_dim != dim[0]) || (name == &names[QKV_W] && dim[0] != 3 * m->out->d_model))
			return hlx_fail(HLX_ENOTSUP, "%s: has %llu rows, not what GPT-2 would have there", m->g->param[i].path,
					(unsigned long long)dim[0]);
	}
	return m->out->num_layers ? 0 : hlx_fail(HLX_ENOTSUP, "it has no layers");
}

int gpt2_match(const struct hlx_graph *g, struct gpt2 *out, struct gpt2_param *param)
{
	struct match m = { .g = g, .out = out, .param = param };

	*out = (struct gpt2){ 0 };
	memset(param, 0, g->n_params * sizeof *param);
	CLI_TRY(match_rows(&m, embed, CLI_COUNT(embed)));
	while (m.node < g->n_nodes && !strncmp(g->node[m.node]->path, "layer.", 6)) {
		CLI_TRY(match_rows(&m, layer, CLI_COUNT(layer)));
		out->num_layers = ++m.layer;
	}
	CLI_TRY(match_rows(&m, head, CLI_COUNT(head)));
	if (m.node + 1 != g->n_nodes || g->loss != m.node || undropped(g, g->node[g->loss]->tensor[0]) != m.x)
		return hlx_fail(HLX_ENOTSUP, "%s: want the loss of %s, and then the end", g->node[m.node]->path, g->tensor[m.x].path);
	return take_sizes(&m);
}
