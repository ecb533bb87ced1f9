/* heard.h - where what is heard goes: loudspeaker, WAV, Ogg/Opus, or nowhere
 *
 * Drives the playout: by the device's clock where there is a device, by CLOCK_MONOTONIC otherwise. Counts the stay from
 * the first sound on, or, in a room that is parked, from joining.
 */
#ifndef SALOTTO_HEARD_H
#define SALOTTO_HEARD_H

#include "mixer/err.h"
#include "mixer/tape.h"
#include "tools/salotto/events_out.h"
#include "tools/salotto/playout.h"

#include <stdbool.h>
#include <stdint.h>

struct heard;

struct heard_config {   /* borrowed */
    const char *output; /* a file, or "-"; NULL: the device */
    const char *device; /* NULL: the default one */
    bool deaf;          /* neither */
    double seconds;     /* 0: no end */
    struct events_out *events;
};

/* Opens what the sound goes to. NULL with err. */
struct heard *heard_open(const struct heard_config *c, struct err *err);

/* The room is joined: sound may come. */
int heard_join(struct heard *h, enum stream tier, uint64_t position, bool parked, uint64_t now_ns, struct err *err);

/* After that. */
void heard_put(struct heard *h, enum stream s, const struct tape_packet *p, uint64_t now_ns);
void heard_parked(struct heard *h);
void heard_tune(struct heard *h, enum stream tier);

/* Takes from the playout what is due. 0 or a negative code: the file or the device broke. */
int heard_run(struct heard *h, uint64_t now_ns, struct err *err);

/* Have the seconds passed? */
bool heard_is_done(const struct heard *h);

/* Seconds of the stay so far. */
double heard_seconds(const struct heard *h);

/* NULL before heard_join(). */
const struct playout_stats *heard_stats(const struct heard *h);

/* Is the loudspeaker in use? It asks to be looked after more often. */
bool heard_has_device(const struct heard *h);

/* Finishes files and frees. NULL is allowed. */
int heard_close(struct heard *h, struct err *err);

#endif
