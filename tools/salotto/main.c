/* main.c - salotto, with which people listen and speak */
#include "net/identity.h"
#include "net/profile.h"
#include "tools/complete.h"
#include "tools/salotto/args.h"
#include "tools/salotto/complete.h"
#include "tools/salotto/device.h"
#include "tools/salotto/help.h"
#include "tools/salotto/stay.h"
#include "tools/descriptors.h"
#include "tools/language.h"
#include "tools/version.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    int count = 0, ret = device_init(err);
    json_t *all = json_array();

    for (; ret == 0 && device_get(count, &d); count++) {
        json_array_append_new(all, json_pack("{s:i, s:s, s:s, s:i, s:i, s:b, s:b}", "index", d.index, "name", d.name,
                                             "api", d.api, "in_channels", d.in_channels, "out_channels", d.out_channels,
                                             "default_in", (int)d.default_in, "default_out", (int)d.default_out));
        if (!json)
            printf("%3d  %-11s %s, %s%s%s\n", d.index,
                   d.in_channels > 0 && d.out_channels > 0 ? "both"
                   : d.in_channels > 0                     ? "microphone"
                                                           : "loudspeaker",
                   d.name, d.api, d.default_out ? " (default to hear)" : "", d.default_in ? " (default to speak)" : "");
    }
    if (ret == 0 && json) {
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (ret == 0 && count == 0) {
        puts("There is no sound device on this machine. `salotto listen LINK --output FILE.wav` hears without one.");
    }
    json_decref(all);
    if (ret == 0)
        device_fini();
    return ret;
}

static int show_id(const struct args *a, struct err *err)
{
    char path[PROFILE_PATH_MAX], key[IDENTITY_TEXT_BYTES], fingerprint[IDENTITY_FINGERPRINT_BYTES];
    struct identity me;
    bool made;
    int ret = 0;

    if (a->identity == NULL)
        ret = profile_identity_path(path, sizeof path, err);
    else if (snprintf(path, sizeof path, "%s", a->identity) >= (int)sizeof path)
        ret = err_set(err, ERR_USAGE, NULL, "the path of --identity is too long");
    if (ret == 0)
        ret = profile_make_folder(path, err);
    if (ret == 0)
        ret = identity_load(&me, path, true, &made, err);
    if (ret != 0)
        return ret;
    err_plain(path);
    identity_text(key, me.public_key);
    identity_fingerprint(fingerprint, me.public_key);
    identity_wipe(&me);
    if (a->json) {
        json_t *o =
            json_pack("{s:s, s:s, s:s, s:b}", "key", key, "fingerprint", fingerprint, "file", path, "made", (int)made);

        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(o);
    } else {
        printf("key          %s\nfingerprint  %s\nfile         %s%s\n", key, fingerprint, path,
               made ? " (made just now; keep it, it is you)" : "");
    }
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
    signal(SIGPIPE, SIG_IGN);
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
    case ARGS_DEVICES:
        ret = list_devices(args.json, &err);
        break;
    case ARGS_ID:
        ret = show_id(&args, &err);
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
