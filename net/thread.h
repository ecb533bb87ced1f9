/* thread.h - starting the threads of net/
 *
 * Named as ps and top show them, with a small stack, at their priority, and with all signals blocked, so that signals
 * reach the main thread only.
 */
#ifndef SALOTTO_NET_THREAD_H
#define SALOTTO_NET_THREAD_H

#include "mixer/err.h"

#include <pthread.h>

/* Starts `run(arg)` on a thread called `name` (at most 15 bytes) with that nice value; where the machine forbids the
 * nice value the thread runs at the normal one. 0 or a negative code. Join with pthread_join(). */
int thread_start(pthread_t *thread, const char *name, int nice, void *(*run)(void *), void *arg, struct err *err);

#endif
