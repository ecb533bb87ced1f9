/* spoken.c - a key's fingerprint in words (see spoken.h)
 *
 * The syllables were chosen by ear. Of the vowels e is left out, for an Italian's e is an English a; of the consonants
 * those that one of the languages lacks, reads in two ways or does not voice (c, g, h, j, k, q, w, x, y, z), and of
 * pairs that a telephone confuses, one each (m and n, b and p, b and v).
 */
#include "net/spoken.h"

#include <sodium.h>

#define SYLLABLE_BITS 5u

void spoken_of(char out[SPOKEN_BYTES], const uint8_t key[IDENTITY_KEY_BYTES])
{
    static const char consonants[8] = {'b', 'd', 'f', 'l', 'm', 'r', 's', 't'};
    static const char vowels[4] = {'a', 'i', 'o', 'u'};
    uint8_t hash[crypto_hash_sha256_BYTES];
    char *at = out;

    crypto_hash_sha256(hash, key, IDENTITY_KEY_BYTES);
    for (unsigned syllable = 0; syllable < 2 * SPOKEN_WORDS; syllable++) {
        unsigned bit = syllable * SYLLABLE_BITS;
        unsigned bits = ((unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1]) >> (16 - SYLLABLE_BITS - bit % 8) & 31;

        if (syllable > 0 && syllable % 2 == 0)
            *at++ = ' ';
        *at++ = consonants[bits >> 2];
        *at++ = vowels[bits & 3];
    }
    *at = '\0';
}
