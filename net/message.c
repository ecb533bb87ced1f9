/* message.c - sealed messages to one client (see message.h) */
#include "net/message.h"
#include "net/clock.h"

#include <sodium.h>
#include <sys/socket.h>

#define PLAIN_MAX 64u

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Seals and sends what w has gathered in plain. */
static void post(struct session_table *t, struct session *s, const union address *to, uint8_t *plain,
                 const struct wire_writer *w)
{
    uint8_t datagram[WIRE_DOWN_HEADER + PLAIN_MAX + WIRE_AEAD_TAG];
    int n = -1;

    if (!w->fail && s->down_counter <= UINT32_MAX)
        n = seal_down(datagram, sizeof datagram, (uint32_t)s->down_counter++, s->down, plain, (size_t)(w->at - plain));
    if (n < 0 || sendto(t->fd, datagram, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL, &to->any, address_len(to)) != n)
        count(&t->stats->send_refused);
    sodium_memzero(plain, PLAIN_MAX);
}

void message_challenge(struct session_table *t, struct session *s)
{
    uint8_t plain[PLAIN_MAX];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_CHALLENGE);
    wr_bytes(&w, s->path.token, PATH_TOKEN_BYTES);
    post(t, s, &s->path.candidate, plain, &w);
    count(&t->stats->challenges);
}

void message_epoch_key(struct session_table *t, struct session *s)
{
    uint8_t plain[PLAIN_MAX];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_EPOCH_KEY);
    wr_u64(&w, s->epoch);
    wr_bytes(&w, s->epoch_key, SEAL_KEY_BYTES);
    post(t, s, &s->path.proven, plain, &w);
    count(&t->stats->epoch_keys_sent);
}

/* Samples since the room's position 0: 48 kHz are 6 samples in 125,000 ns. */
static uint64_t position_at(const struct session *s, uint64_t now_ns)
{
    uint64_t ns = s->room_start_ns != 0 && now_ns > s->room_start_ns ? now_ns - s->room_start_ns : 0;

    return ns / 125000 * 6 + ns % 125000 * 6 / 125000;
}

static void put_stream(struct wire_writer *w, enum stream s, const struct tape *tape)
{
    wr_u8(w, (uint8_t)s);
    wr_u64(w, tape_next(tape));
}

void message_keepalive_answer(struct session_table *t, struct session *s, uint32_t stamp, uint64_t now_ns)
{
    const struct tape *own = s->stage != NULL ? s->stage->own_tape : NULL;
    uint8_t plain[PLAIN_MAX];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_KEEPALIVE_ANSWER);
    wr_u32(&w, stamp);
    wr_u8(&w, s->parked != NULL && atomic_load_explicit(s->parked, memory_order_relaxed) != 0 ? 1 : 0);
    wr_u64(&w, position_at(s, now_ns));
    wr_u8(&w, (uint8_t)((s->tape != NULL) + (own != NULL)));
    if (s->tape != NULL)
        put_stream(&w, s->stream, s->tape);
    if (own != NULL)
        put_stream(&w, STREAM_OWN, own);
    post(t, s, &s->path.proven, plain, &w);
    count(&t->stats->keepalives);
}

static void put_count(struct wire_writer *w, const _Atomic uint64_t *counter)
{
    wr_u32(w, (uint32_t)atomic_load_explicit(counter, memory_order_relaxed));
}

static void put_short(struct wire_writer *w, const _Atomic uint32_t *value)
{
    wr_u16(w, (uint16_t)atomic_load_explicit(value, memory_order_relaxed));
}

void message_report(struct session_table *t, struct session *s)
{
    const struct udp_report *r = &s->stage->report;
    uint8_t plain[PLAIN_MAX];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_RECEIVER_REPORT);
    put_count(&w, r->received);
    put_count(&w, r->lost);
    put_count(&w, r->late);
    put_count(&w, r->recovered);
    put_short(&w, r->highest_sequence);
    put_short(&w, r->delay_ms);
    post(t, s, &s->path.proven, plain, &w);
    count(&t->stats->reports);
}
