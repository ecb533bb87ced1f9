/* columns.h - text for a terminal: cut to its width, in its character set
 *
 * Names and titles are UTF-8 on the wire, whatever the terminal shows. What the locale can't show, and control
 * characters, become '?'; wide and combining characters count as the terminal counts them. Sequences of tools/colour.h
 * take no columns.
 */
#ifndef SALOTTO_COLUMNS_H
#define SALOTTO_COLUMNS_H

#include <stddef.h>

#define COLUMNS_ALL ((size_t)-1)

/* Writes at most `limit` columns of the UTF-8 text to out (max bytes, NUL included; cut there as well), under the
 * locale that is set. Text that is cut ends in an ellipsis and, where it had colours, without them. Returns the columns
 * written. */
size_t columns_fit(char *out, size_t max, const char *text, size_t limit);

#endif
