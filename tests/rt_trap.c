/* rt_trap.c - aborts when the tick does what it must not
 *
 * A shared library to preload. It stands before libc's functions that allocate, wait for a lock, sleep, or do I/O, and
 * lets them through except between rt_enter() and rt_leave() on the calling thread: there it says on standard error
 * which function was called from where, and aborts. The one wake that the tick is allowed passes, as it goes to the
 * kernel by syscall(SYS_futex) or by eventfd_write(), neither of which is trapped.
 *
 * The depth is the program's own rt_depth (mixer/rt.h): the definition below gives way to it, provided that the program
 * was linked with -rdynamic. In programs without it (a shell, on the way to the one under test) nothing is trapped.
 *
 * Allocation goes to glibc's own names for it, since dlsym() may allocate itself; the rest is looked up by dlsym(), by
 * the constructor or by the first call before it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* Initial-exec: reading it never allocates. */
extern _Thread_local int rt_depth __attribute__((tls_model("initial-exec")));
_Thread_local int rt_depth __attribute__((weak)) = 0;

static void say(const char *text)
{
    /* Not write(): that is trapped. A failure can't be told to anyone. */
    (void)syscall(SYS_write, STDERR_FILENO, text, strlen(text));
}

static void check(const char *function, const void *caller)
{
    Dl_info where;

    if (rt_depth == 0)
        return;
    rt_depth = 0; /* whoever handles the signal may do as they like */
    say("rt_trap: ");
    say(function);
    say("() called between rt_enter() and rt_leave()");
    if (dladdr(caller, &where) != 0 && where.dli_sname != NULL) {
        say(", in ");
        say(where.dli_sname);
        say("()");
    }
    say("\n");
    abort();
}

#define CHECK(name) check(name, __builtin_return_address(0))

/* Allocation */

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t align, size_t bytes);
void __libc_free(void *block);

void *malloc(size_t bytes)
{
    CHECK("malloc");
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    CHECK("calloc");
    return __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    CHECK("realloc");
    return __libc_realloc(block, bytes);
}

void free(void *block)
{
    CHECK("free");
    __libc_free(block);
}

void *memalign(size_t align, size_t bytes)
{
    CHECK("memalign");
    return __libc_memalign(align, bytes);
}

void *aligned_alloc(size_t align, size_t bytes)
{
    CHECK("aligned_alloc");
    return __libc_memalign(align, bytes);
}

int posix_memalign(void **block, size_t align, size_t bytes)
{
    void *got;

    CHECK("posix_memalign");
    if (align == 0 || align % sizeof(void *) != 0 || (align & (align - 1)) != 0)
        return EINVAL;
    got = __libc_memalign(align, bytes);
    if (got == NULL)
        return ENOMEM;
    *block = got;
    return 0;
}

/* All that has a fixed number of arguments: TRAP(result, name, parameters, arguments). A parameter list is one macro
 * argument because of its parentheses. */

#define TRAPS                                                                                                          \
    TRAP(void *, mmap, (void *a, size_t n, int prot, int fl, int fd, off_t o), (a, n, prot, fl, fd, o))                \
    TRAP(void *, mmap64, (void *a, size_t n, int prot, int fl, int fd, off64_t o), (a, n, prot, fl, fd, o))            \
    TRAP(int, munmap, (void *a, size_t n), (a, n))                                                                     \
    TRAP(int, pthread_mutex_lock, (pthread_mutex_t * m), (m))                                                          \
    TRAP(int, pthread_mutex_timedlock, (pthread_mutex_t * m, const struct timespec *t), (m, t))                        \
    TRAP(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t * m), (c, m))                                    \
    TRAP(int, pthread_cond_timedwait, (pthread_cond_t * c, pthread_mutex_t * m, const struct timespec *t), (c, m, t))  \
    TRAP(int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))                                                      \
    TRAP(int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))                                                      \
    TRAP(int, pthread_rwlock_timedrdlock, (pthread_rwlock_t * l, const struct timespec *t), (l, t))                    \
    TRAP(int, pthread_rwlock_timedwrlock, (pthread_rwlock_t * l, const struct timespec *t), (l, t))                    \
    TRAP(int, pthread_barrier_wait, (pthread_barrier_t * b), (b))                                                      \
    TRAP(int, pthread_join, (pthread_t t, void **r), (t, r))                                                           \
    TRAP(int, sem_wait, (sem_t * s), (s))                                                                              \
    TRAP(int, sem_timedwait, (sem_t * s, const struct timespec *t), (s, t))                                            \
    TRAP(int, close, (int fd), (fd))                                                                                   \
    TRAP(ssize_t, read, (int fd, void *b, size_t n), (fd, b, n))                                                       \
    TRAP(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))                                                \
    TRAP(ssize_t, pread, (int fd, void *b, size_t n, off_t o), (fd, b, n, o))                                          \
    TRAP(ssize_t, pread64, (int fd, void *b, size_t n, off64_t o), (fd, b, n, o))                                      \
    TRAP(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))                                   \
    TRAP(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o))                               \
    TRAP(ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n))                                           \
    TRAP(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))                                          \
    TRAP(int, fsync, (int fd), (fd))                                                                                   \
    TRAP(int, fdatasync, (int fd), (fd))                                                                               \
    TRAP(FILE *, fopen, (const char *p, const char *m), (p, m))                                                        \
    TRAP(FILE *, fopen64, (const char *p, const char *m), (p, m))                                                      \
    TRAP(int, fclose, (FILE * f), (f))                                                                                 \
    TRAP(int, fflush, (FILE * f), (f))                                                                                 \
    TRAP(size_t, fread, (void *b, size_t s, size_t n, FILE *f), (b, s, n, f))                                          \
    TRAP(size_t, fwrite, (const void *b, size_t s, size_t n, FILE *f), (b, s, n, f))                                   \
    TRAP(int, fputs, (const char *t, FILE *f), (t, f))                                                                 \
    TRAP(int, fputc, (int c, FILE *f), (c, f))                                                                         \
    TRAP(int, puts, (const char *t), (t))                                                                              \
    TRAP(int, putchar, (int c), (c))                                                                                   \
    TRAP(int, vprintf, (const char *f, va_list a), (f, a))                                                             \
    TRAP(int, vfprintf, (FILE * s, const char *f, va_list a), (s, f, a))                                               \
    TRAP(int, vdprintf, (int fd, const char *f, va_list a), (fd, f, a))                                                \
    TRAP(int, vsnprintf, (char *b, size_t n, const char *f, va_list a), (b, n, f, a))                                  \
    TRAP(int, vasprintf, (char **b, const char *f, va_list a), (b, f, a))                                              \
    TRAP(int, socket, (int d, int t, int p), (d, t, p))                                                                \
    TRAP(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))                                    \
    TRAP(ssize_t, send, (int fd, const void *b, size_t n, int fl), (fd, b, n, fl))                                     \
    TRAP(ssize_t, sendto, (int fd, const void *b, size_t n, int fl, const struct sockaddr *a, socklen_t an),           \
         (fd, b, n, fl, a, an))                                                                                        \
    TRAP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int fl), (fd, m, fl))                                      \
    TRAP(int, sendmmsg, (int fd, struct mmsghdr *m, unsigned n, int fl), (fd, m, n, fl))                               \
    TRAP(ssize_t, recv, (int fd, void *b, size_t n, int fl), (fd, b, n, fl))                                           \
    TRAP(ssize_t, recvfrom, (int fd, void *b, size_t n, int fl, struct sockaddr *a, socklen_t *an),                    \
         (fd, b, n, fl, a, an))                                                                                        \
    TRAP(ssize_t, recvmsg, (int fd, struct msghdr *m, int fl), (fd, m, fl))                                            \
    TRAP(int, recvmmsg, (int fd, struct mmsghdr *m, unsigned n, int fl, struct timespec *t), (fd, m, n, fl, t))        \
    TRAP(int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))                                                 \
    TRAP(int, select, (int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *t), (n, r, w, e, t))                    \
    TRAP(int, epoll_wait, (int fd, struct epoll_event *e, int n, int ms), (fd, e, n, ms))                              \
    TRAP(unsigned, sleep, (unsigned s), (s))                                                                           \
    TRAP(int, usleep, (useconds_t us), (us))                                                                           \
    TRAP(int, nanosleep, (const struct timespec *t, struct timespec *r), (t, r))                                       \
    TRAP(int, clock_nanosleep, (clockid_t c, int fl, const struct timespec *t, struct timespec *r), (c, fl, t, r))

/* Those that return nothing or have variable arguments need bodies of their own; they end in one of these. */
static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static void (*real_vsyslog)(int, const char *, va_list);

/* NOLINTNEXTLINE(bugprone-macro-parentheses): these are declarations */
#define TRAP(result, name, parameters, arguments) static result(*real_##name) parameters;
TRAPS
#undef TRAP

/* The address of libc's function, for a pointer that may still be NULL. ISO C has no cast from object to function. */
static void find(void *pointer, const char *name)
{
    void *address = dlsym(RTLD_NEXT, name);

    if (address == NULL) {
        say("rt_trap: libc has no ");
        say(name);
        say("()\n");
        abort();
    }
    memcpy(pointer, &address, sizeof address);
}

__attribute__((constructor)) static void find_all(void)
{
#define TRAP(result, name, parameters, arguments) find(&real_##name, #name);
    TRAPS
#undef TRAP
    find(&real_open, "open");
    find(&real_openat, "openat");
    find(&real_vsyslog, "vsyslog");
}

#define TRAP(result, name, parameters, arguments)                                                                      \
    result name parameters                                                                                             \
    {                                                                                                                  \
        CHECK(#name);                                                                                                  \
        if (real_##name == NULL)                                                                                       \
            find(&real_##name, #name);                                                                                 \
        return real_##name arguments;                                                                                  \
    }
TRAPS
#undef TRAP

/* The mode that open() has only when it may create a file. */
#define MODE_OF(flags, last)                                                                                           \
    __extension__({                                                                                                    \
        mode_t mode = 0;                                                                                               \
        if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) {                                              \
            va_list ap;                                                                                                \
            va_start(ap, last);                                                                                        \
            mode = va_arg(ap, mode_t);                                                                                 \
            va_end(ap);                                                                                                \
        }                                                                                                              \
        mode;                                                                                                          \
    })

#define TRAP_OPEN(name)                                                                                                \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        CHECK(#name);                                                                                                  \
        if (real_open == NULL)                                                                                         \
            find(&real_open, "open");                                                                                  \
        return real_open(path, flags, MODE_OF(flags, flags));                                                          \
    }
TRAP_OPEN(open)
TRAP_OPEN(open64)

#define TRAP_OPENAT(name)                                                                                              \
    int name(int folder, const char *path, int flags, ...)                                                             \
    {                                                                                                                  \
        CHECK(#name);                                                                                                  \
        if (real_openat == NULL)                                                                                       \
            find(&real_openat, "openat");                                                                              \
        return real_openat(folder, path, flags, MODE_OF(flags, flags));                                                \
    }
TRAP_OPENAT(openat)
TRAP_OPENAT(openat64)

/* A printf is its v-form with the arguments gathered. */
#define TRAP_PRINTF(name, parameters, arguments)                                                                       \
    int name parameters                                                                                                \
    {                                                                                                                  \
        va_list ap;                                                                                                    \
        int rc;                                                                                                        \
        CHECK(#name);                                                                                                  \
        if (real_v##name == NULL)                                                                                      \
            find(&real_v##name, "v" #name);                                                                            \
        va_start(ap, format);                                                                                          \
        rc = real_v##name arguments;                                                                                   \
        va_end(ap);                                                                                                    \
        return rc;                                                                                                     \
    }
TRAP_PRINTF(printf, (const char *format, ...), (format, ap))
TRAP_PRINTF(fprintf, (FILE * stream, const char *format, ...), (stream, format, ap))
TRAP_PRINTF(dprintf, (int fd, const char *format, ...), (fd, format, ap))
TRAP_PRINTF(snprintf, (char *text, size_t bytes, const char *format, ...), (text, bytes, format, ap))
TRAP_PRINTF(asprintf, (char **text, const char *format, ...), (text, format, ap))

void vsyslog(int priority, const char *format, va_list ap)
{
    CHECK("vsyslog");
    if (real_vsyslog == NULL)
        find(&real_vsyslog, "vsyslog");
    real_vsyslog(priority, format, ap);
}

void syslog(int priority, const char *format, ...)
{
    va_list ap;

    CHECK("syslog");
    if (real_vsyslog == NULL)
        find(&real_vsyslog, "vsyslog");
    va_start(ap, format);
    real_vsyslog(priority, format, ap);
    va_end(ap);
}
