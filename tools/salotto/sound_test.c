/* sound_test.c - `salotto test` (see sound_test.h)
 *
 * Three phases, one after the other on one event loop: record, send and hear, play. Each has a step that the tick
 * calls until it says that it is done. Nothing is played while it is recorded or sent, so that no loudspeaker gets into
 * the microphone.
 *
 * Time while sending: the sample n of what is said was "spoken" n/48000 s after t->began_ns, and a frame goes out when
 * its last sample has been; what is heard is pulled by the same clock. So the lag between the two is what a mouth and
 * an ear would find, but for the devices.
 */
#include "tools/salotto/sound_test.h"

#include "net/clock.h"
#include "tools/colour.h"
#include "tools/salotto/device.h"
#include "tools/salotto/lag.h"
#include "tools/salotto/playout.h"
#include "tools/salotto/self.h"
#include "tools/salotto/session.h"
#include "tools/salotto/sound_in.h"
#include "tools/salotto/sound_report.h"
#include "tools/salotto/speech.h"
#include "tools/salotto/status_line.h"
#include "tools/salotto/wav_out.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define RATE          PACKET_RATE_HZ
#define FRAME         SPEECH_FRAME_SAMPLES
#define SAID_SAMPLES  ((size_t)5 * RATE)
#define HUSH_SAMPLES  (RATE / 2)        /* of silence, for the last word to be heard to its end */
#define AFTER_SAMPLES (RATE + RATE / 2) /* heard after that: the last report comes within a second */
#define HEARD_SAMPLES (SAID_SAMPLES + HUSH_SAMPLES + AFTER_SAMPLES)
#define LAG_MAX       ((size_t)2 * RATE)
#define TICK_MS       10l
#define DEAF_NS       5000000000ull /* a microphone that gives nothing for so long is broken */
#define NICE          (-11)         /* as stay.c */
#define SIGNALS       5u
#define ROUND_TRIPS   32u

struct sound_test {
    const struct args *args;
    struct event_base *base;
    struct event *tick, *signals[SIGNALS];
    struct status_line line;
    bool (*step)(struct sound_test *t, uint64_t now_ns); /* of the phase; true: it is over */

    float *said, *heard; /* SAID_SAMPLES + HUSH_SAMPLES and HEARD_SAMPLES */
    size_t said_samples; /* a multiple of FRAME */
    size_t sent_samples, heard_samples, played_samples;
    struct device_in *microphone;
    struct device_out *loudspeaker;
    uint64_t captured_ns; /* when the microphone last gave something */

    struct session *session;
    struct speech *speech;
    struct playout *playout;
    uint64_t began_ns, reported_ns, last_sent_ns;
    struct client_report report;
    unsigned round_trip[ROUND_TRIPS], round_trips; /* ms */
    bool closed;
    struct err why;
};

static void fail(struct sound_test *t, const struct err *why)
{
    if (t->why.code == ERR_NONE)
        t->why = *why;
}

static unsigned seconds_left(size_t done, size_t all)
{
    return (unsigned)((all - done + RATE - 1) / RATE);
}

/* --- the loop */

/* What went wrong before does not hold up leaving. */
static bool step_leave(struct sound_test *t, uint64_t now_ns)
{
    (void)now_ns;
    return t->closed;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct sound_test *t = arg;

    (void)fd;
    (void)what;
    if (t->step(t, clock_now_ns()) || (t->step != step_leave && (t->why.code != ERR_NONE || t->line.gone)))
        event_base_loopbreak(t->base);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct sound_test *t = arg;
    struct err err;

    (void)what;
    if (number == SIGWINCH) {
        status_line_resized(&t->line);
        return;
    }
    err_set(&err, ERR_INTERRUPTED, NULL, "interrupted before the test was over");
    fail(t, &err);
    event_base_loopbreak(t->base);
}

static int run(struct sound_test *t, bool (*step)(struct sound_test *t, uint64_t now_ns))
{
    t->step = step;
    event_base_dispatch(t->base);
    status_line_clear(&t->line);
    if (t->line.gone)
        err_set(&t->why, ERR_INTERRUPTED, NULL, "the terminal went away before the test was over");
    return -(int)t->why.code;
}

static int open_loop(struct sound_test *t)
{
    static const int numbers[SIGNALS] = {SIGWINCH, SIGINT, SIGTERM, SIGQUIT, SIGHUP};
    static const struct timeval period = {.tv_usec = TICK_MS * 1000};

    t->base = event_base_new();
    t->tick = t->base != NULL ? event_new(t->base, -1, EV_PERSIST, on_tick, t) : NULL;
    if (t->tick == NULL || event_add(t->tick, &period) != 0)
        return err_set(&t->why, ERR_INTERNAL, NULL, "out of memory");
    for (unsigned i = 0; i < SIGNALS; i++) {
        t->signals[i] = evsignal_new(t->base, numbers[i], on_signal, t);
        if (t->signals[i] == NULL || event_add(t->signals[i], NULL) != 0)
            return err_set(&t->why, ERR_INTERNAL, NULL, "out of memory");
    }
    return 0;
}

/* --- recording */

static bool step_record(struct sound_test *t, uint64_t now_ns)
{
    if (t->captured_ns == 0)
        t->captured_ns = now_ns;
    for (; t->said_samples < SAID_SAMPLES && device_in_read(t->microphone, t->said + t->said_samples);
         t->captured_ns = now_ns)
        t->said_samples += FRAME;
    if (!device_in_is_running(t->microphone) || now_ns - t->captured_ns > DEAF_NS)
        err_set(&t->why, ERR_DEVICE, "see whether it is still plugged in", "the microphone has stopped");
    status_line_progress(&t->line, "recording: speak now, %u s…", seconds_left(t->said_samples, SAID_SAMPLES));
    return t->said_samples == SAID_SAMPLES;
}

static int read_file(struct sound_test *t)
{
    struct sound_in *in = sound_in_open(t->args->input, false, &t->why);
    int n = in != NULL ? sound_in_read(in, t->said, SAID_SAMPLES, &t->why) : -(int)t->why.code;

    sound_in_close(in);
    if (n < 0)
        return n;
    t->said_samples = ((size_t)n + FRAME - 1) / FRAME * FRAME; /* filled up with silence */
    return 0;
}

/* Whatever is needed is looked for before anybody speaks for nothing. */
static int open_devices(struct sound_test *t)
{
    const struct args *a = t->args;

    if (a->output == NULL || a->input == NULL)
        status_line_progress(&t->line, "looking for sound devices…");
    if (a->output == NULL && device_find(a->device, false, &t->why) < 0) {
        if (a->input == NULL && a->device == NULL)
            err_mend(&t->why, "without one, take sound files: --input FILE --output FILE.wav");
        return -(int)t->why.code;
    }
    if (a->input == NULL && (t->microphone = device_in_open(a->device, &t->why)) == NULL)
        return -(int)t->why.code;
    return 0;
}

static int record(struct sound_test *t)
{
    struct level level;
    int ret = open_devices(t);

    if (ret == 0)
        ret = t->args->input != NULL ? read_file(t) : run(t, step_record);
    device_in_close(t->microphone);
    t->microphone = NULL;
    if (ret != 0)
        return ret;
    level_measure(&level, t->said, t->said_samples);
    if (level.speaking_s > 0)
        return 0;
    if (t->args->input != NULL)
        return err_set(&t->why, ERR_DEVICE, "take one in which somebody speaks", "there is no sound in %s",
                       t->args->input);
    return err_set(&t->why, ERR_DEVICE, "is it muted? `salotto devices` lists others for --device",
                   "the microphone has recorded nothing but silence (%.0f dBFS at the most)", (double)level.peak_dbfs);
}

/* --- sending and hearing */

static void send_packet(const struct packet *p, void *arg)
{
    struct sound_test *t = arg;

    session_speak(t->session, p);
    t->last_sent_ns = clock_now_ns();
}

static void on_joined(const json_t *answer, void *arg)
{
    struct sound_test *t = arg;

    (void)answer;
    status_line_progress(&t->line, "waiting for the way back…");
}

static void on_event(const json_t *event, void *arg)
{
    (void)event;
    (void)arg;
}

static void on_refused(const struct err *err, void *arg)
{
    fail(arg, err);
}

static void on_stream(enum stream stream, const struct tape_packet *p, const uint8_t *datagram, size_t len, void *arg)
{
    struct sound_test *t = arg;

    (void)datagram;
    (void)len;
    if (t->playout != NULL)
        playout_put(t->playout, stream, p, clock_now_ns());
}

/* The first answer shows that the way there and back is open. */
static void on_alive(uint64_t position, bool parked, unsigned round_trip_ms, void *arg)
{
    struct sound_test *t = arg;
    const struct playout_config c = {
        .tier = t->args->tier, .parked = parked, .position = position, .now_ns = clock_now_ns()};

    if (t->round_trips < ROUND_TRIPS)
        t->round_trip[t->round_trips++] = round_trip_ms;
    if (t->playout != NULL)
        return;
    t->playout = playout_new(&c);
    t->began_ns = c.now_ns;
    if (t->playout == NULL)
        err_set(&t->why, ERR_INTERNAL, NULL, "out of memory");
}

static void on_report(const struct client_report *r, void *arg)
{
    struct sound_test *t = arg;

    t->report = *r;
    t->reported_ns = clock_now_ns();
}

static void on_asking(void *arg)
{
    struct sound_test *t = arg;

    status_line_clear(&t->line);
}

static void on_closed(const struct err *err, void *arg)
{
    struct sound_test *t = arg;

    t->closed = true;
    if (err->code != ERR_NONE)
        fail(t, err);
    event_base_loopbreak(t->base);
}

static bool step_send(struct sound_test *t, uint64_t now_ns)
{
    size_t all = t->said_samples + HUSH_SAMPLES, end = all + AFTER_SAMPLES, due;

    if (t->playout == NULL)
        return false;
    due = (size_t)((now_ns - t->began_ns) / 1000 * RATE / 1000000);
    for (; t->sent_samples + FRAME <= due && t->sent_samples + FRAME <= all; t->sent_samples += FRAME)
        speech_frame(t->speech, t->said + t->sent_samples, true);
    while (t->heard_samples < due && t->heard_samples < end) {
        size_t n = due < end ? due - t->heard_samples : end - t->heard_samples;

        n = n < FRAME ? n : FRAME;
        playout_pull(t->playout, t->heard + t->heard_samples, (unsigned)n);
        t->heard_samples += n;
    }
    status_line_progress(&t->line, "sending: %u s…", seconds_left(t->heard_samples, end));
    return t->heard_samples == end;
}

static int compare(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return x < y ? -1 : x > y;
}

static void summarise(struct sound_test *t, struct sound_report *r)
{
    const struct client_stats *stats = session_stats(t->session);
    enum stream tier = t->args->tier;

    r->host = t->args->link.host;
    r->at = time(NULL);
    level_measure(&r->said, t->said, t->said_samples);
    level_measure(&r->heard, t->heard, t->heard_samples);
    r->sent = speech_packets(t->speech);
    r->has_arrived = t->reported_ns > t->last_sent_ns;
    r->arrived = t->report.received;
    r->received = stats->received[tier];
    r->expected = r->received > 0 ? stats->highest_number[tier] - stats->first_number[tier] + 1 : 0;
    r->has_round_trip = t->round_trips > 0;
    qsort(t->round_trip, t->round_trips, sizeof t->round_trip[0], compare);
    r->round_trip_ms = t->round_trip[t->round_trips / 2];
    r->delay_ms =
        1000.0 / RATE * (double)lag_find(t->said, t->said_samples, t->heard, t->heard_samples, LAG_MAX, &r->likeness);
}

static int send_and_hear(struct sound_test *t, struct sound_report *r, const struct self *self)
{
    static const struct session_callbacks callbacks = {.joined = on_joined,
                                                       .event = on_event,
                                                       .refused = on_refused,
                                                       .stream = on_stream,
                                                       .alive = on_alive,
                                                       .report = on_report,
                                                       .asking = on_asking,
                                                       .closed = on_closed};
    const struct session_config c = {.base = t->base,
                                     .link = &t->args->link,
                                     .me = &self->me,
                                     .known_servers = self->known_servers,
                                     .tier = t->args->tier,
                                     .accept_new = t->args->accept_new,
                                     .echo = true};
    int ret;

    t->speech = speech_new(send_packet, t);
    if (t->speech == NULL)
        return err_set(&t->why, ERR_INTERNAL, NULL, "out of memory");
    status_line_progress(&t->line, "connecting to %s…", t->args->link.host);
    t->session = session_new(&c, &callbacks, t, &t->why);
    if (t->session == NULL)
        return -(int)t->why.code;
    ret = run(t, step_send);
    if (!t->closed) {
        session_leave(t->session);
        t->step = step_leave;
        event_base_dispatch(t->base);
    }
    if (ret == 0)
        summarise(t, r);
    return ret != 0 ? ret : -(int)t->why.code;
}

/* --- what came of it */

static int report(const struct sound_test *t, const struct sound_report *r, struct err *err)
{
    FILE *to = t->args->output != NULL && strcmp(t->args->output, "-") == 0 ? stderr : stdout;
    json_t *json = t->args->json ? sound_report_json(r) : NULL;

    if (json != NULL) {
        json_dumpf(json, to, JSON_COMPACT | JSON_REAL_PRECISION(6));
        fputc('\n', to);
        json_decref(json);
    } else {
        sound_report_print(r, to, colour_on(to));
    }
    if (fflush(to) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "cannot write to standard output");
    return 0;
}

static int write_file(struct sound_test *t)
{
    struct wav_out *w = wav_out_open(t->args->output, &t->why);
    int ret = w != NULL ? wav_out_write(w, t->heard, t->heard_samples, &t->why) : -(int)t->why.code;

    if (wav_out_close(w, ret == 0 ? &t->why : NULL) != 0 && ret == 0)
        ret = -(int)t->why.code;
    return ret;
}

/* What lies in the device's buffers at the end is silence. */
static bool step_play(struct sound_test *t, uint64_t now_ns)
{
    float block[DEVICE_BLOCK];

    (void)now_ns;
    if (!device_out_is_running(t->loudspeaker))
        err_set(&t->why, ERR_DEVICE, "see whether it is still plugged in", "the sound device has stopped");
    for (unsigned wanted = device_out_wants(t->loudspeaker); wanted > 0 && t->played_samples < t->heard_samples;
         wanted -= DEVICE_BLOCK) {
        size_t n = t->heard_samples - t->played_samples;

        n = n < DEVICE_BLOCK ? n : DEVICE_BLOCK;
        memset(block, 0, sizeof block);
        memcpy(block, t->heard + t->played_samples, n * sizeof *block);
        device_out_write(t->loudspeaker, block);
        t->played_samples += n;
    }
    status_line_progress(&t->line, "playing what came back: %u s…", seconds_left(t->played_samples, t->heard_samples));
    return t->played_samples == t->heard_samples;
}

static int play(struct sound_test *t)
{
    t->loudspeaker = device_out_open(t->args->device, &t->why);
    return t->loudspeaker != NULL ? run(t, step_play) : -(int)t->why.code;
}

static int conclude(struct sound_test *t, const struct sound_report *r)
{
    int ret = report(t, r, &t->why);

    if (ret == 0)
        ret = t->args->output != NULL ? write_file(t) : r->heard.speaking_s > 0 ? play(t) : 0;
    if (ret == 0 && !sound_report_came_back(r))
        ret = err_set(&t->why, ERR_UNREACHABLE, "see whether something on the way holds UDP up, and try again",
                      "what was sent to %s did not come back", r->host);
    return ret;
}

static void take_down(struct sound_test *t)
{
    status_line_clear(&t->line);
    device_in_close(t->microphone);
    device_out_close(t->loudspeaker);
    session_free(t->session);
    speech_free(t->speech);
    playout_free(t->playout);
    device_fini();
    for (unsigned i = 0; i < SIGNALS; i++)
        if (t->signals[i] != NULL)
            event_free(t->signals[i]);
    if (t->tick != NULL)
        event_free(t->tick);
    if (t->base != NULL)
        event_base_free(t->base);
    free(t->said);
    free(t->heard);
}

int sound_test_run(const struct args *args, struct err *err)
{
    struct sound_test t = {.args = args};
    struct sound_report r = {0};
    struct self self;
    int ret = self_load(&self, args->identity, err);

    if (ret != 0)
        return ret;
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    status_line_init(&t.line);
    t.said = calloc(SAID_SAMPLES + HUSH_SAMPLES, sizeof *t.said);
    t.heard = calloc(HEARD_SAMPLES, sizeof *t.heard);
    ret = t.said != NULL && t.heard != NULL ? open_loop(&t) : err_set(&t.why, ERR_INTERNAL, NULL, "out of memory");
    if (ret == 0)
        ret = record(&t);
    if (ret == 0)
        ret = send_and_hear(&t, &r, &self);
    if (ret == 0)
        (void)conclude(&t, &r);
    take_down(&t);
    self_wipe(&self);
    err_copy(err, &t.why);
    return -(int)t.why.code;
}
