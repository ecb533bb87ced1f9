/* log.c - what the daemon tells the journal (see log.h) */
#include "tools/salottod/log.h"

#include <stdarg.h>
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

void log_line(enum log_priority p, const char *fmt, ...)
{
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
    at = strlen(line);
    for (size_t i = 0; i < at; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[at++] = '\n';
    /* One write a line, so that lines of two daemons on one terminal do not mix. Nobody can be told when it fails. */
    if (write(STDERR_FILENO, line, at) < 0)
        return;
}

void log_err(enum log_priority p, const struct err *err)
{
    if (err->mend[0] != '\0')
        log_line(p, "%s; %s", err->message, err->mend);
    else
        log_line(p, "%s", err->message);
}
