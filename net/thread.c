/* thread.c - starting the threads of net/ (see thread.h) */
#include "net/thread.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)256 * 1024)

struct start {
    char name[16];
    int nice;
    void *(*run)(void *);
    void *arg;
};

static void *begin(void *arg)
{
    struct start start = *(struct start *)arg;

    free(arg);
    pthread_setname_np(pthread_self(), start.name);
    /* Linux keeps a nice value for each thread (sched(7)); without the privilege the normal one has to do. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), start.nice);
    return start.run(start.arg);
}

int thread_start(pthread_t *thread, const char *name, int nice, void *(*run)(void *), void *arg, struct err *err)
{
    struct start *start = calloc(1, sizeof *start);
    pthread_attr_t attr;
    sigset_t all, before;
    int error;

    if (start == NULL)
        return err_set(err, ERR_INTERNAL, NULL, "out of memory for thread %s", name);
    *start = (struct start){.nice = nice, .run = run, .arg = arg};
    memcpy(start->name, name, strnlen(name, sizeof start->name - 1));

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all,
                    &before); /* a thread inherits its creator's mask: no window in which it has none */
    error = pthread_create(thread, &attr, begin, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (error == 0)
        return 0;
    free(start);
    return err_set(err, ERR_INTERNAL, "raise the limits on processes and memory (systemd: TasksMax, LimitNPROC)",
                   "thread %s cannot be started: %s", name, err_reason(error));
}
