/* bus.c - the sum of the strips, and the sum without one of them (see bus.h)
 *
 * A plain sum: every voice has the weight 1. This is the place to weigh them when many talk at once; bus_without()
 * must then take out what bus_add() has put in.
 */
#include "mixer/bus.h"

#include <stddef.h>
#include <string.h>

void bus_clear(float *bus)
{
    memset(bus, 0, BUS_SAMPLES * sizeof *bus);
}

void bus_add(float *bus, const float *voice)
{
    for (unsigned i = 0; i < BUS_SAMPLES; i++)
        bus[i] += voice[i];
}

void bus_without(float *out, const float *bus, const float *voice)
{
    if (voice == NULL) {
        memcpy(out, bus, BUS_SAMPLES * sizeof *out);
        return;
    }
    for (unsigned i = 0; i < BUS_SAMPLES; i++)
        out[i] = bus[i] - voice[i];
}
