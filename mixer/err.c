/* err.c - the one error path (see err.h) */
#include "mixer/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *as_written(const char *text)
{
    return text;
}

static const char *(*translated)(const char *text) = as_written;
static _Thread_local const void *reader;

void err_translate_with(const char *(*translate)(const char *text))
{
    translated = translate;
}

const char *err_words(const char *text)
{
    return translated(text);
}

const char *err_reason(int error)
{
    return translated(strerror(error));
}

const void *err_for(const void *whom)
{
    const void *before = reader;

    reader = whom;
    return before;
}

const void *err_reader(void)
{
    return reader;
}

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

/* Does the letter of n bytes act on a terminal rather than stand on it? The control characters of both sets, and what
 * turns the direction of the text that follows (UAX #9: embeddings, overrides, isolates) or breaks the line. */
static bool acts(const unsigned char *at, size_t n)
{
    if (n == 1)
        return *at < 0x20 || *at == 0x7f;
    if (n == 2)
        return at[0] == 0xc2 && at[1] < 0xa0;
    if (n != 3 || at[0] != 0xe2)
        return false;
    return (at[1] == 0x80 && at[2] >= 0xa8 && at[2] <= 0xae) || (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
}

void err_plain(char *text)
{
    const unsigned char *from = (const unsigned char *)text;
    char *to = text;

    while (*from != '\0') {
        size_t n = letter_bytes(from);

        if (n == 0 || acts(from, n)) {
            *to++ = '?';
            from += n > 0 ? n : 1;
        } else {
            for (; n > 0; n--)
                *to++ = (char)*from++;
        }
    }
    *to = '\0';
}

/* Cut in the middle where it is too long, since the thing stands at one end and what is wrong with it at the other. */
static void fit(char *out, size_t max, const char *text)
{
    static const char gap[] = "…";
    size_t len = strlen(text), head = (max - sizeof gap) / 2, tail = max - sizeof gap - head;

    if (len < max) {
        memcpy(out, text, len + 1);
        return;
    }
    while (head > 0 && ((unsigned char)text[head] & 0xc0) == 0x80)
        head--;
    while (tail > 0 && ((unsigned char)text[len - tail] & 0xc0) == 0x80)
        tail--;
    memcpy(out, text, head);
    memcpy(out + head, gap, sizeof gap - 1);
    memcpy(out + head + sizeof gap - 1, text + len - tail, tail + 1);
}

static void write_text(char *out, size_t max, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

static void write_text(char *out, size_t max, const char *fmt, va_list ap)
{
    char *text;

    if (vasprintf(&text, fmt, ap) < 0) {
        fit(out, max, fmt); /* out of memory: without its names */
        return;
    }
    fit(out, max, text);
    free(text);
    err_plain(out);
}

int(err_set)(struct err *err, enum err_code code, const char *mend, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;

        err->code = code;
        va_start(ap, fmt);
        write_text(err->message, sizeof err->message, translated(fmt), ap);
        va_end(ap);
        fit(err->mend, sizeof err->mend, mend != NULL ? translated(mend) : "");
        err_plain(err->mend);
    }
    return -(int)code;
}

void err_mend(struct err *err, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return;
    va_start(ap, fmt);
    write_text(err->mend, sizeof err->mend, translated(fmt), ap);
    va_end(ap);
}

void err_copy(struct err *to, const struct err *from)
{
    if (to != NULL && to != from)
        memcpy(to, from, sizeof *to);
}
