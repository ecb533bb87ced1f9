/* clock.c - a room's thread: absolute 20 ms ticks, lateness, catching up (see clock.h and room.h)
 *
 * The thread does nothing but tick and sleep. It wakes at absolute times, so lateness never adds up, and with a timer
 * slack of 1 ns, so the kernel doesn't gather its wake-ups with others'.
 */
#include "mixer/clock.h"
#include "mixer/room_state.h"
#include "mixer/rt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define NS_PER_S       1000000000ull
#define LATE_NS        1000000ull           /* a tick that begins later is counted */
#define STACK_BYTES    ((size_t)256 * 1024) /* Opus's encoder takes the most of it: some 60 KiB */
#define FIFO_PRIO      20
#define NAME_BYTES     16 /* of a thread, with the final zero (PR_SET_NAME) */
#define SAMPLES_PER_MS (PACKET_RATE_HZ / 1000u)

uint64_t clock_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_start_ns(uint64_t now_ns, uint64_t phase_ns)
{
    uint64_t into = (now_ns - phase_ns) % ROOM_TICK_NS;

    return now_ns - into;
}

uint64_t clock_due_ns(uint64_t start_ns, uint64_t tick)
{
    return start_ns + tick * ROOM_TICK_NS;
}

uint64_t clock_tick_after(uint64_t start_ns, uint64_t now_ns)
{
    return (now_ns - start_ns) / ROOM_TICK_NS + 1;
}

uint64_t clock_catch_up(uint64_t start_ns, uint64_t tick, uint64_t now_ns)
{
    uint64_t newest = clock_tick_after(start_ns, now_ns) - 1;

    return newest > tick + CLOCK_CATCH_UP_TICKS ? newest : tick;
}

uint64_t clock_position(uint64_t start_ns, uint64_t now_ns)
{
    uint64_t passed_ns = now_ns - start_ns;

    /* Whole milliseconds apart: the product of nanoseconds and 48 would overflow after four years. */
    return passed_ns / 1000000u * SAMPLES_PER_MS + passed_ns % 1000000u * SAMPLES_PER_MS / 1000000u;
}

static void sleep_until(uint64_t due_ns)
{
    struct timespec ts = {.tv_sec = (time_t)(due_ns / NS_PER_S), .tv_nsec = (long)(due_ns % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        continue;
}

/* RT_SAFE. */
static void count_lateness(struct room_stats *stats, uint64_t late_ns)
{
    if (late_ns > LATE_NS)
        room_count(&stats->late_ticks, 1);
    if (late_ns / 1000 > atomic_load_explicit(&stats->late_max_us, memory_order_relaxed))
        atomic_store_explicit(&stats->late_max_us, late_ns / 1000, memory_order_relaxed);
}

static void *run(void *arg)
{
    struct room *r = arg;
    uint64_t start_ns = atomic_load_explicit(&r->start_ns, memory_order_relaxed);
    uint64_t tick = clock_tick_after(start_ns, clock_now_ns());
    char name[NAME_BYTES];

    snprintf(name, sizeof name, "room:%.10s", r->name);
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_TIMERSLACK, 1ul);
    while (!atomic_load_explicit(&r->stop, memory_order_acquire)) {
        uint64_t now_ns, to_mix, next;
        bool more;

        sleep_until(clock_due_ns(start_ns, tick));
        now_ns = clock_now_ns();
        to_mix = clock_catch_up(start_ns, tick, now_ns);
        room_count(&r->stats.skipped_ticks, to_mix - tick);
        count_lateness(&r->stats, now_ns - clock_due_ns(start_ns, tick));
        rt_enter();
        more = room_tick(r, to_mix, now_ns);
        rt_leave();
        if (!more)
            room_park(r);
        tick = to_mix + 1;
        next = clock_tick_after(start_ns, clock_now_ns());
        if (!more && next > tick)
            tick = next;
    }
    return NULL;
}

/* Starts the thread, as SCHED_FIFO where that is allowed. Returns an errno. */
static int start_thread(struct room *r, bool *fifo)
{
    struct sched_param param = {.sched_priority = FIFO_PRIO};
    pthread_attr_t attr;
    int error = pthread_attr_init(&attr);

    if (error != 0)
        return error;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
    pthread_attr_setschedparam(&attr, &param);
    error = pthread_create(&r->thread, &attr, run, r);
    *fifo = error == 0;
    if (error == EPERM) {
        pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED);
        error = pthread_create(&r->thread, &attr, run, r);
    }
    pthread_attr_destroy(&attr);
    return error;
}

int room_start(struct room *r, bool *fifo, struct err *err)
{
    bool is_fifo;
    int error;

    if (r->has_thread)
        return err_set(err, ERR_INTERNAL, NULL, "room %s runs already", r->name);
    if (atomic_load_explicit(&r->start_ns, memory_order_relaxed) == 0)
        atomic_store_explicit(&r->start_ns, clock_start_ns(clock_now_ns(), r->phase_ns), memory_order_release);
    atomic_store_explicit(&r->stop, false, memory_order_relaxed);
    error = start_thread(r, &is_fifo);
    if (error != 0)
        return err_set(err, ERR_INTERNAL, "raise LimitNPROC or TasksMax", "can't start the thread of room %s: %s",
                       r->name, err_reason(error));
    r->has_thread = true;
    if (fifo != NULL)
        *fifo = is_fifo;
    return 0;
}

void room_stop(struct room *r)
{
    if (r->has_thread) {
        atomic_store_explicit(&r->stop, true, memory_order_release);
        waker_wake(&r->waker);
        pthread_join(r->thread, NULL);
        r->has_thread = false;
    }
    room_orders_cancel(r);
    atomic_store_explicit(&r->stats.talking, 0, memory_order_relaxed);
}

uint64_t room_start_ns(const struct room *r)
{
    return atomic_load_explicit(&r->start_ns, memory_order_acquire);
}

uint64_t room_position(const struct room *r)
{
    uint64_t start_ns = room_start_ns(r);

    return start_ns != 0 ? clock_position(start_ns, clock_now_ns())
                         : atomic_load_explicit(&r->stats.position, memory_order_relaxed);
}
