/* waker.c - put a thread to sleep, and wake it without losing a wake-up (see waker.h)
 *
 * Sleeper and wakers meet in one word, `asleep`, and only ever by read-modify-write, whose order on one word is total.
 * A wake before the announcement is seen by the announcement (it acquires what the waker released, so the sleeper finds
 * the work when it looks again); a wake after it finds the flag up, takes it down and makes the one system call. No
 * fence is needed, which also lets ThreadSanitizer follow the argument.
 *
 * With an eventfd the flag is up while the descriptor is empty and nobody has begun to fill it.
 */
#include "mixer/waker.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

void waker_init(struct waker *w, int event_fd)
{
    atomic_init(&w->wakes, 0);
    atomic_init(&w->asleep, event_fd >= 0 ? 1 : 0);
    w->event_fd = event_fd;
}

uint32_t waker_prepare(struct waker *w)
{
    /* Read first: a wake that comes after the announcement must differ from what was seen. */
    uint32_t seen = atomic_load_explicit(&w->wakes, memory_order_acquire);

    atomic_exchange_explicit(&w->asleep, 1, memory_order_acq_rel);
    return seen;
}

bool waker_wait(struct waker *w, uint32_t seen, uint64_t timeout_ns)
{
    struct timespec ts = {
        .tv_sec = (time_t)(timeout_ns / NS_PER_S),
        .tv_nsec = (long)(timeout_ns % NS_PER_S),
    };

    /* EAGAIN (woken since) and EINTR both mean: look for work again. */
    return syscall(SYS_futex, &w->wakes, FUTEX_WAIT_PRIVATE, seen, timeout_ns > 0 ? &ts : NULL, NULL, 0) == 0 ||
           errno != ETIMEDOUT;
}

void waker_done(struct waker *w)
{
    atomic_exchange_explicit(&w->asleep, 0, memory_order_acq_rel);
}

bool waker_is_asleep(const struct waker *w)
{
    return atomic_load_explicit(&w->asleep, memory_order_relaxed) != 0;
}

void waker_wake(struct waker *w)
{
    if (atomic_exchange_explicit(&w->asleep, 0, memory_order_acq_rel) == 0)
        return;
    if (w->event_fd >= 0) {
        /* Fails only when the counter would overflow, and then the descriptor is readable anyway. */
        (void)eventfd_write(w->event_fd, 1);
        return;
    }
    atomic_fetch_add_explicit(&w->wakes, 1, memory_order_release);
    (void)syscall(SYS_futex, &w->wakes, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void waker_drain(struct waker *w)
{
    eventfd_t count;

    /* Empty it first: were the flag raised before, a wake in between would be read away here, and with the flag down
     * no other would ever fill the descriptor again. An error is EAGAIN: the wake's write is still under way. */
    (void)eventfd_read(w->event_fd, &count);
    atomic_exchange_explicit(&w->asleep, 1, memory_order_acq_rel);
}
