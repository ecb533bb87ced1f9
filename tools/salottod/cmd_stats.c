/* cmd_stats.c - a room's counters, as the threads keep them */
#include "tools/language.h"
#include "tools/salottod/call.h"
#include "tools/salottod/live_room.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/session.h"

#include <stdio.h>

#define COUNT(x) json_integer((json_int_t)atomic_load_explicit(&(x), memory_order_relaxed))

/* What was dropped on the way in (all rooms share the port), in this room, and on the way out. */
static json_t *drops(const struct server *s, const struct room_stats *r, uint64_t inbox_full)
{
    const struct udp_in_stats *u = udp_in_stats(s->udp);
    uint64_t refused = 0, skipped = 0, keyless = 0;

    for (unsigned i = 0; i < s->outlets; i++) {
        const struct outlet_stats *o = outlet_udp_stats(s->outlet[i]);

        refused += atomic_load(&o->refused);
        skipped += atomic_load(&o->skipped);
        keyless += atomic_load(&o->keyless);
    }
    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "stale",
                     COUNT(r->drop_stale), "lease", COUNT(r->drop_lease), "broken", COUNT(r->drop_broken), "inbox_full",
                     (json_int_t)inbox_full, "udp_short", COUNT(u->drop_short), "udp_type", COUNT(u->drop_type),
                     "udp_session", COUNT(u->drop_session), "udp_forged", COUNT(u->drop_forged), "udp_replayed",
                     COUNT(u->drop_replayed), "udp_malformed", COUNT(u->drop_malformed), "udp_not_on_stage",
                     COUNT(u->drop_not_on_stage), "udp_muted", COUNT(u->drop_muted), "udp_silent",
                     COUNT(u->drop_silent), "out_refused", (json_int_t)refused, "out_skipped", (json_int_t)skipped,
                     "out_keyless", (json_int_t)keyless);
}

/* Positions are told as such; -1 where there was none. */
static json_t *position(const _Atomic uint64_t *one_more)
{
    return json_integer((json_int_t)atomic_load_explicit(one_more, memory_order_relaxed) - 1);
}

static json_t *strips(const struct live_room *r)
{
    json_t *all = json_array();

    for (unsigned n = 0; n < ROOM_STRIPS_MAX; n++) {
        const struct strip_stats *s;

        if (r->slot[n] == NULL)
            continue;
        s = strip_stats(r->slot[n]->strip);
        json_array_append_new(all, json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}",
                                             "handle", r->slot[n]->standing.person.handle, "strip", (int)n, "first_in",
                                             position(&s->first_in), "first_out", position(&s->first_out), "last_out",
                                             COUNT(s->last_out), "received", COUNT(s->received), "lost", COUNT(s->lost),
                                             "recovered", COUNT(s->recovered), "concealed", COUNT(s->concealed), "late",
                                             COUNT(s->late), "duplicate", COUNT(s->duplicate), "delay_ms",
                                             COUNT(s->delay_ms), "level_dbfs", atomic_load(&s->level_cb) / 10.0));
    }
    return all;
}

static json_t *tuned(const struct live_room *r)
{
    json_t *all = json_object();

    for (int t = 0; t < STREAM_TIERS; t++)
        if (tier_frame_samples((enum stream)t) > 0)
            json_object_set_new(all, stream_name((enum stream)t), json_integer((json_int_t)r->tier[t].tuned));
    return all;
}

static json_t *live_stats(const struct live_room *r)
{
    const struct room_stats *s = room_stats(r->mixer);
    json_t *shared = json_object();

    for (int t = 0; t < STREAM_TIERS; t++)
        if (tier_frame_samples((enum stream)t) > 0)
            json_object_set_new(shared, stream_name((enum stream)t), COUNT(s->shared_encodes[t]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:I, s:o, s:o}", "ticks", COUNT(s->ticks),
                     "late_ticks", COUNT(s->late_ticks), "skipped_ticks", COUNT(s->skipped_ticks), "late_max_us",
                     COUNT(s->late_max_us), "parked", COUNT(s->parks), "parked_now", (int)atomic_load(&s->parked),
                     "shared_encodes", shared, "personal_encodes", COUNT(s->personal_encodes), "listeners", tuned(r),
                     "position", (json_int_t)room_position(r->mixer), "drops",
                     drops(r->server, s, ring_dropped(room_inbox(r->mixer, 0))), "strips", strips(r));
}

/* A room without a thread has counted nothing. */
static json_t *still_stats(void)
{
    return json_pack("{s:i, s:i, s:i, s:b, s:{s:i, s:i}, s:i, s:{s:i, s:i}, s:{}, s:[]}", "ticks", 0, "late_ticks", 0,
                     "parked", 0, "parked_now", 1, "shared_encodes", "low", 0, "standard", 0, "personal_encodes", 0,
                     "listeners", "low", 0, "standard", 0, "drops", "strips");
}

/* One row for each number, however deep: two levels, as written above. NOLINTNEXTLINE(misc-no-recursion) */
static void add_rows(json_t *rows, const char *prefix, const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)object, key, value) {
        char name[64];

        snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", key);
        if (json_is_object(value))
            add_rows(rows, name, value);
        else if (!json_is_array(value))
            json_array_append_new(rows, json_pack("[s, O]", name, value));
    }
}

static json_t *report_stats(struct call *c)
{
    struct live_room *r = call_live(c);
    json_t *data = r != NULL ? live_stats(r) : still_stats();
    json_t *rows = json_array();

    add_rows(rows, "", data);
    return json_pack("{s:[s, s], s:o, s:o}", "columns", _("counter"), _("value"), "rows", rows, "data", data);
}

int cmd_stats(struct call *c)
{
    c->report = report_stats;
    return 0;
}
