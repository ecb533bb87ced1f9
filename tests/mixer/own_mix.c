/* own_mix.c - tests of mix-minus in a room (mixer/own_mix.h, mixer/room.h)
 *
 * A hearer does what a client does (net/PROTOCOL.md, 3.6): one decoder goes on from the shared packets to the own ones;
 * on the way back a second one is warmed on the shared packets and faded to over 20 ms at the packet after the
 * handover. What they hear is held against a twin room in which they never said anything.
 */
#include "mixer/own_mix.h"
#include "tests/mixer/stage.h"

#include <errno.h>

#define FADE  960
#define BEGIN 50  /* ticks: anna talks from here */
#define END   150 /* to here; her gate closes 2 s later, and the overlap ends after 240 ms more */
#define TICKS 300

struct hearer {
    unsigned slot;
    const struct tape *shared, *own;
    uint64_t next_shared, next_own;
    OpusDecoder *decoder, *warm; /* warm: NULL unless the overlap is under way */
    bool on_own, handed_over;
    uint64_t start, end; /* positions of pcm[0] and after the last sample */
    size_t capacity;
    float *pcm;
    unsigned own_packets, handovers, overlap_packets;
    uint64_t own_from, own_until; /* positions of the first and after the last own packet */
};

static OpusDecoder *decoder_new(void)
{
    int error;
    OpusDecoder *d = opus_decoder_create(48000, 1, &error);

    assert_int_equal(error, OPUS_OK);
    return d;
}

static void hearer_init(struct hearer *h, unsigned slot, const struct tape *shared, const struct tape *own,
                        uint64_t start, size_t capacity)
{
    *h = (struct hearer){.slot = slot, .shared = shared, .own = own, .start = start, .end = start};
    h->capacity = capacity;
    h->next_shared = tape_next(shared);
    h->next_own = own != NULL ? tape_next(own) : 0;
    h->decoder = decoder_new();
    h->pcm = calloc(capacity, sizeof *h->pcm);
    assert_non_null(h->pcm);
}

static void hearer_fini(struct hearer *h)
{
    opus_decoder_destroy(h->decoder);
    if (h->warm != NULL)
        opus_decoder_destroy(h->warm);
    free(h->pcm);
}

static void decode(OpusDecoder *d, const struct tape_packet *p, float *pcm)
{
    assert_int_equal(opus_decode_float(d, p->opus, p->opus_bytes, pcm, 5760, 0), p->duration_samples);
}

/* Lays out a packet's sound, which must go on where the last one ended. */
static void play(struct hearer *h, const struct tape_packet *p, const float *pcm)
{
    if (h->end != h->start)
        assert_int_equal(p->position, h->end);
    assert_true(p->position - h->start + p->duration_samples <= h->capacity);
    memcpy(h->pcm + (p->position - h->start), pcm, p->duration_samples * sizeof *pcm);
    h->end = p->position + p->duration_samples;
}

static void hear_shared(struct hearer *h, const struct tape_packet *p)
{
    float pcm[5760], old[5760];

    if (p->own_strips >> h->slot & 1) {
        if (h->warm != NULL) /* began again within the overlap */
            opus_decoder_destroy(h->warm);
        h->warm = NULL;
        h->on_own = true;
        return;
    }
    for (unsigned i = 0; h->own != NULL && i < p->talker_count;
         i++) /* nobody is to hear a packet with their own voice */
        assert_int_not_equal(p->talkers[i], h->slot);
    if (!h->on_own) {
        decode(h->decoder, p, pcm);
        play(h, p, pcm);
        return;
    }
    if (h->warm == NULL)
        h->warm = decoder_new();
    decode(h->warm, p, pcm);
    if (!h->handed_over) {
        h->overlap_packets++;
        return;
    }
    decode(h->decoder, p, old);
    for (unsigned i = 0; i < FADE; i++) {
        float up = 0.5f - 0.5f * cosf((float)M_PI * ((float)i + 0.5f) / FADE);

        pcm[i] = up * pcm[i] + (1.0f - up) * old[i];
    }
    play(h, p, pcm);
    opus_decoder_destroy(h->decoder);
    h->decoder = h->warm;
    h->warm = NULL;
    h->on_own = false;
    h->handed_over = false;
}

static void hear_own(struct hearer *h, const struct tape_packet *p)
{
    float pcm[5760];

    for (unsigned i = 0; i < p->talker_count; i++)
        assert_int_not_equal(p->talkers[i], h->slot);
    h->on_own = true;
    decode(h->decoder, p, pcm);
    play(h, p, pcm);
    if (h->own_packets++ == 0)
        h->own_from = p->position;
    h->own_until = p->position + p->duration_samples;
    if (p->flags & TAPE_HANDOVER) {
        h->handovers++;
        h->handed_over = true;
    }
}

/* Own packets first: at the handover both streams have one of the same position. */
static void hearer_run(struct hearer *h)
{
    struct tape_packet p;

    for (; h->own != NULL && h->next_own < tape_next(h->own); h->next_own++) {
        bool was_handed_over = h->handed_over;

        assert_int_equal(tape_read(h->own, h->next_own, &p), 0);
        hear_own(h, &p);
        if (h->handed_over && !was_handed_over) {
            /* The shared twin of this packet still belongs to the overlap. */
            struct tape_packet twin;

            for (; h->next_shared < tape_next(h->shared); h->next_shared++) {
                assert_int_equal(tape_read(h->shared, h->next_shared, &twin), 0);
                if (twin.position > p.position)
                    break;
                h->handed_over = false;
                hear_shared(h, &twin);
                h->handed_over = true;
            }
        }
    }
    for (; h->next_shared < tape_next(h->shared); h->next_shared++) {
        assert_int_equal(tape_read(h->shared, h->next_shared, &p), 0);
        hear_shared(h, &p);
    }
}

/* A room of three: anna (0), whose ears these are, bruno (1) and carla (2), and its twin without anna. */
struct pair {
    struct stage room, twin;
    struct speaker anna, bruno, carla, bruno_2, carla_2;
    struct strip *strip;
    struct hearer hears, ideal;
};

static void pair_init(struct pair *p, enum stream tier, size_t seconds)
{
    const struct tape *shared, *twin;

    stage_init(&p->room);
    stage_init(&p->twin);
    speaker_init(&p->anna, 0, 1);
    speaker_init(&p->bruno, 1, 1);
    speaker_init(&p->carla, 2, 1);
    speaker_init(&p->bruno_2, 1, 1);
    speaker_init(&p->carla_2, 2, 1);
    p->strip = stage_add_strip(&p->room, 0, 1, tier);
    for (unsigned n = 1; n <= 2; n++) {
        stage_add_strip(&p->room, n, 1, STREAM_STANDARD);
        stage_add_strip(&p->twin, n, 1, STREAM_STANDARD);
    }
    shared = tier_tape(stage_add_tier(&p->room, tier));
    twin = tier_tape(stage_add_tier(&p->twin, tier));
    hearer_init(&p->hears, 0, shared, strip_tape(p->strip), stage_position(&p->room), (seconds + 1) * 48000);
    hearer_init(&p->ideal, 0, twin, NULL, stage_position(&p->room), (seconds + 1) * 48000);
}

static void pair_fini(struct pair *p)
{
    hearer_fini(&p->hears);
    hearer_fini(&p->ideal);
    speaker_fini(&p->anna);
    speaker_fini(&p->bruno);
    speaker_fini(&p->carla);
    speaker_fini(&p->bruno_2);
    speaker_fini(&p->carla_2);
    stage_fini(&p->room);
    stage_fini(&p->twin);
}

/* One tick of both rooms. Levels in dBFS RMS; 0 for anna is silence. */
static void pair_tick(struct pair *p, double anna_db, double others_db)
{
    speaker_tone(&p->bruno, &p->room, 1000.0, others_db);
    speaker_tone(&p->carla, &p->room, 620.0, others_db);
    speaker_tone(&p->bruno_2, &p->twin, 1000.0, others_db);
    speaker_tone(&p->carla_2, &p->twin, 620.0, others_db);
    if (anna_db < 0)
        speaker_tone(&p->anna, &p->room, 440.0, anna_db);
    else
        speaker_say(&p->anna, &p->room, NULL, 0);
    stage_tick(&p->room);
    stage_tick(&p->twin);
    hearer_run(&p->hears);
    hearer_run(&p->ideal);
}

/* What is in pcm of a tone between two seconds, in dBFS RMS. */
static double tone_db(const struct hearer *h, double from_s, double to_s, double hz)
{
    size_t from = (size_t)(from_s * 48000.0), n = (size_t)((to_s - from_s) * 48000.0);

    return sound_db(sound_tone(h->pcm + from, n, hz, NULL) / sqrt(2.0));
}

/* What anna hears and what others hear of her, measured in the third second. */
static void hear(enum stream tier, double anna_db, double others_db)
{
    struct pair p;
    struct listener shared;
    double own, theirs, as_sent;

    pair_init(&p, tier, TICKS / 50);
    listener_init(&shared, p.hears.shared, p.hears.start, (TICKS / 50 + 1) * 48000);
    for (int k = 0; k < TICKS; k++) {
        pair_tick(&p, k >= BEGIN && k < END ? anna_db : 0.0, others_db);
        listener_run(&shared);
    }
    own = tone_db(&p.hears, 2, 3, 440.0);
    theirs = sound_db(sound_tone(shared.pcm + 2 * 48000, 48000, 440.0, NULL) / sqrt(2.0));
    as_sent = tone_db(&p.ideal, 2, 3, 1000.0);
    printf("# %s, anna at %.0f, others at %.0f dBFS: she hears herself at %.1f, others hear her at %.1f; she hears "
           "bruno at %.2f, ideal %.2f\n",
           stream_name(tier), anna_db, others_db, own, theirs, tone_db(&p.hears, 2, 3, 1000.0), as_sent);
    assert_true(theirs > fmin(anna_db, -12.0) - 4.0);
    /* At 12 kbit/s the codec's noise on three loud tones is itself not 40 dB down. */
    assert_true(own < theirs - (tier == STREAM_LOW ? 35.0 : 40.0));
    assert_float_equal(tone_db(&p.hears, 2, 3, 1000.0), as_sent, 0.5);
    assert_float_equal(tone_db(&p.hears, 2, 3, 620.0), tone_db(&p.ideal, 2, 3, 620.0), 0.5);
    assert_int_equal(p.hears.handovers, 1);
    assert_int_equal(p.hears.overlap_packets, 240 * 48 / tier_frame_samples(tier));
    assert_true(p.hears.own_from - p.hears.start <= (BEGIN + 4) * 960);
    listener_fini(&shared);
    pair_fini(&p);
}

static void test_hears_others(void **state)
{
    (void)state;
    hear(STREAM_STANDARD, -20.0, -26.0);
    hear(STREAM_LOW, -20.0, -26.0);
}

static void test_hears_others_limited(void **state)
{
    (void)state;
    hear(STREAM_STANDARD, -3.0, -5.0);
    hear(STREAM_LOW, -3.0, -5.0);
}

/* 20 ms of sound in steps of 2^-16, so that sums and differences of two are exact in float32. */
static void exact_sound(float *pcm, uint64_t position, unsigned voice, double peak)
{
    memset(pcm, 0, FADE * sizeof *pcm);
    sound_add_speech(pcm, position, FADE, voice, peak);
    for (unsigned i = 0; i < FADE; i++)
        pcm[i] = roundf(pcm[i] * 65536.0f) / 65536.0f;
}

/* Drives a shared coder, an own mix that starts in tick `begin`, and a reference that has always run on the own mix. */
static void exact_from(enum stream tier, unsigned begin, double peak)
{
    struct coder shared, reference;
    struct limiter shared_limiter, reference_limiter;
    struct own_mix own;
    unsigned packets = 0;

    assert_int_equal(coder_init(&shared, tier, STAGE_COMPLEXITY), 0);
    assert_int_equal(coder_init(&reference, tier, STAGE_COMPLEXITY), 0);
    assert_int_equal(own_mix_init(&own, tier, 70, STAGE_COMPLEXITY), 0);
    limiter_init(&shared_limiter);
    limiter_init(&reference_limiter);
    for (unsigned k = 0; k < begin + 120; k++) {
        uint64_t position = k * FADE;
        float bus[FADE], voice[FADE], others[FADE], limited[FADE];
        struct tape_packet want, got;

        exact_sound(others, position, 1, peak);
        exact_sound(voice, position, 0, peak);
        for (unsigned i = 0; i < FADE; i++)
            bus[i] = k >= begin ? others[i] + voice[i] : others[i];
        if (k >= begin)
            own_mix_talk(&own, &shared_limiter, &shared, k == begin);
        limiter_run(&shared_limiter, bus, limited, FADE);
        if (coder_feed(&shared, limited, position, 2))
            coder_encode(&shared, 0, &got);
        if (k >= begin && own_mix_run(&own, bus, voice, position, 3, 1, 9) == 1)
            packets++;
        limiter_run(&reference_limiter, others, limited, FADE);
        if (!coder_feed(&reference, limited, position, 2))
            continue;
        assert_int_equal(coder_encode(&reference, 0, &want), 0);
        if (k < begin)
            continue;
        assert_int_equal(tape_read(own.tape, 70 + packets - 1, &got), 0);
        assert_int_equal(got.position, want.position);
        assert_int_equal(got.opus_bytes, want.opus_bytes);
        assert_memory_equal(got.opus, want.opus, want.opus_bytes);
        assert_int_equal(got.epoch, 9);
        assert_int_equal(got.talker_count, 1);
        assert_int_equal(got.talkers[0], 1);
    }
    assert_true(packets >= 40);
    coder_fini(&shared);
    coder_fini(&reference);
    own_mix_fini(&own);
}

static void test_exact(void **state)
{
    (void)state;
    exact_from(STREAM_STANDARD, 100, 0.2);
    exact_from(STREAM_STANDARD, 101, 2.5); /* well into the limiter */
    for (unsigned k = 0; k < 3; k++) {
        exact_from(STREAM_LOW, 99 + k, 0.2);
        exact_from(STREAM_LOW, 99 + k, 2.5);
    }
}

/* The loudest difference between what is heard and the twin's, in any 20 ms from..to (seconds), in dBFS. */
static double difference_db(const struct pair *p, double from_s, double to_s)
{
    double worst = 0;

    for (size_t at = (size_t)(from_s * 48000.0); at + 960 <= (size_t)(to_s * 48000.0); at += 480) {
        float d[960];

        for (size_t i = 0; i < 960; i++)
            d[i] = p->hears.pcm[at + i] - p->ideal.pcm[at + i];
        worst = fmax(worst, sound_rms(d, 960));
    }
    return sound_db(worst);
}

/* The quietest 20 ms from..to (seconds) of what is heard, in dBFS: a gap would be one. */
static double quietest_db(const struct hearer *h, double from_s, double to_s)
{
    double quietest = 1;

    for (size_t at = (size_t)(from_s * 48000.0); at + 960 <= (size_t)(to_s * 48000.0); at += 240)
        quietest = fmin(quietest, sound_rms(h->pcm + at, 960));
    return sound_db(quietest);
}

static double click_db(const struct hearer *h, double from_s, double to_s)
{
    size_t from = (size_t)(from_s * 48000.0) - 1200, n = (size_t)((to_s - from_s) * 48000.0) + 2400;

    return sound_db(sound_click(h->pcm + from, n, 3000.0));
}

static void splice(enum stream tier, unsigned begin, double anna_db, double others_db)
{
    struct pair p;
    double begin_s, end_s, off, off_begin, off_end, quietest, usual, click_begin, click_end;

    pair_init(&p, tier, TICKS / 50);
    for (unsigned k = 0; k < TICKS; k++)
        pair_tick(&p, k >= begin && k < END ? anna_db : 0.0, others_db);
    begin_s = (double)(p.hears.own_from - p.hears.start) / 48000.0;
    end_s = (double)(p.hears.own_until - p.hears.start) / 48000.0;
    off = difference_db(&p, begin_s + 1.0, begin_s + 2.0);
    off_begin = difference_db(&p, begin_s - 0.1, begin_s + 0.3);
    off_end = difference_db(&p, end_s - 0.1, end_s + 0.5);
    usual = click_db(&p.ideal, begin_s - 0.1, end_s + 0.2);
    click_begin = click_db(&p.hears, begin_s - 0.1, begin_s + 0.2);
    click_end = click_db(&p.hears, end_s - 0.1, end_s + 0.2);
    printf(
        "# %s at tick %u: against the twin's %.1f dBFS at the beginning, %.1f at the handover, %.1f in between; above "
        "3 kHz %.1f, %.1f, the twin %.1f\n",
        stream_name(tier), begin, off_begin, off_end, off, click_begin, click_end, usual);
    if (tier == STREAM_STANDARD) { /* two encoders never make the same noise; a step would stand out of it */
        assert_true(off_begin < off + 3.0);
        assert_true(off_end < off + 3.0);
    }
    quietest = quietest_db(&p.ideal, begin_s - 0.1, end_s + 0.2);
    assert_true(quietest_db(&p.hears, begin_s - 0.1, begin_s + 0.2) > quietest - 3.0);
    assert_true(quietest_db(&p.hears, end_s - 0.1, end_s + 0.2) > quietest - 3.0);
    assert_true(click_begin < usual + 3.0);
    assert_true(click_end < usual + 3.0);
    pair_fini(&p);
}

static void test_splice(void **state)
{
    (void)state;
    splice(STREAM_STANDARD, BEGIN, -20.0, -26.0);
    for (unsigned k = 0; k < 3; k++)
        splice(STREAM_LOW, BEGIN + k, -20.0, -26.0);
}

static void test_splice_limited(void **state)
{
    (void)state;
    splice(STREAM_STANDARD, BEGIN, -3.0, -5.0);
    splice(STREAM_LOW, BEGIN + 1, -3.0, -5.0);
}

/* The newest packet of a tape. */
static struct tape_packet newest(const struct tape *t)
{
    struct tape_packet p;

    assert_int_equal(tape_read(t, tape_next(t) - 1, &p), 0);
    return p;
}

static void again(enum stream tier)
{
    struct pair p;
    unsigned k, packets;

    pair_init(&p, tier, TICKS / 50);
    for (k = 0; k < END; k++)
        pair_tick(&p, k >= BEGIN ? -20.0 : 0.0, -26.0);
    for (; p.hears.overlap_packets < 2; k++)
        pair_tick(&p, 0.0, -26.0);
    assert_int_equal(newest(p.hears.shared).own_strips & 1, 0);
    packets = p.hears.own_packets;
    for (unsigned more = 0; more < 30; more++)
        pair_tick(&p, -20.0, -26.0);
    assert_int_equal(newest(p.hears.shared).own_strips & 1, 1);
    assert_int_equal(p.hears.handovers, 0);
    assert_true((p.hears.own_packets - packets) * tier_frame_samples(tier) >= 28 * FADE);
    assert_int_equal((p.hears.own_until - p.hears.own_from) / tier_frame_samples(tier), p.hears.own_packets);
    pair_fini(&p);
}

static void test_again(void **state)
{
    (void)state;
    again(STREAM_STANDARD);
    again(STREAM_LOW);
}

static void removed(enum stream tier, unsigned at, bool in_overlap, bool cut)
{
    unsigned most = cut ? 5 : 22; /* ticks; else the overlap of 12, a frame of 3, the fade, and a frame begun */
    struct pair p;
    struct room_result result;
    unsigned k, waited = 0;
    struct tape_packet last;

    pair_init(&p, tier, TICKS / 50);
    for (k = 0; k < at; k++)
        pair_tick(&p, k >= BEGIN && k < END ? -20.0 : 0.0, -26.0);
    for (; in_overlap && p.hears.overlap_packets < 1; k++)
        pair_tick(&p, 0.0, -26.0);
    stage_results(&p.room);
    stage_order(&p.room, (struct room_command){.order = ROOM_REMOVE_STRIP, .slot = 0, .cut = cut});
    do {
        pair_tick(&p, in_overlap ? 0.0 : -20.0, -26.0);
        waited++;
        assert_true(waited <= most);
    } while (!room_result(p.room.room, &result));
    assert_int_equal(result.error, 0);
    assert_int_equal(result.order, ROOM_REMOVE_STRIP);
    assert_ptr_equal(result.block, p.strip);
    assert_int_equal(result.at_sample, stage_position(&p.room) - waited * FADE);
    last = newest(p.hears.own);
    assert_int_equal(last.flags, TAPE_HANDOVER);
    if (!cut)
        assert_int_equal(p.hears.overlap_packets, 240 * 48 / tier_frame_samples(tier));
    assert_true(atomic_load(&strip_stats(p.strip)->last_out) <= result.at_sample + 1440);
    pair_tick(&p, 0.0, -26.0);
    strip_free(p.strip); /* the room must not have kept it: the sanitizers watch */
    p.hears.own = NULL;
    for (k = 0; k < 10; k++)
        pair_tick(&p, 0.0, -26.0);
    assert_int_equal(newest(p.hears.shared).own_strips & 1, 0);
    pair_fini(&p);
}

static void test_removed(void **state)
{
    (void)state;
    for (unsigned at = END - 3; at < END; at++) {
        removed(STREAM_STANDARD, at, false, true);
        removed(STREAM_LOW, at, false, true);
    }
    removed(STREAM_STANDARD, END, true, true);
    removed(STREAM_LOW, END, true, true);
}

static void test_stepped_down(void **state)
{
    (void)state;
    for (unsigned at = END - 3; at < END; at++) {
        removed(STREAM_STANDARD, at, false, false);
        removed(STREAM_LOW, at, false, false);
    }
    removed(STREAM_STANDARD, END, true, false);
    removed(STREAM_LOW, END, true, false);
}

static void test_tier(void **state)
{
    struct pair p;
    struct room_result result;
    const struct room_stats *stats;
    struct tier *low;
    const struct tape *own;
    uint64_t made;

    (void)state;
    pair_init(&p, STREAM_STANDARD, 8);
    own = p.hears.own;
    p.hears.own = NULL;
    stats = room_stats(p.room.room);
    stage_order(&p.room, (struct room_command){.order = ROOM_OWN_TIER, .slot = 0, .stream = STREAM_LOW});
    for (unsigned k = 0; k < 50; k++)
        pair_tick(&p, -20.0, -26.0);
    assert_int_equal(tape_next(own), 1000); /* nobody makes `low`: nothing to follow */
    stage_results(&p.room);

    low = stage_add_tier(&p.room, STREAM_LOW);
    for (unsigned k = 0; k < 50; k++)
        pair_tick(&p, -20.0, -26.0);
    assert_int_equal(newest(own).duration_samples, 2880);
    assert_int_equal(newest(own).position, newest(tier_tape(low)).position);
    assert_true(newest(tier_tape(low)).own_strips & 1);
    stage_results(&p.room);

    stage_order(&p.room, (struct room_command){.order = ROOM_OWN_TIER, .slot = 0, .stream = STREAM_STANDARD});
    for (unsigned k = 0; k < 20; k++)
        pair_tick(&p, -20.0, -26.0);
    assert_int_equal(newest(own).duration_samples, 2880); /* it runs, and goes on as it was */
    assert_true(room_result(p.room.room, &result));
    assert_int_equal(result.error, 0);

    stage_order(&p.room, (struct room_command){.order = ROOM_REMOVE_TIER, .stream = STREAM_LOW});
    for (unsigned k = 0; k < 20; k++)
        pair_tick(&p, -20.0, -26.0);
    assert_true(room_result(p.room.room, &result));
    assert_ptr_equal(result.block, low);
    tier_free(low);
    assert_int_equal(newest(own).duration_samples, 960); /* ended with its tier, begun with the new one */
    made = atomic_load(&stats->personal_encodes);
    for (unsigned k = 0; k < 130; k++)
        pair_tick(&p, 0.0, -26.0);
    assert_true(atomic_load(&stats->personal_encodes) - made < 3 * 130);
    assert_int_equal(newest(own).flags, TAPE_HANDOVER);

    stage_order(&p.room, (struct room_command){.order = ROOM_OWN_TIER, .slot = 0, .stream = STREAM_MUSIC});
    pair_tick(&p, 0.0, -26.0);
    assert_true(room_result(p.room.room, &result));
    assert_int_equal(result.error, -EINVAL);
    pair_fini(&p);
}

/* She talks, and only then comes to follow the tier, within a frame that has her voice in it already. */
static void test_late(void **state)
{
    (void)state;
    for (unsigned into = 0; into < 3; into++) {
        struct pair p;
        struct tape_packet first;
        const struct tape *own;
        uint64_t ordered, border;

        pair_init(&p, STREAM_LOW, 4);
        own = p.hears.own;
        p.hears.own = NULL;
        stage_order(&p.room, (struct room_command){.order = ROOM_OWN_TIER, .slot = 0, .stream = STREAM_STANDARD});
        for (unsigned k = 0; k < 50 || stage_position(&p.room) % 2880 != into * 960; k++)
            pair_tick(&p, -20.0, -26.0);
        assert_int_equal(tape_next(own), 1000);
        ordered = stage_position(&p.room);
        border = (ordered + 2879) / 2880 * 2880;
        stage_order(&p.room, (struct room_command){.order = ROOM_OWN_TIER, .slot = 0, .stream = STREAM_LOW});
        for (unsigned k = 0; k < 10; k++)
            pair_tick(&p, -20.0, -26.0);
        assert_int_equal(tape_read(own, 1000, &first), 0);
        assert_int_equal(first.position, border);
        pair_fini(&p);
    }
}

/* Alone on the stage of an echo room. */
static void test_hears_self(void **state)
{
    struct strip_config c = {.hears_self = true, .own_tier = STREAM_STANDARD, .complexity = STAGE_COMPLEXITY};
    struct strip *strip = strip_new(&c);
    struct stage room;
    struct speaker anna;
    struct listener ear;
    struct room_result result;

    (void)state;
    assert_non_null(strip);
    assert_null(strip_tape(strip));
    stage_init(&room);
    speaker_init(&anna, 0, 0);
    listener_init(&ear, tier_tape(stage_add_tier(&room, STREAM_STANDARD)), stage_position(&room), 48000 * 5);
    stage_order(&room, (struct room_command){.order = ROOM_ADD_STRIP, .slot = 0, .block = strip});
    for (unsigned k = 0; k < 200; k++) {
        if (k < 100)
            speaker_tone(&anna, &room, 440.0, -20.0);
        else
            speaker_say(&anna, &room, NULL, 0);
        stage_tick(&room);
        listener_run(&ear);
        assert_int_equal(ear.last.own_strips, 0);
    }
    assert_float_equal(sound_db(sound_rms(ear.pcm + 48000, 24000)), -20.0, 1.0);
    assert_int_equal(atomic_load(&room_stats(room.room)->personal_encodes), 0);
    stage_results(&room);
    stage_order(&room, (struct room_command){.order = ROOM_OWN_TIER, .slot = 0, .stream = STREAM_LOW});
    stage_order(&room, (struct room_command){.order = ROOM_REMOVE_STRIP, .slot = 0, .cut = true});
    for (unsigned k = 0; k < 5; k++)
        stage_tick(&room);
    assert_int_equal(stage_result(&room).error, 0);
    result = stage_result(&room);
    assert_ptr_equal(result.block, strip);
    strip_free(strip);
    listener_fini(&ear);
    speaker_fini(&anna);
    stage_fini(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a talker hears the others at their level and themself 40 dB down or less", test_hears_others, NULL, NULL,
         NULL},
        {"so they do with the limiter at work", test_hears_others_limited, NULL, NULL, NULL},
        {"own packets are byte for byte those of an encoder that ran on the own mix all along", test_exact, NULL, NULL,
         NULL},
        {"one decoder goes on from the shared stream to the own one, and back by a warm one, without a click",
         test_splice, NULL, NULL, NULL},
        {"so it does with the limiter at work", test_splice_limited, NULL, NULL, NULL},
        {"who begins again within the overlap goes on in the same stream", test_again, NULL, NULL, NULL},
        {"a talker who is removed ends with a handover and is given back within 100 ms", test_removed, NULL, NULL,
         NULL},
        {"one who steps down keeps their own stream for its overlap", test_stepped_down, NULL, NULL, NULL},
        {"the own stream follows its tier, changes with its next start, and is not made without one", test_tier, NULL,
         NULL, NULL},
        {"who hears themself has no own stream, and their voice is in the shared one", test_hears_self, NULL, NULL,
         NULL},
        {"who comes to follow a tier while talking does so at its next frame", test_late, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
