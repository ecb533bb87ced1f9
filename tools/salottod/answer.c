/* answer.c - one answer to one request (see answer.h) */
#include "tools/salottod/answer.h"

#include "net/control.h"
#include "tools/language.h"
#include "tools/salottod/events.h"
#include "tools/salottod/server.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void answer_progress(struct server *s, uint64_t connection, json_int_t id, json_t *progress, const char *file)
{
    json_t *answer = json_pack("{s:I, s:o, s:s*}", "id", id, "progress", progress, "file", file);

    events_send(s, &connection, 1, answer, false);
}

/* The text goes along with the file. Whoever is cut off for want of memory has neither. */
static void send_file(struct server *s, uint64_t connection, json_t *answer, int file)
{
    char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;

    json_decref(answer);
    if (text != NULL && s->control != NULL) {
        control_server_send_file(s->control, connection, text, strlen(text), file);
    } else {
        close(file);
        if (s->control != NULL)
            control_server_close(s->control, connection);
    }
    free(text);
}

void answer_ok(struct server *s, uint64_t connection, json_int_t id, json_t *body, int file)
{
    json_t *answer = body != NULL ? body : json_object();

    if (answer != NULL && (json_object_set_new(answer, "id", json_integer(id)) != 0 ||
                           json_object_set_new(answer, "ok", json_true()) != 0)) {
        json_decref(answer);
        answer = NULL;
    }
    if (answer != NULL && json_dumpb(answer, NULL, 0, JSON_COMPACT) > CONTROL_TEXT_MAX) {
        struct err err;

        json_decref(answer);
        if (file >= 0)
            close(file);
        err_set(&err, ERR_USAGE, "ask for less, as with --limit", "the answer would be longer than %u bytes",
                CONTROL_TEXT_MAX);
        answer_err(s, connection, id, &err);
        return;
    }
    if (file >= 0)
        send_file(s, connection, answer, file);
    else
        events_send(s, &connection, 1, answer, false);
}

void answer_question(struct server *s, uint64_t connection, json_int_t id, const char *question)
{
    events_send(s, &connection, 1,
                json_pack("{s:I, s:b, s:i, s:s, s:s}", "id", id, "ok", 0, "code", (int)ERR_INTERRUPTED, "error",
                          _("nothing was done: a question is due first"), "confirm", question),
                false);
}

void answer_err(struct server *s, uint64_t connection, json_int_t id, const struct err *err)
{
    json_t *answer = json_pack("{s:I, s:b, s:i, s:s, s:s}", "id", id, "ok", 0, "code", (int)err->code, "error",
                               err->message, "mend", err->mend);

    /* A name from outside may not be UTF-8, which JSON can't carry. */
    if (answer == NULL)
        answer = json_pack("{s:I, s:b, s:i, s:s, s:s}", "id", id, "ok", 0, "code", (int)err->code, "error",
                           _("the request holds text that is not UTF-8"), "mend", _("use UTF-8"));
    events_send(s, &connection, 1, answer, false);
}
