/* dash.c - hlxt dash DIR: the server, by libmicrohttpd, a thread a connection. */
#include "runner/dash/dash.h"
#include "runner/paths.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct dash {
	const char *dir;
	atomic_bool quit;
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned code, const char *type, struct MHD_Response *r)
{
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "Content-Security-Policy", "default-src 'self'; img-src 'self' data:"); /* nothing from elsewhere */
	done = MHD_queue_response(c, code, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned code, const char *why)
{
	return answer(c, code, "text/plain", MHD_create_response_from_buffer(strlen(why), (void *)why, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result send_text(struct MHD_Connection *c, const char *type, char *text)
{
	if (!text)
		return refuse(c, MHD_HTTP_NOT_FOUND, "no such run\n");
	return answer(c, MHD_HTTP_OK, type, MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE));
}

static ssize_t next_part(void *feed, uint64_t at, char *out, size_t room)
{
	ssize_t n = feed_read(feed, out, room);

	(void)at;
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void end_feed(void *feed)
{
	feed_destroy(feed);
}

static enum MHD_Result add_run(void *feed, enum MHD_ValueKind kind, const char *key, const char *value)
{
	(void)kind;
	if (!strcmp(key, "run") && value)
		feed_add(feed, value);
	return MHD_YES;
}

static enum MHD_Result send_events(const struct dash *d, struct MHD_Connection *c)
{
	struct feed *f = feed_create(d->dir, &d->quit);

	if (!f)
		return MHD_NO;
	MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, add_run, f);
	return answer(c, MHD_HTTP_OK, "text/event-stream",
			MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1 << 16, next_part, f, end_feed));
}

static const char *argument(struct MHD_Connection *c, const char *key)
{
	const char *value = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, key);

	return value ? value : "";
}

/* A page from elsewhere whose name was made to mean 127.0.0.1 may not read what is here. */
static bool is_local(struct MHD_Connection *c)
{
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
	size_t n = host ? strcspn(host, ":") : 0;

	return (n == 9 && (!strncmp(host, "127.0.0.1", n) || !strncmp(host, "localhost", n)));
}

static enum MHD_Result serve(void *ctx, struct MHD_Connection *c, const char *path, const char *method, const char *version,
		const char *data, size_t *size, void **state)
{
	const struct dash *d = ctx;
	const struct dash_asset *a = dash_asset(path);

	(void)version, (void)data, (void)size, (void)state;
	if (strcmp(method, "GET"))
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
	if (!is_local(c))
		return refuse(c, MHD_HTTP_FORBIDDEN, "this page is at 127.0.0.1 and localhost only\n");
	if (a)
		return answer(c, MHD_HTTP_OK, a->type,
				MHD_create_response_from_buffer(a->size, (void *)a->at, MHD_RESPMEM_PERSISTENT));
	if (!strcmp(path, "/runs"))
		return send_text(c, "application/json", dash_runs(d->dir));
	if (!strcmp(path, "/config"))
		return send_text(c, "text/plain; charset=utf-8", dash_config(d->dir, argument(c, "run")));
	if (!strcmp(path, "/same"))
		return send_text(c, "application/json", dash_same(d->dir, argument(c, "a"), argument(c, "b")));
	if (!strcmp(path, "/events"))
		return send_events(d, c);
	return refuse(c, MHD_HTTP_NOT_FOUND, "nothing here\n");
}

/* Until SIGINT or SIGTERM, which this thread alone takes. */
static int wait_for_end(const struct dash *d, struct MHD_Daemon *m, const sigset_t *ends)
{
	char *runs = dash_runs(d->dir);
	bool none = runs && !strcmp(runs, "[]");
	int number;

	printf("http://127.0.0.1:%u/  (Ctrl-C ends)\n", (unsigned)MHD_get_daemon_info(m, MHD_DAEMON_INFO_BIND_PORT)->port);
	if (!dash_asset("/uplot.txt"))
		printf("note: this hlxt was built without charts: configure --with-uplot\n");
	if (none)
		printf("note: %s has no run yet; the page shows each as it begins\n", d->dir);
	free(runs);
	CLI_TRY(cli_flush());
	sigwait(ends, &number);
	return 0;
}

static int dash(const struct cli_args *args)
{
	struct dash d = { .dir = args->operand };
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)args->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct MHD_Daemon *m;
	sigset_t ends;
	int status;

	CLI_TRY(path_folder(d.dir));
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, NULL); /* for the server's threads, too */
	signal(SIGPIPE, SIG_IGN);
	errno = 0;
	m = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, serve, &d,
			MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_LIMIT, 64u, MHD_OPTION_END);
	if (!m)
		return hlx_fail(HLX_EOUTPUT, "dash: 127.0.0.1:%d: %s; --port 0 takes any that is free", (int)args->port,
				errno ? strerror(errno) : "the server does not start");
	status = wait_for_end(&d, m, &ends);
	d.quit = true;
	MHD_stop_daemon(m);
	return status;
}

const struct command command_dash = {
	"dash", "DIR", "show runs in a browser while they train",
	"DIR is a run's folder, or one with runs in it, also those that begin later. Shown are losses, learning rate, gradient norm, tokens a "
	"second, samples, and the configuration or what differs in it; of two runs, the step through which they "
	"are identical.\n\n"
	"It prints the address of its page, which is on 127.0.0.1 only and fetches nothing from elsewhere; from "
	"another machine: ssh -L 8642:127.0.0.1:8642 HOST. SIGINT (Ctrl-C) and SIGTERM end it, with status 0.\n\n"
	"It is there where hlx was built with libmicrohttpd, and its charts where configure was told "
	"--with-uplot.",
	"hlxt dash runs\n",
	{ OPT_PORT }, dash, NULL
};
