/* gate.h - is this person speaking?
 *
 * A noise gate with hysteresis on 20 ms frames. Levels are RMS in dBFS with 0 dBFS = an RMS of 1.0 (a full-scale sine
 * is -3 dBFS). The client runs the same gate on its microphone, so that both sides agree on what is voice.
 *
 * One thread. Plain state, owned by the caller, copied by assignment.
 */
#ifndef SALOTTO_MIXER_GATE_H
#define SALOTTO_MIXER_GATE_H

#include <stdbool.h>

#define GATE_OPEN_DBFS   (-50.0f) /* a frame above it opens the gate at once */
#define GATE_CLOSE_DBFS  (-56.0f) /* frames below it, */
#define GATE_HOLD_FRAMES 100u     /* so many in a row (2 s), close it */

struct gate {
    bool open;
    unsigned quiet_frames; /* in a row, while open */
};

/* RT_SAFE. Closed. */
void gate_init(struct gate *g);

/* RT_SAFE. Looks at the next 20 ms frame. Is the gate open for this very frame? pcm NULL is a frame of silence. */
bool gate_run(struct gate *g, const float *pcm, unsigned samples);

/* RT_SAFE. Mean square of a frame, and the same in dBFS (-120 at the least). */
float gate_power(const float *pcm, unsigned samples);
float gate_dbfs(float power);

#endif
