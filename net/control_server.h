/* control_server.h - the thread `net`: everybody's control connections
 *
 * Listens on TCP and on the operator's unix socket, keeps the connections (net/control.h) and passes their texts to
 * main by a ring and main's answers back by another. It understands none of them.
 */
#ifndef SALOTTO_NET_CONTROL_SERVER_H
#define SALOTTO_NET_CONTROL_SERVER_H

#include "mixer/err.h"
#include "mixer/waker.h"
#include "net/identity.h"
#include "net/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control_server;

struct control_server_config {
    const struct identity *identity; /* borrowed */
    const int *tcp_fds;              /* listening sockets, taken */
    unsigned tcp_count;
    const char *unix_path;    /* created 0660, a stale one replaced; NULL: none */
    unsigned max_connections; /* further ones are closed at once and counted; 0: unlimited */
    struct waker *owner;      /* main's; woken when an event waits, or a connection could not be taken */
};

enum control_event_kind {
    CONTROL_OPENED, /* key, keys, local */
    CONTROL_TEXT,   /* text: main frees it with free() */
    CONTROL_CLOSED,
};

struct control_event {
    enum control_event_kind kind;
    uint64_t connection; /* never used twice in a run */
    bool local;          /* the operator, by the unix socket */
    uint8_t key[32];     /* CONTROL_OPENED: peer's Ed25519 key */
    struct seal_keys keys;
    char address[64]; /* CONTROL_OPENED */
    char *text;       /* CONTROL_TEXT, NUL-terminated */
    size_t len;
};

/* Starts the thread. NULL with err. */
struct control_server *control_server_new(const struct control_server_config *c, struct err *err);

/* main only. Takes one event. A peer whose events find the ring full is read no further until there is room. */
bool control_server_next(struct control_server *s, struct control_event *out);

/* main only. Sends one text, copied once, to n connections; those gone by now are skipped. With close_after each is
 * closed when it has been sent. */
void control_server_send(struct control_server *s, const uint64_t *connections, size_t n, const char *text, size_t len,
                         bool close_after);
/* As control_server_send() to one, of the operator's, with an open file (net/control.h); fd is taken. */
void control_server_send_file(struct control_server *s, uint64_t connection, const char *text, size_t len, int fd);
void control_server_close(struct control_server *s, uint64_t connection);

/* main only. Closes all connections, flushing for at most flush_ms, joins the thread and frees. The unix socket's file
 * is removed. */
void control_server_free(struct control_server *s, unsigned flush_ms);

struct control_server_stats {
    _Atomic uint64_t accepted, refused, handshakes, handshake_failures, closed_slow;
    _Atomic uint64_t open;
    _Atomic uint64_t accept_pauses; /* no descriptor was left for a new connection */
    _Atomic uint64_t order_waits;   /* main waited for room in the ring of its orders */
    _Atomic uint64_t unsent;        /* texts for a connection that were too long, or found no memory */
};
const struct control_server_stats *control_server_stats(const struct control_server *s);

#endif
