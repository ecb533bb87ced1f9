/* cmd_doctor.c - doctor: what main knows of its machine, and the report of what was found */
#include "tools/language.h"
#include "tools/salottod/call.h"
#include "tools/salottod/doctor.h"
#include "tools/salottod/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FAULT_EXIT ((int)ERR_INTERNAL)

static int64_t buffer_of(int fd, int which)
{
    int bytes = 0;
    socklen_t len = sizeof bytes;

    return getsockopt(fd, SOL_SOCKET, which, &bytes, &len) == 0 ? bytes : 0;
}

static void note(struct doctor_facts *f, const struct server *s)
{
    const struct session *p;

    f->service = getenv("NOTIFY_SOCKET") != NULL;
    memcpy(f->public_host, s->config.public_host, sizeof f->public_host);
    memcpy(f->listen, s->config.listen, sizeof f->listen);
    memcpy(f->state, s->config.state, sizeof f->state);
    memcpy(f->database, s->state.database, sizeof f->database);
    f->port = s->sockets.port;
    memcpy(f->key, s->state.identity.public_key, sizeof f->key);
    f->people_max = s->config.max_people;
    LIST_FOREACH (p, &s->sessions, next)
        f->people += p->seat != NULL;
    f->buffer_wanted = SOCKET_UDP_BUFFER;
    f->receive_buffer = buffer_of(s->sockets.udp, SO_RCVBUF);
    f->send_buffer = buffer_of(s->sockets.udp, SO_SNDBUF);
}

static bool go_on(void *arg)
{
    return chore_tell(arg, 0, 0);
}

static int chore_doctor(struct chore *h, struct call *c, struct err *err)
{
    doctor_look(c->own, go_on, h);
    return chore_tell(h, 0, 0) ? 0 : err_set(err, ERR_INTERRUPTED, "type it again", "the examination was given up");
}

/* A mend is to be typed, so nothing of a line may be cut: text, not a table. */
static json_t *report_doctor(struct call *c)
{
    struct finding found[DOCTOR_FINDINGS];
    unsigned n = doctor_judge(c->own, found);
    char text[DOCTOR_FINDINGS * 800];
    json_t *data = json_array();
    int code = 0;
    size_t at = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < n && at < sizeof text; i++) {
        const struct finding *f = &found[i];

        if (f->state == FINDING_FAULT)
            code = FAULT_EXIT;
        json_array_append_new(data, json_pack("{s:s, s:s, s:s, s:s}", "what", f->what, "state", finding_word(f->state),
                                              "found", f->found, "mend", f->mend));
        at += (size_t)snprintf(text + at, sizeof text - at, "%-8s %-15s %s\n", _(finding_word(f->state)), _(f->what),
                               f->found);
        if (f->mend[0] != '\0' && at < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, "%-24s > %s\n", "", f->mend);
    }
    return json_pack("{s:s, s:o, s:i}", "text", text, "data", data, "exit", code);
}

int cmd_doctor(struct call *c)
{
    struct doctor_facts *f = calloc(1, sizeof *f);

    if (f == NULL)
        return err_set(&c->err, ERR_INTERNAL, NULL, "out of memory");
    c->own = f;
    c->own_free = free;
    note(f, c->server);
    c->report = report_doctor;
    call_chore(c, N_("looking at this machine"), chore_doctor, NULL);
    return 0;
}
