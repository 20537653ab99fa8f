#include "runner/tokenizer.h"

int tokenizer_encode(const char *text, size_t size, uint64_t vocab_size, uint32_t *tokens, size_t *count)
{
	for (size_t i = 0; i < size; i++)
		tokens[i] = (uint8_t)text[i];
	*count = size;
	return tokenizer_check(text, size, vocab_size);
}

int tokenizer_check(const char *text, size_t size, uint64_t vocab_size)
{
	for (size_t i = 0; i < size; i++)
		if ((uint8_t)text[i] >= vocab_size)
			return hlx_fail(HLX_EINVAL, "byte %zu of the prompt is %u, and vocab_size = %llu ends below that", i,
					(uint8_t)text[i], (unsigned long long)vocab_size);
	return 0;
}

size_t tokenizer_decode(uint32_t token, char out[1])
{
	if (token > 255)
		return 0;
	out[0] = (char)token;
	return 1;
}

uint32_t tokenizer_start(uint64_t vocab_size)
{
	return vocab_size > '\n' ? '\n' : 0;
}

void tokenizer_print(FILE *f, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		putc((c < 32 && c != '\n' && c != '\t') || c == 127 ? '?' : c, f);
	}
}
