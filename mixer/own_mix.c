/* own_mix.c - what an active talker hears: the mix without their own voice (see own_mix.h) */
#include "mixer/own_mix.h"
#include "mixer/bus.h"

#include <errno.h>

/* A second or two: enough to repair a loss from. */
#define TAPE_PACKETS 64u
#define TAPE_BYTES   8192u

int own_mix_init(struct own_mix *o, enum stream tier, uint64_t first_number, int complexity)
{
    int error;

    *o = (struct own_mix){.state = OWN_IDLE, .tier = tier};
    limiter_init(&o->limiter);
    error = coder_init(&o->coder, tier, complexity);
    if (error < 0)
        return error;
    o->tape = tape_new(TAPE_PACKETS, TAPE_BYTES, first_number);
    if (o->tape == NULL) {
        coder_fini(&o->coder);
        return -ENOMEM;
    }
    return 0;
}

void own_mix_fini(struct own_mix *o)
{
    coder_fini(&o->coder);
    tape_free(o->tape);
    o->tape = NULL;
}

void own_mix_talk(struct own_mix *o, const struct limiter *limiter, const struct coder *coder, bool fresh)
{
    if (o->state == OWN_IDLE) {
        if (o->tape == NULL || coder == NULL || (!fresh && coder->filled != 0))
            return;
        o->limiter = *limiter;
        coder_copy(&o->coder, coder);
    }
    o->state = OWN_TALKING;
}

void own_mix_rest(struct own_mix *o)
{
    /* The packet that is being gathered still goes to them as their own. */
    if (o->state != OWN_TALKING || o->cut || o->coder.filled != 0)
        return;
    o->state = OWN_OVERLAP;
    o->overlap_left = OWN_MIX_OVERLAP_MS * PACKET_RATE_HZ / 1000u / o->coder.frame_samples;
}

void own_mix_cut(struct own_mix *o)
{
    o->cut = o->state != OWN_IDLE;
}

bool own_mix_is_heard(const struct own_mix *o)
{
    return o->state == OWN_TALKING;
}

bool own_mix_is_running(const struct own_mix *o)
{
    return o->state != OWN_IDLE;
}

int own_mix_run(struct own_mix *o, const float *bus, const float *voice, uint64_t position, uint32_t talkers,
                uint32_t self, uint64_t epoch)
{
    float mix[BUS_SAMPLES];
    struct tape_packet p;
    int error;

    bus_without(mix, bus, voice);
    limiter_run(&o->limiter, mix, mix, BUS_SAMPLES);
    if (!coder_feed(&o->coder, mix, position, talkers))
        return 0;
    error = coder_encode(&o->coder, self, &p);
    if (o->state == OWN_OVERLAP && --o->overlap_left == 0)
        o->cut = true;
    p.epoch = epoch;
    if (o->cut) {
        p.flags = TAPE_HANDOVER;
        o->state = OWN_IDLE;
        o->cut = false;
    }
    if (error < 0)
        return error;
    tape_append(o->tape, &p);
    return 1;
}
