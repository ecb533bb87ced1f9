/* session_input.c - a datagram from outside, step by step
 *
 * Cheap checks come first: form, session, replay; then the AEAD; and only an authentic datagram has any effect. Nothing
 * else is ever answered.
 */
#include "net/session_input.h"
#include "net/message.h"

#include <stddef.h>

#define PLAIN_MAX (WIRE_DATAGRAM_MAX - WIRE_UP_HEADER - WIRE_AEAD_TAG)

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void take_speech(struct session_table *t, struct session *s, struct wire_reader *r, uint64_t now_ns)
{
    struct session_stage *stage = s->stage;
    struct inbox_item item;

    if (!wire_read_speech(r, &item.packet)) {
        count(&t->stats->drop_malformed);
        return;
    }
    count(&t->stats->speech);
    if (stage == NULL) {
        count(&t->stats->drop_not_on_stage);
        return;
    }
    stage->spoke = true;
    if (!stage->heard) {
        count(&t->stats->drop_muted);
        return;
    }
    /* A parked room would not look at its inbox before somebody speaks, and then find noise from before the pause. */
    if ((item.packet.flags & PACKET_VOICE) == 0 && waker_is_asleep(stage->room_waker)) {
        count(&t->stats->drop_silent);
        return;
    }
    item.slot = stage->slot;
    item.lease = stage->lease;
    item.packet.arrived_ns = now_ns;
    item.packet.source = s->id;
    if (!ring_push(stage->inbox, &item, offsetof(struct inbox_item, packet.opus) + item.packet.opus_bytes)) {
        count(&t->stats->drop_inbox_full);
        return;
    }
    if ((item.packet.flags & PACKET_VOICE) != 0)
        waker_wake(stage->room_waker);
}

static void take_request(struct session_table *t, struct session *s, const union address *from, struct wire_reader *r,
                         uint64_t now_ns)
{
    size_t plain_len = r->left;
    uint8_t kind = rd_u8(r), token[PATH_TOKEN_BYTES];
    uint32_t stamp;
    uint64_t epoch;

    count(&t->stats->requests);
    switch (kind) {
    case WIRE_KEEPALIVE:
        stamp = rd_u32(r);
        if (r->fail || plain_len < MESSAGE_KEEPALIVE_PLAIN)
            break; /* an answer would be longer than the question */
        if (path_is_proven(&s->path, from))
            message_keepalive_answer(t, s, stamp, now_ns);
        return;
    case WIRE_CHALLENGE_ANSWER:
        rd_bytes(r, token, sizeof token);
        if (r->fail)
            break;
        if (path_answer(&s->path, from, token))
            session_proven(t, s, now_ns);
        return;
    case WIRE_EPOCH_ACK:
        epoch = rd_u64(r);
        if (r->fail)
            break;
        session_acknowledged(t, s, epoch);
        return;
    }
    count(&t->stats->drop_malformed);
}

void session_table_receive(struct session_table *t, const union address *from, const uint8_t *bytes, size_t len,
                           uint64_t now_ns)
{
    uint8_t plain[PLAIN_MAX], type;
    uint32_t session, counter;
    struct wire_reader r;
    struct session *s;
    bool newest;
    int n;

    count(&t->stats->received);
    rd_init(&r, bytes, len);
    type = rd_u8(&r);
    session = rd_u32(&r);
    counter = rd_u32(&r);
    if (len <= WIRE_UP_HEADER + WIRE_AEAD_TAG) {
        count(&t->stats->drop_short);
        return;
    }
    if (type != WIRE_SPEECH && type != WIRE_REQUEST) {
        count(&t->stats->drop_type);
        return;
    }
    if (len > WIRE_DATAGRAM_MAX) {
        count(&t->stats->drop_malformed);
        return;
    }
    s = id_table_get(&t->sessions, session);
    if (s == NULL) {
        count(&t->stats->drop_session);
        return;
    }
    if (!seal_replay_check(&s->replay, counter)) {
        count(&t->stats->drop_replayed);
        return;
    }
    n = seal_open_up(plain, sizeof plain, bytes, len, s->up);
    if (n < 0) {
        count(&t->stats->drop_forged);
        return;
    }
    newest = counter >= s->replay.next;
    seal_replay_accept(&s->replay, counter);
    session_heard(t, s, now_ns);
    if (path_heard(&s->path, from, len, newest, MESSAGE_CHALLENGE_BYTES, now_ns))
        message_challenge(t, s);
    rd_init(&r, plain, (size_t)n);
    if (type == WIRE_SPEECH)
        take_speech(t, s, &r, now_ns);
    else
        take_request(t, s, from, &r, now_ns);
}
