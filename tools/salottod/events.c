/* events.c - what a room tells the people in it (see events.h) */
#include "tools/salottod/events.h"

#include "tools/salottod/live_room.h"
#include "tools/salottod/log.h"
#include "tools/salottod/occupant.h"
#include "tools/salottod/session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void channel_begin(struct channel *c)
{
    uint8_t random[8];

    randombytes_buf(random, sizeof random);
    sodium_bin2hex(c->run, sizeof c->run, random, sizeof random);
    c->sequence = 0;
}

void events_send(struct server *s, const uint64_t *connections, size_t n, json_t *json, bool close_after)
{
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    if (s->control == NULL) {
        /* The daemon's end: nobody is there to hear it. */
    } else if (text != NULL) {
        control_server_send(s->control, connections, n, text, strlen(text), close_after);
    } else {
        log_line(LOG_ERROR_LINE, "out of memory for an event; connections=%zu are closed", n);
        for (size_t i = 0; i < n; i++)
            control_server_close(s->control, connections[i]);
    }
    if (text != NULL)
        sodium_memzero(text, strlen(text)); /* it may hold a key or an invite */
    free(text);
}

/* Gives the event its name and the channel's next number. NULL when out of memory, whatever it was. */
static json_t *numbered(json_t *event, const char *name, const char *channel_name, struct channel *channel)
{
    channel->sequence++;
    if (event == NULL ||
        json_object_update_new(event, json_pack("{s:s, s:s, s:s, s:I}", "event", name, "channel", channel_name, "run",
                                                channel->run, "seq", (json_int_t)channel->sequence)) == 0)
        return event;
    json_decref(event);
    return NULL;
}

/* To those in the room for whom `takes` holds, but not to `but`. The reference to event stays the caller's. */
static void tell(struct live_room *r, json_t *event, bool (*takes)(const struct occupant *), const struct occupant *but)
{
    uint64_t *connections = r->present > 0 ? calloc(r->present, sizeof *connections) : NULL;
    struct occupant *o;
    size_t n = 0;

    if (connections == NULL)
        return;
    LIST_FOREACH (o, &r->occupants, next)
        if (o->session != NULL && o != but && takes(o) && n < r->present)
            connections[n++] = o->session->connection;
    if (n > 0)
        events_send(r->server, connections, n, json_incref(event), false);
    free(connections);
}

static bool everyone(const struct occupant *o)
{
    (void)o;
    return true;
}

static bool keeps_order(const struct occupant *o)
{
    return o->standing.role >= ROLE_MODERATOR;
}

static bool subscribed(const struct occupant *o)
{
    return o->session->subscribed;
}

void events_room(struct live_room *r, const char *name, json_t *event)
{
    event = numbered(event, name, "room", &r->room_channel);
    tell(r, event, everyone, NULL);
    json_decref(event);
}

void events_room_about(struct live_room *r, const char *name, json_t *event, const struct occupant *who, json_t *more)
{
    event = numbered(event, name, "room", &r->room_channel);
    tell(r, event, everyone, who);
    if (who->session != NULL) {
        json_object_update(event, more);
        events_send(r->server, &who->session->connection, 1, json_incref(event), false);
    }
    json_decref(event);
    json_decref(more);
}

void events_audience(struct live_room *r, const char *name, json_t *event)
{
    event = numbered(event, name, "audience", &r->audience_channel);
    if (r->subscribers > 0)
        tell(r, event, subscribed, NULL);
    json_decref(event);
}

void events_order(struct live_room *r, const char *name, json_t *event)
{
    event = numbered(event, name, "order", &r->order_channel);
    tell(r, event, keeps_order, NULL);
    json_decref(event);
}

void events_all(struct live_room *r, const char *name, json_t *event)
{
    if (event != NULL && json_object_update_new(event, json_pack("{s:s, s:s}", "event", name, "channel", "you")) == 0)
        tell(r, event, everyone, NULL);
    json_decref(event);
}

void events_you(struct session *s, const char *name, json_t *event)
{
    if (event != NULL && json_object_update_new(event, json_pack("{s:s, s:s}", "event", name, "channel", "you")) != 0) {
        json_decref(event);
        event = NULL;
    }
    events_send(s->server, &s->connection, 1, event, false);
}

void events_sent_away(struct session *s, const char *reason, const char *by, const char *why)
{
    json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "sent_away", "channel", "you", "reason", reason,
                              "by", by != NULL ? by : "", "why", why != NULL ? why : "");

    events_send(s->server, &s->connection, 1, event, true);
}
