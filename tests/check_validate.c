/*
 * HLX_VALIDATE=1: a clean run is silent, and a planted race is not: a run whose barriers were taken out ends with the
 * layer's own words.  Without this a layer that says nothing would look like a pass.
 */
#include "tests/toys.h"

#include "tests/spoil.h"

static struct hlx_registry *registry;

struct run {
	struct hlx_device *dev;
	struct hlx_graph *g;
	struct hlx_weights *w;
	struct hlx_program *p;
};

static const struct hlx_step pass = { .train = 1, .step = 7, .n_seq = 3 };

static struct run start(void)
{
	struct run r;
	struct hlx_program_options o = { .backward = true, .seed = "t.d", .keep = LINES("x") };
	float x[12] = { 1, 2, 3 };

	ck_ok(hlx_device_open(getenv("HLX_DEVICE"), &r.dev));
	r.g = toys_graph(registry, true, 3, 4, LINES("a", "scale x k=3", "l", "part a first=0 count=2", "r",
			"part a first=2 count=2", "p", "scale l", "q", "scale r", "s", "sum p q", "d", "square s"));
	ck_ok(hlx_weights_create(r.dev, r.g, 0, &r.w));
	ck_ok(hlx_program_create(r.dev, r.g, r.w, &o, &r.p));
	ck_ok(hlx_program_write(r.p, "x", HLX_VALUE, 0, 12, x));
	ck_ok(hlx_program_write(r.p, "t.d", HLX_GRAD, 0, 6, x));
	return r;
}

static void stop(struct run *r)
{
	hlx_program_destroy(r->p);
	hlx_weights_destroy(r->w);
	hlx_device_close(r->dev);
	hlx_graph_destroy(r->g);
}

START_TEST(clean)
{
	struct run r = start();
	float dx[12];

	for (int i = 0; i < 3; i++)
		ck_ok(hlx_program_run(r.p, &pass));
	ck_ok(hlx_program_read(r.p, "x", HLX_GRAD, 0, 12, dx));
	ck_ok(hlx_device_complaint(r.dev));
	stop(&r);
}
END_TEST

START_TEST(race)
{
	struct run r = start();
	int status;

	ck_ok(spoil_barriers(r.p, true)); /* nothing else is wrong with it */
	ck_ok(hlx_program_run(r.p, &pass));
	status = spoil_barriers(r.p, false);
	if (status >= 0)
		status = hlx_program_run(r.p, &pass);
	ck_refused(status, HLX_EDEVICE, "validation layer: ", "SYNC-HAZARD-READ-AFTER-WRITE");
	ck_refused(hlx_program_run(r.p, &pass), HLX_EDEVICE, "validation layer: "); /* and is not forgotten */
	stop(&r);
}
END_TEST

START_TEST(setup)
{
	registry = toys_registry();
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { setup, 0 }, { clean, 0 }, { race, 0 } };
	struct hlx_device *dev;
	int status;

	unsetenv("HLX_VALIDATE");
	hlx_device_close(toys_device());
	setenv("HLX_VALIDATE", "1", 1);
	if (hlx_device_open(getenv("HLX_DEVICE"), &dev) < 0) {
		fprintf(stderr, "skipped: %s\n", hlx_message());
		return 77;
	}
	hlx_device_close(dev);
	status = TOYS_RUN("validate", tests, 120, false); /* a device does not live through a fork */
	hlx_registry_destroy(registry);
	return status;
}
