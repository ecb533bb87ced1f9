/* stay.h - one stay in a room, from joining to leaving
 *
 * What `listen` and `speak` do: brings together the session, what is heard, one's voice, keys, the status line and
 * the events for scripts.
 */
#ifndef SALOTTO_STAY_H
#define SALOTTO_STAY_H

#include "mixer/err.h"
#include "tools/salotto/args.h"
#include "tools/salotto/events_out.h"

/* Runs until it is over. 0, or a negative code with err. */
int stay_run(const struct args *args, struct events_out *events, struct err *err);

#endif
