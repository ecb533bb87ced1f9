/* session.h - one stay in a room, as far as the wire goes: join, requests, events, leave
 *
 * Puts requests and events into words over net/client.h and keeps the stage. Driven by a libevent loop; all calls and
 * callbacks on its thread.
 */
#ifndef SALOTTO_SESSION_H
#define SALOTTO_SESSION_H

#include "mixer/err.h"
#include "net/client.h"
#include "tools/salotto/stage.h"

#include <jansson.h>
#include <stdbool.h>

struct session;

struct session_config { /* all borrowed for the session's life */
    struct event_base *base;
    const struct link *link;
    const struct identity *me;
    const char *known_servers; /* path of the file */
    enum stream tier;
    bool accept_new;
    bool echo; /* the server's echo room, whatever link->room is; what follows is then of no use */
    const char *handle;
    bool hand;     /* raise it at once */
    bool mic_open; /* how a promotion finds the microphone */
};

struct session_callbacks {
    void (*joined)(const json_t *answer, void *arg);
    /* As it came, after the stage has taken it. */
    void (*event)(const json_t *event, void *arg);
    /* A request was refused. */
    void (*refused)(const struct err *err, void *arg);
    void (*stream)(enum stream s, const struct tape_packet *p, const uint8_t *datagram, size_t len, void *arg);
    void (*alive)(uint64_t position, bool parked, unsigned round_trip_ms, void *arg);
    void (*report)(const struct client_report *r, void *arg); /* of one's own speech; NULL: not needed */
    /* The person is about to be asked whether they trust the server; NULL: not needed. */
    void (*asking)(void *arg);
    /* Once, last. err->code ERR_NONE: we left. The session is then to be freed, but not from within. */
    void (*closed)(const struct err *err, void *arg);
};

/* Connects (blocking, as client_connect()) and joins the room. NULL with err. */
struct session *session_new(const struct session_config *c, const struct session_callbacks *cb, void *arg,
                            struct err *err);
void session_free(struct session *s);

/* Sends one packet of speech. */
void session_speak(struct session *s, const struct packet *p);

/* Raises or lowers one's hand. */
void session_hand(struct session *s, bool up);

/* Mutes or unmutes oneself. */
void session_quiet(struct session *s, bool on);

/* Asks for another tier. */
void session_tune(struct session *s, enum stream tier);

/* Leaves the room; closed() follows soon. */
void session_leave(struct session *s);

const struct stage *session_stage(const struct session *s);

/* After closed() as they were then. */
const struct client_stats *session_stats(const struct session *s);

#endif
