/* trace.c - what a network did to packets, read from a file (see trace.h) */
#include "tests/lab/trace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_MS  20.0
#define TRANSIT_MS 40.0

struct line {
    double sent_ms, arrived_ms; /* NAN: lost */
};

struct trace {
    unsigned count, room;
    struct line *lines;
};

static int wrong(struct err *err, const char *path, unsigned line, const char *what)
{
    return err_set(err, ERR_USAGE, "a line is `NUMBER SENT_MS ARRIVED_MS` or `NUMBER SENT_MS lost`, numbered from 0",
                   "%s:%u: %s", path, line, what);
}

static int append(struct trace *t, struct line l, struct err *err)
{
    if (t->count == t->room) {
        unsigned room = t->room > 0 ? 2 * t->room : 4096;
        struct line *lines = realloc(t->lines, room * sizeof *lines);

        if (lines == NULL)
            return err_set(err, ERR_INTERNAL, NULL, "out of memory");
        t->lines = lines;
        t->room = room;
    }
    t->lines[t->count++] = l;
    return 0;
}

static int read_line(struct trace *t, const char *text, const char *path, unsigned number, struct err *err)
{
    struct line l = {.arrived_ms = NAN};
    char *end, *arrived;

    if (text[0] == '#' || text[strspn(text, " \t\n")] == '\0')
        return 0;
    if (strtoul(text, &end, 10) != t->count || end == text)
        return wrong(err, path, number, "the packet's number is not the next one");
    text = end;
    l.sent_ms = strtod(text, &end);
    if (end == text || !isfinite(l.sent_ms) || l.sent_ms < 0)
        return wrong(err, path, number, "no time of sending");
    if (t->count > 0 && l.sent_ms < t->lines[t->count - 1].sent_ms)
        return wrong(err, path, number, "sent before the packet before it");
    arrived = end + strspn(end, " \t");
    if (strncmp(arrived, "lost", 4) == 0) {
        end = arrived + 4;
    } else {
        l.arrived_ms = strtod(arrived, &end);
        if (end == arrived || !isfinite(l.arrived_ms) || l.arrived_ms < l.sent_ms)
            return wrong(err, path, number, "no time of arrival after that of sending");
    }
    if (end[strspn(end, " \t\r\n")] != '\0')
        return wrong(err, path, number, "more than three words");
    return append(t, l, err);
}

struct trace *trace_read(const char *path, struct err *err)
{
    FILE *f = fopen(path, "r");
    struct trace *t = calloc(1, sizeof *t);
    char text[256];
    int error = 0;

    if (f == NULL)
        error = err_set(err, ERR_DEVICE, NULL, "can't read the trace %s: %s", path, strerror(errno));
    else if (t == NULL)
        error = err_set(err, ERR_INTERNAL, NULL, "out of memory");
    for (unsigned n = 1; error == 0 && fgets(text, sizeof text, f) != NULL; n++)
        error = read_line(t, text, path, n, err);
    if (error == 0 && ferror(f))
        error = err_set(err, ERR_DEVICE, NULL, "can't read the trace %s: %s", path, strerror(errno));
    if (error == 0 && t->count == 0)
        error = wrong(err, path, 1, "no packet in the whole file");
    if (f != NULL)
        fclose(f);
    if (error != 0) {
        trace_free(t);
        return NULL;
    }
    return t;
}

void trace_free(struct trace *t)
{
    if (t == NULL)
        return;
    free(t->lines);
    free(t);
}

bool trace_packet(const struct trace *t, unsigned n, double *sent_ms, double *arrived_ms)
{
    if (t == NULL) {
        *sent_ms = n * PACKET_MS;
        *arrived_ms = *sent_ms;
        return true;
    }
    if (n >= t->count) {
        *sent_ms = t->lines[t->count - 1].sent_ms + (n - t->count + 1) * PACKET_MS;
        *arrived_ms = *sent_ms + TRANSIT_MS;
        return true;
    }
    *sent_ms = t->lines[n].sent_ms;
    *arrived_ms = t->lines[n].arrived_ms;
    return !isnan(*arrived_ms);
}
