/* members.c - roles, mutes, faders and bans (storage/members.h) */
#include "tests/storage/scratch.h"
#include "storage/members.h"
#include "storage/rooms.h"

#include <math.h>

static int64_t person(struct db *db, const char *handle)
{
    struct person p = {0};
    uint8_t key[32] = {0};

    memcpy(key, handle, strlen(handle));
    assert_int_equal(people_enter(db, key, handle, &p, NULL), 0);
    return p.id;
}

static int64_t room(struct db *db, const char *name)
{
    struct room_row r = {0};
    bool reopened;

    assert_int_equal(rooms_create(db, name, NULL, &r, &reopened, NULL), 0);
    return r.id;
}

static struct member get(struct db *db, int64_t room, int64_t person)
{
    struct member m;

    assert_int_equal(members_get(db, room, person, &m, NULL), 0);
    return m;
}

static int64_t rows(struct db *db)
{
    return scratch_number(db, "SELECT count(*) FROM membership");
}

static void roles_have_names_and_grow_with_power(void **state)
{
    (void)state;
    for (int r = ROLE_LISTENER; r <= ROLE_OPERATOR; r++)
        assert_int_equal(role_by_name(role_name((enum role)r)), r);
    assert_string_equal(role_name(ROLE_LISTENER), "listener");
    assert_string_equal(role_name(ROLE_OPERATOR), "operator");
    assert_int_equal(role_by_name("king"), -1);
    assert_int_equal(role_by_name(""), -1);
    assert_true(ROLE_LISTENER < ROLE_SPEAKER && ROLE_SPEAKER < ROLE_MODERATOR && ROLE_MODERATOR < ROLE_HOST);
}

static void whoever_has_no_row_listens_unmuted_at_0_db(void **state)
{
    int64_t anna = person(*state, "anna");
    struct member m = get(*state, room(*state, "piazza"), anna);

    assert_int_equal(m.role, ROLE_LISTENER);
    assert_false(m.muted);
    assert_true(m.gain_db == 0);
    assert_int_equal(m.since_ms, 0);
    assert_int_equal(m.person.id, anna);
    assert_string_equal(m.person.handle, "anna");
    assert_int_equal(m.person.key[0], 'a');
    assert_int_equal(members_get(*state, 1, 999, &m, NULL), -(int)ERR_NOT_FOUND);
}

static void a_role_is_one_rooms_only_and_carries_its_date(void **state)
{
    int64_t anna = person(*state, "anna"), piazza = room(*state, "piazza"), corte = room(*state, "corte");
    int64_t before = db_now_ms();
    struct member m;

    assert_int_equal(members_set_role(*state, piazza, anna, ROLE_MODERATOR, NULL), 0);
    m = get(*state, piazza, anna);
    assert_int_equal(m.role, ROLE_MODERATOR);
    assert_true(m.since_ms >= before && m.since_ms <= db_now_ms());
    assert_int_equal(get(*state, corte, anna).role, ROLE_LISTENER);
}

static void only_another_role_begins_a_new_date(void **state)
{
    int64_t anna = person(*state, "anna"), piazza = room(*state, "piazza");

    assert_int_equal(members_set_role(*state, piazza, anna, ROLE_HOST, NULL), 0);
    scratch_exec(*state, "UPDATE membership SET since_ms = 5");
    assert_int_equal(members_set_role(*state, piazza, anna, ROLE_HOST, NULL), 0);
    assert_int_equal(members_set_muted(*state, piazza, anna, true, NULL), 0);
    assert_int_equal(members_set_gain(*state, piazza, anna, -3, NULL), 0);
    assert_int_equal(get(*state, piazza, anna).since_ms, 5);
    assert_int_equal(members_set_role(*state, piazza, anna, ROLE_SPEAKER, NULL), 0);
    assert_true(get(*state, piazza, anna).since_ms > 5);
}

static void a_mute_and_a_fader_outlast_the_role_and_each_other(void **state)
{
    int64_t anna = person(*state, "anna"), piazza = room(*state, "piazza");
    struct member m;

    assert_int_equal(members_set_role(*state, piazza, anna, ROLE_SPEAKER, NULL), 0);
    assert_int_equal(members_set_muted(*state, piazza, anna, true, NULL), 0);
    assert_int_equal(members_set_gain(*state, piazza, anna, -3.5f, NULL), 0);
    assert_int_equal(members_set_role(*state, piazza, anna, ROLE_LISTENER, NULL), 0);
    m = get(*state, piazza, anna);
    assert_int_equal(m.role, ROLE_LISTENER);
    assert_true(m.muted);
    assert_true(m.gain_db == -3.5f);
    assert_int_equal(members_set_gain(*state, piazza, anna, 0, NULL), 0);
    assert_true(get(*state, piazza, anna).muted);
}

static void a_listener_with_nothing_set_leaves_no_row(void **state)
{
    int64_t anna = person(*state, "anna"), piazza = room(*state, "piazza");

    assert_int_equal(members_set_role(*state, piazza, anna, ROLE_LISTENER, NULL), 0);
    assert_int_equal(members_set_muted(*state, piazza, anna, false, NULL), 0);
    assert_int_equal(rows(*state), 0);
    assert_int_equal(members_set_muted(*state, piazza, anna, true, NULL), 0);
    assert_int_equal(members_set_gain(*state, piazza, anna, 12, NULL), 0);
    assert_int_equal(rows(*state), 1);
    assert_int_equal(members_set_muted(*state, piazza, anna, false, NULL), 0);
    assert_int_equal(rows(*state), 1);
    assert_int_equal(members_set_gain(*state, piazza, anna, 0, NULL), 0);
    assert_int_equal(rows(*state), 0);
}

static void members_are_listed_by_rank_and_then_by_service(void **state)
{
    int64_t piazza = room(*state, "piazza"), corte = room(*state, "corte");
    struct member *list;
    size_t count;

    assert_int_equal(members_set_role(*state, piazza, person(*state, "anna"), ROLE_MODERATOR, NULL), 0);
    scratch_exec(*state, "UPDATE membership SET since_ms = 10");
    assert_int_equal(members_set_role(*state, piazza, person(*state, "bruno"), ROLE_HOST, NULL), 0);
    assert_int_equal(members_set_role(*state, piazza, person(*state, "carla"), ROLE_MODERATOR, NULL), 0);
    scratch_exec(*state, "UPDATE membership SET since_ms = 5 WHERE person = 3");
    assert_int_equal(members_set_muted(*state, piazza, person(*state, "dario"), true, NULL), 0);
    assert_int_equal(members_set_role(*state, corte, person(*state, "elena"), ROLE_HOST, NULL), 0);
    person(*state, "fabio");
    assert_int_equal(members_list(*state, piazza, &list, &count, NULL), 0);
    assert_int_equal(count, 4);
    assert_string_equal(list[0].person.handle, "bruno");
    assert_string_equal(list[1].person.handle, "carla");
    assert_string_equal(list[2].person.handle, "anna");
    assert_string_equal(list[3].person.handle, "dario");
    assert_int_equal(list[1].role, ROLE_MODERATOR);
    assert_int_equal(list[1].since_ms, 5);
    assert_true(list[3].muted);
    free(list);
}

static void what_is_no_role_and_no_gain_is_refused(void **state)
{
    int64_t anna = person(*state, "anna"), piazza = room(*state, "piazza");
    struct err err = {0};

    assert_int_equal(members_set_role(*state, piazza, anna, ROLE_OPERATOR, &err), -(int)ERR_USAGE);
    assert_non_null(strstr(err.message, "operator"));
    assert_int_equal(members_set_role(*state, piazza, anna, (enum role) - 1, NULL), -(int)ERR_USAGE);
    assert_int_equal(members_set_gain(*state, piazza, anna, 12.5f, NULL), -(int)ERR_USAGE);
    assert_int_equal(members_set_gain(*state, piazza, anna, -60.5f, NULL), -(int)ERR_USAGE);
    assert_int_equal(members_set_gain(*state, piazza, anna, NAN, NULL), -(int)ERR_USAGE);
    assert_int_equal(members_set_gain(*state, piazza, anna, -60, NULL), 0);
    assert_int_equal(members_set_role(*state, 999, anna, ROLE_HOST, NULL), -(int)ERR_STATE); /* no such room */
    assert_int_equal(members_set_role(*state, piazza, 999, ROLE_HOST, NULL), -(int)ERR_NOT_FOUND);
}

static void a_ban_keeps_its_reason_and_takes_the_role_away(void **state)
{
    int64_t anna = person(*state, "anna"), piazza = room(*state, "piazza"), corte = room(*state, "corte");
    bool banned;
    char why[128];

    assert_int_equal(members_set_role(*state, piazza, anna, ROLE_SPEAKER, NULL), 0);
    assert_int_equal(members_set_role(*state, corte, anna, ROLE_SPEAKER, NULL), 0);
    assert_int_equal(bans_get(*state, piazza, anna, &banned, why, NULL), 0);
    assert_false(banned);
    assert_string_equal(why, "");
    assert_int_equal(bans_set(*state, piazza, anna, 0, "shouting", NULL), 0);
    assert_int_equal(bans_get(*state, piazza, anna, &banned, why, NULL), 0);
    assert_true(banned);
    assert_string_equal(why, "shouting");
    assert_int_equal(get(*state, piazza, anna).role, ROLE_LISTENER);
    assert_int_equal(bans_get(*state, corte, anna, &banned, NULL, NULL), 0);
    assert_false(banned);
    assert_int_equal(get(*state, corte, anna).role, ROLE_SPEAKER);
}

static void a_second_ban_changes_nothing(void **state)
{
    int64_t anna = person(*state, "anna"), bruno = person(*state, "bruno"), piazza = room(*state, "piazza");
    bool banned;
    char why[128];

    assert_int_equal(bans_set(*state, piazza, anna, bruno, "shouting", NULL), 0);
    assert_int_equal(bans_set(*state, piazza, anna, 0, NULL, NULL), 0);
    assert_int_equal(bans_get(*state, piazza, anna, &banned, why, NULL), 0);
    assert_string_equal(why, "shouting");
    assert_int_equal(scratch_number(*state, "SELECT author FROM ban"), bruno);
}

static void a_ban_outlives_a_restart_and_is_lifted_once(void **state)
{
    int64_t anna = person(*state, "anna"), piazza = room(*state, "piazza");
    bool was;

    assert_int_equal(bans_set(*state, piazza, anna, 0, NULL, NULL), 0);
    db_close(*state);
    *state = scratch_open();
    assert_int_equal(bans_get(*state, piazza, anna, &was, NULL, NULL), 0);
    assert_true(was);
    assert_int_equal(bans_lift(*state, piazza, anna, &was, NULL), 0);
    assert_true(was);
    assert_int_equal(bans_get(*state, piazza, anna, &was, NULL, NULL), 0);
    assert_false(was);
    assert_int_equal(bans_lift(*state, piazza, anna, &was, NULL), 0);
    assert_false(was);
}

static void a_long_reason_is_shown_cut(void **state)
{
    int64_t anna = person(*state, "anna"), piazza = room(*state, "piazza");
    char why[301], got[128];
    bool banned;

    memset(why, 'w', 300);
    why[300] = '\0';
    assert_int_equal(bans_set(*state, piazza, anna, 0, why, NULL), 0);
    assert_int_equal(bans_get(*state, piazza, anna, &banned, got, NULL), 0);
    assert_int_equal(strlen(got), 127);
}

static void the_banned_are_listed_by_handle(void **state)
{
    int64_t piazza = room(*state, "piazza"), corte = room(*state, "corte");
    struct person *list;
    size_t count;

    assert_int_equal(bans_set(*state, piazza, person(*state, "bruno"), 0, NULL, NULL), 0);
    assert_int_equal(bans_set(*state, piazza, person(*state, "anna"), 0, NULL, NULL), 0);
    assert_int_equal(bans_set(*state, corte, person(*state, "carla"), 0, NULL, NULL), 0);
    assert_int_equal(bans_list(*state, piazza, &list, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].handle, "anna");
    assert_string_equal(list[1].handle, "bruno");
    free(list);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_db, scratch_close)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_have_names_and_grow_with_power),
        TEST(whoever_has_no_row_listens_unmuted_at_0_db),
        TEST(a_role_is_one_rooms_only_and_carries_its_date),
        TEST(only_another_role_begins_a_new_date),
        TEST(a_mute_and_a_fader_outlast_the_role_and_each_other),
        TEST(a_listener_with_nothing_set_leaves_no_row),
        TEST(members_are_listed_by_rank_and_then_by_service),
        TEST(what_is_no_role_and_no_gain_is_refused),
        TEST(a_ban_keeps_its_reason_and_takes_the_role_away),
        TEST(a_second_ban_changes_nothing),
        TEST(a_ban_outlives_a_restart_and_is_lifted_once),
        TEST(a_long_reason_is_shown_cut),
        TEST(the_banned_are_listed_by_handle),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/members", tests, scratch_begin, scratch_end);
}
