/* hasty.c - let people interrupt what blocks (see hasty.h) */
#include "tools/salotto/hasty.h"

#include "mixer/err.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define COUNT (sizeof numbers / sizeof *numbers)

static const int numbers[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
static struct sigaction before[COUNT];
static volatile sig_atomic_t has_terminal;

static void leave(int number)
{
    static const char erase[] = "\r\033[K";

    (void)number;
    if (has_terminal && write(STDERR_FILENO, erase, sizeof erase - 1) < 0)
        _exit(ERR_INTERRUPTED);
    _exit(ERR_INTERRUPTED);
}

void hasty_begin(void)
{
    struct sigaction now = {.sa_handler = leave};

    has_terminal = isatty(STDERR_FILENO);
    for (unsigned i = 0; i < COUNT; i++)
        /* What the caller of the program ignores (nohup) stays ignored. */
        if (sigaction(numbers[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
            sigaction(numbers[i], &now, NULL);
}

void hasty_end(void)
{
    for (unsigned i = 0; i < COUNT; i++)
        sigaction(numbers[i], &before[i], NULL);
}
