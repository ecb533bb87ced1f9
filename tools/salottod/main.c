/* main.c - salottod: the command line, then the server */
#include "tools/complete.h"
#include "tools/language.h"
#include "tools/salottod/log.h"
#include "tools/salottod/restore.h"
#include "tools/salottod/server.h"
#include "tools/salottod/settings.h"
#include "tools/descriptors.h"
#include "tools/suggest.h"
#include "tools/version.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    N_("usage: salottod [OPTION]...\n"
       "\n"
       "The server of live audio rooms. Runs in the foreground and logs to standard error; SIGTERM ends it,\n"
       "SIGHUP makes it read its configuration again.\n"
       "When it accepts people it prints one line: ready port=N http_port=N\n"
       "\n"
       "  --config FILE    read the configuration (else built-in defaults; see salottod.conf)\n"
       "  --check-config   read it, say whether it is right, and end\n"
       "  --state DIR      keep database, key and control socket in DIR\n"
       "                   (else /var/lib/salotto and /run/salotto/control.sock)\n"
       "  --restore FILE   put a backup in the place of database and key, and end; what was there is kept\n"
       "  --port N         UDP and TCP port (else 7256; 0 takes a free one)\n"
       "  --http-port N    HTTP port (else 8080; 0 takes a free one)\n"
       "  --version        print the version\n"
       "  --help           print this\n"
       "\n"
       "try:\n"
       "  salottod --state ./state &\n"
       "  salottoctl --state ./state room create piazza --title \"Open Friday\"\n"
       "  salottoctl --state ./state link piazza\n");

struct flags {
    struct settings settings;
    const char *restore;
    bool check;
};

enum { FLAG_CONFIG = 1, FLAG_CHECK, FLAG_STATE, FLAG_RESTORE, FLAG_PORT, FLAG_HTTP_PORT, FLAG_VERSION, FLAG_HELP };

static int unknown_flag(const struct option *options, const char *word, struct err *err)
{
    const char *names[FLAG_HELP], *near;
    char name[40];
    size_t n = 0;

    for (; options[n].name != NULL; n++)
        names[n] = options[n].name;
    err_set(err, ERR_USAGE, "see salottod --help", "unknown option '%s'", word);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    near = strncmp(name, "--", 2) == 0 ? suggest(name + 2, names, n) : NULL;
    if (near != NULL)
        err_mend(err, "did you mean '--%s'?", near);
    return -ERR_USAGE;
}

/* 0, 1 (done: version or help was printed) or a negative code. */
static int read_flags(int argc, char **argv, struct flags *f, struct err *err)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, FLAG_CONFIG},
        {"check-config", no_argument, NULL, FLAG_CHECK},
        {"state", required_argument, NULL, FLAG_STATE},
        {"restore", required_argument, NULL, FLAG_RESTORE},
        {"port", required_argument, NULL, FLAG_PORT},
        {"http-port", required_argument, NULL, FLAG_HTTP_PORT},
        {"version", no_argument, NULL, FLAG_VERSION},
        {"help", no_argument, NULL, FLAG_HELP},
        {NULL, 0, NULL, 0},
    };
    int flag;

    opterr = 0;
    while ((flag = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (flag) {
        case FLAG_CONFIG:
            f->settings.config = optarg;
            break;
        case FLAG_CHECK:
            f->check = true;
            break;
        case FLAG_STATE:
            f->settings.state = optarg;
            break;
        case FLAG_RESTORE:
            f->restore = optarg;
            break;
        case FLAG_PORT:
            f->settings.port = optarg;
            break;
        case FLAG_HTTP_PORT:
            f->settings.http_port = optarg;
            break;
        case FLAG_VERSION:
            printf("salottod %s\n", SALOTTO_VERSION);
            return 1;
        case FLAG_HELP:
            fputs(_(help), stdout);
            return 1;
        case ':':
            return err_set(err, ERR_USAGE, "see salottod --help", "%s needs a value", argv[optind - 1]);
        default:
            return unknown_flag(options, argv[optind - 1], err);
        }
    }
    if (optind < argc)
        return err_set(err, ERR_USAGE, "see salottod --help", "unexpected word '%s'", argv[optind]);
    return 0;
}

static const struct complete_value values[] = {
    {.option = "--config", .words = ":files"},
    {.option = "--restore", .words = ":files"},
    {.option = "--state", .words = ":folders"},
    {.option = "--restore", .words = ":files"},
    {.option = NULL},
};

static int fail(const struct err *err)
{
    log_err(LOG_ERROR_LINE, err);
    return (int)err->code;
}

/* The end of a call that only prints. */
static int printed(void)
{
    struct err err;

    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    err_set(&err, ERR_INTERNAL, NULL, "cannot write to standard output: %s", err_reason(errno));
    return fail(&err);
}

/* What fails where nothing better is known is a want of memory, descriptors or rights. */
static void mend_start(struct err *err, const struct config *c)
{
    if (err->mend[0] != '\0')
        return;
    if (err->code == ERR_STATE)
        err_mend(err, "look at the folder and whose it is: ls -la %s", c->state);
    else
        err_mend(err, "look at memory (free -h), open files (ulimit -n) and threads (ulimit -u), then start it again");
}

static int restore(const struct config *config, const char *file)
{
    struct restore_report report;
    struct err err = {0};

    if (restore_run(&report, config, file, &err) != 0 || restore_print(&report, config, file, &err) != 0)
        return fail(&err);
    return 0;
}

int main(int argc, char **argv)
{
    struct flags flags = {0};
    struct server server;
    struct config config;
    struct err err;
    char **words;
    size_t count;
    int status;

    descriptors_hold();
    language_start(NULL);
    if ((words = complete_asked(argc, argv, &count)) != NULL) {
        (void)complete_option(_(help), values, words, count);
        return 0;
    }
    if (sodium_init() < 0) {
        log_line(LOG_ERROR_LINE, "the cryptographic library does not start");
        return ERR_INTERNAL;
    }
    status = read_flags(argc, argv, &flags, &err);
    if (status > 0)
        return printed();
    if (status == 0)
        status = settings_read(&config, &flags.settings, &err);
    if (status != 0)
        return fail(&err);
    if (flags.check) {
        printf(_("%s is right\n"),
               flags.settings.config != NULL ? flags.settings.config : _("the built-in configuration"));
        return printed();
    }
    if (flags.restore != NULL)
        return restore(&config, flags.restore);
    if (server_start(&server, &config, &flags.settings, &err) != 0) {
        mend_start(&err, &config);
        return fail(&err);
    }
    (void)language_use(NULL); /* for the log; whoever asks something is answered in their own */
    server_run(&server);
    server_stop(&server);
    log_line(LOG_NOTICE_LINE, "stopped");
    return 0;
}
