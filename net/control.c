/* control.c - one control connection (see control.h)
 *
 * Thousands of these stand idle at a time, so each is small: one libevent event, the two ciphers, and nothing else that
 * lasts. A connection never dies inside a call from outside: it is marked dead, and the loop calls back and frees.
 */
#include "net/clock.h"
#include "net/control_parts.h"
#include "net/socket.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_MS 2000u

unsigned control_handshake_ms = 10000;

_Thread_local struct control_scratch *control_scratch;

static void on_event(evutil_socket_t fd, short what, void *arg);

void control_die(struct control *c, const struct err *why)
{
    if (!control_is_alive(c))
        return;
    c->state = CONTROL_DEAD;
    if (why != NULL && (c->why = malloc(sizeof *c->why)) != NULL)
        err_copy(c->why, why);
    event_del(&c->event);
    event_active(&c->event, EV_TIMEOUT, 0);
}

void control_out_of_memory(struct control *c)
{
    CONTROL_DIE(c, ERR_INTERNAL, NULL, "out of memory for the connection to %s", control_peer_address(c));
}

void control_arm(struct control *c)
{
    short what = EV_PERSIST;
    struct timeval *timeout = NULL, left;

    if (!control_is_alive(c))
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
        CONTROL_DIE(c, ERR_INTERNAL, NULL, "the connection to %s cannot be watched", control_peer_address(c));
}

static void finish(struct control *c)
{
    struct err none = {.code = ERR_NONE};

    if (c->cb->closed != NULL)
        c->cb->closed(c, c->why != NULL ? c->why : &none, c->arg);
    event_del(&c->event);
    close(c->fd);
    if (c->file >= 0)
        close(c->file);
    handshake_free(c->handshake);
    control_in_free(c);
    if (c->out != NULL)
        evbuffer_free(c->out);
    control_forget_media_keys(c);
    free(c->why);
    free(c->address);
    sodium_memzero(c, sizeof *c);
    free(c);
    if (--control_scratch->users == 0) {
        free(control_scratch);
        control_scratch = NULL;
    }
}

static void timed_out(struct control *c)
{
    if (c->state == CONTROL_FLUSH)
        control_die(c, NULL);
    else
        CONTROL_DIE(c, ERR_UNREACHABLE, "is that the address and port of a Salotto server?",
                    "%s did not finish the handshake within %u ms", control_peer_address(c), control_handshake_ms);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct control *c = arg;

    (void)fd;
    if (!control_is_alive(c)) {
        finish(c);
        return;
    }
    if (c->local)
        control_in_ready(c);
    if (control_is_alive(c) && c->deadline_ns != 0 && clock_now_ns() >= c->deadline_ns)
        timed_out(c);
    if (control_is_alive(c) && (what & EV_WRITE) != 0)
        control_out_flush(c);
    if (control_is_alive(c) && (what & EV_READ) != 0)
        control_in_read(c);
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

/* A peer whose machine is gone says nothing: the kernel asks it after 5 s of silence and gives up 9 s later. What can't
 * be set here only delays that. */
static void tune_tcp(int fd)
{
    int on = 1, idle_s = 5, every_s = 3, times = 3, unanswered_ms = 14000;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* a text is written at once, not in drops */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
}

static struct control *control_new(struct event_base *base, int fd, bool local, const struct control_callbacks *cb,
                                   void *arg)
{
    struct control *c = calloc(1, sizeof *c);

    if (c == NULL || (!local && (c->address = address_of(fd)) == NULL))
        goto out_of_memory;
    if (control_scratch == NULL && (control_scratch = calloc(1, sizeof *control_scratch)) == NULL)
        goto out_of_memory;
    control_scratch->users++;
    c->fd = fd;
    c->file = -1;
    c->cb = cb;
    c->arg = arg;
    c->local = local;
    c->state = local ? CONTROL_OPEN : CONTROL_HANDSHAKE;
    if (!local) {
        c->deadline_ns = clock_now_ns() + control_handshake_ms * CLOCK_NS_PER_MS;
        tune_tcp(fd);
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
    c->handshake = handshake_new_server(server, control_peer_address(c));
    if (c->handshake == NULL)
        return give_up(c);
    control_arm(c);
    control_out_put(c, hello, handshake_begin(c->handshake, hello));
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
    c->handshake = handshake_new_client(me, control_peer_address(c), pin, ask_trust, c);
    if (c->handshake == NULL)
        return give_up(c);
    control_arm(c);
    return c;
}

struct control *control_local(struct event_base *base, int fd, const struct control_callbacks *cb, void *arg)
{
    struct control *c = control_new(base, fd, true, cb, arg);

    if (c == NULL)
        return NULL;
    control_arm(c);
    if (control_is_alive(c))
        event_active(&c->event, EV_READ, 0); /* it is ready as soon as the loop runs */
    return c;
}

void control_close(struct control *c, bool flush)
{
    if (!flush || !c->ready || c->broken) {
        control_die(c, NULL);
    } else if (c->state == CONTROL_OPEN) {
        c->state = CONTROL_FLUSH;
        c->paused = false;
        c->deadline_ns = clock_now_ns() + FLUSH_MS * CLOCK_NS_PER_MS;
        control_arm(c);
        if (control_is_alive(c))
            control_out_flush(c);
    }
}

void control_pause(struct control *c, bool paused)
{
    if (c->paused == paused || c->state >= CONTROL_FLUSH)
        return;
    c->paused = paused;
    control_arm(c);
    if (control_is_alive(c) && !paused)
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
    return c->address != NULL ? c->address : "local";
}
