/* table.h - columns and rows, aligned for people
 */
#ifndef SALOTTOCTL_TABLE_H
#define SALOTTOCTL_TABLE_H

#include <jansson.h>
#include <stdio.h>

/* Prints an array of column names and an array of rows (arrays of strings, numbers, booleans or null) with two spaces
 * between columns, numbers to the right. width 0: as wide as it gets; otherwise the widest columns are cut, with an
 * ellipsis, until a line fits in so many terminal columns. Texts are made plain (err_plain()), as names come from
 * anybody. No rows: the heading alone. 0, or -1 when the arrays are not such. */
int table_print(FILE *out, const json_t *columns, const json_t *rows, unsigned width);

/* Prints text, made plain (err_plain()) but for newlines and tabs. */
void table_print_text(FILE *out, const char *text);

#endif
