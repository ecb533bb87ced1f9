/* crowd.c - how many connections this process may have (see crowd.h) */
#include "tools/salottod/crowd.h"

#include "net/clock.h"
#include "tools/descriptors.h"
#include "tools/salottod/log.h"

#include <string.h>

#define OWN      64u /* the daemon's own (some 25), the operator's connections, the database's now and then */
#define LEAST    96u
#define MOST     1000000u /* people; a limit of "infinity" is not to be a number of theirs */
#define QUIET_NS (60 * CLOCK_NS_PER_S)

int crowd_init(struct crowd *c, struct err *err)
{
    int status;

    memset(c, 0, sizeof *c);
    status = descriptors_raise(LEAST, &c->files, err);
    if (status == 0)
        c->max_connections = c->files - OWN < MOST ? (unsigned)(c->files - OWN) : MOST;
    return status;
}

void crowd_look(struct crowd *c, const struct control_server_stats *stats, uint64_t now_ns)
{
    uint64_t refused = atomic_load_explicit(&stats->refused, memory_order_relaxed);
    uint64_t pauses = atomic_load_explicit(&stats->accept_pauses, memory_order_relaxed);

    if ((refused == c->refused && pauses == c->pauses) || (c->told_ns != 0 && now_ns - c->told_ns < QUIET_NS))
        return;
    log_line(LOG_WARNING_LINE,
             "no more people can come in: raise the limit of open files (ulimit -n, LimitNOFILE=) limit=%lu "
             "connections=%llu refused=%llu pauses=%llu",
             c->files, (unsigned long long)atomic_load_explicit(&stats->open, memory_order_relaxed),
             (unsigned long long)(refused - c->refused), (unsigned long long)(pauses - c->pauses));
    c->refused = refused;
    c->pauses = pauses;
    c->told_ns = now_ns;
}
