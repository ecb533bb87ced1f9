/* table.h - columns and rows, aligned for people
 */
#ifndef SALOTTOCTL_TABLE_H
#define SALOTTOCTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* How to print: for a terminal of `width` columns (0: no terminal, as wide as it gets), with colours or without. */
struct table_style {
    unsigned width;
    bool colour;
};

/* Prints an array of column names and an array of rows (arrays of what cell.h knows) with two spaces between columns,
 * numbers to the right, the names in bold. Where a line does not fit the width, the widest columns are cut with an
 * ellipsis; where that would leave nothing to read, each row becomes lines of a name and a value, with an empty line
 * between rows. No rows: the names alone. 0, or -1 when the arrays are not such. */
int table_print(FILE *out, const json_t *columns, const json_t *rows, const struct table_style *style);

/* Prints an array of pairs [name, value], a line each, the values beneath one another. 0 or -1 as above. */
int table_print_details(FILE *out, const json_t *details, const struct table_style *style);

/* Prints lines of text, made plain (err_plain()). A line that does not fit the width is
 * broken at blanks, and goes on as far in as it began. */
void table_print_text(FILE *out, const char *text, const struct table_style *style);

#endif
