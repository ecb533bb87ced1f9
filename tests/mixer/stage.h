/* stage.h - a room on a virtual clock, speakers with real encoders, listeners with real decoders
 *
 * One speaker's packet a tick, laid into inbox 0 at the time of the tick that it is heard by, and what the tapes bring
 * laid out by position. Everything fails by assertion.
 */
#ifndef SALOTTO_TESTS_MIXER_STAGE_H
#define SALOTTO_TESTS_MIXER_STAGE_H

#include "mixer/room.h"
#include "mixer/rt.h"
#include "tests/mixer/sound.h"

#include <opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define STAGE_TICK       960
#define STAGE_COMPLEXITY 5
#define STAGE_FIRST_TICK 300 /* rooms are tested in the midst of their life: positions are not 0 */

struct speaker {
    OpusEncoder *opus;
    unsigned slot;
    uint8_t lease;
    uint16_t sequence;
    uint32_t timestamp, source;
};

struct stage {
    struct room *room;
    uint64_t tick; /* the next */
    uint64_t cookie;
    bool more; /* what the last tick returned */
};

static inline void speaker_init(struct speaker *s, unsigned slot, uint8_t lease)
{
    int error;

    *s = (struct speaker){
        .slot = slot, .lease = lease, .sequence = 65500, .timestamp = 4294960000u, .source = 77 + slot};
    s->opus = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &error);
    assert_int_equal(error, OPUS_OK);
    opus_encoder_ctl(s->opus, OPUS_SET_BITRATE(32000));
    opus_encoder_ctl(s->opus, OPUS_SET_COMPLEXITY(STAGE_COMPLEXITY));
}

static inline void speaker_fini(struct speaker *s)
{
    opus_encoder_destroy(s->opus);
}

/* One packet of 20 ms; pcm NULL sends nothing, and the time goes on. */
static inline void speaker_say(struct speaker *s, struct stage *st, const float *pcm, uint8_t flags)
{
    struct inbox_item item = {.slot = (uint8_t)s->slot, .lease = s->lease};
    int bytes;

    if (pcm != NULL) {
        bytes = opus_encode_float(s->opus, pcm, STAGE_TICK, item.packet.opus, PACKET_OPUS_MAX_BYTES);
        assert_true(bytes > 0);
        item.packet.arrived_ns = st->tick * ROOM_TICK_NS;
        item.packet.source = s->source;
        item.packet.sequence = s->sequence++;
        item.packet.timestamp = s->timestamp;
        item.packet.opus_bytes = (uint16_t)bytes;
        item.packet.flags = flags;
        assert_true(ring_push(room_inbox(st->room, 0), &item, sizeof item));
    }
    s->timestamp += STAGE_TICK;
}

static inline void speaker_tone(struct speaker *s, struct stage *st, double hz, double rms_dbfs)
{
    float pcm[STAGE_TICK] = {0};

    sound_add_tone(pcm, st->tick * STAGE_TICK, STAGE_TICK, hz, rms_dbfs);
    speaker_say(s, st, pcm, PACKET_VOICE);
}

static inline void speaker_speech(struct speaker *s, struct stage *st, unsigned voice, double peak)
{
    float pcm[STAGE_TICK] = {0};

    sound_add_speech(pcm, st->tick * STAGE_TICK, STAGE_TICK, voice, peak);
    speaker_say(s, st, pcm, PACKET_VOICE);
}

static inline void stage_init(struct stage *st)
{
    struct room_config c = {.name = "piazza", .inboxes = 1};

    *st = (struct stage){.tick = STAGE_FIRST_TICK, .cookie = 100};
    st->room = room_new(&c);
    assert_non_null(st->room);
}

static inline void stage_fini(struct stage *st)
{
    room_free(st->room);
}

static inline void stage_tick(struct stage *st)
{
    rt_enter(); /* as the room's own thread does: the trap watches here, too (tests/rt_trap.c) */
    st->more = room_tick(st->room, st->tick, st->tick * ROOM_TICK_NS);
    rt_leave();
    st->tick++;
}

static inline uint64_t stage_position(const struct stage *st)
{
    return st->tick * STAGE_TICK;
}

static inline void stage_order(struct stage *st, struct room_command c)
{
    c.cookie = st->cookie++;
    assert_true(room_command(st->room, &c));
}

/* The result that is there. */
static inline struct room_result stage_result(struct stage *st)
{
    struct room_result result;

    assert_true(room_result(st->room, &result));
    return result;
}

static inline struct strip *stage_add_strip(struct stage *st, unsigned slot, uint8_t lease, enum stream own_tier)
{
    struct strip_config c = {
        .lease = lease, .own_tier = own_tier, .first_own_number = 1000, .complexity = STAGE_COMPLEXITY};
    struct strip *s = strip_new(&c);

    assert_non_null(s);
    stage_order(st, (struct room_command){.order = ROOM_ADD_STRIP, .slot = slot, .block = s});
    return s;
}

static inline struct tier *stage_add_tier(struct stage *st, enum stream stream)
{
    struct tier_config c = {.stream = stream, .first_number = 5000, .complexity = STAGE_COMPLEXITY};
    struct tier *t = tier_new(&c);

    assert_non_null(t);
    stage_order(st, (struct room_command){.order = ROOM_ADD_TIER, .block = t});
    return t;
}

/* Takes all results, which must be good. */
static inline void stage_results(struct stage *st)
{
    struct room_result result;

    while (room_result(st->room, &result))
        assert_int_equal(result.error, 0);
}

/* Decodes a tape from its first packet on, laid out by position. */
struct listener {
    const struct tape *tape;
    OpusDecoder *opus;
    uint64_t next;  /* number */
    uint64_t start; /* position of pcm[0] */
    size_t capacity;
    size_t samples; /* up to the end of the last packet */
    float *pcm;
    unsigned packets, pauses, gaps; /* gaps: packets that did not follow the one before */
    struct tape_packet last;
};

static inline void listener_init(struct listener *l, const struct tape *tape, uint64_t start, size_t capacity)
{
    int error;

    *l = (struct listener){.tape = tape, .next = tape_next(tape), .start = start, .capacity = capacity};
    l->pcm = calloc(capacity, sizeof *l->pcm);
    l->opus = opus_decoder_create(48000, 1, &error);
    assert_int_equal(error, OPUS_OK);
    assert_non_null(l->pcm);
}

static inline void listener_fini(struct listener *l)
{
    opus_decoder_destroy(l->opus);
    free(l->pcm);
}

static inline void listener_decode(struct listener *l, const struct tape_packet *p)
{
    size_t at = (size_t)(p->position - l->start);
    float pcm[5760];
    int samples = opus_decode_float(l->opus, p->opus, p->opus_bytes, pcm, 5760, 0);

    assert_int_equal(samples, p->duration_samples);
    assert_true(p->position >= l->start);
    assert_true(at + (size_t)samples <= l->capacity);
    memcpy(l->pcm + at, pcm, (size_t)samples * sizeof *pcm);
    if (l->packets > 0 && p->position != l->last.position + l->last.duration_samples)
        l->gaps++;
    l->packets++;
    l->pauses += (p->flags & TAPE_PAUSE) != 0;
    l->samples = at + (size_t)samples;
    l->last = *p;
}

static inline void listener_run(struct listener *l)
{
    struct tape_packet p;

    for (; l->next < tape_next(l->tape); l->next++) {
        assert_int_equal(tape_read(l->tape, l->next, &p), 0);
        listener_decode(l, &p);
    }
}

static inline uint64_t stage_count(const _Atomic uint64_t *counter)
{
    return atomic_load(counter);
}

#endif
