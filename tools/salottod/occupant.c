/* occupant.c - a person as a live room knows them (see occupant.h) */
#include "tools/salottod/occupant.h"

#include "tools/salottod/live_room.h"
#include "tools/salottod/session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct occupant *occupant_by_id(struct live_room *r, int64_t person)
{
    struct occupant *o;

    LIST_FOREACH (o, &r->occupants, next)
        if (o->standing.person.id == person)
            return o;
    return NULL;
}

struct occupant *occupant_by_key(struct live_room *r, const uint8_t key[32])
{
    struct occupant *o;

    LIST_FOREACH (o, &r->occupants, next)
        if (memcmp(o->standing.person.key, key, sizeof o->standing.person.key) == 0)
            return o;
    return NULL;
}

struct occupant *occupant_by_handle(struct live_room *r, const char *handle)
{
    struct occupant *o;

    LIST_FOREACH (o, &r->occupants, next)
        if (strcmp(o->standing.person.handle, handle) == 0)
            return o;
    return NULL;
}

struct occupant *occupant_know(struct live_room *r, const struct member *m)
{
    struct occupant *o = occupant_by_id(r, m->person.id);

    if (o == NULL) {
        o = calloc(1, sizeof *o);
        if (o == NULL)
            return NULL;
        o->room = r;
        LIST_INSERT_HEAD(&r->occupants, o, next);
    }
    o->standing = *m;
    return o;
}

void occupant_forget(struct occupant *o)
{
    if (o->session != NULL || o->banned || o->strip != NULL || o->standing.role > ROLE_LISTENER || o->standing.muted ||
        o->standing.gain_db != 0.0f)
        return;
    LIST_REMOVE(o, next);
    free(o);
}

uint64_t occupant_next_act(struct occupant *o)
{
    return ++o->room->server->acts;
}

bool occupant_is_muted(const struct occupant *o)
{
    return o->standing.muted || o->muted_self;
}

bool occupant_is_speaking(const struct occupant *o)
{
    return o->strip != NULL && (atomic_load(&room_stats(o->room->mixer)->talking) >> o->slot & 1) != 0;
}

json_t *occupant_json(const struct occupant *o)
{
    char key[IDENTITY_TEXT_BYTES];

    identity_text(key, o->standing.person.key);
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:b, s:b}", "handle", o->standing.person.handle, "key", key, "role",
                     role_name(o->standing.role), "strip",
                     o->strip != NULL ? json_integer((json_int_t)o->slot) : json_null(), "muted",
                     (int)occupant_is_muted(o), "muted_by_moderator", (int)o->standing.muted, "speaking",
                     (int)occupant_is_speaking(o));
}
