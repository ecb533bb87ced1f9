/* descriptors.h - a program's file descriptors: the standard three are there, there may be enough of them, and a write
 * that fails is an error
 *
 * Any program, first of all in main().
 */
#ifndef SALOTTO_DESCRIPTORS_H
#define SALOTTO_DESCRIPTORS_H

#include "mixer/err.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

/* Opens /dev/null in the place of each standard stream that is closed; else the next file or socket would take its
 * number, and words meant for a person would be written into it. Reading finds the end at once, words on standard error
 * vanish; but who writes on standard output is told (EBADF), since there answers are lost. And no write ends the
 * program: nobody who reads (EPIPE) and the limit of a file's size (EFBIG) are errors of its own. */
static inline void descriptors_hold(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

/* Raises the soft limit to the hard one, as is usual for whoever uses no select(2), and sees whether `least` may be
 * open at once: below that libraries fail in their own ways, down to ending the program. *limit says how many may
 * (NULL: nobody asks). 0 or ERR_INTERNAL. */
static inline int descriptors_raise(unsigned least, unsigned long *limit, struct err *err)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "the limit of open files cannot be read");
    if (files.rlim_cur < files.rlim_max) {
        struct rlimit raised = {.rlim_cur = files.rlim_max, .rlim_max = files.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            files = raised;
    }
    if (limit != NULL)
        *limit = files.rlim_cur;
    if (files.rlim_cur >= least)
        return 0;
    err_set(err, ERR_INTERNAL, NULL, "no more than %lu files may be open at once, and %u are needed",
            (unsigned long)files.rlim_cur, least);
    err_mend(err, "raise the limit: ulimit -n %u, or LimitNOFILE=%u in a systemd unit", least, least);
    return -ERR_INTERNAL;
}

#endif
