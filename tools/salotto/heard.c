/* heard.c - where what is heard goes (see heard.h) */
#include "tools/salotto/heard.h"

#include "tools/salotto/device.h"
#include "tools/salotto/ogg_out.h"
#include "tools/salotto/wav_out.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PULL_SAMPLES   960u
#define FIRST_SOUND_NS 2000000000ull /* a room that is not parked, yet says nothing for so long, counts as silent */

struct heard {
    struct heard_config c;
    struct device_out *device;
    struct wav_out *wav;
    struct ogg_out *ogg;
    struct playout *playout;
    uint64_t joined_ns;
    uint64_t pulled;  /* samples since joining */
    uint64_t samples; /* of the stay */
    bool parked, counting;
    int failed; /* of the Ogg file, within a pull */
    struct err err;
};

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);

    return n >= m && strcasecmp(path + n - m, ending) == 0;
}

struct heard *heard_open(const struct heard_config *c, struct err *err)
{
    struct heard *h = calloc(1, sizeof *h);

    if (h == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    h->c = *c;
    if (c->output != NULL && ends_in(c->output, ".opus"))
        h->ogg = ogg_out_open(c->output, err);
    else if (c->output != NULL)
        h->wav = wav_out_open(c->output, err);
    else if (!c->deaf)
        h->device = device_out_open(c->device, err);
    if (h->ogg == NULL && h->wav == NULL && h->device == NULL && !c->deaf) {
        free(h);
        return NULL;
    }
    return h;
}

static void on_decoded(const struct packet *p, uint64_t position, unsigned samples, void *arg)
{
    struct heard *h = arg;

    if (h->ogg != NULL && h->failed == 0)
        h->failed =
            ogg_out_packet(h->ogg, p->opus, p->opus_bytes, position, samples, playout_heard_from(h->playout), &h->err);
}

int heard_join(struct heard *h, enum stream tier, uint64_t position, bool parked, uint64_t now_ns, struct err *err)
{
    const struct playout_config c = {
        .tier = tier, .parked = parked, .position = position, .now_ns = now_ns, .decoded = on_decoded, .arg = h};

    h->playout = playout_new(&c);
    if (h->playout == NULL)
        return err_set(err, ERR_INTERNAL, NULL, "out of memory");
    h->joined_ns = now_ns;
    h->parked = parked;
    return 0;
}

void heard_put(struct heard *h, enum stream s, const struct tape_packet *p, uint64_t now_ns)
{
    if (h->playout != NULL)
        playout_put(h->playout, s, p, now_ns);
}

void heard_parked(struct heard *h)
{
    h->parked = true;
}

void heard_tune(struct heard *h, enum stream tier)
{
    if (h->playout != NULL)
        playout_tune(h->playout, tier);
}

/* How many of the n samples just pulled lie before the stay. Begins it when it is time. */
static unsigned before_stay(struct heard *h, unsigned n, uint64_t now_ns)
{
    const struct playout_mark *marks;
    unsigned count;

    if (h->counting)
        return 0;
    marks = playout_marks(h->playout, &count);
    h->counting = playout_has_started(h->playout) || h->parked || now_ns - h->joined_ns > FIRST_SOUND_NS;
    if (!h->counting)
        return n;
    return playout_has_started(h->playout) && count > 0 ? marks[0].at : 0;
}

static int pull(struct heard *h, float *pcm, unsigned n, uint64_t now_ns, struct err *err)
{
    const struct playout_mark *marks;
    unsigned skip, count;

    playout_pull(h->playout, pcm, n);
    h->pulled += n;
    skip = before_stay(h, n, now_ns);
    marks = playout_marks(h->playout, &count);
    for (unsigned i = 0; i < count; i++)
        events_out(h->c.events,
                   json_pack("{s:s, s:I, s:I}", "event", "position", "wav_sample",
                             (json_int_t)(h->samples + marks[i].at - skip), "position", (json_int_t)marks[i].position));
    h->samples += n - skip;
    if (h->failed != 0) {
        err_copy(err, &h->err);
        return h->failed;
    }
    return h->wav != NULL ? wav_out_write(h->wav, pcm + skip, n - skip, err) : 0;
}

/* Samples that are still wanted, at most n. */
static uint64_t within_stay(const struct heard *h, uint64_t n)
{
    uint64_t end = (uint64_t)(h->c.seconds * PACKET_RATE_HZ);

    if (h->c.seconds > 0 && end - h->samples < n)
        return end - h->samples;
    return n;
}

static int run_device(struct heard *h, uint64_t now_ns, struct err *err)
{
    float pcm[DEVICE_BLOCK];
    int ret = 0;

    if (!device_out_is_running(h->device))
        return err_set(err, ERR_DEVICE, "see whether it is still plugged in", "the sound device has stopped");
    for (unsigned wanted = device_out_wants(h->device); ret == 0 && wanted > 0; wanted -= DEVICE_BLOCK) {
        memset(pcm, 0, sizeof pcm);
        ret = pull(h, pcm, (unsigned)within_stay(h, DEVICE_BLOCK), now_ns, err);
        device_out_write(h->device, pcm);
    }
    return ret;
}

int heard_run(struct heard *h, uint64_t now_ns, struct err *err)
{
    float pcm[PULL_SAMPLES];
    uint64_t due;
    int ret = 0;

    if (h->playout == NULL)
        return 0;
    if (h->device != NULL)
        return run_device(h, now_ns, err);
    /* In tenths of a millisecond: exact enough, and no overflow in a lifetime. */
    due = (now_ns - h->joined_ns) / 100000 * PACKET_RATE_HZ / 10000;
    while (ret == 0 && h->pulled < due && !heard_is_done(h)) {
        uint64_t n = within_stay(h, due - h->pulled);

        ret = pull(h, pcm, n < PULL_SAMPLES ? (unsigned)n : PULL_SAMPLES, now_ns, err);
    }
    return ret;
}

bool heard_is_done(const struct heard *h)
{
    return h->c.seconds > 0 && h->samples >= (uint64_t)(h->c.seconds * PACKET_RATE_HZ);
}

double heard_seconds(const struct heard *h)
{
    return (double)h->samples / PACKET_RATE_HZ;
}

const struct playout_stats *heard_stats(const struct heard *h)
{
    return h->playout != NULL ? playout_stats(h->playout) : NULL;
}

bool heard_has_device(const struct heard *h)
{
    return h->device != NULL;
}

int heard_close(struct heard *h, struct err *err)
{
    int ret = 0;

    if (h == NULL)
        return 0;
    device_out_close(h->device);
    if (h->wav != NULL)
        ret = wav_out_close(h->wav, err);
    if (h->ogg != NULL)
        ret = ogg_out_close(h->ogg, err);
    playout_free(h->playout);
    free(h);
    return ret;
}
