/* playout.c - what an ear hears of the streams that come in (see playout.h)
 *
 * Two lanes: `heard` is played, `warm` follows it at equal position so that they can be exchanged by a crossfade. Where
 * a packet goes is decided once, by route_own() and route_shared():
 *
 *   - An own stream's first packet continues the shared ones before it, so it goes where they went.
 *   - While it runs, shared packets from its first position on go to the other lane; when it has handed over, or falls
 *     silent, that lane takes its place.
 *   - Another tier's packets go to the warm lane, which takes over when it has decoded enough.
 *
 * An own stream's life is a run: within one, position - number * frame is constant, which tells a packet of a new run
 * from a late one even where the packet that ends the old run was lost.
 */
#include "tools/salotto/playout.h"

#include "tools/salotto/lane.h"

#include <errno.h>
#include <math.h>
#include <opus/opus.h>
#include <stdlib.h>
#include <string.h>

#define FADE_SAMPLES    960u   /* 20 ms */
#define PREROLL_SAMPLES 11520u /* 240 ms */
#define PAST_SAMPLES    7680u  /* 160 ms behind the room's clock: more than a frame and a usual way take */
#define WARM_SAMPLES    9600u  /* 200 ms: a decoder is then below -60 dB of one that ran all along */
#define MISSING_SAMPLES 2880u  /* 60 ms without own packets: better a cool decoder than none */
#define STEP_SAMPLES    480u

struct own_run {
    bool used, handed_over;
    struct lane *lane;
    uint64_t from, end; /* positions: of its first packet, and just after its last one so far */
    uint64_t origin;
};

struct playout {
    struct playout_config c;
    struct lane lanes[2];
    struct lane *heard, *warm;
    struct own_run own, next; /* next: began while the one before is still to be heard to its end */
    enum stream wanted;
    bool primed, started, paused;
    uint64_t heard_from, decoded_to; /* positions */
    unsigned fade_in, fade;          /* samples of the fade done; FADE_SAMPLES: none */
    uint64_t out;                    /* samples pulled since playout_new() */
    uint64_t mapping;                /* position - out, while `mapped` */
    bool mapped;
    struct playout_mark marks[PLAYOUT_MARKS_MAX];
    unsigned mark_count;
    struct playout_stats stats;
    float curve[FADE_SAMPLES]; /* raised cosine, 0 to 1 */
};

struct playout *playout_new(const struct playout_config *c)
{
    struct playout *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    p->c = *c;
    p->heard = &p->lanes[0];
    p->warm = &p->lanes[1];
    p->wanted = c->tier;
    p->fade_in = p->fade = FADE_SAMPLES;
    for (unsigned i = 0; i < FADE_SAMPLES; i++)
        p->curve[i] = 0.5f - 0.5f * cosf((float)M_PI * ((float)i + 0.5f) / (float)FADE_SAMPLES);
    if (lane_init(&p->lanes[0]) != 0 || lane_init(&p->lanes[1]) != 0) {
        playout_free(p);
        return NULL;
    }
    lane_reset(p->heard, c->tier);
    lane_reset(p->warm, c->tier);
    return p;
}

void playout_free(struct playout *p)
{
    if (p == NULL)
        return;
    lane_fini(&p->lanes[0]);
    lane_fini(&p->lanes[1]);
    free(p);
}

static struct lane *other(struct playout *p, const struct lane *l)
{
    return l == &p->lanes[0] ? &p->lanes[1] : &p->lanes[0];
}

/* The lane that will be heard when a crossfade under way is over. */
static struct lane *current(struct playout *p)
{
    return p->fade < FADE_SAMPLES ? p->warm : p->heard;
}

/* The lane of the shared packet of tier s at this position; NULL: nobody wants it. */
static struct lane *route_shared(struct playout *p, enum stream s, uint64_t position)
{
    const struct own_run *run = p->next.used ? &p->next : &p->own;
    struct lane *now = run->used ? run->lane : current(p);
    struct lane *lane = now;

    if (s != now->tier || (run->used && position >= run->from))
        lane = other(p, now);
    if (s != now->tier && s != p->wanted)
        return NULL;
    if (lane != current(p) && p->fade < FADE_SAMPLES)
        return NULL; /* it is on its way out */
    if (lane != now && s != lane->tier)
        lane_reset(lane, s);
    return lane;
}

/* The lane of an own packet; NULL: it comes too late to be of use. */
static struct lane *route_own(struct playout *p, const struct tape_packet *t, unsigned frame)
{
    uint64_t origin = t->position - t->number * frame;
    struct own_run *run = &p->own;
    struct lane *lane;

    for (int i = 0; i < 2; i++) {
        struct own_run *known = i == 0 ? &p->own : &p->next;

        if (known->used && known->origin == origin && (!known->handed_over || t->position < known->end)) {
            if (t->position < known->from)
                known->from = t->position;
            return known->lane;
        }
    }
    if (t->position < p->own.end)
        return NULL;
    lane = route_shared(p, current(p)->tier, t->position);
    if (run->used && run->lane == current(p) && lane != run->lane) /* is still to be heard to its end */
        run = &p->next;
    run->lane = lane;
    run->used = lane != NULL;
    run->handed_over = false;
    run->from = t->position;
    run->end = t->position;
    run->origin = origin;
    return run->lane;
}

static void note_own(struct playout *p, const struct lane *lane, const struct tape_packet *t, unsigned frame)
{
    struct own_run *run = p->next.used && p->next.lane == lane ? &p->next : &p->own;

    if (t->position + frame > run->end)
        run->end = t->position + frame;
    if (t->flags & TAPE_HANDOVER) {
        run->handed_over = true;
        run->used = lane == current(p);
    }
}

/* The first packet tells how much of what comes first is of the past: all of it, where the room was speaking when we
 * joined or the packet is older than one fresh from the mixer can be. */
static void prime(struct playout *p, uint64_t position, uint64_t now_ns)
{
    uint64_t since = now_ns > p->c.now_ns ? now_ns - p->c.now_ns : 0;
    uint64_t live = p->c.position + since / 1000 * PACKET_RATE_HZ / 1000000;
    bool past = position < p->c.position || (!p->c.parked && position + PAST_SAMPLES < live);

    p->primed = true;
    p->heard_from = position;
    if (past)
        p->heard_from = position + PREROLL_SAMPLES < live ? position + PREROLL_SAMPLES : live;
    if (p->heard_from < position)
        p->heard_from = position;
}

void playout_put(struct playout *p, enum stream s, const struct tape_packet *t, uint64_t now_ns)
{
    int frame = opus_packet_get_nb_samples(t->opus, t->opus_bytes, PACKET_RATE_HZ);
    struct lane *lane;
    int ret;

    if (t->opus_bytes == 0 || frame <= 0)
        return;
    lane = s == STREAM_OWN ? route_own(p, t, (unsigned)frame) : route_shared(p, s, t->position);
    if (lane == NULL)
        return;
    if (!p->primed)
        prime(p, t->position, now_ns);
    ret = lane_put(lane, t, now_ns);
    if (lane == p->heard && ret == -ETIME)
        p->stats.late++;
    if (lane == p->heard && ret == -EEXIST)
        p->stats.duplicate++;
    if (s == STREAM_OWN)
        note_own(p, lane, t, (unsigned)frame);
    p->paused = t->flags & TAPE_PAUSE;
}

void playout_tune(struct playout *p, enum stream tier)
{
    p->wanted = tier;
}

/* Hands out the packets of what is heard, each once and in order. */
static void report_packet(struct playout *p, const struct lane *l)
{
    if (p->c.decoded == NULL || l->packet_samples == 0 || l->packet_position < p->decoded_to)
        return;
    p->decoded_to = l->packet_position + l->packet_samples;
    p->c.decoded(&l->packet, l->packet_position, l->packet_samples, p->c.arg);
}

/* Makes the lane's next piece where none is left, and counts it. */
static void fill(struct playout *p, struct lane *l, unsigned want)
{
    if (l->left > 0)
        return;
    lane_fill(l, want);
    if (l->action == JITTER_PLAY)
        p->stats.played++;
    else if (l->action == JITTER_RECOVER)
        p->stats.recovered++;
    else if (l->action == JITTER_CONCEAL)
        p->stats.concealed++;
    if (l->packet_fresh && l == current(p))
        report_packet(p, l);
}

/* Decodes up to `heard_from` without hearing it, once there is enough beyond to go on with. */
static bool start(struct playout *p)
{
    struct lane *l = p->heard;

    if (!p->primed)
        return false;
    if (p->paused && !lane_may_start(l, p->heard_from)) {
        /* The room parked before we heard anything; what comes next begins with its waking. */
        lane_reset(l, l->tier);
        p->primed = false;
        p->c.parked = true;
        return false;
    }
    if (!lane_may_start(l, p->heard_from))
        return false;
    while (!l->running || l->position < p->heard_from) {
        if (l->left == 0) {
            lane_fill(l, STEP_SAMPLES);
            if (!l->running)
                return false;
            if (l->packet_fresh)
                report_packet(p, l);
        }
        if (l->position < p->heard_from) {
            uint64_t n = p->heard_from - l->position;

            n = n < l->left ? n : l->left;
            l->at += (unsigned)n;
            l->left -= (unsigned)n;
            l->position += n;
        }
    }
    p->started = true;
    if (l->warmed > 0 && p->heard_from > l->first)
        p->fade_in = 0;
    return true;
}

/* The exchange of the lanes is done. The one that was heard is empty from now on, and an own stream that was in it is
 * over, unless it has not said so: then it may go on, and is kept warm there. */
static void exchange(struct playout *p)
{
    struct lane *old = p->heard;

    p->heard = p->warm;
    p->warm = old;
    p->fade = FADE_SAMPLES;
    if (p->own.lane == old && p->own.handed_over)
        p->own.used = false;
    if (p->next.used) {
        p->own = p->next;
        p->next.used = false;
    }
    lane_reset(old, p->heard->tier);
}

/* Is it time to exchange the lanes? Then begins the crossfade, or, out of silence, does without. */
static void decide(struct playout *p)
{
    struct lane *heard = p->heard, *warm = p->warm;
    uint64_t at = heard->position;
    bool own = p->own.used && p->own.lane == heard, ready, due, dry;

    if (p->fade < FADE_SAMPLES || !warm->used)
        return;
    if (heard->left == 0 && !jitter_is_playing(heard->jitter)) {
        if (lane_may_start(warm, warm->running ? warm->position : warm->first) && warm->end > at)
            exchange(p);
        return;
    }
    lane_follow(warm, at);
    if (!lane_is_at(warm, at) || warm->end < at + FADE_SAMPLES)
        return;
    ready = warm->warmed >= WARM_SAMPLES;
    due = own ? p->own.handed_over && at + FADE_SAMPLES >= p->own.end
              : warm->tier == p->wanted && warm->tier != heard->tier;
    if (own && due && at >= p->own.end)
        ready = true;
    dry = heard->missing > 0 || (heard->left == 0 && jitter_held_ms(heard->jitter) == 0);
    if ((due && ready) || (dry && ready) || heard->missing >= MISSING_SAMPLES) {
        p->fade = 0;
        p->stats.crossfades++;
        report_packet(p, warm);
    }
}

static void mark(struct playout *p, unsigned at, uint64_t position)
{
    uint64_t mapping = position - (p->out + at);

    if (p->mapped && p->mapping == mapping)
        return;
    p->mapped = true;
    p->mapping = mapping;
    if (p->mark_count < PLAYOUT_MARKS_MAX)
        p->marks[p->mark_count++] = (struct playout_mark){.at = at, .position = position};
}

/* At most n samples, all of one piece and one state; returns how many. */
static unsigned step(struct playout *p, float *pcm, unsigned n, unsigned at)
{
    struct lane *heard;
    float incoming[STEP_SAMPLES];

    decide(p);
    heard = p->heard;
    n = n < STEP_SAMPLES ? n : STEP_SAMPLES;
    /* The crossfade after an own stream lies on its last 20 ms, to the sample. */
    if (p->own.used && p->own.lane == heard && p->own.handed_over && heard->position + FADE_SAMPLES < p->own.end &&
        heard->position + FADE_SAMPLES + n > p->own.end)
        n = (unsigned)(p->own.end - FADE_SAMPLES - heard->position);
    if (p->fade < FADE_SAMPLES && n > FADE_SAMPLES - p->fade)
        n = FADE_SAMPLES - p->fade;
    fill(p, heard, n);
    if (!heard->idle)
        mark(p, at, heard->position);
    n = lane_read(heard, pcm, n);
    if (p->fade < FADE_SAMPLES) {
        for (unsigned got = 0; got < n;) {
            fill(p, p->warm, n - got);
            got += lane_read(p->warm, incoming + got, n - got);
        }
        for (unsigned i = 0; i < n; i++)
            pcm[i] += p->curve[p->fade + i] * (incoming[i] - pcm[i]);
        p->fade += n;
        if (p->fade == FADE_SAMPLES)
            exchange(p);
    }
    for (unsigned i = 0; i < n && p->fade_in < FADE_SAMPLES; i++)
        pcm[i] *= p->curve[p->fade_in++];
    return n;
}

void playout_pull(struct playout *p, float *pcm, unsigned samples)
{
    unsigned done = 0;

    p->mark_count = 0;
    if (!p->started && !start(p)) {
        memset(pcm, 0, samples * sizeof *pcm);
        p->out += samples;
        return;
    }
    while (done < samples)
        done += step(p, pcm + done, samples - done, done);
    p->out += samples;
}

bool playout_has_started(const struct playout *p)
{
    return p->started;
}

const struct playout_mark *playout_marks(const struct playout *p, unsigned *count)
{
    *count = p->mark_count;
    return p->marks;
}

uint64_t playout_heard_from(const struct playout *p)
{
    return p->heard_from;
}

const struct playout_stats *playout_stats(const struct playout *p)
{
    return &p->stats;
}
