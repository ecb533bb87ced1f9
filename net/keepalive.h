/* keepalive.h - when a client sends its next keep-alive
 *
 * Every 4 s while they are answered, every 500 ms while the newest is not, and every 500 ms while nothing is heard of a
 * room that should be heard. So a client tells a quiet room from a dead path. Pure state: no socket, no clock; the
 * caller says what happened and when. PROTOCOL.md, "Path".
 */
#ifndef SALOTTO_NET_KEEPALIVE_H
#define SALOTTO_NET_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

#define KEEPALIVE_CALM_NS  4000000000ull
#define KEEPALIVE_HASTY_NS 500000000ull

struct keepalive {
    uint64_t due_ns; /* by the answers alone */
    uint64_t sent_ns, heard_ns;
    bool parked; /* silence is no sign of anything */
};

/* The media socket is open: the first one is due. */
void keepalive_start(struct keepalive *k, uint64_t now_ns);

/* When the next one is due, as things stand. */
uint64_t keepalive_due_ns(const struct keepalive *k);

/* One was sent / answered. / A stream packet came; pause: it said that the room parks. */
void keepalive_sent(struct keepalive *k, uint64_t now_ns);
void keepalive_answered(struct keepalive *k, bool parked, uint64_t now_ns);
void keepalive_heard(struct keepalive *k, bool pause, uint64_t now_ns);

#endif
