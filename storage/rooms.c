/* rooms.c - rooms: a name, a title, open or ended (see rooms.h) */
#include "storage/rooms.h"
#include "storage/nearest.h"
#include "storage/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "id, name, title, policy, created_ms, ended_ms"

static void read_room(struct query *q, struct room_row *out)
{
    *out = (struct room_row){
        .id = sqlite3_column_int64(q->statement, 0),
        .policy = (enum room_policy)sqlite3_column_int(q->statement, 3),
        .created_ms = sqlite3_column_int64(q->statement, 4),
        .ended = sqlite3_column_type(q->statement, 5) != SQLITE_NULL,
    };
    query_copy_text(q, 1, out->name, sizeof out->name);
    query_copy_text(q, 2, out->title, sizeof out->title);
}

/* 1 and *out, 0 when there is none, or a negative code. */
static int look_up(struct db *db, const char *name, struct room_row *out, struct err *err)
{
    struct query q;
    int found = 0, code;

    query_begin(&q, db, "looking up a room", "SELECT " COLUMNS " FROM room WHERE name = ?", err);
    query_text(&q, name);
    if (query_row(&q)) {
        read_room(&q, out);
        found = 1;
    }
    code = query_end(&q);
    return code < 0 ? code : found;
}

static int insert(struct db *db, struct room_row *r, struct err *err)
{
    struct query q;

    r->created_ms = db_now_ms();
    query_begin(&q, db, "adding a room",
                "INSERT INTO room (name, title, policy, created_ms) VALUES (?, ?, ?, ?) RETURNING id", err);
    query_text(&q, r->name);
    query_text(&q, r->title);
    query_int(&q, r->policy);
    query_int(&q, r->created_ms);
    while (query_row(&q))
        r->id = sqlite3_column_int64(q.statement, 0);
    return query_end(&q);
}

static int open_again(struct db *db, const struct room_row *r, struct err *err)
{
    struct query q;

    query_begin(&q, db, "opening a room again", "UPDATE room SET ended_ms = NULL, title = ? WHERE id = ?", err);
    query_text(&q, r->title);
    query_int(&q, r->id);
    return query_run(&q);
}

int rooms_create(struct db *db, const char *name, const char *title, struct room_row *out, bool *reopened,
                 struct err *err)
{
    struct room_row r;
    int found, rc;

    if (title != NULL && strlen(title) > ROOM_TITLE_MAX)
        return err_set(err, ERR_USAGE, "shorten it", "the title has %zu bytes; %d are the most", strlen(title),
                       ROOM_TITLE_MAX);
    if (strlen(name) > ROOM_NAME_MAX)
        return err_set(err, ERR_USAGE, "shorten it", "a room's name has at most %d letters", ROOM_NAME_MAX);
    found = look_up(db, name, &r, err);
    if (found < 0)
        return found;
    if (found == 1 && !r.ended) {
        err_set(err, ERR_DENIED, NULL, "there is a room %s already", name);
        err_mend(err, "choose another name, or end that one first: salottoctl room end %s", name);
        return -(int)ERR_DENIED;
    }
    if (found == 0) {
        r = (struct room_row){.policy = ROOM_OPEN};
        snprintf(r.name, sizeof r.name, "%s", name);
    }
    if (title != NULL)
        snprintf(r.title, sizeof r.title, "%s", title);
    r.ended = false;
    rc = found == 1 ? open_again(db, &r, err) : insert(db, &r, err);
    if (rc < 0)
        return rc;
    *out = r;
    *reopened = found == 1;
    return 0;
}

static int refuse_unknown(struct db *db, const char *wanted, struct err *err)
{
    struct nearest near;
    struct query q;

    nearest_init(&near, wanted);
    query_begin(&q, db, "looking up room names",
                "SELECT name FROM room WHERE ended_ms IS NULL AND length(name) BETWEEN ? AND ?", err);
    query_int(&q, (int64_t)near.wanted_bytes - (int64_t)near.limit);
    query_int(&q, (int64_t)near.wanted_bytes + (int64_t)near.limit);
    while (query_row(&q)) {
        char name[ROOM_NAME_MAX + 1];

        query_copy_text(&q, 0, name, sizeof name);
        nearest_offer(&near, name);
    }
    if (query_end(&q) < 0)
        return q.code;
    err_set(err, ERR_NOT_FOUND, "see which there are: salottoctl room list", "there is no room %s", wanted);
    if (near.name[0] != '\0')
        err_mend(err, "did you mean '%s'?", near.name);
    return -(int)ERR_NOT_FOUND;
}

int rooms_find(struct db *db, const char *name, struct room_row *out, struct err *err)
{
    int found = look_up(db, name, out, err);

    if (found == 0)
        return refuse_unknown(db, name, err);
    return found < 0 ? found : 0;
}

int rooms_end(struct db *db, int64_t room, struct err *err)
{
    struct query q;

    query_begin(&q, db, "ending a room", "UPDATE room SET ended_ms = ? WHERE id = ? AND ended_ms IS NULL", err);
    query_int(&q, db_now_ms());
    query_int(&q, room);
    return query_run(&q);
}

int rooms_list(struct db *db, bool ended_too, struct room_row **rows, size_t *count, struct err *err)
{
    struct room_row *list = NULL;
    struct query q;
    size_t n = 0;

    query_begin(&q, db, "listing rooms", "SELECT " COLUMNS " FROM room WHERE ended_ms IS NULL OR ? ORDER BY name", err);
    query_int(&q, ended_too);
    while (query_row(&q)) {
        struct room_row *more = query_grow(&q, list, n, sizeof *list);

        if (more == NULL)
            break;
        list = more;
        read_room(&q, &list[n++]);
    }
    if (query_end(&q) < 0) {
        free(list);
        return q.code;
    }
    *rows = list;
    *count = n;
    return 0;
}
