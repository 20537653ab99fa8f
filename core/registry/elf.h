/* elf.h - what of a shared object is read before the loader maps it.  [any] */
#ifndef HLX_CORE_ELF_H
#define HLX_CORE_ELF_H

#include <stdbool.h>
#include <stdint.h>

/*
 * False where the file of that size has been cut short: the loader would map what is not there and end the process with
 * SIGBUS.  What is no ELF file of this machine at all is the loader's to refuse.
 */
bool hlx_elf_is_whole(int fd, uint64_t size);
/* The first bytes of an exported object, as the file has them; false where it has none of that name. */
bool hlx_elf_peek(int fd, uint64_t size, const char *symbol, void *out, uint64_t bytes);

#endif
