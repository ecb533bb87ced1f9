/* events_out.h - what happens, as lines of JSON (--json)
 *
 * On standard output, or on standard error where that carries sound. Each line is sent off at once.
 */
#ifndef SALOTTO_EVENTS_OUT_H
#define SALOTTO_EVENTS_OUT_H

#include "mixer/err.h"

#include <jansson.h>
#include <stdio.h>

struct events_out {
    FILE *to;       /* NULL: nobody wants them */
    struct err err; /* why no more can be written; code ERR_NONE while it can */
};

/* Writes the object; it is released. NULL is out of memory, and left out. After the first failure, which is kept in
 * e->err, nothing more is written. */
void events_out(struct events_out *e, json_t *event);

/* Writes a copy of an answer or an event, without secrets, under the name `event` (NULL: as it is). */
void events_out_copy(struct events_out *e, const char *name, const json_t *message);

#endif
