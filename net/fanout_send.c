/* fanout_send.c - sealing and sending what is on the tapes (see fanout.h) */
#include "net/fanout_parts.h"

#include <errno.h>

#define CATCH_UP_BATCH BATCH_MAX /* datagrams of catching up in one pass */
#define OWN_BATCH      8u        /* packets of one talker's own stream in one turn */

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

uint64_t fanout_recent(struct fanout *f, const struct tape *t)
{
    uint64_t next = tape_next(t), at;

    if (next == tape_oldest(t) || tape_read(t, next - 1, &f->packet) != 0)
        return next;
    at = f->packet.position;
    return tape_seek(t, at > FANOUT_PREROLL_SAMPLES ? at - FANOUT_PREROLL_SAMPLES : 0);
}

bool fanout_send_own(struct fanout *f, struct listener *l, uint64_t max)
{
    bool worked = false;

    for (uint64_t i = 0; i < max && address_is_known(&l->to) && l->own_next < tape_next(l->own_tape); i++) {
        int rc = tape_read(l->own_tape, l->own_next, &f->packet);

        worked = true;
        if (rc == -ESTALE) {
            uint64_t from = fanout_recent(f, l->own_tape);

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
    return worked;
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
        from = fanout_recent(f, g->tape); /* what is older than that would be too late to play */
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

    for (l = LIST_FIRST(&f->on_stage); l != NULL; l = LIST_NEXT(l, on_stage))
        worked |= fanout_send_own(f, l, OWN_BATCH);
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
        uint64_t from = fanout_recent(f, g->tape);

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
