/* export.c - hlxt export DIR --format F --out PATH: a run or a model, for other programs.  No device is needed. */
#include "runner/export.h"
#include "runner/out.h"

#include <stdlib.h>
#include <string.h>

int export_read(struct export *e, uint32_t i, bool turned, const float **out)
{
	const struct st_tensor *t = st_find(&e->file, hlx_graph_param(e->graph, i).path);

	CLI_TRY(weights_read(&e->file, t, e->data));
	*out = e->data;
	if (turned && e->param[i].name->conv) {
		weights_transpose(e->data, t->dim[0], t->dim[1], e->turned);
		*out = e->turned;
	}
	return 0;
}

static int put_tensors(struct export *e, struct st_writer *w, bool turned)
{
	const float *data;

	CLI_TRY(st_header(w));
	for (uint32_t i = 0; i < hlx_graph_param_count(e->graph); i++) {
		CLI_TRY(export_read(e, i, turned, &data));
		CLI_TRY(st_write(w, data, hlx_graph_param(e->graph, i).numel * sizeof(float)));
	}
	return 0;
}

int export_tensors(struct export *e, const char *path, int (*declare)(struct export *, struct st_writer *), bool turned)
{
	struct st_writer w;
	int status = st_begin(&w, path);

	if (status >= 0)
		status = declare(e, &w);
	if (status >= 0)
		status = put_tensors(e, &w, turned);
	return st_end(&w, status);
}

/* ---- --format safetensors: our names ---- */

static int declare_plain(struct export *e, struct st_writer *w)
{
	for (uint32_t i = 0; i < hlx_graph_param_count(e->graph); i++)
		CLI_TRY(st_declare(w, hlx_graph_param(e->graph, i).path, hlx_graph_param(e->graph, i).desc));
	return 0;
}

static int export_plain(struct export *e, const char *path)
{
	return export_tensors(e, path, declare_plain, false);
}

/* ---- the command ---- */

static const struct format {
	const char *name;
	bool gpt2, folder;
	int (*write)(struct export *, const char *path);
} formats[] = {
	{ "hf", true, true, export_hf },
	{ "gguf", true, false, export_gguf },
	{ "safetensors", false, false, export_plain },
};

static int find_format(const char *name, const struct format **out)
{
	const char *names[CLI_COUNT(formats)];

	for (size_t i = 0; i < CLI_COUNT(formats); i++) {
		names[i] = formats[i].name;
		*out = &formats[i];
		if (name && !strcmp(name, formats[i].name))
			return 0;
	}
	return hlx_fail(CLI_USAGE, "export: --format %.40s%s: want hf, gguf or safetensors", name ? name : "is missing",
			name ? cli_hint(name, names, CLI_COUNT(names)) : "");
}

static int prepare(struct export *e, const struct format *f, const struct cli_args *args)
{
	uint64_t room;

	CLI_TRY(model_open(args->operand, args, &e->model));
	CLI_TRY(model_tokenizer(&e->model));
	CLI_TRY(session_graphs(&e->model.session, &e->model.conf, SESSION_SAMPLE));
	e->graph = session_graph(&e->model.session);
	room = session_room(&e->model.session);
	e->param = calloc(hlx_graph_param_count(e->graph) + 1, sizeof *e->param);
	e->data = malloc(room);
	e->turned = malloc(room);
	if (!e->param || !e->data || !e->turned)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	if (f->gpt2 && gpt2_match(e->graph, &e->gpt2, e->param) < 0)
		return hlx_prefix(HLX_ENOTSUP, "%s: not the wiring of GPT-2, which is what %s can express: ", e->model.conf.path,
				f->name);
	return model_weights(&e->model, e->graph, &e->file);
}

static int write_out(struct export *e, const struct format *f, const char *out)
{
	struct out o;
	int status;

	CLI_TRY(out_new(out, f->folder));
	if (!f->folder)
		return f->write(e, out);
	status = out_folder(out, &o);
	if (status >= 0)
		status = f->write(e, o.aside);
	return out_end(&o, status);
}

static int export(const struct cli_args *args)
{
	struct export e = { .file.fd = -1 };
	const struct format *f;
	int status = find_format(args->format, &f);

	if (status >= 0 && !args->out)
		status = hlx_fail(CLI_USAGE, "export: --out %s says where it goes", f->folder ? "DIR" : "FILE");
	if (status >= 0)
		status = prepare(&e, f, args);
	if (status >= 0)
		status = write_out(&e, f, args->out);
	if (status >= 0 && !args->quiet)
		printf("%s: %u tensors, into %s\n", e.file.path, hlx_graph_param_count(e.graph), args->out);
	free(e.turned);
	free(e.data);
	free(e.param);
	st_close(&e.file);
	model_close(&e.model);
	return status;
}

static const char *const sets[] = { "data.tokenizer", NULL };

const struct command command_export = {
	"export", "DIR", "write a run's newest checkpoint, or a model, for other programs",
	"DIR is a run's folder, a checkpoint's in it, or a model's. --format hf: a folder that transformers loads as a GPT-2; gguf: a file for llama.cpp; safetensors: the "
	"parameters, by our names. The first two take models with the wiring of GPT-2 only. No device is needed. --set "
	"data.tokenizer=PATH says where the tokenizer is, if it was moved.",
	"hlxt export runs/tiny --format hf --out gpt2\n"
	"hlxt export runs/tiny --format gguf --out tiny.gguf\n",
	{ OPT_FORMAT, OPT_NEW, OPT_SET, OPT_QUIET }, export, sets
};
