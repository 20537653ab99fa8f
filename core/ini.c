/*
 * ini.c - an INI file as a list of settings.
 *
 * inih reads the lines, we feed them: it cuts lines over 200 bytes and goes on with the rest as a new setting, cuts
 * values at a NUL, takes an indented line for the value before it, and reads a folder as an empty file.  So the file is
 * read whole, checked, and handed over line by line without indentation; nothing is kept unless all of it was right.
 */
#include "core/error.h"
#include "core/expr.h"
#include "core/numerics.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LINE 199u        /* what inih takes */
#define MAX_NAME 48u
#define MAX_FILE (1u << 20)

struct feed { /* what inih's reader and handler share */
	struct hlx_ini *ini;
	const char *at, *end;
	unsigned line;
	bool late_section;
	int status;
};

static void setting_free(struct hlx_setting *s)
{
	free(s->section);
	free(s->key);
	free(s->value);
	free(s->file);
}

void hlx_ini_destroy(struct hlx_ini *ini)
{
	if (!ini)
		return;
	for (size_t i = 0; i < ini->count; i++)
		setting_free(&ini->entry[i]);
	free(ini->entry);
	free(ini->path);
	free(ini);
}

static struct hlx_setting *find(const struct hlx_ini *ini, const char *section, const char *key)
{
	for (size_t i = 0; i < ini->count; i++)
		if (!strcmp(ini->entry[i].section, section) && !strcmp(ini->entry[i].key, key))
			return &ini->entry[i];
	return NULL;
}

static int append(struct hlx_ini *ini, const char *section, const char *key, const char *value,
		const char *file, unsigned line)
{
	struct hlx_setting *grown = realloc(ini->entry, (ini->count + 1) * sizeof(*grown)), *s;

	if (!grown)
		return hlx_no_memory();
	ini->entry = grown;
	s = &grown[ini->count];
	*s = (struct hlx_setting){ strdup(section), strdup(key), strdup(value), strdup(file), line, false };
	if (!s->section || !s->key || !s->value || !s->file) {
		setting_free(s);
		return hlx_no_memory();
	}
	ini->count++;
	return 0;
}

/* inih drops what follows the bracket, and cuts long names. */
static bool is_section(const char *line)
{
	size_t n = strcspn(line + 1, "]"), blank;

	if (!n || n > MAX_NAME || !line[1 + n])
		return false;
	blank = strspn(line + n + 2, " \t");
	return !line[n + 2 + blank] || line[n + 2 + blank] == ';' || line[n + 2 + blank] == '#';
}

static char *feed_line(char *out, int room, void *stream)
{
	struct feed *f = stream;
	const char *eol;
	size_t n;

	if (f->at >= f->end || f->status < 0)
		return NULL;
	eol = memchr(f->at, '\n', (size_t)(f->end - f->at));
	eol = eol ? eol : f->end;
	f->line++;
	while (f->at < eol && (*f->at == ' ' || *f->at == '\t'))
		f->at++;
	n = (size_t)(eol - f->at);
	if (n && f->at[n - 1] == '\r')
		n--;
	if (n > MAX_LINE || (int)n + 1 > room) {
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: the line has %zu bytes, at most %u", f->ini->path, f->line, n,
				MAX_LINE);
		return NULL;
	}
	memcpy(out, f->at, n);
	out[n] = '\0';
	f->at = eol + (eol < f->end);
	if (out[0] == '[' && !is_section(out)) {
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: a section is [name] on a line of its own, of at most %u letters",
				f->ini->path, f->line, MAX_NAME);
		return NULL;
	}
	return out;
}

static int feed_setting(void *user, const char *section, const char *key, const char *value)
{
	struct feed *f = user;
	const struct hlx_setting *old = find(f->ini, section, key);

	if (!key || !*key || strlen(key) > MAX_NAME)
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: want key = value", f->ini->path, f->line);
	else if (!*section)
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: %s stands before any [section]", f->ini->path, f->line, key);
	else if (old)
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: %s.%s is set twice, first in line %u", f->ini->path, f->line,
				section, key, old->line);
	else
		f->status = append(f->ini, section, key, value, f->ini->path, f->line);
	return f->status >= 0;
}

/* inih ends a value at a NUL, and takes a line that begins with a form feed for the value before it. */
static bool has_control(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < ' ' && text[i] != '\t' && text[i] != '\n' && text[i] != '\r')
			return true;
	return false;
}

int hlx_ini_parse(const char *name, const char *text, size_t size, struct hlx_ini **out)
{
	struct hlx_ini *ini = calloc(1, sizeof(*ini));
	struct feed f = { .ini = ini, .at = text, .end = text + size };
	const char *cr = size ? memchr(text, '\r', size) : NULL;
	int bad;

	if (!ini || !(ini->path = strdup(name))) {
		free(ini);
		return hlx_no_memory();
	}
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) /* a byte order mark */
		f.at += 3;
	if (has_control(text, size))
		f.status = hlx_fail(HLX_EINVAL, "%s: holds control bytes (NUL, say), so it is not an INI file", name);
	else if (cr && (cr + 1 == f.end || cr[1] != '\n'))
		f.status = hlx_fail(HLX_EINVAL, "%s: a line ends in CR alone: use LF or CR LF", name);
	bad = f.status < 0 ? 0 : ini_parse_stream(feed_line, &f, feed_setting, &f);
	if (bad && (f.status >= 0 || (unsigned)bad < f.line)) /* the first line that is wrong */
		f.status = bad < 0 ? hlx_no_memory() :
				hlx_fail(HLX_EINVAL, "%s:%d: want [section] or key = value", name, bad);
	if (f.status < 0) {
		hlx_ini_destroy(ini);
		return f.status;
	}
	*out = ini;
	return 0;
}

static int slurp(int fd, const char *path, char **text, size_t *size)
{
	struct stat st;
	size_t n = 0;
	ssize_t r = 1;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return hlx_fail(HLX_EINVAL, "%s: not a regular file", path);
	if (st.st_size > (off_t)MAX_FILE)
		return hlx_fail(HLX_EINVAL, "%s: %lld bytes is too long for an INI file", path, (long long)st.st_size);
	if (!(*text = malloc((size_t)st.st_size + 1)))
		return hlx_no_memory();
	while (n < (size_t)st.st_size && (r = read(fd, *text + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)r;
	*size = n;
	return r < 0 ? hlx_fail(HLX_EINVAL, "%s: %s", path, strerror(errno)) : 0;
}

int hlx_ini_read(const char *path, struct hlx_ini **out)
{
	char *text = NULL;
	size_t size = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), status;

	if (fd < 0)
		return hlx_fail(HLX_EINVAL, "%s: %s", path, strerror(errno));
	status = slurp(fd, path, &text, &size);
	close(fd);
	if (status >= 0)
		status = hlx_ini_parse(path, text, size, out);
	free(text);
	return status;
}

/* The assignment as a file of one setting, so that what is set can be written and read again. */
static int parse_assignment(const char *section, int section_len, const char *key, int key_len, const char *value,
		struct hlx_ini **out)
{
	char text[2 * MAX_LINE + 8];
	size_t n;
	int len;

	value += strspn(value, " \t");
	for (n = strlen(value); n && strchr(" \t", value[n - 1]); n--)
		;
	len = snprintf(text, sizeof(text), "[%.*s]\n%.*s=%s\n", section_len, section, key_len, key, value);
	if (len >= (int)sizeof(text) || hlx_ini_parse("--set", text, (size_t)len, out) < 0)
		return HLX_EINVAL;
	if ((*out)->count == 1 && strlen((*out)->entry->value) == n && !strncmp((*out)->entry->value, value, n))
		return 0;
	hlx_ini_destroy(*out); /* a comment, a colon in the key, more lines */
	return HLX_EINVAL;
}

int hlx_ini_set(struct hlx_ini *ini, const char *assignment)
{
	const char *dot = strchr(assignment, '.'), *eq = strchr(assignment, '=');
	struct hlx_ini *one;
	struct hlx_setting *old, *s;
	int status = 0;

	if (!dot || !eq || dot > eq || dot == assignment || eq == dot + 1)
		return hlx_fail(HLX_EINVAL, "--set %s: want section.key=value", assignment);
	if (parse_assignment(assignment, (int)(dot - assignment), dot + 1, (int)(eq - dot - 1), eq + 1, &one) < 0)
		return hlx_fail(HLX_EINVAL, "--set %s: no INI file could say that (a line has at most %u bytes, \" ;\" begins "
				"a comment)", assignment, MAX_LINE);
	s = one->entry;
	if ((old = find(ini, s->section, s->key))) {
		struct hlx_setting keep = *old;
		*old = *s;
		*s = keep;
		old->line = 0;
	} else {
		status = append(ini, s->section, s->key, s->value, "--set", 0);
	}
	hlx_ini_destroy(one);
	return status;
}

const char *hlx_setting_where(const struct hlx_setting *s)
{
	static _Thread_local char where[512];

	if (s->line)
		snprintf(where, sizeof(where), "%s:%u", s->file, s->line);
	else
		snprintf(where, sizeof(where), "--set %s.%s", s->section, s->key);
	return where;
}

const struct hlx_setting *hlx_ini_find(struct hlx_ini *ini, const char *section, const char *key)
{
	struct hlx_setting *s = find(ini, section, key);

	if (s)
		s->used = true;
	return s;
}

/* "tiny.ini:12: train.lr: " in front of what is wrong with a value. */
static int blame(const struct hlx_setting *s, int status)
{
	if (s->line)
		return hlx_prefix(status, "%s:%u: %s.%s: ", s->file, s->line, s->section, s->key);
	return hlx_prefix(status, "%s: ", hlx_setting_where(s));
}

/* A name in an expression: another key of [model]; depth keeps a = a from running on, lookups a = b+b, b = c+c ... */
struct model_scope {
	struct hlx_ini *ini;
	unsigned depth, *lookups;
};
#define MAX_LOOKUPS 10000u

static int model_find(void *ctx, const char *name, double *out)
{
	struct model_scope *s = ctx, inner = { s->ini, s->depth + 1, s->lookups };
	const struct hlx_setting *e = hlx_ini_find(s->ini, "model", name);
	const struct hlx_scope scope = { model_find, &inner, NULL, 0 };

	return e && s->depth < 8 && ++*s->lookups < MAX_LOOKUPS && hlx_expr(e->value, &scope, out) >= 0 ? 0 : HLX_EINVAL;
}

int hlx_ini_real(struct hlx_ini *ini, const char *section, const char *key, double min, double max, double *out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, section, key);
	unsigned lookups = 0;
	struct model_scope model = { ini, 0, &lookups };
	const struct hlx_scope scope = { model_find, &model, NULL, 0 };
	double v;

	if (!s)
		return 0;
	if (hlx_expr(s->value, &scope, &v) < 0)
		return blame(s, HLX_EINVAL);
	if (v < min || v > max)
		return blame(s, hlx_fail(HLX_EINVAL, "%.9g is out of range, want %.9g to %.9g", v, min, max));
	*out = v;
	return 0;
}

int hlx_ini_int(struct hlx_ini *ini, const char *section, const char *key, int64_t min, int64_t max, int64_t *out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, section, key);
	unsigned lookups = 0;
	struct model_scope model = { ini, 0, &lookups };
	const struct hlx_scope scope = { model_find, &model, NULL, 0 };
	int64_t v;

	if (!s)
		return 0;
	if (hlx_expr_int(s->value, &scope, &v) < 0)
		return blame(s, HLX_EINVAL);
	if (v < min || v > max)
		return blame(s, hlx_fail(HLX_EINVAL, "%lld is out of range, want %lld to %lld", (long long)v,
				(long long)min, (long long)max));
	*out = v;
	return 0;
}

int hlx_ini_bool(struct hlx_ini *ini, const char *section, const char *key, bool *out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, section, key);

	return s && hlx_expr_bool(s->value, out) < 0 ? blame(s, HLX_EINVAL) : 0;
}

int hlx_ini_string(struct hlx_ini *ini, const char *section, const char *key, const char **out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, section, key);

	if (s)
		*out = s->value;
	return 0;
}

static size_t length(const char *const *names)
{
	size_t n = 0;

	while (names && names[n])
		n++;
	return n;
}

int hlx_ini_check(const struct hlx_ini *ini, const char *const *sections, const char *const *keys)
{
	for (size_t i = 0; i < ini->count; i++) {
		const struct hlx_setting *s = &ini->entry[i];
		char dotted[2 * MAX_NAME + 2];
		bool known = false;

		for (size_t j = 0; sections[j]; j++)
			known |= !strcmp(s->section, sections[j]);
		snprintf(dotted, sizeof(dotted), "%s.%s", s->section, s->key);
		if (!known)
			return hlx_fail(HLX_EINVAL, "%s: no section [%s]%s", hlx_setting_where(s), s->section,
					hlx_hint(s->section, sections, length(sections)));
		if (!s->used)
			return hlx_fail(HLX_EINVAL, "%s: no key %s%s", hlx_setting_where(s), dotted,
					hlx_hint(dotted, keys, length(keys)));
	}
	return 0;
}

/* A blank before a semicolon would make a comment of it, and two blanks a line too long. */
static void write_setting(const struct hlx_setting *s, FILE *f)
{
	bool tight = s->value[0] == ';' || strlen(s->key) + strlen(s->value) + 3 > MAX_LINE;

	fprintf(f, tight ? "%s=%s\n" : "%s = %s\n", s->key, s->value);
}

int hlx_ini_write(const struct hlx_ini *ini, FILE *f)
{
	for (size_t i = 0; i < ini->count; i++) {
		bool seen = false; /* --set may have added to a section that came long before */

		for (size_t j = 0; j < i; j++)
			seen |= !strcmp(ini->entry[i].section, ini->entry[j].section);
		if (seen)
			continue;
		fprintf(f, "%s[%s]\n", i ? "\n" : "", ini->entry[i].section);
		for (size_t j = i; j < ini->count; j++)
			if (!strcmp(ini->entry[i].section, ini->entry[j].section))
				write_setting(&ini->entry[j], f);
	}
	return ferror(f) ? hlx_fail(HLX_EOUTPUT, "writing run.ini: %s", strerror(errno)) : 0;
}
