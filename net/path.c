/* path.c - address validation and roaming (see path.h)
 *
 * A candidate keeps its token for as long as it is the candidate. On a slow line several challenges may be under way
 * before the first answer comes back; any of them must be good, or such a line would never be proven.
 */
#include "net/path.h"

#include <sodium.h>
#include <string.h>

void path_init(struct path *p)
{
    memset(p, 0, sizeof *p);
}

static void drop_candidate(struct path *p)
{
    memset(&p->candidate, 0, sizeof p->candidate);
    sodium_memzero(p->token, sizeof p->token);
    p->budget = 0;
}

bool path_heard(struct path *p, const union address *from, size_t len, bool newest, size_t challenge_bytes,
                uint64_t now_ns)
{
    if (path_is_proven(p, from)) {
        if (newest)
            drop_candidate(p); /* the session speaks from its proven address again */
        return false;
    }
    if (!address_equal(&p->candidate, from)) {
        if (!newest)
            return false; /* a straggler from an address left behind */
        drop_candidate(p);
        p->candidate = *from;
        randombytes_buf(p->token, sizeof p->token);
    }
    p->budget = len > PATH_BUDGET_MAX - p->budget ? PATH_BUDGET_MAX : p->budget + (uint32_t)len;
    if (challenge_bytes > p->budget || (p->challenged_ns != 0 && now_ns - p->challenged_ns < PATH_CHALLENGE_NS))
        return false;
    p->budget -= (uint32_t)challenge_bytes;
    p->challenged_ns = now_ns;
    return true;
}

bool path_answer(struct path *p, const union address *from, const uint8_t token[PATH_TOKEN_BYTES])
{
    if (!address_equal(&p->candidate, from) || sodium_memcmp(p->token, token, PATH_TOKEN_BYTES) != 0)
        return false;
    p->proven = p->candidate;
    drop_candidate(p);
    return true;
}
