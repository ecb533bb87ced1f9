/* tape.c - tests of mixer/tape.h */
#include "mixer/tape.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A packet whose every field and byte follows from its number, so that a mixture of two shows. */
static void make_packet(struct tape_packet *p, uint64_t number)
{
    uint32_t seed = (uint32_t)number * 2654435761u + 12345u;

    memset(p, 0xee, sizeof *p);
    p->number = number;
    p->position = number * 960;
    p->epoch = number / 100;
    p->own_strips = seed;
    p->opus_bytes = (uint16_t)(seed % (PACKET_OPUS_MAX_BYTES + 1));
    p->duration_samples = 960;
    p->flags = (uint8_t)(seed >> 8);
    p->talker_count = (uint8_t)(seed % (TAPE_TALKERS_MAX + 1));
    for (unsigned i = 0; i < TAPE_TALKERS_MAX; i++)
        p->talkers[i] = (uint8_t)(seed >> i);
    for (unsigned i = 0; i < p->opus_bytes; i++)
        p->opus[i] = (uint8_t)(seed >> (i % 24)) ^ (uint8_t)i;
}

static bool is_whole(const struct tape_packet *p, uint64_t number)
{
    struct tape_packet want;

    make_packet(&want, number);
    return p->opus_bytes == want.opus_bytes &&
           memcmp(p, &want, offsetof(struct tape_packet, opus) + want.opus_bytes) == 0;
}

static void append(struct tape *t, uint64_t number)
{
    struct tape_packet p;

    make_packet(&p, number);
    p.number = 0;
    assert_int_equal(tape_append(t, &p), number);
}

static void test_range(void **state)
{
    (void)state;
    assert_null(tape_new(0, 4096, 0));
    assert_null(tape_new(6, 4096, 0));
    assert_null(tape_new(8, 1024, 0));
    assert_null(tape_new(8, 5000, 0));
    tape_free(NULL);
}

static void test_numbers(void **state)
{
    struct tape *t = tape_new(8, 16384, 1000);
    struct tape_packet p;

    (void)state;
    assert_int_equal(tape_next(t), 1000);
    assert_int_equal(tape_oldest(t), 1000);
    assert_int_equal(tape_read(t, 1000, &p), -EAGAIN);
    assert_int_equal(tape_read(t, 999, &p), -ESTALE);
    append(t, 1000);
    append(t, 1001);
    assert_int_equal(tape_next(t), 1002);
    assert_int_equal(tape_read(t, 1000, &p), 0);
    assert_true(is_whole(&p, 1000));
    assert_int_equal(tape_read(t, 1001, &p), 0);
    assert_true(is_whole(&p, 1001));
    assert_int_equal(tape_read(t, 1002, &p), -EAGAIN);
    tape_free(t);
}

/* After each append everything from tape_oldest() on is whole, and what lies before is refused. */
static void check_kept(const struct tape *t)
{
    uint64_t oldest = tape_oldest(t), next = tape_next(t);
    struct tape_packet p;

    for (uint64_t n = oldest; n < next; n++) {
        assert_int_equal(tape_read(t, n, &p), 0);
        assert_true(is_whole(&p, n));
    }
    if (oldest > 0)
        assert_int_equal(tape_read(t, oldest - 1, &p), -ESTALE);
}

static void test_bound_packets(void **state)
{
    struct tape *t = tape_new(8, 65536, 0);

    (void)state;
    for (uint64_t n = 0; n < 100; n++) {
        append(t, n);
        check_kept(t);
    }
    assert_int_equal(tape_oldest(t), 92);
    tape_free(t);
}

static void test_bound_bytes(void **state)
{
    struct tape *t = tape_new(1024, 4096, 0);

    (void)state;
    for (uint64_t n = 0; n < 1000; n++) {
        append(t, n);
        assert_true(tape_oldest(t) <= n);
        check_kept(t);
    }
    /* Kept are no more than fit, and no fewer than must: 3 of the largest, as a record is at most 1,320 bytes. */
    assert_true(tape_next(t) - tape_oldest(t) >= 3);
    tape_free(t);
}

static void test_too_long(void **state)
{
    struct tape *t = tape_new(8, 4096, 0);
    struct tape_packet p;

    (void)state;
    make_packet(&p, 0);
    p.opus_bytes = PACKET_OPUS_MAX_BYTES + 1;
    assert_int_equal(tape_append(t, &p), 0);
    assert_int_equal(tape_read(t, 0, &p), 0);
    assert_int_equal(p.opus_bytes, 0);
    tape_free(t);
}

static void test_seek(void **state)
{
    struct tape *t = tape_new(8, 65536, 100);

    (void)state;
    assert_int_equal(tape_seek(t, 0), 100);
    for (uint64_t n = 100; n < 113; n++)
        append(t, n);
    assert_int_equal(tape_oldest(t), 105);
    assert_int_equal(tape_seek(t, 0), 105);
    assert_int_equal(tape_seek(t, 105 * 960), 105);
    assert_int_equal(tape_seek(t, 105 * 960 + 1), 106);
    assert_int_equal(tape_seek(t, 108 * 960), 108);
    assert_int_equal(tape_seek(t, 112 * 960), 112);
    assert_int_equal(tape_seek(t, 112 * 960 + 1), 113);
    assert_int_equal(tape_seek(t, UINT64_MAX), 113);
    tape_free(t);
}

static void test_names(void **state)
{
    (void)state;
    for (int s = 0; s < STREAM_TIERS; s++)
        assert_int_equal(stream_by_name(stream_name((enum stream)s)), s);
    assert_int_equal(stream_by_name("low"), STREAM_LOW);
    assert_int_equal(stream_by_name("own"), -1);
    assert_int_equal(stream_by_name(""), -1);
    assert_string_equal(stream_name(STREAM_OWN), "own");
    assert_null(stream_name((enum stream)5));
}

/* The producer never waits; the reader is slower, falls behind over and over and goes on from the oldest kept. */
enum { STRESS_PACKETS = 30000 };

struct stress {
    struct tape *tape;
    _Atomic uint64_t read, stale, torn, sought_wrong;
    _Atomic bool over;
};

static void *write_tape(void *arg)
{
    struct stress *s = arg;
    struct tape_packet p;

    for (uint64_t n = 0; n < STRESS_PACKETS; n++) {
        make_packet(&p, n);
        tape_append(s->tape, &p);
        if (n % 1000 == 0)
            sched_yield();
    }
    atomic_store(&s->over, true);
    return NULL;
}

static void *read_tape(void *arg)
{
    struct stress *s = arg;
    struct tape_packet p;
    uint64_t number = 0;

    while (!atomic_load(&s->over) || number < tape_next(s->tape)) {
        int rc = tape_read(s->tape, number, &p);

        if (rc == -EAGAIN) {
            sched_yield();
            continue;
        }
        if (rc == -ESTALE) {
            uint64_t oldest = tape_oldest(s->tape), sought = tape_seek(s->tape, oldest * 960);

            atomic_fetch_add(&s->stale, 1);
            if (sought < oldest || oldest <= number)
                atomic_fetch_add(&s->sought_wrong, 1);
            number = oldest;
            continue;
        }
        atomic_fetch_add(&s->read, 1);
        if (rc != 0 || !is_whole(&p, number))
            atomic_fetch_add(&s->torn, 1);
        number++;
    }
    return NULL;
}

static void test_lagging_readers(void **state)
{
    struct stress s = {.tape = tape_new(4, 4096, 0)};
    pthread_t writer, reader[2];

    (void)state;
    assert_non_null(s.tape);
    assert_int_equal(pthread_create(&writer, NULL, write_tape, &s), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&reader[i], NULL, read_tape, &s), 0);
    assert_int_equal(pthread_join(writer, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(reader[i], NULL), 0);
    assert_int_equal(atomic_load(&s.torn), 0);
    assert_int_equal(atomic_load(&s.sought_wrong), 0);
    assert_true(atomic_load(&s.read) > 0);
    assert_true(atomic_load(&s.stale) > 0);
    tape_free(s.tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a tape holds a power of two of packets and of bytes", test_range, NULL, NULL, NULL},
        {"packets are numbered from where the last tape ended", test_numbers, NULL, NULL, NULL},
        {"a tape keeps the last packets, up to its number of them", test_bound_packets, NULL, NULL, NULL},
        {"a tape keeps the last packets, up to its bytes", test_bound_bytes, NULL, NULL, NULL},
        {"a packet longer than Opus allows keeps its number but no sound", test_too_long, NULL, NULL, NULL},
        {"seeking finds the oldest kept packet at or after a position", test_seek, NULL, NULL, NULL},
        {"streams have names, and a tier is found by its name", test_names, NULL, NULL, NULL},
        {"a reader that lags sees stale packets, never torn ones", test_lagging_readers, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("tape", tests, NULL, NULL);
}
