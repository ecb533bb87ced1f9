/* args.c - the client's command line (see args.h)
 *
 * One table of options says which take a value and for which commands they are; a switch takes them.
 */
#include "tools/salotto/args.h"

#include "tools/suggest.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS_MAX 1e9

enum option {
    OPTION_INPUT,
    OPTION_LOOP,
    OPTION_OUTPUT,
    OPTION_TIER,
    OPTION_SECONDS,
    OPTION_DEVICE,
    OPTION_HANDLE,
    OPTION_IDENTITY,
    OPTION_ACCEPT_NEW,
    OPTION_JSON,
    OPTION_PACKETS,
    OPTION_PTT,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COUNT
};

#define FOR(c)    (1u << (c))
#define FOR_STAYS (FOR(ARGS_LISTEN) | FOR(ARGS_SPEAK))
#define FOR_SOUND (FOR_STAYS | FOR(ARGS_TEST))
#define FOR_ALL   (~0u)

static const struct {
    const char *name;
    bool value;
    unsigned commands;
} options[OPTION_COUNT] = {
    [OPTION_INPUT] = {"--input", true, FOR_SOUND},
    [OPTION_LOOP] = {"--loop", false, FOR_STAYS},
    [OPTION_OUTPUT] = {"--output", true, FOR_SOUND},
    [OPTION_TIER] = {"--tier", true, FOR_SOUND},
    [OPTION_SECONDS] = {"--seconds", true, FOR_STAYS},
    [OPTION_DEVICE] = {"--device", true, FOR_SOUND},
    [OPTION_HANDLE] = {"--handle", true, FOR_STAYS},
    [OPTION_IDENTITY] = {"--identity", true, FOR_SOUND | FOR(ARGS_ID)},
    [OPTION_ACCEPT_NEW] = {"--accept-new", false, FOR_SOUND},
    [OPTION_JSON] = {"--json", false, FOR_SOUND | FOR(ARGS_DEVICES) | FOR(ARGS_ID)},
    [OPTION_PACKETS] = {"--packets", true, FOR_STAYS},
    [OPTION_PTT] = {"--ptt", false, FOR(ARGS_SPEAK)},
    [OPTION_HELP] = {"--help", false, FOR_ALL},
    [OPTION_VERSION] = {"--version", false, FOR_ALL},
};

static const struct {
    const char *name;
    enum args_command command;
    unsigned links_min, links_max;
} commands[] = {
    {"listen", ARGS_LISTEN, 1, 1},   {"speak", ARGS_SPEAK, 1, 1}, {"test", ARGS_TEST, 1, 1},
    {"devices", ARGS_DEVICES, 0, 0}, {"id", ARGS_ID, 0, 1},       {"help", ARGS_HELP, 0, 1},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static int find_command(const char *word)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, word) == 0)
            return (int)i;
    return -1;
}

int args_command(const char *word)
{
    int command = find_command(word);

    return command >= 0 ? (int)commands[command].command : -1;
}

static int find_option(const char *word)
{
    size_t len = strcspn(word, "=");

    if (strcmp(word, "-h") == 0)
        return OPTION_HELP;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strlen(options[i].name) == len && memcmp(options[i].name, word, len) == 0)
            return i;
    return -1;
}

void args_handle_of(char out[LINK_ROOM_MAX + 1], const char *name)
{
    size_t n = 0;

    for (; *name != '\0' && n < LINK_ROOM_MAX; name++) {
        char c = *name;

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (n > 0 && c >= '0' && c <= '9'))
            out[n++] = c;
        else if (n > 0 && out[n - 1] != '-')
            out[n++] = '-';
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    out[n] = '\0';
    if (n == 0)
        snprintf(out, LINK_ROOM_MAX + 1, "guest");
}

static void default_handle(char out[LINK_ROOM_MAX + 1])
{
    const struct passwd *me = getpwuid(getuid());
    const char *name = me != NULL ? me->pw_name : getenv("LOGNAME");

    args_handle_of(out, name != NULL ? name : "guest");
}

static int take_tier(struct args *a, const char *value, struct err *err)
{
    int tier = stream_by_name(value);

    if (tier != STREAM_LOW && tier != STREAM_STANDARD)
        return err_set(err, ERR_USAGE, "say --tier low (mobile data) or --tier standard (full band, lowest delay)",
                       "there is no tier '%s'", value);
    a->tier = (enum stream)tier;
    return 0;
}

static int take_seconds(struct args *a, const char *value, struct err *err)
{
    char *end;

    a->seconds = strtod(value, &end);
    /* In figures: strtod() takes blanks, words and 0x10 too. */
    if (end == value || strspn(value, "0123456789.") != strlen(value) || *end != '\0' ||
        !(a->seconds > 0 && a->seconds < SECONDS_MAX))
        return err_set(err, ERR_USAGE, "for instance --seconds 30", "'%s' is no number of seconds", value);
    return 0;
}

static int take_handle(struct args *a, const char *value, struct err *err)
{
    const char *why;

    if (!link_is_handle(value, &why)) {
        char fit[LINK_ROOM_MAX + 1];

        args_handle_of(fit, value);
        err_set(err, ERR_USAGE, NULL, "'%s' can't be a handle: %s", value, why);
        err_mend(err, "--handle %s would do", fit);
        return -ERR_USAGE;
    }
    snprintf(a->handle, sizeof a->handle, "%s", value);
    return 0;
}

static int take_output(struct args *a, const char *value, struct err *err)
{
    const char *dot = strrchr(value, '.');

    if (strcmp(value, "-") != 0 && strncmp(value, "/dev/", 5) != 0 &&
        (dot == NULL || (strcasecmp(dot, ".wav") != 0 && strcasecmp(dot, ".opus") != 0)))
        return err_set(err, ERR_USAGE,
                       "end it in .wav (what an ear hears) or .opus (the packets), or say - for standard output",
                       "'%s': what kind of file?", value);
    a->output = value;
    return 0;
}

static int take(struct args *a, enum option option, const char *value, struct err *err)
{
    switch (option) {
    case OPTION_INPUT:
        a->input = value;
        return 0;
    case OPTION_LOOP:
        a->loop = true;
        return 0;
    case OPTION_OUTPUT:
        return take_output(a, value, err);
    case OPTION_TIER:
        return take_tier(a, value, err);
    case OPTION_SECONDS:
        return take_seconds(a, value, err);
    case OPTION_DEVICE:
        a->device = value;
        return 0;
    case OPTION_HANDLE:
        return take_handle(a, value, err);
    case OPTION_IDENTITY:
        a->identity = value;
        return 0;
    case OPTION_ACCEPT_NEW:
        a->accept_new = true;
        return 0;
    case OPTION_JSON:
        a->json = true;
        return 0;
    case OPTION_PACKETS:
        a->packets = value;
        return 0;
    case OPTION_PTT:
        a->ptt = true;
        return 0;
    default:
        return 0;
    }
}

static int no_option(const char *word, struct err *err)
{
    const char *names[OPTION_COUNT], *near;
    char name[40];

    for (int i = 0; i < OPTION_COUNT; i++)
        names[i] = options[i].name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    err_set(err, ERR_USAGE, "`salotto help` lists the options", "there is no option '%s'", word);
    near = suggest(name, names, OPTION_COUNT);
    if (near != NULL)
        err_mend(err, "did you mean '%s'?", near);
    return -ERR_USAGE;
}

static int no_command(const char *word, struct err *err)
{
    const char *names[COMMANDS], *near;

    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    err_set(err, ERR_USAGE, "there are listen, speak, test, devices, id and help", "there is no command '%s'", word);
    near = suggest(word, names, COMMANDS);
    if (near != NULL)
        err_mend(err, "did you mean '%s'?", near);
    return -ERR_USAGE;
}

static int take_option(struct args *a, int argc, char **argv, int *i, unsigned *given, struct err *err)
{
    const char *word = argv[*i], *value = strchr(word, '=');
    int option = find_option(word);

    if (option < 0)
        return no_option(word, err);
    if (!options[option].value && value != NULL)
        return err_set(err, ERR_USAGE, NULL, "%s takes no value", options[option].name);
    if (options[option].value) {
        if (value != NULL)
            value++;
        else if (*i + 1 < argc)
            value = argv[++*i];
        else
            return err_set(err, ERR_USAGE, "`salotto help` says what goes with it", "%s needs a value", word);
    } else {
        value = "";
    }
    *given |= 1u << option;
    return take(a, (enum option)option, value, err);
}

/* The words that are no options: a command and, for some, a link. */
static int take_words(struct args *a, const char *const words[3], unsigned count, unsigned given, struct err *err)
{
    int command = find_command(count > 0 ? words[0] : "help"), help_on = command;

    if (given & 1u << OPTION_VERSION) {
        a->command = ARGS_VERSION;
        return 0;
    }
    if (command >= 0 && commands[command].command == ARGS_HELP && count > 1)
        help_on = find_command(words[1]);
    if (command < 0 || help_on < 0)
        return no_command(words[command < 0 ? 0 : 1], err);
    a->command = commands[command].command;
    a->help_on = commands[help_on].command;
    if (count == 0 && (given & 1u << OPTION_HELP) == 0)
        return err_set(err, ERR_USAGE, "for instance `salotto listen LINK`; `salotto help` says more",
                       "no command given");
    if (given & 1u << OPTION_HELP)
        a->command = ARGS_HELP;
    if (a->command == ARGS_HELP)
        return 0;
    if (count < 1 + commands[command].links_min) {
        err_set(err, ERR_USAGE, NULL, "which room?");
        err_mend(err, "salotto %s salotto://HOST/ROOM", words[0]);
        return -ERR_USAGE;
    }
    if (count > 1 + commands[command].links_max)
        return err_set(err, ERR_USAGE, "put a link that holds & or ? between quotes", "'%s' is one word too many",
                       words[count - 1]);
    return 0;
}

/* Do both paths lead to one file that is there already? (A device may well be named twice.) */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return a != NULL && b != NULL && stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) &&
           x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What is written begins by emptying its file, so that is not to be one that is read, or the other one written. */
static int check_files(const struct args *a, struct err *err)
{
    const char *const pairs[][4] = {{"--output", a->output, "--input", a->input},
                                    {"--packets", a->packets, "--input", a->input},
                                    {"--packets", a->packets, "--output", a->output},
                                    {"--packets", a->packets, "--identity", a->identity}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (is_same_file(pairs[i][1], pairs[i][3]))
            return err_set(err, ERR_USAGE, "name another file", "%s would overwrite %s, which is %s too", pairs[i][0],
                           pairs[i][1], pairs[i][2]);
    return 0;
}

static int check(struct args *a, const char *link, unsigned given, struct err *err)
{
    bool as_wav = a->output == NULL || strcmp(a->output, "-") == 0 || strncmp(a->output, "/dev/", 5) == 0 ||
                  strcasecmp(strrchr(a->output, '.'), ".wav") == 0;
    int ret;

    for (int i = 0; i < OPTION_COUNT; i++)
        if ((given & 1u << i) != 0 && (options[i].commands & FOR(a->command)) == 0)
            return err_set(err, ERR_USAGE, "`salotto help` says which options go with it",
                           "%s does not go with this command", options[i].name);
    if ((given & 1u << OPTION_TIER) == 0)
        a->tier = a->command == ARGS_LISTEN ? STREAM_LOW : STREAM_STANDARD;
    if (a->handle[0] == '\0')
        default_handle(a->handle);
    if (a->loop && a->input == NULL)
        return err_set(err, ERR_USAGE, "name it with --input FILE", "--loop needs a sound file");
    if ((ret = check_files(a, err)) != 0)
        return ret;
    if (a->ptt && a->input != NULL && strcmp(a->input, "-") == 0)
        return err_set(err, ERR_USAGE, "give the sound as a file", "--ptt takes keys from standard input, not sound");
    if (a->command == ARGS_TEST && !as_wav)
        return err_set(err, ERR_USAGE, "for instance --output heard.wav", "a test writes what is heard as WAV");
    if (link == NULL)
        return 0;
    if ((ret = link_parse(&a->link, link, err)) != 0)
        return ret;
    if (a->link.room[0] == '\0' && (FOR(a->command) & FOR_STAYS) != 0)
        return err_set(err, ERR_USAGE, "salotto://HOST[:PORT]/ROOM", "the link names no room");
    return 0;
}

int args_parse(struct args *a, int argc, char **argv, struct err *err)
{
    const char *words[3] = {NULL};
    unsigned count = 0, given = 0;
    int ret;

    memset(a, 0, sizeof *a);
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if ((ret = take_option(a, argc, argv, &i, &given, err)) != 0)
                return ret;
        } else if (count < 3) {
            words[count++] = argv[i];
        }
    }
    if ((ret = take_words(a, words, count, given, err)) != 0)
        return ret;
    return a->command == ARGS_HELP || a->command == ARGS_VERSION ? 0 : check(a, words[1], given, err);
}
