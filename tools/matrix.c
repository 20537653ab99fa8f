/* matrix.c - see matrix.h.  glslang before 13 takes numbers alone as a spirv_type's operands, and no specialization constant. */
#include "tools/matrix.h"

#include <stdlib.h>
#include <string.h>

#include <spirv/unified1/spirv.h>

#include "core/spirv/spirv_walk.h"

#define MAX_MOVED 16

struct resolver {
	struct hlx_spirv_iter it;
	struct hlx_spirv_defs defs;
	struct hlx_spirv_decos decos;
	size_t first;                 /* where the first matrix type is, 0: nowhere */
	size_t moved[MAX_MOVED];      /* instructions that go there, in order */
	size_t n_moved;
	uint32_t width[3], made[3];   /* float types that there were none of, and their ids */
	size_t n_made;
	uint32_t bound;
};

static int find_first(struct resolver *r)
{
	struct hlx_spirv_iter it = r->it;
	struct hlx_spirv_inst in;
	int more;

	while ((more = hlx_spirv_next(&it, &in)) > 0)
		if (in.op == HLX_SPIRV_MATRIX_TYPE) {
			r->first = in.at;
			return 0;
		}
	return more;
}

/* The number that id is; false if it is none. */
static bool number(const struct resolver *r, uint32_t id, uint32_t *out)
{
	const struct hlx_spirv_def *def = hlx_spirv_defs_find(&r->defs, id);
	struct hlx_spirv_inst in;

	if (!def || hlx_spirv_at(&r->it, def->at, &in) || in.op != SpvOpConstant || in.n != 4)
		return false;
	*out = in.w[3];
	return true;
}

/* So that what is defined at `at` comes before the first matrix type. */
static int move(struct resolver *r, size_t at)
{
	for (size_t i = 0; i < r->n_moved; i++)
		if (r->moved[i] == at)
			return 0;
	if (at < r->first)
		return 0;
	if (r->n_moved == MAX_MOVED)
		return hlx_spirv_fail(&r->it, at, -1, "more than %d operands of matrix types to move", MAX_MOVED);
	r->moved[r->n_moved++] = at;
	return 0;
}

static int find_float(struct resolver *r, uint32_t width, uint32_t *id)
{
	struct hlx_spirv_iter it = r->it;
	struct hlx_spirv_inst in;
	int more;

	for (size_t i = 0; i < r->n_made; i++)
		if (r->width[i] == width) {
			*id = r->made[i];
			return 0;
		}
	while ((more = hlx_spirv_next(&it, &in)) > 0)
		if (in.op == SpvOpTypeFloat && in.n == 3 && in.w[2] == width) {
			*id = in.w[1];
			return move(r, in.at);
		}
	if (more)
		return more;
	r->width[r->n_made] = width;
	r->made[r->n_made++] = *id = r->bound++;
	return 0;
}

static int resolve_component(struct resolver *r, size_t at, uint32_t *id)
{
	uint32_t bits;

	if (!number(r, *id, &bits))
		return 0;
	if (bits != 16 && bits != 32 && bits != 64)
		return hlx_spirv_fail(&r->it, at, -1, "a matrix of %u-bit floats, want 16, 32 or 64", bits);
	return find_float(r, bits, id);
}

/* Specialization constant number spec; false if there is none that is a number. */
static bool find_spec(const struct resolver *r, uint32_t spec, struct hlx_spirv_inst *in)
{
	for (size_t i = 0; i < r->decos.n; i++) {
		const struct hlx_spirv_deco *d = &r->decos.deco[i];
		const struct hlx_spirv_def *def = hlx_spirv_defs_find(&r->defs, d->target);
		if (d->kind == SpvDecorationSpecId && d->value == spec && def && !hlx_spirv_at(&r->it, def->at, in) &&
		    in->op == SpvOpSpecConstant)
			return true;
	}
	return false;
}

static int resolve_size(struct resolver *r, size_t at, uint32_t *id)
{
	const struct hlx_spirv_def *type;
	struct hlx_spirv_inst in;
	uint32_t n;

	if (!number(r, *id, &n) || n < MATRIX_SPEC)
		return 0;
	if (!find_spec(r, n - MATRIX_SPEC, &in))
		return hlx_spirv_fail(&r->it, at, -1, "a matrix size is specialization constant %u, and no number is that one",
				n - MATRIX_SPEC);
	*id = in.result;
	type = hlx_spirv_defs_find(&r->defs, in.type);
	if (type && move(r, type->at))
		return -1;
	return move(r, in.at);
}

/* Words: operation, result, component, scope, rows, columns, use.  Patches in place: the iterators read the same words. */
static int resolve_types(struct resolver *r, uint32_t *code)
{
	struct hlx_spirv_iter it = r->it;
	struct hlx_spirv_inst in;
	int more, status = 0;

	while (!status && (more = hlx_spirv_next(&it, &in)) != 0) {
		if (more < 0)
			return more;
		if (in.op != HLX_SPIRV_MATRIX_TYPE)
			continue;
		if (in.n != 7)
			return hlx_spirv_fail(&it, in.at, -1, "a matrix type of %u words, want 7", in.n);
		status = resolve_component(r, in.at, &code[in.at + 2]);
		for (int i = 4; !status && i <= 5; i++)
			status = resolve_size(r, in.at, &code[in.at + i]);
	}
	return status;
}

/* The module again: what was moved and made before the first matrix type, and not where it was. */
static int rewrite(const struct resolver *r, struct spirv_module *m)
{
	uint32_t *code = malloc((m->n_words + 3 * r->n_made) * sizeof *code);
	size_t n = r->first;
	struct hlx_spirv_iter it = r->it;
	struct hlx_spirv_inst in;

	if (!code)
		return hlx_spirv_fail(&it, 0, -1, "no memory for %zu words", m->n_words);
	memcpy(code, m->code, n * sizeof *code);
	code[3] = r->bound;
	for (size_t i = 0; i < r->n_made; i++) {
		code[n++] = 3u << SpvWordCountShift | SpvOpTypeFloat;
		code[n++] = r->made[i];
		code[n++] = r->width[i];
	}
	for (size_t i = 0; i < r->n_moved && !hlx_spirv_at(&it, r->moved[i], &in); i++, n += in.n)
		memcpy(code + n, in.w, in.n * sizeof *code);
	it.at = r->first;
	while (hlx_spirv_next(&it, &in) > 0) {
		bool was_moved = false;
		for (size_t i = 0; i < r->n_moved; i++)
			was_moved |= r->moved[i] == in.at;
		if (was_moved)
			continue;
		memcpy(code + n, in.w, in.n * sizeof *code);
		n += in.n;
	}
	free(m->code);
	*m = (struct spirv_module){ code, n };
	return 0;
}

int matrix_resolve(struct spirv_module *m, char *err, size_t err_size)
{
	struct resolver r = { 0 };
	int status = hlx_spirv_begin(&r.it, m->code, m->n_words * 4, err, err_size);

	r.bound = r.it.bound;
	if (!status)
		status = find_first(&r);
	if (status || !r.first)
		return status;
	status = hlx_spirv_defs_init(&r.defs, r.it);
	if (!status)
		status = hlx_spirv_decos_init(&r.decos, r.it);
	if (!status)
		status = resolve_types(&r, m->code);
	if (!status)
		status = rewrite(&r, m);
	hlx_spirv_decos_finish(&r.decos);
	hlx_spirv_defs_finish(&r.defs);
	return status;
}
