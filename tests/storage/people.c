/* people.c - persons: a public key and the handle it goes by (storage/people.h) */
#include "tests/storage/scratch.h"
#include "storage/people.h"

#include <sodium.h>

/* A key whose text begins with these letters, and goes on with those. */
static void key_of(uint8_t key[32], const char *text)
{
    char full[44];

    memset(full, 'A', 43);
    full[43] = '\0';
    memcpy(full, text, strlen(text));
    assert_int_equal(sodium_base642bin(key, 32, full, 43, NULL, NULL, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
}

static struct person enter(struct db *db, const char *key_text, const char *handle)
{
    struct person p = {0};
    struct err err = {0};
    uint8_t key[32];

    key_of(key, key_text);
    if (people_enter(db, key, handle, &p, &err) != 0)
        fail_msg("%s", err.message);
    return p;
}

static void denied(struct db *db, const char *key_text, const char *handle, const char *suggestion)
{
    struct person p;
    struct err err = {0};
    uint8_t key[32];

    key_of(key, key_text);
    assert_int_equal(people_enter(db, key, handle, &p, &err), -(int)ERR_DENIED);
    assert_non_null(strstr(err.message, handle));
    if (strstr(err.mend, suggestion) == NULL)
        fail_msg("'%s' should suggest %s", err.mend, suggestion);
}

static void a_new_key_gets_the_handle_it_asks_for_and_keeps_its_row(void **state)
{
    struct person first = enter(*state, "anna", "anna");
    struct person again = enter(*state, "anna", "anna");

    assert_string_equal(first.handle, "anna");
    assert_true(first.id > 0);
    assert_int_equal(again.id, first.id);
    assert_memory_equal(again.key, first.key, 32);
}

static void an_empty_handle_keeps_the_one_there_is(void **state)
{
    struct person anna = enter(*state, "anna", "anna");
    struct person again = enter(*state, "anna", "");

    assert_int_equal(again.id, anna.id);
    assert_string_equal(again.handle, "anna");
}

static void a_newcomer_without_handle_is_a_guest_named_by_the_key(void **state)
{
    struct person guest = enter(*state, "aB-_cD7-8xyz", "");

    assert_string_equal(guest.handle, "guest-abcd78xy");
    assert_string_equal(enter(*state, "aB-_cD7-8xyz", "").handle, "guest-abcd78xy");
    assert_string_equal(enter(*state, "Ab-_cD7-8xyz", "").handle, "guest-abcd78xy2");
}

static void a_known_key_is_renamed_to_a_free_handle(void **state)
{
    struct person anna = enter(*state, "anna", "anna");
    struct person renamed = enter(*state, "anna", "ottavia");

    assert_int_equal(renamed.id, anna.id);
    assert_string_equal(renamed.handle, "ottavia");
    assert_string_equal(enter(*state, "bruno", "anna").handle, "anna");
}

static void a_handle_that_another_key_holds_is_denied_with_a_free_one(void **state)
{
    enter(*state, "anna", "anna");
    denied(*state, "bruno", "anna", "--handle anna2");
    enter(*state, "carla", "anna2");
    denied(*state, "bruno", "anna", "--handle anna3");
    denied(*state, "bruno", "anna2", "--handle anna3");
    enter(*state, "bruno", "bruno");
    denied(*state, "bruno", "anna", "--handle anna3");
    assert_string_equal(enter(*state, "bruno", "").handle, "bruno");
    assert_int_equal(scratch_number(*state, "SELECT count(*) FROM person"), 3);
}

static void a_suggestion_is_never_longer_than_a_handle(void **state)
{
    enter(*state, "anna", "abcdefghijklmnopqrstuvwxyzabcdef");
    denied(*state, "bruno", "abcdefghijklmnopqrstuvwxyzabcdef", "--handle abcdefghijklmnopqrstuvwxyzabcde2");
}

static void when_nothing_changes_nothing_is_written(void **state)
{
    struct db *db = *state;
    sqlite3 *sqlite = sqlite3_db_handle(db_statement(db, "SELECT 1", NULL));
    int before;

    enter(db, "anna", "anna");
    before = sqlite3_total_changes(sqlite);
    enter(db, "anna", "anna");
    enter(db, "anna", "");
    assert_int_equal(sqlite3_total_changes(sqlite), before);
}

static void a_person_is_found_by_handle_and_by_the_start_of_the_key(void **state)
{
    struct person anna = enter(*state, "Xy3-a", "anna"), found;
    char whole[44];

    enter(*state, "Xy4-a", "bruno");
    assert_int_equal(people_find(*state, "anna", &found, NULL), 0);
    assert_int_equal(found.id, anna.id);
    assert_int_equal(people_find(*state, "Xy3-", &found, NULL), 0);
    assert_int_equal(found.id, anna.id);
    assert_int_equal(people_find(*state, "Xy3-a", &found, NULL), 0);
    assert_string_equal(found.handle, "anna");
    sodium_bin2base64(whole, sizeof whole, anna.key, 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    assert_int_equal(people_find(*state, whole, &found, NULL), 0);
    assert_int_equal(found.id, anna.id);
    whole[42] = whole[42] == 'A' ? 'B' : 'A'; /* not the text of any key */
    assert_int_equal(people_find(*state, whole, &found, NULL), -(int)ERR_NOT_FOUND);
}

static void a_handle_comes_before_a_key_that_begins_alike(void **state)
{
    struct person anna = enter(*state, "Zzzz", "anna"), found;

    enter(*state, "anna", "bruno");
    assert_int_equal(people_find(*state, "anna", &found, NULL), 0);
    assert_int_equal(found.id, anna.id);
}

static void three_letters_of_a_key_are_not_enough(void **state)
{
    struct person found;

    enter(*state, "Xy3-", "anna");
    assert_int_equal(people_find(*state, "Xy3", &found, NULL), -(int)ERR_NOT_FOUND);
}

static void a_start_that_fits_several_keys_names_them(void **state)
{
    struct person found;
    struct err err = {0};

    enter(*state, "Xy3-a", "anna");
    enter(*state, "Xy3-b", "bruno");
    assert_int_equal(people_find(*state, "Xy3-", &found, &err), -(int)ERR_USAGE);
    assert_non_null(strstr(err.message, "anna, bruno"));
    enter(*state, "Xy3-c", "carla");
    enter(*state, "Xy3-d", "dario");
    enter(*state, "Xy3-e", "elena");
    assert_int_equal(people_find(*state, "Xy3-", &found, &err), -(int)ERR_USAGE);
    assert_non_null(strstr(err.message, "anna, bruno, carla, dario and others"));
}

static void an_unknown_person_is_answered_with_the_nearest_handle(void **state)
{
    struct person found;
    struct err err = {0};
    uint8_t key[32] = {0};

    enter(*state, "Xy3-a", "ottavia");
    assert_int_equal(people_find(*state, "otavia", &found, &err), -(int)ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "otavia"));
    assert_non_null(strstr(err.mend, "did you mean 'ottavia'?"));
    assert_int_equal(people_find(*state, "bruno", &found, &err), -(int)ERR_NOT_FOUND);
    assert_null(strstr(err.mend, "did you mean"));
    assert_int_equal(people_find(*state, "", &found, &err), -(int)ERR_NOT_FOUND);
    assert_int_equal(people_by_key(*state, key, &found, &err), -(int)ERR_NOT_FOUND);
}

static void a_person_is_found_by_the_whole_key(void **state)
{
    struct person anna = enter(*state, "anna", "anna"), found;

    assert_int_equal(people_by_key(*state, anna.key, &found, NULL), 0);
    assert_int_equal(found.id, anna.id);
}

static void a_row_number_is_never_given_out_twice(void **state)
{
    struct person anna = enter(*state, "anna", "anna");

    scratch_exec(*state, "DELETE FROM person");
    assert_true(enter(*state, "anna", "anna").id > anna.id);
}

static void what_is_no_handle_never_gets_into_the_database(void **state)
{
    static const char *const bad[] = {
        "Anna", "1anna", "-anna", "an na", "anna\n", "annà", "abcdefghijklmnopqrstuvwxyzabcdefg"};
    uint8_t key[32] = {1};
    struct person p;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(people_enter(*state, key, bad[i], &p, NULL),
                         strlen(bad[i]) > 32 ? -(int)ERR_USAGE : -(int)ERR_STATE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_db, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(a_new_key_gets_the_handle_it_asks_for_and_keeps_its_row),
        TEST(an_empty_handle_keeps_the_one_there_is),
        TEST(a_newcomer_without_handle_is_a_guest_named_by_the_key),
        TEST(a_known_key_is_renamed_to_a_free_handle),
        TEST(a_handle_that_another_key_holds_is_denied_with_a_free_one),
        TEST(a_suggestion_is_never_longer_than_a_handle),
        TEST(when_nothing_changes_nothing_is_written),
        TEST(a_person_is_found_by_handle_and_by_the_start_of_the_key),
        TEST(a_handle_comes_before_a_key_that_begins_alike),
        TEST(three_letters_of_a_key_are_not_enough),
        TEST(a_start_that_fits_several_keys_names_them),
        TEST(an_unknown_person_is_answered_with_the_nearest_handle),
        TEST(a_person_is_found_by_the_whole_key),
        TEST(a_row_number_is_never_given_out_twice),
        TEST(what_is_no_handle_never_gets_into_the_database),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage/people", tests, scratch_begin, scratch_end);
}
