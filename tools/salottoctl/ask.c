/* ask.c - one command to the daemon, one answer back (see ask.h)
 *
 * Runs a libevent loop of its own until the answer is there, the connection is gone, or a signal came.
 */
#include "tools/salottoctl/ask.h"

#include "net/client.h"
#include "net/control.h"
#include "net/identity.h"
#include "net/known_servers.h"
#include "net/link.h"
#include "net/profile.h"
#include "tools/language.h"
#include "tools/salottoctl/progress.h"
#include "tools/salottoctl/receive.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_TIMEOUT_S 60
#define REQUEST_ID       1

struct asking {
    struct event_base *base;
    struct client *client; /* NULL once closed */
    struct event *timeout;
    const struct args *args;
    char **words;
    size_t word_count;
    int file; /* that came with the answer; -1: none */
    struct known_servers_trust trust;
    char *request;
    json_t *answer;
    bool may_ask, sent, gave_up;
    struct err err;
};

static bool on_trust(struct client *c, const uint8_t key[32], void *arg)
{
    struct asking *a = arg;

    (void)c;
    progress_clear(); /* a question may come */
    return known_servers_trust(&a->trust, key);
}

static void on_ready(struct client *c, void *arg)
{
    struct asking *a = arg;

    a->sent = true;
    client_send(c, a->request, strlen(a->request)); /* where it fails the connection ends, and on_closed() says why */
}

static const struct timeval patience = {.tv_sec = ANSWER_TIMEOUT_S};

static void give_up(struct asking *a)
{
    a->gave_up = true;
    if (a->client != NULL)
        client_close(a->client);
    else
        event_base_loopbreak(a->base);
}

/* Before the answer: how far it is, and which file it is to become. */
static void take_progress(struct asking *a, const json_t *message)
{
    const json_t *progress = json_object_get(message, "progress");
    const char *doing = json_string_value(json_object_get(progress, "doing"));
    const char *name = json_string_value(json_object_get(message, "file"));

    event_add(a->timeout, &patience);
    progress_show(doing != NULL ? doing : _("waiting"),
                  (unsigned long long)json_integer_value(json_object_get(progress, "done")),
                  (unsigned long long)json_integer_value(json_object_get(progress, "all")));
    if (name != NULL && receive_allowed(name, a->words, (unsigned)a->word_count, a->args->force, &a->err) != 0)
        give_up(a);
}

static void on_text(struct client *c, const char *text, size_t len, void *arg)
{
    struct asking *a = arg;
    json_t *message = json_loadb(text, len, 0, NULL);

    if (a->answer == NULL && !a->gave_up && json_is_object(message) &&
        json_integer_value(json_object_get(message, "id")) == REQUEST_ID) {
        if (json_object_get(message, "progress") != NULL) {
            take_progress(a, message);
            json_decref(message);
            return;
        }
        a->file = client_file(c);
        a->answer = json_incref(message);
        client_close(c);
    }
    json_decref(message);
}

static void on_closed(struct client *c, const struct err *err, void *arg)
{
    struct asking *a = arg;

    (void)c;
    a->client = NULL;
    if (a->trust.err.code != ERR_NONE)
        err_copy(&a->err, &a->trust.err);
    else if (!a->gave_up && err->code != ERR_NONE)
        err_copy(&a->err, err);
    event_base_loopbreak(a->base);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct asking *a = arg;

    (void)fd;
    (void)what;
    err_set(&a->err, ERR_UNREACHABLE, "look at the server's log", "no answer within %d seconds", ANSWER_TIMEOUT_S);
    give_up(a);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct asking *a = arg;

    (void)fd;
    (void)what;
    err_set(&a->err, ERR_INTERRUPTED, NULL, "interrupted before the answer came");
    give_up(a);
}

/* token: an invite that the link brought along, spent before the command; empty: none. */
static char *request_text(char **words, size_t count, bool may_ask, const char *token)
{
    json_t *argv = json_array(), *request;
    char *text;

    for (size_t i = 0; i < count; i++)
        json_array_append_new(argv, json_string(words[i]));
    if (json_array_size(argv) != count) { /* a word was not UTF-8 */
        json_decref(argv);
        return NULL;
    }
    request =
        json_pack("{s:i, s:s, s:s, s:o}", "id", REQUEST_ID, "do", "command", "lang", language_code(), "argv", argv);
    if (request != NULL && may_ask)
        json_object_set_new(request, "may_ask", json_true());
    if (request != NULL && token[0] != '\0')
        json_object_set_new(request, "token", json_string(token));
    text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    return text;
}

/* The operator's socket that the options name. */
static int socket_path(char *out, size_t max, const struct args *args, struct err *err)
{
    int n = args->state != NULL ? snprintf(out, max, "%s/control.sock", args->state)
                                : snprintf(out, max, "%s", ARGS_SOCKET);

    if (args->state != NULL && args->state[0] == '\0')
        return err_set(err, ERR_USAGE, "name a folder with --state DIR", "--state '' is no folder");
    return n < 0 || (size_t)n >= max ? err_set(err, ERR_USAGE, NULL, "the path of --state is too long") : 0;
}

static const struct client_callbacks callbacks = {
    .trust = on_trust, .ready = on_ready, .text = on_text, .closed = on_closed};

static void expect_answer(const struct link *link)
{
    char what[sizeof link->host + 64];

    snprintf(what, sizeof what, _("asking %s"), link != NULL ? link->host : "salottod");
    progress_expect(what);
}

/* One connection, until it is closed. */
static int run(struct asking *a, const char *path, const struct link *link, const struct identity *me)
{
    struct event *timeout = evtimer_new(a->base, on_timeout, a);
    struct event *sigint = evsignal_new(a->base, SIGINT, on_signal, a);
    struct event *sigterm = evsignal_new(a->base, SIGTERM, on_signal, a);
    int ret = 0;

    memset(&a->err, 0, sizeof a->err);
    a->timeout = timeout;
    if (timeout == NULL || sigint == NULL || sigterm == NULL) {
        ret = err_set(&a->err, ERR_INTERNAL, NULL, "out of memory");
        goto out;
    }
    event_add(timeout, &patience);
    event_add(sigint, NULL);
    event_add(sigterm, NULL);
    expect_answer(link);
    a->client = path != NULL ? client_connect_local(a->base, path, &callbacks, a, &a->err)
                             : client_connect(a->base, link, me, &callbacks, a, &a->err);
    if (a->client == NULL) {
        ret = -(int)a->err.code;
        if (path != NULL && a->err.code == ERR_UNREACHABLE)
            err_set(&a->err, ERR_UNREACHABLE,
                    "start it: `systemctl start salottod`, or `make run` in the source tree; --state DIR names another",
                    "no salottod answers at %s", path);
        goto out;
    }
    event_base_dispatch(a->base);
    if (a->answer == NULL && a->err.code == ERR_NONE)
        err_set(&a->err, ERR_UNREACHABLE, "look at the server's log", "the server closed the connection unasked");
    ret = a->answer != NULL ? 0 : -(int)a->err.code;
out:
    progress_clear();
    if (timeout != NULL)
        event_free(timeout);
    if (sigint != NULL)
        event_free(sigint);
    if (sigterm != NULL)
        event_free(sigterm);
    return ret;
}

/* Writes the file that came with the answer. Without its file an answer is none. */
static void take_file(struct asking *a)
{
    const char *name = json_string_value(json_object_get(a->answer, "file"));
    int ret = 0;

    if (name == NULL || !json_is_true(json_object_get(a->answer, "ok"))) {
        if (a->file >= 0)
            close(a->file);
        return;
    }
    if (a->file < 0)
        ret = err_set(&a->err, ERR_INTERNAL, NULL, "the server sent no file");
    else if ((ret = receive_allowed(name, a->words, (unsigned)a->word_count, a->args->force, &a->err)) != 0)
        close(a->file);
    else
        ret = receive_file(name, a->file, a->args->force, &a->err);
    if (ret == 0)
        return;
    json_decref(a->answer);
    a->answer = NULL;
}

static int make_request(struct asking *a, char **words, size_t word_count, const char *token)
{
    a->request = request_text(words, word_count, a->may_ask, token);
    if (a->request == NULL)
        return err_set(&a->err, ERR_USAGE, NULL, "the command is not UTF-8 text");
    if (strlen(a->request) > CONTROL_REQUEST_MAX)
        return err_set(&a->err, ERR_USAGE, "say it in fewer words", "the command is too long");
    return 0;
}

static int ask_remote(struct asking *a, const struct args *args, char **words, size_t word_count)
{
    char identity_path[PROFILE_PATH_MAX], known_path[PROFILE_PATH_MAX];
    struct identity me;
    struct link link;
    bool made;
    int ret;

    if (args->identity == NULL)
        ret = profile_identity_path(identity_path, sizeof identity_path, &a->err);
    else if (snprintf(identity_path, sizeof identity_path, "%s", args->identity) < (int)sizeof identity_path)
        ret = 0;
    else
        ret = err_set(&a->err, ERR_USAGE, "name a shorter one", "the path of --identity is too long");
    if (ret != 0)
        return ret;
    if ((ret = profile_known_servers_path(known_path, sizeof known_path, identity_path, &a->err)) != 0 ||
        (ret = link_parse(&link, args->server, &a->err)) != 0 ||
        (ret = make_request(a, words, word_count, args->looking ? "" : link.token)) != 0 ||
        (ret = identity_load(&me, identity_path, !args->looking, &made, &a->err)) != 0)
        return ret;
    a->trust = (struct known_servers_trust){.path = known_path,
                                            .host = link.host,
                                            .port = link.port,
                                            .accept_new = args->accept_new && !args->looking,
                                            .ask = args->looking ? NULL : known_servers_terminal()};
    ret = run(a, NULL, &link, &me);
    /* Who thinks about a fingerprint for longer than a handshake may last finds the connection gone. */
    if (ret == -ERR_UNREACHABLE && a->trust.asked && !a->sent)
        ret = run(a, NULL, &link, &me);
    identity_wipe(&me);
    return ret;
}

json_t *ask(const struct args *args, char **words, size_t word_count, bool may_ask, struct err *err)
{
    struct asking a = {.base = event_base_new(),
                       .args = args,
                       .words = words,
                       .word_count = word_count,
                       .file = -1,
                       .may_ask = may_ask};
    char path[PROFILE_PATH_MAX];

    if (a.base == NULL)
        err_set(&a.err, ERR_INTERNAL, NULL, "out of memory");
    else if (args->server != NULL)
        ask_remote(&a, args, words, word_count);
    else if (socket_path(path, sizeof path, args, &a.err) == 0 && make_request(&a, words, word_count, "") == 0)
        run(&a, path, NULL, NULL);
    if (a.answer != NULL)
        take_file(&a);
    if (a.answer == NULL)
        err_copy(err, &a.err);
    free(a.request);
    if (a.base != NULL)
        event_base_free(a.base);
    return a.answer;
}
