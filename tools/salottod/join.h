/* join.h - someone asks to come into a room
 */
#ifndef SALOTTO_SALOTTOD_JOIN_H
#define SALOTTO_SALOTTOD_JOIN_H

#include "mixer/err.h"
#include "mixer/tape.h"

#include <jansson.h>

struct session;

/* Carries out {"do":"join"}; answers once, now or later. */
void join_request(struct session *s, json_int_t id, const json_t *request);

/* What an echo room (echo.h) has in common with others. May this connection go into a room? The tier that a request
 * names (low without one). 0 or a negative code. The answer to who sits in a room now; a new reference. */
int join_is_allowed(const struct session *s, struct err *err);
int join_tier(enum stream *tier, const json_t *request, struct err *err);
json_t *join_welcome(const struct session *s);

#endif
