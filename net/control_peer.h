/* control_peer.h - one accepted connection, and what main is still to be told of it
 *
 * Between a control connection (net/control.h) and the ring of events to main. When main falls behind and the ring is
 * full, a peer keeps the one event that did not fit and is read no further, so that its other end has to wait: what is
 * held is bounded by the number of peers, and nothing is lost. All on the thread `net`, but peer_event_taken().
 */
#ifndef SALOTTO_NET_CONTROL_PEER_H
#define SALOTTO_NET_CONTROL_PEER_H

#include "mixer/ring.h"
#include "mixer/waker.h"
#include "net/control.h"
#include "net/control_server.h"

/* What main learns of a new connection: secrets, so behind a pointer and wiped, and not in the ring's memory. */
struct peer_opened {
    uint8_t key[32];
    struct seal_keys keys;
    char address[64];
};

/* An event on its way to main, who owns what it points to. */
struct peer_event {
    enum control_event_kind kind;
    bool local;
    uint64_t connection;
    struct peer_opened *opened;
    char *text;
    size_t len;
};

/* The ring to main, and who waits for room in it. */
struct peer_outbox {
    struct ring *events; /* of struct peer_event */
    unsigned slots;
    struct waker *owner; /* main's; may be NULL */
    bool closed;         /* main takes no more */
    _Atomic bool starved;
    struct control_peer *first, **end;
    struct control_server_stats *stats;
    void (*gone)(struct control_peer *p, void *arg); /* the peer's end was told: it is freed after the call */
    void *arg;
};

struct control_peer {
    uint64_t id;
    struct peer_outbox *outbox;
    struct control *control;    /* NULL: closed */
    bool local, told;           /* told: main has CONTROL_OPENED */
    bool starving;              /* in the outbox's queue */
    struct peer_opened *opened; /* to be told, then: */
    char *text;
    size_t len;
    struct control_peer *next;
};

void peer_outbox_init(struct peer_outbox *o, struct ring *events, unsigned slots, struct waker *owner,
                      struct control_server_stats *stats);

/* The callbacks of every control connection with a struct control_peer as their arg. */
extern const struct control_callbacks peer_callbacks;

/* Tells main what found no room before, those who waited longest first. */
void peer_outbox_feed(struct peer_outbox *o);

/* main, after each event it took: is anybody waiting for the room? Then wake net, which calls peer_outbox_feed(). */
bool peer_event_taken(struct peer_outbox *o);

/* Wipes and frees what an event points to, or a peer that never came to life. */
void peer_event_free(struct peer_event *e);
void peer_free(struct control_peer *p);

#endif
