/* session.c - one stay in a room, as far as the wire goes (see session.h)
 *
 * Why a stay ended is settled in one place, on_closed(): a `sent_away` event explains the close that follows it, a
 * refused join or an untrusted key is known by then, and what is left is a connection that broke.
 */
#include "tools/salotto/session.h"

#include "net/known_servers.h"
#include "tools/language.h"
#include "tools/salotto/hasty.h"

#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_ID         1
#define ANSWER_S        15 /* to the join */
#define LEAVE_MS        500
#define WATCH_S         1
#define NO_UDP_S        10 /* after joining, without any datagram */
#define SILENT_SERVER_S 20 /* later on: keep-alives are answered every 4 s */

struct session {
    struct session_config c;
    struct session_callbacks cb;
    void *arg;
    struct client *client; /* NULL once closed */
    struct known_servers_trust trust;
    struct event *timer; /* the join's patience, then the watch over the way, then leaving's patience */
    struct stage stage;
    struct client_stats stats; /* as they were when the client closed */
    json_int_t next_id;
    bool ready, joined, leaving, gave_up;
    bool heard;       /* a datagram came */
    unsigned quiet_s; /* since the last one */
    struct err why;   /* of the end, when we know it before the connection closes */
};

static void on_timer(evutil_socket_t fd, short what, void *arg);

static void set_timer(struct session *s, unsigned ms, bool again)
{
    struct timeval t = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_del(s->timer);
    event_assign(s->timer, s->c.base, -1, again ? EV_PERSIST : 0, on_timer, s);
    event_add(s->timer, &t);
}

/* Ends the stay for a reason of ours. */
static void give_up(struct session *s)
{
    s->gave_up = true;
    event_del(s->timer);
    client_close(s->client);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct session *s = arg;

    (void)fd;
    (void)what;
    if (s->client == NULL)
        return;
    if (s->leaving) {
        give_up(s);
    } else if (!s->joined) {
        err_set(&s->why, ERR_UNREACHABLE, "try again in a while", "%s did not answer within %d seconds",
                s->c.link->host, ANSWER_S);
        give_up(s);
    } else if (++s->quiet_s >= (s->heard ? SILENT_SERVER_S : NO_UDP_S)) {
        if (s->heard)
            err_set(&s->why, ERR_UNREACHABLE, "join again", "%s does not answer any more", s->c.link->host);
        else
            err_set(&s->why, ERR_UNREACHABLE, "have the firewall on the way let UDP through",
                    "no sound gets through from %s: UDP port %u seems to be blocked", s->c.link->host, s->c.link->port);
        give_up(s);
    }
}

static int send_json(struct session *s, json_t *request)
{
    char *text;
    int ret = -1;

    json_object_set_new(request, "lang", json_string(language_code()));
    text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;

    json_decref(request);
    if (text != NULL) {
        size_t len = strlen(text);

        ret = client_send(s->client, text, len);
        sodium_memzero(text, len); /* a join may hold a token */
    }
    free(text);
    return ret;
}

/* Asking blocks the loop. */
static bool ask(const char *server, const uint8_t key[32], void *arg)
{
    struct session *s = arg;
    bool yes;

    if (s->cb.asking != NULL)
        s->cb.asking(s->arg);
    hasty_begin();
    yes = known_servers_terminal()(server, key, NULL);
    hasty_end();
    return yes;
}

static bool on_trust(struct client *c, const uint8_t key[32], void *arg)
{
    struct session *s = arg;

    (void)c;
    return known_servers_trust(&s->trust, key);
}

static void on_ready(struct client *c, void *arg)
{
    struct session *s = arg;
    json_t *join;

    (void)c;
    s->ready = true;
    if (s->c.echo) {
        send_json(s, json_pack("{s:i, s:s, s:s}", "id", JOIN_ID, "do", "echo", "tier", stream_name(s->c.tier)));
        return;
    }
    join = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "id", JOIN_ID, "do", "join", "room", s->c.link->room, "handle",
                     s->c.handle, "tier", stream_name(s->c.tier), "mic", s->c.mic_open ? "open" : "muted");
    if (s->c.link->token[0] != '\0')
        json_object_set_new(join, "token", json_string(s->c.link->token));
    if (s->c.hand)
        json_object_set_new(join, "hand", json_true());
    send_json(s, join);
}

static int read_hex_key(uint8_t key[32], const char *hex)
{
    size_t len;

    return hex != NULL && sodium_hex2bin(key, 32, hex, strlen(hex), NULL, &len, NULL) == 0 && len == 32 ? 0 : -1;
}

static void refused(const json_t *answer, struct err *err)
{
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *mend = json_string_value(json_object_get(answer, "mend"));
    json_int_t code = json_integer_value(json_object_get(answer, "code"));

    err_set(err, code > 0 && code < 256 ? (enum err_code)code : ERR_INTERNAL, mend, "%s",
            error != NULL ? error : _("the server refused without a word"));
}

static void on_join_answer(struct session *s, const json_t *answer)
{
    const json_t *epoch = json_object_get(answer, "epoch");
    uint8_t key[32];

    if (!json_is_true(json_object_get(answer, "ok"))) {
        refused(answer, &s->why);
        give_up(s);
        return;
    }
    if (stage_join(&s->stage, answer) != 0 ||
        read_hex_key(key, json_string_value(json_object_get(epoch, "key"))) != 0) {
        err_set(&s->why, ERR_INTERNAL, "is it a Salotto server of another version?",
                "the server's answer was not understood");
        give_up(s);
        return;
    }
    s->stage.hand = s->c.hand && !s->stage.on_stage;
    if (client_start_media(s->client, (uint32_t)json_integer_value(json_object_get(answer, "session")),
                           (uint64_t)json_integer_value(json_object_get(answer, "position")),
                           (uint64_t)json_integer_value(json_object_get(epoch, "serial")), key, &s->why) != 0) {
        sodium_memzero(key, sizeof key);
        give_up(s);
        return;
    }
    sodium_memzero(key, sizeof key);
    s->joined = true;
    set_timer(s, WATCH_S * 1000, true);
    s->cb.joined(answer, s->arg);
}

/* The words for who was sent away. The connection's end follows. */
static void on_sent_away(struct session *s, const json_t *event)
{
    const char *reason = json_string_value(json_object_get(event, "reason"));
    const char *by = json_string_value(json_object_get(event, "by"));
    const char *why = json_string_value(json_object_get(event, "why"));
    const char *room = s->stage.room, *colon = why != NULL && why[0] != '\0' ? ": " : "";

    reason = reason != NULL ? reason : "";
    by = by != NULL && by[0] != '\0' ? by : _("a moderator");
    why = why != NULL ? _(why) : ""; /* some are the server's own */
    if (strcmp(reason, "kicked") == 0)
        err_set(&s->why, ERR_SENT_AWAY, "you may come back by joining again", "%s sent you out of %s%s%s", by, room,
                colon, why);
    else if (strcmp(reason, "banned") == 0)
        err_set(&s->why, ERR_SENT_AWAY, "only a moderator of the room can lift the ban", "%s banned you from %s%s%s",
                by, room, colon, why);
    else if (strcmp(reason, "ended") == 0)
        err_set(&s->why, ERR_SENT_AWAY, NULL, "the room %s has ended%s%s", room, colon, why);
    else if (strcmp(reason, "replaced") == 0)
        err_set(&s->why, ERR_REPLACED, "to be there twice, use another identity (--identity FILE)",
                "you joined %s elsewhere with the same identity", room);
    else if (strcmp(reason, "stopping") == 0)
        err_set(&s->why, ERR_UNREACHABLE, "join again in a while", "the server at %s is being stopped",
                s->c.link->host);
    else
        err_set(&s->why, ERR_SENT_AWAY, NULL, "you were sent out of %s%s%s", room, colon, why);
}

static void on_event(struct session *s, const json_t *event)
{
    const char *name = json_string_value(json_object_get(event, "event"));
    uint8_t key[32];

    if (name == NULL)
        return;
    if (strcmp(name, "epoch") == 0) {
        if (read_hex_key(key, json_string_value(json_object_get(event, "key"))) == 0)
            client_epoch_key(s->client, (uint64_t)json_integer_value(json_object_get(event, "serial")), key);
        sodium_memzero(key, sizeof key);
        return; /* keys are nobody else's business */
    }
    if (strcmp(name, "sent_away") == 0)
        on_sent_away(s, event);
    stage_event(&s->stage, event);
    s->cb.event(event, s->arg);
}

static void on_text(struct client *c, const char *text, size_t len, void *arg)
{
    struct session *s = arg;
    json_t *message = json_loadb(text, len, 0, NULL);
    const json_t *id = json_object_get(message, "id");

    (void)c;
    if (id == NULL) {
        if (s->joined)
            on_event(s, message);
    } else if (s->leaving) {
        give_up(s);
    } else if (json_integer_value(id) == JOIN_ID && !s->joined) {
        on_join_answer(s, message);
    } else if (json_is_false(json_object_get(message, "ok"))) {
        struct err err;

        refused(message, &err);
        s->cb.refused(&err, s->arg);
    }
    json_decref(message);
}

static void on_stream(struct client *c, enum stream stream, const struct tape_packet *p, const uint8_t *datagram,
                      size_t len, void *arg)
{
    struct session *s = arg;

    (void)c;
    s->heard = true;
    s->quiet_s = 0;
    s->cb.stream(stream, p, datagram, len, s->arg);
}

static void on_alive(struct client *c, uint64_t position, bool parked, unsigned round_trip_ms, void *arg)
{
    struct session *s = arg;

    (void)c;
    s->heard = true;
    s->quiet_s = 0;
    s->cb.alive(position, parked, round_trip_ms, s->arg);
}

static void on_report(struct client *c, const struct client_report *r, void *arg)
{
    struct session *s = arg;

    (void)c;
    if (s->cb.report != NULL)
        s->cb.report(r, s->arg);
}

static int connect_client(struct session *s, struct err *err);

static void on_closed(struct client *c, const struct err *err, void *arg)
{
    struct session *s = arg;
    struct err end = {0};

    s->stats = *client_stats(c);
    s->client = NULL;
    event_del(s->timer);
    /* Who thinks about a fingerprint for longer than a handshake may last finds the connection gone. */
    if (s->trust.asked && s->trust.err.code == ERR_NONE && !s->ready && !s->gave_up) {
        s->trust.asked = false;
        if (connect_client(s, &end) == 0)
            return;
    } else if (s->trust.err.code != ERR_NONE) {
        end = s->trust.err;
    } else if (s->why.code != ERR_NONE) {
        end = s->why;
    } else if (!s->leaving && err->code != ERR_NONE) {
        end = *err;
    } else if (!s->leaving) {
        err_set(&end, ERR_UNREACHABLE, "join again", "the connection to %s broke", s->c.link->host);
    }
    s->cb.closed(&end, s->arg);
}

static int connect_client(struct session *s, struct err *err)
{
    static const struct client_callbacks callbacks = {.trust = on_trust,
                                                      .ready = on_ready,
                                                      .text = on_text,
                                                      .stream = on_stream,
                                                      .alive = on_alive,
                                                      .report = on_report,
                                                      .closed = on_closed};

    hasty_begin();
    s->client = client_connect(s->c.base, s->c.link, s->c.me, &callbacks, s, err);
    hasty_end();
    if (s->client == NULL)
        return -(int)err->code;
    set_timer(s, ANSWER_S * 1000, false);
    return 0;
}

struct session *session_new(const struct session_config *c, const struct session_callbacks *cb, void *arg,
                            struct err *err)
{
    struct session *s = calloc(1, sizeof *s);

    if (s == NULL || (s->timer = event_new(c->base, -1, 0, on_timer, s)) == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        free(s);
        return NULL;
    }
    s->c = *c;
    s->cb = *cb;
    s->arg = arg;
    s->next_id = JOIN_ID + 1;
    s->trust = (struct known_servers_trust){.path = c->known_servers,
                                            .host = c->link->host,
                                            .port = c->link->port,
                                            .accept_new = c->accept_new,
                                            .ask = known_servers_terminal() != NULL ? ask : NULL,
                                            .ask_arg = s};
    if (connect_client(s, err) != 0) {
        session_free(s);
        return NULL;
    }
    return s;
}

void session_free(struct session *s)
{
    if (s == NULL)
        return;
    event_free(s->timer);
    free(s);
}

void session_speak(struct session *s, const struct packet *p)
{
    if (s->client != NULL && s->joined)
        client_speak(s->client, p);
}

/* A line of the command table about our room. */
static void command(struct session *s, const char *name, const char *value)
{
    if (s->client != NULL && s->joined)
        send_json(s, json_pack("{s:I, s:s, s:[s, s, s]}", "id", s->next_id++, "do", "command", "argv", name,
                               s->c.link->room, value));
}

void session_hand(struct session *s, bool up)
{
    command(s, "hand", up ? "up" : "down");
    s->stage.hand = up; /* only moderators are told by an event */
}

void session_quiet(struct session *s, bool on)
{
    command(s, "quiet", on ? "on" : "off");
    if (on) /* at once; to be heard again waits for the server's word */
        s->stage.muted = true;
}

void session_tune(struct session *s, enum stream tier)
{
    command(s, "tune", stream_name(tier));
}

void session_leave(struct session *s)
{
    if (s->client == NULL || s->leaving)
        return;
    s->leaving = true;
    if (!s->joined || send_json(s, json_pack("{s:I, s:s}", "id", s->next_id++, "do", "leave")) != 0)
        give_up(s);
    else
        set_timer(s, LEAVE_MS, false);
}

const struct stage *session_stage(const struct session *s)
{
    return &s->stage;
}

const struct client_stats *session_stats(const struct session *s)
{
    return s->client != NULL ? client_stats(s->client) : &s->stats;
}
