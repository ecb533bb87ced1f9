/* heard.c - tests of where what is heard goes, on a virtual clock */
#include "tools/salotto/heard.h"

#include <opus/opus.h>
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

#define MS       1000000ull
#define JOINED   (5000 * MS)
#define POSITION 960000u

static struct events_out nobody;
static struct err err;

static struct heard *begin(double seconds, bool parked)
{
    const struct heard_config c = {.output = path, .seconds = seconds, .events = &nobody};
    struct heard *h;

    h = heard_open(&c, &err);
    assert_non_null(h);
    assert_int_equal(heard_join(h, STREAM_STANDARD, POSITION, parked, JOINED, &err), 0);
    return h;
}

/* Offers n packets of the room from `position` on, as they come, and runs the clock. */
static uint64_t speak(struct heard *h, OpusEncoder *e, uint64_t now_ns, uint64_t position, unsigned n)
{
    static float pcm[960];
    struct tape_packet p = {0};

    for (unsigned i = 0; i < 960; i++)
        pcm[i] = 0.25f;
    for (; n > 0; n--, position += 960, now_ns += 20 * MS) {
        opus_int32 bytes = opus_encode_float(e, pcm, 960, p.opus, sizeof p.opus);

        assert_true(bytes > 0);
        p.opus_bytes = (uint16_t)bytes;
        p.position = position;
        heard_put(h, STREAM_STANDARD, &p, now_ns);
        assert_int_equal(heard_run(h, now_ns, &err), 0);
    }
    return now_ns;
}

static uint64_t wait_ms(struct heard *h, uint64_t now_ns, unsigned ms)
{
    for (unsigned t = 0; t < ms; t += 20, now_ns += 20 * MS)
        assert_int_equal(heard_run(h, now_ns, &err), 0);
    return now_ns;
}

static sf_count_t length(void)
{
    SF_INFO info = {0};
    SNDFILE *f = sf_open(path, SFM_READ, &info);

    assert_non_null(f);
    sf_close(f);
    return info.frames;
}

static void in_a_parked_room_the_stay_counts_from_joining(void **state)
{
    struct heard *h = begin(2, true);

    (void)state;
    wait_ms(h, JOINED, 1900);
    assert_false(heard_is_done(h));
    wait_ms(h, JOINED + 1900 * MS, 500);
    assert_true(heard_is_done(h));
    assert_true(heard_seconds(h) == 2);
    assert_int_equal(heard_close(h, &err), 0);
    assert_int_equal(length(), 96000);
}

static void in_a_speaking_room_the_stay_counts_from_the_first_sound(void **state)
{
    OpusEncoder *e = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, NULL);
    struct heard *h = begin(1, false);
    uint64_t now_ns;

    (void)state;
    now_ns = wait_ms(h, JOINED, 500); /* the way takes its time */
    assert_true(heard_seconds(h) == 0);
    now_ns = speak(h, e, now_ns, POSITION + 24000, 45);
    assert_false(heard_is_done(h));
    speak(h, e, now_ns, POSITION + 24000 + 45 * 960, 40);
    assert_true(heard_is_done(h));
    assert_int_equal(heard_close(h, &err), 0);
    assert_int_equal(length(), 48000);
    opus_encoder_destroy(e);
}

static void a_room_that_falls_silent_as_one_joins_still_has_a_stay(void **state)
{
    struct heard *h = begin(1, false);

    (void)state;
    wait_ms(h, JOINED, 1000);
    assert_true(heard_seconds(h) == 0);
    heard_parked(h);
    wait_ms(h, JOINED + 1000 * MS, 1200);
    assert_true(heard_is_done(h));
    assert_int_equal(heard_close(h, &err), 0);
}

static void a_stall_of_ours_is_caught_up_with(void **state)
{
    struct heard *h = begin(0, true);

    (void)state;
    wait_ms(h, JOINED, 100);
    assert_int_equal(heard_run(h, JOINED + 3000 * MS, &err), 0);
    assert_int_equal(heard_close(h, &err), 0);
    assert_int_equal(length(), 144000);
}

static void positions_say_where_in_the_file_the_room_is(void **state)
{
    OpusEncoder *e = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, NULL);
    struct heard *h;
    char *text = NULL;
    json_t *event;
    size_t len;

    (void)state;
    nobody.to = open_memstream(&text, &len);
    h = begin(0, true);
    speak(h, e, wait_ms(h, JOINED, 1000), POSITION + 48000, 50);
    assert_int_equal(heard_close(h, &err), 0);
    fclose(nobody.to);
    nobody.to = NULL;
    event = json_loads(text, 0, NULL); /* one line, as nothing moved */
    assert_non_null(event);
    assert_string_equal(json_string_value(json_object_get(event, "event")), "position");
    assert_int_equal(json_integer_value(json_object_get(event, "position")), POSITION + 48000);
    /* Heard after the third packet has come, and what we look for it by. */
    assert_in_range(json_integer_value(json_object_get(event, "wav_sample")), 48000, 48000 + 4 * 960);
    json_decref(event);
    free(text);
    opus_encoder_destroy(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(in_a_parked_room_the_stay_counts_from_joining),
        IN_FOLDER(in_a_speaking_room_the_stay_counts_from_the_first_sound),
        IN_FOLDER(a_room_that_falls_silent_as_one_joins_still_has_a_stay),
        IN_FOLDER(a_stall_of_ours_is_caught_up_with),
        IN_FOLDER(positions_say_where_in_the_file_the_room_is),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
