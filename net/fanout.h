/* fanout.h - one packet of a tape to all who listen to it
 *
 * Listeners are grouped by tape. A group's packet is read once, sealed once, and sent in batches of at most 64, a batch
 * of each group in turn, so that no crowd delays a small room; talkers' own streams go before each turn. Whoever joins
 * or tunes first gets the tape's last 240 ms on a cursor of their own, until that meets the group's. One thread,
 * without sleep or clock: net/outlet_udp.h is the thread around it.
 */
#ifndef SALOTTO_NET_FANOUT_H
#define SALOTTO_NET_FANOUT_H

#include "net/address.h"
#include "net/outlet_udp.h"

#define FANOUT_PREROLL_SAMPLES 11520u /* 240 ms: a decoder needs about 200 to be right below -60 dB */

struct fanout;

/* fd and stats are borrowed. NULL when out of memory. */
struct fanout *fanout_new(int fd, struct outlet_stats *stats);
void fanout_free(struct fanout *f);

/* Carries an order out; an order for nobody does nothing. 0, or -ENOMEM. */
int fanout_order(struct fanout *f, const struct outlet_order *order);

/* Where a session's packets go from now on. False when there is no such session. */
bool fanout_address(struct fanout *f, uint32_t session, const union address *to);

/* Sends at most one packet of each tape to all its listeners, and a bounded part of what those who catch up lack.
 * False when there was nothing to do. */
bool fanout_pass(struct fanout *f);

/* Has every packet that is on a tape gone to everybody who is to get it? */
bool fanout_is_idle(const struct fanout *f);

#endif
