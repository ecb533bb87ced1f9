/* keyboard.c - keys out of the bytes that a terminal sends (see keyboard.h)
 *
 * A key of the protocol is CSI code:others ; modifiers:kind ; text u, where all but the code may be missing.
 */
#include "tools/salotto/keyboard.h"

#include <string.h>

#define NUMBER_MAX 0x10ffffu
#define MODIFIERS  (KEY_SHIFT | KEY_ALT | KEY_CTRL | KEY_OTHER)

enum { CODE, MODIFIER, KIND, UNUSED };

/* Where the number goes that is being read now. */
static unsigned place(const struct keyboard *k)
{
    if (k->field == 0 && k->part == 0)
        return CODE;
    if (k->field == 1 && k->part <= 1)
        return k->part == 0 ? MODIFIER : KIND;
    return UNUSED;
}

static void read_number(struct keyboard *k, unsigned digit)
{
    uint32_t *n = &k->number[place(k)];

    *n = *n <= NUMBER_MAX ? *n * 10 + digit : *n;
}

static enum keyboard_event finish(struct keyboard *k, unsigned char last, struct key *key)
{
    uint32_t kind = k->number[KIND];

    k->state = KEYBOARD_GROUND;
    if (last != 'u')
        return KEYBOARD_NOTHING;
    if (k->mark == '?')
        return KEYBOARD_ANSWER;
    if (k->mark != 0 || k->number[CODE] == 0)
        return KEYBOARD_NOTHING;
    *key = (struct key){.code = k->number[CODE],
                        .kind = kind == 2   ? KEY_REPEAT
                                : kind == 3 ? KEY_RELEASE
                                            : KEY_PRESS,
                        .modifiers = k->number[MODIFIER] > 0 ? (k->number[MODIFIER] - 1) & MODIFIERS : 0};
    return KEYBOARD_KEY;
}

static enum keyboard_event take_csi(struct keyboard *k, unsigned char byte, struct key *key)
{
    if (byte >= '0' && byte <= '9') {
        read_number(k, byte - '0');
    } else if (byte == ';') {
        k->field++;
        k->part = 0;
    } else if (byte == ':') {
        k->part++;
    } else if (byte >= '<' && byte <= '?') {
        k->mark = (char)byte;
    } else if (byte >= '@' && byte <= '~') {
        return finish(k, byte, key);
    } else if (byte < ' ') { /* a sequence that was cut off */
        k->state = KEYBOARD_GROUND;
    }
    return KEYBOARD_NOTHING;
}

enum keyboard_event keyboard_take(struct keyboard *k, unsigned char byte, struct key *key)
{
    switch (k->state) {
    case KEYBOARD_GROUND:
        if (byte != '\033') {
            *key = (struct key){.code = byte};
            return KEYBOARD_KEY;
        }
        k->state = KEYBOARD_ESCAPE;
        return KEYBOARD_NOTHING;
    case KEYBOARD_ESCAPE: /* with Alt, a character comes like this, and means nothing here */
        memset(k, 0, sizeof *k);
        k->state = byte == '[' ? KEYBOARD_CSI : byte == 'O' ? KEYBOARD_SS3 : KEYBOARD_GROUND;
        return KEYBOARD_NOTHING;
    case KEYBOARD_CSI:
        return take_csi(k, byte, key);
    case KEYBOARD_SS3:
        k->state = KEYBOARD_GROUND;
        return KEYBOARD_NOTHING;
    }
    return KEYBOARD_NOTHING;
}

void keyboard_pause(struct keyboard *k)
{
    if (k->state == KEYBOARD_ESCAPE)
        k->state = KEYBOARD_GROUND;
}
