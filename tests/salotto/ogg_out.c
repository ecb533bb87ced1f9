/* ogg_out.c - tests of Ogg/Opus files of the packets that were heard */
#include "tools/salotto/ogg_out.h"

#include <math.h>
#include <ogg/ogg.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/salotto/temporary.h"

#define FROM 9600000000ull /* positions begin anywhere */

struct ogg_file {
    unsigned packets, heads;
    uint64_t granule; /* of the last page */
    unsigned pre_skip, samples, fillers;
    bool ended;
};

static void read_packet(struct ogg_file *o, const ogg_packet *p)
{
    if (p->packetno == 0) {
        assert_memory_equal(p->packet, "OpusHead", 8);
        assert_int_equal(p->bytes, 19);
        assert_int_equal(p->packet[8], 1);
        assert_int_equal(p->packet[9], 1);
        o->pre_skip = (unsigned)(p->packet[10] | p->packet[11] << 8);
        assert_int_equal(p->packet[12] | p->packet[13] << 8, 48000);
        o->heads++;
    } else if (p->packetno == 1) {
        assert_memory_equal(p->packet, "OpusTags", 8);
    } else {
        o->packets++;
        o->fillers += p->bytes == 1;
        o->samples += (unsigned)opus_packet_get_nb_samples(p->packet, (int)p->bytes, 48000);
    }
}

static struct ogg_file read_ogg(void)
{
    struct ogg_file o = {0};
    ogg_sync_state sync;
    ogg_stream_state stream;
    bool begun = false;
    ogg_page page;
    ogg_packet p;
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    ogg_sync_init(&sync);
    do {
        n = fread(ogg_sync_buffer(&sync, 65536), 1, 65536, f);
        ogg_sync_wrote(&sync, (long)n);
        while (ogg_sync_pageout(&sync, &page) == 1) {
            if (!begun)
                ogg_stream_init(&stream, ogg_page_serialno(&page));
            begun = true;
            assert_int_equal(ogg_stream_pagein(&stream, &page), 0);
            o.granule = (uint64_t)ogg_page_granulepos(&page);
            o.ended = ogg_page_eos(&page);
            while (ogg_stream_packetout(&stream, &p) == 1)
                read_packet(&o, &p);
            /* RFC 7845 section 4: the granule position is the number of samples so far, no more and no less. */
            assert_int_equal(o.granule, o.samples);
        }
    } while (n > 0);
    assert_true(begun);
    ogg_stream_clear(&stream);
    ogg_sync_clear(&sync);
    fclose(f);
    return o;
}

/* Writes n packets of a tone that follow each other from `position` on. */
static void write_packets(struct ogg_out *o, uint64_t position, unsigned n, unsigned frame, int bitrate)
{
    OpusEncoder *e = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, NULL);
    uint8_t bytes[1275];
    static float pcm[5760];
    struct err err;

    opus_encoder_ctl(e, OPUS_SET_BITRATE(bitrate));
    for (unsigned i = 0; i < n; i++, position += frame) {
        opus_int32 len;

        for (unsigned k = 0; k < frame; k++)
            pcm[k] = 0.3f * sinf((float)k / 20);
        len = opus_encode_float(e, pcm, (int)frame, bytes, sizeof bytes);
        assert_true(len > 1);
        assert_int_equal(ogg_out_packet(o, bytes, (size_t)len, position, frame, FROM + 11520, &err), 0);
    }
    opus_encoder_destroy(e);
}

static void an_ogg_file_holds_the_packets_and_skips_the_pre_roll(void **state)
{
    struct ogg_file file;
    struct ogg_out *o;
    struct err err;

    (void)state;
    o = ogg_out_open(path, &err);
    assert_non_null(o);
    write_packets(o, FROM, 200, 960, 32000);
    assert_int_equal(ogg_out_close(o, &err), 0);
    file = read_ogg();
    assert_int_equal(file.heads, 1);
    assert_int_equal(file.packets, 200);
    assert_int_equal(file.pre_skip, 11520 + 312);
    assert_int_equal(file.granule, 200 * 960);
    assert_true(file.ended);
}

static void a_gap_stays_as_long_as_it_was(void **state)
{
    struct ogg_file file;
    struct ogg_out *o;
    struct err err;

    (void)state;
    o = ogg_out_open(path, &err);
    assert_non_null(o);
    write_packets(o, FROM, 10, 2880, 12000);
    write_packets(o, FROM + 10 * 2880 + 48000, 10, 2880, 12000); /* a second of nothing */
    write_packets(o, FROM + 20 * 2880 + 96000, 10, 960, 64000);  /* and another */
    assert_int_equal(ogg_out_close(o, &err), 0);
    file = read_ogg();
    assert_int_equal(file.packets, 30 + 100);
    assert_int_equal(file.fillers, 100);
    assert_int_equal(file.granule, 20 * 2880 + 96000 + 10 * 960);
}

static void an_ogg_file_that_is_cut_off_plays_to_its_last_page(void **state)
{
    struct ogg_file file;
    struct ogg_out *o;
    struct err err;

    (void)state;
    o = ogg_out_open(path, &err);
    assert_non_null(o);
    write_packets(o, FROM, 175, 960, 32000);
    file = read_ogg(); /* as it stands now, unfinished */
    assert_in_range(file.packets, 150, 174);
    assert_int_equal(ogg_out_close(o, &err), 0);
}

static void a_stay_without_sound_makes_a_valid_ogg_file(void **state)
{
    struct ogg_out *o;
    struct err err;

    (void)state;
    o = ogg_out_open(path, &err);
    assert_non_null(o);
    assert_int_equal(ogg_out_close(o, &err), 0);
    assert_int_equal(read_ogg().packets, 0);
}

static void an_ogg_file_that_cannot_be_written_is_named(void **state)
{
    struct err err;

    (void)state;
    assert_null(ogg_out_open("/nonexistent/x.opus", &err));
    assert_int_equal(err.code, ERR_DEVICE);
    assert_non_null(strstr(err.message, "/nonexistent/x.opus"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(an_ogg_file_holds_the_packets_and_skips_the_pre_roll),
        IN_FOLDER(a_gap_stays_as_long_as_it_was),
        IN_FOLDER(an_ogg_file_that_is_cut_off_plays_to_its_last_page),
        IN_FOLDER(a_stay_without_sound_makes_a_valid_ogg_file),
        cmocka_unit_test(an_ogg_file_that_cannot_be_written_is_named),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
