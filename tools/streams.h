/* streams.h - standard input, output and error hold their numbers, however the program was started
 *
 * Where one of them is closed, the next file or socket that is opened takes its number, and what is meant for a person
 * is written into it. Any program, first of all in main().
 */
#ifndef SALOTTO_STREAMS_H
#define SALOTTO_STREAMS_H

#include <fcntl.h>
#include <unistd.h>

/* Opens /dev/null in the place of each that is closed. Reading finds the end at once, words on standard error vanish;
 * but who writes on standard output is told (EBADF), since there answers are lost. */
static inline void streams_hold(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

#endif
