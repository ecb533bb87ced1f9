/* dispatch.h - orders from main to the other threads, and their answers
 *
 * The rings are bounded; an order that finds one full waits here in order and goes out when there is room, so that no
 * caller needs to know. A listener is known to their outlet before udp-in can learn an address of theirs: no order to
 * udp-in overtakes one to an outlet. Once a thread is gone, at the daemon's end, orders to it are over at once. Each
 * order may name an errand that its answer counts towards (NULL: nobody waits). main only.
 */
#ifndef SALOTTO_SALOTTOD_DISPATCH_H
#define SALOTTO_SALOTTOD_DISPATCH_H

#include "mixer/room.h"
#include "net/outlet_udp.h"
#include "net/udp_in.h"
#include "tools/salottod/errand.h"

#include <sys/queue.h>

struct live_room;
struct server;
struct waiting_order;

STAILQ_HEAD(waiting_orders, waiting_order);

struct dispatch {
    struct waiting_orders udp, outlet;
};

void dispatch_init(struct dispatch *d);

/* What still waits is dropped: for the daemon's end only. */
void dispatch_fini(struct dispatch *d);
void dispatch_drop(struct waiting_orders *q);

/* The cookie in *o or *c is overwritten. */
void dispatch_udp(struct server *s, struct udp_order *o, struct errand *e);
void dispatch_outlet(struct server *s, unsigned index, struct outlet_order *o, struct errand *e);
void dispatch_all_outlets(struct server *s, struct outlet_order *o, struct errand *e);
void dispatch_room(struct live_room *r, struct room_command *c, struct errand *e);

/* Sends on what waited. */
void dispatch_waiting(struct server *s);

/* Takes all answers of the workers, and those of one room. (udp-in's answers come among its events: UDP_DONE's cookie
 * goes to dispatch_answered().) */
void dispatch_outlet_answers(struct server *s);
void dispatch_room_answers(struct room *r);
void dispatch_answered(uint64_t cookie);

#endif
