/* fanout.c - who listens to what (see fanout.h)
 *
 * Orders and addresses come between passes only, so within a pass nobody joins or leaves a group.
 */
#include "net/fanout_parts.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define OWN_LAST 32u /* packets of a talker's own stream that may be left when they leave the stage */

struct fanout *fanout_new(int fd, struct outlet_stats *stats)
{
    struct fanout *f = calloc(1, sizeof *f);

    if (f == NULL)
        return NULL;
    f->fd = fd;
    f->stats = stats;
    id_table_init(&f->sessions);
    id_table_init(&f->groups);
    room_keys_init(&f->keys);
    LIST_INIT(&f->all);
    LIST_INIT(&f->on_stage);
    TAILQ_INIT(&f->catching);
    return f;
}

static void group_free(struct fanout *f, struct group *g)
{
    if (f->sealed_of == g)
        f->sealed_of = NULL;
    id_table_remove(&f->groups, (uintptr_t)g->tape);
    LIST_REMOVE(g, all);
    free(g->current);
    sodium_memzero(g, sizeof *g);
    free(g);
}

static struct group *group_of(struct fanout *f, const struct tape *tape, enum stream stream, uint32_t room)
{
    struct group *g = id_table_get(&f->groups, (uintptr_t)tape);

    if (g != NULL)
        return g;
    g = calloc(1, sizeof *g);
    if (g == NULL || id_table_put(&f->groups, (uintptr_t)tape, g) != 0) {
        free(g);
        return NULL;
    }
    g->tape = tape;
    g->stream = stream;
    g->room = room;
    g->cursor = tape_next(tape);
    LIST_INSERT_HEAD(&f->all, g, all);
    return g;
}

/* The listener's state afterwards: waiting, or catching up from 240 ms ago. */
static int join(struct fanout *f, struct listener *l, const struct tape *tape, enum stream stream)
{
    struct group *g;

    if (tape == NULL)
        return 0;
    g = group_of(f, tape, stream, l->room);
    if (g == NULL)
        return -ENOMEM;
    if (g->members == g->room_for) {
        uint32_t more = g->room_for == 0 ? 4 : 2 * g->room_for;
        struct listener **bigger = reallocarray(g->current, more, sizeof(struct listener *));

        if (bigger == NULL) {
            if (g->members == 0)
                group_free(f, g);
            return -ENOMEM;
        }
        g->current = bigger;
        g->room_for = more;
    }
    g->members++;
    l->group = g;
    if (address_is_known(&l->to)) {
        l->state = LISTENER_CATCHING;
        l->next = fanout_recent(f, tape);
        TAILQ_INSERT_TAIL(&f->catching, l, catching);
    }
    return 0;
}

static void leave(struct fanout *f, struct listener *l)
{
    struct group *g = l->group;

    if (g == NULL)
        return;
    if (l->state == LISTENER_CATCHING) {
        TAILQ_REMOVE(&f->catching, l, catching);
    } else if (l->state == LISTENER_CURRENT) {
        g->current[l->index] = g->current[--g->n];
        g->current[l->index]->index = l->index;
    }
    l->state = LISTENER_WAITING;
    l->group = NULL;
    if (--g->members == 0)
        group_free(f, g);
}

/* A talker hears their own tape from its beginning: it is as old as their time on stage. */
static void stage(struct fanout *f, struct listener *l, int slot, const struct tape *own_tape)
{
    l->slot = (int8_t)(slot >= 0 && slot < 32 ? slot : -1);
    if (l->slot < 0)
        own_tape = NULL;
    if (l->own_tape == own_tape)
        return;
    if (l->own_tape != NULL) {
        fanout_send_own(f, l, OWN_LAST); /* its end tells the client to go over to the shared stream */
        LIST_REMOVE(l, on_stage);
    }
    l->own_tape = own_tape;
    if (own_tape != NULL) {
        l->own_next = tape_oldest(l->own_tape);
        LIST_INSERT_HEAD(&f->on_stage, l, on_stage);
    }
}

static void listener_free(struct fanout *f, struct listener *l)
{
    memset(&l->to, 0, sizeof l->to); /* not one packet more */
    leave(f, l);
    stage(f, l, -1, NULL);
    sodium_memzero(l, sizeof *l);
    free(l);
}

static void remove_listener(struct fanout *f, struct listener *l)
{
    id_table_remove(&f->sessions, l->session);
    listener_free(f, l);
}

static int add_listener(struct fanout *f, const struct outlet_order *o)
{
    struct listener *l = calloc(1, sizeof *l);
    int rc;

    if (l == NULL || id_table_put(&f->sessions, o->session, l) != 0) {
        free(l);
        return -ENOMEM;
    }
    l->session = o->session;
    l->room = o->room;
    memcpy(l->tag_key, o->keys.tag, sizeof l->tag_key);
    seal_stream_key(l->own_key, o->keys.own, STREAM_OWN);
    rc = join(f, l, o->tape, o->stream);
    if (rc != 0)
        remove_listener(f, l);
    else
        stage(f, l, o->slot, o->own_tape);
    return rc;
}

int fanout_order(struct fanout *f, const struct outlet_order *o)
{
    struct listener *l = id_table_get(&f->sessions, o->session);

    switch (o->kind) {
    case OUTLET_ADD:
        if (l != NULL)
            remove_listener(f, l);
        return add_listener(f, o);
    case OUTLET_REMOVE:
        if (l != NULL)
            remove_listener(f, l);
        return 0;
    case OUTLET_TUNE:
        if (l == NULL || (l->group != NULL && l->group->tape == o->tape))
            return 0;
        leave(f, l);
        return join(f, l, o->tape, o->stream);
    case OUTLET_STAGE:
        if (l != NULL)
            stage(f, l, o->slot, o->own_tape);
        return 0;
    case OUTLET_EPOCH:
        return room_keys_put(&f->keys, o->room, o->epoch, o->epoch_key);
    case OUTLET_ROOM_GONE:
        room_keys_forget(&f->keys, o->room);
        return 0;
    }
    return 0;
}

bool fanout_address(struct fanout *f, uint32_t session, const union address *to)
{
    struct listener *l = id_table_get(&f->sessions, session);

    if (l == NULL)
        return false;
    l->to = *to;
    if (l->state == LISTENER_WAITING && l->group != NULL) {
        l->state = LISTENER_CATCHING;
        l->next = fanout_recent(f, l->group->tape);
        TAILQ_INSERT_TAIL(&f->catching, l, catching);
        if (l->own_tape != NULL)
            l->own_next = fanout_recent(f, l->own_tape);
    }
    return true;
}

void fanout_free(struct fanout *f)
{
    size_t at = 0;

    if (f == NULL)
        return;
    for (struct listener *l; (l = id_table_next(&f->sessions, &at)) != NULL;)
        listener_free(f, l);
    id_table_fini(&f->sessions);
    id_table_fini(&f->groups);
    room_keys_fini(&f->keys);
    sodium_memzero(f, sizeof *f);
    free(f);
}
