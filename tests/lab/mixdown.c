/* mixdown.c - the room's mixer without network, thread or clock
 *
 * Sound files become speakers, a virtual clock ticks as fast as the machine can, and what a listener of one tier would
 * hear becomes a WAV file. The room is the daemon's, tick for tick (mixer/room.h).
 */
#include "mixer/room.h"
#include "mixer/rt.h"
#include "tests/lab/source.h"
#include "tools/salotto/wav_out.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMPLEXITY  5
#define SECONDS_MAX 1e6

static const char help_text[] =
    "mixdown - mix sound files as a room would, faster than real time\n"
    "\n"
    "usage: mixdown [options] FILE[@START_SECONDS][:FADER_DB] ...\n"
    "\n"
    "Each file is a speaker (WAV, FLAC, Ogg …). They speak from the beginning, or from START_SECONDS on, at the level "
    "of\n"
    "the file, or with the moderator's fader at FADER_DB (-60 to 12).\n"
    "\n"
    "  --output FILE.wav  what a listener hears: 48 kHz, 16 bit; silence while the room is parked\n"
    "  --tier T           the tier they are tuned to: low or standard (standard)\n"
    "  --seconds N        so much of it; without this, until all have spoken and the room has parked\n"
    "  --trace FILE       what the network does to the packets of the speakers named after it: a line a packet,\n"
    "                     `NUMBER SENT_MS ARRIVED_MS` or `NUMBER SENT_MS lost`; `none`: nothing\n"
    "  --help\n"
    "\n"
    "examples:\n"
    "  mixdown --output mix.wav anna.wav bruno.wav@2.5:-6\n"
    "  mixdown --tier low --trace wifi.txt anna.wav --trace none bruno.wav\n"
    "\n"
    "Counters go to standard output. Exit codes: 0 done, 2 usage, 7 sound file or trace, 1 internal.\n";

/* What the command line asks for. */
struct plan {
    const char *output;
    enum stream tier;
    double seconds; /* 0: to the end */
    unsigned speakers, traces;
    struct {
        char *path;
        double start_s, fader_db;
        const struct trace *trace;
    } speaker[ROOM_STRIPS_MAX];
    struct trace *trace[ROOM_STRIPS_MAX];
};

/* What one listener hears, laid out by position. */
struct ears {
    const struct tape *tape;
    uint64_t next; /* packet */
    OpusDecoder *opus;
    struct wav_out *wav; /* NULL: nobody keeps it */
    uint64_t written;    /* samples */
    uint64_t bytes, packets, pauses;
};

static int number(const char *text, double lowest, double highest, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= lowest && *out <= highest ? 0 : -1;
}

/* Cuts `MARK NUMBER` off the end of path, if it is there; the file itself may have such a name. */
static int cut_suffix(char *path, char mark, double lowest, double highest, double *out, struct err *err)
{
    char *at = strrchr(path, mark);
    double value;

    if (access(path, F_OK) == 0 || at == NULL || strchr(at, '/') != NULL)
        return 0;
    if (number(at + 1, lowest, highest, &value) < 0)
        return err_set(err, ERR_USAGE, "write FILE[@START_SECONDS][:FADER_DB]", "'%s' has no number from %g to %g", at,
                       lowest, highest);
    *out = value;
    *at = '\0';
    return 0;
}

static int add_speaker(struct plan *p, const char *text, const struct trace *trace, struct err *err)
{
    unsigned n = p->speakers;
    char *path;

    if (n == ROOM_STRIPS_MAX)
        return err_set(err, ERR_USAGE, NULL, "a room has room for %d speakers", ROOM_STRIPS_MAX);
    path = strdup(text);
    if (path == NULL)
        return err_set(err, ERR_INTERNAL, NULL, "out of memory");
    p->speaker[n].path = path;
    p->speaker[n].trace = trace;
    p->speakers++;
    if (cut_suffix(path, ':', -60.0, 12.0, &p->speaker[n].fader_db, err) < 0)
        return -ERR_USAGE;
    return cut_suffix(path, '@', 0.0, SECONDS_MAX, &p->speaker[n].start_s, err);
}

static int add_trace(struct plan *p, const char *path, const struct trace **current, struct err *err)
{
    *current = NULL;
    if (strcmp(path, "none") == 0)
        return 0;
    if (p->traces == ROOM_STRIPS_MAX)
        return err_set(err, ERR_USAGE, NULL, "no more than %d traces", ROOM_STRIPS_MAX);
    p->trace[p->traces] = trace_read(path, err);
    if (p->trace[p->traces] == NULL)
        return -(int)err->code;
    *current = p->trace[p->traces++];
    return 0;
}

static int set_tier(struct plan *p, const char *name, struct err *err)
{
    int stream = stream_by_name(name);

    if (stream < 0 || tier_frame_samples((enum stream)stream) == 0)
        return err_set(err, ERR_USAGE, "take low or standard", "no tier '%s'", name);
    p->tier = (enum stream)stream;
    return 0;
}

/* 0, 1 (help was shown) or a negative code. */
static int read_arguments(struct plan *p, int argc, char **argv, struct err *err)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},  {"tier", required_argument, NULL, 't'},
        {"seconds", required_argument, NULL, 's'}, {"trace", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    const struct trace *trace = NULL;
    int option, error = 0;

    p->tier = STREAM_STANDARD;
    opterr = 0;
    while (error == 0 && (option = getopt_long(argc, argv, "-:", options, NULL)) != -1) {
        switch (option) {
        case 1:
            error = add_speaker(p, optarg, trace, err);
            break;
        case 'o':
            p->output = optarg;
            break;
        case 't':
            error = set_tier(p, optarg, err);
            break;
        case 's':
            if (number(optarg, 0.02, SECONDS_MAX, &p->seconds) < 0)
                error = err_set(err, ERR_USAGE, NULL, "--seconds wants a number above 0, not '%s'", optarg);
            break;
        case 'r':
            error = add_trace(p, optarg, &trace, err);
            break;
        case 'h':
            fputs(help_text, stdout);
            return 1;
        default:
            error = err_set(err, ERR_USAGE, "mixdown --help", option == ':' ? "%s wants a value" : "no option %s",
                            argv[optind - 1]);
            break;
        }
    }
    for (; error == 0 && optind < argc; optind++)
        error = add_speaker(p, argv[optind], trace, err);
    if (error == 0 && p->speakers == 0)
        error = err_set(err, ERR_USAGE, "mixdown --help", "nobody speaks: no sound file is named");
    return error;
}

static int write_silence(struct ears *e, uint64_t until, struct err *err)
{
    static const float silence[ROOM_TICK_SAMPLES];

    while (e->written < until) {
        uint64_t n = until - e->written < ROOM_TICK_SAMPLES ? until - e->written : ROOM_TICK_SAMPLES;

        if (e->wav != NULL && wav_out_write(e->wav, silence, (size_t)n, err) != 0)
            return -ERR_DEVICE;
        e->written += n;
    }
    return 0;
}

static int hear(struct ears *e, struct err *err)
{
    for (; e->next < tape_next(e->tape); e->next++) {
        struct tape_packet p;
        float pcm[5760];
        int samples;

        if (tape_read(e->tape, e->next, &p) < 0)
            return err_set(err, ERR_INTERNAL, NULL, "packet %llu is not on the tape", (unsigned long long)e->next);
        samples = opus_decode_float(e->opus, p.opus, p.opus_bytes, pcm, 5760, 0);
        if (samples < 0)
            return err_set(err, ERR_INTERNAL, NULL, "Opus can't decode: %s", opus_strerror(samples));
        if (write_silence(e, p.position, err) < 0)
            return -ERR_DEVICE;
        if (e->wav != NULL && wav_out_write(e->wav, pcm, (size_t)samples, err) != 0)
            return -ERR_DEVICE;
        e->written += (uint64_t)samples;
        e->bytes += p.opus_bytes;
        e->packets++;
        e->pauses += (p.flags & TAPE_PAUSE) != 0;
    }
    return 0;
}

/* The room with a strip for each speaker and the one tier. */
static struct room *new_room(const struct plan *p, struct strip **strips, const struct tape **tape)
{
    struct room_config c = {.name = "mixdown", .inboxes = 1};
    struct tier_config t = {.stream = p->tier, .complexity = COMPLEXITY};
    struct room *r = room_new(&c);
    struct room_command add = {.order = ROOM_ADD_TIER, .block = tier_new(&t)};

    if (r == NULL || add.block == NULL || !room_command(r, &add))
        goto fail;
    *tape = tier_tape(add.block);
    for (unsigned n = 0; n < p->speakers; n++) {
        struct strip_config s = {
            .own_tier = p->tier, .complexity = COMPLEXITY, .fader_db = (float)p->speaker[n].fader_db};

        add = (struct room_command){.order = ROOM_ADD_STRIP, .slot = n, .block = strip_new(&s)};
        if (add.block == NULL || !room_command(r, &add))
            goto fail_room;
        strips[n] = add.block;
    }
    return r;
fail:
    tier_free(add.block);
fail_room:
    room_free(r);
    return NULL;
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void report(const struct plan *p, const struct room_stats *s, struct source *const *sources,
                   struct strip *const *strips, const struct ears *e, double took_s)
{
    double seconds = (double)e->written / 48000.0;

    printf("%.2f s in %.3f s: %.0f times real time\n", seconds, took_s, took_s > 0 ? seconds / took_s : 0);
    printf("ticks %llu  parked %llu times  shared_encodes %llu  personal_encodes %llu  pauses %llu  opus %.1f kbit/s\n",
           (unsigned long long)get(&s->ticks), (unsigned long long)get(&s->parks),
           (unsigned long long)get(&s->shared_encodes[p->tier]), (unsigned long long)get(&s->personal_encodes),
           (unsigned long long)e->pauses,
           e->packets > 0 ? (double)e->bytes * 8 / 1000 / ((double)e->packets * tier_frame_samples(p->tier) / 48000)
                          : 0);
    printf("drops: stale %llu  lease %llu  broken %llu\n\n", (unsigned long long)get(&s->drop_stale),
           (unsigned long long)get(&s->drop_lease), (unsigned long long)get(&s->drop_broken));
    printf("%8s %8s %8s %8s %9s %9s %8s %8s %9s  %s\n", "sent", "lost", "received", "late", "recovered", "concealed",
           "first_s", "last_s", "delay_ms", "speaker");
    for (unsigned n = 0; n < p->speakers; n++) {
        const struct strip_stats *st = strip_stats(strips[n]);
        uint64_t first = get(&st->first_out);

        printf("%8llu %8llu %8llu %8llu %9llu %9llu %8.2f %8.2f %9u  %s\n", (unsigned long long)source_sent(sources[n]),
               (unsigned long long)source_lost(sources[n]), (unsigned long long)get(&st->received),
               (unsigned long long)get(&st->late), (unsigned long long)get(&st->recovered),
               (unsigned long long)get(&st->concealed), first > 0 ? (double)(first - 1) / 48000 : 0,
               (double)get(&st->last_out) / 48000, atomic_load_explicit(&st->delay_ms, memory_order_relaxed),
               source_path(sources[n]));
    }
}

/* Ticks until it is done. A room that may park is left alone until somebody's voice arrives, as its thread would be. */
static int run(const struct plan *p, struct room *r, struct source *const *sources, struct ears *e, struct err *err)
{
    bool awake = true; /* the first tick carries out the commands */

    for (uint64_t tick = 0;; tick++) {
        double now_ms = (double)tick * 20.0;
        bool voice = false, done = true;

        for (unsigned n = 0; n < p->speakers; n++) {
            if (!source_run(sources[n], now_ms, room_inbox(r, 0), &voice, err))
                return -(int)err->code;
            done = done && source_is_done(sources[n]);
        }
        if (awake || voice) {
            rt_enter();
            awake = room_tick(r, tick, tick * ROOM_TICK_NS);
            rt_leave();
        }
        if (hear(e, err) < 0)
            return -(int)err->code;
        if (p->seconds > 0 ? (double)(tick + 1) * 0.02 >= p->seconds : done && !awake)
            return write_silence(e, p->seconds > 0 ? (uint64_t)(p->seconds * 48000.0) : e->written, err);
    }
}

static double seconds_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int mixdown(const struct plan *p, struct err *err)
{
    struct source *sources[ROOM_STRIPS_MAX] = {NULL};
    struct strip *strips[ROOM_STRIPS_MAX];
    struct ears ears = {.next = 0};
    struct room *room = NULL;
    double began = seconds_now();
    int error = 0, opus_error;

    for (unsigned n = 0; n < p->speakers; n++) {
        sources[n] = source_open(p->speaker[n].path, p->speaker[n].start_s * 1000, n, p->speaker[n].trace, err);
        if (sources[n] == NULL) {
            error = -(int)err->code;
            goto out;
        }
    }
    room = new_room(p, strips, &ears.tape);
    ears.opus = opus_decoder_create(PACKET_RATE_HZ, 1, &opus_error);
    if (room == NULL || ears.opus == NULL) {
        error = err_set(err, ERR_INTERNAL, NULL, "out of memory");
        goto out;
    }
    if (p->output != NULL && (ears.wav = wav_out_open(p->output, err)) == NULL) {
        error = -(int)err->code;
        goto out;
    }
    error = run(p, room, sources, &ears, err);
    if (wav_out_close(ears.wav, error == 0 ? err : NULL) != 0 && error == 0)
        error = -ERR_DEVICE;
    if (error == 0)
        report(p, room_stats(room), sources, strips, &ears, seconds_now() - began);
out:
    room_free(room);
    if (ears.opus != NULL)
        opus_decoder_destroy(ears.opus);
    for (unsigned n = 0; n < p->speakers; n++)
        source_close(sources[n]);
    return error;
}

int main(int argc, char **argv)
{
    struct plan plan = {.output = NULL};
    struct err err = {.code = ERR_NONE};
    int error = read_arguments(&plan, argc, argv, &err);

    if (error == 0)
        error = mixdown(&plan, &err);
    if (error < 0) {
        fprintf(stderr, "mixdown: %s\n", err.message);
        if (err.mend[0] != '\0')
            fprintf(stderr, "  %s\n", err.mend);
    }
    for (unsigned n = 0; n < plan.speakers; n++)
        free(plan.speaker[n].path);
    for (unsigned n = 0; n < plan.traces; n++)
        trace_free(plan.trace[n]);
    return error < 0 ? -error : 0;
}
