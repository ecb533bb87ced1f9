/* stay.c - one stay in a room, from joining to leaving (see stay.h)
 *
 * Everything runs on one libevent loop; the devices' threads meet it in rings only. There is one way out: stay_end()
 * notes how it ends and leaves the room, and the session's closed() stops the loop.
 */
#include "tools/salotto/stay.h"

#include "tools/language.h"
#include "net/clock.h"
#include "tools/salotto/device.h"
#include "tools/salotto/keys.h"
#include "tools/salotto/self.h"
#include "tools/salotto/stay_parts.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define TICK_MS        20
#define TICK_DEVICE_MS 10
#define NICE           (-11) /* as PulseAudio has it */

void stay_end(struct stay *s, const struct err *why)
{
    if (s->ended)
        return;
    s->ended = true;
    if (why != NULL)
        s->why = *why;
    if (s->session != NULL)
        session_leave(s->session);
}

/* --- what the session tells */

static void tell_standing(struct stay *s)
{
    const struct stage *stage = session_stage(s->session);

    if (!stage->on_stage)
        return;
    if (stage->muted_by_moderator)
        stay_say(s, "you are on stage, but a moderator has muted you");
    else if (stage->muted && s->args->ptt)
        stay_say(s, "you are on stage, muted: hold space to be heard");
    else if (stage->muted && s->keys)
        stay_say(s, "you are on stage, muted: press m to be heard");
    else if (stage->muted)
        stay_say(s, "you are on stage, muted");
    else
        stay_say(s, "you are on stage, and may be heard now");
}

static void on_joined(const json_t *answer, void *arg)
{
    struct stay *s = arg;
    const struct stage *stage = session_stage(s->session);
    struct err err;

    s->joined = true;
    events_out_copy(s->events, "joined", answer);
    if (heard_join(s->heard, s->tier, (uint64_t)json_integer_value(json_object_get(answer, "position")),
                   json_is_true(json_object_get(answer, "parked")), clock_now_ns(), &err) != 0) {
        stay_end(s, &err);
        return;
    }
    status_line_clear(&s->line);
    stay_watch_keys(s);
    if (stage->title[0] != '\0')
        stay_say(s, "in %s (%s) as %s, %s; %u listening", stage->room, stage->title, stage->handle, _(stage->role),
                 stage->listeners);
    else
        stay_say(s, "in %s as %s, %s; %u listening", stage->room, stage->handle, _(stage->role), stage->listeners);
    if (s->args->command == ARGS_SPEAK && !stage->on_stage) {
        events_out(s->events, json_pack("{s:s, s:s}", "event", "waiting", "for", "promotion"));
        stay_say(s, "your hand is raised; you can speak when a moderator promotes you");
    }
    tell_standing(s);
}

static void on_event(const json_t *event, void *arg)
{
    struct stay *s = arg;
    const struct stage *stage = session_stage(s->session);
    const char *name = json_string_value(json_object_get(event, "event"));
    const char *handle = json_string_value(json_object_get(event, "handle"));
    char by[LINK_ROOM_MAX + 1], why[STAGE_TEXT_MAX];

    events_out_copy(s->events, NULL, event);
    stage_copy(by, sizeof by, json_string_value(json_object_get(event, "by")));
    stage_copy(why, sizeof why, json_string_value(json_object_get(event, "why")));
    if (strcmp(name, "role") == 0) {
        stay_say(s, "%s made you %s%s%s", by[0] != '\0' ? by : _("a moderator"), _(stage->role),
                 why[0] != '\0' ? ": " : "", _(why)); /* some are the server's own */
        tell_standing(s);
    } else if (strcmp(name, "muted") == 0 && handle != NULL && strcmp(handle, stage->handle) == 0) {
        if (s->args->ptt && strcmp(by, stage->handle) == 0)
            return; /* it was our own key, and the status line shows it */
        if (stage->muted_by_moderator)
            stay_say(s, "%s muted you%s%s", by[0] != '\0' ? by : _("a moderator"), why[0] != '\0' ? ": " : "", why);
        else
            stay_say(s, stage->muted ? N_("you are muted") : N_("you can be heard again"));
    }
}

static void on_refused(const struct err *err, void *arg)
{
    struct stay *s = arg;

    events_out(s->events, json_pack("{s:s, s:i, s:s, s:s}", "event", "refused", "code", (int)err->code, "error",
                                    err->message, "mend", err->mend));
    stay_say(s, "%s%s%s", err->message, err->mend[0] != '\0' ? "; " : "", err->mend);
}

static void on_stream(enum stream stream, const struct tape_packet *p, const uint8_t *datagram, size_t len, void *arg)
{
    struct stay *s = arg;
    struct err err;

    heard_put(s->heard, stream, p, clock_now_ns());
    if (s->packets != NULL && packets_out_write(s->packets, datagram, len, &err) != 0)
        stay_end(s, &err);
}

static void on_alive(uint64_t position, bool parked, unsigned round_trip_ms, void *arg)
{
    struct stay *s = arg;

    (void)position;
    (void)round_trip_ms;
    if (parked)
        heard_parked(s->heard);
}

static void on_asking(void *arg)
{
    struct stay *s = arg;

    status_line_clear(&s->line);
}

static void on_closed(const struct err *err, void *arg)
{
    struct stay *s = arg;

    if (!s->ended && err->code != ERR_NONE) {
        s->ended = true;
        s->why = *err;
    }
    event_base_loopbreak(s->base);
}

/* --- what we do by ourselves */

static void send_packet(const struct packet *p, void *arg)
{
    struct stay *s = arg;

    session_speak(s->session, p);
}

/* Without a microphone a speaker can't go on, but a listener who was promoted can. */
static void without_microphone(struct stay *s, const struct err *err)
{
    if (s->args->command == ARGS_SPEAK || s->args->input != NULL) {
        stay_end(s, err);
        return;
    }
    s->no_microphone = true;
    events_out(s->events,
               json_pack("{s:s, s:s, s:s}", "event", "no_microphone", "error", err->message, "mend", err->mend));
    stay_say(s, "%s; you stay muted", err->message);
    session_quiet(s->session, true);
}

static void show_status(struct stay *s, uint64_t now_ns)
{
    const struct status status = {.coloured = s->line.coloured,
                                  .keys = s->keys,
                                  .voice = voice_is_open(s->voice),
                                  .playing_file = s->args->input != NULL,
                                  .ptt = s->args->ptt,
                                  .ptt_state = ptt_state(&s->ptt)};
    char text[STATUS_LINE_MAX];

    if (!s->line.on || s->quiet)
        return;
    status_line_compose(text, session_stage(s->session), &status);
    status_line_show(&s->line, text, now_ns);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct stay *s = arg;
    const struct stage *stage = session_stage(s->session);
    uint64_t now_ns = clock_now_ns();
    struct err err;

    (void)fd;
    (void)what;
    if (s->events->err.code != ERR_NONE) /* whoever reads them has gone: so do we */
        stay_end(s, &s->events->err);
    if (!s->joined || s->ended)
        return;
    if (heard_run(s->heard, now_ns, &err) != 0) {
        stay_end(s, &err);
        return;
    }
    stay_tend_hands(s, now_ns);
    if (!s->no_microphone && voice_run(s->voice, stage->on_stage, stay_may_speak(s), now_ns, &err) != 0)
        without_microphone(s, &err);
    if (heard_is_done(s->heard) || (s->args->command == ARGS_SPEAK && voice_is_over(s->voice)))
        stay_end(s, NULL);
    else
        show_status(s, now_ns);
}

/* --- setting up and taking down */

static int add_tick(struct stay *s, struct err *err)
{
    unsigned ms = heard_has_device(s->heard) ? TICK_DEVICE_MS : TICK_MS;
    struct timeval period = {.tv_usec = (suseconds_t)ms * 1000};

    s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
    if (s->tick == NULL || event_add(s->tick, &period) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "out of memory");
    return 0;
}

/* Opens what hears and what speaks. A file is spoken also where there is nothing to hear the room with. */
static int open_sound(struct stay *s, struct err *err)
{
    const struct args *a = s->args;
    struct heard_config hear = {.output = a->output, .device = a->device, .seconds = a->seconds, .events = s->events};
    const struct voice_config speak = {.input = a->input,
                                       .loop = a->loop,
                                       .device = a->device,
                                       .open_now = a->command == ARGS_SPEAK,
                                       .send = send_packet,
                                       .arg = s};

    if (a->command == ARGS_SPEAK && a->input != NULL && a->output == NULL && a->device == NULL &&
        device_find(NULL, false, NULL) < 0) {
        hear.deaf = true;
        stay_say(s, "there is no sound device: you will be heard, but not hear the room (--output FILE records it)");
    }
    if (a->output == NULL || (a->input == NULL && a->command == ARGS_SPEAK))
        stay_progress(s, "looking for sound devices…");
    if (a->packets != NULL && (s->packets = packets_out_open(a->packets, err)) == NULL)
        return -(int)err->code;
    if ((s->voice = voice_open(&speak, err)) == NULL || (s->heard = heard_open(&hear, err)) == NULL)
        return -(int)err->code;
    return 0;
}

static int join(struct stay *s, const struct self *self, struct err *err)
{
    static const struct session_callbacks callbacks = {.joined = on_joined,
                                                       .event = on_event,
                                                       .refused = on_refused,
                                                       .stream = on_stream,
                                                       .alive = on_alive,
                                                       .asking = on_asking,
                                                       .closed = on_closed};
    const struct args *a = s->args;
    const struct session_config c = {.base = s->base,
                                     .link = &a->link,
                                     .me = &self->me,
                                     .known_servers = self->known_servers,
                                     .handle = a->handle,
                                     .tier = a->tier,
                                     .accept_new = a->accept_new,
                                     .hand = a->command == ARGS_SPEAK,
                                     .mic_open = !a->ptt && (a->command == ARGS_SPEAK || a->input != NULL)};

    stay_progress(s, "connecting to %s…", a->link.host);
    s->session = session_new(&c, &callbacks, s, err);
    return s->session != NULL ? 0 : -(int)err->code;
}

static void tell_stats(struct stay *s)
{
    const struct client_stats *c = session_stats(s->session);
    const struct playout_stats *p = heard_stats(s->heard);
    json_t *streams = json_object();

    if (p == NULL) {
        json_decref(streams);
        return;
    }
    for (unsigned n = 0; n < 8; n++)
        if (c->received[n] > 0)
            json_object_set_new(streams, stream_name((enum stream)n),
                                json_pack("{s:I, s:I, s:I}", "received", (json_int_t)c->received[n], "first",
                                          (json_int_t)c->first_number[n], "highest", (json_int_t)c->highest_number[n]));
    events_out(s->events,
               json_pack("{s:s, s:f, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                         "event", "stats", "seconds", heard_seconds(s->heard), "streams", streams, "packets",
                         (json_int_t)c->packets, "bytes", (json_int_t)c->bytes, "replayed", (json_int_t)c->replayed,
                         "forged", (json_int_t)c->forged, "unkeyed", (json_int_t)c->unkeyed, "malformed",
                         (json_int_t)c->malformed, "reordered", (json_int_t)c->reordered, "played",
                         (json_int_t)p->played, "recovered", (json_int_t)p->recovered, "concealed",
                         (json_int_t)p->concealed, "late", (json_int_t)p->late, "duplicate", (json_int_t)p->duplicate,
                         "crossfades", (json_int_t)p->crossfades, "spoken", (json_int_t)voice_packets(s->voice)));
}

static void drop(struct event *e)
{
    if (e != NULL)
        event_free(e);
}

/* Ends everything; what fails in it counts when nothing has before. */
static void take_down(struct stay *s)
{
    struct err err;

    keys_stop();
    status_line_clear(&s->line);
    if (s->joined)
        tell_stats(s);
    if (heard_close(s->heard, &err) != 0 && s->why.code == ERR_NONE)
        s->why = err;
    if (packets_out_close(s->packets, &err) != 0 && s->why.code == ERR_NONE)
        s->why = err;
    voice_close(s->voice);
    session_free(s->session);
    device_fini();
    drop(s->tick);
    for (unsigned i = 0; i < STAY_SIGNALS; i++)
        drop(s->signals[i]);
    if (s->base != NULL)
        event_base_free(s->base);
}

int stay_run(const struct args *args, struct events_out *events, struct err *err)
{
    struct stay s = {.args = args, .events = events, .tier = args->tier, .quiet = events->to == stderr};
    struct self self;
    int ret = self_load(&self, args->identity, err);

    if (ret != 0)
        return ret;
    if (args->ptt && !keys_available()) {
        self_wipe(&self);
        return err_set(err, ERR_USAGE, "without a terminal, leave --ptt out",
                       "--ptt needs a terminal with a space key");
    }
    /* Sound that comes too late is lost. Who may not, does without. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    status_line_init(&s.line);
    s.base = event_base_new();
    ret = s.base != NULL ? stay_watch_signals(&s, &s.why) : err_set(&s.why, ERR_INTERNAL, NULL, "out of memory");
    if (ret == 0)
        ret = open_sound(&s, &s.why);
    if (ret == 0)
        ret = add_tick(&s, &s.why);
    if (ret == 0)
        ret = join(&s, &self, &s.why);
    if (ret == 0)
        event_base_dispatch(s.base);
    take_down(&s);
    self_wipe(&self);
    err_copy(err, &s.why);
    return -(int)s.why.code;
}
