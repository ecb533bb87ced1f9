/* device.h - loudspeakers and microphones, by PortAudio
 *
 * Sound crosses between the device's thread and ours in rings; the device's clock decides how much is taken and
 * given. 48 kHz mono on our side. What ALSA and JACK say on standard error while devices are looked for is kept from
 * the terminal.
 */
#ifndef SALOTTO_DEVICE_H
#define SALOTTO_DEVICE_H

#include "mixer/err.h"

#include <stdbool.h>

struct device_out;
struct device_in;

/* Looks for devices, once; those below that can fail do so by themselves. It takes its time. ERR_DEVICE. */
int device_init(struct err *err);
void device_fini(void);

struct device_info {
    int index;
    const char *name, *api; /* valid until device_fini() */
    int in_channels, out_channels;
    bool default_in, default_out;
};

/* The devices by index; false beyond the last. */
bool device_get(int index, struct device_info *info);

/* A device by index or by part of its name; NULL is the default. NULL with err (ERR_DEVICE), which names what there
 * is instead. */
struct device_out *device_out_open(const char *name, struct err *err);
struct device_in *device_in_open(const char *name, struct err *err);
void device_out_close(struct device_out *d);
void device_in_close(struct device_in *d);

/* Is there a device for `name` (as above) to play to, or to record from? */
int device_find(const char *name, bool input, struct err *err);

/* How many samples it wants now, a multiple of DEVICE_BLOCK; they are to be given by device_out_write(). */
#define DEVICE_BLOCK 240u
unsigned device_out_wants(const struct device_out *d);
void device_out_write(struct device_out *d, const float pcm[DEVICE_BLOCK]);

/* The next 20 ms (960 samples) recorded; false when there are none yet. */
#define DEVICE_FRAME 960u
bool device_in_read(struct device_in *d, float pcm[DEVICE_FRAME]);

/* False when the device has gone. */
bool device_out_is_running(const struct device_out *d);
bool device_in_is_running(const struct device_in *d);

#endif
