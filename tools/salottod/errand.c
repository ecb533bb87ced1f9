/* errand.c - something that several threads must have done (see errand.h) */
#include "tools/salottod/errand.h"

#include <stddef.h>
#include <string.h>

void errand_begin(struct errand *e, void (*done)(struct errand *e))
{
    memset(e, 0, sizeof *e);
    e->waiting = 1;
    e->done = done;
}

void errand_expect(struct errand *e)
{
    if (e != NULL)
        e->waiting++;
}

void errand_arrived(struct errand *e)
{
    if (e != NULL && --e->waiting == 0)
        e->done(e);
}

void errand_let_go(struct errand *e)
{
    errand_arrived(e);
}

void errand_pass(const struct errand *from, struct errand *to)
{
    if (to == NULL)
        return;
    if (from->at_sample > to->at_sample)
        to->at_sample = from->at_sample;
    if (to->error == 0)
        to->error = from->error;
}
