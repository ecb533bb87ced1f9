#include "net/link.h"

#include "tests/net/hex.h"

#define KEY "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA" /* bytes 1 to 32 */

static void a_link_names_host_room_and_key(void **state)
{
    struct link l;
    struct err err;

    (void)state;
    assert_int_equal(link_parse(&l, "salotto://live.example.org/piazza?k=" KEY, &err), 0);
    assert_string_equal(l.host, "live.example.org");
    assert_int_equal(l.port, 7256);
    assert_string_equal(l.room, "piazza");
    assert_true(l.has_key);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(l.key[i], i + 1);
    assert_string_equal(l.token, "");
}

static void port_key_token_and_room_may_be_left_out(void **state)
{
    struct link l;
    struct err err;

    (void)state;
    assert_int_equal(link_parse(&l, "salotto://localhost", &err), 0);
    assert_string_equal(l.host, "localhost");
    assert_string_equal(l.room, "");
    assert_false(l.has_key);
    assert_int_equal(link_parse(&l, "SALOTTO://localhost:1/", &err), 0);
    assert_int_equal(l.port, 1);
    assert_int_equal(link_parse(&l, "salotto://127.0.0.1:65535/a?token=x-_9", &err), 0);
    assert_string_equal(l.host, "127.0.0.1");
    assert_int_equal(l.port, 65535);
    assert_string_equal(l.token, "x-_9");
    assert_false(l.has_key);
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
    struct link l;
    struct err err;

    (void)state;
    assert_int_equal(link_parse(&l, "salotto://[2001:db8::1]:7300/piazza", &err), 0);
    assert_string_equal(l.host, "2001:db8::1");
    assert_int_equal(l.port, 7300);
    assert_int_equal(link_parse(&l, "salotto://[::1]/piazza", &err), 0);
    assert_string_equal(l.host, "::1");
    assert_int_equal(l.port, 7256);
}

static void parameters_of_programs_to_come_are_skipped(void **state)
{
    struct link l;
    struct err err;

    (void)state;
    assert_int_equal(link_parse(&l, "salotto://h/r?new=1&token=T&kk&k=" KEY "&", &err), 0);
    assert_true(l.has_key);
    assert_string_equal(l.token, "T");
}

static void what_is_no_link_is_refused_with_the_shape_of_one(void **state)
{
    static const char *const bad[] = {
        "",
        "piazza",
        "https://h/r",
        "salotto:/h/r",
        "salotto://",
        "salotto:///piazza",
        "salotto://h:/r",
        "salotto://h:0/r",
        "salotto://h:65536/r",
        "salotto://h:072560/r",
        "salotto://h:+1/r",
        "salotto://h:7256x/r",
        "salotto://user@h/r",
        "salotto://h h/r",
        "salotto://-h/r",
        "salotto://::1/r",
        "salotto://[::1/r",
        "salotto://[::1]7256/r",
        "salotto://[localhost]/r",
        "salotto://[]/r",
        "salotto://h/Piazza",
        "salotto://h/1room",
        "salotto://h/rooms",
        "salotto://h/a/b",
        "salotto://h/a%20b",
        "salotto://h/abcdefghijklmnopqrstuvwxyz0123456",
        "salotto://h/r?k=",
        "salotto://h/r?k=AAAA",
        "salotto://h/r?k=" KEY "A",
        "salotto://h/r?k=" KEY "&k=" KEY,
        "salotto://h/r?token=",
        "salotto://h/r?token=a b",
        "salotto://h/r?token=a&token=b",
        "salotto://h/r?token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "salotto://h/r#there",
        "salotto://h/r?k=" KEY "#there",
    };
    struct link l;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};

        if (link_parse(&l, bad[i], &err) != -ERR_USAGE)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(err.code, ERR_USAGE);
        assert_true(err.message[0] != '\0' && err.mend[0] != '\0');
    }
}

static void a_host_of_255_characters_is_the_longest(void **state)
{
    char text[300] = "salotto://";
    struct link l;
    struct err err;

    (void)state;
    memset(text + 10, 'h', 255);
    assert_int_equal(link_parse(&l, text, &err), 0);
    assert_int_equal(strlen(l.host), 255);
    text[265] = 'h';
    assert_int_equal(link_parse(&l, text, &err), -ERR_USAGE);
}

static void no_message_repeats_a_token(void **state)
{
    struct link l;
    struct err err;

    (void)state;
    assert_int_equal(link_parse(&l, "salotto://h/r?token=SECRET!", &err), -ERR_USAGE);
    assert_null(strstr(err.message, "SECRET"));
    assert_null(strstr(err.mend, "SECRET"));
    assert_int_equal(link_parse(&l, "http://h/r?token=SECRET", &err), -ERR_USAGE);
    assert_null(strstr(err.message, "SECRET"));
}

static void a_printed_link_reads_back_the_same(void **state)
{
    static const char *const links[] = {
        "salotto://h/",
        "salotto://h:1/r",
        "salotto://h/r?k=" KEY,
        "salotto://[2001:db8::1]:7300/piazza?k=" KEY "&token=abc_DEF-123",
        "salotto://h/r?token=abc",
    };
    struct link l;
    struct err err;
    char text[LINK_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        assert_int_equal(link_parse(&l, links[i], &err), 0);
        link_print(text, &l);
        assert_string_equal(text, links[i]);
    }
    assert_int_equal(link_parse(&l, "salotto://h:7256/r", &err), 0);
    link_print(text, &l);
    assert_string_equal(text, "salotto://h/r");
}

static void names_are_1_to_32_small_letters_digits_and_hyphens_a_letter_first(void **state)
{
    static const char *const good[] = {"a", "piazza", "r2-d2", "a--", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {"",    "A",   "2a",       "-a",
                                      "a_b", "a b", "\xc3\xa8", "abcdefghijklmnopqrstuvwxyz0123456"};
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(link_is_room_name(good[i], &why));
        assert_true(link_is_handle(good[i], &why));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(link_is_room_name(bad[i], &why));
        assert_non_null(why);
        assert_false(link_is_handle(bad[i], &why));
        assert_non_null(why);
    }
}

static void reserved_words_name_people_but_no_rooms(void **state)
{
    static const char *const words[] = {"rooms", "metrics", "healthz", "readyz", "events", "assets", "feed", "echo"};
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_false(link_is_room_name(words[i], &why));
        assert_string_equal(why, "the name is reserved");
        assert_true(link_is_handle(words[i], &why));
    }
    assert_true(link_is_room_name("room", &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_names_host_room_and_key),
        cmocka_unit_test(port_key_token_and_room_may_be_left_out),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(parameters_of_programs_to_come_are_skipped),
        cmocka_unit_test(what_is_no_link_is_refused_with_the_shape_of_one),
        cmocka_unit_test(a_host_of_255_characters_is_the_longest),
        cmocka_unit_test(no_message_repeats_a_token),
        cmocka_unit_test(a_printed_link_reads_back_the_same),
        cmocka_unit_test(names_are_1_to_32_small_letters_digits_and_hyphens_a_letter_first),
        cmocka_unit_test(reserved_words_name_people_but_no_rooms),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/link", tests, NULL, NULL);
}
