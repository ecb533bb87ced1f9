/* stage.c - tests of who is in the room, and of the line that says so */
#include "tools/salotto/stage.h"

#include "tools/salotto/status_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct stage s;

static int join(const char *text)
{
    json_t *o = json_loads(text, 0, NULL);
    int ret = stage_join(&s, o);

    assert_non_null(o);
    json_decref(o);
    return ret;
}

static void event(const char *text)
{
    json_t *o = json_loads(text, 0, NULL);

    assert_non_null(o);
    stage_event(&s, o);
    json_decref(o);
}

static void join_as_listener(void)
{
    assert_int_equal(join("{\"room\":{\"name\":\"piazza\",\"title\":\"Open\\u001b Friday\"},"
                          "\"you\":{\"handle\":\"anna\",\"role\":\"listener\",\"strip\":null,\"muted\":true,"
                          "\"muted_by_moderator\":false},"
                          "\"stage\":[{\"handle\":\"bruno\",\"strip\":0,\"speaking\":true,\"muted\":false}],"
                          "\"listeners\":12}"),
                     0);
}

static const char *line(void)
{
    static char text[STATUS_LINE_MAX];
    const struct status status = {.keys = true};

    status_line_compose(text, &s, &status);
    return text;
}

static void the_answer_to_a_join_fills_it(void **state)
{
    (void)state;
    join_as_listener();
    assert_string_equal(s.title, "Open? Friday");
    assert_int_equal(s.count, 1);
    assert_true(s.people[0].speaking);
    assert_false(stage_may_speak(&s));
    assert_string_equal(line(), "piazza | bruno speaks | 12 listening | you: listener | h: hand, q: leave");
    assert_int_equal(join("{\"id\":1,\"ok\":true}"), -1);
}

static void events_keep_it(void **state)
{
    (void)state;
    join_as_listener();
    event("{\"event\":\"stage\",\"handle\":\"carla\",\"strip\":1,\"muted\":false}");
    event("{\"event\":\"speaking\",\"handle\":\"carla\",\"strip\":1,\"on\":true}");
    event("{\"event\":\"listeners\",\"count\":7}");
    assert_string_equal(line(), "piazza | bruno, carla speak | 7 listening | you: listener | h: hand, q: leave");
    event("{\"event\":\"speaking\",\"handle\":\"bruno\",\"strip\":0,\"on\":false}");
    event("{\"event\":\"stage\",\"handle\":\"carla\",\"strip\":null}");
    assert_int_equal(s.count, 1);
    event("{\"event\":\"something new\",\"handle\":\"carla\"}");
    event("{\"no\":\"event\"}");
    assert_string_equal(line(), "piazza | nobody speaks | 7 listening | you: listener | h: hand, q: leave");
}

static void promotion_mute_and_demotion_decide_whether_one_is_heard(void **state)
{
    (void)state;
    join_as_listener();
    event("{\"event\":\"role\",\"role\":\"speaker\",\"strip\":2,\"muted\":true,\"muted_by_moderator\":false}");
    assert_true(s.on_stage);
    assert_false(stage_may_speak(&s));
    event("{\"event\":\"muted\",\"handle\":\"anna\",\"strip\":2,\"muted\":false,\"muted_by_moderator\":false}");
    assert_true(stage_may_speak(&s));
    event("{\"event\":\"muted\",\"handle\":\"bruno\",\"strip\":0,\"muted\":true,\"muted_by_moderator\":true}");
    assert_true(stage_may_speak(&s));
    event("{\"event\":\"muted\",\"handle\":\"anna\",\"strip\":2,\"muted\":true,\"muted_by_moderator\":true}");
    assert_false(stage_may_speak(&s));
    event("{\"event\":\"muted\",\"handle\":\"anna\",\"strip\":2,\"muted\":false,\"muted_by_moderator\":false}");
    event("{\"event\":\"role\",\"role\":\"listener\",\"strip\":null,\"muted\":false,\"muted_by_moderator\":false}");
    assert_false(stage_may_speak(&s));
}

static void a_stage_never_overflows(void **state)
{
    char text[128];

    (void)state;
    join_as_listener();
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "{\"event\":\"stage\",\"handle\":\"guest-%d\",\"strip\":%d,\"speaking\":true}", i,
                 i);
        event(text);
    }
    assert_int_equal(s.count, STAGE_MAX);
    assert_non_null(strstr(line(), "and 28 more speak"));
}

static void texts_are_cut_between_characters(void **state)
{
    char out[6];

    (void)state;
    stage_copy(out, sizeof out, "Caff\xc3\xa8!");
    assert_string_equal(out, "Caff");
    stage_copy(out, sizeof out, NULL);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_to_a_join_fills_it),
        cmocka_unit_test(events_keep_it),
        cmocka_unit_test(promotion_mute_and_demotion_decide_whether_one_is_heard),
        cmocka_unit_test(a_stage_never_overflows),
        cmocka_unit_test(texts_are_cut_between_characters),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
