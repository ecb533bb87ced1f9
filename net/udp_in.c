/* udp_in.c - the thread `udp-in` (see udp_in.h)
 *
 * One loop: wait for datagrams, for main, or for what is due next; carry out main's orders; take one batch of
 * datagrams; do what is due. With no session there is nothing due, and the thread sleeps until something comes.
 */
#include "net/udp_in.h"
#include "net/address.h"
#include "net/clock.h"
#include "net/session_table.h"
#include "net/thread.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define NICE           (-10)
#define ORDER_SLOTS    4096u
#define EVENT_SLOTS    8192u
#define ORDERS_A_TURN  64u
#define DATAGRAMS      64u
#define DATAGRAM_ROOM  (WIRE_DATAGRAM_MAX + 1) /* so that one that is too long shows */
#define ERROR_PAUSE_US 1000

struct udp_in {
    struct udp_in_stats stats;
    struct session_table table;
    struct waker waker;
    struct ring *orders; /* of struct udp_order *, main → udp-in */
    struct ring *events; /* of struct udp_event, udp-in → main */
    int fd;
    pthread_t thread;
    _Atomic bool quit;
    struct mmsghdr messages[DATAGRAMS];
    struct iovec pieces[DATAGRAMS];
    struct sockaddr_storage from[DATAGRAMS];
    uint8_t bytes[DATAGRAMS][DATAGRAM_ROOM];
};

static void order_free(struct udp_order *order)
{
    sodium_memzero(order, sizeof *order);
    free(order);
}

/* An order whose answer would find no room waits, so that main gets exactly one for each. */
static bool order_waits(const struct udp_in *u)
{
    return !ring_is_empty(u->orders) && ring_count(u->events) < EVENT_SLOTS;
}

static void take_orders(struct udp_in *u, uint64_t now_ns)
{
    struct udp_order *order;

    for (unsigned i = 0; i < ORDERS_A_TURN && order_waits(u) && ring_pop(u->orders, &order); i++) {
        struct udp_event done = {.kind = UDP_DONE, .cookie = order->cookie, .session = order->session};

        if (session_table_order(&u->table, order, now_ns) != 0)
            atomic_fetch_add_explicit(&u->stats.out_of_memory, 1, memory_order_relaxed);
        session_table_tell(&u->table, &done);
        order_free(order);
    }
}

static void receive(struct udp_in *u)
{
    uint64_t now_ns;
    int n;

    for (unsigned i = 0; i < DATAGRAMS; i++) {
        u->pieces[i] = (struct iovec){.iov_base = u->bytes[i], .iov_len = DATAGRAM_ROOM};
        u->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &u->from[i], .msg_namelen = sizeof u->from[i], .msg_iov = &u->pieces[i], .msg_iovlen = 1};
    }
    n = recvmmsg(u->fd, u->messages, DATAGRAMS, MSG_DONTWAIT, NULL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        atomic_fetch_add_explicit(&u->stats.receive_errors, 1, memory_order_relaxed);
        usleep(ERROR_PAUSE_US); /* an error that stays must not become a busy loop */
    }
    now_ns = clock_now_ns();
    for (int i = 0; i < n; i++) {
        union address from;

        if (address_set(&from, &u->from[i], u->messages[i].msg_hdr.msg_namelen))
            session_table_receive(&u->table, &from, u->bytes[i], u->messages[i].msg_len, now_ns);
    }
}

static int timeout_ms(const struct udp_in *u, uint64_t due_ns)
{
    uint64_t now_ns = clock_now_ns();

    if (order_waits(u) || atomic_load(&u->quit))
        return 0;
    if (due_ns == UINT64_MAX)
        return -1;
    return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns) / CLOCK_NS_PER_MS) + 1; /* 1 s at most: the sweep */
}

static void *run(void *arg)
{
    struct udp_in *u = arg;
    struct pollfd fds[2] = {{.fd = u->fd, .events = POLLIN}, {.fd = u->waker.event_fd, .events = POLLIN}};
    uint64_t due_ns = UINT64_MAX;

    while (!atomic_load(&u->quit)) {
        if (poll(fds, 2, timeout_ms(u, due_ns)) < 0)
            continue; /* EINTR; with all signals blocked, a debugger's doing */
        if (fds[1].revents != 0)
            waker_drain(&u->waker);
        take_orders(u, clock_now_ns());
        if (fds[0].revents != 0)
            receive(u);
        due_ns = session_table_tend(&u->table, clock_now_ns());
    }
    return NULL;
}

static void dismantle(struct udp_in *u)
{
    struct udp_order *order;

    session_table_fini(&u->table);
    while (u->orders != NULL && ring_pop(u->orders, &order))
        order_free(order);
    ring_free(u->orders);
    ring_free(u->events);
    if (u->waker.event_fd >= 0)
        close(u->waker.event_fd);
    free(u);
}

struct udp_in *udp_in_new(const struct udp_in_config *c, struct err *err)
{
    struct udp_in *u = calloc(1, sizeof *u);

    if (u == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory for the thread udp-in");
        return NULL;
    }
    u->fd = c->fd;
    waker_init(&u->waker, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    u->orders = ring_new(ORDER_SLOTS, sizeof(struct udp_order *));
    u->events = ring_new(EVENT_SLOTS, sizeof(struct udp_event));
    session_table_init(&u->table, c->fd, c->outlet, c->outlets, u->events, c->owner, &u->stats);
    if (u->orders == NULL || u->events == NULL || u->waker.event_fd < 0)
        err_set(err, ERR_INTERNAL, NULL, "no memory or descriptors for the thread udp-in");
    else if (thread_start(&u->thread, "udp-in", NICE, run, u, err) == 0)
        return u;
    dismantle(u);
    return NULL;
}

void udp_in_free(struct udp_in *u)
{
    if (u == NULL)
        return;
    atomic_store(&u->quit, true);
    waker_wake(&u->waker);
    pthread_join(u->thread, NULL);
    dismantle(u);
}

bool udp_in_order(struct udp_in *u, const struct udp_order *order)
{
    struct udp_order *copy = malloc(sizeof *copy);

    if (copy == NULL)
        return false;
    *copy = *order;
    if (!ring_push(u->orders, &copy, sizeof copy)) {
        order_free(copy);
        return false;
    }
    waker_wake(&u->waker);
    return true;
}

bool udp_in_event(struct udp_in *u, struct udp_event *out)
{
    if (!ring_pop(u->events, out))
        return false;
    if (!ring_is_empty(u->orders))
        waker_wake(&u->waker); /* it may be waiting for this room */
    return true;
}

const struct udp_in_stats *udp_in_stats(const struct udp_in *u)
{
    return &u->stats;
}
