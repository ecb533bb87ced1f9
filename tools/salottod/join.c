/* join.c - someone asks to come into a room (see join.h)
 *
 * One job of the storage thread decides (room, ban, invite, handle, standing), then main seats them, and when the
 * threads know them the answer goes out.
 */
#include "tools/salottod/join.h"

#include "net/link.h"
#include "storage/rooms.h"
#include "tools/salottod/acts.h"
#include "tools/salottod/admit.h"
#include "tools/salottod/answer.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/log.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct join {
    struct errand errand; /* first: the threads that learn of the seat */
    struct server *server;
    uint64_t connection;
    /* asked */
    char room[ROOM_NAME_MAX + 1];
    char handle[PERSON_HANDLE_MAX + 1];
    char token[LINK_TOKEN_MAX + 1];
    uint8_t key[32];
    enum stream stream;
    bool hand, mic_open;
    uint64_t asked; /* server.acts when the database was */
    /* found by the storage thread */
    struct room_row row;
    struct member member;
    struct member *members;
    size_t count;
};

static void join_free(struct join *j)
{
    sodium_memzero(j->token, sizeof j->token);
    free(j->members);
    free(j);
}

static int copy_text(char *to, size_t max, const json_t *request, const char *name)
{
    const char *text = json_string_value(json_object_get(request, name));

    if (text == NULL)
        return 0;
    if (strlen(text) >= max)
        return -1;
    memcpy(to, text, strlen(text) + 1);
    return 0;
}

int join_tier(enum stream *tier, const json_t *request, struct err *err)
{
    const char *name = json_string_value(json_object_get(request, "tier"));
    int stream = name != NULL ? stream_by_name(name) : STREAM_LOW;

    if (stream < 0 || stream >= STREAM_TIERS || tier_frame_samples((enum stream)stream) == 0)
        return err_set(err, ERR_USAGE, "the tiers are low and standard", "there is no tier '%.20s'", name);
    *tier = (enum stream)stream;
    return 0;
}

static int read_request(struct join *j, const json_t *request, struct err *err)
{
    const char *mic = json_string_value(json_object_get(request, "mic"));
    const char *why;

    if (copy_text(j->room, sizeof j->room, request, "room") != 0 || !link_is_room_name(j->room, &why))
        return err_set(err, ERR_NOT_FOUND, "look at the link again", "there is no such room");
    if (copy_text(j->handle, sizeof j->handle, request, "handle") != 0 ||
        (j->handle[0] != '\0' && !link_is_handle(j->handle, &why)))
        return err_set(err, ERR_USAGE, "use 1 to 32 of a-z, 0-9 and '-', a letter first (--handle NAME)",
                       "that handle cannot be used");
    if (strcmp(j->handle, "operator") == 0)
        return err_set(err, ERR_DENIED, "choose another with --handle NAME", "the handle operator is the server's own");
    if (copy_text(j->token, sizeof j->token, request, "token") != 0)
        return err_set(err, ERR_DENIED, "ask a moderator for a new one", "that is no invite of this server");
    if (join_tier(&j->stream, request, err) != 0)
        return -(int)err->code;
    j->hand = json_is_true(json_object_get(request, "hand"));
    j->mic_open = mic != NULL && strcmp(mic, "open") == 0;
    return 0;
}

/* On the storage thread. */
static int decide(struct db *db, void *arg, struct err *err)
{
    struct join *j = arg;
    struct person person;
    bool banned = false;
    char why[128];
    int status = rooms_find(db, j->room, &j->row, err);

    if (status == 0 && j->row.ended)
        status = err_set(err, ERR_NOT_FOUND, "ask who opened it, or look at `salottoctl room list`",
                         "the room %s has ended", j->room);
    if (status == 0)
        status = people_enter(db, j->key, j->handle, &person, err);
    if (status == 0)
        status = bans_get(db, j->row.id, person.id, &banned, why, err);
    if (status == 0 && banned)
        status = err_set(err, ERR_DENIED, "only a moderator of the room can lift the ban", "you are banned from %s%s%s",
                         j->room, why[0] != '\0' ? ": " : "", why);
    if (status == 0)
        status = members_get(db, j->row.id, person.id, &j->member, err);
    if (status == 0 && j->token[0] != '\0')
        status = admit_by_invite(db, j->row.id, j->token, &j->member, err);
    if (status == 0 && j->row.policy != ROOM_OPEN && j->member.role == ROLE_LISTENER && j->token[0] == '\0')
        status =
            err_set(err, ERR_DENIED, "ask a moderator for an invite", "the room %s is not open to everyone", j->room);
    if (status == 0)
        status = members_list(db, j->row.id, &j->members, &j->count, err);
    return status;
}

static json_t *stage_json(const struct live_room *r)
{
    json_t *stage = json_array();

    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++)
        if (r->slot[n] != NULL)
            json_array_append_new(stage, occupant_json(r->slot[n]));
    return stage;
}

json_t *join_welcome(const struct session *s)
{
    const struct live_room *r = s->seat->room;
    char hex[2 * SEAL_KEY_BYTES + 1];
    json_t *body;

    sodium_bin2hex(hex, sizeof hex, r->epoch.used.key, sizeof r->epoch.used.key);
    body =
        json_pack("{s:I, s:{s:s, s:s}, s:o, s:s, s:I, s:b, s:{s:I, s:s}, s:o, s:i, s:s, s:I}", "session",
                  (json_int_t)s->id, "room", "name", r->row.name, "title", r->row.title, "you", occupant_json(s->seat),
                  "tier", stream_name(s->stream), "position", (json_int_t)room_position(r->mixer), "parked",
                  (int)atomic_load(&room_stats(r->mixer)->parked), "epoch", "serial", (json_int_t)r->epoch.used.serial,
                  "key", hex, "stage", stage_json(r), "listeners", (int)live_room_listeners(r), "run",
                  r->room_channel.run, "seq", (json_int_t)r->room_channel.sequence);
    sodium_memzero(hex, sizeof hex);
    return body;
}

static void join_over(struct join *j)
{
    j->server->in_flight--;
    join_free(j);
}

static void on_seated(struct errand *e)
{
    struct join *j = (struct join *)e;
    struct session *s = session_by_connection(j->server, j->connection);

    if (s != NULL && s->joining) { /* else they left, or were sent away, and have had their answer */
        s->joining = false;
        answer_ok(j->server, j->connection, s->join_id, join_welcome(s), -1);
        epoch_catch_up(s);
        if (j->hand && s->seat->standing.role < ROLE_SPEAKER)
            acts_hand(s->seat, true);
    }
    join_over(j);
}

/* The same key elsewhere gives way at once. */
static void replace(struct live_room *r, int64_t person)
{
    struct occupant *o = occupant_by_id(r, person);

    if (o != NULL && o->session != NULL) {
        session_send_away(o->session, "replaced", "", "");
        seat_leave(o, NULL);
    }
}

/* An act that was carried out at once while the database was asked is newer than its answer, in what it was about. */
static int prefer_live(struct join *j, struct live_room *r, struct err *err)
{
    struct occupant *o = occupant_by_id(r, j->member.person.id);

    if (o != NULL && o->banned)
        return err_set(err, ERR_DENIED, "only a moderator of the room can lift the ban", "you are banned from %s",
                       r->row.name);
    if (o != NULL && o->role_taken > j->asked)
        j->member.role = o->standing.role;
    if (o != NULL && o->voice_taken > j->asked)
        j->member.muted = o->standing.muted;
    if (o != NULL && o->levelled > j->asked)
        j->member.gain_db = o->standing.gain_db;
    return 0;
}

static int seat(struct join *j, struct session *s, struct err *err)
{
    unsigned max = j->server->config.max_people;
    struct live_room *r = live_room_by_id(j->server, j->row.id);

    if (r == NULL)
        r = live_room_open(j->server, &j->row, j->members, j->count, err);
    if (r == NULL)
        return -(int)err->code;
    if (prefer_live(j, r, err) != 0) {
        live_room_rest(r);
        return -(int)err->code;
    }
    replace(r, j->member.person.id);
    /* Also when there is no seat for them: an invite may have given them a role. */
    if (j->member.role > ROLE_LISTENER && occupant_know(r, &j->member) == NULL)
        return err_set(err, ERR_INTERNAL, NULL, "out of memory for one more person in %s", r->row.name);
    if (max > 0 && r->present >= max) {
        live_room_rest(r);
        return err_set(err, ERR_DENIED, "try again when somebody has left", "the room %s is full (%u people)",
                       r->row.name, max);
    }
    s->mic_open = s->mic_asked = j->mic_open;
    errand_begin(&j->errand, on_seated);
    if (seat_take(r, s, &j->member, j->stream, &j->errand, err) != 0) {
        live_room_rest(r);
        return -(int)err->code;
    }
    errand_let_go(&j->errand);
    return 0;
}

/* They may have come under a new handle, which they bear in every room. */
static void rename_everywhere(struct join *j)
{
    struct live_room *r;

    LIST_FOREACH (r, &j->server->rooms, next) {
        struct occupant *o = occupant_by_id(r, j->member.person.id);

        if (o != NULL)
            o->standing.person = j->member.person;
    }
}

static void on_decided(void *arg, int status, const struct err *err)
{
    struct join *j = arg;
    struct session *s = session_by_connection(j->server, j->connection);
    struct err local;

    if (status == 0)
        rename_everywhere(j);
    if (s == NULL || !s->joining) { /* gone, or left again */
        join_over(j);
        return;
    }
    if (status == 0) {
        status = seat(j, s, &local);
        err = &local;
    }
    if (status != 0) {
        s->joining = false;
        answer_err(j->server, j->connection, s->join_id, err);
        join_over(j);
    }
}

int join_is_allowed(const struct session *s, struct err *err)
{
    if (s->local)
        return err_set(err, ERR_USAGE, "use `salotto listen LINK`", "the operator's socket carries commands only");
    if (s->joining || s->seat != NULL || s->joined)
        return err_set(err, ERR_USAGE, "open another connection", "this connection has joined a room already");
    return 0;
}

void join_request(struct session *s, json_int_t id, const json_t *request)
{
    struct join *j;
    struct err err;
    int status = join_is_allowed(s, &err);

    j = status == 0 ? calloc(1, sizeof *j) : NULL;
    if (status == 0 && j == NULL)
        status = err_set(&err, ERR_INTERNAL, NULL, "out of memory");
    if (status == 0)
        status = read_request(j, request, &err);
    if (status != 0) {
        free(j);
        answer_err(s->server, s->connection, id, &err);
        return;
    }
    j->server = s->server;
    j->connection = s->connection;
    memcpy(j->key, s->key, sizeof j->key);
    s->joining = true;
    s->join_id = id;
    j->asked = s->server->acts;
    s->server->in_flight++;
    storage_submit(s->server->storage, decide, on_decided, j);
}
