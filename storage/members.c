/* members.c - who has which role in which room, and who is muted (see members.h; bans.c has the bans) */
#include "storage/members.h"
#include "storage/query.h"

#include <stdlib.h>
#include <string.h>

#define GAIN_MIN_DB (-60.0f)
#define GAIN_MAX_DB 12.0f

static const char *const names[] = {"listener", "speaker", "moderator", "host", "operator"};

const char *role_name(enum role r)
{
    return r >= ROLE_LISTENER && r <= ROLE_OPERATOR ? names[r] : "nobody";
}

int role_by_name(const char *name)
{
    for (int r = ROLE_LISTENER; r <= ROLE_OPERATOR; r++)
        if (strcmp(name, names[r]) == 0)
            return r;
    return -1;
}

/* Columns as in the two queries below; a person without membership row has NULLs, which read as zeros. */
static void read_member(struct query *q, struct member *out)
{
    *out = (struct member){
        .role = (enum role)sqlite3_column_int(q->statement, 3),
        .muted = sqlite3_column_int(q->statement, 4) != 0,
        .gain_db = (float)sqlite3_column_double(q->statement, 5),
        .since_ms = sqlite3_column_int64(q->statement, 6),
    };
    people_read(q, 0, &out->person);
}

int members_get(struct db *db, int64_t room, int64_t person, struct member *out, struct err *err)
{
    struct query q;
    bool found = false;
    int code;

    query_begin(&q, db, "looking up a member",
                "SELECT p.id, p.key, p.handle, m.role, m.muted, m.gain_db, m.since_ms FROM person p"
                " LEFT JOIN membership m ON m.room = ? AND m.person = p.id WHERE p.id = ?",
                err);
    query_int(&q, room);
    query_int(&q, person);
    if (query_row(&q)) {
        read_member(&q, out);
        found = true;
    }
    code = query_end(&q);
    if (code >= 0 && !found)
        code = err_set(err, ERR_NOT_FOUND, NULL, "there is no person with number %lld", (long long)person);
    return code;
}

int members_list(struct db *db, int64_t room, struct member **rows, size_t *count, struct err *err)
{
    struct member *list = NULL;
    struct query q;
    size_t n = 0;

    query_begin(&q, db, "listing members",
                "SELECT p.id, p.key, p.handle, m.role, m.muted, m.gain_db, m.since_ms FROM membership m"
                " JOIN person p ON p.id = m.person WHERE m.room = ? ORDER BY m.role DESC, m.since_ms, p.id",
                err);
    query_int(&q, room);
    while (query_row(&q)) {
        struct member *more = query_grow(&q, list, n, sizeof *list);

        if (more == NULL)
            break;
        list = more;
        read_member(&q, &list[n++]);
    }
    if (query_end(&q) < 0) {
        free(list);
        return q.code;
    }
    *rows = list;
    *count = n;
    return 0;
}

/* Writes a standing; that of somebody who only listens is no row. */
static int put(struct db *db, int64_t room, const struct member *m, struct err *err)
{
    struct query q;

    if (m->role == ROLE_LISTENER && !m->muted && m->gain_db == 0) {
        query_begin(&q, db, "removing a member", "DELETE FROM membership WHERE room = ? AND person = ?", err);
        query_int(&q, room);
        query_int(&q, m->person.id);
        return query_run(&q);
    }
    query_begin(&q, db, "changing a member",
                "INSERT INTO membership (room, person, role, muted, gain_db, since_ms) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (room, person) DO UPDATE SET role = excluded.role, muted = excluded.muted,"
                " gain_db = excluded.gain_db, since_ms = excluded.since_ms",
                err);
    query_int(&q, room);
    query_int(&q, m->person.id);
    query_int(&q, m->role);
    query_int(&q, m->muted);
    query_real(&q, m->gain_db);
    query_int(&q, m->since_ms != 0 ? m->since_ms : db_now_ms());
    return query_run(&q);
}

int members_set_role(struct db *db, int64_t room, int64_t person, enum role role, struct err *err)
{
    struct member m;
    int rc;

    if (role < ROLE_LISTENER || role > ROLE_HOST)
        return err_set(err, ERR_USAGE, "name one of listener, speaker, moderator, host",
                       "%s is no role one can be given", role_name(role));
    rc = members_get(db, room, person, &m, err);
    if (rc < 0 || m.role == role)
        return rc;
    m.role = role;
    m.since_ms = db_now_ms();
    return put(db, room, &m, err);
}

int members_set_muted(struct db *db, int64_t room, int64_t person, bool muted, struct err *err)
{
    struct member m;
    int rc = members_get(db, room, person, &m, err);

    if (rc < 0 || m.muted == muted)
        return rc;
    m.muted = muted;
    return put(db, room, &m, err);
}

int members_set_gain(struct db *db, int64_t room, int64_t person, float gain_db, struct err *err)
{
    struct member m;
    int rc;

    if (!(gain_db >= GAIN_MIN_DB && gain_db <= GAIN_MAX_DB)) /* so that NaN is refused too */
        return err_set(err, ERR_USAGE, "name a number of decibels in that range",
                       "the fader goes from %.0f to +%.0f dB", (double)GAIN_MIN_DB, (double)GAIN_MAX_DB);
    rc = members_get(db, room, person, &m, err);
    if (rc < 0 || m.gain_db == gain_db)
        return rc;
    m.gain_db = gain_db;
    return put(db, room, &m, err);
}
