/* The registry: what it loads, in which order, what it refuses, which implementation it chooses. */
#include "tests/toys.h"

#include <dlfcn.h>
#include <float.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/vulkan/host.h"
#include "core/registry/registry.h"

static char dir[4096]; /* a folder of this test's own */

static void make_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/check_registry.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
	char command[4200];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

/* A copy is another file to the dynamic loader, so it is loaded anew. */
static const char *copy_to(const char *from, const char *name)
{
	static char to[4200];
	FILE *in = fopen(from, "rb"), *out;
	char buffer[65536];
	size_t n;

	snprintf(to, sizeof(to), "%s/%s", dir, name);
	ck_assert_msg(in != NULL, "%s is not there", from);
	out = fopen(to, "wb");
	ck_assert_ptr_nonnull(out);
	while ((n = fread(buffer, 1, sizeof(buffer), in)))
		ck_assert_uint_eq(fwrite(buffer, 1, n, out), n);
	fclose(in);
	fclose(out);
	ck_assert_int_eq(chmod(to, 0755), 0);
	return to;
}

static const char *bad(const char *fault, const char *name)
{
	setenv("BAD", fault, 1);
	return copy_to(toys_path("bad"), name);
}

START_TEST(loads_and_lists)
{
	struct hlx_registry *r = toys_registry();
	const char *file, *names[16];
	const struct hlx_op *op = hlx_registry_op(r, "scale");

	ck_assert_ptr_nonnull(op);
	ck_assert_str_eq(op->name, "scale");
	ck_assert_ptr_eq(hlx_registry_op_at(r, 0, &file), op);
	ck_assert_ptr_nonnull(strstr(file, "toy.so"));
	ck_assert_ptr_null(hlx_registry_op(r, "nothing"));
	ck_assert_uint_eq(hlx_registry_op_names(r, names, 16), 11);
	ck_assert_str_eq(names[0], "scale");
	ck_assert_str_eq(names[7], "part");
	ck_assert_ptr_null(hlx_registry_op_at(r, 11, NULL));
	ck_assert_str_eq(hlx_registry_impl_at(r, 0, NULL)->name, "plain");
	ck_assert(hlx_registry_has_impl(r, "scale", "host"));
	ck_assert(!hlx_registry_has_impl(r, "scale", "hosts"));
	hlx_registry_destroy(r);
	hlx_registry_destroy(NULL);
}
END_TEST

START_TEST(folder_in_order_of_names)
{
	struct hlx_registry *r;
	const char *file;

	make_dir();
	copy_to(toys_path("views"), "z.so");
	copy_to(toys_path("toy"), "b.so");
	copy_to(toys_path("wrong"), "B.so");
	copy_to(toys_path("noplugin"), "noplugin.so.old");
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_ok(hlx_registry_load_dir(r, dir));
	hlx_registry_op_at(r, 0, &file);
	ck_assert_str_eq(strrchr(file, '/'), "/B.so");
	hlx_registry_op_at(r, 1, &file);
	ck_assert_str_eq(strrchr(file, '/'), "/b.so");
	hlx_registry_op_at(r, 8, &file);
	ck_assert_str_eq(strrchr(file, '/'), "/z.so");
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

START_TEST(path_of_folders)
{
	struct hlx_registry *r;
	char list[12600], own[4300];

	make_dir();
	snprintf(own, sizeof(own), "%s/own", dir);
	ck_assert_int_eq(mkdir(own, 0755), 0);
	copy_to(toys_path("toy"), "own/toy.so");
	copy_to(toys_path("views"), "views.so");
	/* an empty name, our own folder once more, and one folder twice */
	snprintf(list, sizeof(list), ":%s:%s:%s/", own, dir, dir);
	setenv("HLX_PLUGIN_PATH", list, 1);
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_ok(hlx_registry_load_all(r, own));
	ck_assert_ptr_nonnull(hlx_registry_op(r, "scale"));
	ck_assert_ptr_nonnull(hlx_registry_op(r, "part"));
	hlx_registry_destroy(r);
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_ok(hlx_registry_load_all(r, "/nowhere/either"));
	setenv("HLX_PLUGIN_PATH", "/nowhere", 1);
	ck_refused(hlx_registry_load_all(r, own), HLX_EPLUGIN, "HLX_PLUGIN_PATH: /nowhere", "No such file");
	unsetenv("HLX_PLUGIN_PATH");
	ck_ok(hlx_registry_load_all(r, NULL));
	ck_ok(hlx_registry_load_dir(r, "/nowhere"));
	ck_refused(hlx_registry_load_dir(r, "/dev/null"), HLX_EPLUGIN, "/dev/null");
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

/* -- refusals ---------------------------------------------------------------------------------------------- */

static const struct {
	const char *fault, *words[2];
} faults[] = {
	{ "abi_major", { "ABI 2.3", "hlx with 1.3" } },
	{ "abi_minor", { "ABI 1.4", "rebuild" } },
	{ "plugin_size", { "hlx_plugin has", "bytes" } },
	{ "op_size", { "op", "lacks" } },
	{ "impl_size", { "implementation", "lacks" } },
	{ "init", { "init: ", "no licence file" } },
	{ "op_name", { "op ?", "lacks" } },
	{ "op_kind", { "op bad", "kind" } },
	{ "no_infer", { "op bad", "infer()" } },
	{ "no_slots", { "op bad", "slots" } },
	{ "empty_slots", { "op bad", "no slots" } },
	{ "slot_role", { "slot 1 (y)", "op bad" } },
	{ "too_many_slots", { "at most", "op bad" } },
	{ "attr_end", { "attribute size", "attrs_size 8" } },
	{ "attr_wraps", { "attribute size", "attrs_size 8" } },
	{ "attr_unaligned", { "attribute size", "attrs_size 16" } },
	{ "attr_type", { "attribute size", "op bad" } },
	{ "attr_no_words", { "attribute size", "op bad" } },
	{ "attr_empty_words", { "attribute size", "op bad" } },
	{ "attrs_huge", { "attrs_size is 1048576", "op bad" } },
	{ "no_forward", { "implementation", "forward()" } },
	{ "no_impl_name", { "implementation", "name" } },
	{ "tier", { "implementation", "tier" } },
	{ "other_slots", { "op scale", "other slots" } },
	{ "other_flags", { "op scale", "other slots" } },
	{ "same_impl", { "scale/plain", "toy.so" } },
};
#define N_FAULTS ((int)(sizeof(faults) / sizeof(*faults)))

START_TEST(refuses_fault)
{
	struct hlx_registry *r = toys_registry();
	const char *path;

	make_dir();
	path = bad(faults[_i].fault, "it.so");
	ck_refused(hlx_registry_load(r, path), HLX_EPLUGIN, path, faults[_i].words[0], faults[_i].words[1]);
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

START_TEST(takes_an_early_op)
{
	struct hlx_registry *r;

	make_dir();
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_ok(hlx_registry_load(r, bad("early", "it.so")));
	ck_assert_ptr_null(HLX_LATER(hlx_registry_op(r, "bad"), bench));
	ck_assert_ptr_null(HLX_LATER(hlx_registry_op(r, "bad"), work));
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

START_TEST(takes_an_early_impl)
{
	const struct hlx_impl *impl;
	struct hlx_registry *r;
	size_t i = 0;

	make_dir();
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_ok(hlx_registry_load(r, bad("early_impl", "it.so")));
	while ((impl = hlx_registry_impl_at(r, i, NULL)) && strcmp(impl->op, "bad"))
		i++;
	ck_assert_ptr_nonnull(impl);
	ck_assert(!HLX_LATER(impl, finishes) && !HLX_LATER(impl, yields) && !HLX_LATER(impl, unread));
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

START_TEST(takes_the_same_file_once)
{
	struct hlx_registry *r;
	const char *path;
	char other[4300];

	make_dir();
	path = bad("none", "it.so");
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_ok(hlx_registry_load(r, path));
	ck_ok(hlx_registry_load(r, path));
	snprintf(other, sizeof(other), "%s/link.so", dir);
	ck_assert_int_eq(symlink(path, other), 0);
	ck_ok(hlx_registry_load(r, other));
	ck_assert_ptr_nonnull(hlx_registry_impl_at(r, 0, NULL));
	ck_assert_ptr_null(hlx_registry_impl_at(r, 1, NULL));
	path = copy_to(toys_path("bad"), "again.so"); /* another file with the same name in it */
	ck_refused(hlx_registry_load(r, path), HLX_EPLUGIN, "again.so", "bad/only", "it.so");
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

START_TEST(refuses_files)
{
	struct hlx_registry *r;
	char path[4300];
	FILE *f;

	make_dir();
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_refused(hlx_registry_load(r, "/nowhere/it.so"), HLX_EPLUGIN, "/nowhere/it.so", "No such file");
	ck_refused(hlx_registry_load(r, dir), HLX_EPLUGIN, dir, "not a regular file");
	snprintf(path, sizeof(path), "%s/fifo.so", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_refused(hlx_registry_load(r, path), HLX_EPLUGIN, path, "not a regular file");
	snprintf(path, sizeof(path), "%s/text.so", dir);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fputs("not an ELF file\n", f);
	fclose(f);
	ck_refused(hlx_registry_load(r, path), HLX_EPLUGIN, path);
	snprintf(path, sizeof(path), "%s", copy_to(toys_path("toy"), "short.so"));
	ck_assert_int_eq(truncate(path, 400), 0);
	ck_refused(hlx_registry_load(r, path), HLX_EPLUGIN, path);
	ck_refused(hlx_registry_load(r, toys_path("noplugin")), HLX_EPLUGIN, "noplugin.so", "exports no hlx_plugin");
	ck_refused(hlx_registry_load(r, toys_path("unresolved")), HLX_EPLUGIN, "unresolved.so", "hlx_nobody_has_this");
	/* by its name alone, with the folder as working directory: never a search of the loader's path */
	copy_to(toys_path("views"), "libm.so.6");
	ck_assert_int_eq(chdir(dir), 0);
	ck_ok(hlx_registry_load(r, "libm.so.6"));
	ck_assert_ptr_nonnull(hlx_registry_op(r, "part"));
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

/* Wherever a file ends early, it is refused and not mapped: the loader would die of SIGBUS at some of these lengths. */
START_TEST(refuses_cut_files)
{
	struct hlx_registry *r;
	struct stat st;
	const char *path;

	make_dir();
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	path = copy_to(toys_path("toy"), "cut.so");
	ck_assert_int_eq(stat(path, &st), 0);
	for (off_t size = st.st_size - 1; size > 64; size -= 1 + size / 40) {
		ck_assert_int_eq(truncate(path, size), 0);
		ck_refused(hlx_registry_load(r, path), HLX_EPLUGIN, path, "is cut short");
	}
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

/* A plugin of another ABI whose code must not run: its constructor would end the process. */
START_TEST(reads_abi_first)
{
	struct hlx_registry *r;

	make_dir();
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_refused(hlx_registry_load(r, toys_path("foreign")), HLX_EPLUGIN, "foreign.so", "ABI 7.0", "rebuild");
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

START_TEST(refuses_writers)
{
	struct hlx_registry *r;
	const char *path;

	make_dir();
	path = copy_to(toys_path("toy"), "it.so");
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_assert_int_eq(chmod(path, 0757), 0);
	ck_refused(hlx_registry_load(r, path), HLX_EPLUGIN, path, "anyone may write", "chmod o-w");
	ck_assert_int_eq(chmod(path, 0775), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 0, 12345), 0);
		ck_refused(hlx_registry_load(r, path), HLX_EPLUGIN, path, "group 12345", "chmod g-w");
		ck_assert_int_eq(chmod(path, 0755), 0);
		ck_assert_int_eq(chown(path, 4321, 0), 0);
		ck_refused(hlx_registry_load(r, path), HLX_EPLUGIN, path, "user 4321");
		ck_assert_int_eq(chown(path, 0, 0), 0);
		ck_assert_int_eq(chmod(path, 0775), 0);
	}
	ck_ok(hlx_registry_load(r, path)); /* a group that is our own may write */
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

/* -- choice ------------------------------------------------------------------------------------------------ */

static enum hlx_tier mode;

static const struct hlx_impl *choose(struct hlx_registry *r, const char *named, bool train)
{
	struct hlx_node node = { .struct_size = sizeof(node), .name = "t.y", .train = train };
	const struct hlx_impl *impl = NULL;

	if (hlx_registry_choose(r, &hlx_registry_host(r)->pub, &node, "scale", named, mode, &impl) < 0)
		return NULL;
	return impl;
}

START_TEST(chooses)
{
	struct hlx_registry *r = toys_registry();
	struct hlx_node node = { .struct_size = sizeof(node), .name = "t.y" };
	const struct hlx_impl *impl;

	make_dir();
	ck_assert_str_eq(choose(r, NULL, false)->name, "ahead"); /* the highest priority */
	ck_assert_str_eq(choose(r, NULL, true)->name, "plain");  /* of those with a backward pass */
	ck_assert_str_eq(choose(r, "host", true)->name, "host");
	ck_assert_str_eq(choose(r, "ahead", true)->name, "ahead");
	ck_assert_ptr_null(choose(r, "plan", false));
	ck_refused(hlx_registry_choose(r, &hlx_registry_host(r)->pub, &node, "scale", "plan", 0, &impl), HLX_EINVAL,
			"op scale", "plan", "did you mean plain?");
	ck_refused(hlx_registry_choose(r, &hlx_registry_host(r)->pub, &node, "none", NULL, 0, &impl), HLX_ENOTSUP,
			"t.y", "op none");
	/* dropped in, for another plugin's op */
	ck_ok(hlx_registry_load(r, bad("worse", "worse.so")));
	ck_assert_str_eq(choose(r, NULL, false)->name, "ahead");
	ck_assert_str_eq(choose(r, "worse", false)->name, "worse");
	ck_ok(hlx_registry_load(r, bad("better", "better.so")));
	ck_assert_str_eq(choose(r, NULL, false)->name, "better");
	ck_ok(hlx_registry_load(r, bad("device_tier", "device.so"))); /* never by priority alone */
	ck_assert_str_eq(choose(r, NULL, false)->name, "better");
	ck_refused(hlx_registry_choose(r, &hlx_registry_host(r)->pub, &node, "scale", "fast", 0, &impl), HLX_ENOTSUP,
			"scale/fast is not portable", "[numerics] mode = device");
	mode = HLX_DEVICE;
	ck_assert_str_eq(choose(r, "fast", false)->name, "fast");
	ck_assert_str_eq(choose(r, NULL, false)->name, "fast");
	mode = 0;
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

START_TEST(asks_what_it_prefers)
{
	struct hlx_registry *r = toys_registry();
	struct hlx_host *host = &hlx_registry_host(r)->pub;
	struct hlx_caps caps = { .struct_size = sizeof(caps), .coopmat_rate = 1 };

	make_dir();
	ck_ok(hlx_registry_load(r, bad("picky", "picky.so")));
	ck_assert_str_eq(choose(r, NULL, false)->name, "ahead"); /* no device: by priority */
	host->caps = &caps;
	ck_assert_str_eq(choose(r, NULL, false)->name, "ahead");
	caps.coopmat_rate = 15;
	ck_assert_str_eq(choose(r, NULL, false)->name, "picky");
	host->caps = NULL;
	hlx_registry_destroy(r);
	remove_dir();
}
END_TEST

/* -- the floating-point environment ------------------------------------------------------------------------ */

static bool flushes(void)
{
	volatile float tiny = FLT_MIN, half = 0.5f;

	return tiny * half == 0.0f;
}

START_TEST(keeps_denormals)
{
	struct hlx_registry *r;

	ck_assert(!flushes());
	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_ok(hlx_registry_load(r, toys_path("fastmath")));
	ck_assert(!flushes());
	hlx_registry_destroy(r);
}
END_TEST

START_TEST(fastmath_would_flush)
{
	ck_assert_msg(dlopen(toys_path("fastmath"), RTLD_NOW | RTLD_LOCAL) != NULL, "%s", dlerror());
#if defined(__x86_64__) || defined(__aarch64__)
	ck_assert(flushes()); /* or the test above proves nothing */
#endif
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { loads_and_lists, 0 }, { folder_in_order_of_names, 0 },
		{ path_of_folders, 0 }, { refuses_fault, N_FAULTS }, { takes_an_early_op, 0 }, { takes_an_early_impl, 0 },
		{ asks_what_it_prefers, 0 },
		{ takes_the_same_file_once, 0 }, { refuses_files, 0 },
		{ refuses_cut_files, 0 }, { reads_abi_first, 0 }, { refuses_writers, 0 },
		{ chooses, 0 }, { keeps_denormals, 0 }, { fastmath_would_flush, 0 } };

	return TOYS_RUN("registry", tests, 30, true);
}
