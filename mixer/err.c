/* err.c - the one error path (see err.h) */
#include "mixer/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* How many bytes the UTF-8 letter at `at` has; 0 when there is none, as where a text was cut within one. The second
 * byte's range excludes overlong forms, surrogates and what is above U+10FFFF (RFC 3629 section 4). */
static size_t letter_bytes(const unsigned char *at)
{
    unsigned char low = *at == 0xe0 ? 0xa0 : *at == 0xf0 ? 0x90 : 0x80;
    unsigned char high = *at == 0xed ? 0x9f : *at == 0xf4 ? 0x8f : 0xbf;
    size_t n = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;

    if ((*at >= 0x80 && *at < 0xc2) || *at > 0xf4 || (n > 1 && (at[1] < low || at[1] > high)))
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

static void clean(char *text)
{
    unsigned char *at = (unsigned char *)text;

    while (*at != '\0') {
        size_t n = letter_bytes(at);

        if (n == 0 || *at < 0x20 || *at == 0x7f)
            *at = '?';
        at += n > 0 ? n : 1;
    }
}

int(err_set)(struct err *err, enum err_code code, const char *mend, const char *fmt, ...)
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
