/* waker.h - put a thread to sleep, and wake it without losing a wake-up
 *
 * A waker belongs to the one thread that sleeps on it; any thread may wake it. The protocol is announce, look again,
 * sleep:
 *
 *     uint32_t seen = waker_prepare(w);     // announce
 *     if (nothing to do)                    // look again
 *         waker_wait(w, seen, timeout_ns);  // sleep, unless woken since
 *     waker_done(w);
 *
 * A thread that sleeps in an event loop instead gives an eventfd to waker_init() and watches that.
 */
#ifndef SALOTTO_MIXER_WAKER_H
#define SALOTTO_MIXER_WAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct waker {
    _Atomic uint32_t wakes;  /* futex word: one more for each wake-up */
    _Atomic uint32_t asleep; /* 1 from waker_prepare() (eventfd: waker_drain()) to the first waker_wake() after it */
    int event_fd;            /* -1: the sleeper waits on the futex */
};

/* Owned by the caller, usable at once. event_fd >= 0 stays the caller's: waker_wake() writes to it once, and then not
 * before waker_drain() has emptied it. */
void waker_init(struct waker *w, int event_fd);

/* Futex form, by the sleeper. timeout_ns 0 waits for ever. Returns false on time-out; true may also come without a
 * wake-up, so look for work and begin again at waker_prepare(). */
uint32_t waker_prepare(struct waker *w);
bool waker_wait(struct waker *w, uint32_t seen, uint64_t timeout_ns);
void waker_done(struct waker *w);

/* RT_SAFE. Is the sleeper announced or asleep? Only a hint to the caller: it may change at once. */
bool waker_is_asleep(const struct waker *w);

/* RT_SAFE. One system call at most, and none while the sleeper is awake. */
void waker_wake(struct waker *w);

/* Eventfd form, by the sleeper when its descriptor is readable, before it looks for work. */
void waker_drain(struct waker *w);

#endif
