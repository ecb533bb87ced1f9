/* fanout.c - groups of listeners, and sending to them (see fanout.h)
 *
 * Orders and addresses come between passes only, so within a pass nobody joins or leaves a group.
 */
#include "net/fanout.h"
#include "net/batch.h"
#include "net/room_keys.h"
#include "net/id_table.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define CATCH_UP_BATCH BATCH_MAX /* datagrams of catching up in one pass */
#define OWN_BATCH      8u        /* packets of one talker's own stream in one turn */

enum listener_state {
    LISTENER_WAITING,  /* for its address to be proven */
    LISTENER_CATCHING, /* gets the past, on its own cursor */
    LISTENER_CURRENT,  /* in its group's `current` */
};

struct listener {
    union address to;
    uint8_t tag_key[SEAL_TAG_KEY_BYTES];
    int8_t slot; /* the strip whose bit in own_strips means this listener; -1: not on stage */
    uint8_t state;
    uint32_t session, room;
    uint32_t index;              /* in the group's `current` */
    struct group *group;         /* NULL: tuned to nothing */
    uint64_t next;               /* packet of the group's tape, while catching up */
    const struct tape *own_tape; /* while on stage, or NULL */
    uint64_t own_next;
    uint8_t own_key[SEAL_KEY_BYTES];
    TAILQ_ENTRY(listener) catching;
    LIST_ENTRY(listener) on_stage;
};

/* All who listen to one tape. */
struct group {
    const struct tape *tape;
    enum stream stream;
    uint32_t room;
    uint32_t members;     /* in any state */
    uint32_t n, room_for; /* of `current`; there is always room for all members */
    struct listener **current;
    uint64_t cursor; /* the packet that is next (or in flight) for those who are current */
    bool in_flight, has_key;
    uint32_t at;         /* in flight: the next of `current` to send to */
    uint32_t own_strips; /* of the packet in flight */
    uint64_t key_epoch;
    uint8_t key[SEAL_KEY_BYTES]; /* of this stream in that epoch */
    struct sealed sealed;        /* the packet in flight */
    LIST_ENTRY(group) all;
};

struct fanout {
    int fd;
    struct outlet_stats *stats;
    struct id_table sessions, groups; /* groups by their tape's address */
    struct room_keys keys;
    LIST_HEAD(, group) all;
    LIST_HEAD(, listener) on_stage;
    TAILQ_HEAD(, listener) catching;
    struct batch batch;
    struct tape_packet packet;
    struct sealed sealed;          /* the last packet that somebody caught up on, or a talker's own */
    const struct group *sealed_of; /* NULL: nobody's any more */
    uint64_t sealed_number;
    uint32_t sealed_own_strips;
};

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

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

/* Where somebody who comes now begins: 240 ms before the newest packet. */
static uint64_t recent(struct fanout *f, const struct tape *t)
{
    uint64_t next = tape_next(t), at;

    if (next == tape_oldest(t) || tape_read(t, next - 1, &f->packet) != 0)
        return next;
    at = f->packet.position;
    return tape_seek(t, at > FANOUT_PREROLL_SAMPLES ? at - FANOUT_PREROLL_SAMPLES : 0);
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
        l->next = recent(f, tape);
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
    if (l->own_tape != NULL)
        LIST_REMOVE(l, on_stage);
    l->own_tape = own_tape;
    if (own_tape != NULL) {
        l->own_next = tape_oldest(l->own_tape);
        LIST_INSERT_HEAD(&f->on_stage, l, on_stage);
    }
}

static void listener_free(struct fanout *f, struct listener *l)
{
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
        l->next = recent(f, l->group->tape);
        TAILQ_INSERT_TAIL(&f->catching, l, catching);
        if (l->own_tape != NULL)
            l->own_next = recent(f, l->own_tape);
    }
    return true;
}

/* Reads and seals one packet of a group's tape. 0, -EAGAIN or -ESTALE (as tape_read()), -ENOKEY, -EMSGSIZE. */
static int seal_packet(struct fanout *f, struct group *g, uint64_t number, struct sealed *out, uint32_t *own_strips)
{
    struct tape_packet *p = &f->packet;
    int rc = tape_read(g->tape, number, p);

    if (rc != 0)
        return rc;
    if (!g->has_key || g->key_epoch != p->epoch) {
        const uint8_t *base = room_keys_find(&f->keys, g->room, p->epoch);

        if (base == NULL)
            return -ENOKEY;
        seal_stream_key(g->key, base, g->stream);
        g->key_epoch = p->epoch;
        g->has_key = true;
    }
    if (seal_stream(out, g->stream, p, g->key) != 0)
        return -EMSGSIZE; /* no tier makes such packets */
    count(&f->stats->sealed, 1);
    *own_strips = p->own_strips;
    return 0;
}

static bool hears_own(const struct listener *l, uint32_t own_strips)
{
    return l->slot >= 0 && (own_strips >> l->slot & 1) != 0;
}

/* Puts the group's next packet in flight. False when there is nothing new. */
static bool group_begin(struct fanout *f, struct group *g)
{
    uint64_t next = tape_next(g->tape), from;
    int rc;

    if (g->n == 0)
        g->cursor = next;
    if (g->cursor >= next)
        return false;
    rc = seal_packet(f, g, g->cursor, &g->sealed, &g->own_strips);
    if (rc == 0) {
        g->in_flight = true;
        g->at = 0;
    } else if (rc == -ESTALE) {
        from = recent(f, g->tape); /* what is older than that would be too late to play */
        count(&f->stats->skipped, (from - g->cursor) * g->n);
        g->cursor = from;
    } else {
        count(&f->stats->keyless, 1);
        g->cursor++;
    }
    return true;
}

/* One batch of the packet in flight. True while there are listeners left. */
static bool group_send(struct fanout *f, struct group *g)
{
    for (; g->at < g->n && f->batch.n < BATCH_MAX; g->at++) {
        const struct listener *l = g->current[g->at];

        if (!hears_own(l, g->own_strips))
            batch_add(&f->batch, &g->sealed, l->tag_key, &l->to);
    }
    batch_send(&f->batch, f->fd, f->stats);
    if (g->at < g->n)
        return true;
    g->in_flight = false;
    g->cursor++;
    return false;
}

/* Talkers' own streams. */
static bool own_send(struct fanout *f)
{
    struct listener *l;
    bool worked = false;

    for (l = LIST_FIRST(&f->on_stage); l != NULL; l = LIST_NEXT(l, on_stage)) {
        for (unsigned i = 0; i < OWN_BATCH && address_is_known(&l->to) && l->own_next < tape_next(l->own_tape); i++) {
            int rc = tape_read(l->own_tape, l->own_next, &f->packet);

            worked = true;
            if (rc == -ESTALE) {
                uint64_t from = recent(f, l->own_tape);

                count(&f->stats->skipped, from - l->own_next);
                l->own_next = from;
                continue;
            }
            l->own_next++;
            f->sealed_of = NULL;
            if (rc != 0 || seal_stream(&f->sealed, STREAM_OWN, &f->packet, l->own_key) != 0)
                continue;
            count(&f->stats->sealed, 1);
            batch_add(&f->batch, &f->sealed, l->tag_key, &l->to);
            batch_send(&f->batch, f->fd, f->stats);
        }
    }
    return worked;
}

/* Seals the packet that l lacks next into f->sealed, unless the one before lacked the same. What was gathered for
 * another packet is sent first. */
static int seal_for_catcher(struct fanout *f, const struct listener *l)
{
    int rc;

    if (f->sealed_of == l->group && f->sealed_number == l->next)
        return 0;
    batch_send(&f->batch, f->fd, f->stats);
    f->sealed_of = NULL;
    rc = seal_packet(f, l->group, l->next, &f->sealed, &f->sealed_own_strips);
    if (rc == 0) {
        f->sealed_of = l->group;
        f->sealed_number = l->next;
    }
    return rc;
}

/* One packet of the past for one listener, or its joining the others. */
static void catch_up_one(struct fanout *f, struct listener *l)
{
    struct group *g = l->group;
    int rc;

    TAILQ_REMOVE(&f->catching, l, catching);
    if (g->n == 0)
        g->cursor = l->next; /* nobody else to be in step with */
    if (l->next >= g->cursor) {
        l->state = LISTENER_CURRENT;
        l->index = g->n;
        g->current[g->n++] = l;
        return;
    }
    TAILQ_INSERT_TAIL(&f->catching, l, catching);
    rc = seal_for_catcher(f, l);
    if (rc == -ESTALE) {
        uint64_t from = recent(f, g->tape);

        count(&f->stats->skipped, from - l->next);
        l->next = from;
        return;
    }
    l->next++;
    if (rc != 0)
        count(&f->stats->keyless, 1);
    else if (!hears_own(l, f->sealed_own_strips))
        batch_add(&f->batch, &f->sealed, l->tag_key, &l->to);
}

static bool catch_up(struct fanout *f)
{
    struct listener *first = TAILQ_FIRST(&f->catching), *l;
    unsigned turns = 0;

    for (; turns < CATCH_UP_BATCH && (l = TAILQ_FIRST(&f->catching)) != NULL; turns++) {
        if (turns > 0 && l == first)
            break; /* everybody had one */
        catch_up_one(f, l);
    }
    batch_send(&f->batch, f->fd, f->stats);
    return turns > 0;
}

bool fanout_pass(struct fanout *f)
{
    bool worked = false, more = true;
    struct group *g;

    for (g = LIST_FIRST(&f->all); g != NULL; g = LIST_NEXT(g, all))
        worked |= group_begin(f, g);
    while (more) {
        more = false;
        worked |= own_send(f);
        for (g = LIST_FIRST(&f->all); g != NULL; g = LIST_NEXT(g, all))
            more |= g->in_flight && group_send(f, g);
    }
    worked |= catch_up(f);
    return worked;
}

bool fanout_is_idle(const struct fanout *f)
{
    const struct group *g;
    const struct listener *l;

    if (!TAILQ_EMPTY(&f->catching))
        return false;
    for (g = LIST_FIRST(&f->all); g != NULL; g = LIST_NEXT(g, all))
        if (g->n > 0 && g->cursor < tape_next(g->tape))
            return false;
    for (l = LIST_FIRST(&f->on_stage); l != NULL; l = LIST_NEXT(l, on_stage))
        if (address_is_known(&l->to) && l->own_next < tape_next(l->own_tape))
            return false;
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
