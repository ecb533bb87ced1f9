/* status_line.c - one line at the foot of a terminal (see status_line.h) */
#include "tools/salotto/status_line.h"

#include "tools/language.h"
#include "tools/colour.h"
#include "tools/salotto/columns.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_NS  200000000ull
#define REFRESH_NS 1000000000ull /* mends what others have written over it, and what a stop by Ctrl-Z has left */
#define SAY_MAX    1024u
#define NAMED_MAX  4u /* speakers */
/* From the cursor to the end of its row, and to the end of the screen (ECMA-48 EL, ED). */
#define ERASE_ROW  "\033[K"
#define ERASE_ALL  "\033[J"
#define FIT_MAX    ((size_t)2 * STATUS_LINE_MAX) /* a locale's characters may be longer than UTF-8's */

void status_line_init(struct status_line *l)
{
    const char *term = getenv("TERM");

    memset(l, 0, sizeof *l);
    l->on = isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
    l->coloured = colour_on(stderr);
}

static size_t width(void)
{
    struct winsize size;

    /* The last column stays free: terminals differ in where the cursor is after it. */
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col - 1u : 79;
}

/* Would the terminal take it at once? One that was halted by Ctrl-S is not to halt the sound. */
static bool is_taken(void)
{
    struct pollfd to = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&to, 1, 0) != 0;
}

static void put(struct status_line *l, const char *text)
{
    if (l->gone || fputs(text, stderr) >= 0 || errno != EIO)
        return;
    l->on = l->drawn = false;
    l->gone = true;
}

static void draw(struct status_line *l, const char *erase, uint64_t now_ns)
{
    char fit[FIT_MAX], out[FIT_MAX + sizeof "\r" ERASE_ROW "\r"];

    if (!l->on || !is_taken())
        return;
    columns_fit(fit, sizeof fit, l->text, width());
    snprintf(out, sizeof out, "\r%s%s\r", fit, erase);
    l->drawn = true;
    l->at_ns = now_ns;
    put(l, out);
}

void status_line_show(struct status_line *l, const char *text, uint64_t now_ns)
{
    uint64_t since_ns = now_ns - l->at_ns;

    if (since_ns < REDRAW_NS || (since_ns < REFRESH_NS && l->drawn && strcmp(text, l->text) == 0))
        return;
    snprintf(l->text, sizeof l->text, "%s", text);
    draw(l, ERASE_ROW, now_ns);
}

void status_line_progress(struct status_line *l, const char *fmt, ...)
{
    char text[STATUS_LINE_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, _(fmt), ap);
    va_end(ap);
    if (l->drawn && strcmp(text, l->text) == 0)
        return;
    snprintf(l->text, sizeof l->text, "%s", text);
    draw(l, ERASE_ROW, l->at_ns);
}

void status_line_resized(struct status_line *l)
{
    /* A terminal that became narrower may have broken the line into rows; they lie below the cursor. */
    if (l->drawn)
        draw(l, ERASE_ALL, l->at_ns);
}

void status_line_clear(struct status_line *l)
{
    if (!l->drawn || !is_taken())
        return;
    l->drawn = false;
    put(l, "\r" ERASE_ROW);
}

static void put_message(struct status_line *l, const char *text)
{
    char fit[2 * SAY_MAX];

    columns_fit(fit, sizeof fit, text, COLUMNS_ALL);
    put(l, fit);
    put(l, "\n");
}

void status_line_say(struct status_line *l, const char *fmt, ...)
{
    char text[SAY_MAX];
    bool was_drawn = l->drawn;
    va_list ap;

    if (l->gone)
        return;
    if (!is_taken()) {
        l->untold++;
        return;
    }
    status_line_clear(l);
    if (l->untold > 0) {
        snprintf(text, sizeof text, _("lines that the halted terminal did not take: %u"), l->untold);
        l->untold = 0;
        put_message(l, text);
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, _(fmt), ap);
    va_end(ap);
    put_message(l, text);
    if (was_drawn)
        draw(l, ERASE_ROW, l->at_ns);
}

static void add(char out[STATUS_LINE_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(char out[STATUS_LINE_MAX], const char *fmt, ...)
{
    size_t at = strlen(out);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(out + at, STATUS_LINE_MAX - at, _(fmt), ap);
    va_end(ap);
}

static void add_speakers(char out[STATUS_LINE_MAX], const struct stage *stage)
{
    char names[NAMED_MAX * (LINK_ROOM_MAX + 3)] = "";
    unsigned speaking = 0;
    size_t at = 0;

    for (size_t i = 0; i < stage->count; i++) {
        if (!stage->people[i].speaking || ++speaking > NAMED_MAX)
            continue;
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", at > 0 ? ", " : "", stage->people[i].handle);
    }
    if (speaking == 0)
        add(out, "nobody speaks");
    else if (speaking == 1)
        add(out, "%s speaks", names);
    else if (speaking <= NAMED_MAX)
        add(out, "%s speak", names);
    else
        add(out, "%s and %u more speak", names, speaking - NAMED_MAX);
}

static const char *own_state(const struct stage *stage, const struct status *status, enum colour *c)
{
    *c = COLOUR_END;
    if (!stage->on_stage)
        return stage->hand ? _("listener, hand raised") : _("listener");
    *c = COLOUR_WARN;
    if (stage->muted_by_moderator)
        return _("muted by a moderator");
    if (stage->muted)
        return _("muted");
    *c = COLOUR_BAD; /* red, as the lamp over a studio's door */
    if (status->playing_file)
        return status->voice ? _("playing") : _("on stage");
    return status->voice ? _("LIVE, speaking") : _("LIVE");
}

static const char *keys_hint(const struct stage *stage, const struct status *status)
{
    if (!stage->on_stage)
        return _("h: hand, q: leave");
    if (!status->ptt)
        return _("m: mute, q: leave");
    switch (status->ptt_state) {
    case PTT_CLOSED:
        return _("space: hold to speak, tap to stay open; q: leave");
    case PTT_HELD:
        return _("until you let go of space");
    default:
        return _("space: mute, q: leave");
    }
}

void status_line_compose(char out[STATUS_LINE_MAX], const struct stage *stage, const struct status *status)
{
    enum colour c;
    const char *state = own_state(stage, status, &c);
    bool coloured = status->coloured && c != COLOUR_END;

    out[0] = '\0';
    add(out, "%s | ", stage->room);
    add_speakers(out, stage);
    add(out, " | %u listening | you: %s%s%s", stage->listeners, colour(coloured, c), state,
        colour(coloured, COLOUR_END));
    if (status->keys)
        add(out, " | %s", keys_hint(stage, status));
}
