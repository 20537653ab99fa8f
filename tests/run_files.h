/* run_files.h - a folder of a test's own, and files in it.  Checked fixture: make_dir, remove_dir. */
#ifndef RUN_FILES_H
#define RUN_FILES_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* path: a file in dir, until a test says otherwise. */
static char dir[64], path[128];

static inline void make_dir(void)
{
	strcpy(dir, "/tmp/hlx-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/file", dir);
}

static inline void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

/* Of a file in dir, until eight more have been asked for. */
static inline char *path_of(const char *name)
{
	static char paths[8][128];
	static unsigned at;
	char *p = paths[at++ % 8];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

static inline void put_file(const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static inline size_t get_file(const char *name, char *bytes, size_t room)
{
	FILE *f = fopen(name, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(bytes, 1, room, f);
	fclose(f);
	return n;
}
#endif
