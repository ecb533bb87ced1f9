/* udp_in.h - the thread `udp-in`: every datagram from outside
 *
 * recvmmsg, find the session, decrypt, check for replay, keep the path (net/path.h: challenge, newest address), and
 * hand speech to the room's inbox. Owns the session table; main changes it by orders. Answers keep-alives, sends
 * challenges, epoch keys (repeated until acknowledged) and receiver reports itself, so each session's downward counter
 * has one owner. Nothing unauthenticated is ever answered, and bytes sent to an unproven address never exceed the bytes
 * received from it.
 */
#ifndef SALOTTO_NET_UDP_IN_H
#define SALOTTO_NET_UDP_IN_H

#include "mixer/err.h"
#include "mixer/ring.h"
#include "mixer/tape.h"
#include "mixer/waker.h"
#include "net/outlet_udp.h"
#include "net/seal.h"

#include <stdbool.h>
#include <stdint.h>

struct udp_in;

enum udp_order_kind {
    UDP_ADD,    /* session, keys, outlet, and what UDP_TUNE takes */
    UDP_REMOVE, /* session: when answered, none of its datagrams has any effect */
    UDP_STAGE,  /* session, inbox, room_waker, slot, lease, heard, report, own_tape; inbox NULL leaves the stage */
    UDP_HEARD,  /* session, heard: false while muted, its speech is then dropped and counted */
    UDP_TUNE,   /* session, tape, stream, room_start_ns, parked: what keep-alive answers tell */
    UDP_EPOCH,  /* session, epoch, epoch_key: deliver, until acknowledged */
};

/* A strip's counters for receiver reports, as main's mixer keeps them: all borrowed while on stage, or all NULL. */
struct udp_report {
    const _Atomic uint64_t *received, *lost, *late, *recovered;
    const _Atomic uint32_t *delay_ms, *highest_sequence;
};

struct udp_order {
    enum udp_order_kind kind;
    uint64_t cookie;
    uint32_t session; /* chosen by main, not 0, unguessable is not needed */
    unsigned outlet;  /* index of the worker that serves it */
    struct seal_keys keys;
    struct ring *inbox; /* of struct inbox_item; borrowed until left and answered */
    struct waker *room_waker;
    struct udp_report report;
    uint8_t slot, lease;
    bool heard;
    const struct tape *own_tape; /* borrowed likewise; NULL: none */
    const struct tape *tape;     /* borrowed until the next UDP_TUNE, or UDP_REMOVE, is answered */
    enum stream stream;
    uint64_t room_start_ns; /* CLOCK_MONOTONIC at position 0 */
    const _Atomic uint32_t *parked;
    uint64_t epoch;
    uint8_t epoch_key[SEAL_KEY_BYTES];
};

enum udp_event_kind {
    UDP_DONE,      /* cookie: the order was carried out */
    UDP_PATH,      /* session: its address is proven, or another one is */
    UDP_SILENT,    /* session: no authentic datagram for UDP_SILENT_MS */
    UDP_HEARD_OF,  /* session: the first one after UDP_SILENT */
    UDP_EPOCH_ACK, /* session, epoch */
};

#define UDP_SILENT_MS 10000u

struct udp_event {
    enum udp_event_kind kind;
    uint64_t cookie;
    uint32_t session;
    uint64_t epoch;
};

/* Datagrams, by what became of them. Written by the thread, read by any. */
struct udp_in_stats {
    _Atomic uint64_t received, speech, requests;
    _Atomic uint64_t drop_short, drop_type, drop_session, drop_forged, drop_replayed, drop_malformed;
    _Atomic uint64_t drop_not_on_stage, drop_muted, drop_silent, drop_inbox_full;
    _Atomic uint64_t challenges, paths_proven, epoch_keys_sent, keepalives, reports;
    _Atomic uint64_t send_refused;   /* our own datagrams, by the kernel */
    _Atomic uint64_t receive_errors; /* of the socket */
    _Atomic uint64_t out_of_memory;  /* orders that could not be carried out */
};

struct udp_in_config {
    int fd;                     /* shared UDP socket, borrowed */
    struct outlet_udp **outlet; /* borrowed; told the addresses */
    unsigned outlets;
    struct waker *owner; /* main's; woken when an event waits */
};

/* Starts the thread. NULL with err. */
struct udp_in *udp_in_new(const struct udp_in_config *c, struct err *err);

/* main only. Joins the thread and frees; the sessions' keys are wiped. */
void udp_in_free(struct udp_in *u);

/* main only. False when the ring is full (4096): try again after udp_in_event(). */
bool udp_in_order(struct udp_in *u, const struct udp_order *order);

/* main only. Takes one event; false when none waits. */
bool udp_in_event(struct udp_in *u, struct udp_event *out);

const struct udp_in_stats *udp_in_stats(const struct udp_in *u);

#endif
