/* rt_trap_check.c - tests of tests/rt_trap.c: does the trap spring, and only then?
 *
 * The program runs itself again with the trap preloaded. Each call to be trapped is made in a child of its own, which
 * must die of it and name it; what the tick really does must pass.
 */
#include "mixer/decode.h"
#include "mixer/jitter.h"
#include "mixer/ring.h"
#include "mixer/rt.h"
#include "mixer/tape.h"
#include "mixer/waker.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define PRELOAD "LD_PRELOAD"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static void *volatile block; /* volatile, so that no call is optimised away */
static volatile ssize_t result;

static void call_malloc(void)
{
    block = malloc(10);
}

static void call_calloc(void)
{
    block = calloc(10, 10);
}

static void call_realloc(void)
{
    block = realloc(block, 20);
}

static void call_free(void)
{
    free(block);
}

static void call_aligned_alloc(void)
{
    block = aligned_alloc(64, 64);
}

static void call_posix_memalign(void)
{
    void *p = NULL;

    result = posix_memalign(&p, 64, 64);
    block = p;
}

/* libc's own call of malloc(). */
static void call_strdup(void)
{
    block = strdup("borrowed");
}

static void call_mmap(void)
{
    block = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void call_munmap(void)
{
    result = munmap(NULL, 4096);
}

static void call_mutex_lock(void)
{
    result = pthread_mutex_lock(&mutex);
}

static void call_cond_wait(void)
{
    result = pthread_cond_wait(&cond, &mutex);
}

static void call_rwlock_rdlock(void)
{
    result = pthread_rwlock_rdlock(&rwlock);
}

static void call_rwlock_wrlock(void)
{
    result = pthread_rwlock_wrlock(&rwlock);
}

static void call_open(void)
{
    result = open("/dev/null", O_RDONLY);
}

static void call_openat(void)
{
    result = openat(AT_FDCWD, "/dev/null", O_RDONLY);
}

static void call_fopen(void)
{
    block = fopen("/dev/null", "r");
}

static void call_read(void)
{
    char byte;

    result = read(-1, &byte, 1);
}

static void call_write(void)
{
    result = write(-1, "x", 1);
}

static void call_pread(void)
{
    char byte;

    result = pread(-1, &byte, 1, 0);
}

static void call_pwrite(void)
{
    result = pwrite(-1, "x", 1, 0);
}

static void call_fwrite(void)
{
    result = (ssize_t)fwrite("x", 1, 1, stdout);
}

static void call_printf(void)
{
    printf("%d", (int)result);
}

static void call_fprintf(void)
{
    fprintf(stderr, "%d", (int)result);
}

static void call_snprintf(void)
{
    char text[20];

    result = snprintf(text, sizeof text, "%d", (int)result);
}

static void call_fsync(void)
{
    result = fsync(-1);
}

static void call_syslog(void)
{
    syslog(LOG_INFO, "nothing");
}

static void call_socket(void)
{
    result = socket(AF_INET, SOCK_DGRAM, 0);
}

static void call_connect(void)
{
    struct sockaddr a = {.sa_family = AF_UNSPEC};

    result = connect(-1, &a, sizeof a);
}

static void call_sendto(void)
{
    result = sendto(-1, "x", 1, 0, NULL, 0);
}

static void call_sendmsg(void)
{
    struct msghdr m = {.msg_iovlen = 0};

    result = sendmsg(-1, &m, 0);
}

static void call_sendmmsg(void)
{
    struct mmsghdr m = {.msg_len = 0};

    result = sendmmsg(-1, &m, 1, 0);
}

static void call_recv(void)
{
    char byte;

    result = recv(-1, &byte, 1, 0);
}

static void call_recvmmsg(void)
{
    struct mmsghdr m = {.msg_len = 0};

    result = recvmmsg(-1, &m, 1, 0, NULL);
}

static void call_usleep(void)
{
    result = usleep(1);
}

static void call_nanosleep(void)
{
    struct timespec ts = {.tv_nsec = 1};

    result = nanosleep(&ts, NULL);
}

static void call_clock_nanosleep(void)
{
    struct timespec ts = {.tv_nsec = 1};

    result = clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static const struct {
    const char *name;
    void (*call)(void);
} forbidden[] = {
    {"malloc", call_malloc},
    {"calloc", call_calloc},
    {"realloc", call_realloc},
    {"free", call_free},
    {"aligned_alloc", call_aligned_alloc},
    {"posix_memalign", call_posix_memalign},
    {"malloc", call_strdup},
    {"mmap", call_mmap},
    {"munmap", call_munmap},
    {"pthread_mutex_lock", call_mutex_lock},
    {"pthread_cond_wait", call_cond_wait},
    {"pthread_rwlock_rdlock", call_rwlock_rdlock},
    {"pthread_rwlock_wrlock", call_rwlock_wrlock},
    {"open", call_open},
    {"openat", call_openat},
    {"fopen", call_fopen},
    {"read", call_read},
    {"write", call_write},
    {"pread", call_pread},
    {"pwrite", call_pwrite},
    {"fwrite", call_fwrite},
    {"printf", call_printf},
    {"fprintf", call_fprintf},
    {"snprintf", call_snprintf},
    {"fsync", call_fsync},
    {"syslog", call_syslog},
    {"socket", call_socket},
    {"connect", call_connect},
    {"sendto", call_sendto},
    {"sendmsg", call_sendmsg},
    {"sendmmsg", call_sendmmsg},
    {"recv", call_recv},
    {"recvmmsg", call_recvmmsg},
    {"usleep", call_usleep},
    {"nanosleep", call_nanosleep},
    {"clock_nanosleep", call_clock_nanosleep},
};

/* Runs body in a child. Returns its wait status and what it wrote to standard error. */
static int run_child(void (*body)(void), bool on_tick, char *heard, size_t heard_bytes)
{
    const struct rlimit no_core = {0, 0};
    int pipe_fd[2], status;
    size_t length = 0;
    pid_t child;

    assert_int_equal(pipe(pipe_fd), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setrlimit(RLIMIT_CORE, &no_core) != 0 || dup2(pipe_fd[1], STDERR_FILENO) < 0 ||
            dup2(pipe_fd[1], STDOUT_FILENO) < 0)
            _exit(99);
        signal(SIGABRT, SIG_DFL);
        if (on_tick)
            rt_enter();
        body();
        if (on_tick)
            rt_leave();
        _exit(0);
    }
    close(pipe_fd[1]);
    for (;;) {
        ssize_t n = read(pipe_fd[0], heard + length, heard_bytes - 1 - length);

        if (n <= 0)
            break;
        length += (size_t)n;
    }
    heard[length] = '\0';
    close(pipe_fd[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_forbidden(void **state)
{
    char heard[512], want[128];

    (void)state;
    for (unsigned i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        int status = run_child(forbidden[i].call, true, heard, sizeof heard);

        snprintf(want, sizeof want, "rt_trap: %s() called between rt_enter() and rt_leave()", forbidden[i].name);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || strncmp(heard, want, strlen(want)) != 0)
            fail_msg("%s: status %#x, heard \"%s\"", forbidden[i].name, (unsigned)status, heard);
    }
}

static void call_outside(void)
{
    rt_enter();
    rt_enter();
    rt_leave();
    rt_leave();
    call_malloc();
    call_free();
    call_mutex_lock();
    call_write();
    call_open();
    call_snprintf();
    call_nanosleep();
}

static void test_outside(void **state)
{
    char heard[512];

    (void)state;
    assert_int_equal(run_child(call_outside, false, heard, sizeof heard), 0);
    assert_string_equal(heard, "");
}

static void *allocate(void *arg)
{
    _Atomic int *step = arg;

    while (atomic_load(step) == 0)
        sched_yield();
    call_malloc();
    call_free();
    atomic_store(step, 2);
    return NULL;
}

/* The depth is a thread's own: while one ticks, another may allocate. */
static void allocate_beside_tick(void)
{
    _Atomic int step = 0;
    pthread_t other;

    if (pthread_create(&other, NULL, allocate, &step) != 0)
        _exit(98);
    rt_enter();
    atomic_store(&step, 1);
    while (atomic_load(&step) != 2)
        sched_yield();
    rt_leave();
    if (pthread_join(other, NULL) != 0)
        _exit(97);
}

static void test_other_thread(void **state)
{
    char heard[512];

    (void)state;
    assert_int_equal(run_child(allocate_beside_tick, false, heard, sizeof heard), 0);
    assert_string_equal(heard, "");
}

/* What a tick is made of, with everything made before it. */
static void tick(void)
{
    struct jitter_config config = {.start_packets = 1, .capacity = 8, .max_ms = 500};
    struct packet packet = {.source = 1, .opus_bytes = 3, .opus = {31 << 3}}, out;
    int event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct tape_packet made = {.opus_bytes = 100}, kept;
    struct ring *ring = ring_new(4, sizeof packet);
    struct tape *tape = tape_new(8, 4096, 0);
    struct jitter *jitter = jitter_new(&config);
    struct decode *decode = decode_new(1);
    static float pcm[DECODE_MAX_SAMPLES];
    struct waker on_futex, on_event_fd;
    unsigned samples;

    if (event_fd < 0 || ring == NULL || tape == NULL || jitter == NULL || decode == NULL)
        _exit(98);
    waker_init(&on_futex, -1);
    waker_init(&on_event_fd, event_fd);
    waker_prepare(&on_futex); /* announced, so that waking it makes its system call */

    rt_enter();
    for (unsigned i = 0; i < 100; i++) {
        enum jitter_action action;

        packet.sequence = (uint16_t)i;
        packet.timestamp = i * 960;
        ring_push(ring, &packet, sizeof packet);
        ring_pop(ring, &out);
        if (i % 10 != 9)
            jitter_put(jitter, &out);
        action = jitter_take(jitter, 960, &out, &samples);
        decode_run(decode, action, &out, samples, pcm);
        tape_append(tape, &made);
        tape_read(tape, tape_seek(tape, 0), &kept);
        waker_wake(&on_futex);
        waker_wake(&on_event_fd);
    }
    rt_leave();

    if (waker_is_asleep(&on_futex) || waker_is_asleep(&on_event_fd))
        _exit(97);
    decode_free(decode);
    jitter_free(jitter);
    tape_free(tape);
    ring_free(ring);
    close(event_fd);
}

static void test_tick(void **state)
{
    char heard[512];

    (void)state;
    assert_int_equal(run_child(tick, false, heard, sizeof heard), 0);
    assert_string_equal(heard, "");
}

/* Comes back only when it can't: the trap lies one folder above this program. */
static int run_again_trapped(char **argv)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    char *end;

    for (int up = 0; up < 2; up++) {
        if (length <= 0 || length >= (ssize_t)sizeof path - 20)
            return -1;
        path[length] = '\0';
        end = strrchr(path, '/');
        if (end == NULL)
            return -1;
        length = end - path;
    }
    memcpy(path + length, "/rt_trap.so", sizeof "/rt_trap.so");
    if (access(path, R_OK) != 0 || setenv(PRELOAD, path, 1) != 0)
        return -1;
    return execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        {"allocation, locks, sleep and I/O abort on the tick and are named", test_forbidden, NULL, NULL, NULL},
        {"the same calls pass outside the tick", test_outside, NULL, NULL, NULL},
        {"the same calls pass on another thread beside the tick", test_other_thread, NULL, NULL, NULL},
        {"rings, tapes, wakers, jitter buffer and decoder pass on the tick", test_tick, NULL, NULL, NULL},
    };
    const char *preload = getenv(PRELOAD);

    (void)argc;
    if (SANITIZED) {
        printf("1..0 # SKIP a sanitizer has to be the first library and stands before these functions itself\n");
        return 0;
    }
    if (preload == NULL || strstr(preload, "rt_trap.so") == NULL) {
        run_again_trapped(argv);
        fprintf(stderr, "rt_trap_check: can't run with rt_trap.so preloaded; build it beside the tests\n");
        return 1;
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("rt_trap", tests, NULL, NULL);
}
