/* kill.c - what was answered is there, whenever the process was killed (storage/storage.h)
 *
 * A program of its own: it forks, and no thread may run in the parent.
 */
#include "tests/storage/scratch.h"
#include "storage/audit.h"
#include "storage/query.h"
#include "storage/storage.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PATIENCE_MS 60000 /* far beyond what any machine needs */

static struct waker owner;
static struct storage *storage;
static int report_fd;

static int work_audit(struct db *db, void *arg, struct err *err)
{
    char number[16];

    snprintf(number, sizeof number, "%d", *(int *)arg);
    return audit_append(db, 1, "count", 0, 0, number, "so that the side table is written too", err);
}

static void report(void *arg, int status, const struct err *err)
{
    (void)err;
    if (status != 0 || write(report_fd, arg, sizeof(int)) != (ssize_t)sizeof(int))
        _exit(1);
    free(arg);
}

/* Commits numbers from `first` on, some in flight at any time, and reports each answer, until it is killed. */
static void count_for_ever(int first)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    waker_init(&owner, eventfd(0, EFD_NONBLOCK));
    storage = storage_new(scratch_path, &owner, NULL);
    if (storage == NULL)
        _exit(2);
    for (int next = first;;) {
        struct pollfd p = {.fd = owner.event_fd, .events = POLLIN};

        for (int burst = next % 7; burst >= 0; burst--) {
            int *number = malloc(sizeof *number);

            *number = next++;
            storage_submit(storage, work_audit, report, number);
        }
        if (poll(&p, 1, PATIENCE_MS) != 1)
            _exit(3);
        waker_drain(&owner);
        storage_poll(storage);
    }
}

/* Is each of the numbers there, is the file whole, and is no job there by half? */
static void check_after_kill(const int *numbers, size_t count)
{
    struct err err = {0};
    struct db *db = scratch_open();
    uint8_t hash[32];
    int64_t head;

    assert_int_equal(scratch_number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    for (size_t i = 0; i < count; i++) {
        struct query q;
        char detail[16];
        bool found = false;

        snprintf(detail, sizeof detail, "%d", numbers[i]);
        query_begin(&q, db, "looking for it", "SELECT 1 FROM audit WHERE room = 1 AND detail = ?", &err);
        query_text(&q, detail);
        while (query_row(&q))
            found = true;
        assert_int_equal(query_end(&q), 0);
        if (!found)
            fail_msg("%d was answered and is not there", numbers[i]);
    }
    assert_int_equal(scratch_number(db, "SELECT count(*) FROM audit"),
                     scratch_number(db, "SELECT count(*) FROM audit_text"));
    if (audit_verify(db, &head, hash, &err) != 0)
        fail_msg("%s", err.message);
    db_close(db);
}

static void what_was_answered_survives_kill_9_at_any_moment(void **state)
{
    unsigned seed = (unsigned)getpid();
    static int numbers[65536];
    size_t count = 0;

    (void)state;
    print_message("# seed %u\n", seed);
    for (int round = 0; round < 10; round++) {
        size_t until = count + 1 + (size_t)rand_r(&seed) % 120;
        int pipes[2], status;
        pid_t child;

        assert_int_equal(pipe(pipes), 0);
        child = fork();
        if (child == 0) {
            close(pipes[0]);
            report_fd = pipes[1];
            count_for_ever(100000 * round);
        }
        close(pipes[1]);
        /* Once killed, the child's end is closed, and what it had still reported is read up to there. */
        while (count < sizeof numbers / sizeof numbers[0] &&
               read(pipes[0], &numbers[count], sizeof numbers[0]) == (ssize_t)sizeof numbers[0])
            if (++count == until)
                kill(child, SIGKILL);
        close(pipes[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        check_after_kill(numbers, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_answered_survives_kill_9_at_any_moment, scratch_fresh),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/kill", tests, scratch_begin, scratch_end);
}
