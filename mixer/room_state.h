/* room_state.h - what a room consists of
 *
 * Shared by the files that make up the room (room.c, room_orders.c, park.c, clock.c) and by nobody else.
 */
#ifndef SALOTTO_MIXER_ROOM_STATE_H
#define SALOTTO_MIXER_ROOM_STATE_H

#include "mixer/bus.h"
#include "mixer/limiter.h"
#include "mixer/room.h"

#include <pthread.h>

/* A strip's place on the desk. */
struct room_place {
    struct strip *strip; /* NULL: free */
    const float *voice;  /* what it adds to the bus in this tick, or NULL */
    bool leaving;        /* ROOM_REMOVE_STRIP is under way, */
    uint64_t cookie;     /* its answer to be */
    uint64_t at_sample;
};

struct room {
    char name[33];
    uint64_t phase_ns;

    /* rings and wakers */
    struct ring *inbox[ROOM_INBOXES_MAX];
    struct ring *commands, *results;
    struct waker *reader[ROOM_READERS_MAX];
    struct waker *owner;
    struct waker waker; /* the room's own thread sleeps on it */
    unsigned inboxes, readers;
    unsigned in_flight; /* main's: commands whose result it has not taken */
    _Atomic uint32_t reader_mask;

    /* the desk */
    struct room_place place[ROOM_STRIPS_MAX];
    struct tier *tier[STREAM_TIERS];
    struct limiter limiter;
    float bus[BUS_SAMPLES]; /* the sum */
    float mix[BUS_SAMPLES]; /* the sum, limited */
    uint64_t epoch;

    /* the course of things */
    uint64_t next_tick;          /* the one that would follow the last */
    bool awake;                  /* something was audible since the last pause packet */
    bool parked;                 /* the last tick said that it may sleep */
    unsigned silent_ticks;       /* in a row, while awake */
    uint32_t talking, voices;    /* of this tick: gates open; strips that add to the bus */
    bool results_new, tapes_new; /* made in this tick */
    struct room_stats stats;

    /* the thread (clock.c) */
    pthread_t thread;
    bool has_thread;
    _Atomic bool stop;
    _Atomic uint64_t start_ns; /* 0: no thread was ever started */
};

/* RT_SAFE. Relaxed is enough for counters: nobody concludes anything from their order. Only the room writes. */
static inline void room_count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more, memory_order_relaxed);
}

/* RT_SAFE. Carries out what lies in the command ring, in the tick that begins at `position`. */
void room_orders_run(struct room *r, uint64_t position);

/* RT_SAFE. Answers ROOM_REMOVE_STRIP for those who have faded out and whose own stream is done. */
void room_orders_return_strips(struct room *r);

/* After the thread has ended: answers all that was not carried out. */
void room_orders_cancel(struct room *r);

/* Announces sleep, looks again and sleeps until woken. */
void room_park(struct room *r);

#endif
