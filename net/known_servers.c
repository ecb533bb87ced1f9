/* known_servers.c - which key each server showed the first time (see known_servers.h) */
#include "net/known_servers.h"

#include "net/identity.h"
#include "net/link.h"
#include "net/profile.h"
#include "net/spoken.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512
#define NAME_MAX_BYTES (LINK_HOST_MAX + 16)

/* "host:port" as the file has it; an IPv6 address goes in brackets, as in links. */
static void server_name(char out[NAME_MAX_BYTES], const char *host, uint16_t port)
{
    if (strchr(host, ':') != NULL)
        snprintf(out, NAME_MAX_BYTES, "[%s]:%u", host, port);
    else
        snprintf(out, NAME_MAX_BYTES, "%s:%u", host, port);
}

int known_servers_find(const char *path, const char *host, uint16_t port, uint8_t key[32], bool *found, struct err *err)
{
    char name[NAME_MAX_BYTES], line[LINE_MAX_BYTES];
    unsigned number = 0;
    int ret = 0;
    FILE *f;

    *found = false;
    server_name(name, host, port);
    f = fopen(path, "re");
    if (f == NULL && errno == ENOENT)
        return 0;
    if (f == NULL)
        return err_set(err, ERR_STATE, NULL, "cannot read %s: %s", path, err_reason(errno));
    while (fgets(line, sizeof line, f) != NULL) {
        char *rest = line;
        const char *server = strsep(&rest, " \t\n");
        const char *text = rest != NULL ? strsep(&rest, " \t\n") : NULL;

        number++;
        if (server[0] == '#' || strcasecmp(server, name) != 0)
            continue;
        if (text == NULL || identity_parse(key, text) != 0) {
            ret = err_set(err, ERR_STATE, NULL, "%s:%u: no valid key for %s", path, number, name);
            err_mend(err, "delete line %u if you no longer need it", number);
            goto out;
        }
        *found = true;
    }
    if (ferror(f))
        ret = err_set(err, ERR_STATE, NULL, "cannot read %s", path);
out:
    fclose(f);
    return ret;
}

int known_servers_add(const char *path, const char *host, uint16_t port, const uint8_t key[32], struct err *err)
{
    char name[NAME_MAX_BYTES], text[IDENTITY_TEXT_BYTES], line[LINE_MAX_BYTES];
    int fd, len, ret = profile_make_folder(path, err);
    ssize_t written;

    if (ret != 0)
        return ret;
    server_name(name, host, port);
    identity_text(text, key);
    len = snprintf(line, sizeof line, "%s %s\n", name, text);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_STATE, NULL, "cannot write %s: %s", path, err_reason(errno));
    /* One write, so that two clients at once do not mix their lines. */
    written = write(fd, line, (size_t)len);
    if (close(fd) != 0 || written != len)
        return err_set(err, ERR_STATE, NULL, "cannot write %s: %s", path, err_reason(written < 0 ? errno : ENOSPC));
    return 0;
}

bool known_servers_trust(struct known_servers_trust *t, const uint8_t key[32])
{
    char name[NAME_MAX_BYTES], now[IDENTITY_FINGERPRINT_BYTES], before[IDENTITY_FINGERPRINT_BYTES];
    uint8_t known[32];
    bool found;

    if (known_servers_find(t->path, t->host, t->port, known, &found, &t->err) != 0)
        return false;
    server_name(name, t->host, t->port);
    identity_fingerprint(now, key);
    if (found && sodium_memcmp(known, key, sizeof known) == 0)
        return true;
    if (found) {
        identity_fingerprint(before, known);
        err_set(&t->err, ERR_WRONG_KEY, NULL, "%s is not the server it was: its key is now %s, not %s", name, now,
                before);
        err_mend(&t->err, "if you know that it was set up anew, delete its line in %s; else somebody is in between",
                 t->path);
        return false;
    }
    if (!t->accept_new && t->ask == NULL) {
        err_set(&t->err, ERR_WRONG_KEY, "use a link with its key (k=…), or take it unseen with --accept-new",
                "%s is new to you: its key is %s", name, now);
        return false;
    }
    if (!t->accept_new) {
        t->asked = true;
        if (!t->ask(name, key, t->ask_arg)) {
            err_set(&t->err, ERR_WRONG_KEY, NULL, "%s was not trusted", name);
            return false;
        }
    }
    return known_servers_add(t->path, t->host, t->port, key, &t->err) == 0;
}

/* Is the answer one of the words of a list, parted by '|'? */
static bool is_one_of(const char *answer, const char *list)
{
    size_t len = strlen(answer);

    for (; *list != '\0'; list += strcspn(list, "|"), list += *list == '|')
        if (len == strcspn(list, "|") && memcmp(answer, list, len) == 0)
            return true;
    return false;
}

static bool ask_on_terminal(const char *server, const uint8_t key[32], void *arg)
{
    char answer[16], fingerprint[IDENTITY_FINGERPRINT_BYTES], spoken[SPOKEN_BYTES];

    (void)arg;
    identity_fingerprint(fingerprint, key);
    spoken_of(spoken, key);
    fprintf(stderr,
            err_words(ERR_TEXT("You have not been at %s before. It shows the key\n  %s\n  spoken: %s\n"
                               "Whoever runs it can read you the same words. Is that the right server (yes/no)? ")),
            server, fingerprint, spoken);
    fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        return false;
    answer[strcspn(answer, "\n")] = '\0';
    return is_one_of(answer, "y|yes") || is_one_of(answer, err_words(ERR_TEXT("y|yes")));
}

bool (*known_servers_terminal(void))(const char *server, const uint8_t key[32], void *arg)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO) ? ask_on_terminal : NULL;
}
