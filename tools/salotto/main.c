/* main.c - salotto, with which people listen and speak */
#include "net/known_servers.h"
#include "net/spoken.h"
#include "tools/complete.h"
#include "tools/salotto/args.h"
#include "tools/salotto/complete.h"
#include "tools/salotto/device.h"
#include "tools/salotto/help.h"
#include "tools/salotto/local_time.h"
#include "tools/salotto/self.h"
#include "tools/salotto/sound_test.h"
#include "tools/salotto/status_line.h"
#include "tools/salotto/stay.h"
#include "tools/descriptors.h"
#include "tools/language.h"
#include "tools/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DESCRIPTORS 32u /* that a stay with a sound device takes, and some */

static int complain(const struct err *err)
{
    fflush(stdout);
    fprintf(stderr, "salotto: %s\n", err->message);
    if (err->mend[0] != '\0')
        fprintf(stderr, "  %s\n", err->mend);
    return (int)err->code;
}

static int cannot_print(struct err *err)
{
    return err_set(err, ERR_INTERNAL, NULL, "cannot write to standard output: %s",
                   errno != 0 ? err_reason(errno) : _("write error"));
}

static int list_devices(bool json, struct err *err)
{
    struct device_info d;
    struct status_line line;
    int count = 0, ret;
    json_t *all = json_array();

    status_line_init(&line);
    status_line_progress(&line, "looking for sound devices…");
    ret = device_init(err);
    status_line_clear(&line);
    for (; ret == 0 && device_get(count, &d); count++) {
        json_array_append_new(all, json_pack("{s:i, s:s, s:s, s:i, s:i, s:b, s:b}", "index", d.index, "name", d.name,
                                             "api", d.api, "in_channels", d.in_channels, "out_channels", d.out_channels,
                                             "default_in", (int)d.default_in, "default_out", (int)d.default_out));
        if (!json)
            printf("%3d  %-12s %s, %s%s%s\n", d.index,
                   d.in_channels > 0 && d.out_channels > 0 ? _("both")
                   : d.in_channels > 0                     ? _("microphone")
                                                           : _("loudspeaker"),
                   d.name, d.api, d.default_out ? _(" (default to hear)") : "",
                   d.default_in ? _(" (default to speak)") : "");
    }
    if (ret == 0 && json) {
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (ret == 0 && count == 0) {
        puts(_("There is no sound device on this machine. `salotto listen LINK --output FILE.wav` hears without one."));
    }
    json_decref(all);
    if (ret == 0)
        device_fini();
    return ret;
}

/* The key of the server behind a link: the link's own, or the one that we have been shown. */
static int find_server_key(uint8_t key[32], bool *from_link, const struct args *a, const char *known_servers,
                           struct err *err)
{
    bool found;
    int ret;

    *from_link = a->link.has_key;
    if (a->link.has_key) {
        memcpy(key, a->link.key, 32);
        return 0;
    }
    ret = known_servers_find(known_servers, a->link.host, a->link.port, key, &found, err);
    if (ret == 0 && !found)
        ret = err_set(err, ERR_NOT_FOUND,
                      "join a room there, which asks whether you trust it, or use a link with its key",
                      "you have not been at %s port %u before, so its key is not known", a->link.host, a->link.port);
    return ret;
}

/* What people compare, and what programs read. */
static json_t *print_key(const uint8_t key[32], bool json)
{
    char text[IDENTITY_TEXT_BYTES], fingerprint[IDENTITY_FINGERPRINT_BYTES], spoken[SPOKEN_BYTES];

    identity_text(text, key);
    identity_fingerprint(fingerprint, key);
    spoken_of(spoken, key);
    if (json)
        return json_pack("{s:s, s:s, s:s}", "key", text, "fingerprint", fingerprint, "spoken", spoken);
    printf(_("key          %s\nfingerprint  %s\nspoken       %s\n"), text, fingerprint, spoken);
    return NULL;
}

static void print_json(json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}

static int show_server(const struct args *a, struct err *err)
{
    char path[PROFILE_PATH_MAX], known_servers[PROFILE_PATH_MAX];
    uint8_t key[32];
    bool from_link;
    json_t *o;
    int ret = self_paths(path, known_servers, a->identity, err);

    if (ret == 0)
        ret = find_server_key(key, &from_link, a, known_servers, err);
    if (ret != 0)
        return ret;
    o = print_key(key, a->json);
    if (o != NULL) {
        json_object_update_new(o, json_pack("{s:s, s:i, s:s}", "server", a->link.host, "port", (int)a->link.port,
                                            "from", from_link ? "link" : "known_servers"));
        print_json(o);
    } else {
        printf(from_link ? _("server       %s port %u, as the link says\n")
                         : _("server       %s port %u, as you have met it\n"),
               a->link.host, a->link.port);
    }
    return 0;
}

static int show_id(const struct args *a, struct err *err)
{
    char since[LOCAL_TIME_BYTES];
    struct stat file;
    struct self self;
    json_t *o;
    int ret = self_load(&self, a->identity, err);

    if (ret != 0)
        return ret;
    if (stat(self.path, &file) != 0)
        file.st_mtime = time(NULL);
    err_plain(self.path);
    o = print_key(self.me.public_key, a->json);
    if (o != NULL) {
        local_time_rfc3339(since, file.st_mtime);
        json_object_update_new(o,
                               json_pack("{s:s, s:s, s:b}", "file", self.path, "since", since, "made", (int)self.made));
        print_json(o);
    } else {
        local_time(since, file.st_mtime);
        printf(self.made ? _("file         %s\nsince        %s (made just now; keep it, it is you)\n")
                         : _("file         %s\nsince        %s\n"),
               self.path, since);
    }
    self_wipe(&self);
    return 0;
}

/* Sound on standard output leaves standard error for all else. */
static int stay(const struct args *a, struct err *err)
{
    bool sound_out = a->output != NULL && strcmp(a->output, "-") == 0;
    struct events_out events = {.to = !a->json ? NULL : sound_out ? stderr : stdout};
    int ret = stay_run(a, &events, err);

    events_out(&events, json_pack("{s:s, s:i, s:s, s:s}", "event", "closed", "code", -ret, "error",
                                  ret != 0 ? err->message : "", "mend", ret != 0 ? err->mend : ""));
    /* Among events words would be no event. */
    return ret != 0 && events.to == stderr ? (int)err->code : ret != 0 ? complain(err) : 0;
}

int main(int argc, char **argv)
{
    struct args args;
    struct err err = {0};
    char **words;
    size_t count;
    int ret;

    language_start(NULL);
    descriptors_hold();
    if ((words = complete_asked(argc, argv, &count)) != NULL) {
        client_complete(words, count);
        return 0;
    }
    if (descriptors_raise(DESCRIPTORS, NULL, &err) != 0 || args_parse(&args, argc, argv, &err) != 0)
        return complain(&err);
    if (args.json) /* its texts are read by programs */
        (void)language_use(NULL);
    switch (args.command) {
    case ARGS_LISTEN:
    case ARGS_SPEAK:
        return stay(&args, &err);
    case ARGS_TEST:
        ret = sound_test_run(&args, &err);
        break;
    case ARGS_DEVICES:
        ret = list_devices(args.json, &err);
        break;
    case ARGS_ID:
        ret = args.link.host[0] != '\0' ? show_server(&args, &err) : show_id(&args, &err);
        break;
    case ARGS_VERSION:
        ret = puts("salotto " SALOTTO_VERSION) < 0 ? cannot_print(&err) : 0;
        break;
    default:
        ret = fputs(help_text(args.help_on), stdout) < 0 ? cannot_print(&err) : 0;
        break;
    }
    errno = 0;
    if (ret == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        ret = cannot_print(&err);
    return ret != 0 ? complain(&err) : 0;
}
