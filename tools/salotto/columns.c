/* columns.c - text for a terminal (see columns.h) */
#include "tools/salotto/columns.h"

#include "tools/colour.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#define ELLIPSIS L'\u2026'

/* One thing to be written: a character as the locale has it, or a colour's sequence. */
struct piece {
    char bytes[MB_LEN_MAX];
    size_t len, columns;
    bool is_colour;
};

/* A character of UTF-8 (RFC 3629) and the bytes it takes; of what is none, one byte as UINT32_MAX. */
static size_t decode(const unsigned char *s, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* what needs so many bytes */
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf8 ? 4 : 0;

    *c = len == 1 ? s[0] : len > 1 ? s[0] & (0x7fu >> len) : UINT32_MAX;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) { /* also the end */
            *c = UINT32_MAX;
            return 1;
        }
        *c = *c << 6 | (s[i] & 0x3f);
    }
    if (len > 1 && (*c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000)))
        *c = UINT32_MAX;
    return len > 1 ? len : 1;
}

/* In the locale's bytes, or '?'. */
static void encode(struct piece *p, uint32_t c)
{
    mbstate_t state = {0};
    int columns = c != UINT32_MAX ? wcwidth((wchar_t)c) : -1;

    p->len = columns >= 0 ? wcrtomb(p->bytes, (wchar_t)c, &state) : (size_t)-1;
    p->columns = (size_t)columns;
    if (p->len == (size_t)-1) {
        p->bytes[0] = '?';
        p->len = p->columns = 1;
    }
}

/* The next piece of the text; returns the bytes of text that it takes, 0 at the end. */
static size_t take(struct piece *p, const char *text)
{
    uint32_t c;
    size_t len;

    *p = (struct piece){.len = 0};
    if (text[0] == '\0')
        return 0;
    if (text[0] == '\033' && text[1] == '[' && (len = strspn(text + 2, "0123456789;") + 3) <= sizeof p->bytes &&
        text[len - 1] == 'm') {
        memcpy(p->bytes, text, len);
        p->len = len;
        p->is_colour = true;
        return len;
    }
    len = decode((const unsigned char *)text, &c);
    encode(p, c);
    return len;
}

static size_t count(const char *text)
{
    struct piece p;
    size_t columns = 0, len;

    for (; (len = take(&p, text)) > 0; text += len)
        columns += p.columns;
    return columns;
}

static bool append(char *out, size_t max, size_t *at, const char *bytes, size_t len)
{
    if (len >= max - *at)
        return false;
    memcpy(out + *at, bytes, len);
    *at += len;
    return true;
}

size_t columns_fit(char *out, size_t max, const char *text, size_t limit)
{
    const char *end = colour(true, COLOUR_END);
    bool cut = count(text) > limit, coloured = false;
    struct piece p, ellipsis;
    size_t at = 0, used = 0, len, room = limit, spare = cut ? MB_LEN_MAX + strlen(end) : 0;

    encode(&ellipsis, ELLIPSIS);
    if (cut && limit > 0)
        room -= ellipsis.columns;
    for (; (len = take(&p, text)) > 0; text += len) {
        if (used + p.columns > room || !append(out, max > spare ? max - spare : 1, &at, p.bytes, p.len))
            break;
        used += p.columns;
        coloured |= p.is_colour;
    }
    if (cut && limit > 0 && append(out, max, &at, ellipsis.bytes, ellipsis.len))
        used += ellipsis.columns;
    if (cut && coloured)
        append(out, max, &at, end, strlen(end));
    out[at] = '\0';
    return used;
}
