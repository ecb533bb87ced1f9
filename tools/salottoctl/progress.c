/* progress.c - a line for who waits longer than a second (see progress.h) */
#include "tools/salottoctl/progress.h"

#include "net/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t first_ns, last_ns;
static bool shown;

void progress_show(const char *doing, unsigned long long done, unsigned long long all)
{
    uint64_t now_ns = clock_now_ns();
    char text[64];
    int n = 0;

    if (first_ns == 0)
        first_ns = now_ns;
    if (now_ns - first_ns < CLOCK_NS_PER_S || now_ns - last_ns < CLOCK_NS_PER_S / 10 || !isatty(STDERR_FILENO))
        return;
    last_ns = now_ns;
    for (; doing[n] != '\0' && n < (int)sizeof text - 1; n++)
        text[n] = (unsigned char)doing[n] < 0x20 || doing[n] == 0x7f ? '?' : doing[n];
    text[n] = '\0';
    if (all > 0 && done <= all)
        fprintf(stderr, "\r\033[K%s: %llu %%", text, done * 100 / all);
    else
        fprintf(stderr, "\r\033[K%s …", text);
    fflush(stderr);
    shown = true;
}

void progress_clear(void)
{
    if (shown)
        fputs("\r\033[K", stderr);
    shown = false;
}
