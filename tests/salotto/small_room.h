/* small_room.h - a room for the playout's tests, on a virtual clock
 *
 * A tone of 440 Hz that everyone hears, and for the shared streams a second one of 1 kHz that stands for one's own
 * voice. As a tone is a function of the position, its phase in what comes out tells whether every sample is where it
 * belongs. Included once, by tests/salotto/playout.c.
 */
#ifndef SALOTTO_TESTS_SMALL_ROOM_H
#define SALOTTO_TESTS_SMALL_ROOM_H

#include "tools/salotto/playout.h"

#include <math.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TICK      960u
#define TICK_NS   20000000ull
#define MIX_HZ    440.0
#define VOICE_HZ  1000.0
#define LEVEL     0.25
#define PREROLL   11520u
#define BASE      4800000000ull /* the room's position at tick 0: beyond 32 bits, where timestamps have wrapped */
#define TICKS_MAX 1000u

static size_t encoder_bytes;

struct stream_maker {
    OpusEncoder *encoder;
    unsigned frame;
    uint64_t number;
    float gather[5760];
    unsigned gathered;
    uint64_t position; /* of what is gathered */
};

struct world {
    struct playout *playout;
    struct stream_maker shared[STREAM_TIERS], own;
    enum stream tier;
    uint64_t tick;
    bool talking;  /* the gate of this very person is open */
    unsigned both; /* ticks for which both streams are still sent */
    bool parked;
    /* Faults. */
    bool (*drop)(const struct tape_packet *p, enum stream s);
    bool swap; /* neighbours change places */
    bool has_held;
    enum stream held_stream;
    struct tape_packet held;
    /* What came out. */
    float out[TICKS_MAX * TICK];
    uint64_t position[TICKS_MAX * TICK]; /* of each sample; 0: not known */
    uint64_t samples, mapped_at, mapped_position;
    unsigned marks;
    uint64_t reported_to, reported_packets;
};

static struct world *w;

static void reported(const struct packet *p, uint64_t position, unsigned samples, void *arg)
{
    (void)arg;
    assert_true(p->opus_bytes > 0);
    assert_true(position >= w->reported_to);
    w->reported_to = position + samples;
    w->reported_packets++;
}

static void make_stream(struct stream_maker *m, unsigned frame, int bitrate)
{
    int error;

    m->encoder = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &error);
    assert_int_equal(error, OPUS_OK);
    opus_encoder_ctl(m->encoder, OPUS_SET_BITRATE(bitrate));
    opus_encoder_ctl(m->encoder, OPUS_SET_COMPLEXITY(3));
    m->frame = frame;
}

static int make_world(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    assert_non_null(w);
    encoder_bytes = (size_t)opus_encoder_get_size(1);
    w->tier = STREAM_STANDARD;
    make_stream(&w->shared[STREAM_LOW], 2880, 24000);
    make_stream(&w->shared[STREAM_STANDARD], 960, 48000);
    make_stream(&w->own, 960, 48000);
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    playout_free(w->playout);
    opus_encoder_destroy(w->shared[STREAM_LOW].encoder);
    opus_encoder_destroy(w->shared[STREAM_STANDARD].encoder);
    opus_encoder_destroy(w->own.encoder);
    free(w);
    return 0;
}

static uint64_t position_now(void)
{
    return BASE + w->tick * TICK;
}

static void join(bool parked)
{
    const struct playout_config c = {.tier = w->tier,
                                     .parked = parked,
                                     .position = position_now(),
                                     .now_ns = w->tick * TICK_NS,
                                     .decoded = reported};

    w->playout = playout_new(&c);
    assert_non_null(w->playout);
}

static void offer(enum stream s, const struct tape_packet *p)
{
    if (w->playout != NULL)
        playout_put(w->playout, s, p, w->tick * TICK_NS);
}

static void deliver(enum stream s, const struct tape_packet *p)
{
    if (w->drop != NULL && w->drop(p, s))
        return;
    if (w->swap && !w->has_held) {
        w->held = *p;
        w->held_stream = s;
        w->has_held = true;
        return;
    }
    offer(s, p);
    if (w->has_held) {
        offer(w->held_stream, &w->held);
        w->has_held = false;
    }
}

/* A tick of sound into one encoder; true when it made a packet. */
static bool gather(struct stream_maker *m, const float *pcm, struct tape_packet *p)
{
    int bytes;

    if (m->gathered == 0)
        m->position = position_now();
    memcpy(m->gather + m->gathered, pcm, TICK * sizeof *pcm);
    m->gathered += TICK;
    if (m->gathered < m->frame)
        return false;
    m->gathered = 0;
    memset(p, 0, sizeof *p);
    bytes = opus_encode_float(m->encoder, m->gather, (int)m->frame, p->opus, sizeof p->opus);
    assert_true(bytes > 0);
    p->opus_bytes = (uint16_t)bytes;
    p->number = m->number++;
    p->position = m->position;
    return true;
}

/* What was said for the last 240 ms, for somebody who joins or tunes in. */
static struct tape_packet tape[STREAM_TIERS][16];
static unsigned taped[STREAM_TIERS];

static void to_tape(enum stream s, const struct tape_packet *p)
{
    tape[s][taped[s]++ % 16] = *p;
}

static void send_preroll(enum stream s)
{
    for (unsigned i = taped[s] > 16 ? taped[s] - 16 : 0; i < taped[s]; i++)
        if (tape[s][i % 16].position + PREROLL >= position_now())
            deliver(s, &tape[s][i % 16]);
}

static void pull(void)
{
    const struct playout_mark *marks;
    unsigned count;
    float *pcm = w->out + w->samples;

    assert_true(w->samples + TICK <= TICKS_MAX * TICK);
    playout_pull(w->playout, pcm, TICK);
    marks = playout_marks(w->playout, &count);
    for (unsigned i = 0, next = 0; i < TICK; i++) {
        if (next < count && marks[next].at == i) {
            w->mapped_at = w->samples + i;
            w->mapped_position = marks[next].position;
            w->marks++;
            next++;
        }
        if (w->marks > 0)
            w->position[w->samples + i] = w->mapped_position + w->samples + i - w->mapped_at;
    }
    w->samples += TICK;
}

/* One tick of the room, then one of the client. */
static void tick(void)
{
    float mix[TICK], all[TICK];
    struct tape_packet p;

    for (unsigned i = 0; i < TICK; i++) {
        double t = (double)((position_now() + i) % 48000) / 48000;

        mix[i] = (float)(LEVEL * sin(2 * M_PI * MIX_HZ * t));
        all[i] = mix[i] + (w->talking ? (float)(LEVEL * sin(2 * M_PI * VOICE_HZ * t)) : 0);
    }
    if (!w->parked && (w->talking || w->both > 0)) {
        bool last = !w->talking && w->both == 1;

        if (gather(&w->own, mix, &p)) {
            p.flags = last ? TAPE_HANDOVER : 0;
            deliver(STREAM_OWN, &p);
        }
    }
    for (enum stream s = STREAM_LOW; s <= STREAM_STANDARD && !w->parked; s++)
        if (gather(&w->shared[s], all, &p)) {
            to_tape(s, &p);
            if (s == w->tier && !w->talking)
                deliver(s, &p);
        }
    if (!w->talking && w->both > 0)
        w->both--;
    w->tick++;
    if (w->playout != NULL)
        pull();
}

static void run(unsigned ticks)
{
    while (ticks-- > 0)
        tick();
}

static void begin_to_talk(void)
{
    if (w->both == 0) /* a new run: a copy of the shared encoder goes on */
        memcpy(w->own.encoder, w->shared[w->tier].encoder, encoder_bytes);
    w->both = 12;
    w->talking = true;
}

static void stop_talking(void)
{
    w->talking = false;
}

/* Sent from the stage: the own stream ends at once. */
static void leave_stage(void)
{
    w->talking = false;
    w->both = 1;
}

/* The room wakes: fresh encoders. */
static void wake(void)
{
    w->parked = false;
    for (enum stream s = STREAM_LOW; s <= STREAM_STANDARD; s++) {
        opus_encoder_ctl(w->shared[s].encoder, OPUS_RESET_STATE);
        w->shared[s].gathered = 0;
    }
}

/* The room parks: six ticks of silence were encoded before. */
static void park(void)
{
    static const float silence[TICK];
    struct tape_packet p;

    for (unsigned i = 0; i < 6; i++) {
        for (enum stream s = STREAM_LOW; s <= STREAM_STANDARD; s++)
            if (gather(&w->shared[s], silence, &p) && s == w->tier) {
                p.flags = i == 5 ? TAPE_PAUSE : 0;
                deliver(s, &p);
            }
        w->tick++;
        if (w->playout != NULL)
            pull();
    }
    w->parked = true;
}

#endif
