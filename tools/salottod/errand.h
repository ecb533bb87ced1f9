/* errand.h - something that several threads must have done before it counts as done
 *
 * Lies in a larger struct of the caller's. Each order that has an errand is expected once and arrives once; when all
 * have arrived and the errand was let go, `done` is called, which may free it. main only.
 */
#ifndef SALOTTO_SALOTTOD_ERRAND_H
#define SALOTTO_SALOTTOD_ERRAND_H

#include <stdint.h>

struct errand {
    unsigned waiting;
    void (*done)(struct errand *e);
    uint64_t at_sample; /* the latest that a room answered with */
    int error;          /* the first that a room answered with, or 0 */
};

/* Holds the errand back until errand_let_go(), so that it can't finish while orders are still being given. */
void errand_begin(struct errand *e, void (*done)(struct errand *e));
void errand_expect(struct errand *e);
void errand_arrived(struct errand *e);
/* Hands what a finished errand has learned on to the one (or NULL) that waits for it. */
void errand_pass(const struct errand *from, struct errand *to);

void errand_let_go(struct errand *e);

#endif
