/* voice.c - where one's voice comes from (see voice.h) */
#include "tools/salotto/voice.h"

#include "tools/salotto/device.h"
#include "tools/salotto/sound_in.h"
#include "tools/salotto/speech.h"

#include <stdlib.h>

#define FRAME_NS     20000000ull
#define BEHIND_MAX   10u           /* frames made up for after a stall; what is older is skipped */
#define AFTER_FRAMES 50u           /* 1 s */
#define DEAF_NS      5000000000ull /* a microphone that gives nothing for so long is broken */

struct voice {
    struct voice_config c;
    struct speech *speech;
    struct sound_in *file;
    struct device_in *microphone;
    uint64_t captured_ns; /* when it last gave a frame, or was opened */
    bool running;         /* the file's clock */
    uint64_t began_ns;    /* of it */
    uint64_t frames;      /* since then */
    bool ended;           /* the file */
    unsigned after_end;   /* frames */
};

struct voice *voice_open(const struct voice_config *c, struct err *err)
{
    struct voice *v = calloc(1, sizeof *v);

    if (v == NULL || (v->speech = speech_new(c->send, c->arg)) == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        voice_close(v);
        return NULL;
    }
    v->c = *c;
    if (c->input != NULL)
        v->file = sound_in_open(c->input, c->loop, err);
    else if (c->open_now)
        v->microphone = device_in_open(c->device, err);
    if ((c->input != NULL && v->file == NULL) || (c->input == NULL && c->open_now && v->microphone == NULL)) {
        voice_close(v);
        return NULL;
    }
    return v;
}

void voice_close(struct voice *v)
{
    if (v == NULL)
        return;
    device_in_close(v->microphone);
    sound_in_close(v->file);
    speech_free(v->speech);
    free(v);
}

static int run_file(struct voice *v, bool on_stage, bool allowed, uint64_t now_ns, struct err *err)
{
    float pcm[SPEECH_FRAME_SAMPLES];
    uint64_t due;

    if (!on_stage && !v->ended) {
        v->running = false;
        return 0;
    }
    if (!v->running && !allowed)
        return 0;
    if (!v->running) {
        v->running = true;
        v->began_ns = now_ns;
        v->frames = 0;
    }
    due = (now_ns - v->began_ns) / FRAME_NS + 1;
    if (due - v->frames > BEHIND_MAX) {
        v->began_ns += (due - v->frames - BEHIND_MAX) * FRAME_NS;
        due = v->frames + BEHIND_MAX;
    }
    for (; v->frames < due && v->after_end < AFTER_FRAMES; v->frames++) {
        int n = sound_in_read(v->file, pcm, SPEECH_FRAME_SAMPLES, err);

        if (n < 0)
            return n;
        if (v->ended)
            v->after_end++;
        else if (n < (int)SPEECH_FRAME_SAMPLES)
            v->ended = true;
        speech_frame(v->speech, pcm, allowed);
    }
    return 0;
}

static int run_microphone(struct voice *v, bool allowed, uint64_t now_ns, struct err *err)
{
    float pcm[DEVICE_FRAME];

    if (v->microphone == NULL && allowed && (v->microphone = device_in_open(v->c.device, err)) == NULL)
        return -(int)err->code;
    if (v->microphone == NULL)
        return 0;
    if (v->captured_ns == 0)
        v->captured_ns = now_ns;
    for (; device_in_read(v->microphone, pcm); v->captured_ns = now_ns)
        speech_frame(v->speech, pcm, allowed);
    if (!device_in_is_running(v->microphone) || now_ns - v->captured_ns > DEAF_NS)
        return err_set(err, ERR_DEVICE, "see whether it is still plugged in", "the microphone has stopped");
    return 0;
}

int voice_run(struct voice *v, bool on_stage, bool allowed, uint64_t now_ns, struct err *err)
{
    return v->file != NULL ? run_file(v, on_stage, allowed, now_ns, err) : run_microphone(v, allowed, now_ns, err);
}

bool voice_is_over(const struct voice *v)
{
    return v->after_end == AFTER_FRAMES;
}

bool voice_is_open(const struct voice *v)
{
    return speech_is_open(v->speech);
}

uint64_t voice_packets(const struct voice *v)
{
    return speech_packets(v->speech);
}
