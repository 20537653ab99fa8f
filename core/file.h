/* file.h - files as they must be opened where anybody may have put anything in their place.  [any] */
#ifndef HLX_CORE_FILE_H
#define HLX_CORE_FILE_H

#include <stddef.h>
#include <sys/stat.h>

/* Opens a regular file and nothing else, which never waits: NULL, or what is wrong with it in words, and *fd is -1. */
const char *hlx_file_open(const char *path, int flags, int *fd, struct stat *st);
/* 0, or -1 and errno; then a part may have been written. */
int hlx_write_all(int fd, const void *data, size_t size);

#endif
