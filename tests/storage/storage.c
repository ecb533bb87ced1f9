/* storage.c - the thread `storage` (storage/storage.h) */
#include "tests/storage/scratch.h"
#include "storage/query.h"
#include "storage/rooms.h"
#include "storage/storage.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PATIENCE_MS 60000 /* far beyond what any machine needs */

static struct waker owner;
static struct storage *storage;

struct job {
    int number;
    int answers, status;
    struct err err;
    bool seen_outside; /* when answered, another connection saw the row */
    char thread[16];
    int blocked_signals;
};

static int set_up(void **state)
{
    struct err err = {0};
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    scratch_fresh(state);
    waker_init(&owner, fd);
    storage = storage_new(scratch_path, &owner, &err);
    if (fd < 0 || storage == NULL)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    storage_free(storage);
    storage = NULL;
    close(owner.event_fd);
    return 0;
}

/* One round of main's loop. */
static void wait_once(void)
{
    struct pollfd p = {.fd = owner.event_fd, .events = POLLIN};

    if (poll(&p, 1, PATIENCE_MS) != 1)
        fail_msg("no answer came");
    waker_drain(&owner);
    storage_poll(storage);
}

static void answered(void *arg, int status, const struct err *err)
{
    struct job *j = arg;

    j->answers++;
    j->status = status;
    j->err = *err;
}

static void wait_for(const struct job *j)
{
    while (j->answers == 0)
        wait_once();
}

static int insert_room(struct db *db, int number, struct err *err)
{
    struct query q;
    char name[32];

    snprintf(name, sizeof name, "room-%d", number);
    query_begin(&q, db, "adding a room", "INSERT INTO room (name, title, policy, created_ms) VALUES (?, '', 0, 0)",
                err);
    query_text(&q, name);
    return query_run(&q);
}

static int work_insert(struct db *db, void *arg, struct err *err)
{
    return insert_room(db, ((struct job *)arg)->number, err);
}

static int work_insert_and_fail(struct db *db, void *arg, struct err *err)
{
    int rc = insert_room(db, ((struct job *)arg)->number, err);

    return rc < 0 ? rc : err_set(err, ERR_DENIED, "ask somebody else", "not you");
}

/* What a full disk in the middle of a statement does: SQLite rolls back the whole transaction. */
static int work_lose_the_transaction(struct db *db, void *arg, struct err *err)
{
    int rc = insert_room(db, ((struct job *)arg)->number, err);

    return rc < 0 ? rc
                  : db_exec(db,
                            "INSERT OR ROLLBACK INTO room (id, name, title, policy, created_ms)"
                            " VALUES (1, 'NO', '', 0, 0)",
                            "losing it", err);
}

static int work_fail_in_silence(struct db *db, void *arg, struct err *err)
{
    (void)db;
    (void)arg;
    (void)err;
    return -1;
}

static int work_read(struct db *db, void *arg, struct err *err)
{
    struct room_row r;

    (void)arg;
    return rooms_find(db, "room-1", &r, err);
}

static sem_t gate_reached, gate_open;

static int work_gate(struct db *db, void *arg, struct err *err)
{
    (void)db;
    (void)arg;
    (void)err;
    sem_post(&gate_reached);
    sem_wait(&gate_open);
    return 0;
}

static struct job gate;

/* Holds the thread inside a job, so that what is submitted meanwhile waits together. */
static void close_gate(void)
{
    sem_init(&gate_reached, 0, 0);
    sem_init(&gate_open, 0, 0);
    gate = (struct job){0};
    storage_submit(storage, work_gate, answered, &gate);
    sem_wait(&gate_reached);
}

static void open_gate(void)
{
    sem_post(&gate_open);
}

static int work_limit_pages(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    (void)err;
    return scratch_number(db, "PRAGMA max_page_count = 60") == 60 ? 0 : -1;
}

static int64_t outside_number(const char *sql)
{
    sqlite3_stmt *s;
    sqlite3 *reader;
    int64_t n = -1;

    assert_int_equal(sqlite3_open_v2(scratch_path, &reader, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(reader, sql, -1, &s, NULL), SQLITE_OK);
    if (sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(reader);
    return n;
}

static bool there(int number)
{
    char sql[96];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM room WHERE name = 'room-%d'", number);
    return outside_number(sql) == 1;
}

static void look_from_outside(void *arg, int status, const struct err *err)
{
    struct job *j = arg;

    j->seen_outside = there(j->number);
    answered(arg, status, err);
}

static void what_an_answered_job_changed_is_committed(void **state)
{
    struct job j = {.number = 1};

    (void)state;
    storage_submit(storage, work_insert, look_from_outside, &j);
    wait_for(&j);
    assert_int_equal(j.status, 0);
    assert_int_equal(j.err.code, ERR_NONE);
    assert_true(j.seen_outside);
    assert_int_equal(j.answers, 1);
}

static void jobs_that_wait_share_one_commit(void **state)
{
    static struct job jobs[100];
    uint64_t before;

    (void)state;
    close_gate();
    before = storage_stats(storage)->commits;
    for (int i = 0; i < 100; i++) {
        jobs[i] = (struct job){.number = i};
        storage_submit(storage, work_insert, answered, &jobs[i]);
    }
    open_gate();
    for (int i = 0; i < 100; i++) {
        wait_for(&jobs[i]);
        assert_int_equal(jobs[i].status, 0);
    }
    assert_int_equal(storage_stats(storage)->commits - before, 2); /* the gate's, and one for all */
    assert_int_equal(storage_stats(storage)->queue_max, 100);
    assert_int_equal(storage_stats(storage)->jobs, 101);
    assert_int_equal(storage_stats(storage)->failed, 0);
    assert_true(storage_stats(storage)->commit_max_us > 0);
    assert_int_equal(outside_number("SELECT count(*) FROM room"), 100);
}

static void a_failed_job_leaves_nothing_behind_and_spoils_no_other(void **state)
{
    struct job before = {.number = 1}, failing = {.number = 2}, silent = {.number = 3}, after = {.number = 4};

    (void)state;
    close_gate();
    storage_submit(storage, work_insert, answered, &before);
    storage_submit(storage, work_insert_and_fail, answered, &failing);
    storage_submit(storage, work_fail_in_silence, answered, &silent);
    storage_submit(storage, work_insert, answered, &after);
    open_gate();
    wait_for(&after);
    assert_int_equal(before.status, 0);
    assert_int_equal(after.status, 0);
    assert_int_equal(failing.status, -(int)ERR_DENIED);
    assert_string_equal(failing.err.message, "not you");
    assert_string_equal(failing.err.mend, "ask somebody else");
    assert_int_equal(silent.status, -1);
    assert_int_equal(silent.err.code, ERR_INTERNAL);
    assert_true(there(1) && !there(2) && there(4));
    assert_int_equal(storage_stats(storage)->failed, 2);
}

static void jobs_undone_together_with_a_later_one_are_answered_with_its_error(void **state)
{
    struct job before = {.number = 1}, losing = {.number = 2}, after = {.number = 3};

    (void)state;
    close_gate();
    storage_submit(storage, work_insert, answered, &before);
    storage_submit(storage, work_lose_the_transaction, answered, &losing);
    storage_submit(storage, work_insert, answered, &after);
    open_gate();
    wait_for(&after);
    assert_int_equal(before.status, -(int)ERR_STATE);
    assert_string_equal(before.err.message, losing.err.message);
    assert_int_equal(losing.status, -(int)ERR_STATE);
    assert_int_equal(after.status, 0);
    assert_true(!there(1) && !there(2) && there(3));
}

static void when_the_commit_fails_every_job_of_the_group_is_told_and_nothing_is_changed(void **state)
{
    static struct job jobs[50];
    struct job after = {.number = 100};
    struct rlimit normal, tiny;

    (void)state;
    close_gate();
    for (int i = 0; i < 50; i++) {
        jobs[i] = (struct job){.number = i};
        storage_submit(storage, work_insert, answered, &jobs[i]);
    }
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &normal), 0);
    tiny = normal;
    tiny.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    open_gate();
    for (int i = 0; i < 50; i++)
        wait_for(&jobs[i]);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &normal), 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(jobs[i].status, -(int)ERR_STATE);
        assert_non_null(strstr(jobs[i].err.message, "committing failed: the disk is full"));
        assert_non_null(strstr(jobs[i].err.mend, scratch_path));
    }
    assert_int_equal(outside_number("SELECT count(*) FROM room"), 0);
    storage_submit(storage, work_insert, answered, &after);
    wait_for(&after);
    assert_int_equal(after.status, 0);
    assert_true(there(100));
}

static void on_a_full_disk_each_answer_is_true(void **state)
{
    static struct job jobs[4000];
    struct job limit = {0};
    int done = 0, failed = 0;

    (void)state;
    storage_submit(storage, work_limit_pages, answered, &limit);
    wait_for(&limit);
    assert_int_equal(limit.status, 0);
    for (int i = 0; i < 4000; i++) {
        jobs[i] = (struct job){.number = i};
        storage_submit(storage, work_insert, answered, &jobs[i]);
        if (i % 64 == 63)
            wait_for(&jobs[i]);
    }
    wait_for(&jobs[3999]);
    for (int i = 0; i < 4000; i++) {
        assert_int_equal(jobs[i].answers, 1);
        done += jobs[i].status == 0;
        failed += jobs[i].status != 0;
        if (jobs[i].status != 0 && strstr(jobs[i].err.message, "the disk is full") == NULL)
            fail_msg("%s", jobs[i].err.message);
    }
    assert_true(done > 0 && failed > 0);
    assert_int_equal(outside_number("SELECT count(*) FROM room"), done);
    for (int i = 0; i < 4000; i += 97)
        assert_int_equal(there(i), jobs[i].status == 0);
}

static void jobs_that_only_read_write_nothing(void **state)
{
    struct job first = {.number = 1}, reading = {0};
    struct stat before, after;
    char wal[160];

    (void)state;
    storage_submit(storage, work_insert, answered, &first);
    wait_for(&first);
    snprintf(wal, sizeof wal, "%s-wal", scratch_path);
    assert_int_equal(stat(wal, &before), 0);
    storage_submit(storage, work_read, answered, &reading);
    wait_for(&reading);
    assert_int_equal(reading.status, 0);
    assert_int_equal(stat(wal, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof after.st_mtim);
}

static int work_look_at_the_thread(struct db *db, void *arg, struct err *err)
{
    struct job *j = arg;
    sigset_t blocked;

    (void)db;
    (void)err;
    pthread_getname_np(pthread_self(), j->thread, sizeof j->thread);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (int sig = 1; sig < 32; sig++)
        j->blocked_signals += sigismember(&blocked, sig) == 1;
    return 0;
}

static void work_runs_on_a_thread_of_that_name_which_takes_no_signals(void **state)
{
    struct job j = {0};

    (void)state;
    storage_submit(storage, work_look_at_the_thread, answered, &j);
    wait_for(&j);
    assert_string_equal(j.thread, "storage");
    assert_true(j.blocked_signals >= 29); /* all but KILL and STOP, which nobody can block */
}

static void a_job_too_many_is_refused_and_none_goes_unanswered(void **state)
{
    static struct job jobs[1100];
    int refused = 0;

    (void)state;
    close_gate();
    for (int i = 0; i < 1100; i++) {
        jobs[i] = (struct job){.number = i};
        storage_submit(storage, work_insert, answered, &jobs[i]);
        assert_int_equal(jobs[i].answers, 0);
    }
    wait_once(); /* the thread is still held: these are the refused ones */
    for (int i = 0; i < 1100; i++)
        if (jobs[i].answers != 0) {
            refused++;
            assert_int_equal(jobs[i].status, -(int)ERR_INTERNAL);
            assert_non_null(strstr(jobs[i].err.message, "the database is too slow"));
        }
    assert_int_equal(refused, 1100 - 1023); /* the gate is the 1,024th */
    open_gate();
    for (int i = 0; i < 1100; i++) {
        wait_for(&jobs[i]);
        assert_int_equal(jobs[i].answers, 1);
    }
    assert_int_equal(outside_number("SELECT count(*) FROM room"), 1023);
}

static void resubmit(void *arg, int status, const struct err *err)
{
    struct job *j = arg;

    answered(arg, status, err);
    if (++j->number < 20)
        storage_submit(storage, work_insert, resubmit, j);
}

static void an_answer_may_submit_the_next_job(void **state)
{
    struct job j = {0};

    (void)state;
    storage_submit(storage, work_insert, resubmit, &j);
    while (j.answers < 20)
        wait_once();
    assert_int_equal(outside_number("SELECT count(*) FROM room"), 20);
}

static void a_job_may_go_without_an_answer(void **state)
{
    struct job silent = {.number = 1}, j = {.number = 2};

    (void)state;
    storage_submit(storage, work_insert, NULL, &silent);
    storage_submit(storage, work_insert, answered, &j);
    wait_for(&j);
    assert_true(there(1));
}

static void closing_answers_everything_that_was_submitted(void **state)
{
    static struct job jobs[300];

    for (int i = 0; i < 300; i++) {
        jobs[i] = (struct job){.number = i};
        storage_submit(storage, work_insert, answered, &jobs[i]);
    }
    tear_down(state);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(jobs[i].answers, 1);
        assert_int_equal(jobs[i].status, 0);
    }
    storage = NULL;
    assert_int_equal(outside_number("SELECT count(*) FROM room"), 300);
    set_up(state);
}

static void what_is_wrong_with_the_file_is_said_at_the_start(void **state)
{
    struct err err = {0};

    (void)state;
    assert_null(storage_new(scratch_path, &owner, &err)); /* it is open already */
    assert_int_equal(err.code, ERR_STATE);
    assert_non_null(strstr(err.message, "in use"));
    assert_null(storage_new("/nowhere/at/all.db", &owner, &err));
    assert_non_null(strstr(err.message, "there is no folder /nowhere/at"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_an_answered_job_changed_is_committed),
        TEST(jobs_that_wait_share_one_commit),
        TEST(a_failed_job_leaves_nothing_behind_and_spoils_no_other),
        TEST(jobs_undone_together_with_a_later_one_are_answered_with_its_error),
        TEST(when_the_commit_fails_every_job_of_the_group_is_told_and_nothing_is_changed),
        TEST(on_a_full_disk_each_answer_is_true),
        TEST(jobs_that_only_read_write_nothing),
        TEST(work_runs_on_a_thread_of_that_name_which_takes_no_signals),
        TEST(a_job_too_many_is_refused_and_none_goes_unanswered),
        TEST(an_answer_may_submit_the_next_job),
        TEST(a_job_may_go_without_an_answer),
        TEST(closing_answers_everything_that_was_submitted),
        TEST(what_is_wrong_with_the_file_is_said_at_the_start),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/storage", tests, scratch_begin, scratch_end);
}
