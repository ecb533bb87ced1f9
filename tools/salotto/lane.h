/* lane.h - one decoder's way from packets to sound, with the position of every sample
 *
 * A jitter buffer and a decoder that know where in the room's time they are. The playout has two: the one that is
 * heard, and one that is warmed beside it until they can be exchanged at equal position. No I/O, no clock; nothing
 * allocates after lane_init().
 */
#ifndef SALOTTO_LANE_H
#define SALOTTO_LANE_H

#include "mixer/decode.h"
#include "mixer/jitter.h"
#include "mixer/packet.h"
#include "mixer/tape.h"

#include <stdbool.h>
#include <stdint.h>

#define LANE_START_PACKETS 3u
#define LANE_START_SAMPLES 5760u /* 120 ms: enough of long frames to start with, as the jitter buffer has it */

struct lane {
    struct jitter *jitter;
    struct decode *decode;
    enum stream tier;    /* whose packets it gets, beside those of an own stream that continues them */
    bool used;           /* has been offered a packet since lane_reset() */
    bool running;        /* a packet was played: `position` is the room's; before, it only follows the clock */
    uint64_t position;   /* of the next sample that comes out */
    uint64_t first, end; /* positions offered so far: the first one's, and just after the last one's */
    bool pause;          /* the packet offered last ends in a pause */
    unsigned waited;     /* samples for which the first packets have waited for more */
    uint32_t frame;      /* samples of the last packet offered */
    uint64_t warmed;     /* samples decoded from packets */
    uint64_t missing;    /* samples in a row for which there was no packet */

    enum jitter_action action; /* that made the piece in pcm */
    bool idle;                 /* that piece is silence for want of anything */
    struct packet packet;      /* the last one played, … */
    uint64_t packet_position;  /* … and where */
    unsigned packet_samples;
    bool packet_fresh; /* it was played by the last lane_fill() */
    unsigned at, left; /* of the piece in pcm: what is next, and how much of it */
    float pcm[DECODE_MAX_SAMPLES];
};

/* Memory of the caller's; 0 or -1 (out of memory). Free with lane_fini(), which a zeroed lane bears as well. */
int lane_init(struct lane *l);
void lane_fini(struct lane *l);

/* Empty, as new, for the packets of `tier`. */
void lane_reset(struct lane *l, enum stream tier);

/* Offers a packet; as jitter_put(). -EINVAL also for a packet that holds no Opus. */
int lane_put(struct lane *l, const struct tape_packet *t, uint64_t now_ns);

/* With no piece left: makes the next one, silence of at most `want` samples, and moves `position` to its first. */
void lane_fill(struct lane *l, unsigned want);

/* Up to n samples (at least one) that are consecutive in position, from `position` on, which grows by the result. */
unsigned lane_read(struct lane *l, float *pcm, unsigned n);

/* Decodes without hearing until `position` is `to`, where there are packets from before it. Does not wait for more to
 * begin with: how far behind the room we are is what `to` says. */
void lane_follow(struct lane *l, uint64_t to);

/* Is its next sample the one of `position`? */
bool lane_is_at(const struct lane *l, uint64_t position);

/* Does it hold enough to begin with, counted from `from`? */
bool lane_may_start(const struct lane *l, uint64_t from);

#endif
