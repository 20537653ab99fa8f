/* train_signals.c - what asks the loop to end: SIGINT, SIGTERM, SIGHUP; and what ends the process at once. */
#include "runner/train.h"

#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { REPEAT_MS = 1000 }; /* timeout(1) signals its child, then its group, which has the child, too: one wish, told twice */

static volatile sig_atomic_t stopping, hung_up;
static _Atomic int64_t first_at; /* of the first signal, in ms; 0: there was none.  Any thread may take one. */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

static void on_stop(int number)
{
	int64_t now = now_ms(), first = 0;

	/* A terminal that closes may say so twice, by itself and by its shell, however late. */
	if (!atomic_compare_exchange_strong(&first_at, &first, now) && number != SIGHUP && now - first > REPEAT_MS)
		_exit(EXIT_STOPPED); /* in a hurry: the last checkpoint is whole, whatever we were doing */
	stopping = 1;
	hung_up |= number == SIGHUP;
}

void train_catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_stop, .sa_flags = SA_RESTART }, old;

	sigemptyset(&a.sa_mask);
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN) /* nohup wants to stay */
		sigaction(SIGHUP, &a, NULL);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of the write: the state is saved */
}

bool train_stopping(void)
{
	return stopping;
}

bool train_hung_up(void)
{
	return hung_up;
}
