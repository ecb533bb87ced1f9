/* events.h - what a room tells the people in it
 *
 * Three channels, each numbered for itself (net/PROTOCOL.md, 2.5): `room` for all, `audience` for those who
 * subscribed, `order` for moderators and hosts; and what one person alone is told (`you`). main only.
 */
#ifndef SALOTTO_SALOTTOD_EVENTS_H
#define SALOTTO_SALOTTOD_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct live_room;
struct occupant;
struct server;
struct session;

struct channel {
    char run[17]; /* 64 random bits in hex */
    uint64_t sequence;
};

void channel_begin(struct channel *c);

/* Each takes over the reference to `event`, an object with its own members; name and numbers are added. */
void events_room(struct live_room *r, const char *name, json_t *event);

/* As events_room(), but the one it is about is told `more` beside it, which is for their ears alone. Takes over both.
 */
void events_room_about(struct live_room *r, const char *name, json_t *event, const struct occupant *who, json_t *more);

void events_audience(struct live_room *r, const char *name, json_t *event);
void events_order(struct live_room *r, const char *name, json_t *event);
/* To each of a room for themself: channel `you`. */
void events_all(struct live_room *r, const char *name, json_t *event);
void events_you(struct session *s, const char *name, json_t *event);

/* "sent_away" to one session, whose connection closes after it. by and why may be NULL or empty. */
void events_sent_away(struct session *s, const char *reason, const char *by, const char *why);

/* A JSON text to connections; takes over `json`. An allocation that fails closes them: an event must not be missed. */
void events_send(struct server *s, const uint64_t *connections, size_t n, json_t *json, bool close_after);

#endif
