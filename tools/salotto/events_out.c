/* events_out.c - what happens, as lines of JSON (see events_out.h) */
#include "tools/salotto/events_out.h"

#include <errno.h>
#include <string.h>

void events_out(struct events_out *e, json_t *event)
{
    if (e->to != NULL && event != NULL && e->err.code == ERR_NONE) {
        json_dumpf(event, e->to, JSON_COMPACT);
        fputc('\n', e->to);
        if (fflush(e->to) != 0)
            err_set(&e->err, ERR_INTERNAL, NULL,
                    e->to == stderr ? ERR_TEXT("cannot write the events to standard error: %s")
                                    : ERR_TEXT("cannot write the events to standard output: %s"),
                    err_reason(errno));
    }
    json_decref(event);
}

void events_out_copy(struct events_out *e, const char *name, const json_t *message)
{
    json_t *copy = e->to != NULL ? json_object() : NULL;

    if (name == NULL)
        name = json_string_value(json_object_get(message, "event"));
    if (copy == NULL)
        return;
    /* First, for those who read along. */
    json_object_set_new(copy, "event", json_string(name != NULL ? name : ""));
    json_object_update_missing(copy, (json_t *)message);
    json_object_del(copy, "id");
    json_object_del(copy, "ok");
    json_object_del(copy, "epoch"); /* holds a key */
    events_out(e, copy);
}
