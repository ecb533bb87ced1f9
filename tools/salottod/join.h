/* join.h - someone asks to come into a room
 */
#ifndef SALOTTO_SALOTTOD_JOIN_H
#define SALOTTO_SALOTTOD_JOIN_H

#include <jansson.h>

struct session;

/* Carries out {"do":"join"}; answers once, now or later. */
void join_request(struct session *s, json_int_t id, const json_t *request);

#endif
