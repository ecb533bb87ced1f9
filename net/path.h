/* path.h - which address a session's media goes to
 *
 * The address follows the session's newest authentic datagram, but only after a challenge was answered from there, so
 * nobody can aim a stream at a third party by replaying or spoofing. An unproven address is never sent more bytes than
 * came from it. Pure state: no socket, no clock; the caller says what was heard and when. PROTOCOL.md, "Path".
 */
#ifndef SALOTTO_NET_PATH_H
#define SALOTTO_NET_PATH_H

#include "net/address.h"

#include <stddef.h>
#include <stdint.h>

#define PATH_TOKEN_BYTES  16u
#define PATH_CHALLENGE_NS 200000000ull /* no two challenges of a session are closer than this */
#define PATH_BUDGET_MAX   65535u

struct path {
    union address proven;            /* where media goes; not known before the first proof */
    union address candidate;         /* where the newest datagram came from, while that is not proven */
    uint8_t token[PATH_TOKEN_BYTES]; /* the candidate's */
    uint32_t budget;                 /* bytes heard from the candidate and not yet sent to it */
    uint64_t challenged_ns;          /* when the last challenge left; 0: never */
};

void path_init(struct path *p);

/* An authentic, not replayed datagram of len bytes came from `from`; newest: it is later than all before it. True when
 * a challenge of challenge_bytes is due now: send p->token to p->candidate (the budget is charged, the time noted). */
bool path_heard(struct path *p, const union address *from, size_t len, bool newest, size_t challenge_bytes,
                uint64_t now_ns);

/* A challenge answer came from `from`. True when that proves the candidate: p->proven has changed. */
bool path_answer(struct path *p, const union address *from, const uint8_t token[PATH_TOKEN_BYTES]);

/* Did it come from where media goes? */
static inline bool path_is_proven(const struct path *p, const union address *from)
{
    return address_equal(&p->proven, from);
}

#endif
