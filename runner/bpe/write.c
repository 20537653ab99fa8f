/* write.c - a vocabulary as tokenizer.json, as Hugging Face's tokenizers read it. */
#include "runner/bpe/bpe.h"
#include "runner/out.h"

#include <stdlib.h>

static const char byte_level[] = "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}";

/* Of the alphabet only these two are special in JSON. */
static void put_chars(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', f);
		putc(*text, f);
	}
}

static void put_token(FILE *f, const struct bpe_parts *p, uint32_t id, char *room)
{
	bpe_to_chars(p->text + p->offset[id], p->offset[id + 1] - p->offset[id], room);
	put_chars(f, room);
}

static void put_all(FILE *f, const struct bpe_parts *p, char *room)
{
	fprintf(f, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": [");
	for (size_t i = 0; i < p->n_added; i++) {
		fprintf(f, "%s\n    {\"id\": %u, \"content\": \"", i ? "," : "", p->added[i]);
		put_token(f, p, p->added[i], room);
		fprintf(f, "\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false, \"special\": true}");
	}
	fprintf(f, "\n  ],\n  \"normalizer\": null,\n  \"pre_tokenizer\": %s,\n  \"post_processor\": %s,\n  \"decoder\": %s,\n", byte_level,
			byte_level, byte_level);
	fprintf(f, "  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n"
			"    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n    \"fuse_unk\": false,\n"
			"    \"byte_fallback\": false,\n    \"ignore_merges\": false,\n    \"vocab\": {");
	for (uint32_t id = 0; id < p->size; id++) {
		fprintf(f, "%s\n      \"", id ? "," : "");
		put_token(f, p, id, room);
		fprintf(f, "\": %u", id);
	}
	fprintf(f, "\n    },\n    \"merges\": [");
	for (uint64_t i = 0; i < p->n_pairs; i++) {
		fprintf(f, "%s\n      \"", i ? "," : "");
		put_token(f, p, p->pair[i][0], room);
		putc(' ', f);
		put_token(f, p, p->pair[i][1], room);
		putc('"', f);
	}
	fprintf(f, "\n    ]\n  }\n}\n");
}

int bpe_write(const struct bpe_parts *p, const char *path)
{
	uint64_t longest = 0;
	struct out o;
	char *room;
	int status;

	for (uint32_t id = 0; id < p->size; id++)
		longest = p->offset[id + 1] - p->offset[id] > longest ? p->offset[id + 1] - p->offset[id] : longest;
	if (!(room = malloc(2 * longest + 1)))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	status = out_open(path, &o);
	if (status >= 0)
		put_all(o.f, p, room);
	free(room);
	return out_end(&o, status);
}
