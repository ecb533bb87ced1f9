/* sound_in.c - a sound file, read as 48 kHz mono (see sound_in.h) */
#include "tools/salotto/sound_in.h"

#include "tools/salotto/resample.h"

#include <errno.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNELS_MAX 32

struct sound_in {
    SNDFILE *file;
    SF_INFO info;
    struct resample *resample;
    const char *path; /* borrowed */
    bool loop, ended;
    float frames[RESAMPLE_BLOCK * CHANNELS_MAX];
};

static int cannot(struct err *err, const char *path, const char *why)
{
    return err_set(err, ERR_DEVICE, "WAV, FLAC and Ogg files can be read, and whatever else libsndfile knows",
                   "cannot read the sound file %s: %s", path, why);
}

struct sound_in *sound_in_open(const char *path, bool loop, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct sound_in *s = calloc(1, sizeof *s);
    char why[128];

    if (s == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    s->path = is_stdin ? err_words(ERR_TEXT("on standard input")) : path;
    s->loop = loop;
    /* libsndfile says no more than "System error" of a file that is not there. */
    if (!is_stdin && access(path, R_OK) != 0) {
        cannot(err, path, err_reason(errno));
        goto fail;
    }
    s->file = is_stdin ? sf_open_fd(STDIN_FILENO, SFM_READ, &s->info, SF_FALSE) : sf_open(path, SFM_READ, &s->info);
    if (s->file == NULL) {
        cannot(err, s->path, sf_strerror(NULL));
        goto fail;
    }
    snprintf(why, sizeof why, err_words(ERR_TEXT("%d channels at %d Hz")), s->info.channels, s->info.samplerate);
    if (s->info.channels < 1 || s->info.channels > CHANNELS_MAX || s->info.samplerate < (int)RESAMPLE_RATE_MIN ||
        s->info.samplerate > (int)RESAMPLE_RATE_MAX) {
        cannot(err, s->path, why);
        goto fail;
    }
    if (s->info.seekable && s->info.frames <= 0) {
        cannot(err, s->path, err_words(ERR_TEXT("it holds no sound")));
        goto fail;
    }
    if (loop && !s->info.seekable) {
        err_set(err, ERR_USAGE, "give a file, or leave --loop out", "the sound %s can't be played in a loop", s->path);
        goto fail;
    }
    s->resample = resample_new((unsigned)s->info.samplerate);
    if (s->resample == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        goto fail;
    }
    return s;
fail:
    sound_in_close(s);
    return NULL;
}

void sound_in_close(struct sound_in *s)
{
    if (s == NULL)
        return;
    if (s->file != NULL)
        sf_close(s->file);
    resample_free(s->resample);
    free(s);
}

/* The next block of the file, its channels averaged, into the resampler. */
static int feed(struct sound_in *s, struct err *err)
{
    float mono[RESAMPLE_BLOCK];
    int channels = s->info.channels;
    sf_count_t n = sf_readf_float(s->file, s->frames, (sf_count_t)resample_room(s->resample));

    if (n <= 0 && sf_error(s->file) != SF_ERR_NO_ERROR)
        return cannot(err, s->path, sf_strerror(s->file));
    if (n <= 0 && s->loop) {
        if (sf_seek(s->file, 0, SEEK_SET) != 0)
            return cannot(err, s->path, sf_strerror(s->file));
        n = sf_readf_float(s->file, s->frames, (sf_count_t)resample_room(s->resample));
    }
    if (n <= 0) {
        s->ended = true;
        resample_end(s->resample);
        return 0;
    }
    for (sf_count_t i = 0; i < n; i++) {
        float sum = 0;

        for (int c = 0; c < channels; c++)
            sum += s->frames[i * channels + c];
        mono[i] = sum / (float)channels;
    }
    resample_feed(s->resample, mono, (size_t)n);
    return 0;
}

int sound_in_read(struct sound_in *s, float *pcm, unsigned n, struct err *err)
{
    size_t done = 0;

    for (;;) {
        int ret;

        done += resample_take(s->resample, pcm + done, n - done);
        if (done == n || s->ended)
            break;
        if ((ret = feed(s, err)) != 0)
            return ret;
    }
    memset(pcm + done, 0, (n - done) * sizeof *pcm);
    return (int)done;
}
