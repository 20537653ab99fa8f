#include "runner/text.h"
#include "runner/paths.h"
#include "runner/train.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define PIECE (1u << 20)

/* ---- reading ---- */

struct meter {
	uint64_t size; /* 0: unknown */
	double begin, shown;
	bool live;
};

static void show(struct meter *m, const struct text_reader *r, const char *path, uint64_t done)
{
	double now = progress_now();
	char share[16] = "";

	if (!m->live || now - m->shown < 0.1)
		return;
	if (m->size)
		snprintf(share, sizeof share, "%3.0f %%, ", 100 * (double)done / (double)m->size);
	fprintf(stderr, "\r%s %.40s: %s%.1f MB/s\033[K", r->doing, path, share, 1e-6 * (double)done / (now - m->begin + 1e-9));
	m->shown = now;
}

struct piece {
	char *bytes;
	size_t have, room;
};

static int read_more(struct piece *p, int fd, const char *path, size_t *n)
{
	ssize_t got;

	if (p->room - p->have < PIECE) { /* a word longer than that doubles it */
		size_t room = 2 * p->room + PIECE;
		char *more = realloc(p->bytes, room);
		if (!more)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		p->bytes = more;
		p->room = room;
	}
	do
		got = read(fd, p->bytes + p->have, p->room - p->have < PIECE ? p->room - p->have : PIECE);
	while (got < 0 && errno == EINTR && !train_stopping());
	if (train_stopping())
		return hlx_fail(CLI_STOPPED, "stopped; nothing is written");
	if (got < 0)
		return hlx_fail(HLX_EIO, "%s: %s", path, strerror(errno));
	p->have += (size_t)got;
	*n = (size_t)got;
	return 0;
}

static int read_pieces(struct text_reader *r, int fd, const char *path, struct meter *m, text_take take, void *ctx)
{
	struct piece p = { 0 };
	uint64_t done = 0;
	size_t n = 1, used;
	int status = 0;

	while (status >= 0 && n) {
		status = read_more(&p, fd, path, &n);
		if (status < 0)
			break;
		status = take(ctx, p.bytes, p.have, !n, &used);
		if (status < 0)
			break;
		memmove(p.bytes, p.bytes + used, p.have -= used);
		done += n;
		show(m, r, path, done);
	}
	r->bytes += done;
	free(p.bytes);
	return status;
}

int text_read(struct text_reader *r, const char *path, text_take take, void *ctx)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), status;
	struct meter m = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		status = hlx_fail(HLX_EIO, "%s: %s", path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		status = hlx_fail(HLX_EIO, "%s: is a folder, want a text", path);
	else {
		m = (struct meter){ S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0, .begin = progress_now(),
			.live = !r->quiet && isatty(STDERR_FILENO) };
		status = read_pieces(r, fd, path, &m, take, ctx);
	}
	if (m.shown > 0)
		fputs("\r\033[K", stderr);
	if (!standard && fd >= 0)
		close(fd);
	return status;
}

/* ---- to tokens ---- */

struct encoding {
	struct tokenizer *tokenizer;
	struct token_writer *to;
	struct bpe_tokens tokens;
};

static int encode(void *ctx, const char *bytes, size_t n, bool last, size_t *used)
{
	struct encoding *e = ctx;

	e->tokens.count = 0;
	CLI_TRY(tokenizer_encode(e->tokenizer, bytes, n, last, used, &e->tokens));
	return token_writer_put(e->to, e->tokens.id, e->tokens.count);
}

int text_write_tokens(struct text_reader *r, struct tokenizer *t, char *const *paths, size_t n, const char *out, uint64_t *count)
{
	struct token_writer w;
	struct encoding e = { t, &w, { 0 } };
	int status = token_writer_open(out, tokenizer_size(t), &w);

	for (size_t i = 0; i < n && status >= 0; i++)
		status = text_read(r, paths[i], encode, &e);
	if (status >= 0 && !w.count)
		status = hlx_fail(HLX_EIO, "%s%s: no text to tokenize", paths[0], n > 1 ? " and others" : "");
	*count = w.count;
	free(e.tokens.id);
	return token_writer_close(&w, status);
}

/* ---- the cache ---- */

static int hash_text(void *ctx, const char *bytes, size_t n, bool last, size_t *used)
{
	(void)last;
	*used = n;
	XXH64_update(ctx, bytes, n);
	return 0;
}

/* $XDG_CACHE_HOME/hlx/tokens/NAME-HASH.bin, its folder made. */
static int cache_path(const char *text, uint64_t hash, char **out)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *name = strrchr(text, '/');
	bool own = !xdg || *xdg != '/';
	int n = own && (!home || *home != '/') ? 0 : asprintf(out, "%s%s/hlx/tokens/%.100s-%016llx.bin", own ? home : xdg,
			own ? "/.cache" : "", name ? name + 1 : text, (unsigned long long)hash);

	if (n <= 0)
		return n ? hlx_fail(HLX_ENOMEM, "out of memory") :
			hlx_fail(HLX_EOUTPUT, "%s: nowhere to keep its tokens: set XDG_CACHE_HOME, or use hlxt tokenize", text);
	for (char *slash = strchr(*out + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(*out, 0700); /* what fails here is said when the file cannot be made */
		*slash = '/';
	}
	return 0;
}

static int cached(struct tokenizer *t, bool quiet, char **path)
{
	struct text_reader r = { .quiet = quiet, .doing = "reading" };
	XXH64_state_t *hash = XXH64_createState();
	char *to = NULL;
	uint64_t count;
	int status = hash ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	if (hash)
		XXH64_reset(hash, tokenizer_digest(t));
	if (status >= 0)
		status = hlx_prefix(text_read(&r, *path, hash_text, hash), "corpus ");
	if (status >= 0)
		status = cache_path(*path, XXH64_digest(hash), &to);
	XXH64_freeState(hash);
	r.doing = "tokenizing";
	if (status >= 0 && access(to, R_OK)) {
		train_catch_signals();
		status = text_write_tokens(&r, t, path, 1, to, &count);
	}
	if (status < 0) {
		free(to);
		return status;
	}
	free(*path);
	*path = to;
	return 0;
}

int text_tokens(struct tokenizer *t, enum token_format format, bool quiet, char **path)
{
	uint8_t head[TOKEN_HEADER];
	struct token_layout layout;
	struct stat st;
	ssize_t n = 0;
	int fd;

	if (!tokenizer_digest(t))
		return 0;
	fd = open(*path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size)
		n = read(fd, head, sizeof head);
	if (fd >= 0)
		close(fd);
	if (n <= 0) /* who opens it as a corpus says what is wrong with it */
		return 0;
	CLI_TRY(token_layout(*path, head, (size_t)n, (uint64_t)st.st_size, format, &layout));
	return layout.format == FORMAT_TEXT ? cached(t, quiet, path) : 0;
}
