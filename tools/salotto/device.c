/* device.c - loudspeakers and microphones, by PortAudio (see device.h)
 *
 * The callbacks run on the device's thread, in real time: they touch rings and a partly used block, nothing else.
 */
#include "tools/salotto/device.h"

#include "mixer/ring.h"
#include "tools/salotto/quiet.h"

#include <dlfcn.h>
#include <errno.h>
#include <portaudio.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RATE          48000.0
#define OUT_BLOCKS    128u /* 640 ms */
#define IN_FRAMES     32u  /* 640 ms */
#define AHEAD_MIN     960u /* samples beyond what a callback takes: our loop looks every 10 ms */
#define LATENCY_MAX_S 0.1
#define PATIENCE_S    10u /* with the sound libraries; a sound server that has to be started first takes some */

struct device_out {
    PaStream *stream;
    struct ring *ring; /* of DEVICE_BLOCK samples */
    int channels;
    _Atomic unsigned largest; /* samples one callback asked for */
    float block[DEVICE_BLOCK];
    unsigned left; /* samples of it not yet played */
};

struct device_in {
    PaStream *stream;
    struct ring *ring; /* of DEVICE_FRAME samples */
    int channels;
    float frame[DEVICE_FRAME];
    unsigned held;
};

static bool initialized;

static void say_nothing(const char *file, int line, const char *function, int error, const char *format, ...)
{
    (void)file;
    (void)line;
    (void)function;
    (void)error;
    (void)format;
}

/* ALSA goes on talking from PortAudio's threads later. We do not link it ourselves, so ask whether it is there. */
static void silence_alsa(void)
{
    typedef void handler(const char *, int, const char *, int, const char *, ...);
    void *symbol = dlsym(RTLD_DEFAULT, "snd_lib_error_set_handler");
    int (*set_handler)(handler *);

    if (symbol == NULL)
        return;
    memcpy(&set_handler, &symbol, sizeof set_handler);
    set_handler(say_nothing);
}

/* Where ALSA names no device at all, PortAudio (19.6, pa_linux_alsa.c, BuildDeviceList) ends the program by an
 * assertion; and where a client of JACK died at the wrong moment, libjack waits for it for ever. So a child tries
 * first. 0, or the signal that ended it: SIGALRM when it hung. */
static int try_initialize(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        const struct rlimit no_core = {0, 0};

        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGALRM, SIG_DFL);
        alarm(PATIENCE_S);
        Pa_Initialize();
        _exit(0);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return 0;
    return child > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int device_init(struct err *err)
{
    PaError error = paDeviceUnavailable;
    int saved, ended_by;

    if (initialized)
        return 0;
    saved = quiet_begin();
    setenv("JACK_NO_START_SERVER", "1", 1);
    silence_alsa();
    ended_by = try_initialize();
    if (ended_by == 0)
        error = Pa_Initialize();
    quiet_end(saved);
    if (ended_by == SIGALRM)
        return err_set(err, ERR_DEVICE, "restart the sound server; where JACK hangs, remove /dev/shm/jack_db-*",
                       "the sound system does not answer within %u seconds", PATIENCE_S);
    initialized = error == paNoError;
    if (initialized)
        return 0;
    return err_set(err, ERR_DEVICE, "hear it in a file with --output FILE.wav, and speak from one with --input FILE",
                   "there is no sound device on this machine (%s)", Pa_GetErrorText(error));
}

void device_fini(void)
{
    int saved;

    if (!initialized)
        return;
    saved = quiet_begin();
    Pa_Terminate();
    quiet_end(saved);
    initialized = false;
}

bool device_get(int index, struct device_info *info)
{
    const PaDeviceInfo *d = index >= 0 && index < Pa_GetDeviceCount() ? Pa_GetDeviceInfo(index) : NULL;

    if (d == NULL)
        return false;
    *info = (struct device_info){.index = index,
                                 .name = d->name,
                                 .api = Pa_GetHostApiInfo(d->hostApi)->name,
                                 .in_channels = d->maxInputChannels,
                                 .out_channels = d->maxOutputChannels,
                                 .default_in = index == Pa_GetDefaultInputDevice(),
                                 .default_out = index == Pa_GetDefaultOutputDevice()};
    return true;
}

static bool names(const struct device_info *info, const char *name)
{
    char *end;
    long index = strtol(name, &end, 10);

    return *name != '\0' && *end == '\0' ? index == info->index : strcasestr(info->name, name) != NULL;
}

/* "what there is" of a message: names, as far as they fit. */
static void list(char *out, size_t max, bool input)
{
    struct device_info info;
    size_t at = 0;

    out[0] = '\0';
    for (int i = 0; device_get(i, &info); i++)
        if ((input ? info.in_channels : info.out_channels) > 0 && at < max)
            at += (size_t)snprintf(out + at, max - at, "%s%s", at > 0 ? ", " : "", info.name);
}

int device_find(const char *name, bool input, struct err *err)
{
    const char *what = err_words(input ? ERR_TEXT("microphone") : ERR_TEXT("loudspeaker"));
    struct device_info info;
    char there[160];
    int index = device_init(err);

    if (index < 0)
        return index;
    if (name == NULL) {
        index = input ? Pa_GetDefaultInputDevice() : Pa_GetDefaultOutputDevice();
        if (index != paNoDevice)
            return index;
        return err_set(
            err, ERR_DEVICE,
            input ? ERR_TEXT("speak from a sound file with --input FILE")
                  : ERR_TEXT("hear it in a file with --output FILE.wav, or on standard output with --output -"),
            "there is no sound device on this machine (no %s)", what);
    }
    /* A whole name before a part of one. */
    for (int i = 0; device_get(i, &info); i++)
        if ((input ? info.in_channels : info.out_channels) > 0 && strcasecmp(info.name, name) == 0)
            return i;
    for (int i = 0; device_get(i, &info); i++)
        if ((input ? info.in_channels : info.out_channels) > 0 && names(&info, name))
            return i;
    list(there, sizeof there, input);
    err_set(err, ERR_DEVICE, "`salotto devices` lists them", "there is no %s '%s'", what, name);
    if (there[0] != '\0')
        err_mend(err, "there are: %s (`salotto devices` lists all)", there);
    return -ERR_DEVICE;
}

/* Opens and starts with two channels or one, whichever the device takes first. */
static PaError open_stream(PaStream **stream, int index, bool input, int first, int *channels, PaStreamCallback *run,
                           void *arg)
{
    const PaDeviceInfo *d = Pa_GetDeviceInfo(index);
    double latency = input ? d->defaultHighInputLatency : d->defaultHighOutputLatency;
    PaStreamParameters p = {.device = index,
                            .channelCount = first,
                            .sampleFormat = paFloat32,
                            .suggestedLatency = latency < LATENCY_MAX_S ? latency : LATENCY_MAX_S};
    int saved = quiet_begin();
    PaError error = paNoError;

    for (int i = 0; i < 2; i++, p.channelCount = 3 - first) {
        *channels = p.channelCount;
        error = Pa_OpenStream(stream, input ? &p : NULL, input ? NULL : &p, RATE, paFramesPerBufferUnspecified,
                              paNoFlag, run, arg);
        if (error == paNoError)
            break;
        *stream = NULL;
    }
    if (error == paNoError)
        error = Pa_StartStream(*stream);
    quiet_end(saved);
    return error;
}

static void close_stream(PaStream *stream)
{
    int saved = quiet_begin();

    if (stream != NULL)
        Pa_CloseStream(stream);
    quiet_end(saved);
}

static void cannot_open(struct err *err, int index, PaError error)
{
    struct device_info info;

    err_set(err, ERR_DEVICE, "name another one with --device (`salotto devices` lists them)",
            "the sound device '%s' can't be opened: %s", device_get(index, &info) ? info.name : "?",
            Pa_GetErrorText(error));
}

static int play(const void *in, void *out, unsigned long frames, const PaStreamCallbackTimeInfo *time,
                PaStreamCallbackFlags flags, void *arg)
{
    struct device_out *d = arg;
    float *to = out;

    (void)in;
    (void)time;
    (void)flags;
    if (frames > atomic_load_explicit(&d->largest, memory_order_relaxed))
        atomic_store_explicit(&d->largest, (unsigned)frames, memory_order_relaxed);
    for (unsigned long i = 0; i < frames; i++) {
        float sample = 0;

        if (d->left == 0 && ring_pop(d->ring, d->block))
            d->left = DEVICE_BLOCK;
        if (d->left > 0)
            sample = d->block[DEVICE_BLOCK - d->left--];
        for (int c = 0; c < d->channels; c++)
            *to++ = sample;
    }
    return paContinue;
}

struct device_out *device_out_open(const char *name, struct err *err)
{
    int index = device_find(name, false, err);
    struct device_out *d;
    PaError error;

    if (index < 0)
        return NULL;
    d = calloc(1, sizeof *d);
    if (d == NULL || (d->ring = ring_new(OUT_BLOCKS, sizeof d->block)) == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        free(d);
        return NULL;
    }
    error = open_stream(&d->stream, index, false, 2, &d->channels, play, d);
    if (error != paNoError) {
        cannot_open(err, index, error);
        device_out_close(d);
        return NULL;
    }
    return d;
}

void device_out_close(struct device_out *d)
{
    if (d == NULL)
        return;
    close_stream(d->stream);
    ring_free(d->ring);
    free(d);
}

unsigned device_out_wants(const struct device_out *d)
{
    unsigned held = ring_count(d->ring) * DEVICE_BLOCK;
    unsigned wanted = atomic_load_explicit(&d->largest, memory_order_relaxed) + AHEAD_MIN;

    if (wanted > (OUT_BLOCKS - 1) * DEVICE_BLOCK)
        wanted = (OUT_BLOCKS - 1) * DEVICE_BLOCK;
    return held < wanted ? (wanted - held + DEVICE_BLOCK - 1) / DEVICE_BLOCK * DEVICE_BLOCK : 0;
}

void device_out_write(struct device_out *d, const float pcm[DEVICE_BLOCK])
{
    ring_push(d->ring, pcm, DEVICE_BLOCK * sizeof *pcm);
}

static int capture(const void *in, void *out, unsigned long frames, const PaStreamCallbackTimeInfo *time,
                   PaStreamCallbackFlags flags, void *arg)
{
    struct device_in *d = arg;
    const float *from = in;

    (void)out;
    (void)time;
    (void)flags;
    if (from == NULL)
        return paContinue;
    for (unsigned long i = 0; i < frames; i++) {
        float sum = 0;

        for (int c = 0; c < d->channels; c++)
            sum += *from++;
        d->frame[d->held++] = sum / (float)d->channels;
        if (d->held == DEVICE_FRAME) {
            ring_push(d->ring, d->frame, sizeof d->frame);
            d->held = 0;
        }
    }
    return paContinue;
}

struct device_in *device_in_open(const char *name, struct err *err)
{
    int index = device_find(name, true, err);
    struct device_in *d;
    PaError error;

    if (index < 0)
        return NULL;
    d = calloc(1, sizeof *d);
    if (d == NULL || (d->ring = ring_new(IN_FRAMES, sizeof d->frame)) == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        free(d);
        return NULL;
    }
    error = open_stream(&d->stream, index, true, 1, &d->channels, capture, d);
    if (error != paNoError) {
        cannot_open(err, index, error);
        device_in_close(d);
        return NULL;
    }
    return d;
}

void device_in_close(struct device_in *d)
{
    if (d == NULL)
        return;
    close_stream(d->stream);
    ring_free(d->ring);
    free(d);
}

bool device_in_read(struct device_in *d, float pcm[DEVICE_FRAME])
{
    return ring_pop(d->ring, pcm);
}

bool device_out_is_running(const struct device_out *d)
{
    return Pa_IsStreamActive(d->stream) == 1;
}

bool device_in_is_running(const struct device_in *d)
{
    return Pa_IsStreamActive(d->stream) == 1;
}
