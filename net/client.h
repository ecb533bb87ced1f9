/* client.h - a client's end of the wire: control connection, media socket, keys, keep-alives, streams
 *
 * What `salotto`, `salottoctl` and the load generator share. Driven by a libevent loop, all calls and callbacks on its
 * thread. It speaks the media part of PROTOCOL.md by itself (challenges, epoch keys and their acknowledgement,
 * keep-alives, replay windows, extension of numbers); texts it only carries.
 */
#ifndef SALOTTO_NET_CLIENT_H
#define SALOTTO_NET_CLIENT_H

#include "mixer/err.h"
#include "mixer/packet.h"
#include "mixer/tape.h"
#include "net/control.h"
#include "net/identity.h"
#include "net/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

struct client_report { /* of one's own speech, from the server */
    uint32_t received, lost, late, recovered;
    uint16_t highest_sequence, delay_ms;
};

struct client_callbacks {
    bool (*trust)(struct client *c, const uint8_t server_key[32], void *arg); /* as in control.h */
    void (*ready)(struct client *c, void *arg);
    void (*text)(struct client *c, const char *text, size_t len, void *arg);
    /* An authentic, fresh packet of a stream; p->number, epoch and position in full. datagram: as it was received. */
    void (*stream)(struct client *c, enum stream s, const struct tape_packet *p, const uint8_t *datagram, size_t len,
                   void *arg);
    /* A keep-alive was answered: the room's position and parked state, and the round trip. */
    void (*alive)(struct client *c, uint64_t position, bool parked, unsigned round_trip_ms, void *arg);
    void (*report)(struct client *c, const struct client_report *r, void *arg);
    /* Once, last; c is freed after it. */
    void (*closed)(struct client *c, const struct err *err, void *arg);
};

/* Connects to link->host (blocks while resolving and connecting, 10 s at the most) or to the operator's socket. All
 * pointers are borrowed for the client's life. NULL with err. A callback that is not needed may be NULL. */
struct client *client_connect(struct event_base *base, const struct link *link, const struct identity *me,
                              const struct client_callbacks *cb, void *arg, struct err *err);
struct client *client_connect_local(struct event_base *base, const char *unix_path, const struct client_callbacks *cb,
                                    void *arg, struct err *err);

/* Sends a JSON text. 0 or -1. */
int client_send(struct client *c, const char *text, size_t len);

/* After the join was answered: opens the media socket. session, position and epoch key as in the answer. Once for each
 * connection: its keys serve one session. 0 or a negative code. */
int client_start_media(struct client *c, uint32_t session, uint64_t position, uint64_t epoch,
                       const uint8_t epoch_key[32], struct err *err);

/* An epoch key that came by the control connection (they come by UDP as well). */
void client_epoch_key(struct client *c, uint64_t epoch, const uint8_t key[32]);

/* Sends one packet of speech; sequence, timestamp, flags and opus are taken from p. 0 or -1. */
int client_speak(struct client *c, const struct packet *p);

/* The operator's socket: the file that came with the text whose callback runs, the caller's to close; -1: none. */
int client_file(struct client *c);

struct client_stats {
    uint64_t packets, bytes; /* of streams: datagrams handed out, and their length */
    uint64_t reordered;      /* of these, those whose number was not the highest of their stream */
    uint64_t replayed, forged, unkeyed, malformed;            /* dropped; unkeyed: of an epoch whose key is not held */
    uint64_t first_number[8], highest_number[8], received[8]; /* by stream */
};
const struct client_stats *client_stats(const struct client *c);

/* Closes after what is queued; callbacks.closed follows with ERR_NONE. */
void client_close(struct client *c);

#endif
