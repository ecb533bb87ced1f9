/* status_line.c - one line at the foot of a terminal (see status_line.h) */
#include "tools/salotto/status_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_NS 200000000ull

void status_line_init(struct status_line *l)
{
    memset(l, 0, sizeof *l);
    l->on = isatty(STDERR_FILENO);
}

static void draw(struct status_line *l)
{
    struct winsize size;
    size_t width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79;
    size_t len = strlen(l->text);

    len = len < width ? len : width;
    /* Blanks cover what the line before leaves over. */
    fprintf(stderr, "\r%.*s%*s", (int)len, l->text, (int)(l->drawn > len ? l->drawn - len : 0), "");
    fflush(stderr);
    l->drawn = len;
}

void status_line_show(struct status_line *l, const char *text, uint64_t now_ns)
{
    if (!l->on || now_ns - l->at_ns < REDRAW_NS || strcmp(text, l->text) == 0)
        return;
    l->at_ns = now_ns;
    snprintf(l->text, sizeof l->text, "%s", text);
    draw(l);
}

void status_line_clear(struct status_line *l)
{
    if (!l->on || l->drawn == 0)
        return;
    fprintf(stderr, "\r%*s\r", (int)l->drawn, "");
    fflush(stderr);
    l->drawn = 0;
}

void status_line_say(struct status_line *l, const char *fmt, ...)
{
    bool was_drawn = l->drawn > 0;
    va_list ap;

    status_line_clear(l);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    if (was_drawn)
        draw(l);
}

static void add(char out[STATUS_LINE_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(char out[STATUS_LINE_MAX], const char *fmt, ...)
{
    size_t at = strlen(out);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(out + at, STATUS_LINE_MAX - at, fmt, ap);
    va_end(ap);
}

static const char *own_state(const struct stage *stage, const struct status *status)
{
    if (!stage->on_stage)
        return stage->hand ? "listener, hand raised" : "listener";
    if (stage->muted_by_moderator)
        return "muted by a moderator";
    if (stage->muted)
        return "muted";
    if (status->playing_file)
        return status->voice ? "playing" : "on stage";
    return status->voice ? "LIVE, speaking" : "LIVE";
}

void status_line_compose(char out[STATUS_LINE_MAX], const struct stage *stage, const struct status *status)
{
    unsigned speaking = 0;

    out[0] = '\0';
    add(out, "%s | ", stage->room);
    for (size_t i = 0; i < stage->count; i++) {
        if (!stage->people[i].speaking)
            continue;
        if (speaking < 4)
            add(out, "%s%s", speaking > 0 ? ", " : "", stage->people[i].handle);
        speaking++;
    }
    if (speaking > 4)
        add(out, " and %u more", speaking - 4);
    add(out, speaking == 0 ? "nobody speaks" : speaking == 1 ? " speaks" : " speak");
    add(out, " | %u listening | you: %s", stage->listeners, own_state(stage, status));
    if (status->keys)
        add(out, stage->on_stage ? " | m: mute, q: leave" : " | h: hand, q: leave");
}
