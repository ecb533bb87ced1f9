/* call.h - one command on its way: looked up, allowed, carried out, committed, answered
 *
 * An act that takes away is carried out at once and committed beside it; one that grants takes effect after its commit;
 * the answer follows both the commit and the threads. A command's function (cmd_*.c) runs once the room and the people
 * it names are known; it gives orders with &call->errand, asks for the commit, and sets what makes the report.
 * main only, but `work`, which the storage thread runs.
 */
#ifndef SALOTTO_SALOTTOD_CALL_H
#define SALOTTO_SALOTTOD_CALL_H

#include "net/link.h"
#include "storage/invites.h"
#include "storage/rooms.h"
#include "tools/salottod/args.h"
#include "tools/salottod/chore.h"
#include "tools/salottod/command.h"
#include "tools/salottod/errand.h"
#include "tools/salottod/server.h"

#include <jansson.h>
#include <stdbool.h>

struct language;
struct live_room;
struct occupant;
struct session;

struct call {
    struct errand errand; /* first */
    struct server *server;
    uint64_t connection;
    json_int_t id;
    const struct command *command;
    json_t *argv; /* what args borrows from */
    struct args args;
    bool local;
    const struct language *language; /* the caller's */
    uint8_t key[32];                 /* the actor's */
    char token[LINK_TOKEN_MAX + 1];  /* an invite they bring along; empty: none */

    /* looked up */
    struct room_row row;
    bool has_row;
    struct member actor, target;

    /* carrying out */
    struct err err;
    int status;
    bool may_ask;      /* somebody sits at the other end who can answer a question before the act */
    bool applied;      /* the live room has it already */
    struct member now; /* the target's standing as the job found or left it */
    uint64_t asked;    /* server.acts when the commit was asked for */
    int (*work)(struct db *db, struct call *c, struct err *err);
    void (*committed)(struct call *c);
    int (*chore)(struct chore *h, struct call *c, struct err *err);
    const char *doing;                 /* what the chore does, for who waits */
    json_t *(*report)(struct call *c); /* the answer's body; NULL: nothing but ok */

    /* for reports */
    char token_out[INVITE_TOKEN_BYTES];
    int64_t expires_ms; /* of the invite; 0: never */
    struct room_row *rows;
    struct audit_row *log;
    void *own; /* what else a command keeps; freed by own_free with the call */
    void (*own_free)(void *own);
    int file; /* an open file that goes along with the answer; -1: none */
    size_t count;
    int64_t *people; /* row numbers that --all is about */
    json_t *done_to; /* their handles */
    char question[200];
};

/* Carries out {"do":"command"}; answers once, now or later. */
void call_request(struct session *s, json_int_t id, const json_t *request);

/* Has `work` run and committed; `committed` (or NULL) then runs on main before the answer. */
void call_commit(struct call *c, int (*work)(struct db *db, struct call *c, struct err *err),
                 void (*committed)(struct call *c));

/* Has `chore` run on a thread of its own (chore.h) until whoever asked goes away; `committed` (or NULL)
 * then runs on main before the answer. doing is a static text: "copying the database". */
void call_chore(struct call *c, const char *doing, int (*chore)(struct chore *h, struct call *c, struct err *err),
                void (*committed)(struct call *c));

/* The live room, and in it the target and the actor; each NULL when not live, not known there. */
struct live_room *call_live(const struct call *c);
struct occupant *call_target(const struct call *c);
struct occupant *call_actor(const struct call *c);

/* The target in the live room, made if they are absent and the room did not know them. NULL: no live room. */
struct occupant *call_know_target(const struct call *c);

/* May the actor act on the target? 0, or call->err says why not. */
int call_over_target(struct call *c);

/* Is a question due before an act on many people? If so (the caller can answer one and has not said --yes), it is the
 * answer to this call, and nothing else must be done: `question` is a sentence that says what would happen. */
bool call_must_ask(const struct call *c);
void call_ask(struct call *c, const char *question);

/* {"text": …} */
json_t *call_text(const char *text);

/* {"room":…, "person":…, "at_sample":…}: the data of most acts. */
json_t *call_act_data(const struct call *c);

/* That as `data`, and a sentence as `text`: given translated, with two %s for the person and the room. */
json_t *call_act_report(const struct call *c, const char *sentence);

#endif
