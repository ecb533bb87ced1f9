/* rooms.c - rooms: a name, a title, open or ended (storage/rooms.h) */
#include "tests/storage/scratch.h"
#include "storage/rooms.h"

static struct room_row create(struct db *db, const char *name, const char *title, bool expect_reopened)
{
    struct room_row r = {0};
    struct err err = {0};
    bool reopened = !expect_reopened;

    if (rooms_create(db, name, title, &r, &reopened, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(reopened, expect_reopened);
    return r;
}

static void a_new_room_is_open_to_all_and_has_its_title(void **state)
{
    struct room_row made = create(*state, "piazza", "Open Friday", false), found;

    assert_int_equal(rooms_find(*state, "piazza", &found, NULL), 0);
    assert_int_equal(found.id, made.id);
    assert_string_equal(found.name, "piazza");
    assert_string_equal(found.title, "Open Friday");
    assert_int_equal(found.policy, ROOM_OPEN);
    assert_false(found.ended);
    assert_true(found.created_ms > 0 && found.created_ms <= db_now_ms());
    assert_int_equal(found.created_ms, made.created_ms);
    assert_string_equal(create(*state, "corte", NULL, false).title, "");
}

static void a_name_that_is_taken_is_denied(void **state)
{
    struct room_row r;
    struct err err = {0};
    bool reopened;

    create(*state, "piazza", NULL, false);
    assert_int_equal(rooms_create(*state, "piazza", NULL, &r, &reopened, &err), -(int)ERR_DENIED);
    assert_non_null(strstr(err.message, "piazza"));
    assert_non_null(strstr(err.mend, "salottoctl room end piazza"));
}

static void an_ended_room_is_still_found_and_opens_again_under_its_number(void **state)
{
    struct room_row made = create(*state, "piazza", "Friday", false), r;

    assert_int_equal(rooms_end(*state, made.id, NULL), 0);
    assert_int_equal(rooms_end(*state, made.id, NULL), 0);
    assert_int_equal(rooms_find(*state, "piazza", &r, NULL), 0);
    assert_true(r.ended);

    r = create(*state, "piazza", NULL, true);
    assert_int_equal(r.id, made.id);
    assert_string_equal(r.title, "Friday");
    assert_int_equal(r.created_ms, made.created_ms);
    assert_false(r.ended);
    assert_int_equal(rooms_end(*state, made.id, NULL), 0);
    create(*state, "piazza", "Saturday", true);
    assert_int_equal(rooms_find(*state, "piazza", &r, NULL), 0);
    assert_string_equal(r.title, "Saturday");
    assert_false(r.ended);
}

static void an_unknown_room_is_answered_with_the_nearest_name(void **state)
{
    struct room_row r;
    struct err err = {0};

    assert_int_equal(rooms_find(*state, "piazzo", &r, &err), -(int)ERR_NOT_FOUND);
    assert_non_null(strstr(err.mend, "salottoctl room list"));
    create(*state, "piazza", NULL, false);
    create(*state, "palazzo", NULL, false);
    assert_int_equal(rooms_find(*state, "piazzo", &r, &err), -(int)ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "piazzo"));
    assert_non_null(strstr(err.mend, "did you mean 'piazza'?"));
}

static void an_ended_room_is_not_suggested(void **state)
{
    struct room_row made = create(*state, "piazza", NULL, false), r;
    struct err err = {0};

    assert_int_equal(rooms_end(*state, made.id, NULL), 0);
    assert_int_equal(rooms_find(*state, "piazzo", &r, &err), -(int)ERR_NOT_FOUND);
    assert_null(strstr(err.mend, "piazza"));
}

static void rooms_are_listed_by_name_and_ended_ones_on_request(void **state)
{
    struct room_row *rows;
    size_t count;

    assert_int_equal(rooms_list(*state, true, &rows, &count, NULL), 0);
    assert_int_equal(count, 0);
    free(rows);
    create(*state, "piazza", NULL, false);
    create(*state, "corte", NULL, false);
    create(*state, "altana", NULL, false);
    assert_int_equal(rooms_end(*state, create(*state, "giardino", NULL, false).id, NULL), 0);
    assert_int_equal(rooms_list(*state, false, &rows, &count, NULL), 0);
    assert_int_equal(count, 3);
    assert_string_equal(rows[0].name, "altana");
    assert_string_equal(rows[1].name, "corte");
    assert_string_equal(rows[2].name, "piazza");
    free(rows);
    assert_int_equal(rooms_list(*state, true, &rows, &count, NULL), 0);
    assert_int_equal(count, 4);
    assert_string_equal(rows[2].name, "giardino");
    assert_true(rows[2].ended);
    free(rows);
}

static void a_title_may_be_120_bytes_long_and_no_longer(void **state)
{
    char title[ROOM_TITLE_MAX + 2];
    struct room_row r;
    struct err err = {0};
    bool reopened;

    memset(title, 't', sizeof title);
    title[ROOM_TITLE_MAX + 1] = '\0';
    assert_int_equal(rooms_create(*state, "piazza", title, &r, &reopened, &err), -(int)ERR_USAGE);
    title[ROOM_TITLE_MAX] = '\0';
    create(*state, "piazza", title, false);
    assert_int_equal(rooms_find(*state, "piazza", &r, NULL), 0);
    assert_string_equal(r.title, title);
}

static void what_is_no_name_never_gets_into_the_database(void **state)
{
    static const char *const bad[] = {"Piazza", "1", "-a", "", "a b", "abcdefghijklmnopqrstuvwxyzabcdefg"};
    struct room_row r;
    bool reopened;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_true(rooms_create(*state, bad[i], NULL, &r, &reopened, NULL) < 0);
    assert_int_equal(scratch_number(*state, "SELECT count(*) FROM room"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_db, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(a_new_room_is_open_to_all_and_has_its_title),
        TEST(a_name_that_is_taken_is_denied),
        TEST(an_ended_room_is_still_found_and_opens_again_under_its_number),
        TEST(an_unknown_room_is_answered_with_the_nearest_name),
        TEST(an_ended_room_is_not_suggested),
        TEST(rooms_are_listed_by_name_and_ended_ones_on_request),
        TEST(a_title_may_be_120_bytes_long_and_no_longer),
        TEST(what_is_no_name_never_gets_into_the_database),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/rooms", tests, scratch_begin, scratch_end);
}
