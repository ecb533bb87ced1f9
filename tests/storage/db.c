/* db.c - the database file: opening, refusing, migrating, transactions (storage/db.h, dbfile.h, migrate.h, query.h) */
#include "tests/storage/scratch.h"
#include "storage/migrate.h"
#include "storage/query.h"
#include "storage/schema.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void make_and_close(void)
{
    db_close(scratch_open());
}

static void write_at(const char *path, off_t at, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    close(fd);
}

static void refused(const char *path, const char *because)
{
    struct err err = {0};

    assert_null(db_open(path, &err));
    assert_int_equal(err.code, ERR_STATE);
    if (strstr(err.message, path) == NULL || strstr(err.message, because) == NULL)
        fail_msg("'%s' should name %s and say '%s'", err.message, path, because);
    assert_true(err.mend[0] != '\0');
}

static void a_new_file_is_for_its_owner_alone_and_carries_our_mark(void **state)
{
    struct db *db = scratch_open();
    struct stat st;

    (void)state;
    assert_int_equal(stat(scratch_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(scratch_number(db, "PRAGMA application_id"), 0x53616c6f);
    assert_int_equal(scratch_number(db, "PRAGMA user_version"), schema_sql_count);
    assert_int_equal(scratch_number(db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(scratch_number(db, "PRAGMA synchronous"), 2);
    assert_int_equal(scratch_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    db_close(db);
}

static void the_log_is_folded_into_the_file_when_it_is_closed(void **state)
{
    char wal[160];

    (void)state;
    make_and_close();
    snprintf(wal, sizeof wal, "%s-wal", scratch_path);
    assert_int_equal(access(scratch_path, F_OK), 0);
    assert_int_equal(access(wal, F_OK), -1);
}

static void what_was_committed_is_there_again_and_what_was_rolled_back_is_not(void **state)
{
    struct err err;
    struct db *db = scratch_open();

    (void)state;
    assert_int_equal(db_begin(db, &err), 0);
    scratch_exec(db, "INSERT INTO room (name, title, policy, created_ms) VALUES ('kept', '', 0, 1)");
    assert_int_equal(db_savepoint(db, &err), 0);
    scratch_exec(db, "INSERT INTO room (name, title, policy, created_ms) VALUES ('undone', '', 0, 1)");
    db_rollback_to(db);
    assert_int_equal(db_savepoint(db, &err), 0);
    scratch_exec(db, "INSERT INTO room (name, title, policy, created_ms) VALUES ('kept-too', '', 0, 1)");
    assert_int_equal(db_release(db, &err), 0);
    assert_true(db_in_transaction(db));
    assert_int_equal(db_commit(db, &err), 0);
    assert_false(db_in_transaction(db));
    assert_int_equal(db_begin(db, &err), 0);
    scratch_exec(db, "INSERT INTO room (name, title, policy, created_ms) VALUES ('lost', '', 0, 1)");
    db_rollback(db);
    db_close(db);

    db = scratch_open();
    assert_int_equal(scratch_number(db, "SELECT count(*) FROM room"), 2);
    assert_int_equal(scratch_number(db, "SELECT count(*) FROM room WHERE name IN ('kept', 'kept-too')"), 2);
    db_close(db);
}

static void a_missing_folder_is_named_with_the_way_to_make_it(void **state)
{
    char path[160];
    struct err err;

    (void)state;
    snprintf(path, sizeof path, "%s/nowhere/salotto.db", scratch_folder);
    refused(path, "there is no folder");
    assert_null(db_open(path, &err));
    assert_non_null(strstr(err.mend, "mkdir -p"));
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    static const char text[] = "Dear diary, this is certainly not a database, and it is longer than a header is. "
                               "So it goes on for a while, and then it ends.";

    (void)state;
    write_at(scratch_path, 0, text, sizeof text);
    refused(scratch_path, "is not a database");
}

static void a_damaged_header_is_refused(void **state)
{
    static const char zeros[16];

    (void)state;
    make_and_close();
    write_at(scratch_path, 3, zeros, sizeof zeros);
    refused(scratch_path, "first page is damaged");
}

static void a_damaged_page_in_the_middle_is_refused(void **state)
{
    struct db *db = scratch_open();
    unsigned char noise[4096];

    (void)state;
    scratch_exec(db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
                     "INSERT INTO room (name, title, policy, created_ms) SELECT 'room-' || i, 'A title', 0, i FROM n");
    db_close(db);
    memset(noise, 0xa5, sizeof noise);
    write_at(scratch_path, 40 * 4096, noise, sizeof noise);
    refused(scratch_path, "is damaged");
}

static void a_file_that_was_cut_off_is_refused(void **state)
{
    (void)state;
    make_and_close();
    assert_int_equal(truncate(scratch_path, 60), 0);
    refused(scratch_path, "cut off after 60 bytes");
    assert_int_equal(unlink(scratch_path), 0);
    make_and_close();
    assert_int_equal(truncate(scratch_path, 3 * 4096), 0);
    refused(scratch_path, scratch_path);
}

static void a_database_of_another_program_is_refused_and_left_alone(void **state)
{
    sqlite3 *other;

    (void)state;
    assert_int_equal(sqlite3_open(scratch_path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE recipe (name TEXT)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    refused(scratch_path, "another program");

    assert_int_equal(sqlite3_open(scratch_path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "SELECT name FROM recipe", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "SELECT name FROM room", NULL, NULL, NULL), SQLITE_ERROR);
    sqlite3_close(other);
}

static void a_database_from_a_newer_version_is_refused_and_left_alone(void **state)
{
    struct db *db = scratch_open();

    (void)state;
    scratch_exec(db, "PRAGMA user_version = 99");
    db_close(db);
    refused(scratch_path, "newer version (its schema is 99");
}

static void a_second_process_is_refused_at_open_and_a_reader_is_not(void **state)
{
    struct db *db = scratch_open();
    sqlite3 *reader;
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        struct err err;

        db = db_open(scratch_path, &err);
        _exit(db == NULL && strstr(err.message, "in use by another process") != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    refused(scratch_path, "in use by another process");

    assert_int_equal(sqlite3_open_v2(scratch_path, &reader, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "SELECT * FROM room", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(reader);
    db_close(db);
    make_and_close();
}

static void a_writer_that_does_not_let_go_is_waited_for_and_then_named_as_the_cause(void **state)
{
    struct db *db = scratch_open();
    struct err err = {0};
    sqlite3 *writer;

    (void)state;
    assert_int_equal(sqlite3_open(scratch_path, &writer), SQLITE_OK);
    assert_int_equal(sqlite3_exec(writer, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(db_begin(db, &err), -(int)ERR_STATE);
    assert_non_null(strstr(err.message, "locked"));
    assert_non_null(strstr(err.mend, "fuser"));
    assert_int_equal(sqlite3_exec(writer, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(db_begin(db, &err), 0);
    assert_int_equal(db_commit(db, &err), 0);
    sqlite3_close(writer);
    db_close(db);
}

static void a_file_that_may_not_be_written_is_refused(void **state)
{
    int status;
    pid_t child;

    (void)state;
    make_and_close();
    assert_int_equal(chmod(scratch_path, 0444), 0);
    assert_int_equal(chmod(scratch_folder, 0777), 0);
    child = fork();
    if (child == 0) {
        struct err err = {0};
        char lock[160];

        snprintf(lock, sizeof lock, "%s-lock", scratch_path);
        if (unlink(lock) != 0 || (geteuid() == 0 && setuid(65534) != 0)) /* root may write whatever it likes */
            _exit(2);
        _exit(db_open(scratch_path, &err) == NULL && strstr(err.message, "is not writable") != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(scratch_folder, 0700), 0);
    assert_int_equal(status, 0);
}

static const char *const three[] = {
    "CREATE TABLE a (x INTEGER PRIMARY KEY);",
    "CREATE TABLE b (x INTEGER REFERENCES a (x)); INSERT INTO a VALUES (1);",
    "INSERT INTO b VALUES (1);",
};

static void missing_migrations_run_in_order_and_only_once(void **state)
{
    struct db *db = scratch_open();
    struct err err;

    (void)state;
    scratch_exec(db, "PRAGMA user_version = 0");
    assert_int_equal(migrate_run(db, three, 2, &err), 0);
    assert_int_equal(scratch_number(db, "PRAGMA user_version"), 2);
    assert_int_equal(migrate_run(db, three, 3, &err), 0);
    assert_int_equal(migrate_run(db, three, 3, &err), 0);
    assert_int_equal(scratch_number(db, "PRAGMA user_version"), 3);
    assert_int_equal(scratch_number(db, "SELECT count(*) FROM b"), 1);
    db_close(db);
}

static void a_failing_migration_leaves_the_old_version(void **state)
{
    static const char *const failing[] = {"CREATE TABLE a (x);", "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);"};
    struct db *db = scratch_open();
    struct err err = {0};

    (void)state;
    scratch_exec(db, "PRAGMA user_version = 0");
    assert_int_equal(migrate_run(db, failing, 2, &err), -(int)ERR_STATE);
    assert_non_null(strstr(err.message, "migration 2 failed"));
    assert_int_equal(scratch_number(db, "PRAGMA user_version"), 0);
    assert_int_equal(scratch_number(db, "SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')"), 0);
    assert_false(db_in_transaction(db));
    db_close(db);
}

static void a_migration_that_breaks_a_reference_is_undone(void **state)
{
    static const char *const breaking[] = {
        "CREATE TABLE a (x INTEGER PRIMARY KEY); CREATE TABLE b (x REFERENCES a (x));", "INSERT INTO b VALUES (7);"};
    struct db *db = scratch_open();
    struct err err = {0};

    (void)state;
    scratch_exec(db, "PRAGMA foreign_keys = OFF; PRAGMA user_version = 0");
    assert_int_equal(migrate_run(db, breaking, 2, &err), -(int)ERR_STATE);
    assert_non_null(strstr(err.message, "table b"));
    assert_int_equal(scratch_number(db, "PRAGMA user_version"), 0);
    db_close(db);
}

static void a_statement_is_prepared_once_and_comes_back_clean(void **state)
{
    static const char sql[] = "SELECT ?";
    struct db *db = *state;
    sqlite3_stmt *first = db_statement(db, sql, NULL);

    assert_non_null(first);
    assert_int_equal(sqlite3_bind_int(first, 1, 7), SQLITE_OK);
    assert_int_equal(sqlite3_step(first), SQLITE_ROW);
    assert_ptr_equal(db_statement(db, sql, NULL), first);
    assert_false(sqlite3_stmt_busy(first));
    assert_int_equal(sqlite3_step(first), SQLITE_ROW);
    assert_int_equal(sqlite3_column_type(first, 0), SQLITE_NULL);
}

static void a_statement_left_in_the_middle_is_reset_at_the_commit(void **state)
{
    struct db *db = *state;
    sqlite3_stmt *left;

    assert_int_equal(db_begin(db, NULL), 0);
    scratch_exec(db, "INSERT INTO room (name, title, policy, created_ms) VALUES ('a', '', 0, 1), ('b', '', 0, 1)");
    left = db_statement(db, "SELECT * FROM room", NULL);
    assert_int_equal(sqlite3_step(left), SQLITE_ROW);
    assert_int_equal(db_commit(db, NULL), 0);
    assert_false(sqlite3_stmt_busy(left));
    /* No read transaction is open any more: the whole log can be taken in and emptied. */
    assert_int_equal(sqlite3_wal_checkpoint_v2(sqlite3_db_handle(left), NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
                     SQLITE_OK);
}

static void a_faulty_statement_is_reported_and_not_kept(void **state)
{
    struct err err = {0};

    assert_null(db_statement(*state, "SELECT 1 FROM nowhere", &err));
    assert_int_equal(err.code, ERR_STATE);
    assert_non_null(strstr(err.message, "nowhere"));
}

static void a_querys_first_failure_sticks(void **state)
{
    struct err err = {0};
    struct query q;

    query_begin(&q, *state, "testing", "INSERT INTO room (name, title, policy, created_ms) VALUES (?, ?, 0, 1)", &err);
    query_text(&q, "piazza");
    query_text(&q, "");
    query_int(&q, 3); /* one too many */
    query_text(&q, "later");
    assert_false(query_row(&q));
    assert_int_equal(query_end(&q), -(int)ERR_STATE);
    assert_non_null(strstr(err.message, "testing failed"));
    assert_int_equal(scratch_number(*state, "SELECT count(*) FROM room"), 0);
}

static void long_texts_are_cut_at_whole_characters(void **state)
{
    struct query q;
    char out[4];

    query_begin(&q, *state, "testing", "SELECT 'aé€'", NULL); /* 1 + 2 + 3 bytes */
    assert_true(query_row(&q));
    query_copy_text(&q, 0, out, 4);
    assert_string_equal(out, "aé");
    query_copy_text(&q, 0, out, 3);
    assert_string_equal(out, "a");
    query_copy_text(&q, 0, out, 1);
    assert_string_equal(out, "");
    assert_int_equal(query_end(&q), 0);
}

static const char many_rooms[] = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
                                 "INSERT INTO room (name, title, policy, created_ms)"
                                 "SELECT 'full-' || i, 'A room that will not fit', 0, i FROM n";

static void a_full_disk_is_said_and_leaves_nothing_behind(void **state)
{
    struct db *db = *state;
    struct err err = {0};

    scratch_exec(db, "PRAGMA max_page_count = 60");
    assert_int_equal(db_begin(db, &err), 0);
    assert_int_equal(db_exec(db, many_rooms, "adding rooms", &err), -(int)ERR_STATE);
    assert_non_null(strstr(err.message, "adding rooms failed: the disk is full"));
    assert_non_null(strstr(err.mend, "free some space"));
    db_rollback(db);
    assert_int_equal(scratch_number(db, "SELECT count(*) FROM room"), 0);
    scratch_exec(db, "PRAGMA max_page_count = 1000000");
    scratch_exec(db, many_rooms);
}

static void a_write_that_the_system_refuses_fails_the_commit_and_leaves_nothing_behind(void **state)
{
    struct db *db = *state;
    struct err err = {0};
    struct rlimit before, tiny;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(db_begin(db, &err), 0);
    scratch_exec(db, many_rooms);
    tiny = before;
    tiny.rlim_cur = 64 * 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    assert_int_equal(db_commit(db, &err), -(int)ERR_STATE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(strstr(err.message, "committing failed: the disk is full"));
    db_rollback(db);
    assert_int_equal(scratch_number(db, "SELECT count(*) FROM room"), 0);
    scratch_exec(db, many_rooms);
    assert_int_equal(scratch_number(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_file_is_for_its_owner_alone_and_carries_our_mark, scratch_fresh),
        cmocka_unit_test_setup(the_log_is_folded_into_the_file_when_it_is_closed, scratch_fresh),
        cmocka_unit_test_setup(what_was_committed_is_there_again_and_what_was_rolled_back_is_not, scratch_fresh),
        cmocka_unit_test_setup(a_missing_folder_is_named_with_the_way_to_make_it, scratch_fresh),
        cmocka_unit_test_setup(a_file_that_is_no_database_is_refused, scratch_fresh),
        cmocka_unit_test_setup(a_damaged_header_is_refused, scratch_fresh),
        cmocka_unit_test_setup(a_damaged_page_in_the_middle_is_refused, scratch_fresh),
        cmocka_unit_test_setup(a_file_that_was_cut_off_is_refused, scratch_fresh),
        cmocka_unit_test_setup(a_database_of_another_program_is_refused_and_left_alone, scratch_fresh),
        cmocka_unit_test_setup(a_database_from_a_newer_version_is_refused_and_left_alone, scratch_fresh),
        cmocka_unit_test_setup(a_second_process_is_refused_at_open_and_a_reader_is_not, scratch_fresh),
        cmocka_unit_test_setup(a_writer_that_does_not_let_go_is_waited_for_and_then_named_as_the_cause, scratch_fresh),
        cmocka_unit_test_setup(a_file_that_may_not_be_written_is_refused, scratch_fresh),
        cmocka_unit_test_setup(missing_migrations_run_in_order_and_only_once, scratch_fresh),
        cmocka_unit_test_setup(a_failing_migration_leaves_the_old_version, scratch_fresh),
        cmocka_unit_test_setup(a_migration_that_breaks_a_reference_is_undone, scratch_fresh),
        cmocka_unit_test_setup_teardown(a_statement_is_prepared_once_and_comes_back_clean, scratch_db, scratch_close),
        cmocka_unit_test_setup_teardown(a_statement_left_in_the_middle_is_reset_at_the_commit, scratch_db,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(a_faulty_statement_is_reported_and_not_kept, scratch_db, scratch_close),
        cmocka_unit_test_setup_teardown(a_querys_first_failure_sticks, scratch_db, scratch_close),
        cmocka_unit_test_setup_teardown(long_texts_are_cut_at_whole_characters, scratch_db, scratch_close),
        cmocka_unit_test_setup_teardown(a_full_disk_is_said_and_leaves_nothing_behind, scratch_db, scratch_close),
        cmocka_unit_test_setup_teardown(a_write_that_the_system_refuses_fails_the_commit_and_leaves_nothing_behind,
                                        scratch_db, scratch_close),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/db", tests, scratch_begin, scratch_end);
}
