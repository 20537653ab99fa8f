/*
 * hlx-spirv - marks every float operation of a SPIR-V module NoContraction and writes the module back, as a C header or
 * as SPIR-V.  A build step for kernels: `precise` does not cross a function call in GLSL, this does.
 *
 *   | capabilities ... names | annotations | types ... functions |
 *                                          ^ OpDecorate %id NoContraction, one for each that lacks it
 *
 * And in types of cooperative matrices it puts what numbers stand for (matrix.h).
 *
 * Knows no Vulkan.  Exit status: 0 done, 2 usage, 4 input, 6 output.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spirv/unified1/spirv.h>

#include "core/spirv/spirv_walk.h"
#include "tools/matrix.h"

enum { EXIT_DONE = 0, EXIT_USAGE = 2, EXIT_INPUT = 4, EXIT_OUTPUT = 6 };

static const char usage[] =
	"usage: hlx-spirv [--name SYMBOL] IN.spv -o OUT.h\n"
	"       hlx-spirv [--binary] IN.spv -o OUT.spv\n";
static const char help[] =
	"\nDecorates every floating-point operation of a SPIR-V module with NoContraction,\n"
	"so that no driver may fuse a multiplication and an addition into one rounding.\n\n"
	"  -o OUT         what to write: SPIR-V if OUT ends in .spv, else a C header\n"
	"  --binary       write SPIR-V, whatever OUT is called\n"
	"  --name SYMBOL  the header's array (default: IN's name up to its first dot, and _spv)\n"
	"  --help         show this\n\n"
	"Exit status: 0 done, 2 usage, 4 input, 6 output.\n";

__attribute__((format(printf, 3, 4)))
static int complain(int status, const char *path, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "hlx-spirv: %s: ", path);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

/* ---- input ---- */

static int read_stream(FILE *f, const char *path, struct spirv_module *m)
{
	struct stat st;
	size_t bytes;

	if (fstat(fileno(f), &st) != 0)
		return complain(EXIT_INPUT, path, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return complain(EXIT_INPUT, path, "not a regular file");
	if (st.st_size == 0 || st.st_size % 4 || st.st_size > HLX_SPIRV_MAX_WORDS * 4LL)
		return complain(EXIT_INPUT, path, "%lld bytes cannot be a SPIR-V module", (long long)st.st_size);
	bytes = (size_t)st.st_size;
	m->code = malloc(bytes);
	if (!m->code)
		return complain(EXIT_INPUT, path, "no memory for %zu bytes", bytes);
	m->n_words = bytes / 4;
	if (fread(m->code, 1, bytes, f) != bytes)
		return complain(EXIT_INPUT, path, "cannot read all of its %zu bytes", bytes);
	return 0;
}

static int read_module(const char *path, struct spirv_module *m)
{
	FILE *f = fopen(path, "rb");
	int status;

	if (!f)
		return complain(EXIT_INPUT, path, "%s", strerror(errno));
	status = read_stream(f, path, m);
	fclose(f);
	return status;
}

/* ---- decoration ---- */

/* What stands before the types; annotations are the last of it. */
static bool is_preamble(uint32_t op)
{
	static const uint16_t preamble[] = {
		SpvOpCapability, SpvOpExtension, SpvOpExtInstImport, SpvOpMemoryModel, SpvOpEntryPoint, SpvOpExecutionMode,
		SpvOpExecutionModeId, SpvOpString, SpvOpSourceExtension, SpvOpSource, SpvOpSourceContinued, SpvOpName,
		SpvOpMemberName, SpvOpModuleProcessed, SpvOpDecorate, SpvOpDecorateId, SpvOpDecorateString,
		SpvOpMemberDecorate, SpvOpMemberDecorateString,
	};

	for (size_t i = 0; i < sizeof preamble / sizeof *preamble; i++)
		if (preamble[i] == op)
			return true;
	return false;
}

/* The operations that lack NoContraction, in module order, and the place for their decorations. */
struct todo { uint32_t *id; size_t n, at; };

/* No portable kernel has matrices, and those of the others may be fused. */
static bool is_matrix(const struct hlx_spirv_iter *it, const struct hlx_spirv_defs *defs, uint32_t type)
{
	const struct hlx_spirv_def *def = hlx_spirv_defs_find(defs, type);
	struct hlx_spirv_inst in;

	return def && !hlx_spirv_at(it, def->at, &in) && in.op == HLX_SPIRV_MATRIX_TYPE;
}

static bool lacks(const struct hlx_spirv_iter *it, const struct hlx_spirv_inst *in, const struct hlx_spirv_defs *defs,
		const struct hlx_spirv_decos *decos)
{
	return hlx_spirv_is_float_arith(in->op) && !is_matrix(it, defs, in->type)
		&& !hlx_spirv_decos_find(decos, in->result, HLX_SPIRV_WHOLE, SpvDecorationNoContraction);
}

static int find_todo(struct hlx_spirv_iter it, const struct hlx_spirv_defs *defs, const struct hlx_spirv_decos *decos,
		struct todo *todo)
{
	struct hlx_spirv_inst in;
	int more;

	todo->id = malloc((it.n_words / 3 + 1) * sizeof *todo->id); /* an operation has at least 3 words */
	if (!todo->id)
		return hlx_spirv_fail(&it, 0, -1, "no memory for %zu words", it.n_words);
	todo->at = 0;
	while ((more = hlx_spirv_next(&it, &in)) > 0) {
		if (!todo->at && !is_preamble(in.op))
			todo->at = in.at;
		if (lacks(&it, &in, defs, decos))
			todo->id[todo->n++] = in.result;
	}
	if (!more && !todo->at)
		todo->at = it.n_words;
	return more;
}

/* Moves the types and all after them up, and fills the gap. */
static int insert(const struct hlx_spirv_iter *it, const struct todo *todo, struct spirv_module *m)
{
	uint32_t *code = realloc(m->code, (m->n_words + 3 * todo->n) * sizeof *code);

	if (!code)
		return hlx_spirv_fail(it, 0, -1, "no memory for %zu decorations", todo->n);
	m->code = code;
	code += todo->at;
	memmove(code + 3 * todo->n, code, (m->n_words - todo->at) * sizeof *code);
	for (size_t i = 0; i < todo->n; i++) {
		*code++ = 3u << SpvWordCountShift | SpvOpDecorate;
		*code++ = todo->id[i];
		*code++ = SpvDecorationNoContraction;
	}
	m->n_words += 3 * todo->n;
	return 0;
}

static int decorate(const char *path, struct spirv_module *m)
{
	char err[256] = "";
	struct hlx_spirv_iter it;
	struct hlx_spirv_defs defs = { 0 };
	struct hlx_spirv_decos decos = { 0 };
	struct todo todo = { 0 };
	int status = hlx_spirv_begin(&it, m->code, m->n_words * 4, err, sizeof err);

	if (!status)
		status = hlx_spirv_defs_init(&defs, it);
	if (!status)
		status = hlx_spirv_decos_init(&decos, it);
	if (!status)
		status = find_todo(it, &defs, &decos, &todo);
	if (!status)
		status = insert(&it, &todo, m);
	free(todo.id);
	hlx_spirv_decos_finish(&decos);
	hlx_spirv_defs_finish(&defs);
	return status ? complain(EXIT_INPUT, path, "%s", err) : 0;
}

/* ---- output ---- */

static void print_header(FILE *f, const char *name, const struct spirv_module *m)
{
	fprintf(f, "/* Made by hlx-spirv: every float operation is NoContraction. */\n#include <stdint.h>\n\n"
			"static const uint32_t %s[] = {", name);
	for (size_t i = 0; i < m->n_words; i++)
		fprintf(f, "%s0x%08x,", i % 8 ? " " : "\n\t", m->code[i]);
	fputs("\n};\n", f);
}

/* name is NULL for SPIR-V. */
static int write_stream(FILE *f, const char *name, const struct spirv_module *m)
{
	bool torn;

	if (name)
		print_header(f, name, m);
	else
		fwrite(m->code, 4, m->n_words, f);
	torn = ferror(f);
	return fclose(f) != 0 || torn;
}

/* Written beside the target and renamed, so that a full disk leaves no half a header with a fresh date. */
static int write_module(const char *path, const char *name, const struct spirv_module *m)
{
	char *aside;
	FILE *f;
	int status = 0;

	if (asprintf(&aside, "%s.%ld.tmp", path, (long)getpid()) < 0)
		return complain(EXIT_OUTPUT, path, "no memory for its name");
	f = fopen(aside, "wbx");
	if (!f) {
		status = complain(EXIT_OUTPUT, aside, "%s", strerror(errno));
	} else if (write_stream(f, name, m) || rename(aside, path) != 0) {
		status = complain(EXIT_OUTPUT, path, "%s", strerror(errno));
		remove(aside);
	}
	free(aside);
	return status;
}

/* ---- the command ---- */

struct options { const char *in, *out, *name; bool binary, help; };

static bool is_identifier(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return !*s;
}

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "name", required_argument, NULL, 'n' }, { "binary", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1)
		switch (c) {
		case 'o': o->out = optarg; break;
		case 'n': o->name = optarg; break;
		case 'b': o->binary = true; break;
		case 'h': o->help = true; return 0;
		default: return EXIT_USAGE; /* getopt has named it */
		}
	if (optind + 1 != argc)
		return complain(EXIT_USAGE, "usage", "%s", optind < argc ? "more than one input" : "no input");
	if (!o->out || !*o->out)
		return complain(EXIT_USAGE, "usage", "no output, want -o OUT");
	if (o->name && !is_identifier(o->name))
		return complain(EXIT_USAGE, "--name", "'%s' is no C identifier", o->name);
	o->in = argv[optind];
	return 0;
}

/* "kernels/gelu-fwd.comp.spv" gives "gelu_fwd_spv". */
static char *make_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	char *name;

	if (asprintf(&name, "%s%.*s_spv", isdigit((unsigned char)*base) ? "_" : "", (int)strcspn(base, "."), base) < 0)
		return NULL;
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	return name;
}

static int run(const struct options *o)
{
	char err[256] = "";
	struct spirv_module m = { 0 };
	size_t length = strlen(o->out);
	bool binary = o->binary || (length >= 4 && !strcmp(o->out + length - 4, ".spv"));
	char *name = o->name ? strdup(o->name) : make_name(o->in);
	int status = name ? read_module(o->in, &m) : complain(EXIT_INPUT, o->in, "no memory for its name");

	if (!status && matrix_resolve(&m, err, sizeof err))
		status = complain(EXIT_INPUT, o->in, "%s", err);
	if (!status)
		status = decorate(o->in, &m);
	if (!status)
		status = write_module(o->out, binary ? NULL : name, &m);
	free(m.code);
	free(name);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	int status = read_options(argc, argv, &o);

	if (status) {
		fputs(usage, stderr);
		return status;
	}
	if (o.help) {
		printf("%s%s", usage, help);
		return fflush(stdout) ? EXIT_OUTPUT : EXIT_DONE;
	}
	return run(&o);
}
