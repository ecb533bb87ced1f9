/* park.c - tests of a room's sleep on a virtual clock: when it may sleep, what it leaves on the tape, how it wakes
 *
 * The thread's own side of it (no wake-ups, none lost) is tested in clock.c.
 */
#include "mixer/room_state.h"
#include "tests/mixer/stage.h"

struct scene {
    struct stage st;
    struct speaker anna, bruno;
    struct strip *strip[2];
    const struct tape *low, *standard;
    struct listener l; /* of `standard` */
};

static void scene_init(struct scene *s)
{
    stage_init(&s->st);
    speaker_init(&s->anna, 0, 1);
    speaker_init(&s->bruno, 1, 1);
    s->strip[0] = stage_add_strip(&s->st, 0, 1, STREAM_STANDARD);
    s->strip[1] = stage_add_strip(&s->st, 1, 1, STREAM_LOW);
    s->low = tier_tape(stage_add_tier(&s->st, STREAM_LOW));
    s->standard = tier_tape(stage_add_tier(&s->st, STREAM_STANDARD));
    listener_init(&s->l, s->standard, stage_position(&s->st), 30 * 48000);
}

static void scene_fini(struct scene *s)
{
    listener_fini(&s->l);
    speaker_fini(&s->anna);
    speaker_fini(&s->bruno);
    stage_fini(&s->st);
}

/* Anna's tone for so many ticks; 0 dBFS is silence. */
static void scene_run(struct scene *s, unsigned ticks, double anna_db)
{
    for (; ticks > 0; ticks--) {
        if (anna_db < 0)
            speaker_tone(&s->anna, &s->st, 440.0, anna_db);
        else
            speaker_say(&s->anna, &s->st, NULL, 0);
        stage_tick(&s->st);
        listener_run(&s->l);
    }
}

/* Silence until the room parks; returns the ticks it took. */
static unsigned scene_park(struct scene *s)
{
    unsigned ticks = 0;

    do {
        scene_run(s, 1, 0);
        ticks++;
        assert_true(ticks < 200);
    } while (s->st.more);
    return ticks;
}

/* The room sleeps: time passes without ticks. */
static void scene_sleep(struct scene *s, unsigned ticks)
{
    s->st.tick += ticks;
    s->anna.timestamp += ticks * 960;
    s->bruno.timestamp += ticks * 960;
}

static struct tape_packet newest(const struct tape *t)
{
    struct tape_packet p;

    assert_int_equal(tape_read(t, tape_next(t) - 1, &p), 0);
    return p;
}

/* Ends at a border of every tier, so that no tape has sound behind its pause packet. */
static void check_parked(const struct scene *s)
{
    struct tape_packet low = newest(s->low), standard = newest(s->standard), p;

    assert_int_equal(low.flags, TAPE_PAUSE);
    assert_int_equal(standard.flags, TAPE_PAUSE);
    assert_int_equal(standard.position + 960, low.position + 2880);
    for (uint64_t n = tape_oldest(s->standard); n + 1 < tape_next(s->standard); n++) {
        assert_int_equal(tape_read(s->standard, n, &p), 0);
        assert_true(p.flags == 0 || s->l.pauses > 1);
    }
}

static void test_parks(void **state)
{
    struct scene s;
    const struct room_stats *stats;
    double tail;
    unsigned ticks;
    struct tape_packet own;

    (void)state;
    scene_init(&s);
    stats = room_stats(s.st.room);
    scene_run(&s, 1, 0);
    assert_false(s.st.more); /* nobody has said anything yet */
    assert_int_equal(tape_next(s.standard), 5000);
    scene_run(&s, 100, -20.0);
    assert_int_equal(atomic_load(&stats->parked), 0);
    ticks = scene_park(&s);
    printf("# parks %u ms after the last word\n", ticks * 20);
    assert_in_range(ticks, 100 + 12, 100 + 5 + 12 + 3 + 4); /* gate, jitter and concealment, overlap, pause packets */
    assert_int_equal(s.l.pauses, 1);
    assert_int_equal(s.l.gaps, 0);
    assert_int_equal(atomic_load(&stats->parked), 1);
    assert_int_equal(stage_count(&stats->parks), 1);
    assert_int_equal(atomic_load(&stats->talking), 0);
    check_parked(&s);
    own = newest(strip_tape(s.strip[0]));
    assert_int_equal(own.flags, TAPE_HANDOVER);
    assert_true(own.position + own.duration_samples < newest(s.standard).position + 960);
    tail = sound_peak(s.l.pcm + s.l.samples - 4800, 4800);
    printf("# the last 100 ms peak at %.1f dBFS\n", sound_db(tail));
    assert_true(sound_db(tail) < -70.0);
    scene_fini(&s);
}

/* The pause packet must be at least 120 ms of zeros, without a talker whose own stream outlasts them, too. */
static void test_zeros(void **state)
{
    struct scene s;
    struct room_result result;
    uint64_t last_out;

    (void)state;
    scene_init(&s);
    scene_run(&s, 50, -20.0);
    stage_results(&s.st);
    stage_order(&s.st, (struct room_command){.order = ROOM_REMOVE_STRIP, .slot = 0, .cut = true});
    scene_park(&s);
    result = stage_result(&s.st);
    assert_int_equal(result.error, 0);
    last_out = stage_count(&strip_stats(s.strip[0])->last_out);
    assert_true(newest(s.standard).position + 960 >= last_out + 960 + 5760);
    assert_true(newest(s.standard).position + 960 <= last_out + 960 + 5760 + 2880);
    check_parked(&s);
    strip_free(s.strip[0]);
    scene_fini(&s);
}

static void test_wakes(void **state)
{
    (void)state;
    for (unsigned asleep = 1; asleep <= 502; asleep += 167) {
        struct scene s;
        uint64_t pause_end, woken_at, numbers[2];
        double before, first, steady;
        struct tape_packet p;
        size_t at;

        scene_init(&s);
        scene_run(&s, 50, -20.0);
        scene_park(&s);
        stage_results(&s.st);
        pause_end = newest(s.standard).position + 960;
        numbers[0] = tape_next(s.low);
        numbers[1] = tape_next(s.standard);
        scene_sleep(&s, asleep);
        woken_at = stage_position(&s.st);
        scene_run(&s, 50, -20.0);
        assert_true(s.st.more);

        /* Numbers go on, positions follow the clock. */
        assert_int_equal(tape_read(s.standard, numbers[1], &p), 0);
        assert_true(p.position >= pause_end);
        assert_in_range(p.position, woken_at, woken_at + 3 * 960);
        assert_int_equal(tape_read(s.low, numbers[0], &p), 0);
        assert_int_equal(p.position % 2880, 0);
        assert_true(p.position >= pause_end);

        /* The first syllable is there: nearly as loud in its first 40 ms as later, and nothing before it. */
        assert_int_equal(tape_read(s.standard, numbers[1], &p), 0);
        at = (size_t)(p.position - s.l.start);
        before = sound_peak(s.l.pcm + at, 480);
        first = sound_rms(s.l.pcm + at + 960, 1920);
        steady = sound_rms(s.l.pcm + at + 19200, 9600);
        if (asleep == 1)
            printf("# first 40 ms %.1f dBFS, later %.1f; the 10 ms before them peak at %.1f\n", sound_db(first),
                   sound_db(steady), sound_db(before));
        assert_true(sound_db(first) > sound_db(steady) - 2.0);
        assert_true(sound_db(before) < -40.0);
        scene_fini(&s);
    }
}

/* Noise that its sender calls voice wakes the room in vain. */
static void test_flagged_noise(void **state)
{
    struct scene s;
    uint32_t seed = 1;

    (void)state;
    scene_init(&s);
    for (unsigned round = 0; round < 3; round++) {
        uint64_t low, standard;
        unsigned ticks;

        if (round == 1) { /* round 0: before anyone has ever said a word */
            scene_run(&s, 20, -20.0);
            scene_park(&s);
        }
        scene_sleep(&s, 100);
        low = tape_next(s.low);
        standard = tape_next(s.standard);
        for (ticks = 0; ticks < 10; ticks++) {
            float pcm[960];

            for (unsigned i = 0; i < 960; i++)
                pcm[i] = 0.0006f * sound_noise(&seed); /* -69 dBFS */
            speaker_say(&s.bruno, &s.st, pcm, PACKET_VOICE);
            scene_run(&s, 1, 0);
        }
        assert_true(s.st.more);
        ticks = scene_park(&s);
        assert_true(ticks <= 10);
        assert_int_equal(tape_next(s.low), low);
        assert_int_equal(tape_next(s.standard), standard);
        assert_int_equal(stage_count(&room_stats(s.st.room)->personal_encodes) > 0, round > 0);
    }
    scene_fini(&s);
}

/* What comes without the flag keeps no room awake, loud as it may be, and a room that listens to it says nothing. */
static void test_unflagged(void **state)
{
    struct scene s;
    float pcm[960] = {0};
    unsigned ticks = 0;

    (void)state;
    sound_add_tone(pcm, 0, 960, 300.0, -10.0);
    scene_init(&s);
    for (unsigned k = 0; k < 20; k++) {
        speaker_say(&s.bruno, &s.st, pcm, 0);
        scene_run(&s, 1, 0);
        assert_false(s.st.more);
    }
    assert_int_equal(tape_next(s.standard), 5000);
    for (unsigned k = 0; k < 50; k++) {
        speaker_say(&s.bruno, &s.st, pcm, 0);
        scene_run(&s, 1, -20.0);
        assert_int_equal(atomic_load(&room_stats(s.st.room)->talking) & 2, 0);
    }
    do {
        speaker_say(&s.bruno, &s.st, pcm, 0);
        scene_run(&s, 1, 0);
        assert_true(++ticks < 150);
    } while (s.st.more);
    assert_int_equal(newest(s.standard).flags, TAPE_PAUSE);
    scene_fini(&s);
}

static void test_command(void **state)
{
    struct scene s;
    struct room_result result;
    uint64_t low, standard;

    (void)state;
    scene_init(&s);
    scene_run(&s, 50, -20.0);
    scene_park(&s);
    stage_results(&s.st);
    low = tape_next(s.low);
    standard = tape_next(s.standard);
    scene_sleep(&s, 1000);
    stage_order(&s.st, (struct room_command){.order = ROOM_MUTE, .slot = 0});
    scene_run(&s, 1, 0);
    assert_false(s.st.more);
    result = stage_result(&s.st);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.at_sample, stage_position(&s.st) - 960); /* the clock went on */
    assert_int_equal(tape_next(s.low), low);
    assert_int_equal(tape_next(s.standard), standard);
    scene_run(&s, 20, -20.0); /* muted: not even their voice */
    assert_false(s.st.more);
    assert_int_equal(tape_next(s.standard), standard);
    scene_fini(&s);
}

static void test_stale(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s);
    scene_run(&s, 50, -20.0);
    scene_park(&s);
    for (unsigned k = 0; k < 20; k++) { /* into the inbox of a room that sleeps */
        speaker_tone(&s.anna, &s.st, 440.0, -20.0);
        s.st.tick++;
    }
    scene_run(&s, 1, 0);
    assert_int_equal(stage_count(&room_stats(s.st.room)->drop_stale), 10); /* those older than 200 ms */
    assert_int_equal(stage_count(&strip_stats(s.strip[0])->stale), 10);
    assert_true(s.st.more);
    scene_fini(&s);
}

/* A word that comes around the end of the closing silence. */
static void test_closing(void **state)
{
    struct scene s;
    uint64_t pauses;

    (void)state;
    for (unsigned wait = 90; wait < 125; wait++) {
        scene_init(&s);
        scene_run(&s, 50, -20.0);
        scene_run(&s, wait, 0);
        pauses = s.l.pauses;
        assert_int_equal(s.l.gaps, 0);
        assert_int_equal(pauses, s.st.more ? 0 : 1);
        scene_run(&s, 20, -20.0);
        assert_true(s.st.more);
        assert_in_range(s.l.pauses, pauses, 1); /* it may still go out while the jitter buffer fills */
        assert_int_equal(s.l.last.flags, 0);
        assert_true(sound_rms(s.l.pcm + s.l.samples - 4800, 4800) > 0.08);
        scene_fini(&s);
    }
}

static void *park(void *room)
{
    room_park(room);
    return NULL;
}

/* Does room_park() sleep now? Ends its sleep then. */
static bool sleeps(struct room *r)
{
    struct timespec limit;
    pthread_t thread;
    bool slept = false;

    assert_int_equal(pthread_create(&thread, NULL, park, r), 0);
    for (int ms = 0; !slept && ms < 20000; ms += 10) {
        clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_nsec += 10000000;
        limit.tv_sec += limit.tv_nsec / 1000000000;
        limit.tv_nsec %= 1000000000;
        if (pthread_timedjoin_np(thread, NULL, &limit) == 0)
            return false;
        slept = ms > 200 && waker_is_asleep(&r->waker);
    }
    waker_wake(&r->waker);
    pthread_join(thread, NULL);
    return slept;
}

/* Work that came between the last tick and the announcement, laid in without a wake: only looking again finds it. */
static void test_look_again(void **state)
{
    struct room_command epoch = {.order = ROOM_EPOCH};
    struct inbox_item item = {.slot = 0, .lease = 1, .packet = {.flags = PACKET_VOICE}};
    struct scene s;
    struct room *r;

    (void)state;
    scene_init(&s);
    scene_run(&s, 1, 0);
    r = s.st.room;
    assert_true(sleeps(r));
    assert_true(ring_push(r->commands, &epoch, sizeof epoch));
    assert_false(sleeps(r));
    scene_run(&s, 1, 0);
    assert_true(sleeps(r));

    assert_true(ring_push(room_inbox(r, 0), &item, sizeof item));
    assert_false(sleeps(r));
    assert_int_equal(ring_count(room_inbox(r, 0)), 1);
    ring_skip(room_inbox(r, 0));

    item.lease = 2; /* somebody before */
    assert_true(ring_push(room_inbox(r, 0), &item, sizeof item));
    item.lease = 1;
    item.slot = 5; /* nobody */
    assert_true(ring_push(room_inbox(r, 0), &item, sizeof item));
    item.slot = 0;
    item.packet.flags = 0; /* noise */
    assert_true(ring_push(room_inbox(r, 0), &item, sizeof item));
    assert_true(sleeps(r));
    assert_true(ring_is_empty(room_inbox(r, 0)));

    stage_order(&s.st, (struct room_command){.order = ROOM_MUTE, .slot = 0});
    scene_run(&s, 1, 0);
    item.packet.flags = PACKET_VOICE;
    assert_true(ring_push(room_inbox(r, 0), &item, sizeof item));
    assert_true(sleeps(r));
    atomic_store(&r->stop, true);
    assert_false(sleeps(r));
    stage_results(&s.st);
    r->in_flight = 0; /* one of them never went through room_command() */
    scene_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a room without a voice parks behind a pause packet on each tape", test_parks, NULL, NULL, NULL},
        {"at least 120 ms of zeros go before the pause", test_zeros, NULL, NULL, NULL},
        {"a voice wakes it: the first syllable is heard, positions have followed the clock", test_wakes, NULL, NULL,
         NULL},
        {"noise that is flagged as voice lets it park again, and no tape has grown", test_flagged_noise, NULL, NULL,
         NULL},
        {"packets without the flag keep it neither awake nor talking", test_unflagged, NULL, NULL, NULL},
        {"a command is carried out and answered by the clock without waking the encoders", test_command, NULL, NULL,
         NULL},
        {"packets that waited longer than 200 ms through a pause are dropped and counted", test_stale, NULL, NULL,
         NULL},
        {"a word in the closing silence is heard, whether the pause packet was out or not", test_closing, NULL, NULL,
         NULL},
        {"before it sleeps the room looks again for a command and for the voice of somebody who may be heard",
         test_look_again, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
