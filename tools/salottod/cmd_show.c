/* cmd_show.c - who, hands, log: what there is to see in a room */
#include "net/clock.h"
#include "net/identity.h"
#include "storage/audit.h"
#include "tools/language.h"
#include "tools/salottod/call.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/session.h"
#include "tools/salottod/words.h"

#include <stdio.h>
#include <stdlib.h>

/* Those present for whom `shown` holds, in order; none when out of memory. The caller frees the array. */
static struct occupant **present(struct live_room *r, bool (*shown)(const struct occupant *),
                                 int (*order)(const void *, const void *), size_t *n)
{
    struct occupant **all = r != NULL ? calloc(r->present + 1, sizeof *all) : NULL;
    struct occupant *o;

    *n = 0;
    if (all == NULL)
        return NULL;
    LIST_FOREACH (o, &r->occupants, next)
        if (o->session != NULL && shown(o) && *n < r->present)
            all[(*n)++] = o;
    qsort(all, *n, sizeof *all, order);
    return all;
}

/* --- who */

static int by_rank(const void *a, const void *b)
{
    const struct occupant *const *x = a, *const *y = b;

    if ((*x)->standing.role != (*y)->standing.role)
        return (*x)->standing.role > (*y)->standing.role ? -1 : 1;
    return (*x)->here_ns < (*y)->here_ns ? -1 : (*x)->here_ns > (*y)->here_ns;
}

static json_t *who_json(const struct occupant *o)
{
    json_t *j = occupant_json(o);

    json_object_del(j, "strip");
    json_object_set_new(j, "hand", json_boolean(o->hand));
    json_object_set_new(j, "tier", json_string(stream_name(o->session->stream)));
    json_object_set_new(j, "via", json_string("udp"));
    json_object_set_new(j, "delay_ms",
                        o->strip != NULL ? json_integer((json_int_t)atomic_load(&strip_stats(o->strip)->delay_ms))
                                         : json_null());
    json_object_set_new(j, "gain_db", json_real((double)o->standing.gain_db));
    return j;
}

static const char *state_word(const struct occupant *o)
{
    if (o->strip == NULL)
        return o->hand ? _("hand up") : "";
    if (o->standing.muted)
        return _("muted by a moderator");
    if (o->muted_self)
        return _("muted");
    return occupant_is_speaking(o) ? _("speaking") : "";
}

static bool anyone(const struct occupant *o)
{
    (void)o;
    return true;
}

static json_t *report_who(struct call *c)
{
    json_t *rows = json_array(), *data = json_array();
    size_t n;
    struct occupant **all = present(call_live(c), anyone, by_rank, &n);

    for (size_t i = 0; i < n; i++) {
        char key[IDENTITY_TEXT_BYTES];

        identity_text(key, all[i]->standing.person.key);
        key[8] = '\0';
        json_array_append_new(data, who_json(all[i]));
        json_array_append_new(rows, json_pack("[s, s, s, s, s]", all[i]->standing.person.handle,
                                              words_role(all[i]->standing.role), state_word(all[i]),
                                              stream_name(all[i]->session->stream), key));
    }
    free(all);
    return json_pack("{s:[s, s, s, s, s], s:o, s:o}", "columns", _("handle"), _("role"), _("state"), _("tier"),
                     _("key"), "rows", rows, "data", data);
}

int cmd_who(struct call *c)
{
    c->report = report_who;
    return 0;
}

/* --- hands */

static int by_hand(const void *a, const void *b)
{
    const struct occupant *const *x = a, *const *y = b;

    return (*x)->hand_ns < (*y)->hand_ns ? -1 : (*x)->hand_ns > (*y)->hand_ns;
}

static uint64_t seconds_since(uint64_t ns)
{
    return (clock_now_ns() - ns) / CLOCK_NS_PER_S;
}

static bool has_hand_up(const struct occupant *o)
{
    return o->hand;
}

static json_t *report_hands(struct call *c)
{
    json_t *rows = json_array(), *data = json_array();
    size_t n;
    struct occupant **all = present(call_live(c), has_hand_up, by_hand, &n);

    for (size_t i = 0; i < n; i++) {
        char key[IDENTITY_TEXT_BYTES], since[24];
        uint64_t s = seconds_since(all[i]->hand_ns);

        identity_text(key, all[i]->standing.person.key);
        snprintf(since, sizeof since, "%llu:%02llu", (unsigned long long)(s / 60), (unsigned long long)(s % 60));
        json_array_append_new(rows, json_pack("[s, s]", all[i]->standing.person.handle, since));
        json_array_append_new(data, json_pack("{s:s, s:s, s:I}", "handle", all[i]->standing.person.handle, "key", key,
                                              "since_s", (json_int_t)s));
    }
    free(all);
    return json_pack("{s:[s, s], s:o, s:o}", "columns", _("handle"), _("waiting"), "rows", rows, "data", data);
}

int cmd_hands(struct call *c)
{
    c->report = report_hands;
    return 0;
}

/* --- log */

#define LOG_LIMIT 100u

static int work_log(struct db *db, struct call *c, struct err *err)
{
    return audit_list(db, c->row.id, c->args.limit > 0 ? c->args.limit : LOG_LIMIT, &c->log, &c->count, err);
}

static json_t *report_log(struct call *c)
{
    json_t *rows = json_array(), *data = json_array();

    for (size_t i = 0; i < c->count; i++) {
        const struct audit_row *a = &c->log[i];

        json_array_append_new(rows, json_pack("[{s:I}, s, s, s, s, s]", "time_ms", (json_int_t)a->at_ms, a->actor,
                                              a->act, a->target, a->detail, a->why));
        json_array_append_new(data, json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s}", "number", (json_int_t)a->number,
                                              "at_ms", (json_int_t)a->at_ms, "act", a->act, "actor", a->actor, "target",
                                              a->target, "detail", a->detail, "why", a->why));
    }
    return json_pack("{s:[s, s, s, s, s, s], s:o, s:o}", "columns", _("when"), _("who"), _("did"), _("to"), _("what"),
                     _("why"), "rows", rows, "data", data);
}

int cmd_log(struct call *c)
{
    c->report = report_log;
    call_commit(c, work_log, NULL);
    return 0;
}
