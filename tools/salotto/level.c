/* level.c - how loud a recording is (see level.h) */
#include "tools/salotto/level.h"

#include "mixer/gate.h"
#include "mixer/packet.h"

#include <math.h>

#define FRAME      960u
#define FULL_SCALE 0.999f /* of 16 bits the largest is 0.99997 */

void level_measure(struct level *l, const float *pcm, size_t n)
{
    double sum = 0;
    size_t frames = 0;
    float peak = 0;

    l->at_limit = 0;
    for (size_t i = 0; i < n; i++) {
        float a = fabsf(pcm[i]);

        peak = a > peak ? a : peak;
        l->at_limit += a >= FULL_SCALE;
    }
    for (size_t at = 0; at + FRAME <= n; at += FRAME) {
        float power = gate_power(pcm + at, FRAME);

        if (gate_dbfs(power) <= GATE_OPEN_DBFS)
            continue;
        sum += power;
        frames++;
    }
    l->peak_dbfs = gate_dbfs(peak * peak);
    l->rms_dbfs = frames > 0 ? gate_dbfs((float)(sum / (double)frames)) : LEVEL_FLOOR_DBFS;
    l->speaking_s = (float)frames * FRAME / PACKET_RATE_HZ;
}
