/* restore.c - a backup in the place of database and key, whole or not at all (tools/salottod/restore.h)
 *
 * The calls by which files change are this program's own: they count, and end the process at the one that a test names.
 */
#include "tools/salottod/restore.h"

#include "storage/dbfile.h"
#include "storage/rooms.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned calls, die_at; /* 0: never */

static void step(void)
{
    if (++calls == die_at)
        raise(SIGKILL);
}

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int rename(const char *from, const char *to)
{
    step();
    return REAL(rename)(from, to);
}

int fsync(int fd)
{
    step();
    return REAL(fsync)(fd);
}

int unlink(const char *path)
{
    step();
    return REAL(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags)
{
    step();
    return REAL(unlinkat)(folder, path, flags);
}

int rmdir(const char *path)
{
    step();
    return REAL(rmdir)(path);
}

int mkdir(const char *path, mode_t mode)
{
    step();
    return REAL(mkdir)(path, mode);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    step();
    return REAL(write)(fd, bytes, len);
}

/* --- a state folder, and a backup from another server */

static char top[64], backup[128];
static struct config config;

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
    char command[700];
    va_list ap;

    va_start(ap, format);
    vsnprintf(command, sizeof command, format, ap);
    va_end(ap);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): only names of this test's own */
}

static const char *in_state(const char *name)
{
    static char path[400];

    snprintf(path, sizeof path, "%s/%s", config.state, name);
    return path;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

/* A database whose only room is called `room`, and the key made of one letter. */
static void make_state(const char *room, char key_letter)
{
    struct err err = {0};
    struct db *db;
    struct room_row row;
    bool reopened;
    char key[BACKUP_KEY_BYTES];

    run("rm -rf %s && mkdir -m 700 %s", config.state, config.state);
    db = db_open(in_state("salotto.db"), &err);
    assert_non_null(db);
    assert_int_equal(db_begin(db, &err), 0);
    assert_int_equal(rooms_create(db, room, "", &row, &reopened, &err), 0);
    assert_int_equal(db_commit(db, &err), 0);
    db_close(db);
    memset(key, key_letter, sizeof key);
    write_file(in_state("server.key"), key, sizeof key);
}

static void make_backup(bool with_key)
{
    struct backup_info info = {.made_at_ms = 1700000000000, .version = "0.0.9", .has_key = with_key};
    struct err err = {0};
    struct db *db;

    memset(info.key, 'n', sizeof info.key);
    make_state("new", 'n');
    run("rm -f %s", backup);
    db = db_open(in_state("salotto.db"), &err);
    assert_non_null(db);
    assert_int_equal(backup_write(db, backup, &info, NULL, NULL, &err), 0);
    db_close(db);
}

/* The name of its only room, of a copy, since opening writes. "" when it can't be opened. */
static const char *room_in(const char *database)
{
    static char name[64];
    struct err err = {0};
    sqlite3_stmt *s;
    char copy[200];
    struct db *db;

    snprintf(copy, sizeof copy, "%s/looked-at", top);
    run("rm -f %s* && cp %s %s && { [ ! -e %s-wal ] || cp %s-wal %s-wal; }", copy, database, copy, database, database,
        copy);
    name[0] = '\0';
    db = db_open(copy, &err);
    if (db == NULL)
        return name;
    s = db_statement(db, "SELECT name FROM room", &err);
    if (s != NULL && sqlite3_step(s) == SQLITE_ROW)
        snprintf(name, sizeof name, "%s", (const char *)sqlite3_column_text(s, 0));
    db_close(db);
    return name;
}

static char key_letter(void)
{
    char key[BACKUP_KEY_BYTES + 1];
    int fd = open(in_state("server.key"), O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, key, sizeof key) : -1;

    if (fd >= 0)
        close(fd);
    if (n != BACKUP_KEY_BYTES)
        return '?';
    return key[0];
}

static unsigned count_like(const char *pattern)
{
    char command[300], line[300];
    unsigned n = 0;
    FILE *f;

    snprintf(command, sizeof command, "ls -d %s/%s 2>/dev/null", config.state, pattern);
    f = popen(command, "r"); /* NOLINT(cert-env33-c): as above */
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        n++;
    pclose(f);
    return n;
}

static void is_old(void)
{
    assert_string_equal(room_in(in_state("salotto.db")), "old");
    assert_int_equal(key_letter(), 'o');
}

static void is_new(void)
{
    assert_string_equal(room_in(in_state("salotto.db")), "new");
    assert_int_equal(key_letter(), 'n');
}

static int fresh(void **state)
{
    (void)state;
    make_backup(true);
    make_state("old", 'o');
    return 0;
}

static int restore(struct restore_report *report, struct err *err)
{
    memset(err, 0, sizeof *err);
    return restore_run(report, &config, backup, err);
}

/* --- what it does */

static void database_and_key_are_the_backups_and_the_old_ones_are_kept(void **state)
{
    struct restore_report report;
    char key[200];
    struct err err;
    struct stat st;

    (void)state;
    if (restore(&report, &err) != 0)
        fail_msg("%s", err.message);
    is_new();
    assert_int_equal(stat(in_state("salotto.db"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(in_state("server.key"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_string_equal(room_in(report.kept), "old");
    assert_int_equal(report.found.rooms, 1);
    assert_string_equal(report.info.version, "0.0.9");
    assert_true(report.replaces_key);
    snprintf(key, sizeof key, "%s", report.fingerprint);
    assert_non_null(strstr(key, "SHA256:"));
    assert_int_equal(count_like("restor*"), 0);
    assert_int_equal(count_like("server.key.before-restore-*"), 1);
    assert_int_equal(count_like("*.tmp"), 0);
}

static void the_key_in_the_backup_does_not_stay_in_the_database(void **state)
{
    struct restore_report report;
    struct err err;

    (void)state;
    assert_int_equal(restore(&report, &err), 0);
    run("! grep -q %.32s %s", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", in_state("salotto.db"));
    run("grep -q %.32s %s", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", backup);
}

static void without_a_key_in_the_backup_the_one_that_is_there_stays(void **state)
{
    struct restore_report report;
    struct err err;

    (void)state;
    make_backup(false);
    make_state("old", 'o');
    assert_int_equal(restore(&report, &err), 0);
    assert_string_equal(room_in(in_state("salotto.db")), "new");
    assert_int_equal(key_letter(), 'o');
    assert_false(report.replaces_key);
}

static void it_makes_a_state_folder_where_there_is_none(void **state)
{
    struct restore_report report;
    struct err err;

    (void)state;
    run("rm -rf %s", config.state);
    assert_int_equal(restore(&report, &err), 0);
    is_new();
    assert_string_equal(report.kept, "");
}

static void two_restores_keep_both_that_were_there(void **state)
{
    struct restore_report first, second;
    struct err err;

    (void)state;
    assert_int_equal(restore(&first, &err), 0);
    assert_int_equal(restore(&second, &err), 0);
    assert_string_not_equal(first.kept, second.kept);
    assert_string_equal(room_in(first.kept), "old");
    assert_string_equal(room_in(second.kept), "new");
}

/* The old database was left by a kill: its newest rows are in its log. */
static void what_was_kept_keeps_its_log(void **state)
{
    struct restore_report report;
    struct err err;
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        struct db *db = db_open(in_state("salotto.db"), &err);

        if (db != NULL && db_exec(db, "UPDATE room SET name = 'newest'", "test", &err) == 0)
            raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(count_like("salotto.db-wal"), 1);
    assert_int_equal(restore(&report, &err), 0);
    assert_string_equal(room_in(report.kept), "newest");
    is_new();
}

static void while_a_daemon_runs_nothing_is_restored(void **state)
{
    struct restore_report report;
    struct err err;
    int claim = dbfile_lock(in_state("salotto.db"), ERR_STATE, &err);

    (void)state;
    assert_true(claim >= 0);
    assert_int_equal(restore(&report, &err), -(int)ERR_IN_USE);
    assert_non_null(strstr(err.mend, "stop"));
    close(claim);
    is_old();
}

static void a_file_that_is_no_sound_backup_changes_nothing(void **state)
{
    static const char *const spoil[] = {
        "head -c 60 %s > %s.x && mv %s.x %s",
        "printf 'Dear diary, %%200s' x > %s; : %s %s %s",
        "dd if=/dev/urandom of=%s bs=4096 seek=3 count=2 conv=notrunc status=none; : %s %s %s",
        "head -c 8192 %s > %s.x && mv %s.x %s",
        "/usr/bin/python3 -c \"import sqlite3; sqlite3.connect('%s').execute('PRAGMA user_version = 99')\"; : %s %s %s",
        "rm %s; /usr/bin/python3 -c \"import sqlite3; sqlite3.connect('%s').execute('CREATE TABLE r (x)')\"; : %s %s",
        ": > %s; : %s %s %s",
        "rm %s; : %s %s %s",
    };
    struct restore_report report;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof spoil / sizeof *spoil; i++) {
        char command[700];

        make_backup(true);
        make_state("old", 'o');
        snprintf(command, sizeof command, spoil[i], backup, backup, backup, backup);
        run("%s", command);
        assert_int_equal(restore(&report, &err), -(int)ERR_STATE);
        if (strstr(err.message, backup) == NULL || err.mend[0] == '\0')
            fail_msg("%zu: '%s' (%s) should name %s", i, err.message, err.mend, backup);
        is_old();
        assert_int_equal(count_like("restor*"), 0);
        assert_int_equal(count_like("*.before-restore-*"), 0);
    }
}

static void the_database_itself_is_no_backup(void **state)
{
    struct restore_report report;
    struct err err = {0};
    char path[400];

    (void)state;
    snprintf(path, sizeof path, "%s", in_state("salotto.db"));
    assert_int_equal(restore_run(&report, &config, path, &err), -(int)ERR_STATE);
    assert_non_null(strstr(err.message, "the database itself"));
    is_old();
}

static void a_full_disk_changes_nothing(void **state)
{
    struct rlimit before, now;
    struct restore_report report;
    struct err err;
    int rc;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    for (rlim_t limit = 0; limit < 200000; limit += 20000) {
        now = before;
        now.rlim_cur = limit;
        setrlimit(RLIMIT_FSIZE, &now);
        rc = restore(&report, &err);
        setrlimit(RLIMIT_FSIZE, &before);
        if (rc == 0)
            break;
        assert_int_equal(rc, -(int)ERR_STATE);
        assert_true(err.mend[0] != '\0');
        is_old();
        assert_int_equal(count_like("restor*"), 0);
    }
    assert_int_equal(rc, 0);
    is_new();
}

/* Killed at each call by which a file changes, once: afterwards, and after the next start, it is all old or all new. */
static void a_crash_at_any_step_leaves_the_old_or_the_new_whole(void **state)
{
    unsigned old = 0, new = 0;
    int status = 0;

    (void)state;
    make_backup(true);
    for (unsigned at = 1;; at++) {
        struct err err = {0};
        pid_t child;

        make_state("old", 'o');
        child = fork();
        if (child == 0) {
            struct restore_report report;

            calls = 0;
            die_at = at;
            _exit(restore(&report, &err) == 0 ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status))
            break;
        assert_int_equal(restore_finish(config.state, &err), 0);
        assert_int_equal(count_like("restor*"), 0);
        if (key_letter() == 'o') {
            is_old();
            assert_int_equal(count_like("*.before-restore-*"), 0);
            old++;
        } else {
            is_new();
            assert_int_equal(count_like("salotto.db.before-restore-*"), 1);
            new ++;
        }
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    is_new();
    print_message("# killed %u times before the decision, %u times after it\n", old, new);
    assert_true(old > 10 && new > 5);
}

static int setup(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/salotto-restore-XXXXXX");
    if (mkdtemp(top) == NULL)
        return -1;
    config_defaults(&config);
    snprintf(config.state, sizeof config.state, "%s/state", top);
    snprintf(backup, sizeof backup, "%s/backup", top);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    run("rm -rf %s", top);
    return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, fresh)
    const struct CMUnitTest tests[] = {
        TEST(database_and_key_are_the_backups_and_the_old_ones_are_kept),
        TEST(the_key_in_the_backup_does_not_stay_in_the_database),
        TEST(without_a_key_in_the_backup_the_one_that_is_there_stays),
        TEST(it_makes_a_state_folder_where_there_is_none),
        TEST(two_restores_keep_both_that_were_there),
        TEST(what_was_kept_keeps_its_log),
        TEST(while_a_daemon_runs_nothing_is_restored),
        TEST(a_file_that_is_no_sound_backup_changes_nothing),
        TEST(the_database_itself_is_no_backup),
        TEST(a_full_disk_changes_nothing),
        TEST(a_crash_at_any_step_leaves_the_old_or_the_new_whole),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("salottod/restore", tests, setup, teardown);
}
