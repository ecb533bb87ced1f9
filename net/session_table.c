/* session_table.c - sessions, main's orders, and what is due (see session_table.h)
 *
 * Nothing that main must learn is lost when its ring is full: each such fact is a flag of the session that is lowered
 * only when the event has found room, and looked at again by the sweep.
 */
#include "net/session_table.h"
#include "net/message.h"
#include "net/session_input.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define DELIVERIES_A_TURN 64u /* then datagrams have their turn */

void session_table_init(struct session_table *t, int fd, struct outlet_udp **outlet, unsigned outlets,
                        struct ring *events, struct waker *owner, struct udp_in_stats *stats)
{
    memset(t, 0, sizeof *t);
    t->fd = fd;
    t->outlet = outlet;
    t->outlets = outlets;
    t->events = events;
    t->owner = owner;
    t->stats = stats;
    id_table_init(&t->sessions);
    TAILQ_INIT(&t->deliveries);
}

bool session_table_tell(struct session_table *t, const struct udp_event *e)
{
    if (!ring_push(t->events, e, sizeof *e))
        return false;
    if (t->owner != NULL)
        waker_wake(t->owner);
    return true;
}

static void end_delivery(struct session_table *t, struct session *s)
{
    if (!s->delivering)
        return;
    TAILQ_REMOVE(&t->deliveries, s, delivery);
    s->delivering = false;
    sodium_memzero(s->epoch_key, sizeof s->epoch_key);
}

static void leave_stage(struct session *s)
{
    free(s->stage);
    s->stage = NULL;
}

static void session_free(struct session_table *t, struct session *s)
{
    end_delivery(t, s);
    leave_stage(s);
    sodium_memzero(s, sizeof *s);
    free(s);
}

void session_table_fini(struct session_table *t)
{
    size_t at = 0;

    for (struct session *s; (s = id_table_next(&t->sessions, &at)) != NULL;)
        session_free(t, s);
    id_table_fini(&t->sessions);
}

static void tune(struct session *s, const struct udp_order *o)
{
    s->tape = o->tape;
    s->stream = o->stream;
    s->room_start_ns = o->room_start_ns;
    s->parked = o->parked;
}

static int add(struct session_table *t, const struct udp_order *o, uint64_t now_ns)
{
    struct session *s = calloc(1, sizeof *s);

    if (s == NULL || id_table_put(&t->sessions, o->session, s) != 0) {
        free(s);
        return -ENOMEM;
    }
    if (t->sessions.count == 1)
        t->sweep_ns = now_ns + SESSION_SWEEP_NS;
    s->id = o->session;
    s->outlet = o->outlet;
    memcpy(s->up, o->keys.up, sizeof s->up);
    memcpy(s->down, o->keys.down, sizeof s->down);
    path_init(&s->path);
    tune(s, o);
    s->heard_ns = now_ns;
    return 0;
}

static int stage(struct session *s, const struct udp_order *o)
{
    leave_stage(s);
    if (o->inbox == NULL)
        return 0;
    s->stage = calloc(1, sizeof *s->stage);
    if (s->stage == NULL)
        return -ENOMEM;
    *s->stage = (struct session_stage){.inbox = o->inbox,
                                       .room_waker = o->room_waker,
                                       .own_tape = o->own_tape,
                                       .report = o->report,
                                       .slot = o->slot,
                                       .lease = o->lease,
                                       .heard = o->heard};
    return 0;
}

/* Sends the key, if there is a proven address, and lines up for the next time. */
static void deliver(struct session_table *t, struct session *s, uint64_t now_ns)
{
    if (s->delivering)
        TAILQ_REMOVE(&t->deliveries, s, delivery);
    s->delivering = true;
    s->epoch_due_ns = now_ns + SESSION_EPOCH_RETRY_NS;
    TAILQ_INSERT_TAIL(&t->deliveries, s, delivery);
    if (address_is_known(&s->path.proven))
        message_epoch_key(t, s);
}

int session_table_order(struct session_table *t, const struct udp_order *o, uint64_t now_ns)
{
    struct session *s = id_table_get(&t->sessions, o->session);

    if (o->kind == UDP_ADD || o->kind == UDP_REMOVE) {
        if (s != NULL) {
            id_table_remove(&t->sessions, s->id);
            session_free(t, s);
        }
        return o->kind == UDP_ADD ? add(t, o, now_ns) : 0;
    }
    if (s == NULL)
        return 0;
    if (o->kind == UDP_STAGE)
        return stage(s, o);
    if (o->kind == UDP_HEARD && s->stage != NULL) {
        s->stage->heard = o->heard;
    } else if (o->kind == UDP_TUNE) {
        tune(s, o);
    } else if (o->kind == UDP_EPOCH) {
        s->epoch = o->epoch;
        memcpy(s->epoch_key, o->epoch_key, sizeof s->epoch_key);
        s->epoch_until_ns = now_ns + SESSION_EPOCH_GIVE_UP_NS;
        deliver(t, s, now_ns);
    }
    return 0;
}

void session_acknowledged(struct session_table *t, struct session *s, uint64_t epoch)
{
    if (!s->delivering || s->epoch != epoch)
        return;
    /* Where main could not be told, the key goes out once more and is acknowledged once more. */
    if (session_table_tell(t, &(struct udp_event){.kind = UDP_EPOCH_ACK, .session = s->id, .epoch = epoch}))
        end_delivery(t, s);
}

void session_settle(struct session_table *t, struct session *s)
{
    struct sockaddr_storage to = {0};

    if (s->owes_address && s->outlet < t->outlets) {
        memcpy(&to, &s->path.proven, sizeof s->path.proven);
        s->owes_address = !outlet_udp_address(t->outlet[s->outlet], s->id, &to, address_len(&s->path.proven));
    }
    if (s->owes_path)
        s->owes_path = !session_table_tell(t, &(struct udp_event){.kind = UDP_PATH, .session = s->id});
}

void session_proven(struct session_table *t, struct session *s, uint64_t now_ns)
{
    atomic_fetch_add_explicit(&t->stats->paths_proven, 1, memory_order_relaxed);
    s->owes_address = s->owes_path = true;
    session_settle(t, s);
    if (s->delivering)
        deliver(t, s, now_ns);
}

void session_heard(struct session_table *t, struct session *s, uint64_t now_ns)
{
    s->heard_ns = now_ns;
    if (s->silent)
        s->silent = !session_table_tell(t, &(struct udp_event){.kind = UDP_HEARD_OF, .session = s->id});
}

static void sweep(struct session_table *t, uint64_t now_ns)
{
    size_t at = 0;

    for (struct session *s; (s = id_table_next(&t->sessions, &at)) != NULL;) {
        session_settle(t, s);
        if (!s->silent && now_ns - s->heard_ns >= UDP_SILENT_MS * 1000000ull)
            s->silent = session_table_tell(t, &(struct udp_event){.kind = UDP_SILENT, .session = s->id});
        if (s->stage != NULL && s->stage->spoke && address_is_known(&s->path.proven)) {
            s->stage->spoke = false;
            if (s->stage->report.received != NULL)
                message_report(t, s);
        }
    }
}

uint64_t session_table_tend(struct session_table *t, uint64_t now_ns)
{
    struct session *s;
    uint64_t next_ns = UINT64_MAX;

    for (unsigned i = 0; i < DELIVERIES_A_TURN; i++) {
        s = TAILQ_FIRST(&t->deliveries);
        if (s == NULL || s->epoch_due_ns > now_ns)
            break;
        if (now_ns >= s->epoch_until_ns)
            end_delivery(t, s);
        else
            deliver(t, s, now_ns);
    }
    if (t->sessions.count > 0 && now_ns >= t->sweep_ns) {
        sweep(t, now_ns);
        t->sweep_ns = now_ns + SESSION_SWEEP_NS;
    }
    if (t->sessions.count > 0)
        next_ns = t->sweep_ns;
    s = TAILQ_FIRST(&t->deliveries);
    return s != NULL && s->epoch_due_ns < next_ns ? s->epoch_due_ns : next_ns;
}
