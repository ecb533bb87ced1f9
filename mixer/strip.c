/* strip.c - one speaker's channel on the desk (see strip.h)
 *
 * Packets come in lengths of 2.5 to 120 ms and ticks in 20 ms, so decoded sound waits in a short line of samples. The
 * order is jitter buffer, decoder, line, gate, fader and mute; a muted strip stops before the first, a closed gate
 * after the line.
 */
#include "mixer/strip.h"
#include "mixer/bus.h"
#include "mixer/decode.h"
#include "mixer/gain.h"
#include "mixer/gate.h"
#include "mixer/jitter.h"
#include "mixer/own_mix.h"
#include "mixer/ramp.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SAMPLES   (BUS_SAMPLES + DECODE_MAX_SAMPLES)
#define TAKES_MAX      16u    /* a tick: eight packets of 2.5 ms, and as many answers without samples */
#define OPEN_SAMPLES   240u   /* the gate opens in 5 ms: an onset keeps its attack, and nothing clicks */
#define CLOSE_SAMPLES  960u   /* and closes in 20 */
#define VOICE_WAIT     24000u /* samples, 500 ms: the most that a jitter buffer holds */
#define LEVEL_FLOOR_CB (-1200)

static const struct jitter_config jitter_config = {.start_packets = 3, .capacity = 64, .max_ms = 500};

struct strip {
    struct jitter *jitter;
    struct decode *decode;
    struct gate gate;
    struct ramp gate_ramp; /* 0: closed, 1: open */
    struct gain gain;
    struct own_mix own;
    struct strip_stats stats;
    uint64_t voice_position; /* when the last packet with PACKET_VOICE came, */
    bool voice_came;         /* if any came since the strip last rested */
    bool voiced;             /* the newest sound in the line came with PACKET_VOICE */
    bool deaf;               /* muted for a tick or more: packets are dropped, those held are of the past */
    bool talking, begun;
    uint8_t lease;
    unsigned line_count;
    float line[LINE_SAMPLES];
    float out[BUS_SAMPLES];
};

struct strip *strip_new(const struct strip_config *c)
{
    struct strip *s = aligned_alloc(64, (sizeof *s + 63) / 64 * 64);

    if (s == NULL)
        return NULL;
    memset(s, 0, sizeof *s);
    s->lease = c->lease;
    gate_init(&s->gate);
    ramp_init(&s->gate_ramp, 0.0f);
    gain_init(&s->gain, c->fader_db, c->muted);
    s->deaf = c->muted;
    atomic_init(&s->stats.level_cb, LEVEL_FLOOR_CB);
    s->jitter = jitter_new(&jitter_config);
    s->decode = decode_new(1);
    if (s->jitter == NULL || s->decode == NULL ||
        (!c->hears_self && own_mix_init(&s->own, c->own_tier, c->first_own_number, c->complexity) < 0)) {
        strip_free(s);
        return NULL;
    }
    return s;
}

void strip_free(struct strip *s)
{
    if (s == NULL)
        return;
    jitter_free(s->jitter);
    decode_free(s->decode);
    own_mix_fini(&s->own);
    free(s);
}

const struct strip_stats *strip_stats(const struct strip *s)
{
    return &s->stats;
}

const struct tape *strip_tape(const struct strip *s)
{
    return s->own.tape;
}

uint8_t strip_lease(const struct strip *s)
{
    return s->lease;
}

struct own_mix *strip_own_mix(struct strip *s)
{
    return &s->own;
}

/* RT_SAFE. Relaxed is enough for counters: nobody concludes anything from their order. */
static void put(_Atomic uint64_t *counter, uint64_t value)
{
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

/* RT_SAFE. Sets a position counter that is stored as position + 1, once. */
static void put_first(_Atomic uint64_t *counter, uint64_t position)
{
    if (atomic_load_explicit(counter, memory_order_relaxed) == 0)
        put(counter, position + 1);
}

/* RT_SAFE. */
static void put_jitter_stats(struct strip *s)
{
    const struct jitter_stats *j = jitter_stats(s->jitter);

    put(&s->stats.received, j->received);
    put(&s->stats.lost, j->lost);
    put(&s->stats.recovered, j->recovered);
    put(&s->stats.concealed, j->concealed);
    put(&s->stats.late, j->late);
    put(&s->stats.duplicate, j->duplicate);
    atomic_store_explicit(&s->stats.delay_ms, jitter_held_ms(s->jitter), memory_order_relaxed);
}

/* RT_SAFE. The newest sequence number, modulo 2^16. */
static void put_sequence(struct strip *s, uint16_t sequence)
{
    uint32_t highest = atomic_load_explicit(&s->stats.highest_sequence, memory_order_relaxed);

    if ((int16_t)(sequence - (uint16_t)highest) > 0 || jitter_stats(s->jitter)->received == 0)
        atomic_store_explicit(&s->stats.highest_sequence, sequence, memory_order_relaxed);
}

int strip_offer(struct strip *s, const struct packet *p, uint64_t position)
{
    int error;

    put_first(&s->stats.first_in, position);
    if (gain_is_muted(&s->gain) && s->deaf)
        return 0;
    if ((p->flags & PACKET_VOICE) != 0) {
        s->voice_position = position;
        s->voice_came = true;
    }
    put_sequence(s, p->sequence);
    error = jitter_put(s->jitter, p);
    put_jitter_stats(s);
    return error;
}

void strip_count_stale(struct strip *s)
{
    atomic_fetch_add_explicit(&s->stats.stale, 1, memory_order_relaxed);
}

/* RT_SAFE. Decodes until the line holds a tick of sound; what never comes is silence. */
static void fill_line(struct strip *s, uint64_t *broken)
{
    for (unsigned takes = 0; s->line_count < BUS_SAMPLES && takes < TAKES_MAX; takes++) {
        struct packet p;
        unsigned samples;
        enum jitter_action action = jitter_take(s->jitter, BUS_SAMPLES - s->line_count, &p, &samples);
        int got;

        if (action == JITTER_PLAY || action == JITTER_RECOVER)
            s->voiced = (p.flags & PACKET_VOICE) != 0;
        got = decode_run(s->decode, action, &p, samples, s->line + s->line_count);
        if (got == -EINVAL) {
            (*broken)++;
            got = (int)samples;
        }
        if (got > 0)
            s->line_count += (unsigned)got;
    }
    if (s->line_count < BUS_SAMPLES) {
        memset(s->line + s->line_count, 0, (BUS_SAMPLES - s->line_count) * sizeof *s->line);
        s->line_count = BUS_SAMPLES;
    }
}

/* RT_SAFE. The next tick of sound into s->out. */
static void take_line(struct strip *s, uint64_t *broken)
{
    fill_line(s, broken);
    memcpy(s->out, s->line, sizeof s->out);
    s->line_count -= BUS_SAMPLES;
    memmove(s->line, s->line + BUS_SAMPLES, s->line_count * sizeof *s->line);
}

/* RT_SAFE. */
static void put_level(struct strip *s, float power)
{
    atomic_store_explicit(&s->stats.level_cb, (int32_t)lrintf(10.0f * gate_dbfs(power)), memory_order_relaxed);
}

/* RT_SAFE. A muted strip: nothing runs, and whatever its gate knew is over. */
static const float *pull_nothing(struct strip *s)
{
    gate_init(&s->gate);
    ramp_init(&s->gate_ramp, 0.0f);
    gain_settle(&s->gain);
    s->deaf = true;
    s->talking = false;
    s->begun = false;
    atomic_store_explicit(&s->stats.level_cb, LEVEL_FLOOR_CB, memory_order_relaxed);
    return NULL;
}

const float *strip_pull(struct strip *s, uint64_t position, uint64_t *broken)
{
    bool was_talking = s->talking;

    if (gain_is_muted(&s->gain))
        return pull_nothing(s);
    take_line(s, broken);
    put_level(s, gate_power(s->out, BUS_SAMPLES));
    put_jitter_stats(s);

    s->talking = gate_run(&s->gate, s->voiced ? s->out : NULL, BUS_SAMPLES);
    s->begun = s->talking && !was_talking;
    ramp_to(&s->gate_ramp, s->talking ? 1.0f : 0.0f, s->talking ? OPEN_SAMPLES : CLOSE_SAMPLES);
    if (!s->talking && !ramp_is_running(&s->gate_ramp)) {
        gain_settle(&s->gain);
        return NULL;
    }
    ramp_run(&s->gate_ramp, s->out, BUS_SAMPLES);
    gain_run(&s->gain, s->out, BUS_SAMPLES);
    put_first(&s->stats.first_out, position);
    put(&s->stats.last_out, position + BUS_SAMPLES);
    return s->out;
}

bool strip_is_talking(const struct strip *s)
{
    return s->talking;
}

bool strip_has_begun(const struct strip *s)
{
    return s->begun;
}

bool strip_holds_voice(const struct strip *s, uint64_t position)
{
    return s->voice_came && position - s->voice_position <= VOICE_WAIT &&
           (jitter_held_ms(s->jitter) > 0 || (s->line_count > 0 && s->voiced)) && !gain_is_muted(&s->gain);
}

void strip_mute(struct strip *s, bool muted)
{
    if (!muted && s->deaf) {
        strip_rest(s);
        decode_reset(s->decode);
        s->deaf = false;
    }
    gain_mute(&s->gain, muted);
    if (!s->talking) /* nobody hears the ramp */
        gain_settle(&s->gain);
}

void strip_fader(struct strip *s, float fader_db)
{
    gain_fader(&s->gain, fader_db);
    if (!s->talking)
        gain_settle(&s->gain);
}

bool strip_is_muted(const struct strip *s)
{
    return gain_is_muted(&s->gain);
}

void strip_skip(struct strip *s, uint64_t samples)
{
    struct packet unheard;

    if (samples >= VOICE_WAIT) {
        strip_rest(s);
        return;
    }
    while (samples > 0 && jitter_is_playing(s->jitter)) {
        unsigned taken = s->line_count;

        s->line_count = 0;
        if (taken == 0)
            jitter_take(s->jitter, (unsigned)samples, &unheard, &taken);
        if (taken == 0)
            return;
        samples -= taken < samples ? taken : samples;
    }
}

void strip_rest(struct strip *s)
{
    jitter_reset(s->jitter);
    s->line_count = 0;
    s->voiced = false;
    s->voice_came = false;
}
