/* crowd.h - how many connections this process may have, and what the operator is told when more would come
 *
 * Descriptors are what runs out first. Some are kept for the daemon itself and for the operator, who must get in when
 * the house is full. main only.
 */
#ifndef SALOTTO_SALOTTOD_CROWD_H
#define SALOTTO_SALOTTOD_CROWD_H

#include "mixer/err.h"
#include "net/control_server.h"

#include <stdint.h>

struct crowd {
    unsigned long files;      /* that may be open at once */
    unsigned max_connections; /* people's, for control_server_config */
    uint64_t refused, pauses; /* as last told */
    uint64_t told_ns;         /* 0: never */
};

/* Raises the limit of open files as far as it may be. ERR_INTERNAL where it is too low for any room. */
int crowd_init(struct crowd *c, struct err *err);

/* Says in the log when connections were refused or had to wait; at most once a minute. */
void crowd_look(struct crowd *c, const struct control_server_stats *stats, uint64_t now_ns);

#endif
