/* keyboard.h - keys out of the bytes that a terminal sends
 *
 * Knows plain characters and the kitty keyboard protocol (https://sw.kovidgoyal.net/kitty/keyboard-protocol), which
 * also tells when a key repeats and when it is let go; steps over what other keys send (arrows and the like). Pure
 * state.
 */
#ifndef SALOTTO_KEYBOARD_H
#define SALOTTO_KEYBOARD_H

#include <stddef.h>
#include <stdint.h>

enum key_kind { KEY_PRESS, KEY_REPEAT, KEY_RELEASE };

struct key {
    uint32_t code; /* of the character, without modifiers */
    enum key_kind kind;
    unsigned modifiers; /* bits of KEY_… */
};

/* As the protocol has them, but for the locks, which mean nothing here. */
#define KEY_SHIFT 1u
#define KEY_ALT   2u
#define KEY_CTRL  4u
#define KEY_OTHER 0x38u /* super, hyper, meta */

enum keyboard_event {
    KEYBOARD_NOTHING,
    KEYBOARD_KEY,
    KEYBOARD_ANSWER, /* the terminal has answered KEYBOARD_ASK: it speaks the protocol */
};

/* Asks the terminal whether it speaks the protocol; one that does not is silent. */
#define KEYBOARD_ASK     "\033[?u"
/* From here on all keys are reported by the protocol, with their kind (flags 1, 2 and 8); and no longer. */
#define KEYBOARD_BEGIN   "\033[>11u"
#define KEYBOARD_END     "\033[<u"

#define KEYBOARD_NUMBERS 4u

struct keyboard {
    enum { KEYBOARD_GROUND, KEYBOARD_ESCAPE, KEYBOARD_CSI, KEYBOARD_SS3 } state;
    char mark;                         /* '?' and the like behind CSI, or 0 */
    uint32_t number[KEYBOARD_NUMBERS]; /* code, modifiers + 1, kind; by where ';' and ':' put them */
    unsigned field, part;              /* of the number being read */
};

/* Takes one byte; *key is set for KEYBOARD_KEY. */
enum keyboard_event keyboard_take(struct keyboard *k, unsigned char byte, struct key *key);

/* A read has ended: an escape without anything behind it was the escape key. */
void keyboard_pause(struct keyboard *k);

#endif
