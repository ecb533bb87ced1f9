/* control_in.c - reading from a control connection (see control.h)
 *
 * Bytes are read into a buffer that all connections of a thread share, and whole frames are decrypted and delivered in
 * place. A connection gets memory of its own only for a frame that arrived in part, and for a text in parts.
 */
#include "net/control_parts.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void control_in_ready(struct control *c)
{
    if (c->ready)
        return;
    c->ready = true;
    c->deadline_ns = 0;
    control_arm(c);
    if (c->cb->ready != NULL)
        c->cb->ready(c, c->arg);
}

static bool keep_part(struct control *c, const uint8_t *body, size_t len)
{
    size_t max = c->server ? CONTROL_REQUEST_MAX : CONTROL_TEXT_MAX, room = c->text_room;
    char *bigger;

    if (c->text_len + len > max) {
        CONTROL_DIE(c, ERR_UNREACHABLE, NULL, "%s sent a text of more than %zu bytes", control_peer_address(c), max);
        return false;
    }
    while (room < c->text_len + len + 1)
        room = room == 0 ? len + 1 : 2 * room;
    if (room != c->text_room) {
        bigger = realloc(c->text, room);
        if (bigger == NULL) {
            control_out_of_memory(c);
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
        CONTROL_DIE(c, ERR_UNREACHABLE, NULL, "%s sent an empty frame", control_peer_address(c));
        return;
    }
    control_in_ready(c);
    if (c->state != CONTROL_OPEN)
        return;
    if (plain[0] == WIRE_FRAME_JSON_PART) {
        keep_part(c, plain + 1, len - 1);
    } else if (plain[0] == WIRE_FRAME_JSON && c->text == NULL) {
        if (len - 1 > CONTROL_REQUEST_MAX && c->server)
            CONTROL_DIE(c, ERR_UNREACHABLE, NULL, "%s sent a text of more than %u bytes", control_peer_address(c),
                        CONTROL_REQUEST_MAX);
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

    if (!control_is_alive(c)) /* the owner closed it while asked for its trust */
        return;
    if (done < 0) {
        control_die(c, &err);
        return;
    }
    if (done == 1) {
        c->send = result.send;
        c->receive = result.receive;
        memcpy(c->peer_key, result.peer_key, sizeof c->peer_key);
        c->media = malloc(sizeof *c->media);
        if (c->media == NULL)
            control_out_of_memory(c);
        else
            *c->media = result.media;
        sodium_memzero(&result, sizeof result);
        handshake_free(c->handshake);
        c->handshake = NULL;
        if (!control_is_alive(c))
            return;
        c->state = CONTROL_OPEN;
    }
    if (out_len > 0 && control_out_put(c, out, out_len) != 0)
        return;
    if (done == 1 && !c->server)
        control_in_ready(c);
    else
        control_arm(c);
}

/* How many bytes make the next unit, judged by the first `have`. 0: impossible, and the connection is dead. */
static size_t unit_bytes(struct control *c, const uint8_t *in, size_t have)
{
    struct err err;
    int need;

    if (c->state != CONTROL_HANDSHAKE)
        return have < 2 ? 2 : 2 + ((size_t)in[0] << 8 | in[1]);
    need = handshake_need(c->handshake, in, have, &err);
    if (need > 0)
        return (size_t)need;
    control_die(c, &err);
    return 0;
}

static void take_unit(struct control *c, uint8_t *unit, size_t len)
{
    int plain = (int)len - 2;

    if (c->state == CONTROL_HANDSHAKE) {
        take_handshake(c, unit, len);
        return;
    }
    if (!c->local)
        plain = noise_decrypt(&c->receive, unit + 2, len - 2, unit + 2, len - 2);
    if (plain < 0)
        CONTROL_DIE(c, ERR_UNREACHABLE, NULL, "%s sent a frame that does not decrypt", control_peer_address(c));
    else
        take_frame(c, unit + 2, (size_t)plain);
}

/* Takes all whole units and returns how many bytes they were. */
static size_t take_units(struct control *c, uint8_t *in, size_t have)
{
    size_t used = 0, unit;

    while ((c->state == CONTROL_HANDSHAKE || c->state == CONTROL_OPEN) && !c->paused) {
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
    size_t room = len > 0 && c->state < CONTROL_FLUSH ? unit_bytes(c, rest, len) : 0;
    uint8_t *keep = NULL;

    if (room > 0 && control_is_alive(c)) {
        room = room < len ? len : room;
        keep = malloc(room + 1);
        if (keep == NULL)
            control_out_of_memory(c);
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
    if (c->state == CONTROL_FLUSH || (n == 0 && c->ready))
        control_die(c, NULL);
    else if (n == 0 || (errno == ECONNRESET && c->state == CONTROL_HANDSHAKE))
        CONTROL_DIE(c, ERR_UNREACHABLE,
                    "try again; the server may be full, or something other than Salotto listens there",
                    "%s closed the connection during the handshake", control_peer_address(c));
    else if (errno == ECONNREFUSED)
        CONTROL_DIE(c, ERR_UNREACHABLE, "is salottod running there, and is the port right?", "nobody listens at %s",
                    control_peer_address(c));
    else
        CONTROL_DIE(c, ERR_UNREACHABLE, "check the network and try again", "the connection to %s broke: %s",
                    control_peer_address(c), err_reason(errno));
}

void control_in_read(struct control *c)
{
    bool waiting = c->in != NULL && c->in_have == c->in_room; /* whole units, kept over a pause */
    uint8_t *in = c->in != NULL ? c->in : control_scratch->in;
    ssize_t n = 0;
    size_t used;

    if (c->state == CONTROL_FLUSH) {
        n = recv(c->fd, control_scratch->in, CONTROL_FRAME_MAX, MSG_DONTWAIT);
        if (n <= 0)
            read_ended(c, n);
        return;
    }
    if (!waiting) {
        n = control_file_receive(c, in + c->in_have, (c->in != NULL ? c->in_room : CONTROL_FRAME_MAX) - c->in_have);
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

void control_in_free(struct control *c)
{
    drop_in(c);
    drop_parts(c);
}
