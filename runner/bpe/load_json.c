/* load_json.c - tokenizer.json as Hugging Face's tokenizers write it: byte-level BPE, and nothing that would change its ids. */
#include "runner/bpe/load.h"

#include <stdlib.h>
#include <string.h>

/* What a part of the file may be; anything else would give other ids than ours. */
enum want { WANT_NULL, WANT_FALSE, WANT_EMPTY, WANT_BYTE_LEVEL, WANT_BPE };

static const struct {
	const char *part, *key; /* part NULL: the file itself */
	enum want want;
} wants[] = {
	{ NULL, "truncation", WANT_NULL },
	{ NULL, "padding", WANT_NULL },
	{ NULL, "normalizer", WANT_NULL },
	{ NULL, "post_processor", WANT_BYTE_LEVEL }, /* or none: it moves offsets only */
	{ NULL, "decoder", WANT_BYTE_LEVEL },
	{ "pre_tokenizer", "type", WANT_BYTE_LEVEL },
	{ "pre_tokenizer", "add_prefix_space", WANT_FALSE },
	{ "model", "type", WANT_BPE },
	{ "model", "dropout", WANT_NULL },
	{ "model", "continuing_subword_prefix", WANT_EMPTY },
	{ "model", "end_of_word_suffix", WANT_EMPTY },
	{ "model", "byte_fallback", WANT_FALSE },
};

static bool suits(const json_t *v, enum want want)
{
	const char *text = json_string_value(json_is_object(v) ? json_object_get(v, "type") : v);

	switch (want) {
	case WANT_FALSE: return json_is_false(v);
	case WANT_EMPTY: return text && !*text;
	case WANT_BYTE_LEVEL: return text && !strcmp(text, "ByteLevel");
	case WANT_BPE: return text && !strcmp(text, "BPE");
	default: return false;
	}
}

static int check(const json_t *root, const char *path)
{
	const json_t *pre = json_object_get(root, "pre_tokenizer");

	for (size_t i = 0; i < CLI_COUNT(wants); i++) {
		const char *part = wants[i].part;
		const json_t *v = json_object_get(part ? json_object_get(root, part) : root, wants[i].key);
		const char *text = json_string_value(json_is_object(v) ? json_object_get(v, "type") : v);

		if (v && !json_is_null(v) && !suits(v, wants[i].want))
			return hlx_fail(HLX_EIO, "tokenizer %s: %s%s%s%s%.40s is not implemented; byte-level BPE as GPT-2's is", path,
					part ? part : "", part ? "." : "", wants[i].key, text ? " " : "", text ? text : "");
	}
	if (!suits(pre, WANT_BYTE_LEVEL) || json_is_false(json_object_get(pre, "use_regex")))
		return hlx_fail(HLX_EIO, "tokenizer %s: want a pre_tokenizer ByteLevel with its regex", path);
	return 0;
}

static int read_merge(struct load *l, const json_t *m)
{
	const char *text = json_string_value(m), *left = json_string_value(json_array_get(m, 0));
	const char *right = json_string_value(json_array_get(m, 1)), *blank = text ? strchr(text, ' ') : NULL;
	char *copy;
	int status;

	if (json_array_size(m) == 2 && left && right)
		return load_pair(l, left, right);
	if (!blank || strchr(blank + 1, ' '))
		return hlx_fail(HLX_EIO, "tokenizer %s: merge %llu: want \"a b\" or [\"a\", \"b\"]", l->path,
				(unsigned long long)l->parts.n_pairs);
	if (!(copy = strndup(text, (size_t)(blank - text))))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	status = load_pair(l, copy, blank + 1);
	free(copy);
	return status;
}

static int check_added(const json_t *a, const char *path)
{
	static const char *const flags[] = { "single_word", "lstrip", "rstrip" };
	const char *content = json_string_value(json_object_get(a, "content"));
	json_int_t id = json_integer_value(json_object_get(a, "id"));

	if (!content || !*content || !json_is_integer(json_object_get(a, "id")) || id < 0 || id >= 1 << 24)
		return hlx_fail(HLX_EIO, "tokenizer %s: added_tokens: want an id from 0 to 2^24 and a content", path);
	for (size_t i = 0; i < CLI_COUNT(flags); i++)
		if (json_is_true(json_object_get(a, flags[i])))
			return hlx_fail(HLX_EIO, "tokenizer %s: added token \"%.40s\": %s is not implemented", path, content, flags[i]);
	return 0;
}

static int read_all(struct load *l, const json_t *root)
{
	const json_t *model = json_object_get(root, "model"), *added = json_object_get(root, "added_tokens");
	const json_t *merges = json_object_get(model, "merges"), *whole = json_object_get(model, "ignore_merges");
	uint32_t size = 0;
	size_t i;
	json_t *v;

	CLI_TRY(check(root, l->path));
	json_array_foreach((json_t *)added, i, v) {
		json_int_t id = json_integer_value(json_object_get(v, "id"));
		CLI_TRY(check_added(v, l->path));
		size = (uint32_t)id >= size ? (uint32_t)id + 1 : size;
	}
	CLI_TRY(load_vocab(l, json_object_get(model, "vocab"), size));
	if (!json_is_array(merges))
		return hlx_fail(HLX_EIO, "tokenizer %s: model.merges: want a list", l->path);
	json_array_foreach((json_t *)merges, i, v)
		CLI_TRY(read_merge(l, v));
	json_array_foreach((json_t *)added, i, v)
		CLI_TRY(load_added(l, (uint32_t)json_integer_value(json_object_get(v, "id")),
				json_string_value(json_object_get(v, "content"))));
	l->parts.whole_words = json_is_true(whole);
	return 0;
}

int load_tokenizer_json(const char *path, struct bpe **out)
{
	struct load l = { .path = path };
	json_t *root;
	int status = load_json(path, &root);

	if (status >= 0)
		status = read_all(&l, root);
	status = load_finish(&l, status, out);
	json_decref(root);
	return status;
}
