/* control_server.c - the thread `net` (see control_server.h)
 *
 * Two rings join it to main: orders come in, events (net/control_peer.h) go out, and a waker for each side is written
 * only when that side sleeps. A text for many crosses as one block and is sealed for each connection from there.
 */
#include "net/control_server.h"
#include "mixer/ring.h"
#include "net/control_peer.h"
#include "net/id_table.h"
#include "net/acceptor.h"
#include "net/thread.h"

#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NICE         (-5)
#define RING_SLOTS   1024u
#define ORDER_BATCH  64
#define ACCEPTORS    4u
#define FULL_WAIT_US 200

enum order_kind { ORDER_SEND, ORDER_CLOSE, ORDER_STOP };

/* A text and who gets it, in one block. */
struct broadcast {
    size_t n, len;
    bool close_after;
    int file; /* for the only one of them; -1: none */
    uint64_t connections[];
};

struct order {
    enum order_kind kind;
    uint64_t connection;
    struct broadcast *broadcast;
    unsigned flush_ms;
};

struct control_server {
    struct control_server_config config;
    struct control_server_stats stats;
    struct ring *orders;
    struct waker waker; /* net's */
    pthread_t thread;
    struct event_base *base;
    struct event *woken, *flush_limit;
    struct acceptor *acceptors[ACCEPTORS];
    unsigned acceptor_count;
    struct acceptor *unix_acceptor;
    struct acceptor_file file;
    struct id_table peers;
    struct peer_outbox outbox;
    uint64_t last_id;
    size_t remote_count; /* all but the operator's */
};

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void on_gone(struct control_peer *p, void *arg)
{
    struct control_server *s = arg;

    id_table_remove(&s->peers, p->id);
    if (!p->local)
        s->remote_count--;
    if (s->outbox.closed && s->peers.count == 0)
        event_base_loopbreak(s->base);
}

/* Something that main may want to tell the operator of. */
static void count_loss(struct control_server *s, _Atomic uint64_t *counter)
{
    count(counter, 1);
    if (s->config.owner != NULL)
        waker_wake(s->config.owner);
}

static void on_pause(void *arg)
{
    struct control_server *s = arg;

    count_loss(s, &s->stats.accept_pauses);
}

static void take_connection(struct control_server *s, int fd, bool local)
{
    struct control_peer *p;

    count(&s->stats.accepted, 1);
    /* The operator gets in when the house is full. */
    if (!local && s->config.max_connections != 0 && s->remote_count >= s->config.max_connections)
        goto refuse;
    p = calloc(1, sizeof *p);
    if (p == NULL)
        goto refuse;
    *p = (struct control_peer){.id = ++s->last_id, .outbox = &s->outbox, .local = local};
    if (id_table_put(&s->peers, p->id, p) != 0) {
        peer_free(p);
        goto refuse;
    }
    p->control = local ? control_local(s->base, fd, &peer_callbacks, p)
                       : control_accept(s->base, fd, s->config.identity, &peer_callbacks, p);
    if (p->control == NULL) {
        id_table_remove(&s->peers, p->id);
        peer_free(p);
        count_loss(s, &s->stats.refused);
        return;
    }
    s->remote_count += !local;
    count(&s->stats.open, 1);
    return;

refuse:
    count_loss(s, &s->stats.refused);
    close(fd);
}

static void on_tcp(int fd, void *arg)
{
    take_connection(arg, fd, false);
}

static void on_unix(int fd, void *arg)
{
    take_connection(arg, fd, true);
}

static void stop_listening(struct control_server *s)
{
    for (unsigned i = 0; i < s->acceptor_count; i++)
        acceptor_free(s->acceptors[i]);
    s->acceptor_count = 0;
    acceptor_free(s->unix_acceptor);
    s->unix_acceptor = NULL;
    acceptor_remove_unix(&s->file);
    s->file.path[0] = '\0';
}

static void close_all(struct control_server *s, bool flush)
{
    size_t at = 0;

    for (struct control_peer *p; (p = id_table_next(&s->peers, &at)) != NULL;)
        if (p->control != NULL)
            control_close(p->control, flush);
}

static void on_flush_limit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    close_all(arg, false);
}

static void stop(struct control_server *s, unsigned flush_ms)
{
    struct timeval limit = {.tv_sec = flush_ms / 1000, .tv_usec = (suseconds_t)(flush_ms % 1000) * 1000};

    s->outbox.closed = true;
    stop_listening(s);
    peer_outbox_feed(&s->outbox);
    close_all(s, flush_ms > 0);
    if (s->peers.count == 0)
        event_base_loopbreak(s->base);
    else
        event_add(s->flush_limit, &limit);
}

static void broadcast_free(struct broadcast *b)
{
    if (b != NULL && b->file >= 0)
        close(b->file);
    if (b != NULL)
        sodium_memzero(b->connections + b->n, b->len);
    free(b);
}

static struct control *find(const struct control_server *s, uint64_t connection)
{
    const struct control_peer *p = id_table_get(&s->peers, connection);

    return p != NULL ? p->control : NULL;
}

static void send_all(struct control_server *s, struct broadcast *b)
{
    const char *text = (const char *)(b->connections + b->n);

    for (size_t i = 0; i < b->n; i++) {
        struct control *c = find(s, b->connections[i]);

        if (c == NULL)
            continue;
        /* What fails here has closed the connection, and main will hear of it. */
        if (b->file < 0)
            control_send(c, text, b->len);
        else
            control_send_file(c, text, b->len, b->file);
        b->file = -1;
        if (b->close_after)
            control_close(c, true);
    }
    broadcast_free(b);
}

static void on_woken(evutil_socket_t fd, short what, void *arg)
{
    struct control_server *s = arg;
    struct control *c;
    struct order o;

    (void)fd, (void)what;
    waker_drain(&s->waker);
    peer_outbox_feed(&s->outbox);
    for (int i = 0; i < ORDER_BATCH; i++) {
        if (!ring_pop(s->orders, &o))
            return;
        if (o.kind == ORDER_STOP) {
            stop(s, o.flush_ms);
            return;
        }
        if (o.kind == ORDER_SEND)
            send_all(s, o.broadcast);
        else if ((c = find(s, o.connection)) != NULL)
            control_close(c, true);
    }
    event_active(s->woken, EV_READ, 0); /* connections have their turn, then the other orders */
}

static void *run(void *arg)
{
    struct control_server *s = arg;

    event_base_dispatch(s->base);
    return NULL;
}

static int watch(struct control_server *s, const struct control_server_config *c, struct err *err)
{
    for (unsigned i = 0; i < c->tcp_count; i++) {
        struct acceptor *l = s->acceptor_count < ACCEPTORS ? acceptor_new(s->base, c->tcp_fds[i], on_tcp, on_pause, s)
                                                           : (close(c->tcp_fds[i]), NULL);

        if (l != NULL)
            s->acceptors[s->acceptor_count++] = l;
    }
    if (s->acceptor_count != c->tcp_count)
        return err_set(err, ERR_INTERNAL, NULL, "cannot watch %u listening sockets", c->tcp_count);
    if (c->unix_path != NULL) {
        int fd = acceptor_open_unix(c->unix_path, &s->file, err);

        if (fd < 0)
            return fd;
        s->unix_acceptor = acceptor_new(s->base, fd, on_unix, on_pause, s);
        if (s->unix_acceptor == NULL)
            return err_set(err, ERR_INTERNAL, NULL, "cannot watch %s", c->unix_path);
    }
    return 0;
}

/* All that the thread left behind, or that start-up got as far as. */
static void dismantle(struct control_server *s)
{
    struct peer_event e;
    struct order o;

    stop_listening(s);
    while (s->outbox.events != NULL && ring_pop(s->outbox.events, &e))
        peer_event_free(&e);
    while (s->orders != NULL && ring_pop(s->orders, &o))
        broadcast_free(o.broadcast);
    ring_free(s->outbox.events);
    ring_free(s->orders);
    id_table_fini(&s->peers);
    if (s->woken != NULL)
        event_free(s->woken);
    if (s->flush_limit != NULL)
        event_free(s->flush_limit);
    if (s->base != NULL)
        event_base_free(s->base);
    if (s->waker.event_fd >= 0)
        close(s->waker.event_fd);
    free(s);
}

struct control_server *control_server_new(const struct control_server_config *c, struct err *err)
{
    struct control_server *s = calloc(1, sizeof *s);

    if (s == NULL) {
        for (unsigned i = 0; i < c->tcp_count; i++)
            close(c->tcp_fds[i]);
        err_set(err, ERR_INTERNAL, NULL, "out of memory for the thread net");
        return NULL;
    }
    s->config = *c;
    id_table_init(&s->peers);
    waker_init(&s->waker, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    s->orders = ring_new(RING_SLOTS, sizeof(struct order));
    peer_outbox_init(&s->outbox, ring_new(RING_SLOTS, sizeof(struct peer_event)), RING_SLOTS, c->owner, &s->stats);
    s->outbox.gone = on_gone;
    s->outbox.arg = s;
    s->base = event_base_new();
    if (s->base != NULL) {
        s->woken = event_new(s->base, s->waker.event_fd, EV_READ | EV_PERSIST, on_woken, s);
        s->flush_limit = evtimer_new(s->base, on_flush_limit, s);
    }
    if (s->orders == NULL || s->outbox.events == NULL || s->woken == NULL || s->flush_limit == NULL ||
        s->waker.event_fd < 0 || event_add(s->woken, NULL) != 0) {
        for (unsigned i = 0; i < c->tcp_count; i++)
            close(c->tcp_fds[i]);
        err_set(err, ERR_INTERNAL, NULL, "no memory or descriptors for the thread net");
    } else if (watch(s, c, err) == 0 && thread_start(&s->thread, "net", NICE, run, s, err) == 0) {
        return s;
    }
    dismantle(s);
    return NULL;
}

bool control_server_next(struct control_server *s, struct control_event *out)
{
    struct peer_event e;

    if (!ring_pop(s->outbox.events, &e))
        return false;
    if (peer_event_taken(&s->outbox))
        waker_wake(&s->waker);
    *out = (struct control_event){
        .kind = e.kind, .connection = e.connection, .local = e.local, .text = e.text, .len = e.len};
    if (e.opened != NULL) {
        memcpy(out->key, e.opened->key, sizeof out->key);
        out->keys = e.opened->keys;
        memcpy(out->address, e.opened->address, sizeof out->address);
        e.text = NULL; /* main's now */
        peer_event_free(&e);
    }
    return true;
}

/* net never waits for main, so a full ring empties by itself, and soon. */
static void order(struct control_server *s, const struct order *o)
{
    while (ring_count(s->orders) == RING_SLOTS) {
        count(&s->stats.order_waits, 1);
        waker_wake(&s->waker);
        usleep(FULL_WAIT_US);
    }
    ring_push(s->orders, o, sizeof *o);
    waker_wake(&s->waker);
}

static void send_text(struct control_server *s, const uint64_t *connections, size_t n, const char *text, size_t len,
                      bool close_after, int file)
{
    struct broadcast *b = n > SIZE_MAX / 2 / sizeof *connections || len > CONTROL_TEXT_MAX
                              ? NULL
                              : malloc(sizeof *b + n * sizeof *connections + len);

    if (b == NULL) {
        if (file >= 0)
            close(file);
        count(&s->stats.unsent, n);
        for (size_t i = 0; close_after && i < n; i++)
            control_server_close(s, connections[i]);
        return;
    }
    b->n = n;
    b->len = len;
    b->close_after = close_after;
    b->file = file;
    memcpy(b->connections, connections, n * sizeof *connections);
    memcpy(b->connections + n, text, len);
    order(s, &(struct order){.kind = ORDER_SEND, .broadcast = b});
}

void control_server_send(struct control_server *s, const uint64_t *connections, size_t n, const char *text, size_t len,
                         bool close_after)
{
    if (n > 0)
        send_text(s, connections, n, text, len, close_after, -1);
}

void control_server_send_file(struct control_server *s, uint64_t connection, const char *text, size_t len, int fd)
{
    send_text(s, &connection, 1, text, len, false, fd);
}

void control_server_close(struct control_server *s, uint64_t connection)
{
    order(s, &(struct order){.kind = ORDER_CLOSE, .connection = connection});
}

void control_server_free(struct control_server *s, unsigned flush_ms)
{
    if (s == NULL)
        return;
    order(s, &(struct order){.kind = ORDER_STOP, .flush_ms = flush_ms});
    pthread_join(s->thread, NULL);
    dismantle(s);
}

const struct control_server_stats *control_server_stats(const struct control_server *s)
{
    return &s->stats;
}
