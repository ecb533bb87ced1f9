/* watchdog.h - vouches to systemd that main and every room are alive
 *
 * Where systemd keeps a watchdog over the service (WATCHDOG_USEC), main looks at all live rooms four times in that time
 * and feeds it only when each of them is well; that main came to look speaks for main. Four times, so that one look in
 * a bad moment of the machine ends nothing. A room whose thread hangs or spins is never vouched for, and systemd then
 * starts the daemon anew. main only.
 */
#ifndef SALOTTO_SALOTTOD_WATCHDOG_H
#define SALOTTO_SALOTTOD_WATCHDOG_H

#include "mixer/err.h"
#include "mixer/room.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct server;

/* A room as seen at the last look; zero before the first. */
struct pulse {
    uint64_t ticks;
    bool awake;
};

/* Has the room ticked since the last call, or slept then or now, parked? Remembers what it saw. */
bool pulse_beats(struct pulse *p, struct room *r);

/* Starts to look and to feed. *w stays NULL where systemd keeps no watchdog. */
int watchdog_start(struct event **w, struct server *s, struct err *err);
void watchdog_stop(struct event **w);

#endif
