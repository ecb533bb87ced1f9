/* bus.h - the sum of the strips, and the sum without one of them
 *
 * float32 without a limit: what is above full scale is the limiter's business, and mix-minus stays exact.
 *
 * One thread. All arrays hold BUS_SAMPLES.
 */
#ifndef SALOTTO_MIXER_BUS_H
#define SALOTTO_MIXER_BUS_H

#define BUS_SAMPLES 960u /* 20 ms at 48 kHz: one tick */

/* RT_SAFE. */
void bus_clear(float *bus);

/* RT_SAFE. */
void bus_add(float *bus, const float *voice);

/* RT_SAFE. out = bus - voice; voice NULL stands for a strip that added nothing. */
void bus_without(float *out, const float *bus, const float *voice);

#endif
