/* thread.c - how the threads of net/ start (see net/thread.h) */
#include "net/thread.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
    char name[16];
    sigset_t blocked;
    int nice;
};

static void *look(void *arg)
{
    struct seen *s = arg;

    pthread_getname_np(pthread_self(), s->name, sizeof s->name);
    pthread_sigmask(SIG_SETMASK, NULL, &s->blocked);
    s->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
    return s;
}

static void a_thread_has_its_name_its_priority_and_no_signals(void **state)
{
    struct seen s = {.nice = 99};
    sigset_t before, after;
    pthread_t thread;
    void *result;
    int own = getpriority(PRIO_PROCESS, 0);

    (void)state;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    assert_int_equal(thread_start(&thread, "a-name-too-long-for-it", own + 1, look, &s, NULL), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &s);
    assert_string_equal(s.name, "a-name-too-long");
    assert_int_equal(s.nice, own + 1);
    assert_true(sigismember(&s.blocked, SIGTERM) && sigismember(&s.blocked, SIGINT) &&
                sigismember(&s.blocked, SIGPIPE));
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int n = 1; n < 32; n++)
        assert_int_equal(sigismember(&before, n), sigismember(&after, n));
    assert_int_equal(getpriority(PRIO_PROCESS, 0), own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_its_name_its_priority_and_no_signals),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
