/* room.h - a live room: strips → bus → limiter → tiers, one tick at a time
 *
 * A room mixes by itself (room_tick(), on any clock: the offline mixer runs hours in seconds) or on a thread of its own
 * (room_start()) that keeps absolute 20 ms ticks of CLOCK_MONOTONIC and sleeps without a wake-up while nobody speaks.
 * Everything reaches it by rings: packets by inboxes, orders by room_command(), answers by room_result().
 *
 * Time in a room is its position: samples at 48 kHz since room_start(), counted on through parking. Tick k covers
 * positions k*960 .. k*960+959.
 *
 * Who hears what: everyone hears the shared stream of the tier they are tuned to, but an active talker (a strip whose
 * voice gate is open) hears a stream of their own, the unlimited bus minus their strip. It starts as a copy of the
 * shared limiter and encoder, at the frame in which the gate opens, so the same decoder goes on without a seam; a
 * shared packet names in own_strips those who do not get it. When the gate closes, both streams are made for 240 ms
 * more (own_strips bit clear, own tape still filled); the own tape's last packet carries TAPE_HANDOVER.
 */
#ifndef SALOTTO_MIXER_ROOM_H
#define SALOTTO_MIXER_ROOM_H

#include "mixer/err.h"
#include "mixer/ring.h"
#include "mixer/strip.h"
#include "mixer/tape.h"
#include "mixer/tier.h"
#include "mixer/waker.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ROOM_STRIPS_MAX   32 /* on stage at once */
#define ROOM_INBOXES_MAX  4  /* producing threads: udp-in, TCP tunnel, RTP … */
#define ROOM_READERS_MAX  16 /* threads that sleep until a tape grows */
#define ROOM_TICK_SAMPLES 960
#define ROOM_TICK_NS      20000000ull
#define ROOM_INFLIGHT_MAX 256 /* commands that wait for their result */

struct room;

struct room_config {
    const char *name;      /* copied; the thread is called room:NAME, cut to 15 bytes */
    uint64_t phase_ns;     /* 0 <= phase_ns < ROOM_TICK_NS: where in the 20 ms this room ticks */
    unsigned inboxes;      /* 1..ROOM_INBOXES_MAX */
    unsigned readers;      /* 0..ROOM_READERS_MAX wakers follow */
    struct waker **reader; /* borrowed for the room's life; woken when a tape grew and their bit is set */
    struct waker *owner;   /* main's, or NULL; woken when a result or a change of who talks is there */
};

enum room_order {
    ROOM_ADD_STRIP,    /* slot, block = struct strip */
    ROOM_REMOVE_STRIP, /* slot, cut; fades out; the result's `block` is the strip, main's again, when its own stream
                        * has ended: at once with `cut`, for who hears nothing more, else after its overlap */
    ROOM_MUTE,         /* slot; nothing of it enters the bus after at_sample + 30 ms */
    ROOM_UNMUTE,       /* slot; also cancels a mute that is still fading */
    ROOM_FADER,        /* slot, gain_db */
    ROOM_OWN_TIER,     /* slot, stream: the own stream follows another tier from its next start on */
    ROOM_ADD_TIER,     /* block = struct tier */
    ROOM_REMOVE_TIER,  /* stream; the result's block is the tier, main's again */
    ROOM_EPOCH,        /* epoch: serial that packets carry from the next one on */
};

struct room_command {
    enum room_order order;
    uint64_t cookie; /* comes back in the result */
    unsigned slot;   /* 0..ROOM_STRIPS_MAX-1 */
    enum stream stream;
    float gain_db;
    bool cut;
    uint64_t epoch;
    void *block;
};

/* Exactly one for each accepted command, in any order. */
struct room_result {
    uint64_t cookie;
    enum room_order order;
    unsigned slot;
    uint64_t at_sample; /* position at which it took hold */
    int error;          /* 0; -EINVAL: slot empty or taken, no such tier; -ECANCELED: the room was stopped first */
    void *block;        /* what main owns again, or NULL */
};

/* Written by the room's thread, read by any. */
struct room_stats {
    _Atomic uint64_t ticks;         /* mixed */
    _Atomic uint64_t late_ticks;    /* began more than 1 ms after their time */
    _Atomic uint64_t skipped_ticks; /* given up after a stall */
    _Atomic uint64_t late_max_us;
    _Atomic uint64_t parks;
    _Atomic uint64_t shared_encodes[STREAM_TIERS];
    _Atomic uint64_t personal_encodes;
    _Atomic uint64_t drop_stale;  /* packets that waited in an inbox through a pause, or came without voice into one */
    _Atomic uint64_t drop_lease;  /* for an empty slot or somebody before */
    _Atomic uint64_t drop_broken; /* not decodable */
    _Atomic uint64_t encode_errors; /* frames that Opus failed to encode: none, ever */
    _Atomic uint32_t talking;       /* bit n: the gate of strip n is open */
    _Atomic uint32_t parked;        /* 1: asleep until someone speaks */
    _Atomic uint64_t position;      /* of the last tick's end; see room_position() */
};

/* New room without thread, strips and tiers. NULL when out of memory. */
struct room *room_new(const struct room_config *c);

/* The room must be stopped. Frees strips and tiers that are still in it. */
void room_free(struct room *r);

/* main only. Queues an order and wakes the room. False when ROOM_INFLIGHT_MAX are in flight. */
bool room_command(struct room *r, const struct room_command *c);

/* main only. Takes one result; false when there is none. */
bool room_result(struct room *r, struct room_result *out);

/* The ring in which producer n (0..inboxes-1) lays struct inbox_item, and the waker it wakes after laying in a packet
 * with PACKET_VOICE. A producer drops packets without that flag while waker_is_asleep(). Borrowed. */
struct ring *room_inbox(struct room *r, unsigned n);
struct waker *room_waker(struct room *r);

/* Any thread. Which readers to wake from now on: bit n stands for reader n. */
void room_set_readers(struct room *r, uint32_t mask);

/* Any thread. */
const struct room_stats *room_stats(const struct room *r);

/* Any thread. The position of CLOCK_MONOTONIC now, parked or not (of the last tick, in a room without a thread). */
uint64_t room_position(const struct room *r);

/* Any thread. CLOCK_MONOTONIC at position 0; set by room_start(). */
uint64_t room_start_ns(const struct room *r);

/* RT_SAFE. Mixes tick k at virtual or real time now_ns. k only grows; a jump forward is a pause. Returns true while
 * there is sound to come, false when the room may park. For rooms without a thread. */
bool room_tick(struct room *r, uint64_t tick, uint64_t now_ns);

/* main only. Starts the thread (SCHED_FIFO where allowed; *fifo says so) or says why not. */
int room_start(struct room *r, bool *fifo, struct err *err);

/* main only. Ends the thread and joins it: at most a tick. Commands not yet taken are answered by room_result(). */
void room_stop(struct room *r);

#endif
