/* answer.h - one answer to one request
 */
#ifndef SALOTTO_SALOTTOD_ANSWER_H
#define SALOTTO_SALOTTOD_ANSWER_H

#include "mixer/err.h"

#include <jansson.h>
#include <stdint.h>

struct server;

/* Not done yet: what would happen, in a sentence, for the caller to be asked about. */
void answer_question(struct server *s, uint64_t connection, json_int_t id, const char *question);
/* Takes over the reference to `body` (NULL: nothing but "ok"). id is the request's own number. file: an open one that
 * goes along and is taken; -1: none. */
void answer_ok(struct server *s, uint64_t connection, json_int_t id, json_t *body, int file);
/* Before the answer, as often as there is something to tell: how far it is (taken over), and for which file (or NULL)
 * of theirs the answer brings the bytes, so that they can say in time that they can't have it. */
void answer_progress(struct server *s, uint64_t connection, json_int_t id, json_t *progress, const char *file);
void answer_err(struct server *s, uint64_t connection, json_int_t id, const struct err *err);

#endif
