/* ptt.c - push to talk (see ptt.h) */
#include "tools/salotto/ptt.h"

static void press_without_releases(struct ptt *p, uint64_t now_ns)
{
    uint64_t since_ns = p->event_ns != 0 ? now_ns - p->event_ns : UINT64_MAX;

    p->event_ns = now_ns;
    if (p->down)
        return;
    if (since_ns <= PTT_TRAIN_NS) {
        p->down = p->open = true;
        p->undecided = false;
    } else if (p->open && since_ns <= PTT_FIRST_NS) {
        p->undecided = true;
    } else {
        p->open = !p->open;
    }
}

void ptt_press(struct ptt *p, uint64_t now_ns)
{
    if (!p->releases) {
        press_without_releases(p, now_ns);
        return;
    }
    p->was_latched = p->open && p->close_ns == 0;
    p->down = p->open = true;
    p->repeats = false;
    p->close_ns = 0;
    p->down_ns = p->event_ns = now_ns;
}

void ptt_repeat(struct ptt *p, uint64_t now_ns)
{
    if (!p->releases) {
        press_without_releases(p, now_ns);
    } else if (p->down) {
        p->repeats = true;
        p->event_ns = now_ns;
    }
}

void ptt_release(struct ptt *p, uint64_t now_ns)
{
    if (!p->releases || !p->down)
        return;
    p->down = false;
    if (now_ns - p->down_ns >= PTT_TAP_NS)
        p->close_ns = now_ns + PTT_TAIL_NS;
    else if (p->was_latched)
        p->open = false;
}

void ptt_tick(struct ptt *p, uint64_t now_ns)
{
    if (p->releases) {
        if (p->down && p->repeats && now_ns - p->event_ns > PTT_LOST_NS)
            ptt_release(p, now_ns);
        if (p->close_ns != 0 && now_ns >= p->close_ns) {
            p->close_ns = 0;
            p->open = false;
        }
    } else if ((p->down || p->undecided) && now_ns - p->event_ns > PTT_TRAIN_NS) {
        p->down = p->undecided = p->open = false;
    }
}

void ptt_set(struct ptt *p, bool open)
{
    p->open = open;
    p->down = p->undecided = false;
    p->event_ns = p->close_ns = 0;
}

enum ptt_state ptt_state(const struct ptt *p)
{
    return !p->open ? PTT_CLOSED : p->down || p->undecided || p->close_ns != 0 ? PTT_HELD : PTT_LATCHED;
}
