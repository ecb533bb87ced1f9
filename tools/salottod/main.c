/* main.c - salottod: the command line, then the server */
#include "tools/salottod/config.h"
#include "tools/salottod/log.h"
#include "tools/salottod/server.h"
#include "tools/version.h"

#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: salottod [OPTION]...\n"
    "\n"
    "The server of live audio rooms. Runs in the foreground and logs to standard error; SIGTERM ends it.\n"
    "When it accepts people it prints one line: ready port=N http_port=N\n"
    "\n"
    "  --config FILE    read the configuration (else built-in defaults; see salottod.conf)\n"
    "  --check-config   read it, say whether it is right, and end\n"
    "  --state DIR      keep database, key and control socket in DIR\n"
    "                   (else /var/lib/salotto and /run/salotto/control.sock)\n"
    "  --port N         UDP and TCP port (else 7256; 0 takes a free one)\n"
    "  --http-port N    HTTP port (else 8080; 0 takes a free one)\n"
    "  --version        print the version\n"
    "  --help           print this\n"
    "\n"
    "try:\n"
    "  salottod --state ./state &\n"
    "  salottoctl --state ./state room create piazza --title \"Open Friday\"\n"
    "  salottoctl --state ./state link piazza\n";

struct flags {
    const char *config, *state, *port, *http_port;
    bool check;
};

enum { FLAG_CONFIG = 1, FLAG_CHECK, FLAG_STATE, FLAG_PORT, FLAG_HTTP_PORT, FLAG_VERSION, FLAG_HELP };

/* 0, 1 (done: version or help was printed) or a negative code. */
static int read_flags(int argc, char **argv, struct flags *f, struct err *err)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, FLAG_CONFIG},
        {"check-config", no_argument, NULL, FLAG_CHECK},
        {"state", required_argument, NULL, FLAG_STATE},
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
            f->config = optarg;
            break;
        case FLAG_CHECK:
            f->check = true;
            break;
        case FLAG_STATE:
            f->state = optarg;
            break;
        case FLAG_PORT:
            f->port = optarg;
            break;
        case FLAG_HTTP_PORT:
            f->http_port = optarg;
            break;
        case FLAG_VERSION:
            printf("salottod %s\n", SALOTTO_VERSION);
            return 1;
        case FLAG_HELP:
            fputs(help, stdout);
            return 1;
        case ':':
            return err_set(err, ERR_USAGE, "see salottod --help", "%s needs a value", argv[optind - 1]);
        default:
            return err_set(err, ERR_USAGE, "see salottod --help", "unknown option '%s'", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return err_set(err, ERR_USAGE, "see salottod --help", "unexpected word '%s'", argv[optind]);
    return 0;
}

static int set_port(uint16_t *port, const char *name, const char *text, struct err *err)
{
    unsigned long n;

    if (!config_number(text, 65535, &n))
        return err_set(err, ERR_USAGE, "give a number from 0 to 65535", "%s cannot be '%.40s'", name, text);
    *port = (uint16_t)n;
    return 0;
}

/* Flag over file over default. */
static int settle(struct config *c, const struct flags *f, struct err *err)
{
    int status = 0;

    config_defaults(c);
    if (f->config != NULL)
        status = config_read(c, f->config, err);
    if (status == 0 && f->state != NULL)
        status = config_set_state(c, f->state, err);
    if (status == 0 && f->port != NULL)
        status = set_port(&c->port, "--port", f->port, err);
    if (status == 0 && f->http_port != NULL)
        status = set_port(&c->http_port, "--http-port", f->http_port, err);
    return status;
}

static int fail(const struct err *err)
{
    log_err(LOG_ERROR_LINE, err);
    return (int)err->code;
}

int main(int argc, char **argv)
{
    struct flags flags = {0};
    struct server server;
    struct config config;
    struct err err;
    int status;

    if (sodium_init() < 0) {
        log_line(LOG_ERROR_LINE, "the cryptographic library does not start");
        return ERR_INTERNAL;
    }
    signal(SIGPIPE, SIG_IGN);
    status = read_flags(argc, argv, &flags, &err);
    if (status > 0)
        return fflush(stdout) == 0 ? 0 : ERR_INTERNAL;
    if (status == 0)
        status = settle(&config, &flags, &err);
    if (status != 0)
        return fail(&err);
    if (flags.check) {
        printf("%s is right\n", flags.config != NULL ? flags.config : "the built-in configuration");
        return fflush(stdout) == 0 ? 0 : ERR_INTERNAL;
    }
    if (server_start(&server, &config, &err) != 0)
        return fail(&err);
    server_run(&server);
    server_stop(&server);
    return 0;
}
