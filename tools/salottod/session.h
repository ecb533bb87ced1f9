/* session.h - one control connection, and the person behind it once they are in a room
 *
 * Lives from CONTROL_OPENED to CONTROL_CLOSED, or a little longer while other threads still let go of its media. Others
 * remember a session by its connection number and look it up again, as it may be gone by then. main only.
 */
#ifndef SALOTTO_SALOTTOD_SESSION_H
#define SALOTTO_SALOTTOD_SESSION_H

#include "net/control_server.h"
#include "tools/salottod/server.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct occupant;

struct session {
    LIST_ENTRY(session) next;
    struct server *server;
    uint64_t connection;
    bool local; /* the operator */
    uint8_t key[32];
    struct seal_keys keys;
    char address[64];

    uint32_t id;           /* on the media socket; 0: never joined */
    struct occupant *seat; /* NULL: in no room */
    bool joining;          /* a join is not answered yet */
    json_int_t join_id;    /* its request */
    bool joined;           /* once, for good: the media keys serve one session, lest a nonce be used twice */
    bool subscribed;       /* to the audience channel */
    bool mic_asked;        /* their join said: a promotion shall find the microphone open */
    bool mic_open;         /* it will: for that, or since a hand was raised */
    unsigned outlet;
    enum stream stream;
    uint64_t own_number; /* of its next own stream's packet */
    bool epoch_owed;     /* their acknowledgement of the newest epoch key */
};

struct session *session_by_connection(struct server *s, uint64_t connection);
struct session *session_by_id(struct server *s, uint32_t id);

/* What net reports. */
void session_opened(struct server *s, const struct control_event *e);
void session_text(struct server *s, const struct control_event *e);
void session_closed(struct server *s, uint64_t connection);

/* Tells someone in a room why they are sent away (as in the event `sent_away`); the connection closes after it. A join
 * that is not answered yet is answered first. */
void session_send_away(struct session *p, const char *reason, const char *by, const char *why);

/* For the daemon's end: frees without a word. */
void session_free_all(struct server *s);

#endif
