/* clock.h - a room's ticks in the time of CLOCK_MONOTONIC
 *
 * Tick k of a room begins at start_ns + k * ROOM_TICK_NS. A late thread makes up for at most CLOCK_CATCH_UP_TICKS; what
 * is more is given up.
 */
#ifndef SALOTTO_MIXER_CLOCK_H
#define SALOTTO_MIXER_CLOCK_H

#include <stdint.h>

#define CLOCK_CATCH_UP_TICKS 3u

/* RT_SAFE. */
uint64_t clock_now_ns(void);

/* RT_SAFE. The latest time not after now_ns at which a room of that phase begins a tick. */
uint64_t clock_start_ns(uint64_t now_ns, uint64_t phase_ns);

/* RT_SAFE. When a tick begins, and the first tick that begins after now_ns. */
uint64_t clock_due_ns(uint64_t start_ns, uint64_t tick);
uint64_t clock_tick_after(uint64_t start_ns, uint64_t now_ns);

/* RT_SAFE. The tick to mix at now_ns when `tick` was meant to be: the same, or the newest that has begun when more
 * than CLOCK_CATCH_UP_TICKS others have begun since. */
uint64_t clock_catch_up(uint64_t start_ns, uint64_t tick, uint64_t now_ns);

/* RT_SAFE. The position at now_ns. */
uint64_t clock_position(uint64_t start_ns, uint64_t now_ns);

#endif
