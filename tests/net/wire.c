#include "net/wire.h"

#include "tests/net/hex.h"

static void numbers_are_written_and_read_most_significant_byte_first(void **state)
{
    uint8_t b[15];
    struct wire_writer w;
    struct wire_reader r;

    (void)state;
    wr_init(&w, b, sizeof b);
    wr_u8(&w, 0x01);
    wr_u16(&w, 0x0203);
    wr_u32(&w, 0x04050607);
    wr_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
    assert_false(w.fail);
    assert_int_equal(w.left, 0);
    for (unsigned i = 0; i < sizeof b; i++)
        assert_int_equal(b[i], i + 1);

    rd_init(&r, b, sizeof b);
    assert_int_equal(rd_u8(&r), 0x01);
    assert_int_equal(rd_u16(&r), 0x0203);
    assert_int_equal(rd_u32(&r), 0x04050607);
    assert_int_equal(rd_u64(&r), UINT64_C(0x08090a0b0c0d0e0f));
    assert_false(r.fail);
    assert_int_equal(r.left, 0);
}

static void a_short_read_yields_zeros_and_fails_for_good(void **state)
{
    uint8_t b[4] = {1, 2, 3, 4}, out[3] = {9, 9, 9};
    struct wire_reader r;
    size_t len = 7;

    (void)state;
    rd_init(&r, b, 2);
    assert_int_equal(rd_u32(&r), 0);
    assert_true(r.fail);
    assert_int_equal(rd_u8(&r), 0);
    rd_bytes(&r, out, sizeof out);
    assert_memory_equal(out, "\0\0\0", 3);
    rd_rest(&r, &len);
    assert_int_equal(len, 0);
}

static void a_writer_that_runs_out_of_room_writes_nothing_more(void **state)
{
    uint8_t b[4] = {0};
    struct wire_writer w;

    (void)state;
    wr_init(&w, b, 3);
    wr_u16(&w, 0x0102);
    wr_u16(&w, 0x0304);
    wr_u8(&w, 0x05);
    wr_bytes(&w, "x", 1);
    assert_true(w.fail);
    assert_memory_equal(b, "\1\2\0\0", 4);
}

static void speech_survives_the_way_there_and_back(void **state)
{
    struct packet in = {.sequence = 0xfffe, .timestamp = 0xdeadbeef, .flags = PACKET_VOICE | PACKET_PAUSE};
    struct packet out = {.arrived_ns = 5, .source = 6};
    uint8_t b[WIRE_DATAGRAM_MAX];
    struct wire_writer w;
    struct wire_reader r;

    (void)state;
    in.opus_bytes = PACKET_OPUS_MAX_BYTES;
    memset(in.opus, 0x5a, sizeof in.opus);
    wr_init(&w, b, sizeof b);
    assert_true(wire_write_speech(&w, &in));
    assert_int_equal(sizeof b - w.left, 7 + PACKET_OPUS_MAX_BYTES);
    assert_hex(b, 9, "01 fffe deadbeef 5a5a");
    rd_init(&r, b, sizeof b - w.left);
    assert_true(wire_read_speech(&r, &out));
    assert_int_equal(out.flags, PACKET_VOICE);
    assert_int_equal(out.sequence, in.sequence);
    assert_int_equal(out.timestamp, in.timestamp);
    assert_int_equal(out.opus_bytes, in.opus_bytes);
    assert_memory_equal(out.opus, in.opus, sizeof in.opus);
    assert_int_equal(out.arrived_ns, 5);
    assert_int_equal(out.source, 6);
}

static void flags_of_versions_to_come_are_ignored(void **state)
{
    static const uint8_t b[] = {0xff, 0, 1, 0, 0, 0, 2, 0x78}, stream[] = {0x38, 0, 1, 0x78};
    struct packet p;
    struct tape_packet t;
    struct wire_reader r;

    (void)state;
    rd_init(&r, b, sizeof b);
    assert_true(wire_read_speech(&r, &p));
    assert_int_equal(p.flags, PACKET_VOICE);
    rd_init(&r, stream, sizeof stream);
    assert_true(wire_read_stream(&r, &t, 0));
    assert_int_equal(t.flags, 0);
}

static void speech_without_sound_or_with_too_much_is_refused(void **state)
{
    uint8_t b[WIRE_DATAGRAM_MAX] = {0};
    struct packet p = {.opus_bytes = 0};
    struct wire_writer w;
    struct wire_reader r;

    (void)state;
    for (size_t len = 0; len <= 7; len++) {
        rd_init(&r, b, len);
        assert_false(wire_read_speech(&r, &p));
    }
    rd_init(&r, b, 7 + PACKET_OPUS_MAX_BYTES + 1);
    assert_false(wire_read_speech(&r, &p));

    wr_init(&w, b, sizeof b);
    p.opus_bytes = 0;
    assert_false(wire_write_speech(&w, &p));
    p.opus_bytes = PACKET_OPUS_MAX_BYTES + 1;
    assert_false(wire_write_speech(&w, &p));
    wr_init(&w, b, 10);
    p.opus_bytes = 4;
    assert_false(wire_write_speech(&w, &p));
}

static void a_stream_packet_survives_the_way_there_and_back(void **state)
{
    struct tape_packet in = {
        .position = UINT64_C(70000) * 120,
        .flags = TAPE_PAUSE | TAPE_HANDOVER,
        .talker_count = TAPE_TALKERS_MAX,
        .talkers = {0, 1, 2, 31, 30, 29, 28},
        .opus_bytes = 3,
        .opus = {0x08, 0xaa, 0xbb}, /* SILK narrow band, 20 ms, one frame */
    };
    struct tape_packet out = {.number = 7, .epoch = 8, .own_strips = 9};
    uint8_t b[64];
    struct wire_writer w;
    struct wire_reader r;

    (void)state;
    wr_init(&w, b, sizeof b);
    assert_true(wire_write_stream(&w, &in));
    assert_hex(b, sizeof b - w.left, "c7 1170 0001021f1e1d1c 08aabb"); /* 70000 mod 65536 = 0x1170 */
    rd_init(&r, b, sizeof b - w.left);
    assert_true(wire_read_stream(&r, &out, in.position + 4800));
    assert_int_equal(out.position, in.position);
    assert_int_equal(out.flags, in.flags);
    assert_int_equal(out.talker_count, in.talker_count);
    assert_memory_equal(out.talkers, in.talkers, sizeof in.talkers);
    assert_int_equal(out.duration_samples, 960);
    assert_int_equal(out.opus_bytes, 3);
    assert_memory_equal(out.opus, in.opus, 3);
    assert_int_equal(out.number, 7);
    assert_int_equal(out.epoch, 8);
    assert_int_equal(out.own_strips, 9);
}

static bool read_with_opus(struct tape_packet *p, const uint8_t *opus, size_t len)
{
    uint8_t b[16] = {0};
    struct wire_reader r;

    memcpy(b + 3, opus, len);
    rd_init(&r, b, 3 + len);
    return wire_read_stream(&r, p, 0);
}

static void the_length_in_samples_is_read_from_the_opus_packet(void **state)
{
    /* RFC 6716, table 2: configuration in the upper five bits; lower two bits: 1, 2, 2 or the given number of frames */
    static const struct {
        uint8_t opus[2];
        unsigned samples;
    } cases[] = {
        {{0 << 3, 0}, 480},      {{3 << 3, 0}, 2880},       {{11 << 3 | 1, 0}, 5760},
        {{12 << 3, 0}, 480},     {{15 << 3 | 2, 0}, 1920},  {{16 << 3, 0}, 120},
        {{19 << 3 | 4, 0}, 960}, {{28 << 3 | 3, 48}, 5760}, {{31 << 3 | 3, 0x80 | 0x40 | 6}, 5760},
    };
    static const uint8_t none[2] = {31 << 3 | 3, 0}, too_long[2] = {31 << 3 | 3, 7};
    struct tape_packet p;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(read_with_opus(&p, cases[i].opus, 2));
        assert_int_equal(p.duration_samples, cases[i].samples);
    }
    assert_false(read_with_opus(&p, none, 2));
    assert_false(read_with_opus(&p, too_long, 2));
    assert_false(read_with_opus(&p, none, 1));
}

static void a_stream_packet_cut_short_is_refused(void **state)
{
    static const uint8_t b[] = {0x03, 0x00, 0x01, 4, 5, 6, 0x08};
    struct tape_packet p;
    struct wire_reader r;

    (void)state;
    for (size_t len = 0; len < sizeof b; len++) {
        rd_init(&r, b, len);
        assert_false(wire_read_stream(&r, &p, 0));
    }
    rd_init(&r, b, sizeof b);
    assert_true(wire_read_stream(&r, &p, 0));
}

static void a_stream_packet_that_does_not_fit_is_not_written(void **state)
{
    struct tape_packet p = {.opus_bytes = 10, .talker_count = 2};
    uint8_t b[14];
    struct wire_writer w;

    (void)state;
    wr_init(&w, b, sizeof b);
    assert_false(wire_write_stream(&w, &p));
    p.opus_bytes = 9;
    wr_init(&w, b, sizeof b);
    assert_true(wire_write_stream(&w, &p));
    p.talker_count = TAPE_TALKERS_MAX + 1;
    wr_init(&w, b, sizeof b);
    assert_false(wire_write_stream(&w, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_and_read_most_significant_byte_first),
        cmocka_unit_test(a_short_read_yields_zeros_and_fails_for_good),
        cmocka_unit_test(a_writer_that_runs_out_of_room_writes_nothing_more),
        cmocka_unit_test(speech_survives_the_way_there_and_back),
        cmocka_unit_test(flags_of_versions_to_come_are_ignored),
        cmocka_unit_test(speech_without_sound_or_with_too_much_is_refused),
        cmocka_unit_test(a_stream_packet_survives_the_way_there_and_back),
        cmocka_unit_test(the_length_in_samples_is_read_from_the_opus_packet),
        cmocka_unit_test(a_stream_packet_cut_short_is_refused),
        cmocka_unit_test(a_stream_packet_that_does_not_fit_is_not_written),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/wire", tests, NULL, NULL);
}
