/* spoken.h - a key's fingerprint in words, for people who compare it by voice
 *
 * Ten words of two syllables each, as "bami ruso tala …": the first 100 bits of the key's SHA-256, five a syllable. The
 * consonants and vowels are read alike by speakers of English and Italian, and stay apart on a bad line. Whoever wants
 * to pass for somebody else must find another key with the same words, among 2^100.
 */
#ifndef SALOTTO_NET_SPOKEN_H
#define SALOTTO_NET_SPOKEN_H

#include "net/identity.h"

#define SPOKEN_WORDS 10u
#define SPOKEN_BYTES 50u /* ten words of four letters, nine blanks and NUL */

void spoken_of(char out[SPOKEN_BYTES], const uint8_t key[IDENTITY_KEY_BYTES]);

#endif
