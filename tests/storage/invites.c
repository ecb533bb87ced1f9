/* invites.c - tokens that let their bearer in with a role (storage/invites.h) */
#include "tests/storage/scratch.h"
#include "storage/invites.h"
#include "storage/rooms.h"

/* One room, three persons. */
static int64_t piazza, corte, anna, bruno, carla;

static int64_t person(struct db *db, const char *handle)
{
    struct person p = {0};
    uint8_t key[32] = {0};

    memcpy(key, handle, strlen(handle));
    assert_int_equal(people_enter(db, key, handle, &p, NULL), 0);
    return p.id;
}

static int set_up(void **state)
{
    struct room_row r;
    bool reopened;

    scratch_db(state);
    assert_int_equal(rooms_create(*state, "piazza", NULL, &r, &reopened, NULL), 0);
    piazza = r.id;
    assert_int_equal(rooms_create(*state, "corte", NULL, &r, &reopened, NULL), 0);
    corte = r.id;
    anna = person(*state, "anna");
    bruno = person(*state, "bruno");
    carla = person(*state, "carla");
    return 0;
}

static void denied(struct db *db, int64_t room, int64_t person, const char *token, const char *because)
{
    struct err err = {0};
    enum role role = ROLE_OPERATOR;

    assert_int_equal(invites_use(db, room, person, token, &role, &err), -(int)ERR_DENIED);
    if (strstr(err.message, because) == NULL)
        fail_msg("'%s' should say '%s'", err.message, because);
    assert_non_null(strstr(err.mend, "ask a moderator"));
    assert_int_equal(role, ROLE_OPERATOR);
}

static void granted(struct db *db, int64_t room, int64_t person, const char *token, enum role expected)
{
    struct err err = {0};
    enum role role = ROLE_OPERATOR;

    if (invites_use(db, room, person, token, &role, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(role, expected);
}

static void a_token_is_32_letters_fit_for_a_link_and_never_the_same(void **state)
{
    char one[INVITE_TOKEN_BYTES], two[INVITE_TOKEN_BYTES];

    assert_int_equal(invites_create(*state, piazza, ROLE_SPEAKER, 0, 0, 0, one, NULL), 0);
    assert_int_equal(invites_create(*state, piazza, ROLE_SPEAKER, 0, 0, 0, two, NULL), 0);
    assert_int_equal(strlen(one), 32);
    assert_int_equal(strspn(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 32);
    assert_string_not_equal(one, two);
}

static void a_token_gives_the_invites_role(void **state)
{
    char token[INVITE_TOKEN_BYTES];

    assert_int_equal(invites_create(*state, piazza, ROLE_MODERATOR, 1, 0, bruno, token, NULL), 0);
    granted(*state, piazza, anna, token, ROLE_MODERATOR);
    assert_int_equal(scratch_number(*state, "SELECT person FROM invite_use"), anna);
    assert_int_equal(scratch_number(*state, "SELECT author FROM invite"), bruno);
}

static void a_use_is_spent_once_for_each_key(void **state)
{
    char token[INVITE_TOKEN_BYTES];

    assert_int_equal(invites_create(*state, piazza, ROLE_SPEAKER, 2, 0, 0, token, NULL), 0);
    granted(*state, piazza, anna, token, ROLE_SPEAKER);
    granted(*state, piazza, anna, token, ROLE_SPEAKER);
    granted(*state, piazza, bruno, token, ROLE_SPEAKER);
    denied(*state, piazza, carla, token, "is used up");
    granted(*state, piazza, anna, token, ROLE_SPEAKER);
    assert_int_equal(scratch_number(*state, "SELECT used FROM invite"), 2);
}

static void a_use_stays_spent_when_its_user_is_erased(void **state)
{
    char token[INVITE_TOKEN_BYTES];

    assert_int_equal(invites_create(*state, piazza, ROLE_SPEAKER, 1, 0, 0, token, NULL), 0);
    granted(*state, piazza, anna, token, ROLE_SPEAKER);
    scratch_exec(*state, "DELETE FROM person WHERE handle = 'anna'");
    denied(*state, piazza, bruno, token, "is used up");
}

static void an_unlimited_invite_lets_everyone_in(void **state)
{
    char token[INVITE_TOKEN_BYTES];

    assert_int_equal(invites_create(*state, piazza, ROLE_LISTENER, 0, 0, 0, token, NULL), 0);
    granted(*state, piazza, anna, token, ROLE_LISTENER);
    granted(*state, piazza, bruno, token, ROLE_LISTENER);
    granted(*state, piazza, carla, token, ROLE_LISTENER);
}

static void an_expired_invite_is_good_only_for_who_has_used_it(void **state)
{
    char token[INVITE_TOKEN_BYTES];

    assert_int_equal(invites_create(*state, piazza, ROLE_SPEAKER, 0, db_now_ms() + 3600000, 0, token, NULL), 0);
    granted(*state, piazza, anna, token, ROLE_SPEAKER);
    scratch_exec(*state, "UPDATE invite SET expires_ms = 5");
    denied(*state, piazza, bruno, token, "has expired");
    granted(*state, piazza, anna, token, ROLE_SPEAKER);
}

static void an_invite_is_for_one_room(void **state)
{
    char token[INVITE_TOKEN_BYTES];

    assert_int_equal(invites_create(*state, piazza, ROLE_SPEAKER, 0, 0, 0, token, NULL), 0);
    denied(*state, corte, anna, token, "another room");
    assert_int_equal(scratch_number(*state, "SELECT used FROM invite"), 0);
}

static void an_unknown_token_is_denied(void **state)
{
    char token[INVITE_TOKEN_BYTES];

    assert_int_equal(invites_create(*state, piazza, ROLE_SPEAKER, 0, 0, 0, token, NULL), 0);
    denied(*state, piazza, anna, "", "no such invite");
    denied(*state, piazza, anna, "rubbish", "no such invite");
    token[31] = token[31] == 'A' ? 'B' : 'A';
    denied(*state, piazza, anna, token, "no such invite");
}

static void a_copy_of_the_database_holds_no_token(void **state)
{
    char token[INVITE_TOKEN_BYTES], wal[160];
    static char bytes[1 << 20];

    assert_int_equal(invites_create(*state, piazza, ROLE_SPEAKER, 0, 0, 0, token, NULL), 0);
    granted(*state, piazza, anna, token, ROLE_SPEAKER);
    snprintf(wal, sizeof wal, "%s-wal", scratch_path);
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(i == 0 ? wal : scratch_path, "rb");
        size_t len;

        assert_non_null(f);
        len = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        assert_true(len > 0 && len < sizeof bytes);
        assert_null(memmem(bytes, len, token, 32));
    }
}

static void who_has_used_an_invite_is_known(void **state)
{
    char token[INVITE_TOKEN_BYTES];
    bool used;

    assert_int_equal(invites_create(*state, piazza, ROLE_SPEAKER, 0, 0, 0, token, NULL), 0);
    assert_int_equal(invites_used_by(*state, anna, token, &used, NULL), 0);
    assert_false(used);
    granted(*state, piazza, anna, token, ROLE_SPEAKER);
    assert_int_equal(invites_used_by(*state, anna, token, &used, NULL), 0);
    assert_true(used);
    assert_int_equal(invites_used_by(*state, bruno, token, &used, NULL), 0);
    assert_false(used);
    assert_int_equal(invites_used_by(*state, anna, "rubbish", &used, NULL), 0);
    assert_false(used);
}

static void nobody_is_invited_to_be_operator(void **state)
{
    char token[INVITE_TOKEN_BYTES];

    assert_int_equal(invites_create(*state, piazza, ROLE_OPERATOR, 0, 0, 0, token, NULL), -(int)ERR_USAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_32_letters_fit_for_a_link_and_never_the_same),
        TEST(a_token_gives_the_invites_role),
        TEST(a_use_is_spent_once_for_each_key),
        TEST(a_use_stays_spent_when_its_user_is_erased),
        TEST(an_unlimited_invite_lets_everyone_in),
        TEST(an_expired_invite_is_good_only_for_who_has_used_it),
        TEST(an_invite_is_for_one_room),
        TEST(an_unknown_token_is_denied),
        TEST(a_copy_of_the_database_holds_no_token),
        TEST(who_has_used_an_invite_is_known),
        TEST(nobody_is_invited_to_be_operator),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/invites", tests, scratch_begin, scratch_end);
}
