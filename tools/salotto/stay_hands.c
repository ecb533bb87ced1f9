/* stay_hands.c - what people do in a stay: keys, signals, a terminal that goes away (see stay_parts.h) */
#include "tools/salotto/stay_parts.h"

#include "tools/language.h"
#include "net/clock.h"
#include "tools/salotto/keys.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define HINT_NS 3000000000ull /* a held key repeats; what it says need not */

/* --- leaving from outside */

/* A stay that has no end of its own is ended this way; another one is interrupted by it. */
static void leave(struct stay *s)
{
    const struct args *a = s->args;
    bool has_end = a->seconds > 0 || (a->command == ARGS_SPEAK && a->input != NULL && !a->loop);
    struct err err;

    if (s->ended) { /* the second time: without waiting */
        event_base_loopbreak(s->base);
        return;
    }
    if (s->joined && !has_end) {
        stay_end(s, NULL);
        return;
    }
    if (!s->joined)
        err_set(&err, ERR_INTERRUPTED, NULL, "interrupted before the room was joined");
    else if (a->seconds > 0)
        err_set(&err, ERR_INTERRUPTED, NULL, "interrupted after %.1f of %g seconds", heard_seconds(s->heard),
                a->seconds);
    else
        err_set(&err, ERR_INTERRUPTED, NULL, "interrupted before %s was said to its end", a->input);
    stay_end(s, &err);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct stay *s = arg;

    (void)what;
    if (number != SIGHUP || !s->ended) /* what a terminal's end causes may come in any order, and is no second wish */
        leave(s);
}

static void on_resize(evutil_socket_t number, short what, void *arg)
{
    struct stay *s = arg;

    (void)number;
    (void)what;
    status_line_resized(&s->line);
}

int stay_watch_signals(struct stay *s, struct err *err)
{
    static const int numbers[STAY_SIGNALS] = {SIGWINCH, SIGINT, SIGTERM, SIGQUIT, SIGHUP};
    struct sigaction hangup;

    s->outlives = sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
    for (unsigned i = 0; i < STAY_SIGNALS - s->outlives; i++) {
        s->signals[i] = evsignal_new(s->base, numbers[i], i == 0 ? on_resize : on_signal, s);
        if (s->signals[i] == NULL || event_add(s->signals[i], NULL) != 0)
            return err_set(err, ERR_INTERNAL, NULL, "out of memory");
    }
    return 0;
}

static void on_gone(void *arg)
{
    struct stay *s = arg;

    s->keys = false;
    if (!s->outlives && !s->ended)
        leave(s);
}

/* --- keys */

static void hint(struct stay *s, uint64_t now_ns, const char *text)
{
    if (s->hinted_ns == 0 || now_ns - s->hinted_ns > HINT_NS)
        stay_say(s, "%s", _(text));
    s->hinted_ns = now_ns;
}

static void on_space(struct stay *s, enum key_kind kind)
{
    const struct stage *stage = session_stage(s->session);
    uint64_t now_ns = clock_now_ns();

    if (kind == KEY_RELEASE)
        ptt_release(&s->ptt, now_ns);
    else if (!stage->on_stage)
        hint(s, now_ns, "you are listening; space opens your microphone once you are on stage");
    else if (stage->muted_by_moderator)
        hint(s, now_ns, "a moderator has muted you, and only a moderator can lift that");
    else if (kind == KEY_PRESS)
        ptt_press(&s->ptt, now_ns);
    else
        ptt_repeat(&s->ptt, now_ns);
}

static void on_m(struct stay *s)
{
    const struct stage *stage = session_stage(s->session);

    s->no_microphone = false;
    if (!stage->on_stage)
        stay_say(s, "you are listening; h raises your hand");
    else if (stage->muted_by_moderator)
        stay_say(s, "a moderator has muted you, and only a moderator can lift that");
    else if (s->args->ptt)
        ptt_set(&s->ptt, !s->ptt.open);
    else
        session_quiet(s->session, !stage->muted);
}

static void on_key(const struct key *key, void *arg)
{
    struct stay *s = arg;
    const struct stage *stage = session_stage(s->session);

    if (key->code == ' ' && key->modifiers == 0 && s->args->ptt)
        on_space(s, key->kind);
    if (key->kind == KEY_RELEASE || key->modifiers != 0)
        return;
    switch (key->code) {
    case 'q':
        stay_end(s, NULL);
        break;
    case 'h':
        if (stage->on_stage)
            stay_say(s, "you are on stage already; m mutes you");
        else
            session_hand(s->session, !stage->hand);
        break;
    case 'm':
        on_m(s);
        break;
    case 't':
        s->tier = s->tier == STREAM_LOW ? STREAM_STANDARD : STREAM_LOW;
        heard_tune(s->heard, s->tier);
        session_tune(s->session, s->tier);
        stay_say(s, "tuned to %s", stream_name(s->tier));
        break;
    default:
        break;
    }
}

static void on_releases(void *arg)
{
    struct stay *s = arg;

    s->ptt.releases = true;
}

static void on_stopping(void *arg)
{
    struct stay *s = arg;

    status_line_clear(&s->line);
}

void stay_watch_keys(struct stay *s)
{
    static const struct keys_callbacks callbacks = {
        .key = on_key, .releases = on_releases, .stopping = on_stopping, .gone = on_gone};

    /* Standard input may be the voice. */
    if (s->args->input != NULL && strcmp(s->args->input, "-") == 0)
        return;
    s->keys = keys_available();
    keys_start(s->base, s->args->ptt, &callbacks, s);
}

/* --- push to talk */

static void tend_ptt(struct stay *s, uint64_t now_ns)
{
    const struct stage *stage = session_stage(s->session);

    ptt_tick(&s->ptt, now_ns);
    if (!stage->on_stage || stage->muted_by_moderator) {
        ptt_set(&s->ptt, false);
        s->asked = ASKED_NOTHING;
        return;
    }
    /* Coming on stage we are muted, as we asked to be, unless a raised hand has changed that. */
    if (s->asked == ASKED_NOTHING)
        s->asked = stage->muted ? ASKED_CLOSED : ASKED_OPEN;
    if (s->ptt.open == (s->asked == ASKED_OPEN))
        return;
    session_quiet(s->session, !s->ptt.open);
    s->asked = s->ptt.open ? ASKED_OPEN : ASKED_CLOSED;
}

void stay_tend_hands(struct stay *s, uint64_t now_ns)
{
    if (s->args->ptt)
        tend_ptt(s, now_ns);
    if (s->line.gone)
        on_gone(s);
}

bool stay_may_speak(const struct stay *s)
{
    return stage_may_speak(session_stage(s->session)) && (!s->args->ptt || s->ptt.open);
}
