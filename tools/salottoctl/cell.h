/* cell.h - one value of an answer, as people read it
 *
 * Values come from anybody's names, so they are made plain (err_plain()). Widths are counted in terminal columns, not
 * bytes, under the locale that is set.
 */
#ifndef SALOTTOCTL_CELL_H
#define SALOTTOCTL_CELL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define CELL_MAX 512u /* bytes of a value that are looked at */

/* The value as text: strings and numbers as they are, yes and no, "-" for null. {"time_ms": N} is a moment, in
 * milliseconds since 1970: shown in the reader's own time zone (TZ), whose name stands with it. buffer may be used. */
const char *cell_text(const json_t *value, char buffer[CELL_MAX]);

/* Numbers, and what stands for one that is missing, go to the right. */
bool cell_is_number(const json_t *value);

unsigned cell_columns(const char *text);

/* Prints at most `limit` columns of the text, with an ellipsis when it had to be cut. Returns the columns printed. */
unsigned cell_print(FILE *out, const char *text, unsigned limit);

/* How many bytes of the text go onto a line of `limit` columns: up to a blank. A word that is longer than a line stays
 * whole, since it may be a link that somebody wants to copy. limit 0: all of it. */
size_t cell_line(const char *text, unsigned limit);

#endif
