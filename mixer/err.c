/* err.c - the one error path (see err.h) */
#include "mixer/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void clean(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

int err_set(struct err *err, enum err_code code, const char *mend, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;

        err->code = code;
        va_start(ap, fmt);
        if (vsnprintf(err->message, sizeof err->message, fmt, ap) < 0)
            err->message[0] = '\0';
        va_end(ap);
        snprintf(err->mend, sizeof err->mend, "%s", mend != NULL ? mend : "");
        clean(err->message);
        clean(err->mend);
    }
    return -(int)code;
}

void err_mend(struct err *err, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return;
    va_start(ap, fmt);
    if (vsnprintf(err->mend, sizeof err->mend, fmt, ap) < 0)
        err->mend[0] = '\0';
    va_end(ap);
    clean(err->mend);
}

void err_copy(struct err *to, const struct err *from)
{
    if (to != NULL && to != from)
        memcpy(to, from, sizeof *to);
}
