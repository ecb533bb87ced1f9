/* control_peer.c - accepted connections and their events (see control_peer.h) */
#include "net/control_peer.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void peer_outbox_init(struct peer_outbox *o, struct ring *events, unsigned slots, struct waker *owner,
                      struct control_server_stats *stats)
{
    memset(o, 0, sizeof *o);
    o->events = events;
    o->slots = slots;
    o->owner = owner;
    o->end = &o->first;
    o->stats = stats;
}

void peer_event_free(struct peer_event *e)
{
    if (e->opened != NULL) {
        sodium_memzero(e->opened, sizeof *e->opened);
        free(e->opened);
    }
    if (e->text != NULL) {
        sodium_memzero(e->text, e->len);
        free(e->text);
    }
}

void peer_free(struct control_peer *p)
{
    struct peer_event untold = {.opened = p->opened, .text = p->text, .len = p->len};

    peer_event_free(&untold);
    free(p);
}

static bool push(struct peer_outbox *o, const struct peer_event *e)
{
    if (ring_count(o->events) == o->slots) {
        /* Either main sees the flag after its next event and wakes us, or it came before and left room for this look.
         */
        atomic_exchange(&o->starved, true);
        if (ring_count(o->events) == o->slots)
            return false;
    }
    if (!ring_push(o->events, e, sizeof *e))
        return false;
    if (o->owner != NULL)
        waker_wake(o->owner);
    return true;
}

bool peer_event_taken(struct peer_outbox *o)
{
    return atomic_exchange(&o->starved, false);
}

/* Opened, text, closed: what is due of them, in this order. False when the ring is full. */
static bool tell(struct control_peer *p)
{
    struct peer_event e = {.connection = p->id, .local = p->local};

    if (p->opened != NULL) {
        e.kind = CONTROL_OPENED;
        e.opened = p->opened;
        if (!push(p->outbox, &e))
            return false;
        p->opened = e.opened = NULL;
        p->told = true;
    }
    if (p->text != NULL) {
        e.kind = CONTROL_TEXT;
        e.text = p->text;
        e.len = p->len;
        if (!push(p->outbox, &e))
            return false;
        p->text = e.text = NULL;
        p->len = e.len = 0;
    }
    e.kind = CONTROL_CLOSED;
    return p->control != NULL || push(p->outbox, &e);
}

/* False when main is still to be told something. Frees a peer whose end was told. */
static bool settle(struct control_peer *p)
{
    bool unknown = p->control == NULL && !p->told; /* it left before main heard of it, and so it never was */

    if (!p->outbox->closed && !unknown && !tell(p))
        return false;
    if (p->control == NULL) {
        p->outbox->gone(p, p->outbox->arg);
        peer_free(p);
    }
    return true;
}

static void settle_or_starve(struct control_peer *p)
{
    struct peer_outbox *o = p->outbox;

    if (p->starving || settle(p))
        return;
    p->starving = true;
    p->next = NULL;
    *o->end = p;
    o->end = &p->next;
    if (p->control != NULL)
        control_pause(p->control, true);
}

void peer_outbox_feed(struct peer_outbox *o)
{
    while (o->first != NULL) {
        struct control_peer *p = o->first, *next = p->next;
        bool alive = p->control != NULL;

        if (!settle(p)) /* frees p unless it is alive */
            return;
        o->first = next;
        if (next == NULL)
            o->end = &o->first;
        if (alive) {
            p->starving = false;
            control_pause(p->control, false);
        }
    }
}

static void on_ready(struct control *control, void *arg)
{
    struct control_peer *p = arg;
    const char *address = control_peer_address(control);

    if (!p->local)
        atomic_fetch_add_explicit(&p->outbox->stats->handshakes, 1, memory_order_relaxed);
    p->opened = calloc(1, sizeof *p->opened);
    if (p->opened == NULL) {
        control_close(control, false);
        return;
    }
    memcpy(p->opened->key, control_peer_key(control), sizeof p->opened->key);
    if (control_media_keys(control) != NULL)
        p->opened->keys = *control_media_keys(control);
    control_forget_media_keys(control);
    memcpy(p->opened->address, address, strnlen(address, sizeof p->opened->address - 1));
    settle_or_starve(p);
}

static void on_text(struct control *control, const char *text, size_t len, void *arg)
{
    struct control_peer *p = arg;

    /* The operator's socket has the same limit, but its two ends look alike to control.c. */
    if (len > CONTROL_REQUEST_MAX || (p->text = malloc(len + 1)) == NULL) {
        control_close(control, false);
        return;
    }
    memcpy(p->text, text, len + 1);
    p->len = len;
    settle_or_starve(p);
}

static void on_closed(struct control *control, const struct err *err, void *arg)
{
    struct control_peer *p = arg;
    struct control_server_stats *stats = p->outbox->stats;

    (void)control;
    atomic_fetch_sub_explicit(&stats->open, 1, memory_order_relaxed);
    if (!p->told && p->opened == NULL && !p->local)
        atomic_fetch_add_explicit(&stats->handshake_failures, 1, memory_order_relaxed);
    else if (err->code == ERR_DENIED)
        atomic_fetch_add_explicit(&stats->closed_slow, 1, memory_order_relaxed);
    p->control = NULL;
    settle_or_starve(p);
}

const struct control_callbacks peer_callbacks = {.ready = on_ready, .text = on_text, .closed = on_closed};
