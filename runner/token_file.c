#include "runner/token_file.h"

#include <string.h>

const char *const token_formats[] = {
	[FORMAT_AUTO - 1] = "auto", [FORMAT_TEXT - 1] = "text", [FORMAT_LLMC - 1] = "llmc",
	[FORMAT_UINT16 - 1] = "uint16", [FORMAT_UINT32 - 1] = "uint32", [FORMAT_COUNT - 1] = NULL
};

static const struct {
	uint32_t magic, version, width;
} headers[] = { { 20240520, 1, 2 }, { 20240801, 7, 4 } };

#define LLMC_MAX 0x7fffffffu /* the count is an int32 */

static bool is_llmc(const uint8_t *head, size_t n)
{
	for (size_t i = 0; i < CLI_COUNT(headers); i++)
		if (n >= 4 && token_at(head, 4) == headers[i].magic)
			return true;
	return false;
}

static int read_llmc(const char *path, const uint8_t *head, size_t n, uint64_t size, struct token_layout *out)
{
	if (!is_llmc(head, n) || n < TOKEN_HEADER)
		return hlx_fail(HLX_EIO, "corpus %s: %s", path, n < TOKEN_HEADER ? "is shorter than a header of llm.c (1024 bytes)" :
				"is not a token file of llm.c (magic number 20240520 or 20240801)");
	for (size_t i = 0; i < CLI_COUNT(headers); i++) {
		if (token_at(head, 4) != headers[i].magic)
			continue;
		if (token_at(head + 4, 4) != headers[i].version)
			return hlx_fail(HLX_EIO, "corpus %s: version %u of llm.c's token files, want %u", path, token_at(head + 4, 4),
					headers[i].version);
		*out = (struct token_layout){ FORMAT_LLMC, headers[i].width, TOKEN_HEADER, token_at(head + 8, 4) };
	}
	if (out->count != (size - TOKEN_HEADER) / out->width || (size - TOKEN_HEADER) % out->width)
		return hlx_fail(HLX_EIO, "corpus %s: its header says %llu tokens of %u bytes, and %llu bytes follow it", path,
				(unsigned long long)out->count, out->width, (unsigned long long)(size - TOKEN_HEADER));
	return 0;
}

int token_layout(const char *path, const uint8_t *head, size_t n, uint64_t size, enum token_format format,
		struct token_layout *out)
{
	size_t length = strlen(path);

	if (format == FORMAT_AUTO && is_llmc(head, n))
		format = FORMAT_LLMC;
	else if (format == FORMAT_AUTO)
		format = length > 4 && !strcmp(path + length - 4, ".bin") ? FORMAT_UINT16 : FORMAT_TEXT;
	if (format == FORMAT_LLMC)
		return read_llmc(path, head, n, size, out);
	*out = (struct token_layout){ .format = format, .width = format == FORMAT_UINT32 ? 4 : format == FORMAT_UINT16 ? 2 : 1 };
	out->count = size / out->width;
	if (size % out->width)
		return hlx_fail(HLX_EIO, "corpus %s: %llu bytes are no whole number of %s tokens; data.format says what it is", path,
				(unsigned long long)size, token_formats[format - 1]);
	return 0;
}

/* ---- writing ---- */

int token_writer_open(const char *path, uint64_t vocab_size, struct token_writer *w)
{
	static const uint8_t header[TOKEN_HEADER];

	*w = (struct token_writer){ .width = vocab_size > 1 << 16 ? 4 : 2 };
	CLI_TRY(out_open(path, &w->out));
	return fwrite(header, sizeof header, 1, w->out.f) == 1 ? 0 : out_failed(&w->out);
}

int token_writer_put(struct token_writer *w, const uint32_t *tokens, size_t n)
{
	if (n > LLMC_MAX - w->count)
		return hlx_fail(HLX_EINVAL, "%s: more than 2^31 - 1 tokens, which a header of llm.c cannot say: write several files",
				w->out.path);
	for (size_t i = 0; i < n; i++)
		for (uint32_t b = 0; b < w->width; b++)
			putc_unlocked((int)(tokens[i] >> 8 * b & 0xff), w->out.f);
	w->count += n;
	return ferror(w->out.f) ? out_failed(&w->out) : 0;
}

int token_writer_close(struct token_writer *w, int status)
{
	const uint32_t words[3] = { headers[w->width == 4].magic, headers[w->width == 4].version, (uint32_t)w->count };

	if (w->out.f && status >= 0) {
		rewind(w->out.f);
		for (size_t i = 0; i < 12; i++)
			putc((int)(words[i / 4] >> 8 * (i % 4) & 0xff), w->out.f);
	}
	return out_end(&w->out, status);
}
