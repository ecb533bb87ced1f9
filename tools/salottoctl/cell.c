/* cell.c - one value of an answer, as people read it (see cell.h) */
#include "tools/salottoctl/cell.h"

#include "mixer/err.h"
#include "tools/language.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#define ELLIPSIS_COLUMNS 1u

static const char *moment(json_int_t ms, char buffer[CELL_MAX])
{
    time_t at = (time_t)(ms / 1000);
    struct tm tm;

    if (ms < 0 || localtime_r(&at, &tm) == NULL || strftime(buffer, CELL_MAX, "%Y-%m-%d %H:%M:%S %Z", &tm) == 0)
        return "?";
    return buffer;
}

const char *cell_text(const json_t *value, char buffer[CELL_MAX])
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        snprintf(buffer, CELL_MAX, "%s", json_string_value(value));
        err_plain(buffer);
        break;
    case JSON_INTEGER:
        snprintf(buffer, CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        snprintf(buffer, CELL_MAX, "%.6g", json_real_value(value));
        break;
    case JSON_TRUE:
        return _("yes");
    case JSON_FALSE:
        return _("no");
    case JSON_OBJECT:
        if (json_is_integer(json_object_get(value, "time_ms")))
            return moment(json_integer_value(json_object_get(value, "time_ms")), buffer);
        return "?";
    default:
        return "-";
    }
    return buffer;
}

bool cell_is_number(const json_t *value)
{
    return json_is_number(value) || json_is_null(value);
}

/* One character of s: its bytes in *len, its columns as the result; what can't be shown counts as one '?'. */
static unsigned character(const char *s, size_t left, size_t *len, bool *show)
{
    mbstate_t state = {0};
    wchar_t c;
    size_t n = mbrtowc(&c, s, left, &state);
    int columns;

    if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
        *len = 1;
        *show = false;
        return 1;
    }
    *len = n;
    columns = wcwidth(c);
    *show = columns >= 0;
    return columns >= 0 ? (unsigned)columns : 1;
}

unsigned cell_columns(const char *text)
{
    size_t left = strlen(text), len;
    unsigned columns = 0;
    bool show;

    for (; left > 0; text += len, left -= len)
        columns += character(text, left, &len, &show);
    return columns;
}

unsigned cell_print(FILE *out, const char *text, unsigned limit)
{
    bool cut = cell_columns(text) > limit, show;
    unsigned room = cut && limit > 0 ? limit - ELLIPSIS_COLUMNS : limit, used = 0;
    size_t left = strlen(text), len;

    for (; left > 0; text += len, left -= len) {
        unsigned columns = character(text, left, &len, &show);

        if (used + columns > room)
            break;
        used += columns;
        if (show)
            fwrite(text, 1, len, out);
        else
            fputc('?', out);
    }
    if (cut && limit > 0) {
        fputs(MB_CUR_MAX > 1 ? "…" : "~", out);
        used += ELLIPSIS_COLUMNS;
    }
    return used;
}

size_t cell_line(const char *text, unsigned limit)
{
    size_t left = strlen(text), at = 0, blank = 0, len;
    unsigned used = 0;
    bool show, begun = false;

    for (; limit > 0 && left > 0; at += len, left -= len) {
        if (text[at] != ' ')
            begun = true;
        else if (begun)
            blank = at;
        used += character(text + at, left, &len, &show);
        if (used > limit && blank > 0)
            return blank;
    }
    return at + left;
}
