/* language.c - tests of messages in the reader's language */
#include "tools/language.h"

#include "mixer/err.h"

#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define MESSAGES 4

static char share[] = "/tmp/salotto-language.XXXXXX";

struct message {
    const char *id, *text; /* a plural's forms follow one another with a zero byte between them */
    size_t id_bytes, text_bytes;
};

#define MESSAGE(id, text)                                                                                              \
    {                                                                                                                  \
        id, text, sizeof(id) - 1, sizeof(text) - 1                                                                     \
    }
#define HEADER "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n > 1);\n"

static void put(FILE *f, uint32_t n)
{
    assert_int_equal(fwrite(&n, sizeof n, 1, f), 1);
}

/* A compiled catalogue, as "The Format of GNU MO Files" in gettext's manual says; the messages are in order. */
static void write_catalogue(const char *code, const struct message m[MESSAGES])
{
    uint32_t at = 28 + 2 * 8 * MESSAGES;
    char path[200];
    FILE *f;

    snprintf(path, sizeof path, "%s/salotto/C/LC_MESSAGES/salotto-%s.mo", share, code);
    f = fopen(path, "w");
    assert_non_null(f);
    put(f, 0x950412de);
    put(f, 0);
    put(f, MESSAGES);
    put(f, 28);
    put(f, 28 + 8 * MESSAGES);
    put(f, 0);
    put(f, 0);
    for (int i = 0; i < MESSAGES; at += (uint32_t)m[i++].id_bytes + 1) {
        put(f, (uint32_t)m[i].id_bytes);
        put(f, at);
    }
    for (int i = 0; i < MESSAGES; at += (uint32_t)m[i++].text_bytes + 1) {
        put(f, (uint32_t)m[i].text_bytes);
        put(f, at);
    }
    for (int i = 0; i < MESSAGES; i++)
        assert_int_equal(fwrite(m[i].id, m[i].id_bytes + 1, 1, f), 1);
    for (int i = 0; i < MESSAGES; i++)
        assert_int_equal(fwrite(m[i].text, m[i].text_bytes + 1, 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

static int make_catalogues(void **state)
{
    static const struct message italian[MESSAGES] = {
        MESSAGE("", HEADER), MESSAGE("%d person\0%d people", "%d persona\0%d persone"),
        MESSAGE("no room %s", "nessuna stanza %s"), MESSAGE("type it again", "riscrivilo, così è")};
    static const struct message german[MESSAGES] = {
        MESSAGE("", HEADER), MESSAGE("%d person\0%d people", "%d Person\0%d Personen"),
        MESSAGE("no room %s", "kein Raum %s"), MESSAGE("type it again", "noch einmal")};
    char path[200];

    (void)state;
    if (mkdtemp(share) == NULL)
        return -1;
    for (int i = 0; i < 3; i++) {
        static const char *const folders[] = {"salotto", "salotto/C", "salotto/C/LC_MESSAGES"};

        snprintf(path, sizeof path, "%s/%s", share, folders[i]);
        if (mkdir(path, 0700) != 0)
            return -1;
    }
    write_catalogue("it", italian);
    write_catalogue("de", german);
    write_catalogue("pt_BR", german);
    return 0;
}

static int remove_catalogues(void **state)
{
    static const char *const names[] = {"salotto-it.mo", "salotto-de.mo", "salotto-pt_BR.mo", ""};
    char path[200];

    (void)state;
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/salotto/C/LC_MESSAGES/%s", share, names[i]);
        remove(path);
    }
    snprintf(path, sizeof path, "%s/salotto/C", share);
    rmdir(path);
    snprintf(path, sizeof path, "%s/salotto", share);
    rmdir(path);
    return rmdir(share);
}

/* As a program starts with these variables. */
static void start(const char *lang, const char *language, const char *lc_all)
{
    (void)language_use(NULL);
    unsetenv("LC_MESSAGES");
    assert_int_equal(lang != NULL ? setenv("LANG", lang, 1) : unsetenv("LANG"), 0);
    assert_int_equal(language != NULL ? setenv("LANGUAGE", language, 1) : unsetenv("LANGUAGE"), 0);
    assert_int_equal(lc_all != NULL ? setenv("LC_ALL", lc_all, 1) : unsetenv("LC_ALL"), 0);
    language_start(share);
}

static void the_environment_chooses_as_gettext_does(void **state)
{
    (void)state;
    start(NULL, NULL, NULL);
    assert_string_equal(language_code(), "en");
    start("it_IT.UTF-8", NULL, NULL); /* installed or not */
    assert_string_equal(language_code(), "it");
    start("it_CH.ISO-8859-1@euro", NULL, NULL);
    assert_string_equal(language_code(), "it");
    start("C.UTF-8", "it", NULL);
    assert_string_equal(language_code(), "it");
    start("C", "it", NULL);
    assert_string_equal(language_code(), "en");
    start("it_IT.UTF-8", NULL, "de_DE.UTF-8");
    assert_string_equal(language_code(), "de");
    start("it_IT.UTF-8", "fr:de:it", NULL);
    assert_string_equal(language_code(), "de");
    start("it_IT.UTF-8", "fr:en:it", NULL);
    assert_string_equal(language_code(), "en");
    start("fr_FR.UTF-8", NULL, NULL);
    assert_string_equal(language_code(), "en");
    start("pt_BR.UTF-8", NULL, NULL);
    assert_string_equal(language_code(), "pt_BR");
    start("pt_PT.UTF-8", NULL, NULL);
    assert_string_equal(language_code(), "en");
}

static void a_wish_from_outside_is_no_path(void **state)
{
    char endless[5000];

    (void)state;
    start(NULL, NULL, NULL);
    memset(endless, 'i', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    assert_null(language_pick("../../it"));
    assert_null(language_pick(endless));
    assert_null(language_pick(""));
    assert_null(language_pick(":::"));
    assert_null(language_pick("i"));
    assert_null(language_pick("itt"));
    assert_non_null(language_pick("::it"));
}

static void texts_and_plurals_are_translated(void **state)
{
    (void)state;
    start("it_IT.UTF-8", NULL, NULL);
    assert_string_equal(_("type it again"), "riscrivilo, così è");
    assert_string_equal(_("nobody translated this"), "nobody translated this");
    assert_string_equal(_(""), "");
    assert_string_equal(language_plural("%d person", "%d people", 0), "%d persona"); /* by the catalogue's rule */
    assert_string_equal(language_plural("%d person", "%d people", 2), "%d persone");
    (void)language_use(NULL);
    assert_string_equal(language_plural("%d person", "%d people", 0), "%d people");
    assert_string_equal(_("type it again"), "type it again");
}

static void errors_are_made_in_the_language_of_whom_they_are_for(void **state)
{
    const void *before;
    struct err err;

    (void)state;
    start("it_IT.UTF-8", NULL, NULL);
    err_set(&err, ERR_USAGE, "type it again", "no room %s", "piazza");
    assert_string_equal(err.message, "nessuna stanza piazza");
    assert_string_equal(err.mend, "riscrivilo, così è");
    before = language_use(language_pick("de"));
    err_set(&err, ERR_USAGE, "type it again", "no room %s", "piazza");
    assert_string_equal(err.message, "kein Raum piazza");
    (void)language_use(before);
    err_mend(&err, "type it again");
    assert_string_equal(err.mend, "riscrivilo, così è");
}

static void numbers_stay_as_scripts_know_them(void **state)
{
    char text[20];

    (void)state;
    start("it_IT.UTF-8", NULL, NULL);
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0.5");
    assert_string_equal(setlocale(LC_NUMERIC, NULL), "C");
}

#define ROUNDS 20000

static void *speak(void *code)
{
    const struct language *l = language_pick(code);
    const char *expected = l == NULL ? "type it again" : strcmp(code, "it") == 0 ? "riscrivilo, così è" : "noch einmal";
    uintptr_t wrong = 0;

    for (int i = 0; i < ROUNDS; i++) {
        (void)language_use(l);
        wrong += strcmp(_("type it again"), expected) != 0;
    }
    return (void *)wrong;
}

static void threads_speak_different_languages_at_a_time(void **state)
{
    static const char *const codes[] = {"it", "de", "en", "it"};
    pthread_t threads[4];
    void *wrong;

    (void)state;
    start(NULL, NULL, NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, speak, (void *)codes[i]), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_int_equal((uintptr_t)wrong, 0);
    }
}

static void without_catalogues_everything_is_english(void **state)
{
    (void)state;
    assert_int_equal(setenv("LANG", "it_IT.UTF-8", 1), 0);
    language_start("/nowhere");
    assert_string_equal(language_code(), "en");
    assert_string_equal(_("type it again"), "type it again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_chooses_as_gettext_does),
        cmocka_unit_test(a_wish_from_outside_is_no_path),
        cmocka_unit_test(texts_and_plurals_are_translated),
        cmocka_unit_test(errors_are_made_in_the_language_of_whom_they_are_for),
        cmocka_unit_test(numbers_stay_as_scripts_know_them),
        cmocka_unit_test(threads_speak_different_languages_at_a_time),
        cmocka_unit_test(without_catalogues_everything_is_english),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_catalogues, remove_catalogues);
}
