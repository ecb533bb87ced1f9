/* jitter.c - when to play which packet (see jitter.h)
 *
 * `order` is a permutation of the slots: the first `count` are held, oldest timestamp first, the rest are free. The
 * buffer either waits (for its first packets, or through a pause) or plays; while it plays, `next_timestamp` is where
 * the next piece of sound begins, and whatever ends before it is late. While it waits, only what ends before the last
 * sound really played is late: what was invented meanwhile may still be replaced by the truth, just later.
 *
 * Every comparison of timestamps and sequence numbers is the sign of a difference modulo their width. What is held
 * spans less than JUMP_SAMPLES between neighbours, so the sign never lies.
 */
#include "mixer/jitter.h"

#include <errno.h>
#include <opus/opus.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_PER_MS  (PACKET_RATE_HZ / 1000u)
#define START_SAMPLES   (120u * SAMPLES_PER_MS)  /* starts a buffer of any number of packets */
#define STARVE_SAMPLES  (100u * SAMPLES_PER_MS)  /* emptiness that is still concealed */
#define JUMP_SAMPLES    (5000u * SAMPLES_PER_MS) /* further apart are not one timeline */
#define GRAIN_SAMPLES   120u                     /* 2.5 ms, the shortest Opus frame: concealment comes in multiples */
#define LONGEST_SAMPLES 5760u                    /* 120 ms, the longest Opus packet (RFC 6716 section 3.2.5) */
#define FRAMES_MAX      48                       /* of 2.5 ms in one packet (same section) */
#define SEEN_BITS       64u

struct held {
    struct packet packet;
    unsigned samples;
    bool has_fec;
};

struct jitter {
    struct jitter_config config;
    struct jitter_stats stats;

    bool has_source;
    uint32_t source;

    bool playing;
    bool begun;              /* something of this source has been played; the fields below are valid */
    bool pause;              /* the last packet played carried PACKET_PAUSE */
    uint32_t next_timestamp; /* of the next take */
    uint32_t played_end;     /* timestamp just after the last packet played */
    uint16_t next_sequence;
    unsigned frame_samples; /* of the last packet played */
    unsigned starved;       /* samples concealed since, because nothing was there */
    unsigned waited;        /* samples of silence given while packets were held */

    uint16_t seen_highest; /* highest sequence taken, and which of the SEEN_BITS up to it were */
    uint64_t seen;

    unsigned held_samples;
    unsigned count;
    uint16_t *order;
    struct held *slots;
};

struct jitter *jitter_new(const struct jitter_config *c)
{
    struct jitter *j;

    if (c->start_packets < 1 || c->start_packets > 16 || c->max_ms < 1 || c->max_ms > 10000)
        return NULL;
    if (c->capacity < 8 || c->capacity > 256 || (c->capacity & (c->capacity - 1)) != 0)
        return NULL;
    j = calloc(1, sizeof *j);
    if (j == NULL)
        return NULL;
    j->config = *c;
    j->order = malloc(c->capacity * sizeof *j->order);
    j->slots = malloc(c->capacity * sizeof *j->slots);
    if (j->order == NULL || j->slots == NULL) {
        jitter_free(j);
        return NULL;
    }
    /* Not zero, or the compiler may turn this into a calloc() that leaves the pages untouched. */
    memset(j->slots, 0xff, c->capacity * sizeof *j->slots);
    for (unsigned i = 0; i < c->capacity; i++)
        j->order[i] = (uint16_t)i;
    return j;
}

void jitter_free(struct jitter *j)
{
    if (j == NULL)
        return;
    free(j->slots);
    free(j->order);
    free(j);
}

/* RT_SAFE. */
static struct held *held_at(const struct jitter *j, unsigned i)
{
    return &j->slots[j->order[i]];
}

/* RT_SAFE. How far timestamp a lies after b. */
static int32_t after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* RT_SAFE. */
static void drop_all(struct jitter *j)
{
    j->count = 0;
    j->held_samples = 0;
    j->playing = false;
    j->begun = false;
    j->pause = false;
    j->starved = 0;
    j->waited = 0;
    j->seen = 0;
}

void jitter_reset(struct jitter *j)
{
    drop_all(j);
    j->has_source = false;
}

/* RT_SAFE. Samples in a packet, 0 when it is not Opus. Sets *has_fec when its first frame repeats the one before it:
 * SILK's header bits lie at the top of a frame's first byte, per channel one voice flag for each 20 ms and then one
 * that says whether such low-bitrate redundancy is there (RFC 6716 section 4.2.3). */
static unsigned parse(const struct packet *p, bool *has_fec)
{
    const unsigned char *frame[FRAMES_MAX];
    opus_int16 bytes[FRAMES_MAX];
    unsigned frame_samples, voice_flags;
    int frames, config;

    *has_fec = false;
    if (p->opus_bytes < 1 || p->opus_bytes > PACKET_OPUS_MAX_BYTES)
        return 0;
    frames = opus_packet_parse(p->opus, p->opus_bytes, NULL, frame, bytes, NULL);
    if (frames < 1)
        return 0;
    frame_samples = (unsigned)opus_packet_get_samples_per_frame(p->opus, PACKET_RATE_HZ);
    config = p->opus[0] >> 3;
    if (config < 16 && bytes[0] > 0) { /* SILK or hybrid (RFC 6716 table 2) */
        voice_flags = frame_samples > 960 ? frame_samples / 960 : 1;
        *has_fec = (frame[0][0] >> (7 - voice_flags) & 1) != 0;
        if (opus_packet_get_nb_channels(p->opus) == 2 && (frame[0][0] >> (6 - 2 * voice_flags) & 1) != 0)
            *has_fec = true;
    }
    return (unsigned)frames * frame_samples;
}

/* RT_SAFE. */
static void mark_seen(struct jitter *j, uint16_t sequence)
{
    uint16_t ahead = (uint16_t)(sequence - j->seen_highest), behind = (uint16_t)-ahead;

    if (j->seen != 0 && ahead < SEEN_BITS) {
        j->seen = j->seen << ahead | 1;
        j->seen_highest = sequence;
    } else if (j->seen == 0 || ahead < 0x8000) {
        j->seen = 1;
        j->seen_highest = sequence;
    } else if (behind < SEEN_BITS) {
        j->seen |= 1ull << behind;
    }
}

/* RT_SAFE. */
static bool was_seen(const struct jitter *j, uint16_t sequence)
{
    uint16_t behind = (uint16_t)(j->seen_highest - sequence);

    return behind < SEEN_BITS && (j->seen >> behind & 1) != 0;
}

/* RT_SAFE. Whatever ends before this timestamp is late. */
static uint32_t deadline(const struct jitter *j)
{
    return j->playing ? j->next_timestamp : j->played_end;
}

/* RT_SAFE. Is the packet on another timeline than what is held, or was played last? */
static bool is_jump(const struct jitter *j, const struct packet *p)
{
    int32_t distance;

    if (j->count > 0)
        distance = after(p->timestamp, held_at(j, j->count - 1)->packet.timestamp);
    else if (j->begun)
        distance = after(p->timestamp, deadline(j));
    else
        return false;
    return distance > (int32_t)JUMP_SAMPLES || distance < -(int32_t)JUMP_SAMPLES;
}

/* RT_SAFE. */
static void remove_oldest(struct jitter *j)
{
    uint16_t slot = j->order[0];

    j->held_samples -= j->slots[slot].samples;
    j->count--;
    memmove(j->order, j->order + 1, j->count * sizeof *j->order);
    j->order[j->count] = slot;
}

/* RT_SAFE. Drops the oldest packet because there is too much. Playing skips what was dropped: to conceal it would keep
 * the very delay that is to go. */
static void overflow(struct jitter *j)
{
    remove_oldest(j);
    j->stats.overflow++;
    if (j->playing && j->count > 0 && after(held_at(j, 0)->packet.timestamp, j->next_timestamp) > 0) {
        j->next_timestamp = held_at(j, 0)->packet.timestamp;
        j->next_sequence = held_at(j, 0)->packet.sequence;
    }
}

int jitter_put(struct jitter *j, const struct packet *p)
{
    bool has_fec, overflowed = false;
    unsigned samples, place;
    uint16_t slot;

    j->stats.received++;
    samples = parse(p, &has_fec);
    if (samples == 0) {
        j->stats.broken++;
        return -EINVAL;
    }
    if (!j->has_source || j->source != p->source || is_jump(j, p)) {
        if (j->has_source)
            j->stats.restarts++;
        j->stats.lost += j->count;
        drop_all(j);
        j->has_source = true;
        j->source = p->source;
    }
    if (j->begun && after(p->timestamp + samples, deadline(j)) <= 0) {
        if (was_seen(j, p->sequence)) {
            j->stats.duplicate++;
            return -EEXIST;
        }
        j->stats.late++;
        return -ETIME;
    }
    for (place = j->count; place > 0; place--)
        if (after(held_at(j, place - 1)->packet.timestamp, p->timestamp) <= 0)
            break;
    if (place > 0 && held_at(j, place - 1)->packet.timestamp == p->timestamp) {
        j->stats.duplicate++;
        return -EEXIST;
    }
    mark_seen(j, p->sequence);
    if (j->count == j->config.capacity) {
        if (place == 0) { /* it is the oldest itself */
            j->stats.overflow++;
            return -ENOBUFS;
        }
        overflow(j);
        overflowed = true;
        place--;
    }
    slot = j->order[j->count];
    memmove(j->order + place + 1, j->order + place, (j->count - place) * sizeof *j->order);
    j->order[place] = slot;
    j->count++;
    memcpy(&j->slots[slot].packet, p, offsetof(struct packet, opus) + p->opus_bytes);
    j->slots[slot].samples = samples;
    j->slots[slot].has_fec = has_fec;
    j->held_samples += samples;
    for (; j->held_samples > j->config.max_ms * SAMPLES_PER_MS && j->count > 1; overflowed = true)
        overflow(j);
    return overflowed ? -ENOBUFS : 0;
}

/* RT_SAFE. Begins to play if enough is there: start_packets (but at least what the caller takes at once), or 120 ms,
 * or less when no more is to come soon: a pause is announced, or nothing came for as long. */
static bool start(struct jitter *j, unsigned want_samples)
{
    if (j->count == 0) {
        j->waited = 0;
        return false;
    }
    if ((j->count < j->config.start_packets || j->held_samples < want_samples) && j->held_samples < START_SAMPLES &&
        j->waited < START_SAMPLES && (held_at(j, j->count - 1)->packet.flags & PACKET_PAUSE) == 0) {
        j->waited += want_samples;
        return false;
    }
    j->playing = true;
    j->begun = true;
    j->pause = false;
    j->starved = 0;
    j->waited = 0;
    j->next_timestamp = held_at(j, 0)->packet.timestamp;
    j->played_end = j->next_timestamp;
    j->next_sequence = held_at(j, 0)->packet.sequence;
    j->frame_samples = held_at(j, 0)->samples;
    return true;
}

/* RT_SAFE. Nothing is held: conceal for a while, a caller's portion at a time, so that a packet that is only a little
 * late still finds its place; then pause. */
static enum jitter_action starve(struct jitter *j, unsigned want_samples, unsigned *samples)
{
    unsigned piece = want_samples < j->frame_samples ? want_samples : j->frame_samples;

    if (j->pause || j->starved >= STARVE_SAMPLES) {
        j->playing = false;
        *samples = want_samples;
        return JITTER_SILENCE;
    }
    piece -= piece % GRAIN_SAMPLES;
    if (piece == 0)
        piece = GRAIN_SAMPLES;
    if (piece > STARVE_SAMPLES - j->starved)
        piece = STARVE_SAMPLES - j->starved;
    j->starved += piece;
    j->next_timestamp += piece;
    j->stats.concealed++;
    *samples = piece;
    return JITTER_CONCEAL;
}

/* RT_SAFE. Packets between the last one played and the oldest held are lost: one piece for each, the last of them from
 * its successor's FEC if there is any. */
static enum jitter_action bridge(struct jitter *j, unsigned gap, struct packet *out, unsigned *samples)
{
    const struct held *next = held_at(j, 0);
    uint16_t missing = (uint16_t)(next->packet.sequence - j->next_sequence);
    unsigned piece;

    if (missing == 0 || missing >= 0x8000) /* numbers that go back tell nothing */
        missing = 1;
    piece = gap / missing;
    if (piece > LONGEST_SAMPLES)
        piece = LONGEST_SAMPLES;
    piece -= piece % GRAIN_SAMPLES;
    if (piece == 0)
        piece = GRAIN_SAMPLES;
    j->next_timestamp += piece;
    *samples = piece;
    if (missing > 1) {
        j->next_sequence++;
        j->stats.lost++;
    } else if (gap - piece < GRAIN_SAMPLES) {
        j->next_sequence = next->packet.sequence;
        j->stats.lost++;
        if (next->has_fec) {
            j->stats.recovered++;
            memcpy(out, &next->packet, offsetof(struct packet, opus) + next->packet.opus_bytes);
            return JITTER_RECOVER;
        }
    }
    j->stats.concealed++;
    return JITTER_CONCEAL;
}

/* RT_SAFE. */
static enum jitter_action play(struct jitter *j, struct packet *out, unsigned *samples)
{
    const struct held *next = held_at(j, 0);
    uint16_t missing = (uint16_t)(next->packet.sequence - j->next_sequence);

    /* Still missing are those whose time was already concealed when their successor came. */
    if (!j->pause && missing < 0x8000)
        j->stats.lost += missing;
    memcpy(out, &next->packet, offsetof(struct packet, opus) + next->packet.opus_bytes);
    *samples = next->samples;
    j->frame_samples = next->samples;
    j->next_timestamp = out->timestamp + next->samples;
    j->played_end = j->next_timestamp;
    j->next_sequence = (uint16_t)(out->sequence + 1);
    j->pause = (out->flags & PACKET_PAUSE) != 0;
    j->starved = 0;
    remove_oldest(j);
    return JITTER_PLAY;
}

enum jitter_action jitter_take(struct jitter *j, unsigned want_samples, struct packet *out, unsigned *samples)
{
    int32_t gap;

    if (!j->playing && !start(j, want_samples)) {
        *samples = want_samples;
        return JITTER_SILENCE;
    }
    if (j->count == 0)
        return starve(j, want_samples, samples);
    gap = after(held_at(j, 0)->packet.timestamp, j->next_timestamp);
    /* Less than a grain is a sender's rounding, and less than nothing a packet of which a part was concealed: both are
     * played whole. */
    if (gap < (int32_t)GRAIN_SAMPLES)
        return play(j, out, samples);
    if (!j->pause && held_at(j, 0)->packet.sequence != j->next_sequence)
        return bridge(j, (unsigned)gap, out, samples);
    *samples = want_samples < (unsigned)gap ? want_samples : (unsigned)gap;
    j->next_timestamp += *samples;
    return JITTER_SILENCE;
}

bool jitter_is_playing(const struct jitter *j)
{
    return j->playing;
}

uint32_t jitter_timestamp(const struct jitter *j)
{
    return j->next_timestamp;
}

unsigned jitter_held_ms(const struct jitter *j)
{
    return j->held_samples / SAMPLES_PER_MS;
}

const struct jitter_stats *jitter_stats(const struct jitter *j)
{
    return &j->stats;
}
