/* bans.c - who is kept out of which room (see members.h) */
#include "storage/members.h"
#include "storage/query.h"

#include <stdlib.h>

int bans_set(struct db *db, int64_t room, int64_t person, int64_t by, const char *why, struct err *err)
{
    struct query q;

    /* A second ban changes nothing: who banned first, when and why stays; the audit has both. */
    query_begin(&q, db, "banning",
                "INSERT INTO ban (room, person, author, at_ms, why) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (room, person) DO NOTHING",
                err);
    query_int(&q, room);
    query_int(&q, person);
    query_id(&q, by);
    query_int(&q, db_now_ms());
    query_text(&q, why != NULL ? why : "");
    if (query_run(&q) < 0)
        return q.code;
    return members_set_role(db, room, person, ROLE_LISTENER, err);
}

int bans_lift(struct db *db, int64_t room, int64_t person, bool *was_banned, struct err *err)
{
    struct query q;

    *was_banned = false;
    query_begin(&q, db, "lifting a ban", "DELETE FROM ban WHERE room = ? AND person = ? RETURNING person", err);
    query_int(&q, room);
    query_int(&q, person);
    while (query_row(&q))
        *was_banned = true;
    return query_end(&q);
}

int bans_get(struct db *db, int64_t room, int64_t person, bool *banned, char why[128], struct err *err)
{
    struct query q;

    *banned = false;
    if (why != NULL)
        why[0] = '\0';
    query_begin(&q, db, "looking up a ban", "SELECT why FROM ban WHERE room = ? AND person = ?", err);
    query_int(&q, room);
    query_int(&q, person);
    if (query_row(&q)) {
        *banned = true;
        if (why != NULL)
            query_copy_text(&q, 0, why, 128);
    }
    return query_end(&q);
}

int bans_list(struct db *db, int64_t room, struct person **rows, size_t *count, struct err *err)
{
    struct person *list = NULL;
    struct query q;
    size_t n = 0;

    query_begin(&q, db, "listing bans",
                "SELECT p.id, p.key, p.handle FROM ban b JOIN person p ON p.id = b.person WHERE b.room = ?"
                " ORDER BY p.handle",
                err);
    query_int(&q, room);
    while (query_row(&q)) {
        struct person *more = query_grow(&q, list, n, sizeof *list);

        if (more == NULL)
            break;
        list = more;
        people_read(&q, 0, &list[n++]);
    }
    if (query_end(&q) < 0) {
        free(list);
        return q.code;
    }
    *rows = list;
    *count = n;
    return 0;
}
