/* progress.c - a line for who waits longer than a second (see progress.h)
 *
 * The line is erased with blanks rather than by a sequence, so that it works on every terminal.
 */
#include "tools/salottoctl/progress.h"

#include "mixer/err.h"
#include "net/clock.h"
#include "tools/salottoctl/cell.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 200

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over all below */
static uint64_t first_ns, last_ns;
static unsigned drawn; /* columns */
static char expected[TEXT_MAX];
static unsigned long long turn; /* of what is expected; a thread whose turn is over draws nothing */

static unsigned room(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79;
}

static void erase(void)
{
    if (drawn > 0)
        fprintf(stderr, "\r%*s\r", (int)drawn, "");
    drawn = 0;
}

static void draw(const char *text)
{
    erase();
    drawn = cell_print(stderr, text, room());
    fflush(stderr);
}

static void *wait_a_second(void *arg)
{
    struct timespec second = {.tv_sec = 1};
    unsigned long long mine = (uintptr_t)arg;

    clock_nanosleep(CLOCK_MONOTONIC, 0, &second, NULL);
    pthread_mutex_lock(&lock);
    if (turn == mine)
        draw(expected);
    pthread_mutex_unlock(&lock);
    return NULL;
}

void progress_expect(const char *what)
{
    pthread_t thread;

    if (!isatty(STDERR_FILENO))
        return;
    pthread_mutex_lock(&lock);
    turn++;
    snprintf(expected, sizeof expected, "%s …", what);
    err_plain(expected);
    /* Where no thread can be had, nobody is told; the answer comes all the same. */
    if (pthread_create(&thread, NULL, wait_a_second, (void *)(uintptr_t)turn) == 0)
        pthread_detach(thread);
    pthread_mutex_unlock(&lock);
}

void progress_show(const char *doing, unsigned long long done, unsigned long long all)
{
    uint64_t now_ns = clock_now_ns();
    char text[TEXT_MAX];

    if (!isatty(STDERR_FILENO))
        return;
    pthread_mutex_lock(&lock);
    turn++;
    if (first_ns == 0)
        first_ns = now_ns;
    if (now_ns - first_ns >= CLOCK_NS_PER_S && now_ns - last_ns >= CLOCK_NS_PER_S / 10) {
        last_ns = now_ns;
        if (all > 0 && done <= all)
            snprintf(text, sizeof text, "%s: %llu %%", doing, done * 100 / all);
        else
            snprintf(text, sizeof text, "%s …", doing);
        err_plain(text);
        draw(text);
    }
    pthread_mutex_unlock(&lock);
}

void progress_clear(void)
{
    pthread_mutex_lock(&lock);
    turn++;
    if (drawn > 0) {
        erase();
        fflush(stderr);
    }
    pthread_mutex_unlock(&lock);
}
