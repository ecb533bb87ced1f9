/* storage.h - the thread `storage`: the only one that touches the database
 *
 * main submits jobs by a ring; the thread runs all that wait inside one transaction, each in a savepoint of its own,
 * commits once, and only then answers. So what an answered job changed is on disk, a failed job leaves nothing behind,
 * and a slow disk delays answers but never main.
 */
#ifndef SALOTTO_STORAGE_STORAGE_H
#define SALOTTO_STORAGE_STORAGE_H

#include "mixer/err.h"
#include "mixer/waker.h"
#include "storage/db.h"

#include <stdbool.h>
#include <stdint.h>

struct storage;

/* Runs on the storage thread. Non-zero (with err) rolls this job back. */
typedef int storage_work(struct db *db, void *job, struct err *err);

/* Runs on main, in storage_poll(). status 0: committed. err is the job's, or the commit's. */
typedef void storage_done(void *job, int status, const struct err *err);

/* Opens the database here, so that errors come at start, and starts the thread. owner is main's waker. NULL with err.
 */
struct storage *storage_new(const char *path, struct waker *owner, struct err *err);

/* main only. Answers (by storage_poll, from within) what was submitted, joins the thread, closes the database. */
void storage_free(struct storage *s);

/* main only. Queues a job for main's reader of the moment (err_for()): it is the thread's while the job runs, and
 * main's while done does. done may be NULL. When 1,024 wait already (for their turn, or for storage_poll()): done is
 * called at the next storage_poll() with ERR_INTERNAL ("the database is too slow"), nothing is lost unanswered. */
void storage_submit(struct storage *s, storage_work *work, storage_done *done, void *job);

/* main only. Calls done for every finished job. */
void storage_poll(struct storage *s);

/* Written by the thread, read by any. */
struct storage_stats {
    _Atomic uint64_t jobs, failed, commits; /* answered, with an error, transactions committed */
    _Atomic uint64_t commit_max_us;
    _Atomic uint64_t queue_max; /* jobs that waited together */
};
const struct storage_stats *storage_stats(const struct storage *s);

#endif
