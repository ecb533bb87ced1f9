/* command.h - the one table in which every command stands
 *
 * Parsing, permissions and help are made from it; the operator's socket, the remote session and the clients' own keys
 * all come here. To add a command: a row in command.c, and its function in the cmd_*.c it belongs to.
 */
#ifndef SALOTTO_SALOTTOD_COMMAND_H
#define SALOTTO_SALOTTOD_COMMAND_H

#include "mixer/err.h"
#include "storage/members.h"
#include "tools/salottod/args.h"

#include <jansson.h>
#include <stddef.h>

struct call;

struct command {
    const char *name; /* one or two words */
    enum arg positional[ARGS_POSITIONAL_MAX];
    unsigned options; /* of enum opt */
    enum role least;
    bool in_room; /* only for someone who is in the room, about themself */
    /* Carries the command out for a call whose room and people have been looked up and whose rank suffices. Non-zero
     * refuses it: call->err says why. */
    int (*run)(struct call *call);
    bool hidden; /* for programs: neither in help nor in the manual */
    /* What must be known of its words before its room and people are looked up; or NULL. */
    void (*prepare)(struct call *call);
    const char *help; /* one line */
    const char
        *about; /* what one should know besides, in whole sentences; `this` stands for another command; or NULL */
    const char *example; /* a whole line as typed after salottoctl; in_room: as a client sends it */
};

/* The command that argv begins with; *words is how many of it were the name. ERR_USAGE names the nearest one. NULL with
 * err. */
const struct command *command_find(const json_t *argv, size_t *words, struct err *err);

/* The one of that name, hidden or not; or NULL. */
const struct command *command_by_name(const char *name);

/* The table, for help, the manual and completion. */
const struct command *command_table(size_t *count);

int cmd_complete(struct call *c);
void cmd_complete_prepare(struct call *c);
int cmd_help(struct call *c);
int cmd_room_create(struct call *c);
int cmd_room_list(struct call *c);
int cmd_room_show(struct call *c);
int cmd_room_end(struct call *c);
int cmd_who(struct call *c);
int cmd_hands(struct call *c);
int cmd_log(struct call *c);
int cmd_stats(struct call *c);
int cmd_promote(struct call *c);
int cmd_demote(struct call *c);
int cmd_mute(struct call *c);
int cmd_unmute(struct call *c);
int cmd_gain(struct call *c);
int cmd_kick(struct call *c);
int cmd_ban(struct call *c);
int cmd_unban(struct call *c);
int cmd_invite(struct call *c);
int cmd_backup(struct call *c);
int cmd_check(struct call *c);
int cmd_doctor(struct call *c);

int cmd_link(struct call *c);
int cmd_hand(struct call *c);
int cmd_quiet(struct call *c);
int cmd_tune(struct call *c);
int cmd_step_down(struct call *c);

#endif
