/* client_parts.h - what the files of a client share: client.c (its life), client_media.c (the media socket)
 *
 * Nobody else includes this.
 */
#ifndef SALOTTO_NET_CLIENT_PARTS_H
#define SALOTTO_NET_CLIENT_PARTS_H

#include "net/client.h"
#include "net/epoch_keys.h"
#include "net/keepalive.h"

#include <event2/event_struct.h>
#include <sys/socket.h>

#define CLIENT_STREAMS (STREAM_OWN + 1)

struct client_stream {
    struct seal_replay window;
    uint64_t expected; /* number of the next packet by the last keep-alive answer */
    bool told;         /* expected is set */
};

struct client {
    struct event_base *base;
    const struct client_callbacks *cb;
    void *arg;
    struct control *control;
    bool closing; /* no packet is handed out any more */
    struct sockaddr_storage to;
    socklen_t to_len; /* 0: the operator's socket, no media */

    /* Media, from client_start_media() on. */
    int udp; /* -1: not started */
    struct event readable, timer;
    uint32_t session;
    uint64_t up_counter;
    struct seal_keys keys;
    uint8_t own_key[SEAL_KEY_BYTES]; /* of the stream */
    struct epoch_keys epochs;
    struct keepalive keepalive;
    struct seal_replay messages;
    struct client_stream stream[CLIENT_STREAMS];
    uint64_t position, position_ns; /* the last one known, and when */
    struct client_stats stats;
};

/* Stops the media and wipes its keys. */
void client_stop_media(struct client *c);

#endif
