/* main.c - salottoctl, the moderators' and operators' command line
 *
 * Sends its words to the daemon as one line of the daemon's command table and prints what comes back. It knows no
 * command by name: what there is, how it is spelt and who may do it, the daemon says.
 */
#include "tools/salottoctl/args.h"
#include "tools/complete.h"
#include "tools/salottoctl/ask.h"
#include "tools/salottoctl/complete.h"
#include "tools/salottoctl/confirm.h"
#include "tools/salottoctl/show.h"
#include "tools/descriptors.h"
#include "tools/language.h"
#include "tools/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DESCRIPTORS 16u /* that a command takes, and some */

static char yes[] = "--yes";

static const char usage[] =
    N_("usage: salottoctl [options] COMMAND …\n"
       "\n"
       "Runs and moderates the rooms of a salottod: on its machine through the operator's socket, or from afar with\n"
       "the rights that your identity has there.\n"
       "\n"
       "  --state DIR      the daemon whose state folder is DIR (its DIR/control.sock)\n"
       "                   [%s]\n"
       "  --server LINK    a server elsewhere: salotto://HOST[:PORT]/ROOM?k=KEY\n"
       "  --identity FILE  who you are there [~/.config/salotto/identity]\n"
       "  --accept-new     take a server that you have not been at before without asking\n"
       "  --json           the answer as one line of JSON, for scripts\n"
       "  --force          a file that the command writes may replace one that is there\n"
       "  --help           this; `salottoctl COMMAND --help` says more of one command\n"
       "  --version        which version this is\n"
       "\n"
       "On a terminal, a command that reaches many people at once asks before; --yes after it skips the question.\n"
       "\n"
       "examples:\n"
       "  salottoctl room create piazza --title \"Open Friday\"\n"
       "  salottoctl who piazza\n"
       "  salottoctl mute piazza bruno --why \"echo\"\n"
       "  salottoctl --server 'salotto://radio.example/piazza?k=KEY' hands piazza\n"
       "\n"
       "Exit codes: 0 done, 1 internal, 2 usage, 3 no such room or person, 4 not allowed, 5 unreachable,\n"
       "6 wrong server key, 8 state or database, 11 interrupted, or the answer to a question was no.\n");

static int complain(const struct err *err)
{
    fflush(stdout);
    show_error(err);
    return (int)err->code;
}

static int refused(const json_t *answer, struct err *err)
{
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *mend = json_string_value(json_object_get(answer, "mend"));
    json_int_t code = json_integer_value(json_object_get(answer, "code"));

    return err_set(err, code > 0 && code < 256 ? (enum err_code)code : ERR_INTERNAL, mend, "%s",
                   error != NULL ? error : _("the server refused without a word"));
}

/* Standard output may be closed, or full. */
static int flush(const char *mend, struct err *err)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return err_set(err, ERR_INTERNAL, mend, "cannot write to standard output: %s",
                   errno != 0 ? err_reason(errno) : _("write error"));
}

static int help(const struct args *args)
{
    char *words[] = {"help"};
    struct err err = {0};
    json_t *answer;
    char *text = NULL;

    if (asprintf(&text, _(usage), ARGS_SOCKET) >= 0)
        show_text(text);
    else
        text = NULL;
    free(text);
    if (flush(NULL, &err) != 0)
        return complain(&err);
    answer = ask(args, words, 1, false, &err);
    if (json_is_true(json_object_get(answer, "ok"))) {
        printf("\n%s\n", _("commands:"));
        show_answer(answer, false);
    } else {
        printf(_("\nThe commands are the daemon's; it could not be asked: %s.\n"), err.message);
    }
    json_decref(answer);
    return flush(NULL, &err) != 0 ? complain(&err) : 0;
}

/* An act on many people is asked about first, where somebody can answer. */
static json_t *ask_with_care(const struct args *args, struct err *err)
{
    bool may_ask = !args->json && confirm_possible();
    json_t *answer = ask(args, args->words, args->word_count, may_ask, err), *sure;
    const char *question = json_string_value(json_object_get(answer, "confirm"));
    char **words;

    if (question == NULL)
        return answer;
    words = calloc(args->word_count + 1, sizeof *words);
    if (words == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        sure = NULL;
    } else if (confirm(question, err) != 0) {
        sure = NULL;
    } else {
        memcpy(words, args->words, args->word_count * sizeof *words);
        words[args->word_count] = yes;
        sure = ask(args, words, args->word_count + 1, false, err);
    }
    free(words);
    json_decref(answer);
    return sure;
}

static int command(const struct args *args)
{
    /* `salottoctl mute --help` asks the daemon for `help mute`. */
    char *help_words[] = {"help", args->word_count > 0 ? args->words[0] : NULL,
                          args->word_count > 1 ? args->words[1] : NULL};
    struct err err = {0};
    json_t *answer;
    int code = 0;

    answer = args->help ? ask(args, help_words, args->word_count > 1 ? 3 : 2, false, &err) : ask_with_care(args, &err);
    if (answer == NULL)
        return complain(&err);
    if (json_is_true(json_object_get(answer, "ok"))) {
        show_answer(answer, args->json);
        code = -flush(ERR_TEXT("the command itself was done"), &err);
        /* It was carried out, and what it has found makes a code of its own. */
        if (code == 0) {
            code = (int)json_integer_value(json_object_get(answer, "exit"));
            json_decref(answer);
            return code;
        }
    } else {
        code = -refused(answer, &err);
    }
    json_decref(answer);
    return code != 0 ? complain(&err) : 0;
}

int main(int argc, char **argv)
{
    struct args args;
    struct err err = {0};
    char **words;
    size_t count;

    language_start(NULL);
    /* Said before the command is done, rather than after. */
    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
        err_set(&err, ERR_USAGE, "redirect it to /dev/null if you do not want the answer", "standard output is closed");
        return complain(&err);
    }
    descriptors_hold();
    if ((words = complete_asked(argc, argv, &count)) != NULL) {
        ctl_complete(_(usage), words, count);
        return 0;
    }
    if (descriptors_raise(DESCRIPTORS, NULL, &err) != 0 || args_parse(&args, argc, argv, &err) != 0)
        return complain(&err);
    if (args.json) /* its texts are read by programs */
        (void)language_use(NULL);
    if (args.version) {
        puts("salottoctl " SALOTTO_VERSION);
        return flush(NULL, &err) != 0 ? complain(&err) : 0;
    }
    if (args.word_count > 0)
        return command(&args);
    if (args.help)
        return help(&args);
    err_set(&err, ERR_USAGE, "`salottoctl --help` lists the options and the commands", "no command given");
    return complain(&err);
}
