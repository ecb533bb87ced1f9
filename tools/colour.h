/* colour.h - colours in what programs say to people
 *
 * Only on a terminal that can show them, and never where NO_COLOR asks for none. A colour adds to words, it never
 * stands for them: what is said reads the same without.
 */
#ifndef SALOTTO_COLOUR_H
#define SALOTTO_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

enum colour {
    COLOUR_END, /* back to how the terminal is */
    COLOUR_STRONG,
    COLOUR_FAINT,
    COLOUR_GOOD,
    COLOUR_WARN,
    COLOUR_BAD,
};

/* May colours go to this stream? It is a terminal, TERM is set and not `dumb`, and NO_COLOR is unset or empty. */
bool colour_on(FILE *to);

/* The sequence to print; empty unless `on`. */
const char *colour(bool on, enum colour c);

#endif
