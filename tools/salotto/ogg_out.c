/* ogg_out.c - what was heard, as an Ogg/Opus file (see ogg_out.h)
 *
 * The last packet is held back, because it has to carry the end-of-stream mark (RFC 3533 section 4). When the disk
 * takes no more, the file ends with the last page that it took whole.
 */
#include "tools/salotto/ogg_out.h"

#include "tools/version.h"

#include <errno.h>
#include <fcntl.h>
#include <ogg/ogg.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE           48000u
#define LOOKAHEAD      312u /* what libopus delays at 48 kHz (OPUS_GET_LOOKAHEAD, application VOIP or AUDIO) */
#define PACKET_MAX     1275u
#define FILLER_SAMPLES 960u

struct ogg_out {
    FILE *file;
    char *path;
    ogg_stream_state stream;
    bool has_stream, begun, broken;
    off_t whole; /* bytes of the pages that were written */
    uint8_t pending[PACKET_MAX];
    size_t pending_bytes; /* 0: none */
    uint64_t next;        /* position just after the pending packet */
    uint64_t granule;     /* samples up to there since the first packet */
    uint64_t paged;       /* granule of the last page written */
    int64_t number;
};

static int failed(struct ogg_out *o, struct err *err)
{
    o->broken = true;
    return err_set(err, ERR_DEVICE,
                   errno == ENOSPC ? ERR_TEXT("free some space on its disk; what was written until then plays") : NULL,
                   "cannot write %s: %s", o->path, err_reason(errno));
}

struct ogg_out *ogg_out_open(const char *path, struct err *err)
{
    struct ogg_out *o = calloc(1, sizeof *o);
    int fd;

    if (o == NULL || (o->path = strdup(path)) == NULL || ogg_stream_init(&o->stream, (int)randombytes_random()) != 0) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        goto fail;
    }
    o->has_stream = true;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    o->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (o->file != NULL)
        return o;
    failed(o, err);
    if (fd >= 0)
        close(fd);
fail:
    ogg_out_close(o, NULL);
    return NULL;
}

/* Writes full pages, or with flush whatever is there. */
static int write_pages(struct ogg_out *o, bool flush, struct err *err)
{
    ogg_page page;

    while (flush ? ogg_stream_flush(&o->stream, &page) : ogg_stream_pageout(&o->stream, &page))
        if (fwrite(page.header, 1, (size_t)page.header_len, o->file) != (size_t)page.header_len ||
            fwrite(page.body, 1, (size_t)page.body_len, o->file) != (size_t)page.body_len)
            return failed(o, err);
    if (!flush)
        return 0;
    if (fflush(o->file) != 0)
        return failed(o, err);
    o->whole = ftello(o->file);
    return 0;
}

static int put(struct ogg_out *o, const uint8_t *bytes, size_t len, bool first, bool last, struct err *err)
{
    ogg_packet p = {.packet = (unsigned char *)bytes,
                    .bytes = (long)len,
                    .b_o_s = first,
                    .e_o_s = last,
                    .granulepos = (ogg_int64_t)o->granule,
                    .packetno = o->number++};

    if (ogg_stream_packetin(&o->stream, &p) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "out of memory");
    return 0;
}

/* The two headers, each on a page of its own (RFC 7845 section 5). Integers in them are little-endian. */
static int begin(struct ogg_out *o, uint64_t pre_skip, struct err *err)
{
    static const char vendor[] = "Salotto " SALOTTO_VERSION;
    uint8_t head[19] = "OpusHead";
    uint8_t tags[8 + 4 + sizeof vendor - 1 + 4] = "OpusTags";
    int ret;

    head[8] = 1; /* version */
    head[9] = 1; /* channels */
    head[10] = (uint8_t)pre_skip;
    head[11] = (uint8_t)(pre_skip >> 8);
    head[12] = (uint8_t)(RATE & 0xff);
    head[13] = (uint8_t)(RATE >> 8 & 0xff);
    /* The rest of the rate, gain 0, mapping family 0; no comments follow the vendor. */
    tags[8] = sizeof vendor - 1;
    memcpy(tags + 12, vendor, sizeof vendor - 1);
    o->begun = true;
    if ((ret = put(o, head, sizeof head, true, false, err)) != 0 || (ret = write_pages(o, true, err)) != 0 ||
        (ret = put(o, tags, sizeof tags, false, false, err)) != 0)
        return ret;
    return write_pages(o, true, err);
}

/* Sends the pending packet on its way. */
static int put_pending(struct ogg_out *o, bool last, struct err *err)
{
    int ret;

    if (o->pending_bytes == 0)
        return 0;
    ret = put(o, o->pending, o->pending_bytes, false, last, err);
    o->pending_bytes = 0;
    if (ret != 0)
        return ret;
    if (!last && o->granule - o->paged < RATE)
        return write_pages(o, false, err);
    o->paged = o->granule;
    return write_pages(o, true, err);
}

/* A packet without sound, 20 ms long, in the mode of the one before it: the table of RFC 6716 section 3.1 has 20 ms
 * as the second of four lengths of SILK, the second of two of the hybrid, the last of four of CELT. */
static uint8_t filler_toc(uint8_t toc)
{
    unsigned config = toc >> 3;

    if (config < 12)
        config = (config & ~3u) | 1;
    else if (config < 16)
        config |= 1;
    else
        config |= 3;
    return (uint8_t)(config << 3 | (toc & 4));
}

int ogg_out_packet(struct ogg_out *o, const uint8_t *opus, size_t bytes, uint64_t position, unsigned samples,
                   uint64_t heard_from, struct err *err)
{
    int ret;

    if (bytes == 0 || bytes > sizeof o->pending)
        return err_set(err, ERR_INTERNAL, NULL, "an Opus packet of %zu bytes", bytes);
    if (!o->begun) {
        uint64_t skip = LOOKAHEAD + (heard_from > position ? heard_from - position : 0);

        o->next = position;
        if ((ret = begin(o, skip < 65535 ? skip : 65535, err)) != 0)
            return ret;
    }
    while (o->pending_bytes > 0 && o->next + FILLER_SAMPLES <= position) {
        uint8_t toc = filler_toc(o->pending[0]);

        if ((ret = put_pending(o, false, err)) != 0)
            return ret;
        o->pending[0] = toc;
        o->pending_bytes = 1;
        o->next += FILLER_SAMPLES;
        o->granule += FILLER_SAMPLES;
    }
    if ((ret = put_pending(o, false, err)) != 0)
        return ret;
    memcpy(o->pending, opus, bytes);
    o->pending_bytes = bytes;
    o->next = position + samples;
    o->granule += samples;
    return 0;
}

int ogg_out_close(struct ogg_out *o, struct err *err)
{
    int ret = 0;

    if (o == NULL)
        return 0;
    if (o->file != NULL && o->broken) {
        __fpurge(o->file);
        if (o->whole >= 0) /* not on a pipe */
            (void)!ftruncate(fileno(o->file), o->whole);
        fclose(o->file);
    } else if (o->file != NULL) {
        /* A stay in which nobody spoke makes a file without sound, but a valid one. */
        if (!o->begun)
            ret = begin(o, LOOKAHEAD, err);
        if (ret == 0)
            ret = put_pending(o, true, err);
        if (fclose(o->file) != 0 && ret == 0)
            ret = failed(o, err);
    }
    if (o->has_stream)
        ogg_stream_clear(&o->stream);
    free(o->path);
    free(o);
    return ret;
}
