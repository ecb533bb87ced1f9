/* outlet_udp.h - a worker that reads tapes and sends to UDP listeners
 *
 * Each listener belongs to one worker. A worker sleeps until a tape grows, copies each new packet once, seals it once,
 * and hands the kernel one sendmmsg batch (at most 64 datagrams of one tape, then the next tape) with a tag for each
 * listener. Talkers' own streams go first. A listener without a proven address is skipped. It owns its listeners; main
 * changes them by orders and may free what they point to (tapes) only after the order's answer. Order OUTLET_ADD before
 * udp-in's UDP_ADD of the same session: an address that comes for a session not yet ordered is lost.
 */
#ifndef SALOTTO_NET_OUTLET_UDP_H
#define SALOTTO_NET_OUTLET_UDP_H

#include "mixer/err.h"
#include "mixer/tape.h"
#include "mixer/waker.h"
#include "net/seal.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct outlet_udp;

enum outlet_order_kind {
    OUTLET_ADD,       /* session, room, keys, tape, stream; slot and own_tape when on stage, else slot -1 */
    OUTLET_REMOVE,    /* session: when answered, no further packet is sent to it */
    OUTLET_TUNE,      /* session, tape, stream: continues at the equal position, with 240 ms of pre-roll */
    OUTLET_STAGE,     /* session, slot and own_tape; slot -1 leaves the stage */
    OUTLET_EPOCH,     /* room, serial, key: may be needed from now on; the last four of a room are kept */
    OUTLET_ROOM_GONE, /* room: forget its keys */
};

struct outlet_order {
    enum outlet_order_kind kind;
    uint64_t cookie;
    uint32_t session;
    uint32_t room; /* main's number for the live room */
    struct seal_keys keys;
    const struct tape *tape; /* borrowed until OUTLET_REMOVE, or the OUTLET_TUNE after, is answered */
    enum stream stream;
    int slot; /* the strip whose bit in own_strips means this listener */
    const struct tape *own_tape;
    uint64_t epoch;
    uint8_t epoch_key[SEAL_KEY_BYTES];
};

/* Written by the worker, read by any. */
struct outlet_stats {
    _Atomic uint64_t sent, bytes; /* datagrams handed to the kernel, and their payload */
    _Atomic uint64_t refused;     /* by the kernel: buffer full, unreachable */
    _Atomic uint64_t skipped;     /* aged off a tape before they could be sent */
    _Atomic uint64_t keyless;     /* no epoch key known: a fault of ours if ever not 0 */
    _Atomic uint64_t sealed;      /* packets encrypted, each once for all its listeners here */
    _Atomic uint64_t unknown_session;
    _Atomic uint64_t out_of_memory; /* orders that could not be carried out */
    _Atomic uint64_t wakes;
};

/* Starts the thread outlet-INDEX. fd is the shared UDP socket, borrowed. owner is main's waker: woken when an answer
 * waits. NULL with err. */
struct outlet_udp *outlet_udp_new(unsigned index, int fd, struct waker *owner, struct err *err);

/* main only. Sends what is on the tapes now, then joins the thread and frees. */
void outlet_udp_free(struct outlet_udp *o);

/* main only. False when the ring is full (4096 orders): try again after outlet_udp_answer(). */
bool outlet_udp_order(struct outlet_udp *o, const struct outlet_order *order);

/* main only. The cookie of an order that has been carried out; false when none waits. Answers keep the orders' order.
 */
bool outlet_udp_answer(struct outlet_udp *o, uint64_t *cookie);

/* udp-in only. The session's proven address, from now on. False when the ring is full. */
bool outlet_udp_address(struct outlet_udp *o, uint32_t session, const struct sockaddr_storage *to, socklen_t len);

/* What a room wakes when its tapes have grown. */
struct waker *outlet_udp_waker(struct outlet_udp *o);

const struct outlet_stats *outlet_udp_stats(const struct outlet_udp *o);

#endif
