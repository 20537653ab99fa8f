/* load.c - vocabularies from files: vocab.json and merges.txt as GPT-2 has them. */
#include "runner/bpe/load.h"
#include "runner/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE (256u << 20) /* the biggest known, with 256,000 tokens, has 34 MB */

/* ---- files ---- */

static int read_file(const char *path, char **text, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), status = 0;
	struct stat st;
	ssize_t n = 0;

	*text = NULL;
	*size = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		status = hlx_fail(HLX_EIO, "tokenizer %s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE)
		status = hlx_fail(HLX_EIO, "tokenizer %s: is %s", path, S_ISREG(st.st_mode) ? "larger than 256 MiB" : "not a file");
	else if (!(*text = malloc((size_t)st.st_size + 1)))
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	while (status >= 0 && *size < (size_t)st.st_size && (n = read(fd, *text + *size, (size_t)st.st_size - *size)) > 0)
		*size += (size_t)n;
	if (status >= 0 && n < 0)
		status = hlx_fail(HLX_EIO, "tokenizer %s: %s", path, strerror(errno));
	if (status >= 0)
		(*text)[*size] = '\0';
	if (fd >= 0)
		close(fd);
	return status;
}

int load_json(const char *path, json_t **out)
{
	json_error_t e;
	char *text;
	size_t size;
	int status = read_file(path, &text, &size);

	*out = NULL;
	if (status >= 0 && !(*out = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e)))
		status = hlx_fail(HLX_EIO, "tokenizer %s: line %d: %s", path, e.line, e.text);
	free(text);
	return status;
}

/* ---- the vocabulary ---- */

/* One more than the highest id; HLX_EIO for what is no id. */
static int count_ids(const json_t *vocab, const char *path, uint32_t *size)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)vocab, key, v) {
		json_int_t id = json_integer_value(v);
		if (!json_is_integer(v) || id < 0 || id >= 1 << 24)
			return hlx_fail(HLX_EIO, "tokenizer %s: token \"%.40s\": want an id from 0 to 2^24", path, key);
		*size = (uint32_t)id >= *size ? (uint32_t)id + 1 : *size;
	}
	return 0;
}

static int gather(struct load *l, const json_t *vocab)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)vocab, key, v) {
		struct load_token *t = &l->token[json_integer_value(v)];
		size_t length = strlen(key);
		long n;

		if (t->bytes)
			return hlx_fail(HLX_EIO, "tokenizer %s: two tokens have the id %lld", l->path, (long long)json_integer_value(v));
		if (!(t->bytes = malloc(length + 1)))
			return hlx_fail(HLX_ENOMEM, "out of memory");
		n = bpe_from_chars(key, length, t->bytes);
		t->plain = n >= 0;
		if (n < 0) /* the text of an added token, perhaps: said later if it is none */
			memcpy(t->bytes, key, length + 1);
		t->size = n < 0 ? length : (size_t)n;
	}
	return 0;
}

int load_vocab(struct load *l, const json_t *vocab, uint32_t more)
{
	uint32_t size = more;

	if (!json_is_object(vocab))
		return hlx_fail(HLX_EIO, "tokenizer %s: want an object of tokens and ids", l->path);
	CLI_TRY(count_ids(vocab, l->path, &size));
	if (!size)
		return hlx_fail(HLX_EIO, "tokenizer %s: the vocabulary is empty", l->path);
	l->vocab = vocab;
	l->size = size;
	if (!(l->token = calloc(size, sizeof(*l->token))))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	return gather(l, vocab);
}

int load_pair(struct load *l, const char *left, const char *right)
{
	const json_t *a = json_object_get(l->vocab, left), *b = json_object_get(l->vocab, right);

	if (!a || !b)
		return hlx_fail(HLX_EIO, "tokenizer %s: merge %llu: \"%.40s\" is not in the vocabulary", l->path,
				(unsigned long long)l->parts.n_pairs, a ? right : left);
	if (l->parts.n_pairs == l->room) {
		uint64_t room = 2 * l->room + 1024;
		void *more = realloc(l->parts.pair, room * sizeof(*l->parts.pair));
		if (!more)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		l->parts.pair = more;
		l->room = room;
	}
	l->parts.pair[l->parts.n_pairs][0] = (uint32_t)json_integer_value(a);
	l->parts.pair[l->parts.n_pairs++][1] = (uint32_t)json_integer_value(b);
	return 0;
}

int load_added(struct load *l, uint32_t id, const char *text)
{
	struct load_token *t = &l->token[id];
	uint32_t *more = realloc(l->parts.added, (l->parts.n_added + 1) * sizeof *more);

	if (!more)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	l->parts.added = more;
	more[l->parts.n_added++] = id;
	free(t->bytes);
	*t = (struct load_token){ strdup(text), strlen(text), true };
	return t->bytes ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
}

/* ---- what is read becomes a vocabulary ---- */

static int join(struct load *l)
{
	struct bpe_parts *p = &l->parts;
	uint64_t size = 0;

	for (uint32_t i = 0; i < l->size; i++) {
		size += l->token[i].size;
		if (l->token[i].bytes && !l->token[i].plain)
			return hlx_fail(HLX_EIO, "tokenizer %s: token %u, \"%.40s\", is not made of byte-level characters", l->path, i,
					l->token[i].bytes);
	}
	p->size = l->size;
	p->text = malloc(size + 1);
	p->offset = malloc(((size_t)l->size + 1) * sizeof(*p->offset));
	if (!p->text || !p->offset)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	size = 0;
	for (uint32_t i = 0; i < l->size; i++) {
		p->offset[i] = size;
		if (l->token[i].size)
			memcpy(p->text + size, l->token[i].bytes, l->token[i].size);
		size += l->token[i].size;
	}
	p->offset[l->size] = size;
	return 0;
}

int load_finish(struct load *l, int status, struct bpe **out)
{
	char name[512];

	snprintf(name, sizeof name, "tokenizer %s", l->path);
	if (status >= 0)
		status = join(l);
	for (uint32_t i = 0; l->token && i < l->size; i++)
		free(l->token[i].bytes);
	free(l->token);
	if (status < 0)
		bpe_parts_free(&l->parts);
	return status < 0 ? status : bpe_create(&l->parts, name, out);
}

/* ---- merges.txt: "#version: 0.2", then a merge a line, its two tokens with a blank between ---- */

static int read_merges(struct load *l, char *text, size_t size)
{
	unsigned line = 0;

	if (memchr(text, '\0', size))
		return hlx_fail(HLX_EIO, "tokenizer %s: is not a text", l->path);
	for (char *next; *text; text = next) {
		size_t n = strcspn(text, "\n");
		char *right;

		next = text + n + (text[n] == '\n');
		text[n - (n && text[n - 1] == '\r')] = '\0';
		line++;
		if (!*text || (line == 1 && !strncmp(text, "#version", 8)))
			continue;
		right = strchr(text, ' ');
		if (!right || right == text || !right[1] || strchr(right + 1, ' '))
			return hlx_fail(HLX_EIO, "tokenizer %s: line %u: want two tokens with a blank between", l->path, line);
		*right++ = '\0';
		CLI_TRY(load_pair(l, text, right));
	}
	return 0;
}

static int load_folder(const char *folder, struct bpe **out)
{
	char *vocab = path_join(folder, "vocab.json"), *merges = path_join(folder, "merges.txt"), *text = NULL;
	struct load l = { .path = vocab };
	json_t *root = NULL, *end;
	size_t size = 0;
	int status = vocab && merges ? load_json(vocab, &root) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0)
		status = read_file(merges, &text, &size);
	if (status >= 0)
		status = load_vocab(&l, root, 0);
	l.path = merges;
	if (status >= 0)
		status = read_merges(&l, text, size);
	l.path = folder;
	if (status >= 0 && (end = json_object_get(root, BPE_END_OF_TEXT)))
		status = load_added(&l, (uint32_t)json_integer_value(end), BPE_END_OF_TEXT);
	status = load_finish(&l, status, out);
	json_decref(root);
	free(text);
	free(vocab);
	free(merges);
	return status;
}

int bpe_load(const char *path, struct bpe **out)
{
	struct stat st;

	*out = NULL;
	if (stat(path, &st))
		return hlx_fail(HLX_EIO, "tokenizer %s: %s", path, strerror(errno));
	return S_ISDIR(st.st_mode) ? load_folder(path, out) : load_tokenizer_json(path, out);
}
