/* own_mix.h - what an active talker hears: the mix without their own voice
 *
 * A limiter and a coder fed with the unlimited bus minus the strip, filling a tape of their own. They start as copies
 * of the shared ones at the tick in which the talker begins, so the packets go on from the shared ones: the same
 * decoder plays on. When the talker has ended, the next frame border takes their bit from the shared packets, and the
 * own stream goes on for OWN_MIX_OVERLAP_MS beside them, for the receiver's second decoder to warm on; its last packet
 * is flagged TAPE_HANDOVER. Who begins again within that time simply goes on.
 *
 * No encoder runs here for anyone who is silent. One thread; nothing allocates after own_mix_init().
 */
#ifndef SALOTTO_MIXER_OWN_MIX_H
#define SALOTTO_MIXER_OWN_MIX_H

#include "mixer/coder.h"
#include "mixer/limiter.h"
#include "mixer/tape.h"

#include <stdbool.h>
#include <stdint.h>

#define OWN_MIX_OVERLAP_MS 240u

enum own_state {
    OWN_IDLE,    /* hears the shared stream */
    OWN_TALKING, /* hears the own one */
    OWN_OVERLAP, /* both are made */
};

struct own_mix {
    enum own_state state;
    enum stream tier;      /* to be followed from the next start on */
    bool cut;              /* the frame being gathered is the last */
    unsigned overlap_left; /* frames */
    struct limiter limiter;
    struct coder coder;
    struct tape *tape;
};

/* Allocates and touches all memory. 0 or -ENOMEM, -EINVAL (no such tier). */
int own_mix_init(struct own_mix *o, enum stream tier, uint64_t first_number, int complexity);
void own_mix_fini(struct own_mix *o);

/* RT_SAFE. Before the tick is mixed: the strip's voice is in it. (No effect on a zeroed struct: it has no tape.) Starts
 * the stream as a copy of the shared limiter and coder, which must not have been fed this tick yet; coder NULL means
 * that nobody makes the tier: then nothing starts. `fresh`: the strip begins in this very tick, so nothing of it is in
 * the copies; else the start waits for a frame border. No effect on a stream that runs, but to keep it running. */
void own_mix_talk(struct own_mix *o, const struct limiter *limiter, const struct coder *coder, bool fresh);

/* RT_SAFE. Before the tick is mixed: the strip adds nothing to it. To be called in each such tick. */
void own_mix_rest(struct own_mix *o);

/* RT_SAFE. The stream ends at its next frame border, whatever it does. */
void own_mix_cut(struct own_mix *o);

/* RT_SAFE. Has the talker's bit to stand in shared packets that are finished in this tick? */
bool own_mix_is_heard(const struct own_mix *o);

/* RT_SAFE. Does the stream run at all? */
bool own_mix_is_running(const struct own_mix *o);

/* RT_SAFE. One tick of a running stream: BUS_SAMPLES of bus minus voice (NULL: the strip added nothing), and who speaks
 * in it, the owner's bit `self` excepted. Returns 1 when a packet was appended, 0 when not, -EIO when Opus failed. */
int own_mix_run(struct own_mix *o, const float *bus, const float *voice, uint64_t position, uint32_t talkers,
                uint32_t self, uint64_t epoch);

#endif
