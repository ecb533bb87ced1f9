/* status_line.h - one line at the foot of a terminal that says how things stand
 *
 * On standard error, and only where that is a terminal; messages go above it. Redrawn at most five times a second.
 */
#ifndef SALOTTO_STATUS_LINE_H
#define SALOTTO_STATUS_LINE_H

#include "tools/salotto/stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_LINE_MAX 256u

struct status_line {
    bool on;        /* standard error is a terminal */
    size_t drawn;   /* columns of it that are in use */
    uint64_t at_ns; /* of the last redraw */
    char text[STATUS_LINE_MAX];
};

void status_line_init(struct status_line *l);

/* Shows text, now or at one of the next calls. */
void status_line_show(struct status_line *l, const char *text, uint64_t now_ns);

/* A message of its own line, above. */
void status_line_say(struct status_line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Removes the line. */
void status_line_clear(struct status_line *l);

struct status {
    bool keys;  /* keys work */
    bool voice; /* one's own gate is open */
    bool playing_file;
};

/* The line's words. */
void status_line_compose(char out[STATUS_LINE_MAX], const struct stage *stage, const struct status *status);

#endif
