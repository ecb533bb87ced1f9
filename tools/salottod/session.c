/* session.c - one control connection (see session.h) */
#include "tools/salottod/session.h"

#include "tools/language.h"
#include "tools/salottod/answer.h"
#include "tools/salottod/call.h"
#include "tools/salottod/echo.h"
#include "tools/salottod/join.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/log.h"
#include "tools/salottod/occupant.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct session *session_by_connection(struct server *s, uint64_t connection)
{
    return id_table_get(&s->by_connection, connection);
}

struct session *session_by_id(struct server *s, uint32_t id)
{
    return id_table_get(&s->by_id, id);
}

void session_opened(struct server *s, const struct control_event *e)
{
    struct session *p = calloc(1, sizeof *p);

    if (p == NULL || id_table_put(&s->by_connection, e->connection, p) != 0) {
        log_line(LOG_ERROR_LINE, "out of memory for a connection");
        control_server_close(s->control, e->connection);
        free(p);
        return;
    }
    p->server = s;
    p->connection = e->connection;
    p->local = e->local;
    memcpy(p->key, e->key, sizeof p->key);
    p->keys = e->keys;
    memcpy(p->address, e->address, sizeof p->address);
    LIST_INSERT_HEAD(&s->sessions, p, next);
}

static void answer_wrong(struct session *p, json_int_t id, const char *message, const char *mend)
{
    struct err err;

    err_set(&err, ERR_USAGE, mend, "%s", err_words(message));
    answer_err(p->server, p->connection, id, &err);
}

static void refuse_join(struct session *p, const struct err *err)
{
    if (!p->joining)
        return;
    p->joining = false;
    p->joined = true;
    answer_err(p->server, p->connection, p->join_id, err);
}

void session_send_away(struct session *p, const char *reason, const char *by, const char *why)
{
    enum err_code code = strcmp(reason, "replaced") == 0   ? ERR_REPLACED
                         : strcmp(reason, "stopping") == 0 ? ERR_UNREACHABLE
                                                           : ERR_SENT_AWAY;
    struct err err;

    err_set(&err, code, NULL, "you were sent away before having come in: %s", reason);
    refuse_join(p, &err);
    events_sent_away(p, reason, by, why);
}

static void leave(struct session *p, json_int_t id)
{
    struct err err;

    err_set(&err, ERR_SENT_AWAY, NULL, "you left before having come in");
    refuse_join(p, &err);
    if (p->seat != NULL)
        seat_leave(p->seat, NULL);
    answer_ok(p->server, p->connection, id, NULL, -1);
}

static void subscribe(struct session *p, json_int_t id, const json_t *request)
{
    const char *channel = json_string_value(json_object_get(request, "channel"));

    if (channel == NULL || strcmp(channel, "audience") != 0) {
        answer_wrong(p, id, ERR_TEXT("there is no such channel to subscribe to"), ERR_TEXT("the channel is audience"));
        return;
    }
    if (p->seat != NULL && !p->subscribed)
        p->seat->room->subscribers++;
    p->subscribed = true;
    answer_ok(p->server, p->connection, id, NULL, -1);
}

void session_text(struct server *s, const struct control_event *e)
{
    struct session *p = session_by_connection(s, e->connection);
    json_error_t why;
    json_t *request = json_loadb(e->text, e->len, JSON_REJECT_DUPLICATES, &why);
    json_int_t id = json_integer_value(json_object_get(request, "id"));
    const char *what = json_string_value(json_object_get(request, "do"));
    const char *wish = json_string_value(json_object_get(request, "lang"));
    const struct language *before = language_use(wish != NULL ? language_pick(wish) : NULL);

    if (p == NULL)
        what = NULL;
    else if (what == NULL)
        answer_wrong(p, id, ERR_TEXT("that is no request"), "send {\"id\":1,\"do\":\"command\",\"argv\":[\"help\"]}");
    else if (strcmp(what, "join") == 0)
        join_request(p, id, request);
    else if (strcmp(what, "echo") == 0)
        echo_request(p, id, request);
    else if (strcmp(what, "leave") == 0)
        leave(p, id);
    else if (strcmp(what, "subscribe") == 0)
        subscribe(p, id, request);
    else if (strcmp(what, "command") == 0)
        call_request(p, id, request);
    else
        answer_wrong(p, id, ERR_TEXT("there is no such request"),
                     ERR_TEXT("the requests are join, echo, leave, subscribe and command"));
    (void)language_use(before);
    json_decref(request);
}

static void destroy(struct session *p)
{
    LIST_REMOVE(p, next);
    id_table_remove(&p->server->by_connection, p->connection);
    sodium_memzero(p, sizeof *p);
    free(p);
}

void session_closed(struct server *s, uint64_t connection)
{
    struct session *p = session_by_connection(s, connection);

    if (p == NULL)
        return;
    if (p->seat != NULL)
        seat_leave(p->seat, NULL);
    destroy(p);
}

void session_free_all(struct server *s)
{
    struct session *p, *next;

    for (p = LIST_FIRST(&s->sessions); p != NULL; p = next) {
        next = LIST_NEXT(p, next);
        destroy(p);
    }
}
