/* stay_parts.h - what the files of a stay share: stay.c (its life), stay_hands.c (keys, signals, the terminal)
 *
 * Nobody else includes this.
 */
#ifndef SALOTTO_STAY_PARTS_H
#define SALOTTO_STAY_PARTS_H

#include "tools/salotto/args.h"
#include "tools/salotto/events_out.h"
#include "tools/salotto/heard.h"
#include "tools/salotto/packets_out.h"
#include "tools/salotto/ptt.h"
#include "tools/salotto/session.h"
#include "tools/salotto/status_line.h"
#include "tools/salotto/voice.h"

#include <stdbool.h>

#define STAY_SIGNALS 5u

struct stay {
    const struct args *args;
    struct events_out *events;
    struct event_base *base;
    struct event *tick, *signals[STAY_SIGNALS];
    struct session *session;
    struct heard *heard;
    struct voice *voice;
    struct packets_out *packets;
    struct status_line line;
    enum stream tier;
    bool joined, quiet; /* quiet: human words would be among the events */
    bool keys;
    bool no_microphone; /* it could not be opened; we stay muted */
    bool outlives;      /* SIGHUP was ignored when we started (nohup): a terminal that goes does not end us */
    struct ptt ptt;     /* with --ptt */
    enum { ASKED_NOTHING, ASKED_OPEN, ASKED_CLOSED } asked; /* of the server for it, since we are on stage */
    uint64_t hinted_ns;                                     /* when the space key last told why it does nothing */
    bool ended;                                             /* `why` is how */
    struct err why;
};

#define stay_say(s, ...)                                                                                               \
    do {                                                                                                               \
        if (!(s)->quiet)                                                                                               \
            status_line_say(&(s)->line, __VA_ARGS__);                                                                  \
    } while (0)

#define stay_progress(s, ...)                                                                                          \
    do {                                                                                                               \
        if (!(s)->quiet)                                                                                               \
            status_line_progress(&(s)->line, __VA_ARGS__);                                                             \
    } while (0)

/* --- stay.c */

/* The stay ends, for this reason (NULL: as it should). The first one counts. */
void stay_end(struct stay *s, const struct err *why);

/* --- stay_hands.c */

/* Watches for signals. 0 or a negative code. */
int stay_watch_signals(struct stay *s, struct err *err);

/* Takes keys from now on, if there is a keyboard. */
void stay_watch_keys(struct stay *s);

/* Brings the microphone to what push to talk says, and ends where the terminal has gone; on each tick. */
void stay_tend_hands(struct stay *s, uint64_t now_ns);

/* May one be heard now: by the server's word, and by push to talk? */
bool stay_may_speak(const struct stay *s);

#endif
