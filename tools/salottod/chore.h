/* chore.h - work that blocks, on a short-lived thread of its own
 *
 * For what main must not wait for and the storage thread should not be held up by: reading a whole database, asking a
 * name server. A thread runs the work at a low priority and wakes main; main joins it and calls `done`. Few at a time.
 * All functions are main's, but chore_tell().
 */
#ifndef SALOTTO_SALOTTOD_CHORE_H
#define SALOTTO_SALOTTOD_CHORE_H

#include "mixer/err.h"

#include <stdbool.h>
#include <stdint.h>

#define CHORES_MAX 4u

struct chore;
struct server;

struct chores {
    struct chore *running[CHORES_MAX]; /* NULL: free */
};

/* What a chore is made of. work runs on the thread; non-zero with err fails. told (NULL: nobody is) is called on main
 * now and then with what chore_tell() said last; done once, last. */
struct chore_plan {
    int (*work)(struct chore *c, void *job, struct err *err);
    void (*told)(struct chore *c, void *job, uint64_t done, uint64_t all);
    void (*done)(void *job, int status, const struct err *err);
};

/* Starts a thread. plan is borrowed, job the caller's until `done`. ERR_INTERNAL when CHORES_MAX run already. */
int chore_start(struct server *s, const struct chore_plan *plan, void *job, struct err *err);

/* The work's, from its thread: how far it is, in whatever it counts. False: give up, with an error. Cheap. */
bool chore_tell(struct chore *c, uint64_t done, uint64_t all);

/* Has the next chore_tell() say so. */
void chore_give_up(struct chore *c);

/* When main was woken. / At the daemon's end: all give up, and are waited for. */
void chores_look(struct server *s);
void chores_end(struct server *s);

#endif
