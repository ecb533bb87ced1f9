/* rt.h - where real-time discipline holds
 *
 * A function whose header comment begins with RT_SAFE may run on a room's tick: it allocates nothing, takes no lock
 * that another thread can hold, does no file, log, socket or database I/O and has no unbounded loop. tests/rt_safe.sh
 * checks that such functions call only such functions of ours; the test build's trap (tests/rt_trap.c, preloaded)
 * aborts when a forbidden libc call happens between rt_enter() and rt_leave().
 */
#ifndef SALOTTO_MIXER_RT_H
#define SALOTTO_MIXER_RT_H

/* Depth of rt_enter() on this thread; the trap looks at it. */
extern _Thread_local int rt_depth;

static inline void rt_enter(void)
{
    rt_depth++;
}

static inline void rt_leave(void)
{
    rt_depth--;
}

#endif
