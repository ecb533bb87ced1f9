/* log.c - what the daemon tells the journal (see log.h) */
#include "tools/salottod/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *word(enum log_priority p)
{
    switch (p) {
    case LOG_ERROR_LINE:
        return "error: ";
    case LOG_WARNING_LINE:
        return "warning: ";
    case LOG_NOTICE_LINE:
    case LOG_INFO_LINE:
        break;
    }
    return "";
}

/* Would a line be taken at once? A pipe whose reader hangs, or a terminal that was halted, may hold up nobody. (One
 * page of a pipe is free when it says that it is, which is more than a line.) */
static bool is_taken(void)
{
    struct pollfd to = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&to, 1, 0) != 0;
}

void log_line(enum log_priority p, const char *fmt, ...)
{
    static unsigned lost;
    char line[1024];
    size_t at;
    va_list ap;
    int n;

    if (isatty(STDERR_FILENO))
        n = snprintf(line, sizeof line, "%s", word(p));
    else
        n = snprintf(line, sizeof line, "<%d>", (int)p);
    at = n > 0 ? (size_t)n : 0;
    va_start(ap, fmt);
    n = vsnprintf(line + at, sizeof line - at - 1, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    err_plain(line);
    at = strlen(line);
    line[at++] = '\n';
    if (!is_taken()) {
        lost++;
        return;
    }
    /* One write a line, so that lines of two daemons on one terminal do not mix. Nobody can be told when it fails. */
    if (write(STDERR_FILENO, line, at) < 0 || lost == 0)
        return;
    n = (int)lost;
    lost = 0;
    log_line(LOG_WARNING_LINE, "the log was not read for a while lines_lost=%d", n);
}

void log_err(enum log_priority p, const struct err *err)
{
    if (err->mend[0] != '\0')
        log_line(p, "%s; %s", err->message, err->mend);
    else
        log_line(p, "%s", err->message);
}
