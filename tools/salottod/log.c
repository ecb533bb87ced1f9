/* log.c - what the daemon tells the journal (see log.h) */
#include "tools/salottod/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 1024u

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

/* Writes one line into out[LINE_BYTES] and returns its length. */
static size_t compose(char *out, enum log_priority p, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static size_t compose(char *out, enum log_priority p, const char *fmt, va_list ap)
{
    size_t at;
    int n =
        isatty(STDERR_FILENO) ? snprintf(out, LINE_BYTES, "%s", word(p)) : snprintf(out, LINE_BYTES, "<%d>", (int)p);

    at = n > 0 ? (size_t)n : 0;
    if (vsnprintf(out + at, LINE_BYTES - at - 1, fmt, ap) < 0)
        out[at] = '\0';
    err_plain(out);
    at = strlen(out);
    out[at++] = '\n';
    return at;
}

static size_t compose_own(char *out, enum log_priority p, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static size_t compose_own(char *out, enum log_priority p, const char *fmt, ...)
{
    va_list ap;
    size_t len;

    va_start(ap, fmt);
    len = compose(out, p, fmt, ap);
    va_end(ap);
    return len;
}

void log_line(enum log_priority p, const char *fmt, ...)
{
    static unsigned lost;
    char text[2 * LINE_BYTES];
    size_t at = 0;
    va_list ap;

    if (!is_taken()) {
        lost++;
        return;
    }
    if (lost > 0)
        at = compose_own(text, LOG_WARNING_LINE, "the log was not read for a while lines_lost=%u", lost);
    lost = 0;
    va_start(ap, fmt);
    at += compose(text + at, p, fmt, ap);
    va_end(ap);
    /* One write a line, so that lines of two daemons on one terminal do not mix. Nobody can be told when it fails. */
    if (write(STDERR_FILENO, text, at) < 0)
        return;
}

void log_err(enum log_priority p, const struct err *err)
{
    if (err->mend[0] != '\0')
        log_line(p, "%s; %s", err->message, err->mend);
    else
        log_line(p, "%s", err->message);
}
