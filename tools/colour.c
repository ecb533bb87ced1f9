/* colour.c - colours in what programs say to people (see colour.h) */
#include "tools/colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool colour_on(FILE *to)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    if (no_color != NULL && no_color[0] != '\0') /* https://no-color.org */
        return false;
    if (term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0)
        return false;
    return isatty(fileno(to)) == 1;
}

const char *colour(bool on, enum colour c)
{
    /* ECMA-48 SGR, the eight colours alone: their shades are the terminal's theme, so they suit any background. */
    static const char *const sequences[] = {
        [COLOUR_END] = "\033[0m",   [COLOUR_STRONG] = "\033[1m", [COLOUR_FAINT] = "\033[2m",
        [COLOUR_GOOD] = "\033[32m", [COLOUR_WARN] = "\033[33m",  [COLOUR_BAD] = "\033[31m",
    };

    return on ? sequences[c] : "";
}
