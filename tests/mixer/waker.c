/* waker.c - tests of mixer/waker.h */
#include "mixer/waker.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

/* A lost wake-up shows as this much of waiting, which no scheduler needs. */
#define LOST_NS 20000000000ull
#define LOST_MS 20000
#define ROUNDS  20000

static void test_time_out(void **state)
{
    struct waker w;
    uint32_t seen;

    (void)state;
    waker_init(&w, -1);
    assert_false(waker_is_asleep(&w));
    seen = waker_prepare(&w);
    assert_true(waker_is_asleep(&w));
    assert_false(waker_wait(&w, seen, 1000000));
    waker_done(&w);
    assert_false(waker_is_asleep(&w));
}

static void test_woken_before_sleep(void **state)
{
    struct waker w;
    uint32_t seen;

    (void)state;
    waker_init(&w, -1);
    seen = waker_prepare(&w);
    waker_wake(&w);
    assert_true(waker_wait(&w, seen, LOST_NS));
    waker_done(&w);
}

static void test_awake(void **state)
{
    struct waker w;
    uint32_t seen;

    (void)state;
    waker_init(&w, -1);
    seen = atomic_load(&w.wakes);
    waker_wake(&w);
    assert_int_equal(atomic_load(&w.wakes), seen);
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, timeout_ms) == 1;
}

static void test_eventfd_once(void **state)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    eventfd_t count;
    struct waker w;

    (void)state;
    assert_true(fd >= 0);
    waker_init(&w, fd);
    waker_drain(&w);
    assert_false(readable(fd, 0));
    for (int i = 0; i < 5; i++)
        waker_wake(&w);
    assert_true(readable(fd, 0));
    assert_int_equal(eventfd_read(fd, &count), 0);
    assert_int_equal(count, 1);
    waker_wake(&w);
    assert_false(readable(fd, 0));
    waker_drain(&w);
    waker_wake(&w);
    assert_true(readable(fd, 0));
    waker_drain(&w);
    assert_false(readable(fd, 0));
    close(fd);
}

/* Two threads throw a ball to and fro; each sleeps until it has come. `ball` is the work that a lost wake-up hides. */
struct court {
    struct waker waker[2];
    _Atomic uint32_t ball;
    _Atomic int lost;
};

static bool sleep_on_futex(struct waker *w, const _Atomic uint32_t *ball, uint32_t want)
{
    while (atomic_load_explicit(ball, memory_order_relaxed) < want) {
        uint32_t seen = waker_prepare(w);
        bool woken = true;

        if (atomic_load_explicit(ball, memory_order_relaxed) < want)
            woken = waker_wait(w, seen, LOST_NS);
        waker_done(w);
        if (!woken)
            return false;
    }
    return true;
}

static bool sleep_on_eventfd(struct waker *w, const _Atomic uint32_t *ball, uint32_t want)
{
    while (atomic_load_explicit(ball, memory_order_relaxed) < want) {
        if (!readable(w->event_fd, LOST_MS))
            return false;
        waker_drain(w);
    }
    return true;
}

static void play(struct court *c, unsigned side)
{
    struct waker *mine = &c->waker[side], *theirs = &c->waker[1 - side];

    for (uint32_t i = side; i < 2 * ROUNDS; i += 2) {
        bool came = mine->event_fd >= 0 ? sleep_on_eventfd(mine, &c->ball, i) : sleep_on_futex(mine, &c->ball, i);

        if (!came) {
            atomic_store(&c->lost, 1);
            return;
        }
        /* The ball itself carries no order, so that only the waker's does. */
        atomic_store_explicit(&c->ball, i + 1, memory_order_relaxed);
        waker_wake(theirs);
        waker_wake(theirs); /* as a second producer might, at any moment of the sleeper's waking up */
    }
}

static void *play_second(void *arg)
{
    play(arg, 1);
    return NULL;
}

static void ping_pong(int fd0, int fd1)
{
    struct court c = {.ball = 0};
    pthread_t second;

    waker_init(&c.waker[0], fd0);
    waker_init(&c.waker[1], fd1);
    assert_int_equal(pthread_create(&second, NULL, play_second, &c), 0);
    play(&c, 0);
    assert_int_equal(pthread_join(second, NULL), 0);
    assert_int_equal(atomic_load(&c.lost), 0);
    assert_int_equal(atomic_load(&c.ball), 2 * ROUNDS);
}

static void test_ping_pong_futex(void **state)
{
    (void)state;
    ping_pong(-1, -1);
}

static void test_ping_pong_eventfd(void **state)
{
    int fd0 = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), fd1 = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    (void)state;
    assert_true(fd0 >= 0 && fd1 >= 0);
    ping_pong(fd0, fd1);
    close(fd0);
    close(fd1);
}

/* A producer that never waits: whatever it lays down last must reach the consumer. */
static void *pour(void *arg)
{
    struct court *c = arg;

    for (uint32_t i = 1; i <= ROUNDS; i++) {
        atomic_store_explicit(&c->ball, i, memory_order_relaxed);
        waker_wake(&c->waker[0]);
    }
    return NULL;
}

static void pour_into(int fd)
{
    struct court c = {.ball = 0};
    pthread_t producer;

    waker_init(&c.waker[0], fd);
    assert_int_equal(pthread_create(&producer, NULL, pour, &c), 0);
    for (uint32_t seen = 0; seen < ROUNDS; seen = atomic_load(&c.ball))
        assert_true(fd >= 0 ? sleep_on_eventfd(&c.waker[0], &c.ball, seen + 1)
                            : sleep_on_futex(&c.waker[0], &c.ball, seen + 1));
    assert_int_equal(pthread_join(producer, NULL), 0);
}

static void test_pour_futex(void **state)
{
    (void)state;
    pour_into(-1);
}

static void test_pour_eventfd(void **state)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    pour_into(fd);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a sleeper that nobody wakes returns when its time is out", test_time_out, NULL, NULL, NULL},
        {"a wake between announcing and sleeping is not lost", test_woken_before_sleep, NULL, NULL, NULL},
        {"waking who is awake makes no system call", test_awake, NULL, NULL, NULL},
        {"an eventfd is written once until it is drained", test_eventfd_once, NULL, NULL, NULL},
        {"two threads that wake each other by futex lose no wake-up", test_ping_pong_futex, NULL, NULL, NULL},
        {"two threads that wake each other by eventfd lose no wake-up", test_ping_pong_eventfd, NULL, NULL, NULL},
        {"what a busy producer lays down last reaches a futex sleeper", test_pour_futex, NULL, NULL, NULL},
        {"what a busy producer lays down last reaches an eventfd sleeper", test_pour_eventfd, NULL, NULL, NULL},
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("waker", tests, NULL, NULL);
}
