/* control_parts.h - what the files of one control connection share: control.c (its life), control_in.c (reading),
 * control_out.c (writing)
 *
 * Nobody else includes this.
 */
#ifndef SALOTTO_NET_CONTROL_PARTS_H
#define SALOTTO_NET_CONTROL_PARTS_H

#include "net/control.h"
#include "net/handshake.h"
#include "net/noise.h"
#include "net/wire.h"

#include <event2/event_struct.h>

#define CONTROL_FRAME_MAX (2u + NOISE_MESSAGE_MAX)
#define CONTROL_BODY_MAX  (NOISE_MESSAGE_MAX - NOISE_TAG_BYTES - 1) /* of a frame, without its kind byte */

enum control_state {
    CONTROL_HANDSHAKE,
    CONTROL_OPEN,
    CONTROL_FLUSH, /* the last words are on their way; what still comes in is thrown away */
    CONTROL_DEAD,  /* the loop will call back and free */
};

struct control {
    struct event event;
    const struct control_callbacks *cb;
    void *arg;
    struct handshake *handshake; /* until it is complete */
    struct seal_keys *media;
    struct evbuffer *out; /* what the socket did not take; NULL: nothing waits */
    uint8_t *in;          /* the beginning of a frame, and room for one byte more than in_room; NULL: none */
    char *text;           /* parts of a text */
    struct err *why;      /* why it died; NULL: the peer or the owner closed it */
    char *address;        /* NULL: "local" */
    size_t in_have, in_room, text_len, text_room;
    uint64_t deadline_ns; /* of handshake or flush; 0: none */
    int fd;
    int file; /* that waits to be sent, or to be asked for; -1: none */
    uint8_t state;
    bool server, local, ready, paused, takes_files;
    bool broken; /* the socket takes no more output */
    uint8_t peer_key[IDENTITY_KEY_BYTES];
    struct noise_cipher send, receive;
};

/* What all connections of a thread share; made with the first and freed with the last. */
struct control_scratch {
    size_t users;
    uint8_t in[CONTROL_FRAME_MAX + 1];
    uint8_t out[CONTROL_FRAME_MAX];
};
extern _Thread_local struct control_scratch *control_scratch;

static inline bool control_is_alive(const struct control *c)
{
    return c->state != CONTROL_DEAD;
}

/* Dead from here on; the loop calls back later. why NULL: closed, nothing wrong. */
void control_die(struct control *c, const struct err *why);

#define CONTROL_DIE(c, code, mend, ...)                                                                                \
    do {                                                                                                               \
        struct err why_;                                                                                               \
        err_set(&why_, code, mend, __VA_ARGS__);                                                                       \
        control_die(c, &why_);                                                                                         \
    } while (0)

void control_out_of_memory(struct control *c);

/* Tells the loop what the connection waits for. */
void control_arm(struct control *c);

/* The peer is proven: once only, callbacks.ready is called. */
void control_in_ready(struct control *c);

/* Reading: takes what the socket has. / Frees what a connection keeps of unfinished frames and texts. */
void control_in_read(struct control *c);
void control_in_free(struct control *c);

/* As recv() and send(), with the file that comes or goes along. */
ssize_t control_file_receive(struct control *c, void *bytes, size_t len);
ssize_t control_file_send(struct control *c, const void *bytes, size_t len);

/* Writing: sends now what the socket takes and keeps the rest (0 or -1). / Goes on with what was kept. */
int control_out_put(struct control *c, const uint8_t *bytes, size_t len);
void control_out_flush(struct control *c);

#endif
