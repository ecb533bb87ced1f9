/* audit.c - who did what to whom, when and why (storage/audit.h) */
#include "tests/storage/scratch.h"
#include "storage/audit.h"

#include <sodium.h>

static int64_t anna, bruno;

static int64_t person(struct db *db, const char *handle)
{
    struct person p = {0};
    uint8_t key[32] = {0};

    memcpy(key, handle, strlen(handle));
    assert_int_equal(people_enter(db, key, handle, &p, NULL), 0);
    return p.id;
}

/* Five rows: numbers 1 to 5. */
static int set_up(void **state)
{
    scratch_db(state);
    anna = person(*state, "anna");
    bruno = person(*state, "bruno");
    assert_int_equal(audit_append(*state, 7, "room create", 0, 0, NULL, NULL, NULL), 0);
    assert_int_equal(audit_append(*state, 7, "promote", 0, anna, "moderator", NULL, NULL), 0);
    assert_int_equal(audit_append(*state, 7, "mute", anna, bruno, NULL, "echo", NULL), 0);
    assert_int_equal(audit_append(*state, 8, "gain", anna, bruno, "-3.0 dB", "too loud", NULL), 0);
    assert_int_equal(audit_append(*state, 7, "kick", anna, bruno, NULL, "shouting", NULL), 0);
    return 0;
}

static void sound(struct db *db, int64_t expected_head)
{
    struct err err = {0};
    uint8_t hash[32];
    int64_t head = -1;

    if (audit_verify(db, &head, hash, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(head, expected_head);
}

static void found(struct db *db, const char *what)
{
    struct err err = {0};
    uint8_t hash[32];
    int64_t head;

    assert_int_equal(audit_verify(db, &head, hash, &err), -(int)ERR_STATE);
    if (strstr(err.message, what) == NULL)
        fail_msg("'%s' should say '%s'", err.message, what);
}

/* Changes the audit as somebody with the sqlite3 tool would, who first has to take the triggers away. */
static void tamper(struct db *db, const char *sql, const char *what)
{
    scratch_exec(db, "DROP TRIGGER audit_never_changes; DROP TRIGGER audit_never_shrinks; PRAGMA foreign_keys = OFF");
    scratch_exec(db, sql);
    found(db, what);
}

static void rows_are_listed_with_names_oldest_first(void **state)
{
    struct audit_row *rows;
    size_t count;

    assert_int_equal(audit_list(*state, 7, 100, &rows, &count, NULL), 0);
    assert_int_equal(count, 4);
    assert_int_equal(rows[0].number, 1);
    assert_string_equal(rows[0].act, "room create");
    assert_string_equal(rows[0].actor, "operator");
    assert_string_equal(rows[0].target, "");
    assert_string_equal(rows[0].why, "");
    assert_string_equal(rows[1].target, "anna");
    assert_string_equal(rows[1].detail, "moderator");
    assert_string_equal(rows[2].actor, "anna");
    assert_string_equal(rows[2].target, "bruno");
    assert_string_equal(rows[2].why, "echo");
    assert_int_equal(rows[3].number, 5);
    assert_true(rows[3].at_ms >= rows[0].at_ms && rows[3].at_ms <= db_now_ms());
    free(rows);
}

static void a_limit_keeps_the_newest(void **state)
{
    struct audit_row *rows;
    size_t count;

    assert_int_equal(audit_list(*state, 7, 2, &rows, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].number, 3);
    assert_int_equal(rows[1].number, 5);
    free(rows);
    assert_int_equal(audit_list(*state, 99, 2, &rows, &count, NULL), 0);
    assert_int_equal(count, 0);
    free(rows);
}

static void an_untouched_chain_is_sound_also_when_it_is_empty(void **state)
{
    sound(*state, 5);
    db_close(*state);
    *state = scratch_open();
    sound(*state, 5);
    db_close(*state);
    scratch_db(state);
    sound(*state, 0);
}

static void the_head_covers_all_that_went_before(void **state)
{
    uint8_t one[32], two[32];
    int64_t head;

    assert_int_equal(audit_verify(*state, &head, one, NULL), 0);
    assert_int_equal(audit_append(*state, 0, "stop", 0, 0, NULL, NULL, NULL), 0);
    assert_int_equal(audit_verify(*state, &head, two, NULL), 0);
    assert_int_equal(head, 6);
    assert_memory_not_equal(one, two, 32);
}

static void put_int(uint8_t *at, int64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

/* What the hash of a row should be, as it stands. The layout is written out a second time here, so that it can't drift
 * unseen. */
static void hash_of_row(struct db *db, int64_t number, uint8_t hash[32])
{
    static const char sql[] = "SELECT a.at_ms, a.room, a.actor, a.target, a.act, a.detail, t.salt, t.text, b.hash"
                              " FROM audit a JOIN audit_text t USING (number) LEFT JOIN audit b"
                              " ON b.number = a.number - 1 WHERE a.number = ?";
    uint8_t row[184] = {0}, personal[64];
    sqlite3_stmt *s = db_statement(db, sql, NULL);
    size_t text_bytes;

    assert_non_null(s);
    sqlite3_bind_int64(s, 1, number);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    if (number > 1)
        memcpy(row, sqlite3_column_blob(s, 8), 32);
    put_int(row + 32, number);
    for (int i = 0; i < 4; i++)
        put_int(row + 40 + 8 * i, sqlite3_column_int64(s, i));
    memcpy(row + 72, sqlite3_column_text(s, 4), (size_t)sqlite3_column_bytes(s, 4));
    memcpy(row + 96, sqlite3_column_text(s, 5), (size_t)sqlite3_column_bytes(s, 5));
    text_bytes = (size_t)sqlite3_column_bytes(s, 7);
    assert_true(text_bytes <= 32);
    memcpy(personal, sqlite3_column_blob(s, 6), 32);
    memcpy(personal + 32, sqlite3_column_text(s, 7), text_bytes);
    crypto_hash_sha256(row + 120, personal, 32 + text_bytes);
    memcpy(row + 152, "salotto audit 1", 15);
    crypto_hash_sha256(hash, row, sizeof row);
    sqlite3_reset(s);
}

static void a_rows_hash_is_over_the_documented_bytes(void **state)
{
    uint8_t hash[32];

    for (int64_t number = 1; number <= 5; number++) {
        sqlite3_stmt *s = db_statement(*state, "SELECT hash FROM audit WHERE number = ?", NULL);

        hash_of_row(*state, number, hash);
        sqlite3_bind_int64(s, 1, number);
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        assert_memory_equal(sqlite3_column_blob(s, 0), hash, 32);
        sqlite3_reset(s);
    }
}

static void the_database_refuses_to_change_or_remove_a_row(void **state)
{
    assert_int_equal(db_exec(*state, "UPDATE audit SET act = 'hug' WHERE number = 3", "test", NULL), -(int)ERR_STATE);
    assert_int_equal(db_exec(*state, "DELETE FROM audit", "test", NULL), -(int)ERR_STATE);
    sound(*state, 5);
}

static void a_changed_act_is_found(void **state)
{
    tamper(*state, "UPDATE audit SET act = 'hug' WHERE number = 3", "row 3 was changed");
}

static void a_changed_time_is_found(void **state)
{
    tamper(*state, "UPDATE audit SET at_ms = at_ms + 1 WHERE number = 2", "row 2 was changed");
}

static void a_changed_person_is_found(void **state)
{
    tamper(*state, "UPDATE audit SET actor = target, target = actor WHERE number = 5", "row 5 was changed");
}

static void a_changed_detail_is_found(void **state)
{
    tamper(*state, "UPDATE audit SET detail = 'host' WHERE number = 2", "row 2 was changed");
}

static void a_changed_room_is_found(void **state)
{
    tamper(*state, "UPDATE audit SET room = 8 WHERE number = 5", "row 5 was changed");
}

static void a_change_with_a_fitting_hash_is_found_at_the_next_row(void **state)
{
    sqlite3_stmt *s;
    uint8_t hash[32];

    tamper(*state, "UPDATE audit SET act = 'hug' WHERE number = 3", "row 3 was changed");
    hash_of_row(*state, 3, hash);
    s = db_statement(*state, "UPDATE audit SET hash = ? WHERE number = 3", NULL);
    sqlite3_bind_blob(s, 1, hash, sizeof hash, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_reset(s);
    found(*state, "row 4 was changed, or follows another row");
}

static void a_changed_reason_is_found(void **state)
{
    tamper(*state, "UPDATE audit_text SET text = 'noise' WHERE number = 3", "row 3 has another text");
}

static void a_text_emptied_with_its_salt_left_is_no_erasure(void **state)
{
    tamper(*state, "UPDATE audit_text SET text = '' WHERE number = 3", "row 3 has another text");
}

static void a_letter_hidden_behind_a_nul_is_found(void **state)
{
    tamper(*state, "UPDATE audit SET act = act || char(0) || 'x' WHERE number = 3", "row 3 was changed");
}

static void a_removed_row_is_found(void **state)
{
    tamper(*state, "DELETE FROM audit WHERE number = 3", "row 3 is missing");
}

static void a_removed_first_row_is_found(void **state)
{
    tamper(*state, "DELETE FROM audit WHERE number = 1", "row 1 is missing");
}

static void a_removed_last_row_is_found(void **state)
{
    tamper(*state, "DELETE FROM audit WHERE number = 5", "row 5 is missing");
}

static void an_inserted_row_is_found(void **state)
{
    tamper(*state,
           "UPDATE audit SET number = number + 100 WHERE number >= 3;"
           "UPDATE audit SET number = number - 99 WHERE number >= 100;"
           "INSERT INTO audit SELECT 3, at_ms, 'hug', room, actor, target, detail, personal, hash FROM audit"
           " WHERE number = 2",
           "row 3 was changed");
}

static void an_appended_row_is_found(void **state)
{
    tamper(*state,
           "INSERT INTO audit SELECT 6, at_ms, 'hug', room, actor, target, detail, personal, hash FROM audit"
           " WHERE number = 5",
           "row 6 was changed");
}

static void two_rows_that_changed_places_are_found(void **state)
{
    tamper(*state,
           "UPDATE audit SET number = 99 WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 3;"
           "UPDATE audit SET number = 3 WHERE number = 99",
           "row 2 was changed, or follows another row");
}

static void erasing_a_text_keeps_the_chain_sound(void **state)
{
    struct audit_row *rows;
    size_t count;

    scratch_exec(*state, "DELETE FROM audit_text WHERE number = 3");
    sound(*state, 5);
    assert_int_equal(audit_list(*state, 7, 100, &rows, &count, NULL), 0);
    assert_string_equal(rows[2].why, "");
    assert_string_equal(rows[2].act, "mute");
    free(rows);
    assert_int_equal(audit_append(*state, 7, "mute", anna, bruno, NULL, NULL, NULL), 0);
    sound(*state, 6);
}

static void history_outlives_the_person(void **state)
{
    struct audit_row *rows;
    size_t count;
    char number[32];

    scratch_exec(*state, "DELETE FROM person WHERE handle = 'bruno'");
    sound(*state, 5);
    assert_int_equal(audit_list(*state, 7, 1, &rows, &count, NULL), 0);
    snprintf(number, sizeof number, "#%lld", (long long)bruno);
    assert_string_equal(rows[0].target, number);
    assert_string_equal(rows[0].actor, "anna");
    free(rows);
}

static void a_rolled_back_row_leaves_no_gap(void **state)
{
    assert_int_equal(db_begin(*state, NULL), 0);
    assert_int_equal(audit_append(*state, 7, "ban", anna, bruno, NULL, NULL, NULL), 0);
    db_rollback(*state);
    sound(*state, 5);
    assert_int_equal(audit_append(*state, 7, "ban", anna, bruno, NULL, NULL, NULL), 0);
    sound(*state, 6);
}

static void what_is_too_long_is_refused(void **state)
{
    char text[AUDIT_TEXT_MAX + 2];

    memset(text, 't', sizeof text);
    text[AUDIT_TEXT_MAX + 1] = '\0';
    assert_int_equal(audit_append(*state, 7, "ban", 0, 0, NULL, text, NULL), -(int)ERR_USAGE);
    assert_int_equal(audit_append(*state, 7, text, 0, 0, NULL, NULL, NULL), -(int)ERR_USAGE);
    assert_int_equal(audit_append(*state, 7, "ban", 0, 0, text, NULL, NULL), -(int)ERR_USAGE);
    text[AUDIT_TEXT_MAX] = '\0';
    assert_int_equal(audit_append(*state, 7, "ban", 0, 0, NULL, text, NULL), 0);
    text[AUDIT_ACT_MAX] = '\0';
    assert_int_equal(audit_append(*state, 7, text, 0, 0, text, NULL, NULL), 0);
    sound(*state, 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(rows_are_listed_with_names_oldest_first),
        TEST(a_limit_keeps_the_newest),
        TEST(an_untouched_chain_is_sound_also_when_it_is_empty),
        TEST(the_head_covers_all_that_went_before),
        TEST(a_rows_hash_is_over_the_documented_bytes),
        TEST(the_database_refuses_to_change_or_remove_a_row),
        TEST(a_changed_act_is_found),
        TEST(a_changed_time_is_found),
        TEST(a_changed_person_is_found),
        TEST(a_changed_detail_is_found),
        TEST(a_changed_room_is_found),
        TEST(a_change_with_a_fitting_hash_is_found_at_the_next_row),
        TEST(a_changed_reason_is_found),
        TEST(a_text_emptied_with_its_salt_left_is_no_erasure),
        TEST(a_letter_hidden_behind_a_nul_is_found),
        TEST(a_removed_row_is_found),
        TEST(a_removed_first_row_is_found),
        TEST(a_removed_last_row_is_found),
        TEST(an_inserted_row_is_found),
        TEST(an_appended_row_is_found),
        TEST(two_rows_that_changed_places_are_found),
        TEST(erasing_a_text_keeps_the_chain_sound),
        TEST(history_outlives_the_person),
        TEST(a_rolled_back_row_leaves_no_gap),
        TEST(what_is_too_long_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/audit", tests, scratch_begin, scratch_end);
}
