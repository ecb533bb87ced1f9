/* table.c - columns and rows, aligned for people (see table.h) */
#include "tools/salottoctl/table.h"

#include "mixer/err.h"
#include "tools/colour.h"
#include "tools/salottoctl/cell.h"

#include <stdlib.h>
#include <string.h>

#define GAP         2u
#define NARROWEST   4u
#define COLUMNS_MAX 64u

/* Takes from the widest column, one terminal column at a time, until the line fits. Does it? */
static bool fit(unsigned *widths, size_t n, unsigned width)
{
    for (;;) {
        unsigned total = (unsigned)(n - 1) * GAP;
        size_t widest = 0;

        for (size_t i = 0; i < n; i++) {
            total += widths[i];
            if (widths[i] > widths[widest])
                widest = i;
        }
        if (total <= width)
            return true;
        if (widths[widest] <= NARROWEST)
            return false;
        widths[widest]--;
    }
}

/* Prints the `blank` columns that are owed before it, and returns what is owed before the next: so that no line ends
 * with blanks. */
static unsigned print_cell(FILE *out, const char *text, unsigned width, bool right, unsigned blank)
{
    unsigned columns = cell_columns(text), used;

    if (columns == 0)
        return blank + width + GAP;
    if (right && columns < width)
        blank += width - columns;
    fprintf(out, "%*s", (int)blank, "");
    used = cell_print(out, text, width);
    return (right || used >= width ? 0 : width - used) + GAP;
}

/* A name, and a value that begins `indent` columns in. */
static void print_detail(FILE *out, const char *name, const json_t *value, unsigned indent,
                         const struct table_style *style)
{
    unsigned room = style->width > indent + GAP + NARROWEST ? style->width - indent - GAP : NARROWEST, used;
    char buffer[CELL_MAX];
    const char *text = cell_text(value, buffer);

    fputs(colour(style->colour, COLOUR_STRONG), out);
    used = cell_print(out, name, indent);
    fputs(colour(style->colour, COLOUR_END), out);
    fprintf(out, "%*s", (int)(indent - used + GAP), "");
    cell_print(out, text, style->width > 0 ? room : cell_columns(text));
    fputc('\n', out);
}

/* So that a value has at least as much room as its name. */
static unsigned indent_within(unsigned widest_name, const struct table_style *style)
{
    unsigned half = style->width > 2 * (NARROWEST + GAP) ? (style->width - GAP) / 2 : NARROWEST;

    return style->width > 0 && widest_name > half ? half : widest_name;
}

static void print_rows_as_details(FILE *out, const json_t *columns, const json_t *rows, const struct table_style *style)
{
    char buffer[CELL_MAX];
    unsigned indent = 0;
    json_t *row, *cell;
    size_t r, i;

    json_array_foreach(columns, i, cell)
    {
        unsigned width = cell_columns(cell_text(cell, buffer));

        indent = width > indent ? width : indent;
    }
    if (json_array_size(rows) == 0)
        json_array_foreach(columns, i, cell)
        {
            cell_print(out, cell_text(cell, buffer), style->width);
            fputc('\n', out);
        }
    indent = indent_within(indent, style);
    json_array_foreach(rows, r, row)
    {
        if (r > 0)
            fputc('\n', out);
        json_array_foreach(row, i, cell)
            print_detail(out, cell_text(json_array_get(columns, i), buffer), cell, indent, style);
    }
}

int table_print(FILE *out, const json_t *columns, const json_t *rows, const struct table_style *style)
{
    unsigned widths[COLUMNS_MAX] = {0};
    bool right[COLUMNS_MAX] = {false};
    size_t n = json_array_size(columns), r, i;
    unsigned blank = 0;
    char buffer[CELL_MAX];
    json_t *row, *cell;

    if (n == 0 || n > COLUMNS_MAX || !json_is_array(rows))
        return -1;
    json_array_foreach(columns, i, cell)
    {
        widths[i] = cell_columns(cell_text(cell, buffer));
        right[i] = json_array_size(rows) > 0;
    }
    json_array_foreach(rows, r, row)
    {
        if (json_array_size(row) != n)
            return -1;
        json_array_foreach(row, i, cell)
        {
            unsigned used = cell_columns(cell_text(cell, buffer));

            widths[i] = used > widths[i] ? used : widths[i];
            right[i] = right[i] && cell_is_number(cell);
        }
    }
    if (style->width > 0 && !fit(widths, n, style->width)) {
        print_rows_as_details(out, columns, rows, style);
        return 0;
    }
    fputs(colour(style->colour, COLOUR_STRONG), out);
    json_array_foreach(columns, i, cell) blank = print_cell(out, cell_text(cell, buffer), widths[i], right[i], blank);
    fputs(colour(style->colour, COLOUR_END), out);
    fputc('\n', out);
    json_array_foreach(rows, r, row)
    {
        blank = 0;
        json_array_foreach(row, i, cell) blank = print_cell(out, cell_text(cell, buffer), widths[i], right[i], blank);
        fputc('\n', out);
    }
    return 0;
}

int table_print_details(FILE *out, const json_t *details, const struct table_style *style)
{
    char buffer[CELL_MAX];
    unsigned indent = 0;
    json_t *pair;
    size_t i;

    if (!json_is_array(details))
        return -1;
    json_array_foreach(details, i, pair)
    {
        unsigned width;

        if (json_array_size(pair) != 2)
            return -1;
        width = cell_columns(cell_text(json_array_get(pair, 0), buffer));
        indent = width > indent ? width : indent;
    }
    indent = indent_within(indent, style);
    json_array_foreach(details, i, pair)
        print_detail(out, cell_text(json_array_get(pair, 0), buffer), json_array_get(pair, 1), indent, style);
    return 0;
}

/* How far in the lines after the first begin: as far as what explains a term, "  --json   as one line …", or the line
 * itself. */
static unsigned hanging(const char *text, unsigned width)
{
    size_t indent = strspn(text, " ");
    const char *gap = strstr(text + indent, "  ");
    size_t after = gap != NULL ? (size_t)(gap - text) + strspn(gap, " ") : 0;

    return (unsigned)(after > 0 && after <= width / 2 ? after : indent);
}

/* One line of the text, as many lines of the terminal as it takes. */
static void print_paragraph(FILE *out, const char *text, unsigned width)
{
    unsigned in = hanging(text, width);
    size_t len = cell_line(text, width);

    fprintf(out, "%.*s\n", (int)len, text);
    for (text += len + strspn(text + len, " "); *text != '\0'; text += len + strspn(text + len, " ")) {
        len = cell_line(text, width > in + NARROWEST ? width - in : NARROWEST);
        fprintf(out, "%*s%.*s\n", (int)in, "", (int)len, text);
    }
}

void table_print_text(FILE *out, const char *text, const struct table_style *style)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        char *line = strndup(text, len);

        if (line != NULL) {
            err_plain(line);
            print_paragraph(out, line, style->width);
        } else {
            fputs("?\n", out); /* out of memory */
        }
        free(line);
        text += len + (text[len] == '\n');
    }
}
