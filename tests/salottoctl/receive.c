/* receive.c - the file that an answer brings: whole or not at all, and only where it was named (receive.h) */
#include "tools/salottoctl/receive.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES (3u << 20)

static char folder[64], name[96];

/* A file without a name, as the daemon sends it: read to its end already, which must not matter. */
static int sent(void)
{
    char path[96], *bytes = malloc(BYTES);
    int fd;

    assert_non_null(bytes);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (char)(i / 4096 % 251);
    snprintf(path, sizeof path, "%s/sent", folder);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, bytes, BYTES), BYTES);
    free(bytes);
    return fd;
}

static unsigned files(void)
{
    DIR *d = opendir(folder);
    unsigned n = 0;

    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void make(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static off_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_size : -1;
}

static int fresh(void **state)
{
    (void)state;
    unlink(name);
    return files() == 0 ? 0 : -1;
}

static int allowed(const char *wanted, bool force, struct err *err)
{
    char *words[] = {"backup", name, "--without-key"};

    memset(err, 0, sizeof *err);
    return receive_allowed(wanted, words, 3, force, err);
}

static void the_bytes_arrive_whole_and_for_oneself_alone(void **state)
{
    struct err err = {0};
    struct stat st;

    (void)state;
    umask(0);
    assert_int_equal(allowed(name, false, &err), 0);
    assert_int_equal(receive_file(name, sent(), false, &err), 0);
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_size, BYTES);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(files(), 1);
}

static void only_a_word_that_was_typed_is_written_to(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(allowed("/etc/passwd", true, &err), -(int)ERR_INTERNAL);
    assert_non_null(strstr(err.message, "/etc/passwd"));
    assert_int_equal(allowed(name, false, &err), 0);
}

static void a_file_that_is_there_stays_unless_it_is_to_be_replaced(void **state)
{
    struct err err;

    (void)state;
    make(name, "precious");
    assert_int_equal(allowed(name, false, &err), -(int)ERR_USAGE);
    /* Made after the first look. */
    assert_int_equal(receive_file(name, sent(), false, &err), -(int)ERR_USAGE);
    assert_int_equal(size_of(name), 8);
    assert_int_equal(files(), 1);
    assert_int_equal(allowed(name, true, &err), 0);
    assert_int_equal(receive_file(name, sent(), true, &err), 0);
    assert_int_equal(size_of(name), BYTES);
    assert_int_equal(files(), 1);
}

static void what_does_not_fit_leaves_nothing(void **state)
{
    struct rlimit before, now;
    struct err err = {0};
    int fd = sent(), rc;

    (void)state;
    getrlimit(RLIMIT_FSIZE, &before);
    now = before;
    now.rlim_cur = BYTES / 2;
    setrlimit(RLIMIT_FSIZE, &now);
    rc = receive_file(name, fd, false, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(rc, -(int)ERR_STATE);
    assert_non_null(strstr(err.message, name));
    assert_true(err.mend[0] != '\0');
    assert_int_equal(files(), 0);
}

static void a_signal_ends_it_and_leaves_nothing(void **state)
{
    struct err err = {0};
    sigset_t set, before;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, &before);
    raise(SIGINT);
    assert_int_equal(receive_file(name, sent(), false, &err), -(int)ERR_INTERRUPTED);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(files(), 0);
}

static void folders_and_places_that_are_not_there_are_named(void **state)
{
    char *words[] = {folder, "/nowhere/x", ""};
    struct err err = {0};

    (void)state;
    assert_int_equal(receive_allowed(folder, words, 3, true, &err), -(int)ERR_USAGE);
    assert_non_null(strstr(err.message, "not a regular file"));
    assert_int_equal(receive_allowed("/nowhere/x", words, 3, true, &err), -(int)ERR_STATE);
    assert_non_null(strstr(err.mend, "folder"));
    assert_int_equal(receive_allowed("", words, 3, true, &err), -(int)ERR_USAGE);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/salotto-receive-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(name, sizeof name, "%s/friday", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(name);
    return rmdir(folder);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, fresh)
    const struct CMUnitTest tests[] = {
        TEST(the_bytes_arrive_whole_and_for_oneself_alone),
        TEST(only_a_word_that_was_typed_is_written_to),
        TEST(a_file_that_is_there_stays_unless_it_is_to_be_replaced),
        TEST(what_does_not_fit_leaves_nothing),
        TEST(a_signal_ends_it_and_leaves_nothing),
        TEST(folders_and_places_that_are_not_there_are_named),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("salottoctl/receive", tests, setup, teardown);
}
