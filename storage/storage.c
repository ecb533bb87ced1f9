/* storage.c - the thread `storage`: the only one that touches the database (see storage.h)
 *
 * A job lives in one of 1,024 tasks from its submission to its answer. The task's number travels to the thread in one
 * ring and comes back in another; since both have a slot for every task, neither can ever be full. Jobs for which no
 * task was free wait in a list of main's, to be answered with an error.
 *
 * main owns a task while it is on the free list or in an answer, the thread owns it from job ring to answer ring.
 */
#include "storage/storage.h"
#include "mixer/ring.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TASKS       1024u
#define STACK_BYTES ((size_t)256 * 1024)

struct task {
    storage_work *work;
    storage_done *done;
    void *job;
    const void *reader; /* whom its errors are for (err_for()) */
    int status;
    struct err err;
};

/* A job that was never taken on. */
struct refusal {
    struct refusal *next;
    storage_done *done;
    void *job;
    const void *reader;
};

struct storage {
    struct db *db;
    pthread_t thread;
    struct ring *jobs, *answers; /* of uint16_t: the task */
    struct waker waker;          /* the thread sleeps on it */
    struct waker *owner;
    atomic_bool stop;
    struct storage_stats stats;
    struct task tasks[TASKS];

    uint16_t group[TASKS]; /* the thread's: the tasks of the transaction that is running */

    uint16_t free_tasks[TASKS]; /* main's from here on */
    unsigned free_count;
    bool closed; /* the thread has ended */
    struct refusal *refused, **refused_end;
};

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Only one thread writes each maximum. */
static void raise_to(_Atomic uint64_t *max, uint64_t value)
{
    if (value > atomic_load_explicit(max, memory_order_relaxed))
        atomic_store_explicit(max, value, memory_order_relaxed);
}

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Those of group[from..to-1] that had gone well so far failed with the whole: SQLite still knows why, and tells each in
 * the words of whom it is for. */
static void fail_group(struct storage *s, unsigned from, unsigned to, const char *doing)
{
    int cause = errno;

    for (unsigned i = from; i < to; i++) {
        struct task *t = &s->tasks[s->group[i]];

        if (t->status != 0)
            continue;
        (void)err_for(t->reader);
        errno = cause;
        t->status = db_fail(s->db, &t->err, doing);
    }
    (void)err_for(NULL);
}

/* Runs one job in its savepoint. A job that fails leaves nothing behind. */
static void run_task(struct db *db, struct task *t)
{
    (void)err_for(t->reader);
    t->status = db_savepoint(db, &t->err);
    if (t->status != 0)
        return;
    t->status = t->work(db, t->job, &t->err);
    if (t->status == 0)
        t->status = db_release(db, &t->err);
    if (t->status == 0)
        return;
    db_rollback_to(db);
    if (t->err.code == ERR_NONE)
        err_set(&t->err, ERR_INTERNAL, NULL, "the database job failed and did not say why");
}

/* group[last] ended the transaction, and what group[from..last-1] had done is undone with it. */
static void undo_with(struct storage *s, unsigned from, unsigned last)
{
    const struct task *cause = &s->tasks[s->group[last]];

    for (unsigned i = from; i < last; i++) {
        struct task *t = &s->tasks[s->group[i]];

        if (t->status != 0)
            continue;
        err_copy(&t->err, &cause->err);
        t->status = -(int)cause->err.code;
    }
}

/* Runs group[from..count-1] in one transaction, as far as that lasts: SQLite ends it by itself when, for instance, the
 * disk is full in the middle of a statement, and then what the group has done so far is undone. Returns how many of
 * them are finished with; those from `from` on until there are then committed or have an error. */
static unsigned run_transaction(struct storage *s, unsigned from, unsigned count_all)
{
    unsigned n = from;
    uint64_t began;
    int rc;

    if (db_begin(s->db, NULL) != 0) {
        fail_group(s, from, count_all, "beginning a transaction");
        return count_all;
    }
    while (n < count_all && db_in_transaction(s->db))
        run_task(s->db, &s->tasks[s->group[n++]]);
    (void)err_for(NULL);
    if (!db_in_transaction(s->db)) {
        undo_with(s, from, n - 1);
        return n;
    }
    began = now_us();
    rc = db_commit(s->db, NULL);
    raise_to(&s->stats.commit_max_us, now_us() - began);
    if (rc == 0) {
        count(&s->stats.commits);
        return n;
    }
    fail_group(s, from, n, "committing");
    db_rollback(s->db);
    return n;
}

static void run_group(struct storage *s)
{
    unsigned n = 0;

    while (n < TASKS && ring_pop(s->jobs, &s->group[n])) {
        struct task *t = &s->tasks[s->group[n++]];

        t->status = 0;
        t->err = (struct err){0};
    }
    if (n == 0)
        return;
    raise_to(&s->stats.queue_max, n);
    for (unsigned i = 0; i < n;)
        i = run_transaction(s, i, n);
    for (unsigned i = 0; i < n; i++) {
        count(&s->stats.jobs);
        if (s->tasks[s->group[i]].status != 0)
            count(&s->stats.failed);
        ring_push(s->answers, &s->group[i], sizeof s->group[i]);
    }
    if (s->owner != NULL)
        waker_wake(s->owner);
}

static void *run(void *arg)
{
    struct storage *s = arg;
    bool stop = false;

    pthread_setname_np(pthread_self(), "storage");
    while (!stop || !ring_is_empty(s->jobs)) {
        uint32_t seen = waker_prepare(&s->waker);

        stop = atomic_load_explicit(&s->stop, memory_order_acquire);
        if (!stop && ring_is_empty(s->jobs))
            waker_wait(&s->waker, seen, 0);
        waker_done(&s->waker);
        run_group(s);
    }
    return NULL;
}

/* Signals are main's: with all of them blocked here, none ends up on this thread. (SIGXFSZ too, so that a file size
 * limit is an error of write().) */
static int start_thread(struct storage *s)
{
    sigset_t all, before;
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);

    if (rc != 0)
        return rc;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&s->thread, &attr, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}

struct storage *storage_new(const char *path, struct waker *owner, struct err *err)
{
    struct storage *s = calloc(1, sizeof *s);
    int rc;

    if (s == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    s->owner = owner;
    s->refused_end = &s->refused;
    for (s->free_count = 0; s->free_count < TASKS; s->free_count++)
        s->free_tasks[s->free_count] = (uint16_t)(TASKS - 1 - s->free_count);
    waker_init(&s->waker, -1);
    s->jobs = ring_new(TASKS, sizeof(uint16_t));
    s->answers = ring_new(TASKS, sizeof(uint16_t));
    if (s->jobs == NULL || s->answers == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        goto fail;
    }
    s->db = db_open(path, err);
    if (s->db == NULL)
        goto fail;
    rc = start_thread(s);
    if (rc != 0) {
        err_set(err, ERR_INTERNAL, NULL, "cannot start the storage thread: %s", err_reason(rc));
        goto fail;
    }
    return s;
fail:
    db_close(s->db);
    ring_free(s->jobs);
    ring_free(s->answers);
    free(s);
    return NULL;
}

void storage_free(struct storage *s)
{
    if (s == NULL)
        return;
    atomic_store_explicit(&s->stop, true, memory_order_release);
    waker_wake(&s->waker);
    pthread_join(s->thread, NULL);
    s->closed = true;
    while (s->free_count < TASKS || s->refused != NULL)
        storage_poll(s);
    db_close(s->db);
    ring_free(s->jobs);
    ring_free(s->answers);
    free(s);
}

static void refuse(struct storage *s, storage_done *done, void *job)
{
    struct refusal *r;

    if (done == NULL)
        return;
    r = malloc(sizeof *r);
    if (r == NULL)
        abort(); /* no memory for 24 bytes: better to be started again than to leave somebody unanswered */
    *r = (struct refusal){.done = done, .job = job, .reader = err_reader()};
    *s->refused_end = r;
    s->refused_end = &r->next;
    if (s->owner != NULL)
        waker_wake(s->owner);
}

void storage_submit(struct storage *s, storage_work *work, storage_done *done, void *job)
{
    struct task *t;
    uint16_t number;

    if (s->free_count == 0 || s->closed) {
        refuse(s, done, job);
        return;
    }
    number = s->free_tasks[--s->free_count];
    t = &s->tasks[number];
    t->work = work;
    t->done = done;
    t->job = job;
    t->reader = err_reader();
    ring_push(s->jobs, &number, sizeof number);
    waker_wake(&s->waker);
}

static void answer_refused(struct storage *s)
{
    struct refusal *r = s->refused;
    struct err err;

    s->refused = NULL; /* what is refused from now on, by a `done` that submits, is the next poll's */
    s->refused_end = &s->refused;
    while (r != NULL) {
        struct refusal *next = r->next;

        (void)err_for(r->reader);
        if (s->closed)
            err_set(&err, ERR_INTERNAL, "try again when the server is back", "the database is being closed");
        else
            err_set(&err, ERR_INTERNAL, "try again in a moment", "the database is too slow");
        r->done(r->job, -(int)ERR_INTERNAL, &err);
        free(r);
        r = next;
    }
    (void)err_for(NULL);
}

void storage_poll(struct storage *s)
{
    uint16_t number;

    answer_refused(s);
    for (unsigned waiting = ring_count(s->answers); waiting > 0 && ring_pop(s->answers, &number); waiting--) {
        struct task *t = &s->tasks[number];

        (void)err_for(t->reader);
        if (t->done != NULL)
            t->done(t->job, t->status, &t->err);
        s->free_tasks[s->free_count++] = number;
    }
    (void)err_for(NULL);
}

const struct storage_stats *storage_stats(const struct storage *s)
{
    return &s->stats;
}
