/* status_line.h - one line at the foot of a terminal that says how things stand
 *
 * On standard error, and only where that is a terminal that can erase (any but TERM=dumb); messages go above it. It
 * never takes more than one row: it is cut to the terminal's width, and the cursor rests at its beginning, so that what
 * a terminal makes of it when its window becomes narrower lies behind the cursor and is erased with it. All text is
 * UTF-8.
 */
#ifndef SALOTTO_STATUS_LINE_H
#define SALOTTO_STATUS_LINE_H

#include "tools/salotto/ptt.h"
#include "tools/salotto/stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_LINE_MAX 512u

struct status_line {
    bool on;         /* there is one */
    bool coloured;   /* the terminal shows colours */
    bool gone;       /* the terminal does not take what we write any more */
    bool drawn;      /* the line stands on the terminal */
    unsigned untold; /* lines that a halted terminal did not take */
    uint64_t at_ns;  /* of the last redraw */
    char text[STATUS_LINE_MAX];
};

void status_line_init(struct status_line *l);

/* Shows text: now, or at one of the next calls, for it is redrawn at most five times a second. */
void status_line_show(struct status_line *l, const char *text, uint64_t now_ns);

/* Shows at once what is being done that may take its time. */
void status_line_progress(struct status_line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A message of its own line, above. */
void status_line_say(struct status_line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The terminal has another width now. */
void status_line_resized(struct status_line *l);

/* Removes the line. */
void status_line_clear(struct status_line *l);

struct status {
    bool coloured;
    bool keys;  /* keys work */
    bool voice; /* one's own gate is open */
    bool playing_file;
    bool ptt; /* space holds or toggles the microphone */
    enum ptt_state ptt_state;
};

/* The line's words. */
void status_line_compose(char out[STATUS_LINE_MAX], const struct stage *stage, const struct status *status);

#endif
