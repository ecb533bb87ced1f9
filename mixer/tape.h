/* tape.h - a broadcast ring of encoded packets
 *
 * The mixer's only way out: numbered, immutable Opus packets, the last few seconds of them. One producer (the room's
 * thread), any number of readers, each with a cursor of its own. A reader that falls behind loses the oldest packets
 * and can see how many; it never delays the producer. A slot holds all that will be sealed, so that every reader, and
 * every repair of a loss, yields the same bytes.
 *
 * Inside it is a byte ring with an index, both of atomic words written in seqlock order (H.-J. Boehm, "Can seqlocks
 * get along with programming language memory models?", MSPC 2012), so a torn read is detected and never used.
 */
#ifndef SALOTTO_MIXER_TAPE_H
#define SALOTTO_MIXER_TAPE_H

#include "mixer/packet.h"

#include <stddef.h>
#include <stdint.h>

/* The streams of a room. The first four are the tiers, each encoded once for all who are tuned in; `own` is what an
 * active talker hears instead: the mix without their own voice (mix-minus). The numbers are those on the wire. */
enum stream {
    STREAM_EDGE = 0,     /* 120 ms frames, 6 kbit/s */
    STREAM_LOW = 1,      /* 60 ms, 12 kbit/s */
    STREAM_STANDARD = 2, /* 20 ms, 32 kbit/s */
    STREAM_MUSIC = 3,    /* 20 ms, 96 kbit/s stereo */
    STREAM_TIERS = 4,    /* how many tiers */
    STREAM_OWN = 7,
};

#define TAPE_TALKERS_MAX 7 /* named in one packet; more may talk */

enum tape_flag {
    TAPE_PAUSE = 1,    /* the room parks after this packet: what follows is silence, not loss */
    TAPE_HANDOVER = 2, /* own stream only: its last packet, the shared stream goes on from here */
};

struct tape_packet {
    uint64_t number;     /* one more for each packet of this tape */
    uint64_t position;   /* of its first sample in the room's time, at 48 kHz; goes on through pauses */
    uint64_t epoch;      /* serial of the epoch key it is to be sealed under */
    uint32_t own_strips; /* bit n: whoever holds strip n hears their own stream instead of this packet */
    uint16_t opus_bytes;
    uint16_t duration_samples;
    uint8_t flags;
    uint8_t talker_count;
    uint8_t talkers[TAPE_TALKERS_MAX]; /* strips whose voice is in it */
    uint8_t opus[PACKET_OPUS_MAX_BYTES];
};

struct tape;

/* packets (a power of two) and bytes (a power of two) bound what is kept. first_number is the first packet's: numbers
 * of a room never go back while the daemon runs, so main keeps tape_next() over the life of tapes. NULL when out of
 * memory. Free when no thread reads or writes any more. */
struct tape *tape_new(unsigned packets, size_t bytes, uint64_t first_number);
void tape_free(struct tape *t);

/* RT_SAFE, producer only. Copies the packet in (p->number is ignored) and returns the number it got. */
uint64_t tape_append(struct tape *t, const struct tape_packet *p);

/* RT_SAFE, any thread. Copies packet `number` out. 0, -EAGAIN (not yet made) or -ESTALE (no longer kept); unless 0,
 * *out is not to be used. */
int tape_read(const struct tape *t, uint64_t number, struct tape_packet *out);

/* RT_SAFE, any thread. The number that the next packet will get. Everything from tape_oldest() to it is kept. */
uint64_t tape_next(const struct tape *t);
uint64_t tape_oldest(const struct tape *t);

/* RT_SAFE, any thread. The oldest kept packet that begins at or after `position`; tape_next() when there is none. */
uint64_t tape_seek(const struct tape *t, uint64_t position);

/* "edge" … "music", "own"; NULL for any other number. */
const char *stream_name(enum stream s);

/* The tier of that name, or -1. */
int stream_by_name(const char *name);

#endif
