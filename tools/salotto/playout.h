/* playout.h - what an ear hears of the streams that come in
 *
 * Packets in, by stream and with their position in the room's time; sound out, as much as its clock asks for. Holds
 * the first 240 ms after joining back for the decoder to warm on, follows one's own stream and back without a seam,
 * and changes tiers at equal position (PROTOCOL.md 3.6). No I/O and no clock of its own, so it can be tested on a
 * virtual one. One thread. Nothing allocates after playout_new().
 */
#ifndef SALOTTO_PLAYOUT_H
#define SALOTTO_PLAYOUT_H

#include "mixer/packet.h"
#include "mixer/tape.h"

#include <stdbool.h>
#include <stdint.h>

#define PLAYOUT_MARKS_MAX 16u

struct playout;

struct playout_config {
    enum stream tier;  /* tuned to; as the join was answered, like the three below */
    bool parked;       /* nobody speaks: what comes first is to be heard from its first sample on */
    uint64_t position; /* of the room … */
    uint64_t now_ns;   /* … at this time */
    /* Each packet of what is heard, once, in order, when it is decoded; also those that only warm the decoder. May be
     * NULL. */
    void (*decoded)(const struct packet *p, uint64_t position, unsigned samples, void *arg);
    void *arg;
};

/* NULL when out of memory. */
struct playout *playout_new(const struct playout_config *c);
void playout_free(struct playout *p);

/* The tier that was asked for: its packets will be heard as soon as a decoder is warm. */
void playout_tune(struct playout *p, enum stream tier);

/* Offers a packet of stream s. */
void playout_put(struct playout *p, enum stream s, const struct tape_packet *t, uint64_t now_ns);

/* Writes the next `samples` of sound, at 48 kHz, mono. */
void playout_pull(struct playout *p, float *pcm, unsigned samples);

/* Has the first packet been heard? */
bool playout_has_started(const struct playout *p);

/* Where in the room's time the sound of the last pull was: each mark says that from the sample `at` of that pull on
 * the position counts from `position`. None: it went on from before. */
struct playout_mark {
    unsigned at;
    uint64_t position;
};
const struct playout_mark *playout_marks(const struct playout *p, unsigned *count);

/* The position from which sound is heard (before, packets only warm the decoder); meaningful once one was decoded. */
uint64_t playout_heard_from(const struct playout *p);

struct playout_stats {                                      /* of what was heard */
    uint64_t played, recovered, concealed, late, duplicate; /* packets */
    uint64_t crossfades;
};
const struct playout_stats *playout_stats(const struct playout *p);

#endif
