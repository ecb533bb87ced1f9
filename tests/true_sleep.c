/* true_sleep.c - absolute sleeps by the true clock, under libfaketime
 *
 * A shared library to preload before libfaketime. That one reckons the end of clock_nanosleep(TIMER_ABSTIME) from the
 * time that it makes up, also where CLOCK_MONOTONIC is told to stay true (DONT_FAKE_MONOTONIC); a clock that is really
 * set leaves such a sleep alone. Here it goes to the kernel.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left)
{
    return syscall(SYS_clock_nanosleep, clock, flags, until, left) == 0 ? 0 : errno;
}
