/* What a plugin asks for is checked against its kernel's own SPIR-V, the tensors and the device, and refused by name. */
#include "tests/toys.h"

#include "core/program/program.h"

static struct hlx_device *dev;
static struct hlx_registry *registry;

static const struct {
	const char *how;
	int status;
	const char *words[3];
} cases[] = {
	{ "few", HLX_EPLUGIN, { "toy_scale.comp", "1 arguments", "2 bindings" } },
	{ "many", HLX_EPLUGIN, { "toy_scale.comp", "3 arguments", "2 bindings" } },
	{ "push_short", HLX_EPLUGIN, { "toy_scale.comp", "28 bytes of push constants", "has 32" } },
	{ "push_long", HLX_EPLUGIN, { "toy_scale.comp", "36 bytes of push constants", "has 32" } },
	{ "past_end", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "64 bytes leaves the value", "60 bytes" } },
	{ "past_start", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "at 256 of", "leaves the value" } },
	{ "wraps", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "at 256 of", "leaves the value" } },
	{ "unaligned", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "at 4 of", "multiple of 256" } },
	{ "kind_texel", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "another kind", "" } },
	{ "kind_ssbo", HLX_EPLUGIN, { "toy_texel.comp, binding 0", "another kind", "" } },
	{ "kind_step", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "another kind", "" } },
	{ "groups", HLX_EPLUGIN, { "toy_scale.comp", "4294967295", "workgroups" } },
	{ "saved", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "saved bytes of the node is not there", "" } },
	{ "work", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "work bytes of the node is not there", "" } },
	{ "grad", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "gradient of y is not there", "" } },
	{ "slot", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "slot 2", "" } },
	{ "what", HLX_EPLUGIN, { "toy_scale.comp, binding 1", "what 9", "" } },
	{ "copy_sizes", HLX_EPLUGIN, { "copy", "8 bytes", "12" } },
	{ "copy_overlap", HLX_EPLUGIN, { "copy", "overlap", "" } },
	{ "fill_odd", HLX_EPLUGIN, { "fill", "3 bytes", "multiple of 4" } },
	{ "host_many", HLX_EPLUGIN, { "host call", "20 arguments", "" } },
	{ "double", HLX_ENOTSUP, { "toy_double.comp", "capability 10", "" } },
	{ "broken", HLX_EPLUGIN, { "broken.comp", "word 5", "" } },
	{ "set_1", HLX_EPLUGIN, { "toy_set.comp", "set 1", "" } },
	{ "spec", HLX_EPLUGIN, { "toy_add.comp", "no specialization constant 0", "" } },
	{ "wide", HLX_ENOTSUP, { "toy_wide.comp", "1048576 invocations", "" } },
	{ "too_many_specs", HLX_EPLUGIN, { "toy_wide.comp", "20 specialization constants", "" } },
	{ "prepare", HLX_ENOTSUP, { "rows of more than 3 elements", "", "" } },
};

static int create(const char *how, struct hlx_program **p, struct hlx_graph **g)
{
	struct hlx_program_options o = { 0 };
	char text[64];

	snprintf(text, sizeof(text), "wrong x how=%s", how);
	*g = toys_graph(registry, false, 3, 5, LINES("y", text));
	return hlx_program_create(dev, *g, NULL, &o, p);
}

START_TEST(refuses)
{
	struct hlx_program *p = NULL;
	struct hlx_graph *g;

	ck_refused(create(cases[_i].how, &p, &g), cases[_i].status, "t.y (wrong/plain): ", cases[_i].words[0],
			cases[_i].words[1], cases[_i].words[2]);
	ck_assert_ptr_null(p);
	hlx_graph_destroy(g);
}
END_TEST

START_TEST(takes_the_rest)
{
	struct hlx_program *p = NULL;
	struct hlx_graph *g;
	struct hlx_weights *w;

	ck_ok(create("nothing", &p, &g));
	ck_assert_uint_eq(hlx_program_plan(p).steps, 0);
	hlx_program_destroy(p);
	hlx_graph_destroy(g);
	/* a host call that fails is an error of the run, with its node's name, and not of the process */
	g = toys_graph(registry, false, 3, 5, LINES("y", "wrong x how=host_fails"));
	ck_ok(hlx_weights_create(dev, g, 0, &w));
	ck_ok(hlx_program_create(dev, g, w, &(struct hlx_program_options){ 0 }, &p));
	ck_refused(hlx_program_run(p, &(struct hlx_step){ 0 }), HLX_EPLUGIN, "t.y: host call: ");
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
}
END_TEST

/* A shader is asked for before any device is open: infer() must not. */
START_TEST(without_device)
{
	struct hlx_core_host host;
	struct hlx_pipeline *pl;
	struct hlx_shader shader = { "any", NULL, 0, 0 };

	hlx_host_init(&host);
	ck_assert_ptr_null(host.pub.caps);
	ck_refused(host.pub.pipeline(&host.pub, &shader, NULL, 0, &pl), HLX_EPLUGIN, "any.comp", "no device");
	ck_assert_ptr_null(host.pub.extension(&host.pub, "anything"));
	ck_assert_int_eq(host.pub.fail(&host.pub, 0, "a plugin that fails with no status"), HLX_EPLUGIN);
}
END_TEST

START_TEST(needs_backward)
{
	struct hlx_program_options o = { .backward = true, .seed = "t.y" };
	struct hlx_graph *g = toys_graph(registry, true, 3, 5, LINES("h", "shift x", "y", "scale h"));
	struct hlx_graph_options go = { .batch = 2, .seq_len = 2, .train = true, .input_grads = true };
	struct hlx_desc d = toys_desc(3, 5);
	struct hlx_program *p;

	ck_refused(hlx_program_create(dev, g, NULL, &o, &p), HLX_ENOTSUP, "t.h (shift/plain)", "no backward pass");
	o = (struct hlx_program_options){ 0 };
	ck_ok(hlx_program_create(dev, g, NULL, &o, &p)); /* forward alone it can do */
	hlx_program_destroy(p);
	hlx_graph_destroy(g);
	ck_ok(hlx_graph_create(registry, &go, &g));
	ck_ok(hlx_graph_choose(g, "scale", "ahead"));
	ck_ok(hlx_graph_input(g, "x", &d));
	ck_ok(hlx_graph_wire(g, "t", "y", "scale x", ""));
	o = (struct hlx_program_options){ .backward = true, .seed = "t.y" };
	ck_refused(hlx_program_create(dev, g, NULL, &o, &p), HLX_ENOTSUP, "t.y (scale/ahead)", "no backward pass");
	hlx_graph_destroy(g);
}
END_TEST

/* -- devices ----------------------------------------------------------------------------------------------- */

START_TEST(devices)
{
	struct hlx_device_info info[8];
	struct hlx_device *d = NULL;
	uint32_t n = 0, chosen = 0;

	ck_ok(hlx_device_list(info, 8, &n));
	ck_assert_uint_ge(n, 1);
	for (uint32_t i = 0; i < n && i < 8; i++)
		chosen += info[i].chosen;
	ck_assert_uint_eq(chosen, 1);
	ck_refused(hlx_device_open("999", &d), HLX_EDEVICE, "no device 999");
	ck_refused(hlx_device_open("no such card", &d), HLX_EDEVICE, "no such card");
	ck_assert_ptr_null(d);
	hlx_device_close(NULL);
}
END_TEST

START_TEST(choice_of_devices)
{
	struct hlx_device_info d[4] = { { .name = "llvmpipe", .type = "cpu", .usable = true },
		{ .name = "Radeon Graphics", .type = "integrated", .usable = true },
		{ .name = "NVIDIA H100", .type = "discrete", .usable = true },
		{ .name = "GeForce 210", .type = "discrete", .usable = false, .uses = "not usable: Vulkan 1.0, want 1.2" } };
	uint32_t i = 9;

	ck_ok(hlx_device_choose(d, 4, NULL, &i));
	ck_assert_uint_eq(i, 2);
	ck_ok(hlx_device_choose(d, 2, NULL, &i));
	ck_assert_uint_eq(i, 1);
	ck_ok(hlx_device_choose(d, 4, "radeon", &i));
	ck_assert_uint_eq(i, 1);
	ck_ok(hlx_device_choose(d, 4, "0", &i));
	ck_assert_uint_eq(i, 0);
	ck_refused(hlx_device_choose(d, 4, "3", &i), HLX_EDEVICE, "GeForce 210", "want 1.2");
	ck_refused(hlx_device_choose(d, 4, "4", &i), HLX_EDEVICE, "no device 4", "there are 4");
	ck_refused(hlx_device_choose(d, 4, "intel", &i), HLX_EDEVICE, "intel");
	ck_refused(hlx_device_choose(d + 3, 1, NULL, &i), HLX_EDEVICE, "GeForce 210", "want 1.2");
	ck_refused(hlx_device_choose(d, 0, NULL, &i), HLX_EDEVICE, "no Vulkan device");
}
END_TEST

START_TEST(setup)
{
	registry = toys_registry();
}
END_TEST

int main(void)
{
	int status;
	const struct toys_test tests[] = { { setup, 0 }, { refuses, sizeof(cases) / sizeof(*cases) }, { takes_the_rest, 0 },
		{ without_device, 0 }, { needs_backward, 0 }, { devices, 0 }, { choice_of_devices, 0 } };

	dev = toys_device();
	status = TOYS_RUN("refuse", tests, 60, false); /* a device does not live through a fork */
	hlx_registry_destroy(registry);
	hlx_device_close(dev);
	return status;
}
