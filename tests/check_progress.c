/* check_progress.c - the live line of a run, on terminals of several widths. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runner/progress.h"
#include "tests/toys.h"

static const struct metrics metrics = { .step = 120, .loss = 2.8312f, .lr = 3e-4f, .grad_norm = 1.21f, .ms = 412,
	.tokens_per_s = 2485, .hash = 0x0123abcd00000000 };

/* What step 120 of 1300 draws on a terminal so wide, as it arrives at the other end. */
static void draw(unsigned short columns, char *out, size_t room)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, screen = dup(STDOUT_FILENO);
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	struct progress p;
	ssize_t n;

	ck_assert(master >= 0 && !grantpt(master) && !unlockpt(master));
	ck_assert_int_ge(slave = open(ptsname(master), O_RDWR | O_NOCTTY), 0);
	ck_assert_int_eq(ioctl(slave, TIOCSWINSZ, &size), 0);
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	fflush(stdout);
	dup2(slave, STDOUT_FILENO);
	progress_begin(&p, false, 0, 1300, 10);
	ck_assert_int_eq(progress_step(&p, &metrics), 0);
	n = read(master, out, room - 1);
	dup2(screen, STDOUT_FILENO);
	ck_assert_int_gt(n, 0);
	out[n] = '\0';
	out[strcspn(out, "\033")] = '\0'; /* what clears the rest of the line */
	close(screen);
	close(slave);
	close(master);
}

static void check(unsigned short columns, unsigned width, const char *const *has, const char *const *lacks)
{
	char line[512];

	draw(columns, line, sizeof(line));
	ck_assert_int_eq(line[0], '\r');
	ck_assert_msg(strlen(line + 1) < width, "\"%s\" is too long for %u columns", line + 1, width);
	for (; *has; has++)
		ck_assert_msg(strstr(line, *has) != NULL, "\"%s\" has no %s", line + 1, *has);
	for (; *lacks; lacks++)
		ck_assert_msg(!strstr(line, *lacks), "\"%s\" has %s", line + 1, *lacks);
}

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }
static const char *const none;

START_TEST(widths)
{
	check(200, 200, WORDS("step 120/1300 [#-", "  9 %", "ETA ", "loss 2.8312", "lr 3.00e-04", "norm 1.21", "412 ms",
				"2485 tok/s", "0123abcd"), &none);
	check(80, 80, WORDS("step 120/1300", "ETA ", "loss 2.8312", "2485 tok/s", "0123abcd"), WORDS("[#"));
	check(40, 40, WORDS("step 120/1300", "loss 2.8312"), WORDS("0123abcd"));
	check(10, 14, WORDS("step 120/1300"), WORDS("loss"));
}
END_TEST

START_TEST(unknown_width)
{
	unsetenv("COLUMNS");
	check(0, 80, WORDS("step 120/1300"), WORDS("[#"));
	setenv("COLUMNS", "200", 1);
	check(0, 200, WORDS("step 120/1300 [#-", "0123abcd"), &none);
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { widths, 0 }, { unknown_width, 0 } };

	return TOYS_RUN("progress", tests, 30, true);
}
