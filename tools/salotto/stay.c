/* stay.c - one stay in a room, from joining to leaving (see stay.h)
 *
 * Everything runs on one libevent loop; the devices' threads meet it in rings only. There is one way out: end() notes
 * how it ends and leaves the room, and the session's closed() stops the loop.
 */
#include "tools/salotto/stay.h"

#include "net/clock.h"
#include "net/identity.h"
#include "net/profile.h"
#include "tools/salotto/device.h"
#include "tools/salotto/heard.h"
#include "tools/salotto/keys.h"
#include "tools/salotto/packets_out.h"
#include "tools/salotto/session.h"
#include "tools/salotto/status_line.h"
#include "tools/salotto/voice.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TICK_MS        20
#define TICK_DEVICE_MS 10
#define NICE           (-11) /* as PulseAudio has it */

struct stay {
    const struct args *args;
    struct events_out *events;
    struct event_base *base;
    struct event *tick, *sigint, *sigterm, *sighup;
    struct session *session;
    struct heard *heard;
    struct voice *voice;
    struct packets_out *packets;
    struct status_line line;
    enum stream tier;
    bool joined, quiet; /* quiet: human words would be among the events */
    bool keys;
    bool no_microphone; /* it could not be opened; we stay muted */
    bool ended;         /* `why` is how */
    struct err why;
};

#define say(s, ...)                                                                                                    \
    do {                                                                                                               \
        if (!(s)->quiet)                                                                                               \
            status_line_say(&(s)->line, __VA_ARGS__);                                                                  \
    } while (0)

/* The stay ends, for this reason (NULL: as it should). The first one counts. */
static void end(struct stay *s, const struct err *why)
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
        say(s, "you are on stage, but a moderator has muted you");
    else if (stage->muted)
        say(s, "you are on stage, muted%s", s->keys ? ": press m to be heard" : "");
    else
        say(s, "you are on stage, and may be heard now");
}

static void on_key(char key, void *arg);

static void on_joined(const json_t *answer, void *arg)
{
    struct stay *s = arg;
    const struct stage *stage = session_stage(s->session);
    struct err err;

    s->joined = true;
    events_out_copy(s->events, "joined", answer);
    if (heard_join(s->heard, s->tier, (uint64_t)json_integer_value(json_object_get(answer, "position")),
                   json_is_true(json_object_get(answer, "parked")), clock_now_ns(), &err) != 0) {
        end(s, &err);
        return;
    }
    /* Standard input may be the voice. */
    s->keys = isatty(STDIN_FILENO) && (s->args->input == NULL || strcmp(s->args->input, "-") != 0);
    if (s->keys)
        keys_start(s->base, on_key, s);
    say(s, "in %s%s%s%s as %s, %s; %u listening", stage->room, stage->title[0] != '\0' ? " (" : "", stage->title,
        stage->title[0] != '\0' ? ")" : "", stage->handle, stage->role, stage->listeners);
    if (s->args->command == ARGS_SPEAK && !stage->on_stage) {
        events_out(s->events, json_pack("{s:s, s:s}", "event", "waiting", "for", "promotion"));
        say(s, "your hand is raised; you can speak when a moderator promotes you");
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
        say(s, "%s made you %s%s%s", by[0] != '\0' ? by : "a moderator", stage->role, why[0] != '\0' ? ": " : "", why);
        tell_standing(s);
    } else if (strcmp(name, "muted") == 0 && handle != NULL && strcmp(handle, stage->handle) == 0) {
        if (stage->muted_by_moderator)
            say(s, "%s muted you%s%s", by[0] != '\0' ? by : "a moderator", why[0] != '\0' ? ": " : "", why);
        else
            say(s, stage->muted ? "you are muted" : "you can be heard again");
    }
}

static void on_refused(const struct err *err, void *arg)
{
    struct stay *s = arg;

    events_out(s->events, json_pack("{s:s, s:i, s:s, s:s}", "event", "refused", "code", (int)err->code, "error",
                                    err->message, "mend", err->mend));
    say(s, "%s%s%s", err->message, err->mend[0] != '\0' ? "; " : "", err->mend);
}

static void on_stream(enum stream stream, const struct tape_packet *p, const uint8_t *datagram, size_t len, void *arg)
{
    struct stay *s = arg;
    struct err err;

    heard_put(s->heard, stream, p, clock_now_ns());
    if (s->packets != NULL && packets_out_write(s->packets, datagram, len, &err) != 0)
        end(s, &err);
}

static void on_alive(uint64_t position, bool parked, void *arg)
{
    struct stay *s = arg;

    (void)position;
    if (parked)
        heard_parked(s->heard);
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
        end(s, err);
        return;
    }
    s->no_microphone = true;
    events_out(s->events,
               json_pack("{s:s, s:s, s:s}", "event", "no_microphone", "error", err->message, "mend", err->mend));
    say(s, "%s; you stay muted", err->message);
    session_quiet(s->session, true);
}

static void show_status(struct stay *s, uint64_t now_ns)
{
    const struct status status = {
        .keys = s->keys, .voice = voice_is_open(s->voice), .playing_file = s->args->input != NULL};
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
        end(s, &s->events->err);
    if (!s->joined || s->ended)
        return;
    if (heard_run(s->heard, now_ns, &err) != 0) {
        end(s, &err);
        return;
    }
    if (!s->no_microphone && voice_run(s->voice, stage->on_stage, stage_may_speak(stage), now_ns, &err) != 0)
        without_microphone(s, &err);
    if (heard_is_done(s->heard) || (s->args->command == ARGS_SPEAK && voice_is_over(s->voice)))
        end(s, NULL);
    else
        show_status(s, now_ns);
}

static void on_key(char key, void *arg)
{
    struct stay *s = arg;
    const struct stage *stage = session_stage(s->session);

    switch (key) {
    case 'q':
        end(s, NULL);
        break;
    case 'h':
        if (stage->on_stage)
            say(s, "you are on stage already; m mutes you");
        else
            session_hand(s->session, !stage->hand);
        break;
    case 'm':
        if (!stage->on_stage)
            say(s, "you are listening; h raises your hand");
        else if (stage->muted_by_moderator)
            say(s, "a moderator has muted you, and only a moderator can lift that");
        else
            session_quiet(s->session, !stage->muted);
        s->no_microphone = false;
        break;
    case 't':
        s->tier = s->tier == STREAM_LOW ? STREAM_STANDARD : STREAM_LOW;
        heard_tune(s->heard, s->tier);
        session_tune(s->session, s->tier);
        say(s, "tuned to %s", stream_name(s->tier));
        break;
    default:
        break;
    }
}

/* A stay that has no end of its own is ended this way; another one is interrupted by it. */
static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct stay *s = arg;
    const struct args *a = s->args;
    bool has_end = a->seconds > 0 || (a->command == ARGS_SPEAK && a->input != NULL && !a->loop);
    struct err err;

    (void)number;
    (void)what;
    if (s->ended) { /* the second time: without waiting */
        event_base_loopbreak(s->base);
        return;
    }
    if (s->joined && !has_end) {
        end(s, NULL);
        return;
    }
    if (!s->joined)
        err_set(&err, ERR_INTERRUPTED, NULL, "interrupted before the room was joined");
    else if (a->seconds > 0)
        err_set(&err, ERR_INTERRUPTED, NULL, "interrupted after %.1f of %g seconds", heard_seconds(s->heard),
                a->seconds);
    else
        err_set(&err, ERR_INTERRUPTED, NULL, "interrupted before %s was said to its end", a->input);
    end(s, &err);
}

/* --- setting up and taking down */

/* nohup(1) and its like have it ignored, and mean it. */
static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static int add_events(struct stay *s, struct err *err)
{
    unsigned ms = heard_has_device(s->heard) ? TICK_DEVICE_MS : TICK_MS;
    struct timeval period = {.tv_usec = (suseconds_t)ms * 1000};

    s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
    s->sigint = evsignal_new(s->base, SIGINT, on_signal, s);
    s->sigterm = evsignal_new(s->base, SIGTERM, on_signal, s);
    s->sighup = evsignal_new(s->base, SIGHUP, on_signal, s);
    if (s->tick == NULL || s->sigint == NULL || s->sigterm == NULL || s->sighup == NULL)
        return err_set(err, ERR_INTERNAL, NULL, "out of memory");
    event_add(s->sigint, NULL);
    event_add(s->sigterm, NULL);
    if (!is_ignored(SIGHUP))
        event_add(s->sighup, NULL);
    event_add(s->tick, &period);
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
        say(s, "there is no sound device: you will be heard, but not hear the room (--output FILE records it)");
    }
    if (a->packets != NULL && (s->packets = packets_out_open(a->packets, err)) == NULL)
        return -(int)err->code;
    if ((s->voice = voice_open(&speak, err)) == NULL || (s->heard = heard_open(&hear, err)) == NULL)
        return -(int)err->code;
    return 0;
}

static int join(struct stay *s, const struct identity *me, const char *known_servers, struct err *err)
{
    static const struct session_callbacks callbacks = {.joined = on_joined,
                                                       .event = on_event,
                                                       .refused = on_refused,
                                                       .stream = on_stream,
                                                       .alive = on_alive,
                                                       .closed = on_closed};
    const struct args *a = s->args;
    const struct session_config c = {.base = s->base,
                                     .link = &a->link,
                                     .me = me,
                                     .known_servers = known_servers,
                                     .handle = a->handle,
                                     .tier = a->tier,
                                     .accept_new = a->accept_new,
                                     .hand = a->command == ARGS_SPEAK,
                                     .mic_open = a->command == ARGS_SPEAK || a->input != NULL};

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
    drop(s->sigint);
    drop(s->sigterm);
    drop(s->sighup);
    if (s->base != NULL)
        event_base_free(s->base);
}

static int load_identity(struct identity *me, char *known_servers, size_t max, const struct args *a, struct err *err)
{
    char path[PROFILE_PATH_MAX];
    bool made;
    int ret = 0;

    if (a->identity == NULL)
        ret = profile_identity_path(path, sizeof path, err);
    else if (snprintf(path, sizeof path, "%s", a->identity) >= (int)sizeof path)
        ret = err_set(err, ERR_USAGE, NULL, "the path of --identity is too long");
    if (ret == 0)
        ret = profile_known_servers_path(known_servers, max, path, err);
    if (ret == 0)
        ret = profile_make_folder(path, err);
    return ret != 0 ? ret : identity_load(me, path, true, &made, err);
}

int stay_run(const struct args *args, struct events_out *events, struct err *err)
{
    struct stay s = {.args = args, .events = events, .tier = args->tier, .quiet = events->to == stderr};
    char known_servers[PROFILE_PATH_MAX];
    struct identity me;
    int ret = load_identity(&me, known_servers, sizeof known_servers, args, err);

    if (ret != 0)
        return ret;
    /* Sound that comes too late is lost. Who may not, does without. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    status_line_init(&s.line);
    s.base = event_base_new();
    ret = s.base != NULL ? open_sound(&s, &s.why) : err_set(&s.why, ERR_INTERNAL, NULL, "out of memory");
    if (ret == 0)
        ret = add_events(&s, &s.why);
    if (ret == 0)
        ret = join(&s, &me, known_servers, &s.why);
    if (ret == 0)
        event_base_dispatch(s.base);
    take_down(&s);
    identity_wipe(&me);
    err_copy(err, &s.why);
    return -(int)s.why.code;
}
