/* client_media.c - a client's media socket: what it sends, and what it makes of each datagram (see client.h) */
#include "net/client_parts.h"

#include "net/clock.h"
#include "net/socket.h"

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define DATAGRAMS_A_TURN   64u /* then the loop sees to its other events */
#define TOKEN_BYTES        16u
#define KEEPALIVE_BYTES    42u /* of plaintext: more than the longest answer has */
#define ANSWER_STREAMS_MAX 2u
#define ANSWER_FLAG_PARKED 0x01u
#define SAMPLES_A_MS       (PACKET_RATE_HZ / 1000u)

static void arm_timer(struct client *c, uint64_t now_ns)
{
    uint64_t due_ns = keepalive_due_ns(&c->keepalive), left_us = due_ns > now_ns ? (due_ns - now_ns) / 1000 + 1 : 0;
    struct timeval left = {.tv_sec = (time_t)(left_us / 1000000), .tv_usec = (suseconds_t)(left_us % 1000000)};

    event_add(&c->timer, &left);
}

/* A connected UDP socket reports here that an earlier datagram found nobody (ICMP), and sends nothing then. */
static int send_datagram(struct client *c, const uint8_t *datagram, size_t len)
{
    ssize_t n = send(c->udp, datagram, len, MSG_DONTWAIT);

    if (n < 0 && errno == ECONNREFUSED)
        n = send(c->udp, datagram, len, MSG_DONTWAIT);
    return n == (ssize_t)len ? 0 : -1;
}

static int send_up(struct client *c, enum wire_type type, const uint8_t *plain, size_t len)
{
    uint8_t datagram[WIRE_DATAGRAM_MAX];
    int n;

    if (c->udp < 0 || c->closing || c->up_counter > UINT32_MAX)
        return -1;
    n = seal_up(datagram, sizeof datagram, type, c->session, (uint32_t)c->up_counter, c->keys.up, plain, len);
    if (n < 0)
        return -1;
    c->up_counter++; /* also if the kernel refuses the datagram: no counter serves twice */
    return send_datagram(c, datagram, (size_t)n);
}

/* One that is lost, here or on the way, is made up for by the schedule. */
static void send_keepalive(struct client *c, uint64_t now_ns)
{
    uint8_t plain[KEEPALIVE_BYTES] = {0};
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_KEEPALIVE);
    wr_u32(&w, (uint32_t)(now_ns / CLOCK_NS_PER_MS));
    (void)send_up(c, WIRE_REQUEST, plain, sizeof plain);
    keepalive_sent(&c->keepalive, now_ns);
    arm_timer(c, now_ns);
}

/* One that is lost is made up for by the server's next challenge. */
static void answer_challenge(struct client *c, const uint8_t token[TOKEN_BYTES], uint64_t now_ns)
{
    uint8_t plain[1 + TOKEN_BYTES];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_CHALLENGE_ANSWER);
    wr_bytes(&w, token, TOKEN_BYTES);
    (void)send_up(c, WIRE_REQUEST, plain, sizeof plain);
    send_keepalive(c, now_ns);
}

/* One that is lost is made up for when the key comes again. */
static void take_epoch_key(struct client *c, uint64_t epoch, const uint8_t key[SEAL_KEY_BYTES], uint64_t now_ns)
{
    uint8_t plain[1 + 8];
    struct wire_writer w;

    epoch_keys_add(&c->epochs, epoch, key, now_ns);
    wr_init(&w, plain, sizeof plain);
    wr_u8(&w, WIRE_EPOCH_ACK);
    wr_u64(&w, epoch);
    (void)send_up(c, WIRE_REQUEST, plain, sizeof plain);
}

static void take_answer(struct client *c, struct wire_reader *r, uint64_t now_ns)
{
    uint32_t stamp = rd_u32(r);
    bool parked = (rd_u8(r) & ANSWER_FLAG_PARKED) != 0;
    uint64_t position = rd_u64(r), next[ANSWER_STREAMS_MAX];
    uint8_t count = rd_u8(r), stream[ANSWER_STREAMS_MAX];

    for (unsigned i = 0; i < count && i < ANSWER_STREAMS_MAX; i++) {
        stream[i] = rd_u8(r);
        next[i] = rd_u64(r);
    }
    if (r->fail || count > ANSWER_STREAMS_MAX) {
        c->stats.malformed++;
        return;
    }
    for (unsigned i = 0; i < count; i++)
        if (stream[i] < CLIENT_STREAMS) {
            c->stream[stream[i]].expected = next[i];
            c->stream[stream[i]].told = true;
        }
    c->position = position;
    c->position_ns = now_ns;
    keepalive_answered(&c->keepalive, parked, now_ns);
    arm_timer(c, now_ns);
    if (c->cb->alive != NULL)
        c->cb->alive(c, position, parked, (uint32_t)(now_ns / CLOCK_NS_PER_MS) - stamp, c->arg);
}

static void take_report(struct client *c, struct wire_reader *r)
{
    struct client_report report;

    report.received = rd_u32(r);
    report.lost = rd_u32(r);
    report.late = rd_u32(r);
    report.recovered = rd_u32(r);
    report.highest_sequence = rd_u16(r);
    report.delay_ms = rd_u16(r);
    if (r->fail)
        c->stats.malformed++;
    else if (c->cb->report != NULL)
        c->cb->report(c, &report, c->arg);
}

/* The plaintext of a sealed message, authentic and fresh. */
static void take_plain(struct client *c, const uint8_t *plain, size_t len, uint64_t now_ns)
{
    uint8_t token[TOKEN_BYTES], key[SEAL_KEY_BYTES];
    struct wire_reader r;
    uint64_t epoch;

    rd_init(&r, plain, len);
    switch (rd_u8(&r)) {
    case WIRE_CHALLENGE:
        rd_bytes(&r, token, sizeof token);
        if (!r.fail)
            answer_challenge(c, token, now_ns);
        break;
    case WIRE_EPOCH_KEY:
        epoch = rd_u64(&r);
        rd_bytes(&r, key, sizeof key);
        if (!r.fail)
            take_epoch_key(c, epoch, key, now_ns);
        sodium_memzero(key, sizeof key);
        break;
    case WIRE_KEEPALIVE_ANSWER:
        take_answer(c, &r, now_ns);
        return;
    case WIRE_RECEIVER_REPORT:
        take_report(c, &r);
        return;
    default: /* of a version to come */
        return;
    }
    if (r.fail)
        c->stats.malformed++;
}

static void take_message(struct client *c, const uint8_t *datagram, size_t len, uint64_t now_ns)
{
    uint8_t plain[WIRE_DATAGRAM_MAX];
    struct wire_reader r;
    uint32_t counter;
    int n;

    rd_init(&r, datagram, len);
    rd_u8(&r);
    counter = rd_u32(&r);
    if (r.fail) {
        c->stats.malformed++;
        return;
    }
    if (!seal_replay_check(&c->messages, counter)) {
        c->stats.replayed++;
        return;
    }
    n = seal_open_down(plain, sizeof plain, datagram, len, c->keys.down);
    if (n < 0) {
        c->stats.forged++;
        return;
    }
    seal_replay_accept(&c->messages, counter);
    take_plain(c, plain, (size_t)n, now_ns);
    sodium_memzero(plain, sizeof plain);
}

/* The packet number in full, from the highest received or what a keep-alive answer told. */
static uint64_t number_in_full(const struct client *c, enum stream s, uint32_t low)
{
    const struct client_stream *stream = &c->stream[s];

    if (stream->window.next > 0)
        return seal_extend(low, 32, stream->window.next - 1);
    return stream->told ? seal_extend(low, 32, stream->expected) : low;
}

static uint64_t position_now(const struct client *c, uint64_t now_ns)
{
    return c->position + (now_ns - c->position_ns) / CLOCK_NS_PER_MS * SAMPLES_A_MS;
}

/* An authentic, fresh packet. */
static void count(struct client *c, enum stream s, uint64_t number, size_t len)
{
    struct client_stats *stats = &c->stats;

    stats->packets++;
    stats->bytes += len;
    if (stats->received[s]++ == 0)
        stats->first_number[s] = stats->highest_number[s] = number;
    else if (number > stats->highest_number[s])
        stats->highest_number[s] = number;
    else
        stats->reordered++;
}

static void take_stream(struct client *c, enum stream s, const uint8_t *datagram, size_t len, uint64_t now_ns)
{
    const uint8_t *key = c->own_key;
    struct tape_packet p;
    struct wire_reader r;
    uint64_t number, epoch = 0;
    uint8_t low_epoch;
    uint32_t low_number;
    bool newest;

    rd_init(&r, datagram, len);
    rd_u8(&r);
    low_epoch = rd_u8(&r);
    low_number = rd_u32(&r);
    if (r.fail || (s >= STREAM_TIERS && s != STREAM_OWN)) {
        c->stats.malformed++;
        return;
    }
    if (s != STREAM_OWN && (key = epoch_keys_find(&c->epochs, s, low_epoch, now_ns, &epoch)) == NULL) {
        c->stats.unkeyed++;
        return;
    }
    number = number_in_full(c, s, low_number);
    if (seal_open_stream(&p, datagram, len, epoch, number, key, c->keys.tag, position_now(c, now_ns)) != 0) {
        c->stats.forged++;
        return;
    }
    newest = number >= c->stream[s].window.next;
    if (!seal_replay_accept(&c->stream[s].window, number)) {
        c->stats.replayed++;
        return;
    }
    count(c, s, number, len);
    if (newest) {
        bool was_parked = c->keepalive.parked;

        c->position = p.position;
        c->position_ns = now_ns;
        keepalive_heard(&c->keepalive, (p.flags & TAPE_PAUSE) != 0, now_ns);
        if (was_parked && !c->keepalive.parked) /* else the timer comes early enough */
            arm_timer(c, now_ns);
    }
    if (c->cb->stream != NULL)
        c->cb->stream(c, s, &p, datagram, len, c->arg);
}

static void take_datagram(struct client *c, const uint8_t *datagram, size_t len, uint64_t now_ns)
{
    if (len > 0 && len <= WIRE_DATAGRAM_MAX && datagram[0] == WIRE_MESSAGE)
        take_message(c, datagram, len, now_ns);
    else if (len > 0 && len <= WIRE_DATAGRAM_MAX && datagram[0] >= WIRE_STREAM &&
             datagram[0] < WIRE_STREAM + CLIENT_STREAMS)
        take_stream(c, (enum stream)(datagram[0] - WIRE_STREAM), datagram, len, now_ns);
    else
        c->stats.malformed++;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;
    uint8_t datagram[WIRE_DATAGRAM_MAX + 1]; /* the byte more shows what is too long */

    (void)what;
    for (unsigned i = 0; i < DATAGRAMS_A_TURN && !c->closing; i++) {
        ssize_t n = recv(fd, datagram, sizeof datagram, MSG_DONTWAIT);

        if (n >= 0)
            take_datagram(c, datagram, (size_t)n, clock_now_ns());
        else if (errno != ECONNREFUSED && errno != EINTR) /* nothing left, or no way: the keep-alives will tell */
            break;
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;
    uint64_t now_ns = clock_now_ns();

    (void)fd;
    (void)what;
    if (keepalive_due_ns(&c->keepalive) <= now_ns)
        send_keepalive(c, now_ns);
    else
        arm_timer(c, now_ns);
}

int client_start_media(struct client *c, uint32_t session, uint64_t position, uint64_t epoch,
                       const uint8_t epoch_key[32], struct err *err)
{
    const struct seal_keys *keys = control_media_keys(c->control);
    uint64_t now_ns = clock_now_ns();

    if (c->udp >= 0 || keys == NULL || c->to_len == 0)
        return err_set(err, ERR_INTERNAL, "connect anew for each room",
                       "this connection has no keys for another room's sound");
    c->udp = socket_udp_to(&c->to, c->to_len, err);
    if (c->udp < 0) {
        int rc = c->udp;

        c->udp = -1;
        return rc;
    }
    c->keys = *keys;
    control_forget_media_keys(c->control);
    seal_stream_key(c->own_key, c->keys.own, STREAM_OWN);
    epoch_keys_init(&c->epochs, epoch, epoch_key);
    c->session = session;
    c->position = position;
    c->position_ns = now_ns;
    keepalive_start(&c->keepalive, now_ns);
    event_assign(&c->readable, c->base, c->udp, EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->timer, c->base, -1, 0, on_timer, c);
    if (event_add(&c->readable, NULL) != 0) {
        client_stop_media(c);
        return err_set(err, ERR_INTERNAL, NULL, "the media socket cannot be watched");
    }
    send_keepalive(c, now_ns);
    return 0;
}

void client_stop_media(struct client *c)
{
    if (c->udp < 0)
        return;
    event_del(&c->readable);
    event_del(&c->timer);
    close(c->udp);
    c->udp = -1;
    seal_keys_wipe(&c->keys);
    epoch_keys_wipe(&c->epochs);
    sodium_memzero(c->own_key, sizeof c->own_key);
}

void client_epoch_key(struct client *c, uint64_t epoch, const uint8_t key[32])
{
    if (c->udp >= 0)
        take_epoch_key(c, epoch, key, clock_now_ns());
}

int client_speak(struct client *c, const struct packet *p)
{
    uint8_t plain[WIRE_DATAGRAM_MAX];
    struct wire_writer w;

    wr_init(&w, plain, sizeof plain);
    if (!wire_write_speech(&w, p))
        return -1;
    return send_up(c, WIRE_SPEECH, plain, sizeof plain - w.left);
}
