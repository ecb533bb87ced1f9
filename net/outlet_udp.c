/* outlet_udp.c - the thread around a fan-out (see outlet_udp.h)
 *
 * Three rings meet here: main's orders (by pointer: they hold keys, which are wiped as soon as they are carried out),
 * the answers to them, and the addresses that udp-in has proven. Only between two passes are they looked at.
 */
#include "net/outlet_udp.h"
#include "mixer/ring.h"
#include "net/fanout.h"
#include "net/thread.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NICE        (-10)
#define RING_SLOTS  4096u
#define ORDER_BATCH 256u /* between two passes */

struct proven {
    uint32_t session;
    union address to;
};

struct outlet_udp {
    struct outlet_stats stats;
    struct waker waker;
    struct waker *owner;
    struct ring *orders;    /* of struct outlet_order *, main → worker */
    struct ring *answers;   /* of cookies, worker → main */
    struct ring *addresses; /* of struct proven, udp-in → worker */
    struct fanout *fanout;
    pthread_t thread;
    _Atomic bool quit;
};

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void order_free(struct outlet_order *order)
{
    sodium_memzero(order, sizeof *order);
    free(order);
}

/* An order whose answer would find no room waits, so that main gets exactly one for each. */
static bool order_waits(const struct outlet_udp *o)
{
    return !ring_is_empty(o->orders) && ring_count(o->answers) < RING_SLOTS;
}

static unsigned take_orders(struct outlet_udp *o, unsigned max)
{
    struct outlet_order *order;
    unsigned n = 0;

    while (n < max && order_waits(o) && ring_pop(o->orders, &order)) {
        if (fanout_order(o->fanout, order) != 0)
            count(&o->stats.out_of_memory, 1);
        ring_push(o->answers, &order->cookie, sizeof order->cookie);
        order_free(order);
        n++;
    }
    if (n > 0 && o->owner != NULL)
        waker_wake(o->owner);
    return n;
}

static void take_addresses(struct outlet_udp *o)
{
    struct proven p;

    while (ring_pop(o->addresses, &p)) {
        if (fanout_address(o->fanout, p.session, &p.to))
            continue;
        /* main orders a listener here before udp-in can prove its address, but by another ring: look there first. */
        take_orders(o, RING_SLOTS);
        if (!fanout_address(o->fanout, p.session, &p.to))
            count(&o->stats.unknown_session, 1);
    }
}

static bool is_idle(const struct outlet_udp *o)
{
    return !order_waits(o) && ring_is_empty(o->addresses) && fanout_is_idle(o->fanout);
}

static void *run(void *arg)
{
    struct outlet_udp *o = arg;
    bool quit, more;

    do {
        uint32_t seen = waker_prepare(&o->waker);

        if (is_idle(o) && !atomic_load(&o->quit))
            waker_wait(&o->waker, seen, 0);
        waker_done(&o->waker);
        count(&o->stats.wakes, 1);
        quit = atomic_load(&o->quit);
        do {
            take_addresses(o);
            more = take_orders(o, ORDER_BATCH) > 0;
            more |= fanout_pass(o->fanout);
        } while (more);
    } while (!quit);
    return NULL;
}

static void dismantle(struct outlet_udp *o)
{
    struct outlet_order *order;

    while (o->orders != NULL && ring_pop(o->orders, &order))
        order_free(order);
    ring_free(o->orders);
    ring_free(o->answers);
    ring_free(o->addresses);
    fanout_free(o->fanout);
    free(o);
}

struct outlet_udp *outlet_udp_new(unsigned index, int fd, struct waker *owner, struct err *err)
{
    struct outlet_udp *o = calloc(1, sizeof *o);
    char name[16];

    if (o == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory for outlet-%u", index);
        return NULL;
    }
    snprintf(name, sizeof name, "outlet-%u", index);
    waker_init(&o->waker, -1);
    o->owner = owner;
    o->orders = ring_new(RING_SLOTS, sizeof(struct outlet_order *));
    o->answers = ring_new(RING_SLOTS, sizeof(uint64_t));
    o->addresses = ring_new(RING_SLOTS, sizeof(struct proven));
    o->fanout = fanout_new(fd, &o->stats);
    if (o->orders == NULL || o->answers == NULL || o->addresses == NULL || o->fanout == NULL)
        err_set(err, ERR_INTERNAL, NULL, "out of memory for %s", name);
    else if (thread_start(&o->thread, name, NICE, run, o, err) == 0)
        return o;
    dismantle(o);
    return NULL;
}

void outlet_udp_free(struct outlet_udp *o)
{
    if (o == NULL)
        return;
    atomic_store(&o->quit, true);
    waker_wake(&o->waker);
    pthread_join(o->thread, NULL);
    dismantle(o);
}

bool outlet_udp_order(struct outlet_udp *o, const struct outlet_order *order)
{
    struct outlet_order *copy = malloc(sizeof *copy);

    if (copy == NULL)
        return false;
    *copy = *order;
    if (!ring_push(o->orders, &copy, sizeof copy)) {
        order_free(copy);
        return false;
    }
    waker_wake(&o->waker);
    return true;
}

bool outlet_udp_answer(struct outlet_udp *o, uint64_t *cookie)
{
    if (!ring_pop(o->answers, cookie))
        return false;
    if (!ring_is_empty(o->orders))
        waker_wake(&o->waker); /* it may be waiting for this room */
    return true;
}

bool outlet_udp_address(struct outlet_udp *o, uint32_t session, const struct sockaddr_storage *to, socklen_t len)
{
    struct proven p = {.session = session};

    if (!address_set(&p.to, to, len) || !ring_push(o->addresses, &p, sizeof p))
        return false;
    waker_wake(&o->waker);
    return true;
}

struct waker *outlet_udp_waker(struct outlet_udp *o)
{
    return &o->waker;
}

const struct outlet_stats *outlet_udp_stats(const struct outlet_udp *o)
{
    return &o->stats;
}
