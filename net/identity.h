/* identity.h - the one key pair of a person or a server
 *
 * Ed25519, kept as a 32-byte seed in a file of mode 0600; the X25519 key that Noise needs is derived from it.
 */
#ifndef SALOTTO_NET_IDENTITY_H
#define SALOTTO_NET_IDENTITY_H

#include "mixer/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENTITY_KEY_BYTES  32u
#define IDENTITY_TEXT_BYTES 44u /* base64url without padding: 43 characters and NUL */

struct identity {
    uint8_t public_key[IDENTITY_KEY_BYTES];    /* Ed25519 */
    uint8_t secret_key[64];                    /* Ed25519, libsodium's form */
    uint8_t noise_private[IDENTITY_KEY_BYTES]; /* X25519 */
};

/* Reads the key file at path; with `create` makes it (and its folder, 0700) when absent, written beside and renamed,
 * so that a crash leaves no half of it. *made says whether it was. Refuses (ERR_STATE) a file of the wrong length, or
 * readable by group or others. Starts libsodium (sodium_init()). made may be NULL. */
int identity_load(struct identity *id, const char *path, bool create, bool *made, struct err *err);

/* The same of a key that the service manager handed over in a file (systemd.exec(5), LoadCredential=): never made, and
 * the group's bits are not looked at, since they are the mask of the access list by which systemd lets the service's
 * user read it. */
int identity_load_credential(struct identity *id, const char *path, struct err *err);

void identity_wipe(struct identity *id);

/* The X25519 public key of an Ed25519 one. -1: not a valid key. */
int identity_noise_public(uint8_t out[IDENTITY_KEY_BYTES], const uint8_t ed25519[IDENTITY_KEY_BYTES]);

/* base64url of a key, as in links; and back (0, or -1 when it is none). */
void identity_text(char out[IDENTITY_TEXT_BYTES], const uint8_t key[IDENTITY_KEY_BYTES]);
int identity_parse(uint8_t key[IDENTITY_KEY_BYTES], const char *text);

/* What people compare: "SHA256:" and the hash of the key in base64, in groups of four, NUL-terminated in out. */
#define IDENTITY_FINGERPRINT_BYTES 64u
void identity_fingerprint(char out[IDENTITY_FINGERPRINT_BYTES], const uint8_t key[IDENTITY_KEY_BYTES]);

#endif
