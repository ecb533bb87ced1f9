/* lane.c - one decoder's way from packets to sound (see lane.h)
 *
 * The jitter buffer counts as RTP does, so a packet's place in the room's time becomes its sequence number (which
 * frame of the room's time) and its timestamp (which sample), each cut to its width; the way back takes the value
 * nearest to what came last. Frames of one tier follow each other without a hole, so a lost packet is a hole in both.
 */
#include "tools/salotto/lane.h"

#include <errno.h>
#include <opus/opus.h>
#include <string.h>

#define HELD_MAX_MS  500u
#define PACKETS_MAX  64u
#define MISSING_MAX  5760u /* 120 ms without a packet: a lane that is only followed has nothing to offer */
#define FOLLOW_FILLS 64u   /* pieces at most in one lane_follow() */
#define STEP_SAMPLES 480u

int lane_init(struct lane *l)
{
    /* When to begin is decided in may_begin(). */
    const struct jitter_config config = {.start_packets = 1, .capacity = PACKETS_MAX, .max_ms = HELD_MAX_MS};

    memset(l, 0, sizeof *l);
    l->jitter = jitter_new(&config);
    l->decode = decode_new(1);
    return l->jitter != NULL && l->decode != NULL ? 0 : -1;
}

void lane_fini(struct lane *l)
{
    jitter_free(l->jitter);
    decode_free(l->decode);
    l->jitter = NULL;
    l->decode = NULL;
}

void lane_reset(struct lane *l, enum stream tier)
{
    jitter_reset(l->jitter);
    decode_reset(l->decode);
    l->tier = tier;
    l->used = l->running = l->idle = l->packet_fresh = false;
    l->position = l->first = l->end = l->warmed = l->missing = 0;
    l->waited = 0;
    l->pause = false;
    l->packet_position = 0;
    l->packet_samples = 0;
    l->at = l->left = 0;
}

int lane_put(struct lane *l, const struct tape_packet *t, uint64_t now_ns)
{
    int samples = opus_packet_get_nb_samples(t->opus, t->opus_bytes, PACKET_RATE_HZ);
    struct packet p;
    int ret;

    if (t->opus_bytes == 0 || samples <= 0)
        return -EINVAL;
    p.arrived_ns = now_ns;
    p.source = 0;
    p.timestamp = (uint32_t)t->position;
    p.sequence = (uint16_t)(t->position / (unsigned)samples);
    p.opus_bytes = t->opus_bytes;
    p.flags = t->flags & TAPE_PAUSE ? PACKET_PAUSE : 0;
    memcpy(p.opus, t->opus, t->opus_bytes);
    ret = jitter_put(l->jitter, &p);
    if (ret != 0 && ret != -ENOBUFS)
        return ret;
    l->frame = (uint32_t)samples;
    l->pause = (t->flags & TAPE_PAUSE) != 0;
    if (!l->used || t->position < l->first)
        l->first = t->position;
    if (!l->used || t->position + (unsigned)samples > l->end)
        l->end = t->position + (unsigned)samples;
    l->used = true;
    return ret;
}

static unsigned enough(const struct lane *l)
{
    unsigned samples = LANE_START_PACKETS * l->frame;

    return samples < LANE_START_SAMPLES ? samples : LANE_START_SAMPLES;
}

/* With nothing playing: is there enough to begin with, or has what is there waited for as long as that, or is no more
 * to come soon? */
static bool may_begin(struct lane *l, unsigned want)
{
    unsigned held = jitter_held_ms(l->jitter) * (PACKET_RATE_HZ / 1000);

    if (held == 0)
        l->waited = 0;
    if (held == 0 || (held < enough(l) && l->waited < LANE_START_SAMPLES && !l->pause)) {
        l->waited += want;
        return false;
    }
    l->waited = 0;
    return true;
}

/* `eager`: begins with whatever is there. */
static void make_piece(struct lane *l, unsigned want, bool eager)
{
    struct packet p = {0};
    unsigned samples = want;
    int made;

    if (jitter_is_playing(l->jitter) || eager || may_begin(l, want))
        l->action = jitter_take(l->jitter, want, &p, &samples);
    else
        l->action = JITTER_SILENCE;
    l->packet_fresh = l->action == JITTER_PLAY;
    if (l->action == JITTER_PLAY) {
        l->position = l->end + (uint64_t)(int64_t)(int32_t)(p.timestamp - (uint32_t)l->end);
        l->running = true;
    }
    made = decode_run(l->decode, l->action, &p, samples, l->pcm);
    if (made <= 0) {
        made = samples > 0 && samples <= DECODE_MAX_SAMPLES ? (int)samples : (int)want;
        memset(l->pcm, 0, (size_t)made * sizeof *l->pcm);
    }
    l->at = 0;
    l->left = (unsigned)made;
    l->idle = l->action == JITTER_SILENCE && !jitter_is_playing(l->jitter);
    if (l->action == JITTER_CONCEAL || l->idle)
        l->missing += l->left;
    else
        l->missing = 0;
    if (l->action == JITTER_PLAY || l->action == JITTER_RECOVER)
        l->warmed += l->left;
    if (l->packet_fresh) {
        l->packet = p;
        l->packet_position = l->position;
        l->packet_samples = l->left;
    }
}

void lane_fill(struct lane *l, unsigned want)
{
    make_piece(l, want, false);
}

unsigned lane_read(struct lane *l, float *pcm, unsigned n)
{
    if (l->left == 0)
        lane_fill(l, n);
    n = n < l->left ? n : l->left;
    memcpy(pcm, l->pcm + l->at, n * sizeof *pcm);
    l->at += n;
    l->left -= n;
    l->position += n;
    return n;
}

void lane_follow(struct lane *l, uint64_t to)
{
    if (!l->used || (!l->running && l->first > to))
        return;
    for (unsigned fills = 0; !l->running || l->position < to;) {
        if (l->left == 0) {
            if (fills++ == FOLLOW_FILLS || l->missing > MISSING_MAX)
                break;
            make_piece(l, STEP_SAMPLES, true);
            if (!l->running)
                break;
        }
        if (l->position < to) {
            unsigned n = to - l->position < l->left ? (unsigned)(to - l->position) : l->left;

            l->at += n;
            l->left -= n;
            l->position += n;
        }
    }
    if (l->missing > MISSING_MAX)
        lane_reset(l, l->tier);
}

bool lane_is_at(const struct lane *l, uint64_t position)
{
    return l->used && l->running && l->position == position && l->missing == 0;
}

bool lane_may_start(const struct lane *l, uint64_t from)
{
    return l->used && l->end >= from + enough(l);
}
