/* language.c - messages in the reader's language (see language.h)
 *
 * gettext looks for FOLDER/LOCALE/LC_MESSAGES/DOMAIN.mo. LOCALE is always C here ("C.UTF-8" without its codeset), and
 * FOLDER is share/salotto, where C/LC_MESSAGES/salotto-LL.mo leads to locale/LL/LC_MESSAGES/salotto.mo.
 */
#include "tools/language.h"

#include "mixer/err.h"

#include <dirent.h>
#include <libgen.h>
#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LANGUAGES_MAX 32
#define CODE_MAX      15 /* bytes of a code such as "pt_BR" */
#define ALWAYS_THERE  "C.UTF-8"
#define DOMAIN_PREFIX "salotto-"

struct language {
    char domain[sizeof DOMAIN_PREFIX + CODE_MAX];
};

/* Written by language_start() alone. */
static struct language languages[LANGUAGES_MAX];
static size_t language_count;

/* What this thread speaks. Its errors carry it from thread to thread (err_for()). */
const struct language *language_now(void)
{
    return err_reader();
}

const char *language_text(const char *text)
{
    const struct language *l = language_now();

    return l != NULL && text[0] != '\0' ? dgettext(l->domain, text) : text;
}

const char *language_plural(const char *one, const char *many, unsigned long n)
{
    const struct language *l = language_now();

    if (l == NULL)
        return n == 1 ? one : many;
    return dngettext(l->domain, one, many, n);
}

const struct language *language_use(const struct language *l)
{
    return err_for(l);
}

const char *language_code(void)
{
    const struct language *l = language_now();

    return l != NULL ? l->domain + strlen(DOMAIN_PREFIX) : "en";
}

static const struct language *by_code(const char *code, size_t len)
{
    for (size_t i = 0; i < language_count; i++) {
        const char *has = languages[i].domain + strlen(DOMAIN_PREFIX);

        if (strlen(has) == len && memcmp(has, code, len) == 0)
            return &languages[i];
    }
    return NULL;
}

static bool is(const char *code, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(code, name, len) == 0;
}

const struct language *language_pick(const char *wish)
{
    while (*wish != '\0') {
        size_t all = strcspn(wish, ":"), land = strcspn(wish, ":.@"), tongue = strcspn(wish, ":.@_");
        const struct language *l = by_code(wish, land);

        if (l == NULL)
            l = by_code(wish, tongue);
        if (l != NULL)
            return l;
        if (is(wish, tongue, "en") || is(wish, tongue, "C") || is(wish, tongue, "POSIX"))
            return NULL;
        wish += all + (wish[all] == ':');
    }
    return NULL;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* As gettext does: LANGUAGE refines a locale that was chosen, and counts for nothing where that is C. */
static const char *asked_for(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *locale = NULL, *list = variable("LANGUAGE");

    for (size_t i = 0; locale == NULL && i < sizeof names / sizeof *names; i++)
        locale = variable(names[i]);
    if (locale == NULL || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0)
        return "";
    return list != NULL ? list : locale;
}

/* The folder beside the one that the running program is in. */
static bool own_share(char out[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    int len;

    if (n <= 0)
        return false;
    self[n] = '\0';
    len = snprintf(out, PATH_MAX, "%s/share", dirname(dirname(self)));
    return len > 0 && len < PATH_MAX;
}

static void add(const char *file, const char *folder)
{
    size_t prefix = strlen(DOMAIN_PREFIX), len = strlen(file);
    struct language *l = &languages[language_count];

    if (len <= prefix + 3 || len - 3 >= sizeof l->domain || strncmp(file, DOMAIN_PREFIX, prefix) != 0 ||
        strcmp(file + len - 3, ".mo") != 0)
        return;
    memcpy(l->domain, file, len - 3);
    l->domain[len - 3] = '\0';
    if (bindtextdomain(l->domain, folder) == NULL || bind_textdomain_codeset(l->domain, "UTF-8") == NULL)
        return;
    language_count++;
}

static void find_languages(const char *share)
{
    char folder[PATH_MAX], files[PATH_MAX];
    const struct dirent *entry;
    DIR *dir;
    int n = snprintf(folder, sizeof folder, "%s/salotto", share);

    language_count = 0;
    if (n < 0 || (size_t)n >= sizeof folder || snprintf(files, sizeof files, "%s/C/LC_MESSAGES", folder) >= PATH_MAX)
        return;
    dir = opendir(files);
    if (dir == NULL)
        return; /* English is always there */
    while (language_count < LANGUAGES_MAX && (entry = readdir(dir)) != NULL)
        add(entry->d_name, folder);
    closedir(dir);
}

void language_start(const char *share)
{
    char own[PATH_MAX], wish[256];

    /* Names and titles are UTF-8 whatever the account's locale says. */
    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        (void)setlocale(LC_CTYPE, ALWAYS_THERE);
    if (setlocale(LC_TIME, "") == NULL)
        (void)setlocale(LC_TIME, ALWAYS_THERE);
    snprintf(wish, sizeof wish, "%s", asked_for());
    /* Messages come by domain, not by locale, and gettext would look where LANGUAGE leads. */
    unsetenv("LANGUAGE");
    if (setlocale(LC_MESSAGES, ALWAYS_THERE) == NULL)
        return;
    if (share == NULL && own_share(own))
        share = own;
    if (share != NULL)
        find_languages(share);
    (void)language_use(language_pick(wish));
    err_translate_with(language_text);
}
