/* ptt.h - push to talk: when a key opens the microphone, and when it closes it
 *
 * A tap toggles the microphone; while the key is held, it is open, and closed when it is let go. What the terminal
 * tells decides how that is known:
 *
 * - One that reports releases (the kitty keyboard protocol) tells it all.
 * - Others only repeat a held key. So an event by itself is a tap, and a train of events (PTT_TRAIN_NS apart at the
 *   most) is a held key, which was let go when the train ends. An event that comes soon after a press may be the first
 *   repeat or another tap, which only the next one or its absence tells; either way the microphone closes in the end.
 *
 * Whoever closes their microphone expects it to be closed at once, so where a press may be a tap to close it is taken
 * for one, even if a held key then opens it again.
 *
 * Pure state: no terminal, no clock. Times are of CLOCK_MONOTONIC.
 */
#ifndef SALOTTO_PTT_H
#define SALOTTO_PTT_H

#include <stdbool.h>
#include <stdint.h>

#define PTT_TRAIN_NS 300000000ull  /* between two repeats: 40 ms are usual, and a network on the way may stall them */
#define PTT_FIRST_NS 1100000000ull /* from a press to its first repeat: 250 to 660 ms are usual, 1 s can be set */
#define PTT_TAP_NS   300000000ull  /* a key held for less was tapped, where releases are told */
#define PTT_TAIL_NS  150000000ull  /* after a release, for the last syllable: fingers are faster than mouths */
#define PTT_LOST_NS  1500000000ull /* a held key whose repeats have ceased, in another window perhaps, was let go */

enum ptt_state { PTT_CLOSED, PTT_HELD, PTT_LATCHED };

struct ptt {
    bool releases; /* the terminal reports them: set by whoever knows */
    bool open;
    bool down;         /* the key is held, as far as we know */
    bool undecided;    /* a tap to close, or a held key's first repeat */
    bool was_latched;  /* releases: the press came while latched, so a tap closes */
    bool repeats;      /* releases: it has repeated */
    uint64_t event_ns; /* of the last press or repeat; 0: none */
    uint64_t down_ns;  /* releases: when it was pressed */
    uint64_t close_ns; /* releases: when the tail is over; 0: none */
};

/* What the keyboard told. A terminal without releases calls everything a press. */
void ptt_press(struct ptt *p, uint64_t now_ns);
void ptt_repeat(struct ptt *p, uint64_t now_ns);
void ptt_release(struct ptt *p, uint64_t now_ns);

/* Time has passed; to be called every 50 ms or so. */
void ptt_tick(struct ptt *p, uint64_t now_ns);

/* Opens or closes by other means, for good. */
void ptt_set(struct ptt *p, bool open);

enum ptt_state ptt_state(const struct ptt *p);

#endif
