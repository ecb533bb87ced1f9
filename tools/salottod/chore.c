/* chore.c - work that blocks, on a thread of its own (see chore.h) */
#include "tools/salottod/chore.h"

#include "net/clock.h"
#include "net/thread.h"
#include "tools/salottod/server.h"

#include <stdatomic.h>
#include <stdlib.h>

#define NICE    10
#define TELL_NS (200 * CLOCK_NS_PER_MS) /* between two wake-ups of main for how far it is */

struct chore {
    const struct chore_plan *plan;
    void *job;
    struct waker *owner;
    pthread_t thread;
    uint64_t told_ns;   /* the thread's */
    const void *reader; /* whom errors are for, on the thread and in `told` and `done` */
    struct err err;
    int status;
    _Atomic uint64_t done, all;
    atomic_bool told, ended, give_up;
};

static void *run(void *arg)
{
    struct chore *c = arg;

    (void)err_for(c->reader);
    c->status = c->plan->work(c, c->job, &c->err);
    atomic_store_explicit(&c->ended, true, memory_order_release);
    waker_wake(c->owner);
    return NULL;
}

int chore_start(struct server *s, const struct chore_plan *plan, void *job, struct err *err)
{
    struct chore *c;
    unsigned n = 0;
    int status;

    while (n < CHORES_MAX && s->chores.running[n] != NULL)
        n++;
    if (n == CHORES_MAX)
        return err_set(err, ERR_INTERNAL, "try again when they are done", "%u such commands run already", n);
    c = calloc(1, sizeof *c);
    if (c == NULL)
        return err_set(err, ERR_INTERNAL, NULL, "out of memory");
    c->plan = plan;
    c->job = job;
    c->owner = &s->waker;
    c->reader = err_reader();
    c->told_ns = clock_now_ns();
    status = thread_start(&c->thread, "chore", NICE, run, c, err);
    if (status != 0)
        free(c);
    else
        s->chores.running[n] = c;
    return status;
}

bool chore_tell(struct chore *c, uint64_t done, uint64_t all)
{
    uint64_t now_ns = clock_now_ns();

    if (now_ns - c->told_ns >= TELL_NS) {
        c->told_ns = now_ns;
        atomic_store_explicit(&c->done, done, memory_order_relaxed);
        atomic_store_explicit(&c->all, all, memory_order_relaxed);
        atomic_store_explicit(&c->told, true, memory_order_release);
        waker_wake(c->owner);
    }
    return !atomic_load_explicit(&c->give_up, memory_order_relaxed);
}

void chore_give_up(struct chore *c)
{
    atomic_store_explicit(&c->give_up, true, memory_order_relaxed);
}

/* Its place is free before `done` is called, which may start another. */
static void finish(struct chore **place)
{
    struct chore *c = *place;

    *place = NULL;
    pthread_join(c->thread, NULL);
    c->plan->done(c->job, c->status, &c->err);
    free(c);
}

void chores_look(struct server *s)
{
    for (unsigned n = 0; n < CHORES_MAX; n++) {
        struct chore *c = s->chores.running[n];

        if (c == NULL)
            continue;
        if (atomic_exchange_explicit(&c->told, false, memory_order_acquire) && c->plan->told != NULL)
            c->plan->told(c, c->job, atomic_load_explicit(&c->done, memory_order_relaxed),
                          atomic_load_explicit(&c->all, memory_order_relaxed));
        if (atomic_load_explicit(&c->ended, memory_order_acquire))
            finish(&s->chores.running[n]);
    }
}

void chores_end(struct server *s)
{
    for (unsigned n = 0; n < CHORES_MAX; n++)
        if (s->chores.running[n] != NULL)
            chore_give_up(s->chores.running[n]);
    for (unsigned n = 0; n < CHORES_MAX; n++)
        if (s->chores.running[n] != NULL)
            finish(&s->chores.running[n]);
}
