/* alphabet.c - the characters that stand for bytes in a vocabulary's files. */
#include "runner/bpe/bpe.h"

/* Printable in Latin-1, and no blank: stands for itself. */
static bool is_plain(uint32_t c)
{
	return (c >= 0x21 && c <= 0x7e) || (c >= 0xa1 && c <= 0xac) || (c >= 0xae && c <= 0xff);
}

/* The others, in order: 0 to 0x20, 0x7f to 0xa0, 0xad; the n-th is U+0100 + n. */
uint32_t bpe_char_of_byte(uint8_t b)
{
	return is_plain(b) ? b : b <= 0x20 ? 0x100u + b : b <= 0xa0 ? 0x121u + (b - 0x7fu) : 0x143u;
}

static long byte_of_char(uint32_t c)
{
	if (is_plain(c))
		return (long)c;
	if (c < 0x100 || c > 0x143)
		return -1;
	return c <= 0x120 ? (long)c - 0x100 : c <= 0x142 ? (long)c - 0x121 + 0x7f : 0xad;
}

long bpe_from_chars(const char *text, size_t n, char *out)
{
	long count = 0, byte;

	for (size_t i = 0; i < n; out[count++] = (char)byte) {
		uint32_t c = (uint8_t)text[i++];

		if (c >= 0x80) { /* two bytes hold all of the alphabet */
			if ((c & 0xe0) != 0xc0 || i == n || ((uint8_t)text[i] & 0xc0) != 0x80)
				return -1;
			c = (c & 0x1f) << 6 | ((uint8_t)text[i++] & 0x3f);
			if (c < 0x80)
				return -1;
		}
		byte = byte_of_char(c);
		if (byte < 0)
			return -1;
	}
	return count;
}

void bpe_to_chars(const char *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t c = bpe_char_of_byte((uint8_t)bytes[i]);
		if (c >= 0x80)
			*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
	}
	*out = '\0';
}
