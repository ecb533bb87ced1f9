/* control.c - one control connection (see control.h)
 *
 * Thousands of these stand idle at a time, so each is small: one libevent event, the two ciphers, and nothing else that
 * lasts. Bytes are read into a buffer that all connections of a thread share; a connection gets memory of its own only
 * for a frame that arrived in part, for a text in parts, or for output that its socket did not take.
 *
 * A connection never dies inside a call from outside: it is marked dead, and the loop calls back and frees.
 */
#include "net/control.h"
#include "net/address.h"
#include "net/clock.h"
#include "net/handshake.h"
#include "net/noise.h"
#include "net/socket.h"
#include "net/wire.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MAX (2u + NOISE_MESSAGE_MAX)
#define BODY_MAX  (NOISE_MESSAGE_MAX - NOISE_TAG_BYTES - 1) /* of a frame, without its kind byte */
#define FLUSH_MS  2000u

unsigned control_handshake_ms = 10000;

enum state {
    STATE_HANDSHAKE,
    STATE_OPEN,
    STATE_FLUSH, /* the last words are on their way; what still comes in is thrown away */
    STATE_DEAD,  /* the loop will call back and free */
};

struct control {
    struct event event;
    const struct control_callbacks *cb;
    void *arg;
    struct handshake *handshake; /* until it is complete */
    struct seal_keys *media;
    struct evbuffer *out; /* what the socket did not take; NULL: nothing waits */
    uint8_t *in;          /* the beginning of a frame, and room for one byte more than in_room; NULL: none */
    char *text;           /* parts of a text */
    struct err *why;      /* why it died; NULL: the peer or the owner closed it */
    char *address;        /* NULL: "local" */
    size_t in_have, in_room, text_len, text_room;
    uint64_t deadline_ns; /* of handshake or flush; 0: none */
    int fd;
    uint8_t state;
    bool server, local, ready, paused, broken; /* broken: the socket takes no more output */
    uint8_t peer_key[IDENTITY_KEY_BYTES];
    struct noise_cipher send, receive;
};

/* What all connections of a thread share; made with the first and freed with the last. */
struct scratch {
    size_t users;
    uint8_t in[FRAME_MAX + 1];
    uint8_t out[FRAME_MAX];
};
static _Thread_local struct scratch *scratch;

static void on_event(evutil_socket_t fd, short what, void *arg);

static const char *where(const struct control *c)
{
    return c->address != NULL ? c->address : "local";
}

static bool is_alive(const struct control *c)
{
    return c->state != STATE_DEAD;
}

/* Dead from here on; why NULL: closed, nothing wrong. */
static void die(struct control *c, const struct err *why)
{
    if (!is_alive(c))
        return;
    c->state = STATE_DEAD;
    if (why != NULL && (c->why = malloc(sizeof *c->why)) != NULL)
        err_copy(c->why, why);
    event_del(&c->event);
    event_active(&c->event, EV_TIMEOUT, 0);
}

#define DIE(c, code, mend, ...)                                                                                        \
    do {                                                                                                               \
        struct err why_;                                                                                               \
        err_set(&why_, code, mend, __VA_ARGS__);                                                                       \
        die(c, &why_);                                                                                                 \
    } while (0)

static void out_of_memory(struct control *c)
{
    DIE(c, ERR_INTERNAL, NULL, "out of memory for the connection to %s", where(c));
}

/* Tells the loop what the connection waits for now. */
static void arm(struct control *c)
{
    short what = EV_PERSIST;
    struct timeval *timeout = NULL, left;

    if (!is_alive(c))
        return;
    if (!c->paused)
        what |= EV_READ;
    if (c->out != NULL)
        what |= EV_WRITE;
    if (c->deadline_ns != 0) {
        uint64_t now_ns = clock_now_ns(), left_us = c->deadline_ns > now_ns ? (c->deadline_ns - now_ns) / 1000 + 1 : 1;

        left = (struct timeval){.tv_sec = (time_t)(left_us / 1000000), .tv_usec = (suseconds_t)(left_us % 1000000)};
        timeout = &left;
    }
    event_del(&c->event);
    event_assign(&c->event, event_get_base(&c->event), c->fd, what, on_event, c);
    if ((what != EV_PERSIST || timeout != NULL) && event_add(&c->event, timeout) != 0)
        DIE(c, ERR_INTERNAL, NULL, "the connection to %s cannot be watched", where(c));
}

/* The socket takes no more: what waits is lost, but what the peer had sent before it left is still to be read, and the
 * reader will find the end. */
static void out_is_broken(struct control *c)
{
    c->broken = true;
    if (c->out != NULL) {
        evbuffer_free(c->out);
        c->out = NULL;
        arm(c);
    }
    if (is_alive(c))
        event_active(&c->event, EV_READ, 0);
}

/* Sends now what the socket takes and keeps the rest. */
static int put_bytes(struct control *c, const uint8_t *bytes, size_t len)
{
    ssize_t n = 0;

    if (c->broken)
        return -1;
    if (c->out == NULL) {
        n = send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            out_is_broken(c);
            return -1;
        }
        n = n < 0 ? 0 : n;
        if ((size_t)n == len)
            return 0;
        c->out = evbuffer_new();
        arm(c);
    }
    if (c->out == NULL || evbuffer_add(c->out, bytes + n, len - (size_t)n) != 0) {
        out_of_memory(c);
        return -1;
    }
    return 0;
}

static void flush_out(struct control *c)
{
    struct evbuffer_iovec piece;
    ssize_t n;

    while (c->out != NULL && evbuffer_peek(c->out, -1, NULL, &piece, 1) > 0) {
        n = send(c->fd, piece.iov_base, piece.iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            if (errno != EAGAIN && errno != EINTR)
                out_is_broken(c);
            return;
        }
        evbuffer_drain(c->out, (size_t)n);
    }
    if (c->out != NULL) {
        evbuffer_free(c->out);
        c->out = NULL;
        arm(c);
    }
    /* Closing while the peer's words lie unread would reset the connection and take the last text with it. So only
     * our direction is shut, and the peer's end awaited. */
    if (c->state == STATE_FLUSH)
        shutdown(c->fd, SHUT_WR);
}

static int put_frame(struct control *c, enum wire_frame kind, const char *body, size_t len)
{
    uint8_t *frame = scratch->out;
    size_t plain = 1 + len;
    struct wire_writer w;

    frame[2] = (uint8_t)kind;
    memcpy(frame + 3, body, len);
    if (!c->local) {
        int n = noise_encrypt(&c->send, frame + 2, plain, frame + 2, FRAME_MAX - 2);

        if (n < 0) {
            DIE(c, ERR_INTERNAL, NULL, "the connection to %s has used up its cipher", where(c));
            return -1;
        }
        plain = (size_t)n;
    }
    wr_init(&w, frame, 2);
    wr_u16(&w, (uint16_t)plain);
    return put_bytes(c, frame, 2 + plain);
}

int control_send(struct control *c, const char *text, size_t len)
{
    size_t waiting = c->out != NULL ? evbuffer_get_length(c->out) : 0;
    size_t max = c->server || c->local ? CONTROL_TEXT_MAX : CONTROL_REQUEST_MAX;

    if (c->state != STATE_OPEN || !c->ready || len > max)
        return -1;
    if (waiting > 0 && waiting + len > CONTROL_TEXT_MAX) {
        DIE(c, ERR_UNREACHABLE, NULL, "%s reads too slowly", where(c));
        return -1;
    }
    for (; len > BODY_MAX; text += BODY_MAX, len -= BODY_MAX)
        if (put_frame(c, WIRE_FRAME_JSON_PART, text, BODY_MAX) != 0)
            return -1;
    return put_frame(c, WIRE_FRAME_JSON, text, len);
}

static void become_ready(struct control *c)
{
    if (c->ready)
        return;
    c->ready = true;
    c->deadline_ns = 0;
    arm(c);
    if (c->cb->ready != NULL)
        c->cb->ready(c, c->arg);
}

static bool keep_part(struct control *c, const uint8_t *body, size_t len)
{
    size_t max = c->server ? CONTROL_REQUEST_MAX : CONTROL_TEXT_MAX, room = c->text_room;
    char *bigger;

    if (c->text_len + len > max) {
        DIE(c, ERR_UNREACHABLE, NULL, "%s sent a text of more than %zu bytes", where(c), max);
        return false;
    }
    while (room < c->text_len + len + 1)
        room = room == 0 ? len + 1 : 2 * room;
    if (room != c->text_room) {
        bigger = realloc(c->text, room);
        if (bigger == NULL) {
            out_of_memory(c);
            return false;
        }
        c->text = bigger;
        c->text_room = room;
    }
    memcpy(c->text + c->text_len, body, len);
    c->text_len += len;
    return true;
}

static void drop_parts(struct control *c)
{
    if (c->text != NULL)
        sodium_memzero(c->text, c->text_len);
    free(c->text);
    c->text = NULL;
    c->text_len = c->text_room = 0;
}

/* The byte after a body is some other frame's, or a tag's: it lends its place to the NUL during the call. */
static void deliver(struct control *c, uint8_t *body, size_t len)
{
    uint8_t after = body[len];

    body[len] = '\0';
    if (c->cb->text != NULL)
        c->cb->text(c, (char *)body, len, c->arg);
    body[len] = after;
}

/* A decrypted frame; one byte after it may be written to. */
static void take_frame(struct control *c, uint8_t *plain, size_t len)
{
    if (len == 0) {
        DIE(c, ERR_UNREACHABLE, NULL, "%s sent an empty frame", where(c));
        return;
    }
    become_ready(c);
    if (c->state != STATE_OPEN)
        return;
    if (plain[0] == WIRE_FRAME_JSON_PART) {
        keep_part(c, plain + 1, len - 1);
    } else if (plain[0] == WIRE_FRAME_JSON && c->text == NULL) {
        if (len - 1 > CONTROL_REQUEST_MAX && c->server)
            DIE(c, ERR_UNREACHABLE, NULL, "%s sent a text of more than %u bytes", where(c), CONTROL_REQUEST_MAX);
        else
            deliver(c, plain + 1, len - 1);
    } else if (plain[0] == WIRE_FRAME_JSON && keep_part(c, plain + 1, len - 1)) {
        deliver(c, (uint8_t *)c->text, c->text_len);
        drop_parts(c);
    }
    sodium_memzero(plain, len);
}

static void take_handshake(struct control *c, const uint8_t *bytes, size_t len)
{
    struct handshake_result result;
    uint8_t out[HANDSHAKE_OUT_MAX];
    struct err err;
    size_t out_len;
    int done = handshake_step(c->handshake, bytes, len, out, &out_len, &result, &err);

    if (!is_alive(c)) /* the owner closed it while asked for its trust */
        return;
    if (done < 0) {
        die(c, &err);
        return;
    }
    if (done == 1) {
        c->send = result.send;
        c->receive = result.receive;
        memcpy(c->peer_key, result.peer_key, sizeof c->peer_key);
        c->media = malloc(sizeof *c->media);
        if (c->media == NULL)
            out_of_memory(c);
        else
            *c->media = result.media;
        sodium_memzero(&result, sizeof result);
        handshake_free(c->handshake);
        c->handshake = NULL;
        if (!is_alive(c))
            return;
        c->state = STATE_OPEN;
    }
    if (out_len > 0 && put_bytes(c, out, out_len) != 0)
        return;
    if (done == 1 && !c->server)
        become_ready(c);
    else
        arm(c);
}

/* How many bytes make the next unit, judged by the first `have`. 0: impossible, and the connection is dead. */
static size_t unit_bytes(struct control *c, const uint8_t *in, size_t have)
{
    struct err err;
    int need;

    if (c->state != STATE_HANDSHAKE)
        return have < 2 ? 2 : 2 + ((size_t)in[0] << 8 | in[1]);
    need = handshake_need(c->handshake, in, have, &err);
    if (need > 0)
        return (size_t)need;
    die(c, &err);
    return 0;
}

static void take_unit(struct control *c, uint8_t *unit, size_t len)
{
    int plain = (int)len - 2;

    if (c->state == STATE_HANDSHAKE) {
        take_handshake(c, unit, len);
        return;
    }
    if (!c->local)
        plain = noise_decrypt(&c->receive, unit + 2, len - 2, unit + 2, len - 2);
    if (plain < 0)
        DIE(c, ERR_UNREACHABLE, NULL, "%s sent a frame that does not decrypt", where(c));
    else
        take_frame(c, unit + 2, (size_t)plain);
}

/* Takes all whole units and returns how many bytes they were. */
static size_t take_units(struct control *c, uint8_t *in, size_t have)
{
    size_t used = 0, unit;

    while ((c->state == STATE_HANDSHAKE || c->state == STATE_OPEN) && !c->paused) {
        unit = unit_bytes(c, in + used, have - used);
        if (unit == 0 || unit > have - used)
            break;
        take_unit(c, in + used, unit);
        used += unit;
    }
    return used;
}

static void drop_in(struct control *c)
{
    if (c->in != NULL)
        sodium_memzero(c->in, c->in_have);
    free(c->in);
    c->in = NULL;
    c->in_have = c->in_room = 0;
}

/* Keeps the beginning of a unit (or what came after a pause) until the rest is here. */
static void keep_rest(struct control *c, const uint8_t *rest, size_t len)
{
    size_t room = len > 0 && c->state < STATE_FLUSH ? unit_bytes(c, rest, len) : 0;
    uint8_t *keep = NULL;

    if (room > 0 && is_alive(c)) {
        room = room < len ? len : room;
        keep = malloc(room + 1);
        if (keep == NULL)
            out_of_memory(c);
        else
            memcpy(keep, rest, len);
    }
    drop_in(c);
    if (keep != NULL) {
        c->in = keep;
        c->in_have = len;
        c->in_room = room;
    }
}

/* The peer's end, or an error: of the way, or of connecting. */
static void read_ended(struct control *c, ssize_t n)
{
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (c->state == STATE_FLUSH || (n == 0 && c->ready))
        die(c, NULL);
    else if (n == 0 || (errno == ECONNRESET && c->state == STATE_HANDSHAKE))
        DIE(c, ERR_UNREACHABLE, "try again; the server may be full, or something other than Salotto listens there",
            "%s closed the connection during the handshake", where(c));
    else if (errno == ECONNREFUSED)
        DIE(c, ERR_UNREACHABLE, "is salottod running there, and is the port right?", "nobody listens at %s", where(c));
    else
        DIE(c, ERR_UNREACHABLE, "check the network and try again", "the connection to %s broke: %s", where(c),
            strerror(errno));
}

static void read_some(struct control *c)
{
    bool waiting = c->in != NULL && c->in_have == c->in_room; /* whole units, kept over a pause */
    uint8_t *in = c->in != NULL ? c->in : scratch->in;
    ssize_t n = 0;
    size_t used;

    if (c->state == STATE_FLUSH) {
        n = recv(c->fd, scratch->in, FRAME_MAX, MSG_DONTWAIT);
        if (n <= 0)
            read_ended(c, n);
        return;
    }
    if (c->paused)
        return;
    if (!waiting) {
        n = recv(c->fd, in + c->in_have, (c->in != NULL ? c->in_room : FRAME_MAX) - c->in_have, MSG_DONTWAIT);
        if (n <= 0) {
            read_ended(c, n);
            return;
        }
    }
    if (c->in != NULL) {
        c->in_have += (size_t)n;
        if (c->in_have < c->in_room)
            return;
        n = (ssize_t)c->in_have;
    }
    used = take_units(c, in, (size_t)n);
    keep_rest(c, in + used, (size_t)n - used);
}

static void finish(struct control *c)
{
    struct err none = {.code = ERR_NONE};

    if (c->cb->closed != NULL)
        c->cb->closed(c, c->why != NULL ? c->why : &none, c->arg);
    event_del(&c->event);
    close(c->fd);
    handshake_free(c->handshake);
    drop_in(c);
    drop_parts(c);
    if (c->out != NULL)
        evbuffer_free(c->out);
    control_forget_media_keys(c);
    free(c->why);
    free(c->address);
    sodium_memzero(c, sizeof *c);
    free(c);
    if (--scratch->users == 0) {
        free(scratch);
        scratch = NULL;
    }
}

static void timed_out(struct control *c)
{
    if (c->state == STATE_FLUSH)
        die(c, NULL);
    else
        DIE(c, ERR_UNREACHABLE, "is that the address and port of a Salotto server?",
            "%s did not finish the handshake within %u ms", where(c), control_handshake_ms);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct control *c = arg;

    (void)fd;
    if (!is_alive(c)) {
        finish(c);
        return;
    }
    if (c->local)
        become_ready(c);
    if (is_alive(c) && c->deadline_ns != 0 && clock_now_ns() >= c->deadline_ns)
        timed_out(c);
    if (is_alive(c) && (what & EV_WRITE) != 0)
        flush_out(c);
    if (is_alive(c) && (what & EV_READ) != 0)
        read_some(c);
}

/* SO_PEERNAME tells the address of a connection that is still being made, too, as getpeername() does not; but it
 * refuses a buffer larger than the address. */
static char *address_of(int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t v6 = sizeof(struct sockaddr_in6), v4 = sizeof(struct sockaddr_in);
    char text[64];

    if (getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &peer, &v6) != 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &peer, &v4) != 0)
        return strdup("an unknown address");
    socket_print(text, sizeof text, &peer);
    return strdup(text);
}

static struct control *control_new(struct event_base *base, int fd, bool local, const struct control_callbacks *cb,
                                   void *arg)
{
    struct control *c = calloc(1, sizeof *c);
    int on = 1;

    if (c == NULL || (!local && (c->address = address_of(fd)) == NULL))
        goto out_of_memory;
    if (scratch == NULL && (scratch = calloc(1, sizeof *scratch)) == NULL)
        goto out_of_memory;
    scratch->users++;
    c->fd = fd;
    c->cb = cb;
    c->arg = arg;
    c->local = local;
    c->state = local ? STATE_OPEN : STATE_HANDSHAKE;
    if (!local) {
        c->deadline_ns = clock_now_ns() + control_handshake_ms * CLOCK_NS_PER_MS;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* a text is written at once, not in drops */
    }
    event_assign(&c->event, base, fd, EV_READ | EV_PERSIST, on_event, c);
    return c;

out_of_memory:
    if (c != NULL)
        free(c->address);
    free(c);
    close(fd);
    return NULL;
}

/* For what failed before the loop knew the connection: nobody is called back. */
static struct control *give_up(struct control *c)
{
    static const struct control_callbacks nobody;

    c->cb = &nobody;
    finish(c);
    return NULL;
}

struct control *control_accept(struct event_base *base, int fd, const struct identity *server,
                               const struct control_callbacks *cb, void *arg)
{
    struct control *c = control_new(base, fd, false, cb, arg);
    uint8_t hello[HANDSHAKE_OUT_MAX];

    if (c == NULL)
        return NULL;
    c->server = true;
    c->handshake = handshake_new_server(server, where(c));
    if (c->handshake == NULL)
        return give_up(c);
    arm(c);
    put_bytes(c, hello, handshake_begin(c->handshake, hello));
    return c;
}

static bool ask_trust(void *arg, const uint8_t key[IDENTITY_KEY_BYTES])
{
    struct control *c = arg;

    return c->cb->trust != NULL && c->cb->trust(c, key, c->arg);
}

struct control *control_connect(struct event_base *base, int fd, const struct identity *me, const uint8_t *pin,
                                const struct control_callbacks *cb, void *arg)
{
    struct control *c = control_new(base, fd, false, cb, arg);

    if (c == NULL)
        return NULL;
    c->handshake = handshake_new_client(me, where(c), pin, ask_trust, c);
    if (c->handshake == NULL)
        return give_up(c);
    arm(c);
    return c;
}

struct control *control_local(struct event_base *base, int fd, const struct control_callbacks *cb, void *arg)
{
    struct control *c = control_new(base, fd, true, cb, arg);

    if (c == NULL)
        return NULL;
    arm(c);
    if (is_alive(c))
        event_active(&c->event, EV_READ, 0); /* it is ready as soon as the loop runs */
    return c;
}

void control_close(struct control *c, bool flush)
{
    if (!flush || !c->ready || c->broken) {
        die(c, NULL);
    } else if (c->state == STATE_OPEN) {
        c->state = STATE_FLUSH;
        c->paused = false;
        c->deadline_ns = clock_now_ns() + FLUSH_MS * CLOCK_NS_PER_MS;
        arm(c);
        if (is_alive(c))
            flush_out(c);
    }
}

void control_pause(struct control *c, bool paused)
{
    if (c->paused == paused || c->state >= STATE_FLUSH)
        return;
    c->paused = paused;
    arm(c);
    if (is_alive(c) && !paused)
        event_active(&c->event, EV_READ, 0);
}

const uint8_t *control_peer_key(const struct control *c)
{
    return c->peer_key;
}

const struct seal_keys *control_media_keys(const struct control *c)
{
    return c->media;
}

void control_forget_media_keys(struct control *c)
{
    if (c->media != NULL)
        seal_keys_wipe(c->media);
    free(c->media);
    c->media = NULL;
}

const char *control_peer_address(const struct control *c)
{
    return where(c);
}
