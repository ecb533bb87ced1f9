/* stage.h - who is in the room, as far as the server has told: the stage, the number of listeners, oneself
 *
 * Pure state: filled by the join's answer, kept by events. Names come from the server, whose command table checks
 * them; texts that are free (titles, reasons) have their control characters replaced.
 */
#ifndef SALOTTO_STAGE_H
#define SALOTTO_STAGE_H

#include "net/link.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define STAGE_MAX      32u
#define STAGE_TEXT_MAX 128u
#define STAGE_ROLE_MAX 16u

struct stage_person {
    char handle[LINK_ROOM_MAX + 1];
    int strip;
    bool speaking, muted;
};

struct stage {
    char room[LINK_ROOM_MAX + 1], title[STAGE_TEXT_MAX];
    struct stage_person people[STAGE_MAX];
    size_t count;
    unsigned listeners;
    char handle[LINK_ROOM_MAX + 1], role[STAGE_ROLE_MAX]; /* oneself */
    bool on_stage, muted, muted_by_moderator, hand;
};

/* Takes a join's answer. 0, or -1 when it is none. */
int stage_join(struct stage *s, const json_t *answer);

/* Takes an event; unknown ones are ignored. */
void stage_event(struct stage *s, const json_t *event);

/* May one be heard now? */
bool stage_may_speak(const struct stage *s);

/* Copies at most max - 1 bytes, made plain (err_plain()); NULL is empty. */
void stage_copy(char *to, size_t max, const char *from);

#endif
