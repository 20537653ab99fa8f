/* elf.c - headers, segments and dynamic symbols of a shared object, by pread(2): every number of the file is distrusted. */
#include "core/registry/elf.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

struct elf {
	int fd;
	uint64_t size;
	ElfW(Ehdr) head;
};

static bool inside(const struct elf *e, uint64_t offset, uint64_t bytes)
{
	return offset <= e->size && bytes <= e->size - offset;
}

static bool get(const struct elf *e, uint64_t offset, uint64_t bytes, void *out)
{
	return inside(e, offset, bytes) && pread(e->fd, out, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* Of this machine's word size; its other words are compared by the loader. */
static bool open_elf(struct elf *e, int fd, uint64_t size)
{
	*e = (struct elf){ .fd = fd, .size = size };
	return get(e, 0, sizeof(e->head), &e->head) && !memcmp(e->head.e_ident, ELFMAG, SELFMAG) &&
		e->head.e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
		e->head.e_phentsize == sizeof(ElfW(Phdr)) && (!e->head.e_shoff || e->head.e_shentsize == sizeof(ElfW(Shdr)));
}

static bool segment(const struct elf *e, unsigned i, ElfW(Phdr) *out)
{
	return i < e->head.e_phnum && inside(e, e->head.e_phoff, 0) &&
		get(e, e->head.e_phoff + i * sizeof(*out), sizeof(*out), out);
}

static bool section(const struct elf *e, unsigned i, ElfW(Shdr) *out)
{
	return e->head.e_shoff && i < e->head.e_shnum && inside(e, e->head.e_shoff, 0) &&
		get(e, e->head.e_shoff + i * sizeof(*out), sizeof(*out), out);
}

bool hlx_elf_is_whole(int fd, uint64_t size)
{
	struct elf e;
	ElfW(Phdr) p;
	ElfW(Shdr) s;

	if (!open_elf(&e, fd, size))
		return true;
	for (unsigned i = 0; i < e.head.e_phnum; i++)
		if (!segment(&e, i, &p) || !inside(&e, p.p_offset, p.p_filesz))
			return false;
	for (unsigned i = 0; e.head.e_shoff && i < e.head.e_shnum; i++) /* they come last: what is cut off is cut off there */
		if (!section(&e, i, &s) || (s.sh_type != SHT_NOBITS && !inside(&e, s.sh_offset, s.sh_size)))
			return false;
	return true;
}

/* The file's bytes at an address that the loader would give it. */
static bool get_mapped(const struct elf *e, uint64_t address, uint64_t bytes, void *out)
{
	ElfW(Phdr) p;

	for (unsigned i = 0; segment(e, i, &p); i++)
		if (p.p_type == PT_LOAD && address >= p.p_vaddr && address - p.p_vaddr <= p.p_filesz &&
				bytes <= p.p_filesz - (address - p.p_vaddr) && inside(e, p.p_offset, p.p_filesz))
			return get(e, p.p_offset + (address - p.p_vaddr), bytes, out);
	return false;
}

static bool is_named(const struct elf *e, const ElfW(Shdr) *names, uint64_t at, const char *name)
{
	char text[64];
	size_t n = strlen(name) + 1;

	return n <= sizeof(text) && at <= names->sh_size && n <= names->sh_size - at &&
		inside(e, names->sh_offset, names->sh_size) && get(e, names->sh_offset + at, n, text) && !memcmp(text, name, n);
}

bool hlx_elf_peek(int fd, uint64_t size, const char *symbol, void *out, uint64_t bytes)
{
	struct elf e;
	ElfW(Shdr) table, names;
	ElfW(Sym) s;
	unsigned i = 0;

	if (!open_elf(&e, fd, size))
		return false;
	do
		if (!section(&e, i++, &table))
			return false;
	while (table.sh_type != SHT_DYNSYM);
	if (!section(&e, table.sh_link, &names) || !inside(&e, table.sh_offset, table.sh_size))
		return false;
	for (uint64_t at = 0; at + sizeof(s) <= table.sh_size && get(&e, table.sh_offset + at, sizeof(s), &s); at += sizeof(s))
		if (s.st_shndx != SHN_UNDEF && is_named(&e, &names, s.st_name, symbol))
			return get_mapped(&e, s.st_value, bytes, out);
	return false;
}
