/* room_orders.c - tests of a room's commands (mixer/room.h) on a virtual clock */
#include "tests/mixer/stage.h"

#include <errno.h>

/* Anna's 440 Hz beside bruno's 1000 Hz, and what `standard` brings. */
struct scene {
    struct stage st;
    struct speaker anna, bruno;
    struct strip *strip; /* anna's */
    struct listener l;
    double anna_hz;
};

static void scene_init(struct scene *s)
{
    stage_init(&s->st);
    speaker_init(&s->anna, 0, 1);
    speaker_init(&s->bruno, 1, 1);
    s->anna_hz = 440.0;
    s->strip = stage_add_strip(&s->st, 0, 1, STREAM_LOW);
    stage_add_strip(&s->st, 1, 1, STREAM_LOW);
    listener_init(&s->l, tier_tape(stage_add_tier(&s->st, STREAM_STANDARD)), stage_position(&s->st), 20 * 48000);
}

static void scene_fini(struct scene *s)
{
    listener_fini(&s->l);
    speaker_fini(&s->anna);
    speaker_fini(&s->bruno);
    stage_fini(&s->st);
}

static void scene_run(struct scene *s, unsigned ticks)
{
    for (; ticks > 0; ticks--) {
        speaker_tone(&s->anna, &s->st, s->anna_hz, -20.0);
        speaker_tone(&s->bruno, &s->st, 1000.0, -20.0);
        stage_tick(&s->st);
        listener_run(&s->l);
    }
}

/* Carries out one order and brings its answer. */
static struct room_result scene_order(struct scene *s, struct room_command c)
{
    struct room_result result;

    stage_results(&s->st);
    stage_order(&s->st, c);
    scene_run(s, 1);
    result = stage_result(&s->st);
    assert_int_equal(result.cookie, s->st.cookie - 1);
    assert_int_equal(result.order, c.order);
    return result;
}

/* A tone in the 200 ms (whole periods of 440, 700 and 1000 Hz, each an exact zero of the others) from a position on,
 * dBFS RMS. */
static double heard_db(const struct scene *s, uint64_t position, double hz)
{
    size_t at = (size_t)(position - s->l.start);

    assert_true(at + 9600 <= s->l.samples);
    return sound_db(sound_tone(s->l.pcm + at, 9600, hz, NULL) / sqrt(2.0));
}

/* The loudest of a tone in any 20 ms from..to, beside bruno's. */
static double loudest_db(const struct scene *s, uint64_t from, uint64_t to, double hz)
{
    double worst = 0;

    for (uint64_t at = from; at + 960 <= to; at += 240) {
        float rest[960];
        double phase, level = sound_tone(s->l.pcm + (at - s->l.start), 960, 1000.0, &phase);

        for (size_t i = 0; i < 960; i++)
            rest[i] =
                s->l.pcm[at - s->l.start + i] - (float)(level * sin(2 * M_PI * 1000.0 * (double)i / 48000.0 + phase));
        worst = fmax(worst, sound_tone(rest, 960, hz, NULL) / sqrt(2.0));
    }
    return sound_db(worst);
}

static void test_mute(void **state)
{
    struct scene s;
    struct room_result muted, unmuted;
    uint64_t last;

    (void)state;
    scene_init(&s);
    scene_run(&s, 60);
    muted = scene_order(&s, (struct room_command){.order = ROOM_MUTE, .slot = 0});
    assert_int_equal(muted.error, 0);
    assert_int_equal(muted.at_sample, stage_position(&s.st) - 960);
    scene_run(&s, 20);
    s.anna_hz = 700.0; /* nobody may ever hear this */
    scene_run(&s, 40);
    s.anna_hz = 440.0;
    last = stage_count(&strip_stats(s.strip)->last_out);
    assert_true(last <= muted.at_sample + 1440);
    assert_int_equal(atomic_load(&room_stats(s.st.room)->talking), 2);
    unmuted = scene_order(&s, (struct room_command){.order = ROOM_UNMUTE, .slot = 0});
    assert_int_equal(unmuted.error, 0);
    scene_run(&s, 60);

    printf("# anna %.1f dBFS before, %.1f from the mute + 60 ms on, %.1f from the unmute + 120 ms on; 700 Hz %.1f\n",
           heard_db(&s, muted.at_sample - 9600, 440.0),
           loudest_db(&s, muted.at_sample + 2880, unmuted.at_sample, 440.0),
           heard_db(&s, unmuted.at_sample + 5760, 440.0),
           loudest_db(&s, unmuted.at_sample, unmuted.at_sample + 24000, 700.0));
    assert_float_equal(heard_db(&s, muted.at_sample - 9600, 440.0), -20.0, 1.0);
    assert_true(loudest_db(&s, muted.at_sample + 2880, unmuted.at_sample, 440.0) < -60.0);
    assert_float_equal(heard_db(&s, unmuted.at_sample + 5760, 440.0), -20.0, 1.0);
    assert_true(loudest_db(&s, unmuted.at_sample, unmuted.at_sample + 9600, 700.0) < -40.0);
    assert_float_equal(heard_db(&s, muted.at_sample + 9600, 1000.0), -20.0, 1.0);
    assert_int_equal(s.l.gaps, 0);
    scene_fini(&s);
}

/* The limit of the test above for 700 Hz is what the codec makes of two tones; here it is the bus itself. */
static void test_nothing_stale(void **state)
{
    struct scene s;
    struct room_result unmuted;
    uint64_t broken = 0;
    uint64_t position;
    double worst = 0;

    (void)state;
    scene_init(&s);
    scene_run(&s, 60);
    scene_order(&s, (struct room_command){.order = ROOM_MUTE, .slot = 0});
    s.anna_hz = 700.0;
    scene_run(&s, 40);
    s.anna_hz = 440.0;
    unmuted = scene_order(&s, (struct room_command){.order = ROOM_UNMUTE, .slot = 0});
    assert_int_equal(unmuted.error, 0);
    position = stage_position(&s.st);
    for (unsigned k = 0; k < 20; k++, position += 960) { /* the room stands still: the strip is pulled by hand */
        const float *out;
        float pcm[960] = {0};
        struct packet p = {.source = s.anna.source, .flags = PACKET_VOICE};

        sound_add_tone(pcm, position, 960, 440.0, -20.0);
        p.opus_bytes = (uint16_t)opus_encode_float(s.anna.opus, pcm, 960, p.opus, PACKET_OPUS_MAX_BYTES);
        p.sequence = s.anna.sequence++;
        p.timestamp = s.anna.timestamp;
        s.anna.timestamp += 960;
        assert_int_equal(strip_offer(s.strip, &p, position), 0);
        out = strip_pull(s.strip, position, &broken);
        if (out != NULL)
            worst = fmax(worst, sound_tone(out, 960, 700.0, NULL) / sqrt(2.0));
    }
    printf("# 700 Hz in the strip after the unmute: %.1f dBFS\n", sound_db(worst));
    assert_true(sound_db(worst) < -40.0);
    scene_fini(&s);
}

static void test_quick(void **state)
{
    (void)state;
    for (unsigned apart = 0; apart <= 1; apart++) { /* in the same tick, and in the next */
        struct scene s;
        struct room_result result;
        uint64_t at;

        scene_init(&s);
        scene_run(&s, 60);
        stage_results(&s.st);
        at = stage_position(&s.st);
        stage_order(&s.st, (struct room_command){.order = ROOM_MUTE, .slot = 0});
        scene_run(&s, apart);
        stage_order(&s.st, (struct room_command){.order = ROOM_UNMUTE, .slot = 0});
        scene_run(&s, 40);
        result = stage_result(&s.st);
        assert_int_equal(result.at_sample, at);
        result = stage_result(&s.st);
        assert_int_equal(result.at_sample, at + apart * 960);
        assert_int_equal(atomic_load(&room_stats(s.st.room)->talking), 3);
        assert_int_equal(stage_count(&strip_stats(s.strip)->last_out), stage_position(&s.st)); /* no packet was lost */
        assert_float_equal(heard_db(&s, at + 3840, 440.0), -20.0, 1.0);
        scene_fini(&s);
    }
}

static void test_fader(void **state)
{
    struct scene s;
    struct room_result down, up;

    (void)state;
    scene_init(&s);
    scene_run(&s, 60);
    down = scene_order(&s, (struct room_command){.order = ROOM_FADER, .slot = 0, .gain_db = -12.0f});
    scene_run(&s, 30);
    up = scene_order(&s, (struct room_command){.order = ROOM_FADER, .slot = 0, .gain_db = 6.0f});
    scene_run(&s, 30);
    assert_int_equal(down.error, 0);
    assert_float_equal(heard_db(&s, down.at_sample + 9600, 440.0), -32.0, 1.0);
    assert_float_equal(heard_db(&s, up.at_sample + 9600, 440.0), -14.0, 1.0);
    assert_float_equal(heard_db(&s, up.at_sample + 9600, 1000.0), -20.0, 1.0);
    scene_fini(&s);
}

static void test_comes_muted(void **state)
{
    struct stage st;
    struct speaker anna;
    struct strip_config c = {.lease = 1, .muted = true, .fader_db = -6.0f, .own_tier = STREAM_LOW, .complexity = 5};
    struct strip *s = strip_new(&c);

    (void)state;
    stage_init(&st);
    speaker_init(&anna, 0, 1);
    stage_order(&st, (struct room_command){.order = ROOM_ADD_STRIP, .slot = 0, .block = s});
    for (int k = 0; k < 20; k++) {
        speaker_tone(&anna, &st, 440.0, -20.0);
        stage_tick(&st);
        assert_false(st.more); /* nothing of theirs keeps the room awake */
    }
    assert_true(stage_count(&strip_stats(s)->first_in) > 0);
    assert_int_equal(stage_count(&strip_stats(s)->first_out), 0);
    stage_order(&st, (struct room_command){.order = ROOM_UNMUTE, .slot = 0});
    for (int k = 0; k < 6; k++) {
        speaker_tone(&anna, &st, 440.0, -20.0);
        stage_tick(&st);
    }
    assert_true(stage_count(&strip_stats(s)->first_out) > 0);
    speaker_fini(&anna);
    stage_fini(&st);
}

/* On stage to in the mix: within ten ticks of the first packet. And out of it: at once. */
static void test_comes_and_goes(void **state)
{
    struct scene s;
    struct room_result gone;
    struct strip *again;
    const struct strip_stats *stats;

    (void)state;
    scene_init(&s);
    scene_run(&s, 60);
    stats = strip_stats(s.strip);
    assert_true(stage_count(&stats->first_out) - stage_count(&stats->first_in) <= 10 * 960);
    stage_results(&s.st);
    stage_order(&s.st, (struct room_command){.order = ROOM_REMOVE_STRIP, .slot = 0});
    scene_run(&s, 1);
    gone = stage_result(&s.st); /* no `low` is made, so there is no own stream to wait for */
    assert_int_equal(gone.error, 0);
    assert_ptr_equal(gone.block, s.strip);
    assert_int_equal(stage_count(&stats->last_out), gone.at_sample + 960);
    scene_run(&s, 30);
    assert_true(loudest_db(&s, gone.at_sample + 2880, s.l.start + s.l.samples, 440.0) < -60.0);
    assert_true(stage_count(&room_stats(s.st.room)->drop_lease) >= 30);
    strip_free(s.strip);

    again = stage_add_strip(&s.st, 0, 2, STREAM_LOW);
    s.anna.lease = 2;
    scene_run(&s, 40);
    assert_true(stage_count(&strip_stats(again)->first_out) > 0);
    assert_float_equal(heard_db(&s, s.l.start + s.l.samples - 9600, 440.0), -20.0, 1.0);
    scene_fini(&s);
}

static void expect(struct stage *st, struct room_command c, int error, const void *block)
{
    struct room_result result;

    stage_order(st, c);
    stage_tick(st);
    result = stage_result(st);
    assert_int_equal(result.error, error);
    assert_ptr_equal(result.block, block);
    assert_int_equal(result.slot, c.slot);
    assert_int_equal(result.cookie, st->cookie - 1);
}

static void test_mistakes(void **state)
{
    struct strip_config c = {.own_tier = STREAM_LOW};
    struct tier_config low = {.stream = STREAM_LOW};
    struct strip *strip = strip_new(&c), *second = strip_new(&c);
    struct tier *tier = tier_new(&low), *other = tier_new(&low);
    struct stage st;

    (void)state;
    stage_init(&st);
    expect(&st, (struct room_command){.order = ROOM_ADD_STRIP, .slot = 32, .block = strip}, -EINVAL, strip);
    expect(&st, (struct room_command){.order = ROOM_ADD_STRIP, .slot = 31, .block = strip}, 0, NULL);
    expect(&st, (struct room_command){.order = ROOM_ADD_STRIP, .slot = 31, .block = second}, -EINVAL, second);
    expect(&st, (struct room_command){.order = ROOM_MUTE, .slot = 3}, -EINVAL, NULL);
    expect(&st, (struct room_command){.order = ROOM_UNMUTE, .slot = 99}, -EINVAL, NULL);
    expect(&st, (struct room_command){.order = ROOM_FADER, .slot = 3}, -EINVAL, NULL);
    expect(&st, (struct room_command){.order = ROOM_REMOVE_STRIP, .slot = 3}, -EINVAL, NULL);
    expect(&st, (struct room_command){.order = ROOM_ADD_TIER, .block = tier}, 0, NULL);
    expect(&st, (struct room_command){.order = ROOM_ADD_TIER, .block = other}, -EINVAL, other);
    expect(&st, (struct room_command){.order = ROOM_REMOVE_TIER, .stream = STREAM_MUSIC}, -EINVAL, NULL);
    expect(&st, (struct room_command){.order = ROOM_REMOVE_TIER, .stream = STREAM_OWN}, -EINVAL, NULL);
    expect(&st, (struct room_command){.order = ROOM_REMOVE_TIER, .stream = STREAM_LOW}, 0, tier);
    expect(&st, (struct room_command){.order = ROOM_REMOVE_STRIP, .slot = 31}, 0, strip);
    expect(&st, (struct room_command){.order = (enum room_order)99}, -EINVAL, NULL);
    strip_free(strip);
    strip_free(second);
    tier_free(tier);
    tier_free(other);
    stage_fini(&st);
}

static void test_in_flight(void **state)
{
    struct room_command mute = {.order = ROOM_MUTE, .slot = 1};
    struct room_result result;
    struct stage st;

    (void)state;
    stage_init(&st);
    for (int n = 0; n < ROOM_INFLIGHT_MAX; n++)
        assert_true(room_command(st.room, &mute));
    assert_false(room_command(st.room, &mute));
    stage_tick(&st);
    assert_false(room_command(st.room, &mute)); /* carried out, but not yet taken note of */
    for (int n = 0; n < ROOM_INFLIGHT_MAX; n++)
        assert_true(room_result(st.room, &result));
    assert_false(room_result(st.room, &result));
    assert_true(room_command(st.room, &mute));
    stage_fini(&st);
}

static void test_epoch(void **state)
{
    struct scene s;
    struct room_result result;
    struct tape_packet p;

    (void)state;
    scene_init(&s);
    scene_run(&s, 20);
    assert_int_equal(s.l.last.epoch, 0);
    result = scene_order(&s, (struct room_command){.order = ROOM_EPOCH, .epoch = 1ull << 40});
    assert_int_equal(s.l.last.epoch, 1ull << 40);
    assert_int_equal(tape_read(s.l.tape, s.l.next - 2, &p), 0);
    assert_int_equal(p.epoch, 0);
    assert_int_equal(result.at_sample, s.l.last.position);
    scene_fini(&s);
}

/* Blocks that nobody has taken are freed with the room: the sanitizers watch. */
static void test_freed(void **state)
{
    struct stage st;

    (void)state;
    stage_init(&st);
    stage_add_strip(&st, 0, 1, STREAM_LOW);
    stage_add_tier(&st, STREAM_LOW);
    stage_tick(&st);
    stage_add_strip(&st, 0, 2, STREAM_LOW); /* refused, its answer not taken */
    stage_order(&st, (struct room_command){.order = ROOM_REMOVE_TIER, .stream = STREAM_LOW});
    stage_tick(&st);
    stage_add_strip(&st, 1, 1, STREAM_LOW); /* never carried out */
    stage_add_tier(&st, STREAM_LOW);
    stage_fini(&st);
}

/* Stopped before they were carried out, or in the midst of it. */
static void test_stopped(void **state)
{
    struct scene s;
    struct room_result result;
    struct strip *late;

    (void)state;
    scene_init(&s);
    stage_add_tier(&s.st, STREAM_LOW);
    scene_run(&s, 30);
    stage_results(&s.st);
    stage_order(&s.st, (struct room_command){.order = ROOM_REMOVE_STRIP, .slot = 0, .cut = true});
    scene_run(&s, 1);
    assert_false(room_result(s.st.room, &result)); /* the own stream's frame of 60 ms is not full yet */
    late = stage_add_strip(&s.st, 9, 1, STREAM_LOW);
    stage_order(&s.st, (struct room_command){.order = ROOM_MUTE, .slot = 1});
    room_stop(s.st.room);
    result = stage_result(&s.st);
    assert_int_equal(result.error, -ECANCELED);
    assert_ptr_equal(result.block, late);
    result = stage_result(&s.st);
    assert_int_equal(result.error, -ECANCELED);
    assert_null(result.block);
    result = stage_result(&s.st);
    assert_int_equal(result.error, 0);
    assert_ptr_equal(result.block, s.strip);
    assert_false(room_result(s.st.room, &result));
    strip_free(late);
    strip_free(s.strip);
    scene_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"60 ms after at_sample nothing of a muted speaker is audible, and an unmute brings them back", test_mute, NULL,
         NULL, NULL},
        {"an unmute brings back nothing that was said while muted", test_nothing_stale, NULL, NULL, NULL},
        {"a quick mute and unmute ends unmuted, without a lost packet", test_quick, NULL, NULL, NULL},
        {"the fader sets the level from at_sample on", test_fader, NULL, NULL, NULL},
        {"who comes on stage muted is not heard before the unmute", test_comes_muted, NULL, NULL, NULL},
        {"who comes is in the mix within ten ticks, who goes is out of it within one", test_comes_and_goes, NULL, NULL,
         NULL},
        {"mistakes are answered, and their blocks given back", test_mistakes, NULL, NULL, NULL},
        {"no more than 256 commands are in flight, and each has its answer", test_in_flight, NULL, NULL, NULL},
        {"packets carry a new epoch from at_sample on", test_epoch, NULL, NULL, NULL},
        {"a stopped room answers what it has not carried out, and gives the blocks back", test_stopped, NULL, NULL,
         NULL},
        {"a room frees what nobody has taken back", test_freed, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
