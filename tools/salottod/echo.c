/* echo.c - rooms in which one person hears themself (see echo.h) */
#include "tools/salottod/echo.h"

#include "tools/language.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/answer.h"
#include "tools/salottod/join.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/session.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

struct echo {
    struct errand errand; /* first: the threads that learn of the seat */
    struct server *server;
    uint64_t connection;
};

static void on_seated(struct errand *e)
{
    struct echo *echo = (struct echo *)e;
    struct server *server = echo->server;
    struct session *s = session_by_connection(server, echo->connection);

    if (s != NULL && s->joining && s->seat->strip == NULL) { /* an empty stage has room: it was memory */
        struct err err;

        s->joining = false;
        err_set(&err, ERR_INTERNAL, NULL, "out of memory for a strip");
        answer_err(server, s->connection, s->join_id, &err);
        seat_leave(s->seat, NULL);
    } else if (s != NULL && s->joining) { /* else they left, or were sent away, and have had their answer */
        s->joining = false;
        answer_ok(server, s->connection, s->join_id, join_welcome(s), -1);
    }
    server->in_flight--;
    free(echo);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    acts_end(arg, "", N_("a test lasts a minute at the most"), NULL); /* the client has the words */
}

/* The same key elsewhere gives way at once, as in other rooms. */
static void replace(struct server *server, const uint8_t key[32])
{
    struct live_room *r;

    LIST_FOREACH (r, &server->rooms, next) {
        struct occupant *o = r->echo ? occupant_by_key(r, key) : NULL;

        if (o != NULL && o->session != NULL)
            acts_send_away(o, "replaced", "", "", false, NULL);
    }
}

static unsigned count_rooms(const struct server *server)
{
    const struct live_room *r;
    unsigned count = 0;

    LIST_FOREACH (r, &server->rooms, next)
        count += r->echo && r->present > 0;
    return count;
}

/* No room that people name is called so: the name is reserved (net/link.c). */
static struct live_room *open_room(struct server *server, struct err *err)
{
    static const struct room_row row = {.name = "echo", .policy = ROOM_OPEN};
    static const struct timeval limit = {.tv_sec = ECHO_SECONDS};
    struct live_room *r = live_room_open(server, &row, NULL, 0, err);

    if (r == NULL)
        return NULL;
    r->echo = r->ended = true;
    r->limit = evtimer_new(server->base, on_limit, r);
    if (r->limit != NULL && evtimer_add(r->limit, &limit) == 0)
        return r;
    live_room_close(r);
    err_set(err, ERR_INTERNAL, NULL, "out of memory for an echo room");
    return NULL;
}

/* 0, or negative with err. */
static int seat(struct echo *echo, struct session *s, enum stream tier, struct err *err)
{
    struct member you = {.person.handle = "you", .role = ROLE_SPEAKER};
    struct live_room *r;

    replace(s->server, s->key);
    if (count_rooms(s->server) >= ECHO_ROOMS_MAX)
        return err_set(err, ERR_DENIED, "try again in a minute",
                       "%u people are testing their sound already, the most "
                       "that this server lets in at once",
                       ECHO_ROOMS_MAX);
    r = open_room(s->server, err);
    if (r == NULL)
        return -1;
    memcpy(you.person.key, s->key, sizeof you.person.key);
    s->mic_open = s->mic_asked = true;
    s->joining = true;
    errand_begin(&echo->errand, on_seated);
    if (seat_take(r, s, &you, tier, &echo->errand, err) != 0) {
        s->joining = false;
        live_room_rest(r);
        return -1;
    }
    s->server->in_flight++;
    errand_let_go(&echo->errand);
    return 0;
}

void echo_request(struct session *s, json_int_t id, const json_t *request)
{
    struct echo *echo = NULL;
    enum stream tier;
    struct err err;
    int status = join_is_allowed(s, &err);

    if (status == 0)
        status = join_tier(&tier, request, &err);
    if (status == 0 && (echo = calloc(1, sizeof *echo)) == NULL)
        status = err_set(&err, ERR_INTERNAL, NULL, "out of memory");
    if (status == 0) {
        echo->server = s->server;
        echo->connection = s->connection;
        s->join_id = id;
        status = seat(echo, s, tier, &err);
    }
    if (status != 0) {
        free(echo);
        answer_err(s->server, s->connection, id, &err);
    }
}
