/* backup.c - whole copies of a database, and those that lie beside it (storage/backup.h, spare.h, migrate.h) */
#include "tests/storage/scratch.h"
#include "storage/backup.h"
#include "storage/migrate.h"
#include "storage/schema.h"
#include "storage/spare.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static char copy_path[160];

static int fresh(void **state)
{
    int rc = scratch_db(state);

    snprintf(copy_path, sizeof copy_path, "%s/copy", scratch_folder);
    return rc;
}

static void fill(struct db *db, unsigned rooms)
{
    char sql[300];

    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
             "INSERT INTO room (name, title, policy, created_ms) SELECT 'room-' || i, 'A title', 0, i FROM n",
             rooms);
    scratch_exec(db, sql);
}

static int64_t number_in(const char *path, const char *sql)
{
    sqlite3_stmt *s = NULL;
    sqlite3 *other;
    int64_t n = -1;

    assert_int_equal(sqlite3_open_v2(path, &other, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(other, sql, -1, &s, NULL), SQLITE_OK);
    if (sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(other);
    return n;
}

static unsigned files(void)
{
    DIR *d = opendir(scratch_folder);
    unsigned n = 0;

    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void a_copy_is_one_plain_file_for_its_owner_alone(void **state)
{
    struct backup_info info = {.made_at_ms = 1234, .version = "0.1.0", .has_key = true, .key = {7, 8, 9}};
    unsigned before;
    struct err err;
    struct stat st;

    fill(*state, 10);
    before = files();
    assert_int_equal(backup_write(*state, copy_path, &info, NULL, NULL, &err), 0);
    assert_int_equal(files(), before + 1);
    assert_int_equal(stat(copy_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(number_in(copy_path, "SELECT count(*) FROM room"), 10);
    assert_int_equal(number_in(copy_path, "SELECT server_key = x'0708090000000000000000000000000000000000000000000000"
                                          "000000000000' FROM backup_info"),
                     1);
    assert_int_equal(number_in(copy_path, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
    assert_int_equal(files(), before + 1);
}

static void what_a_copy_says_of_itself_can_be_read_and_taken_out(void **state)
{
    struct backup_info info = {.made_at_ms = 1234, .version = "0.1.0", .has_key = true, .key = {7, 8, 9}}, found;
    struct err err;
    struct db *copy;

    assert_int_equal(backup_write(*state, copy_path, &info, NULL, NULL, &err), 0);
    copy = db_open_copy(copy_path, &err);
    assert_non_null(copy);
    assert_int_equal(backup_read_info(copy, &found, &err), 1);
    assert_int_equal(found.made_at_ms, 1234);
    assert_string_equal(found.version, "0.1.0");
    assert_true(found.has_key);
    assert_memory_equal(found.key, info.key, sizeof info.key);
    assert_int_equal(backup_drop_info(copy, &err), 0);
    assert_int_equal(backup_read_info(copy, &found, &err), 0);
    db_close(copy);
    assert_int_equal(backup_read_info(*state, &found, &err), 0);

    unlink(copy_path);
    info.has_key = false;
    assert_int_equal(backup_write(*state, copy_path, &info, NULL, NULL, &err), 0);
    copy = db_open_copy(copy_path, &err);
    assert_int_equal(backup_read_info(copy, &found, &err), 1);
    assert_false(found.has_key);
    db_close(copy);
}

/* Writes by the other connection while the copy is under way. */
static bool write_meanwhile(void *arg, int64_t done, int64_t all)
{
    if (done < all)
        scratch_exec(arg, "INSERT INTO room (name, title, policy, created_ms)"
                          " SELECT 'late-' || (count(*) + 1), '', 0, 1 FROM room");
    return true;
}

static void a_copy_is_of_one_moment_and_delays_no_writer(void **state)
{
    struct db *reader;
    struct err err;

    fill(*state, 20000);
    reader = db_open_reader(scratch_path, &err);
    assert_non_null(reader);
    assert_int_equal(db_begin_reading(reader, &err), 0);
    assert_int_equal(backup_write(reader, copy_path, NULL, write_meanwhile, *state, &err), 0);
    db_end_reading(reader);
    db_close(reader);
    assert_int_equal(number_in(copy_path, "SELECT count(*) FROM room"), 20000);
    assert_true(scratch_number(*state, "SELECT count(*) FROM room") > 20000);
}

static void a_reader_can_not_write(void **state)
{
    struct err err;
    struct db *reader = db_open_reader(scratch_path, &err);

    (void)state;
    assert_non_null(reader);
    assert_int_equal(db_exec(reader, "DELETE FROM room", "testing", &err), -(int)ERR_STATE);
    db_close(reader);
}

static bool give_up(void *arg, int64_t done, int64_t all)
{
    (void)arg;
    return done * 2 < all;
}

static void a_copy_that_is_given_up_leaves_nothing(void **state)
{
    unsigned before;
    struct err err;

    fill(*state, 20000);
    before = files();
    assert_int_equal(backup_write(*state, copy_path, NULL, give_up, NULL, &err), -(int)ERR_INTERRUPTED);
    assert_int_equal(files(), before);
}

static void a_file_that_is_there_is_never_overwritten(void **state)
{
    struct err err;
    int fd = open(copy_path, O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(backup_write(*state, copy_path, NULL, NULL, NULL, &err), -(int)ERR_STATE);
    assert_non_null(strstr(err.message, copy_path));
    assert_int_equal(access(copy_path, F_OK), 0);
}

static struct rlimit limit_files(rlim_t bytes)
{
    struct rlimit before, now;

    getrlimit(RLIMIT_FSIZE, &before);
    now = before;
    now.rlim_cur = bytes;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    return before;
}

static void a_copy_that_does_not_fit_leaves_nothing(void **state)
{
    struct rlimit before;
    unsigned n;
    struct err err;

    fill(*state, 20000);
    n = files();
    before = limit_files(100000);
    assert_int_equal(backup_write(*state, copy_path, NULL, NULL, NULL, &err), -(int)ERR_STATE);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(files(), n);
    assert_true(err.mend[0] != '\0');
}

/* --- upgrades: the real schema, and migrations of this test's own behind it */

#define ADD_NOTE  "CREATE TABLE note (text TEXT) STRICT;"
#define FILL_NOTE "INSERT INTO note VALUES ('kept');"

#define OWN       7

static const char *scripts[32 + OWN];

static void set_scripts(void)
{
    assert_true(schema_sql_count <= 32);
    for (unsigned i = 0; i < schema_sql_count; i++)
        scripts[i] = schema_sql[i];
    for (unsigned i = 0; i < OWN; i++)
        scripts[schema_sql_count + i] = i == 0 ? ADD_NOTE : FILL_NOTE;
}

static void spare(char *out, size_t max, int64_t version)
{
    assert_true(spare_upgrade_name(out, max, scratch_path, version));
}

static void an_upgrade_copies_the_old_database_first(void **state)
{
    char name[200];
    struct err err;

    set_scripts();
    fill(*state, 3);
    assert_int_equal(migrate_run(*state, scripts, schema_sql_count + 2, &err), 0);
    spare(name, sizeof name, schema_sql_count);
    assert_int_equal(number_in(name, "PRAGMA user_version"), schema_sql_count);
    assert_int_equal(number_in(name, "SELECT count(*) FROM room"), 3);
    assert_int_equal(number_in(name, "SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0);
    assert_int_equal(scratch_number(*state, "PRAGMA user_version"), schema_sql_count + 2);
    assert_int_equal(scratch_number(*state, "SELECT count(*) FROM note"), 1);
}

static void nothing_is_copied_when_nothing_is_to_be_done(void **state)
{
    unsigned before = files();
    struct err err;

    set_scripts();
    assert_int_equal(migrate_run(*state, scripts, schema_sql_count, &err), 0);
    db_close(*state);
    *state = scratch_open();
    assert_int_equal(files(), before);
}

static void only_the_newest_three_copies_are_kept(void **state)
{
    char name[200];
    struct err err;

    set_scripts();
    for (unsigned n = 1; n <= OWN; n++)
        assert_int_equal(migrate_run(*state, scripts, schema_sql_count + n, &err), 0);
    for (unsigned n = 0; n < OWN; n++) {
        spare(name, sizeof name, schema_sql_count + n);
        assert_int_equal(access(name, F_OK) == 0, n >= OWN - SPARE_UPGRADES_MAX);
    }
}

static void an_upgrade_without_room_for_the_copy_is_refused(void **state)
{
    char name[200];
    struct rlimit before;
    struct err err;
    int rc;

    set_scripts();
    fill(*state, 20000);
    before = limit_files(200000);
    rc = migrate_run(*state, scripts, schema_sql_count + 2, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(rc, -(int)ERR_STATE);
    snprintf(name, sizeof name, "stays at version %u", schema_sql_count);
    assert_non_null(strstr(err.message, name));
    assert_true(err.mend[0] != '\0');
    spare(name, sizeof name, schema_sql_count);
    assert_int_equal(access(name, F_OK), -1);
    assert_int_equal(scratch_number(*state, "PRAGMA user_version"), schema_sql_count);
    assert_int_equal(scratch_number(*state, "SELECT count(*) FROM room"), 20000);
    assert_int_equal(migrate_run(*state, scripts, schema_sql_count + 2, &err), 0);
}

static void an_upgrade_that_fails_leaves_database_and_copy(void **state)
{
    char name[200];
    struct err err;

    set_scripts();
    scripts[schema_sql_count + 1] = "INSERT INTO nowhere VALUES (1);";
    fill(*state, 3);
    assert_int_equal(migrate_run(*state, scripts, schema_sql_count + 2, &err), -(int)ERR_STATE);
    assert_int_equal(scratch_number(*state, "PRAGMA user_version"), schema_sql_count);
    assert_int_equal(scratch_number(*state, "SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0);
    spare(name, sizeof name, schema_sql_count);
    assert_int_equal(number_in(name, "SELECT count(*) FROM room"), 3);
}

/* --- copies beside it */

static void touch(const char *path, time_t when)
{
    struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void the_newest_copy_beside_it_is_found_and_named_in_the_mend(void **state)
{
    char older[200], newer[200], found[200];
    struct err err;
    int fd;

    assert_false(spare_newest(found, sizeof found, scratch_path));
    spare_mend(&err, scratch_path);
    assert_non_null(strstr(err.mend, "salottod --restore FILE --state "));
    assert_non_null(strstr(err.mend, ".recover"));

    snprintf(older, sizeof older, "%s/monday", scratch_folder);
    snprintf(newer, sizeof newer, "%s/tuesday", scratch_folder);
    assert_int_equal(backup_write(*state, older, NULL, NULL, NULL, &err), 0);
    assert_int_equal(backup_write(*state, newer, NULL, NULL, NULL, &err), 0);
    touch(older, 1000);
    touch(newer, 2000);
    fd = open(copy_path, O_CREAT | O_WRONLY, 0600); /* newer still, and no database */
    assert_int_equal(write(fd, "SQLite format 3", 16), 16);
    close(fd);
    assert_true(spare_newest(found, sizeof found, scratch_path));
    assert_string_equal(found, newer);
    spare_mend(&err, scratch_path);
    assert_non_null(strstr(err.mend, newer));
    assert_non_null(strstr(err.mend, scratch_folder));
}

static void a_copy_of_a_newer_version_is_no_way_back(void **state)
{
    char found[200];
    struct err err;

    assert_int_equal(backup_write(*state, copy_path, NULL, NULL, NULL, &err), 0);
    assert_true(spare_newest(found, sizeof found, scratch_path));
    scratch_exec(*state, "PRAGMA user_version = 99");
    assert_int_equal(unlink(copy_path), 0);
    assert_int_equal(backup_write(*state, copy_path, NULL, NULL, NULL, &err), 0);
    assert_false(spare_newest(found, sizeof found, scratch_path));
}

static void a_damaged_or_newer_database_is_refused_with_the_way_back(void **state)
{
    unsigned char noise[4096];
    struct err err = {0};
    int fd;

    fill(*state, 2000);
    assert_int_equal(backup_write(*state, copy_path, NULL, NULL, NULL, &err), 0);
    scratch_exec(*state, "PRAGMA user_version = 99");
    db_close(*state);
    assert_null(db_open(scratch_path, &err));
    assert_non_null(strstr(err.mend, copy_path));
    assert_non_null(strstr(err.mend, "salottod --restore"));

    memset(noise, 0xa5, sizeof noise);
    fd = open(scratch_path, O_WRONLY);
    assert_int_equal(pwrite(fd, noise, sizeof noise, 40 * 4096), sizeof noise);
    assert_null(db_open(scratch_path, &err));
    assert_non_null(strstr(err.message, "is damaged"));
    assert_non_null(strstr(err.mend, copy_path));
    assert_int_equal(pwrite(fd, noise, sizeof noise, 0), sizeof noise);
    close(fd);
    assert_null(db_open(scratch_path, &err));
    assert_non_null(strstr(err.mend, copy_path));
    unlink(scratch_path);
    *state = scratch_open();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(a_copy_is_one_plain_file_for_its_owner_alone),
        TEST(what_a_copy_says_of_itself_can_be_read_and_taken_out),
        TEST(a_copy_is_of_one_moment_and_delays_no_writer),
        TEST(a_reader_can_not_write),
        TEST(a_copy_that_is_given_up_leaves_nothing),
        TEST(a_file_that_is_there_is_never_overwritten),
        TEST(a_copy_that_does_not_fit_leaves_nothing),
        TEST(an_upgrade_copies_the_old_database_first),
        TEST(nothing_is_copied_when_nothing_is_to_be_done),
        TEST(only_the_newest_three_copies_are_kept),
        TEST(an_upgrade_without_room_for_the_copy_is_refused),
        TEST(an_upgrade_that_fails_leaves_database_and_copy),
        TEST(the_newest_copy_beside_it_is_found_and_named_in_the_mend),
        TEST(a_copy_of_a_newer_version_is_no_way_back),
        TEST(a_damaged_or_newer_database_is_refused_with_the_way_back),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/backup", tests, scratch_begin, scratch_end);
}
