/* control_out.c - writing on a control connection (see control.h)
 *
 * A text is cut into frames, each sealed and handed to the socket at once. Only what the socket does not take is kept,
 * in an evbuffer that lives no longer than it is needed.
 */
#include "net/control_parts.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <string.h>

/* The socket takes no more: what waits is lost, but what the peer had sent before it left is still to be read, and the
 * reader will find the end. */
static void out_is_broken(struct control *c)
{
    c->broken = true;
    if (c->out != NULL) {
        evbuffer_free(c->out);
        c->out = NULL;
        control_arm(c);
    }
    if (control_is_alive(c))
        event_active(&c->event, EV_READ, 0);
}

/* Sends now what the socket takes and keeps the rest. */
int control_out_put(struct control *c, const uint8_t *bytes, size_t len)
{
    ssize_t n = 0;

    if (c->broken)
        return -1;
    if (c->out == NULL) {
        n = control_file_send(c, bytes, len);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            out_is_broken(c);
            return -1;
        }
        n = n < 0 ? 0 : n;
        if ((size_t)n == len)
            return 0;
        c->out = evbuffer_new();
        control_arm(c);
    }
    if (c->out == NULL || evbuffer_add(c->out, bytes + n, len - (size_t)n) != 0) {
        control_out_of_memory(c);
        return -1;
    }
    return 0;
}

void control_out_flush(struct control *c)
{
    struct evbuffer_iovec piece;
    ssize_t n;

    while (c->out != NULL && evbuffer_peek(c->out, -1, NULL, &piece, 1) > 0) {
        n = control_file_send(c, piece.iov_base, piece.iov_len);
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
        control_arm(c);
    }
    /* Closing while the peer's words lie unread would reset the connection and take the last text with it. So only
     * our direction is shut, and the peer's end awaited. */
    if (c->state == CONTROL_FLUSH)
        shutdown(c->fd, SHUT_WR);
}

static int put_frame(struct control *c, enum wire_frame kind, const char *body, size_t len)
{
    uint8_t *frame = control_scratch->out;
    size_t plain = 1 + len;
    struct wire_writer w;

    frame[2] = (uint8_t)kind;
    memcpy(frame + 3, body, len);
    if (!c->local) {
        int n = noise_encrypt(&c->send, frame + 2, plain, frame + 2, CONTROL_FRAME_MAX - 2);

        if (n < 0) {
            CONTROL_DIE(c, ERR_INTERNAL, NULL, "the connection to %s has used up its cipher", control_peer_address(c));
            return -1;
        }
        plain = (size_t)n;
    }
    wr_init(&w, frame, 2);
    wr_u16(&w, (uint16_t)plain);
    return control_out_put(c, frame, 2 + plain);
}

int control_send(struct control *c, const char *text, size_t len)
{
    size_t waiting = c->out != NULL ? evbuffer_get_length(c->out) : 0;
    size_t max = c->server || c->local ? CONTROL_TEXT_MAX : CONTROL_REQUEST_MAX;

    if (c->state != CONTROL_OPEN || !c->ready || len > max)
        return -1;
    if (waiting > 0 && waiting + len > CONTROL_TEXT_MAX) {
        CONTROL_DIE(c, ERR_DENIED, NULL, "%s reads too slowly", control_peer_address(c));
        return -1;
    }
    for (; len > CONTROL_BODY_MAX; text += CONTROL_BODY_MAX, len -= CONTROL_BODY_MAX)
        if (put_frame(c, WIRE_FRAME_JSON_PART, text, CONTROL_BODY_MAX) != 0)
            return -1;
    return put_frame(c, WIRE_FRAME_JSON, text, len);
}
