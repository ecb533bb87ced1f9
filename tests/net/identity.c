#include "net/identity.h"

#include "tests/net/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/salotto-identity-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in_folder(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *path, size_t len, mode_t mode)
{
    uint8_t bytes[64] = {1, 2, 3};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void the_public_key_is_the_published_one_of_its_seed(void **state)
{
    /* RFC 8032, section 7.1, test 1 */
    struct identity id;
    struct err err;
    uint8_t seed[32];
    const char *path = in_folder("key");
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    (void)state;
    unhex(seed, 32, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    assert_int_equal(write(fd, seed, 32), 32);
    close(fd);
    assert_int_equal(identity_load(&id, path, false, NULL, &err), 0);
    assert_hex(id.public_key, 32, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

static void the_x25519_pair_is_derived_from_the_ed25519_pair(void **state)
{
    struct identity id;
    struct err err;
    uint8_t from_private[32], from_public[32];

    (void)state;
    assert_int_equal(identity_load(&id, in_folder("key"), true, NULL, &err), 0);
    crypto_scalarmult_curve25519_base(from_private, id.noise_private);
    assert_int_equal(identity_noise_public(from_public, id.public_key), 0);
    assert_memory_equal(from_private, from_public, 32);
}

static void a_key_that_is_no_point_of_the_curve_has_no_x25519_form(void **state)
{
    uint8_t out[32], small_order[32] = {1}, nowhere[32] = {2};

    (void)state;
    assert_int_equal(identity_noise_public(out, small_order), -1);
    assert_int_equal(identity_noise_public(out, nowhere), -1);
}

static void it_is_made_once_and_then_stays_the_same(void **state)
{
    struct identity a, b;
    struct err err;
    struct stat st;
    bool made;

    (void)state;
    assert_int_equal(identity_load(&a, in_folder("new/deeper/key"), true, &made, &err), 0);
    assert_true(made);
    assert_int_equal(stat(in_folder("new/deeper/key"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 32);
    assert_int_equal(stat(in_folder("new/deeper"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(st.st_nlink, 2);
    assert_int_equal(identity_load(&b, in_folder("new/deeper/key"), true, &made, &err), 0);
    assert_false(made);
    assert_memory_equal(&a, &b, sizeof a);
    identity_wipe(&a);
    assert_true(sodium_is_zero((const uint8_t *)&a, sizeof a));
}

static void programs_that_start_together_agree_on_one_key(void **state)
{
    struct identity id, first;
    struct err err;
    char path[128];
    int pipe_fd[2];

    (void)state;
    snprintf(path, sizeof path, "%s", in_folder("shared"));
    assert_int_equal(pipe(pipe_fd), 0);
    for (unsigned i = 0; i < 8; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            bool bad = identity_load(&id, path, true, NULL, &err) != 0 || write(pipe_fd[1], id.public_key, 32) != 32;
            _exit(bad ? 1 : 0);
        }
        assert_true(pid > 0);
    }
    assert_int_equal(identity_load(&first, path, true, NULL, &err), 0);
    for (unsigned i = 0; i < 8; i++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
        assert_int_equal(read(pipe_fd[0], id.public_key, 32), 32);
        assert_memory_equal(id.public_key, first.public_key, 32);
    }
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

static void without_leave_to_make_one_a_missing_file_is_an_error(void **state)
{
    struct identity id;
    struct err err;

    (void)state;
    assert_int_equal(identity_load(&id, in_folder("none"), false, NULL, &err), -ERR_STATE);
    assert_non_null(strstr(err.message, in_folder("none")));
}

static void a_file_that_others_may_read_is_refused_with_the_mend(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0601};
    struct identity id;
    struct err err;
    char mend[sizeof err.mend];

    (void)state;
    snprintf(mend, sizeof mend, "chmod 600 %s", in_folder("key"));
    write_file(in_folder("key"), 32, 0600);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(in_folder("key"), modes[i]), 0);
        assert_int_equal(identity_load(&id, in_folder("key"), true, NULL, &err), -ERR_STATE);
        assert_string_equal(err.mend, mend);
    }
    assert_int_equal(chmod(in_folder("key"), 0400), 0);
    assert_int_equal(identity_load(&id, in_folder("key"), true, NULL, &err), 0);
}

static void a_file_of_the_wrong_length_is_refused_and_left_alone(void **state)
{
    static const size_t lengths[] = {0, 31, 33, 64};
    struct identity id;
    struct err err;
    struct stat st;

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        write_file(in_folder("key"), lengths[i], 0600);
        assert_int_equal(identity_load(&id, in_folder("key"), true, NULL, &err), -ERR_STATE);
        assert_non_null(strstr(err.message, in_folder("key")));
        assert_int_equal(stat(in_folder("key"), &st), 0);
        assert_int_equal(st.st_size, lengths[i]);
        assert_int_equal(unlink(in_folder("key")), 0);
    }
}

/* A pipe nobody writes to would be waited for. */
static void what_is_no_file_is_refused_at_once(void **state)
{
    struct identity id;
    struct err err;
    const char *path = in_folder("pipe");

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(identity_load(&id, path, true, NULL, &err), -ERR_STATE);
    assert_non_null(strstr(err.message, "not a key file, but a device or a pipe"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(identity_load(&id, folder, true, NULL, &err), -ERR_STATE);
    assert_non_null(strstr(err.message, "not a key file, but a folder"));
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    struct identity id;
    struct err err;

    (void)state;
    write_file(in_folder("file"), 1, 0600);
    assert_int_equal(identity_load(&id, in_folder("file/key"), true, NULL, &err), -ERR_STATE);
    assert_non_null(strstr(err.message, in_folder("file")));
}

static void a_key_is_written_as_43_characters_and_read_back(void **state)
{
    uint8_t key[32], back[32];
    char text[IDENTITY_TEXT_BYTES];

    (void)state;
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(0xff - 7 * i);
    identity_text(text, key);
    assert_int_equal(strlen(text), 43);
    assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    assert_int_equal(identity_parse(back, text), 0);
    assert_memory_equal(back, key, 32);
}

static void what_is_no_key_is_not_read_as_one(void **state)
{
    uint8_t key[32];
    static const char *const bad[] = {
        "",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",   /* a character short */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* one too many */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",  /* bits beyond the last byte */
        "AAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAAAAA",  /* the other base64 */
        "AAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(identity_parse(key, bad[i]), -1);
}

static void a_fingerprint_is_the_hash_of_the_key_in_groups_of_four(void **state)
{
    static const uint8_t key[32];
    char text[IDENTITY_FINGERPRINT_BYTES];

    (void)state;
    identity_fingerprint(text, key);
    /* SHA-256 of 32 zero bytes is 66687aad f862bd77 6c8fc18b 8e9f8e20 08971485 6ee233b3 902a591d 0d5f2925 */
    assert_string_equal(text, "SHA256:Zmh6 rfhi vXds j8GL jp+O IAiX FIVu 4jOz kCpZ HQ1f KSU");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_public_key_is_the_published_one_of_its_seed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_x25519_pair_is_derived_from_the_ed25519_pair, make_folder, remove_folder),
        cmocka_unit_test(a_key_that_is_no_point_of_the_curve_has_no_x25519_form),
        cmocka_unit_test_setup_teardown(it_is_made_once_and_then_stays_the_same, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(programs_that_start_together_agree_on_one_key, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(without_leave_to_make_one_a_missing_file_is_an_error, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_read_is_refused_with_the_mend, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_file_of_the_wrong_length_is_refused_and_left_alone, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused_at_once, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_is_named, make_folder, remove_folder),
        cmocka_unit_test(a_key_is_written_as_43_characters_and_read_back),
        cmocka_unit_test(what_is_no_key_is_not_read_as_one),
        cmocka_unit_test(a_fingerprint_is_the_hash_of_the_key_in_groups_of_four),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("net/identity", tests, NULL, NULL);
}
