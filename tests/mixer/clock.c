/* clock.c - tests of mixer/clock.h and of a room's own thread (room_start(), room_stop())
 *
 * Nothing here expects a machine to be quick: the thread's doings are waited for, with a generous limit.
 */
#include "mixer/clock.h"
#include "tests/mixer/stage.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#define LIMIT_NS 20000000000ull /* a machine that needs longer is broken */
#define MS       1000000ull

static void test_arithmetic(void **state)
{
    uint64_t start = clock_start_ns(1000 * MS + 3, 7 * MS);

    (void)state;
    assert_int_equal(start, 987 * MS);
    assert_int_equal(start % ROOM_TICK_NS, 7 * MS);
    assert_int_equal(clock_start_ns(987 * MS, 7 * MS), 987 * MS);
    assert_int_equal(clock_due_ns(start, 5), 1087 * MS);
    assert_int_equal(clock_tick_after(start, start), 1);
    assert_int_equal(clock_tick_after(start, start + 19 * MS), 1);
    assert_int_equal(clock_tick_after(start, start + 20 * MS), 2);
    assert_int_equal(clock_position(start, start), 0);
    assert_int_equal(clock_position(start, start + 20 * MS), 960);
    assert_int_equal(clock_position(start, start + 20833), 0);
    assert_int_equal(clock_position(start, start + 20834), 1);
    assert_int_equal(clock_position(0, 1000ull * 86400 * 365 * 20 * MS), 48ull * 1000 * 86400 * 365 * 20);
}

static void test_catch_up(void **state)
{
    uint64_t start = 500 * MS;

    (void)state;
    for (uint64_t late_ticks = 0; late_ticks <= 3; late_ticks++)
        assert_int_equal(clock_catch_up(start, 100, clock_due_ns(start, 100 + late_ticks) + 19 * MS), 100);
    assert_int_equal(clock_catch_up(start, 100, clock_due_ns(start, 104)), 104);
    assert_int_equal(clock_catch_up(start, 100, clock_due_ns(start, 150) + 5), 150);
}

/* A room on a thread, its owner and a reader of its tapes. */
struct live {
    struct room *room;
    struct waker owner, reader;
    struct waker *readers[1];
    uint64_t cookie;
    bool fifo;
};

static void live_init(struct live *l)
{
    struct room_config c = {.name = "piazza", .phase_ns = 7 * MS, .inboxes = 1, .readers = 1};
    struct err err;

    *l = (struct live){.cookie = 1};
    waker_init(&l->owner, -1);
    waker_init(&l->reader, -1);
    l->readers[0] = &l->reader;
    c.reader = l->readers;
    c.owner = &l->owner;
    l->room = room_new(&c);
    assert_non_null(l->room);
    room_set_readers(l->room, 1);
    assert_int_equal(room_start(l->room, &l->fifo, &err), 0);
}

static void live_fini(struct live *l)
{
    room_stop(l->room);
    room_free(l->room);
}

/* Sends an order and sleeps until its answer is there. */
static struct room_result live_order(struct live *l, struct room_command c)
{
    uint64_t until = clock_now_ns() + LIMIT_NS;
    struct room_result result;

    c.cookie = l->cookie++;
    assert_true(room_command(l->room, &c));
    for (;;) {
        uint32_t seen = waker_prepare(&l->owner);
        bool there = room_result(l->room, &result);

        if (!there)
            waker_wait(&l->owner, seen, LIMIT_NS);
        waker_done(&l->owner);
        if (there)
            break;
        assert_true(clock_now_ns() < until);
    }
    assert_int_equal(result.cookie, c.cookie);
    return result;
}

static void wait_parked(struct live *l)
{
    uint64_t until = clock_now_ns() + LIMIT_NS;

    while (!waker_is_asleep(room_waker(l->room)) || atomic_load(&room_stats(l->room)->parked) == 0) {
        usleep(1000);
        assert_true(clock_now_ns() < until);
    }
}

/* The thread of this name in our process, or 0. */
static int find_thread(const char *name)
{
    DIR *d = opendir("/proc/self/task");
    struct dirent *e;
    int found = 0;

    assert_non_null(d);
    while (found == 0 && (e = readdir(d)) != NULL) {
        char path[300], comm[32] = "";
        FILE *f;

        snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
        f = fopen(path, "r");
        if (f == NULL)
            continue;
        if (fgets(comm, sizeof comm, f) != NULL) {
            comm[strcspn(comm, "\n")] = '\0';
            if (strcmp(comm, name) == 0)
                found = (int)strtol(e->d_name, NULL, 10);
        }
        fclose(f);
    }
    closedir(d);
    return found;
}

/* Voluntary and forced context switches of a thread since it began. */
static long switches(int tid)
{
    char path[64], line[128];
    long sum = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        const char *colon = strstr(line, "ctxt_switches:");

        if (colon != NULL)
            sum += strtol(colon + strlen("ctxt_switches:"), NULL, 10);
    }
    fclose(f);
    assert_true(sum > 0);
    return sum;
}

static struct strip *live_add_strip(struct live *l, unsigned slot, bool muted)
{
    struct strip_config c = {.lease = 1, .muted = muted, .own_tier = STREAM_STANDARD, .complexity = 0};
    struct strip *s = strip_new(&c);

    assert_int_equal(live_order(l, (struct room_command){.order = ROOM_ADD_STRIP, .slot = slot, .block = s}).error, 0);
    return s;
}

static struct tier *live_add_tier(struct live *l)
{
    struct tier_config c = {.stream = STREAM_STANDARD, .complexity = 0};
    struct tier *t = tier_new(&c);

    assert_int_equal(live_order(l, (struct room_command){.order = ROOM_ADD_TIER, .block = t}).error, 0);
    return t;
}

static void test_asleep(void **state)
{
    struct live l;
    int tid;
    long before;
    uint64_t ticks;

    (void)state;
    live_init(&l);
    live_add_tier(&l);
    live_add_strip(&l, 0, false);
    wait_parked(&l);
    tid = find_thread("room:piazza");
    assert_int_not_equal(tid, 0);
    usleep(50000); /* from announcing sleep to sleeping is a few instructions */
    before = switches(tid);
    ticks = stage_count(&room_stats(l.room)->ticks);
    sleep(2);
    assert_int_equal(switches(tid), before);
    assert_int_equal(stage_count(&room_stats(l.room)->ticks), ticks);
    live_fini(&l);
}

static void test_command(void **state)
{
    struct live l;
    uint64_t before, after, last = 0;
    uint32_t seed = 1;

    (void)state;
    live_init(&l);
    live_add_strip(&l, 3, false);
    for (int n = 0; n < 100; n++) { /* at all moments of its falling asleep */
        struct room_result result;

        if (n % 2 == 0)
            wait_parked(&l);
        else
            for (int spin = (int)((sound_noise(&seed) + 1.0f) * 20000.0f); spin > 0; spin--)
                __asm__ volatile("");
        before = room_position(l.room);
        result = live_order(&l, (struct room_command){.order = n % 2 ? ROOM_MUTE : ROOM_UNMUTE, .slot = 3});
        after = room_position(l.room);
        assert_int_equal(result.error, 0);
        assert_int_equal(result.at_sample % 960, 0);
        assert_true(result.at_sample >= last);
        assert_true(result.at_sample + 960 >= before);
        assert_true(result.at_sample <= after);
        last = result.at_sample;
    }
    wait_parked(&l);
    live_fini(&l);
}

/* Packets as udp-in lays them in: voice wakes, the rest is dropped while the room sleeps. */
static void push(struct live *l, struct speaker *s, const float *pcm, uint8_t flags)
{
    struct inbox_item item = {.slot = (uint8_t)s->slot, .lease = s->lease};

    item.packet.arrived_ns = clock_now_ns();
    item.packet.source = s->source;
    item.packet.sequence = s->sequence++;
    item.packet.timestamp = s->timestamp;
    item.packet.flags = flags;
    item.packet.opus_bytes = (uint16_t)opus_encode_float(s->opus, pcm, 960, item.packet.opus, PACKET_OPUS_MAX_BYTES);
    s->timestamp += 960;
    assert_true(ring_push(room_inbox(l->room, 0), &item, sizeof item));
    if ((flags & PACKET_VOICE) != 0)
        waker_wake(room_waker(l->room));
}

static void test_packet(void **state)
{
    struct live l;
    const struct tape *tape;
    struct speaker anna, muted;
    struct tape_packet p;
    float pcm[960] = {0};
    uint64_t until = clock_now_ns() + LIMIT_NS;

    (void)state;
    live_init(&l);
    tape = tier_tape(live_add_tier(&l));
    live_add_strip(&l, 0, false);
    live_add_strip(&l, 1, true);
    speaker_init(&anna, 0, 1);
    speaker_init(&muted, 1, 1);
    sound_add_tone(pcm, 0, 960, 1000.0, -20.0);
    wait_parked(&l);
    for (int n = 0; n < 10; n++)
        push(&l, &muted, pcm, PACKET_VOICE);
    wait_parked(&l);
    assert_int_equal(tape_next(tape), 0);
    for (int n = 0; n < 10; n++)
        push(&l, &anna, pcm, PACKET_VOICE);
    for (;;) {
        uint32_t seen = waker_prepare(&l.reader);
        bool there = tape_next(tape) >= 20;

        if (!there)
            waker_wait(&l.reader, seen, LIMIT_NS);
        waker_done(&l.reader);
        if (there)
            break;
        assert_true(clock_now_ns() < until);
    }
    assert_int_equal(tape_read(tape, 5, &p), 0);
    assert_int_equal(p.talker_count, 1);
    assert_int_equal(p.talkers[0], 0);
    wait_parked(&l); /* her gate, the overlap, the closing silence: some 2.5 s */
    assert_int_equal(tape_read(tape, tape_next(tape) - 1, &p), 0);
    assert_int_equal(p.flags, TAPE_PAUSE);
    assert_int_equal(stage_count(&room_stats(l.room)->drop_lease), 0);
    speaker_fini(&anna);
    speaker_fini(&muted);
    live_fini(&l);
}

static void test_start(void **state)
{
    struct live l;
    uint64_t now;
    struct err err;

    (void)state;
    live_init(&l);
    printf("# SCHED_FIFO: %s\n", l.fifo ? "yes" : "not allowed here");
    live_order(&l, (struct room_command){.order = ROOM_EPOCH, .epoch = 1}); /* the thread has its name by now */
    assert_int_not_equal(find_thread("room:piazza"), 0);
    assert_int_equal(room_start_ns(l.room) % ROOM_TICK_NS, 7 * MS);
    now = clock_now_ns();
    assert_true(room_position(l.room) >= clock_position(room_start_ns(l.room), now));
    assert_int_equal(room_start(l.room, NULL, &err), -ERR_INTERNAL);
    room_stop(l.room);
    assert_int_equal(find_thread("room:piazza"), 0);
    live_fini(&l);
}

static void test_stop(void **state)
{
    (void)state;
    for (int n = 0; n < 10; n++) {
        struct live l;
        struct room_result result;
        int answered = 0;
        struct strip_config c = {.lease = 1, .own_tier = STREAM_LOW, .complexity = 0};
        struct strip *s = strip_new(&c);

        live_init(&l);
        if (n % 2 == 0)
            wait_parked(&l);
        assert_true(room_command(l.room, &(struct room_command){.order = ROOM_ADD_STRIP, .cookie = 1, .block = s}));
        assert_true(room_command(l.room, &(struct room_command){.order = ROOM_EPOCH, .cookie = 2}));
        room_stop(l.room);
        while (room_result(l.room, &result)) {
            answered++;
            assert_true(result.error == 0 || result.error == -ECANCELED);
            assert_ptr_equal(result.block, result.error != 0 && result.order == ROOM_ADD_STRIP ? s : NULL);
            if (result.block != NULL)
                strip_free(s);
        }
        assert_int_equal(answered, 2);
        live_fini(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ticks and positions are counted from the start, at the room's phase", test_arithmetic, NULL, NULL, NULL},
        {"three late ticks are made up for, more are given up", test_catch_up, NULL, NULL, NULL},
        {"the thread has its room's name and phase, and no twin", test_start, NULL, NULL, NULL},
        {"a parked room makes no context switch in two seconds", test_asleep, NULL, NULL, NULL},
        {"no command's wake-up is lost, and each is answered by the clock", test_command, NULL, NULL, NULL},
        {"a packet with voice wakes the room, one of a muted speaker lets it sleep on", test_packet, NULL, NULL, NULL},
        {"a room stops from any state and answers what it has not carried out", test_stop, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
