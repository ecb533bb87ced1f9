/* watchdog.c - vouches to systemd that main and every room are alive (see watchdog.h) */
#include "tools/salottod/watchdog.h"

#include "mixer/waker.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/log.h"
#include "tools/salottod/server.h"
#include "tools/salottod/systemd.h"

#include <event2/event.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define LOOKS 4u /* in the watchdog's time */

/* A parked room that was woken a moment ago may not have ticked yet: so both looks must find it awake. */
bool pulse_beats(struct pulse *p, struct room *r)
{
    uint64_t ticks = atomic_load(&room_stats(r)->ticks);
    bool awake = !waker_is_asleep(room_waker(r));
    bool beats = ticks != p->ticks || !awake || !p->awake;

    p->ticks = ticks;
    p->awake = awake;
    return beats;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;
    struct live_room *r;
    bool well = true;

    (void)fd;
    (void)what;
    LIST_FOREACH (r, &s->rooms, next) {
        if (pulse_beats(&r->pulse, r->mixer))
            continue;
        log_line(LOG_ERROR_LINE, "the room's thread hangs; systemd is not told that all is well room=%s", r->row.name);
        well = false;
    }
    if (well)
        systemd_alive();
}

int watchdog_start(struct event **w, struct server *s, struct err *err)
{
    uint64_t usec = 0;
    int enabled = sd_watchdog_enabled(0, &usec);
    struct timeval pause;

    *w = NULL;
    if (enabled < 0)
        return err_set(err, ERR_USAGE, "let systemd set WATCHDOG_USEC, or unset it",
                       "the environment's WATCHDOG_USEC cannot be understood: %s", err_reason(-enabled));
    if (enabled == 0)
        return 0;
    pause.tv_sec = (time_t)(usec / LOOKS / 1000000u);
    pause.tv_usec = (suseconds_t)(usec / LOOKS % 1000000u);
    *w = event_new(s->base, -1, EV_PERSIST, on_look, s);
    if (*w == NULL || event_add(*w, &pause) != 0) {
        watchdog_stop(w);
        return err_set(err, ERR_INTERNAL, NULL, "cannot watch over the rooms");
    }
    return 0;
}

void watchdog_stop(struct event **w)
{
    if (*w != NULL)
        event_free(*w);
    *w = NULL;
}
