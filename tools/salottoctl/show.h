/* show.h - what people see of answers and errors
 */
#ifndef SALOTTOCTL_SHOW_H
#define SALOTTOCTL_SHOW_H

#include "mixer/err.h"

#include <jansson.h>
#include <stdbool.h>

/* Prints an answer that is not a refusal on standard output: as people read it, or its data as one line of JSON. */
void show_answer(const json_t *answer, bool json);

/* Prints lines of text on standard output, broken to fit where that is a terminal. */
void show_text(const char *text);

/* Prints an error and its mend on standard error. Where that has colours, the error is red, and what the mend says to
 * type stands out. */
void show_error(const struct err *err);

#endif
