/*
 * ini_parse.c - an INI file is read.
 *
 * inih reads the lines, we feed them: it cuts lines over 200 bytes and goes on with the rest as a new setting, cuts
 * values at a NUL, takes an indented line for the value before it, and reads a folder as an empty file.  So the file is
 * read whole, checked, and handed over line by line without indentation; nothing is kept unless all of it was right.
 */
#include "core/file.h"
#include "core/ini/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE (1u << 20)

struct feed { /* what inih's reader and handler share */
	struct hlx_ini *ini;
	const char *at, *end;
	unsigned line;
	bool late_section;
	int status;
};
/* inih drops what follows the bracket, and cuts long names. */
static bool is_section(const char *line)
{
	size_t n = strcspn(line + 1, "]"), blank;

	if (!n || n > HLX_INI_NAME || !line[1 + n])
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
	if (n > HLX_INI_LINE || (int)n + 1 > room) {
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: the line has %zu bytes, at most %u", f->ini->path, f->line, n,
				HLX_INI_LINE);
		return NULL;
	}
	memcpy(out, f->at, n);
	out[n] = '\0';
	f->at = eol + (eol < f->end);
	if (out[0] == '[' && !is_section(out)) {
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: a section is [name] on a line of its own, of at most %u letters",
				f->ini->path, f->line, HLX_INI_NAME);
		return NULL;
	}
	return out;
}

static int feed_setting(void *user, const char *section, const char *key, const char *value)
{
	struct feed *f = user;
	const struct hlx_setting *old = hlx_ini_entry(f->ini, section, key);

	if (key && strlen(key) > HLX_INI_NAME)
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: %.*s... is a name of %zu letters, at most %u", f->ini->path, f->line,
				(int)HLX_INI_NAME, key, strlen(key), HLX_INI_NAME);
	else if (!key || !*key)
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: want key = value", f->ini->path, f->line);
	else if (!*section)
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: %s stands before any [section]", f->ini->path, f->line, key);
	else if (old)
		f->status = hlx_fail(HLX_EINVAL, "%s:%u: %s.%s is set twice, first in line %u", f->ini->path, f->line,
				section, key, old->line);
	else
		f->status = hlx_ini_append(f->ini, section, key, value, f->ini->path, f->line);
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

static int slurp(int fd, const char *path, off_t room, char **text, size_t *size)
{
	size_t n = 0;
	ssize_t r = 1;

	if (room > (off_t)MAX_FILE)
		return hlx_fail(HLX_EINVAL, "%s: %lld bytes is too long for an INI file", path, (long long)room);
	if (!(*text = malloc((size_t)room + 1)))
		return hlx_no_memory();
	while (n < (size_t)room && (r = read(fd, *text + n, (size_t)room - n)) > 0)
		n += (size_t)r;
	*size = n;
	return r < 0 ? hlx_fail(HLX_EINVAL, "%s: %s", path, strerror(errno)) : 0;
}

int hlx_ini_read(const char *path, struct hlx_ini **out)
{
	char *text = NULL;
	size_t size = 0;
	struct stat st;
	int fd, status;
	const char *wrong = hlx_file_open(path, O_RDONLY, &fd, &st);

	if (wrong)
		return hlx_fail(HLX_EINVAL, "%s: %s", path, wrong);
	status = slurp(fd, path, st.st_size, &text, &size);
	close(fd);
	if (status >= 0)
		status = hlx_ini_parse(path, text, size, out);
	free(text);
	return status;
}
