/* confirm.c - a question before an act on many people (see confirm.h) */
#include "tools/salottoctl/confirm.h"

#include "tools/language.h"
#include "tools/salottoctl/cell.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TERMINAL "/dev/tty"

bool confirm_possible(void)
{
    FILE *terminal = isatty(STDIN_FILENO) ? fopen(TERMINAL, "r+e") : NULL;

    if (terminal == NULL)
        return false;
    fclose(terminal);
    return true;
}

/* Is the answer one of the words of a list, parted by '|'? */
static bool is_one_of(const char *answer, const char *list)
{
    size_t len = strlen(answer);

    for (; *list != '\0'; list += strcspn(list, "|"), list += *list == '|')
        if (len == strcspn(list, "|") && strncasecmp(answer, list, len) == 0)
            return true;
    return false;
}

static bool means_yes(char *answer)
{
    char *word = answer + strspn(answer, " \t");

    word[strcspn(word, " \t\r\n")] = '\0';
    /* What counts as yes, in small letters, with '|' between the words. */
    return is_one_of(word, "y|yes") || is_one_of(word, _("y|yes"));
}

static void on_interrupt(int signal)
{
    (void)signal; /* it is enough that reading ends */
}

int confirm(const char *what, struct err *err)
{
    struct sigaction interrupted = {.sa_handler = on_interrupt}, before;
    FILE *in = fopen(TERMINAL, "re"), *out = fopen(TERMINAL, "we");
    char answer[64] = "";
    bool yes = false;

    sigemptyset(&interrupted.sa_mask);
    sigaction(SIGINT, &interrupted, &before); /* without SA_RESTART */
    if (in != NULL && out != NULL) {
        cell_print(out, what, cell_columns(what));
        /* The letter that is chosen by Enter alone is the capital one. */
        fprintf(out, " %s ", _("Go on? [y/N]"));
        fflush(out);
        yes = fgets(answer, sizeof answer, in) != NULL && means_yes(answer);
        if (answer[0] == '\0') /* no Enter was typed, so the cursor still stands behind the question */
            fputc('\n', out);
    }
    sigaction(SIGINT, &before, NULL);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        fclose(out);
    return yes ? 0 : err_set(err, ERR_INTERRUPTED, NULL, "nothing was done");
}
