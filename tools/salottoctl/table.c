/* table.c - columns and rows, aligned for people (see table.h)
 *
 * Widths are counted in terminal columns, not bytes (wcwidth), under the caller's locale.
 */
#include "tools/salottoctl/table.h"

#include "mixer/err.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define GAP           2u
#define NARROWEST     4u
#define COLUMNS_MAX   64u
#define CELL_MAX      512u /* bytes of a cell that are looked at */
#define ELLIPSIS_COLS 1u

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

static unsigned text_columns(const char *s)
{
    size_t left = strlen(s), len;
    unsigned columns = 0;
    bool show;

    for (; left > 0; s += len, left -= len)
        columns += character(s, left, &len, &show);
    return columns;
}

/* At most `limit` columns of s, with an ellipsis when it had to be cut. Returns the columns printed. */
static unsigned print_cut(FILE *out, const char *s, unsigned limit)
{
    bool cut = text_columns(s) > limit;
    unsigned room = cut ? limit - ELLIPSIS_COLS : limit, used = 0;
    size_t left = strlen(s), len;
    bool show;

    for (; left > 0; s += len, left -= len) {
        unsigned columns = character(s, left, &len, &show);

        if (used + columns > room)
            break;
        used += columns;
        if (show)
            fwrite(s, 1, len, out);
        else
            fputc('?', out);
    }
    if (cut) {
        fputs(MB_CUR_MAX > 1 ? "…" : "~", out);
        used += ELLIPSIS_COLS;
    }
    return used;
}

static const char *cell_text(const json_t *value, char buffer[CELL_MAX])
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
        return "yes";
    case JSON_FALSE:
        return "no";
    default:
        return "-";
    }
    return buffer;
}

/* Takes from the widest column, one terminal column at a time, until the line fits. */
static void fit(unsigned *widths, size_t n, unsigned width)
{
    for (;;) {
        unsigned total = (unsigned)(n - 1) * GAP;
        size_t widest = 0;

        for (size_t i = 0; i < n; i++) {
            total += widths[i];
            if (widths[i] > widths[widest])
                widest = i;
        }
        if (total <= width || widths[widest] <= NARROWEST)
            return;
        widths[widest]--;
    }
}

static void print_cell(FILE *out, const char *text, unsigned width, bool right, bool last)
{
    unsigned columns = text_columns(text), used;

    if (right && columns < width)
        fprintf(out, "%*s", (int)(width - columns), "");
    used = print_cut(out, text, width);
    if (!last)
        fprintf(out, "%*s", (int)((right || used >= width ? 0 : width - used) + GAP), "");
}

int table_print(FILE *out, const json_t *columns, const json_t *rows, unsigned width)
{
    unsigned widths[COLUMNS_MAX];
    bool right[COLUMNS_MAX];
    size_t n = json_array_size(columns), r, i;
    char buffer[CELL_MAX];
    json_t *row, *cell;

    if (n == 0 || n > COLUMNS_MAX || !json_is_array(rows))
        return -1;
    json_array_foreach(columns, i, cell)
    {
        widths[i] = text_columns(cell_text(cell, buffer));
        right[i] = json_array_size(rows) > 0;
    }
    json_array_foreach(rows, r, row)
    {
        if (json_array_size(row) != n)
            return -1;
        json_array_foreach(row, i, cell)
        {
            unsigned columns_used = text_columns(cell_text(cell, buffer));

            widths[i] = columns_used > widths[i] ? columns_used : widths[i];
            right[i] = right[i] && (json_is_number(cell) || json_is_null(cell));
        }
    }
    if (width > 0)
        fit(widths, n, width);
    json_array_foreach(columns, i, cell) print_cell(out, cell_text(cell, buffer), widths[i], right[i], i + 1 == n);
    fputc('\n', out);
    json_array_foreach(rows, r, row)
    {
        json_array_foreach(row, i, cell) print_cell(out, cell_text(cell, buffer), widths[i], right[i], i + 1 == n);
        fputc('\n', out);
    }
    return 0;
}

void table_print_text(FILE *out, const char *text)
{
    while (*text != '\0') {
        char letter[5] = {*text++};

        for (size_t n = 1; n < 4 && ((unsigned char)*text & 0xc0) == 0x80; n++)
            letter[n] = *text++;
        if (letter[0] != '\n' && letter[0] != '\t')
            err_plain(letter);
        fputs(letter, out);
    }
}
