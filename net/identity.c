/* identity.c - key pairs and the files they lie in (see identity.h) */
#include "net/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED_BYTES crypto_sign_ed25519_SEEDBYTES
#define PRIVATE    077 /* mode bits of others than the owner */

static const char *mend_of(int cause)
{
    switch (cause) {
    case EACCES:
    case EPERM:
        return ERR_TEXT("run this as the user whose file it is, or name another file or folder");
    case EROFS:
        return ERR_TEXT("mount that file system for writing, or name a place elsewhere");
    case ENOSPC:
    case EDQUOT:
        return ERR_TEXT("free some space on that disk");
    case EMFILE:
    case ENFILE:
        return ERR_TEXT("raise the limit of open files (ulimit -n)");
    default:
        return NULL;
    }
}

static int state_error(struct err *err, const char *path, const char *what)
{
    return err_set(err, ERR_STATE, mend_of(errno), "cannot %s %s: %s", err_words(what), path, err_reason(errno));
}

static int from_seed(struct identity *id, const uint8_t seed[SEED_BYTES])
{
    crypto_sign_ed25519_seed_keypair(id->public_key, id->secret_key, seed);
    return crypto_sign_ed25519_sk_to_curve25519(id->noise_private, id->secret_key);
}

/* 0, a negative code, or 1 when there is no such file. `closed`: mode bits that must not be set. */
static int read_seed(uint8_t seed[SEED_BYTES], const char *path, mode_t closed, struct err *err)
{
    uint8_t bytes[SEED_BYTES + 1];
    struct stat st;
    ssize_t n;
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would be waited for */

    if (fd < 0)
        return errno == ENOENT ? 1 : state_error(err, path, ERR_TEXT("open"));
    if (fstat(fd, &st) != 0) {
        rc = state_error(err, path, ERR_TEXT("examine"));
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        rc = err_set(err, ERR_STATE, "name the file, or one that is still to be made", "%s is not a key file, but %s",
                     path, err_words(S_ISDIR(st.st_mode) ? ERR_TEXT("a folder") : ERR_TEXT("a device or a pipe")));
        goto out;
    }
    if ((st.st_mode & closed) != 0) {
        rc = err_set(err, ERR_STATE, NULL, "%s holds a secret key, and others may read it (mode %04o)", path,
                     st.st_mode & 07777u);
        err_mend(err, "chmod 600 %s", path);
        goto out;
    }
    do
        n = read(fd, bytes, sizeof bytes);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        rc = state_error(err, path, ERR_TEXT("read"));
    } else if (n != (ssize_t)SEED_BYTES) {
        rc = err_set(err, ERR_STATE, NULL, "%s is not a key file: it does not have %u bytes", path, SEED_BYTES);
        err_mend(err, "restore it from a backup, or move it away for a new identity to be made");
    } else {
        memcpy(seed, bytes, SEED_BYTES);
        rc = 0;
    }
out:
    sodium_memzero(bytes, sizeof bytes);
    close(fd);
    return rc;
}

/* Makes each missing folder of the path, for its owner alone. */
static int make_folders(const char *folder, struct err *err)
{
    char path[PATH_MAX];
    size_t len = strlen(folder);

    if (len >= sizeof path)
        return err_set(err, ERR_STATE, NULL, "path too long: %s", folder);
    memcpy(path, folder, len + 1);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return state_error(err, path, ERR_TEXT("make folder"));
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : state_error(err, path, ERR_TEXT("make folder"));
}

static int sync_folder(const char *folder)
{
    int rc, fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    rc = fsync(fd);
    close(fd);
    return rc;
}

/* The new file takes its name only if nobody made one meanwhile: two programs that start together then agree on one
 * key. File systems without that operation (EINVAL) get a plain rename. */
static int rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    return errno == EINVAL ? rename(from, to) : -1;
}

/* 0, a negative code, or 1 when someone else made the file at the same time. */
static int write_seed(const uint8_t seed[SEED_BYTES], const char *path, struct err *err)
{
    char copy[PATH_MAX], beside[PATH_MAX];
    const char *folder;
    int rc, fd, n = snprintf(beside, sizeof beside, "%s.XXXXXX", path);

    if (n < 0 || (size_t)n >= sizeof beside)
        return err_set(err, ERR_STATE, NULL, "path too long: %s", path);
    memcpy(copy, path, strlen(path) + 1);
    folder = dirname(copy);
    rc = make_folders(folder, err);
    if (rc != 0)
        return rc;

    fd = mkostemp(beside, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return state_error(err, path, ERR_TEXT("create"));
    errno = ENOSPC; /* for a write that falls short */
    if (write(fd, seed, SEED_BYTES) != (ssize_t)SEED_BYTES || fsync(fd) != 0) {
        rc = state_error(err, path, ERR_TEXT("write"));
        close(fd);
    } else if (close(fd) != 0) {
        rc = state_error(err, path, ERR_TEXT("write"));
    } else if (rename_new(beside, path) != 0) {
        rc = errno == EEXIST ? 1 : state_error(err, path, ERR_TEXT("create"));
    } else if (sync_folder(folder) != 0) {
        return state_error(err, folder, ERR_TEXT("sync"));
    }
    if (rc != 0)
        unlink(beside);
    return rc;
}

/* rc: what read_seed() gave. */
static int take_seed(struct identity *id, uint8_t seed[SEED_BYTES], int rc, const char *path, struct err *err)
{
    if (rc == 1)
        rc = err_set(err, ERR_STATE, NULL, "there is no key file %s", path);
    if (rc == 0 && from_seed(id, seed) != 0)
        rc = err_set(err, ERR_INTERNAL, NULL, "%s: the key has no X25519 form", path);
    sodium_memzero(seed, SEED_BYTES);
    return rc;
}

int identity_load_credential(struct identity *id, const char *path, struct err *err)
{
    uint8_t seed[SEED_BYTES];

    if (sodium_init() < 0)
        return err_set(err, ERR_INTERNAL, NULL, "libsodium does not start");
    return take_seed(id, seed, read_seed(seed, path, S_IRWXO, err), path, err);
}

int identity_load(struct identity *id, const char *path, bool create, bool *made, struct err *err)
{
    uint8_t seed[SEED_BYTES];
    int rc;

    if (made != NULL)
        *made = false;
    if (sodium_init() < 0)
        return err_set(err, ERR_INTERNAL, NULL, "libsodium does not start");
    rc = read_seed(seed, path, PRIVATE, err);
    if (rc == 1 && create) {
        randombytes_buf(seed, sizeof seed);
        rc = write_seed(seed, path, err);
        if (rc == 0 && made != NULL)
            *made = true;
        if (rc == 1)
            rc = read_seed(seed, path, PRIVATE, err);
    }
    return take_seed(id, seed, rc, path, err);
}

void identity_wipe(struct identity *id)
{
    sodium_memzero(id, sizeof *id);
}

int identity_noise_public(uint8_t out[IDENTITY_KEY_BYTES], const uint8_t ed25519[IDENTITY_KEY_BYTES])
{
    return crypto_sign_ed25519_pk_to_curve25519(out, ed25519) == 0 ? 0 : -1;
}

void identity_text(char out[IDENTITY_TEXT_BYTES], const uint8_t key[IDENTITY_KEY_BYTES])
{
    sodium_bin2base64(out, IDENTITY_TEXT_BYTES, key, IDENTITY_KEY_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int identity_parse(uint8_t key[IDENTITY_KEY_BYTES], const char *text)
{
    size_t len;

    if (strlen(text) != IDENTITY_TEXT_BYTES - 1 ||
        sodium_base642bin(key, IDENTITY_KEY_BYTES, text, IDENTITY_TEXT_BYTES - 1, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return -1;
    return len == IDENTITY_KEY_BYTES ? 0 : -1;
}

void identity_fingerprint(char out[IDENTITY_FINGERPRINT_BYTES], const uint8_t key[IDENTITY_KEY_BYTES])
{
    static const char head[] = "SHA256:";
    uint8_t hash[crypto_hash_sha256_BYTES];
    char text[IDENTITY_TEXT_BYTES];
    size_t at = sizeof head - 1;

    crypto_hash_sha256(hash, key, IDENTITY_KEY_BYTES);
    sodium_bin2base64(text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    memcpy(out, head, at);
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (i > 0 && i % 4 == 0)
            out[at++] = ' ';
        out[at++] = text[i];
    }
    out[at] = '\0';
}
