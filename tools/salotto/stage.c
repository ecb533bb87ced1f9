/* stage.c - who is in the room (see stage.h) */
#include "tools/salotto/stage.h"

#include "mixer/err.h"

#include <string.h>

void stage_copy(char *to, size_t max, const char *from)
{
    size_t n = from != NULL ? strnlen(from, max) : 0;

    /* A character of several bytes is not cut in the middle. */
    if (n == max)
        for (n--; n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80;)
            n--;
    memcpy(to, from != NULL ? from : "", n);
    to[n] = '\0';
    err_plain(to);
}

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static struct stage_person *find(struct stage *s, const char *handle)
{
    for (size_t i = 0; handle != NULL && i < s->count; i++)
        if (strcmp(s->people[i].handle, handle) == 0)
            return &s->people[i];
    return NULL;
}

/* An entry of the join's `stage`, or a `stage` event: strip null means that they left it. */
static void put(struct stage *s, const json_t *o)
{
    const json_t *strip = json_object_get(o, "strip");
    struct stage_person *p = find(s, text_of(o, "handle"));

    if (!json_is_integer(strip)) {
        if (p != NULL)
            *p = s->people[--s->count];
        return;
    }
    if (p == NULL) {
        if (s->count == STAGE_MAX || text_of(o, "handle") == NULL)
            return;
        p = &s->people[s->count++];
        memset(p, 0, sizeof *p);
        stage_copy(p->handle, sizeof p->handle, text_of(o, "handle"));
    }
    p->strip = (int)json_integer_value(strip);
    p->muted = json_is_true(json_object_get(o, "muted"));
    if (json_object_get(o, "speaking") != NULL)
        p->speaking = json_is_true(json_object_get(o, "speaking"));
}

/* What the join's `you`, a `role` event and one's own `muted` event have in common. */
static void put_self(struct stage *s, const json_t *o)
{
    if (text_of(o, "role") != NULL)
        stage_copy(s->role, sizeof s->role, text_of(o, "role"));
    if (json_object_get(o, "strip") != NULL)
        s->on_stage = json_is_integer(json_object_get(o, "strip"));
    s->muted = json_is_true(json_object_get(o, "muted"));
    s->muted_by_moderator = json_is_true(json_object_get(o, "muted_by_moderator"));
    if (s->on_stage)
        s->hand = false;
}

int stage_join(struct stage *s, const json_t *answer)
{
    const json_t *you = json_object_get(answer, "you"), *room = json_object_get(answer, "room");
    const json_t *on_stage = json_object_get(answer, "stage"), *o;
    size_t i;

    memset(s, 0, sizeof *s);
    if (!json_is_object(you) || !json_is_object(room) || text_of(you, "handle") == NULL)
        return -1;
    stage_copy(s->room, sizeof s->room, text_of(room, "name"));
    stage_copy(s->title, sizeof s->title, text_of(room, "title"));
    stage_copy(s->handle, sizeof s->handle, text_of(you, "handle"));
    put_self(s, you);
    json_array_foreach(on_stage, i, o) put(s, o);
    s->listeners = (unsigned)json_integer_value(json_object_get(answer, "listeners"));
    return 0;
}

void stage_event(struct stage *s, const json_t *event)
{
    const char *name = text_of(event, "event"), *handle = text_of(event, "handle");
    struct stage_person *p = find(s, handle);

    if (name == NULL)
        return;
    if (strcmp(name, "stage") == 0) {
        put(s, event);
    } else if (strcmp(name, "speaking") == 0 && p != NULL) {
        p->speaking = json_is_true(json_object_get(event, "on"));
    } else if (strcmp(name, "muted") == 0) {
        if (p != NULL)
            p->muted = json_is_true(json_object_get(event, "muted"));
        if (handle != NULL && strcmp(handle, s->handle) == 0)
            put_self(s, event);
    } else if (strcmp(name, "listeners") == 0) {
        s->listeners = (unsigned)json_integer_value(json_object_get(event, "count"));
    } else if (strcmp(name, "hand") == 0) {
        if (handle != NULL && strcmp(handle, s->handle) == 0)
            s->hand = json_is_true(json_object_get(event, "up"));
    } else if (strcmp(name, "role") == 0) {
        put_self(s, event);
    }
}

bool stage_may_speak(const struct stage *s)
{
    return s->on_stage && !s->muted && !s->muted_by_moderator;
}
