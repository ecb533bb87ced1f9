/* voice.c - tests of a sound file on its way to the room, on a virtual clock */
#include "tools/salotto/voice.h"

#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/salotto/temporary.h"

#define MS 1000000ull

static unsigned sent;
static uint64_t now_ns;
static struct err err;

static void count(const struct packet *p, void *arg)
{
    (void)p;
    (void)arg;
    sent++;
}

/* A file of one loud second. */
static struct voice *begin(bool loop)
{
    const struct voice_config c = {.input = path, .loop = loop, .send = count};
    SF_INFO info = {.samplerate = 16000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *f = sf_open(path, SFM_WRITE, &info);
    struct voice *v;

    assert_non_null(f);
    for (int i = 0; i < 16000; i++) {
        float sample = 0.3f * sinf((float)i / 5);

        assert_int_equal(sf_writef_float(f, &sample, 1), 1);
    }
    sf_close(f);
    sent = 0;
    now_ns = 1000 * MS;
    v = voice_open(&c, &err);
    assert_non_null(v);
    return v;
}

static void run(struct voice *v, unsigned ms, bool on_stage, bool allowed)
{
    for (unsigned t = 0; t < ms; t += 10, now_ns += 10 * MS)
        assert_int_equal(voice_run(v, on_stage, allowed, now_ns, &err), 0);
}

static void a_file_waits_until_it_may_be_heard_and_then_goes_at_the_clocks_pace(void **state)
{
    struct voice *v = begin(false);

    (void)state;
    run(v, 500, false, false);
    run(v, 500, true, false);
    assert_int_equal(sent, 0);
    run(v, 500, true, true);
    assert_in_range(sent, 24, 26);
    assert_true(voice_is_open(v));
    voice_close(v);
}

static void at_its_end_one_stays_a_second_to_hear_the_room(void **state)
{
    struct voice *v = begin(false);

    (void)state;
    run(v, 1900, true, true);
    assert_false(voice_is_over(v));
    run(v, 200, true, true);
    assert_true(voice_is_over(v));
    assert_int_equal(voice_packets(v), sent);
    voice_close(v);
}

static void who_is_sent_from_the_stage_stops_and_goes_on_later(void **state)
{
    struct voice *v = begin(false);
    unsigned before;

    (void)state;
    run(v, 500, true, true);
    before = sent;
    run(v, 5000, false, false);
    assert_int_equal(sent, before);
    assert_false(voice_is_over(v));
    run(v, 1400, true, true);
    assert_false(voice_is_over(v));
    run(v, 300, true, true);
    assert_true(voice_is_over(v));
    voice_close(v);
}

static void a_muted_file_goes_on_unheard(void **state)
{
    struct voice *v = begin(false);
    unsigned before;

    (void)state;
    run(v, 300, true, true);
    before = sent;
    run(v, 500, true, false);
    assert_int_equal(sent, before);
    run(v, 1300, true, true);
    assert_true(voice_is_over(v));
    voice_close(v);
}

static void a_loop_has_no_end(void **state)
{
    struct voice *v = begin(true);

    (void)state;
    run(v, 10000, true, true);
    assert_false(voice_is_over(v));
    assert_in_range(sent, 499, 501);
    voice_close(v);
}

static void after_a_stall_the_clock_is_caught_up_with_but_not_all_at_once(void **state)
{
    struct voice *v = begin(true);

    (void)state;
    run(v, 1000, true, true);
    sent = 0;
    now_ns += 3000 * MS;
    assert_int_equal(voice_run(v, true, true, now_ns, &err), 0);
    assert_in_range(sent, 1, 10);
    voice_close(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_waits_until_it_may_be_heard_and_then_goes_at_the_clocks_pace),
        IN_FOLDER(at_its_end_one_stays_a_second_to_hear_the_room),
        IN_FOLDER(who_is_sent_from_the_stage_stops_and_goes_on_later),
        IN_FOLDER(a_muted_file_goes_on_unheard),
        IN_FOLDER(a_loop_has_no_end),
        IN_FOLDER(after_a_stall_the_clock_is_caught_up_with_but_not_all_at_once),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
