/* answer.h - one answer to one request
 */
#ifndef SALOTTO_SALOTTOD_ANSWER_H
#define SALOTTO_SALOTTOD_ANSWER_H

#include "mixer/err.h"

#include <jansson.h>
#include <stdint.h>

struct server;

/* Takes over the reference to `body` (NULL: nothing but "ok"). id is the request's own number. */
void answer_ok(struct server *s, uint64_t connection, json_int_t id, json_t *body);
/* Not done yet: what would happen, in a sentence, for the caller to be asked about. */
void answer_question(struct server *s, uint64_t connection, json_int_t id, const char *question);
void answer_err(struct server *s, uint64_t connection, json_int_t id, const struct err *err);

#endif
