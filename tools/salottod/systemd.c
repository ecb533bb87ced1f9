/* systemd.c - what systemd is told about the daemon (see systemd.h) */
#include "tools/salottod/systemd.h"

#include "mixer/clock.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/log.h"
#include "tools/salottod/server.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

static void tell(const char *state)
{
    int status = sd_notify(0, state);

    if (status < 0)
        log_line(LOG_WARNING_LINE, "systemd cannot be told: %s", strerror(-status));
}

static void status_line(char *out, size_t max, const struct server *s)
{
    unsigned rooms = 0, people = 0;
    const struct live_room *r;

    LIST_FOREACH (r, &s->rooms, next) {
        rooms += r->present > 0;
        people += r->present;
    }
    if (rooms == 0)
        snprintf(out, max, "STATUS=nobody is here");
    else
        snprintf(out, max, "STATUS=%u %s, %u %s", rooms, rooms == 1 ? "room" : "rooms", people,
                 people == 1 ? "person" : "people");
}

void systemd_ready(struct server *s)
{
    char line[80], text[100];

    status_line(line, sizeof line, s);
    snprintf(text, sizeof text, "READY=1\n%s", line);
    tell(text);
}

void systemd_reloading(void)
{
    char text[80];

    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(clock_now_ns() / 1000));
    tell(text);
}

void systemd_stopping(struct server *s)
{
    char line[80], text[120];

    status_line(line, sizeof line, s);
    snprintf(text, sizeof text, "STOPPING=1\n%s: being told that it stops", line);
    tell(text);
}

void systemd_alive(void)
{
    tell("WATCHDOG=1");
}

void systemd_on_people(int fd, short what, void *server)
{
    char line[80];

    (void)fd;
    (void)what;
    status_line(line, sizeof line, server);
    tell(line);
}

void systemd_people_soon(struct server *s)
{
    static const struct timeval second = {.tv_sec = 1};

    if (!s->stopping && !evtimer_pending(s->people_event, NULL))
        evtimer_add(s->people_event, &second);
}
