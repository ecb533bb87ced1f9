/* keepalive.c - the schedule of keep-alives (see keepalive.h) */
#include "net/keepalive.h"

#include <string.h>

void keepalive_start(struct keepalive *k, uint64_t now_ns)
{
    memset(k, 0, sizeof *k);
    k->due_ns = now_ns;
    k->heard_ns = now_ns;
}

uint64_t keepalive_due_ns(const struct keepalive *k)
{
    uint64_t silent_ns = (k->heard_ns > k->sent_ns ? k->heard_ns : k->sent_ns) + KEEPALIVE_HASTY_NS;

    return !k->parked && silent_ns < k->due_ns ? silent_ns : k->due_ns;
}

void keepalive_sent(struct keepalive *k, uint64_t now_ns)
{
    k->sent_ns = now_ns;
    k->due_ns = now_ns + KEEPALIVE_HASTY_NS;
}

void keepalive_answered(struct keepalive *k, bool parked, uint64_t now_ns)
{
    k->due_ns = now_ns + KEEPALIVE_CALM_NS;
    k->parked = parked;
}

void keepalive_heard(struct keepalive *k, bool pause, uint64_t now_ns)
{
    k->heard_ns = now_ns;
    k->parked = pause;
}
