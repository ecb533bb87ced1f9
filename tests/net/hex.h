/* hex.h - byte strings as papers print them, for tests */
#ifndef SALOTTO_TESTS_NET_HEX_H
#define SALOTTO_TESTS_NET_HEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

/* Bytes of `text`, which may hold spaces and line ends. Their number is returned and must fit. */
static inline size_t unhex(uint8_t *out, size_t max, const char *text)
{
    size_t len;
    const char *end;

    assert_int_equal(sodium_hex2bin(out, max, text, strlen(text), " \n", &len, &end), 0);
    assert_int_equal(*end, '\0');
    return len;
}

static inline void assert_hex(const uint8_t *bytes, size_t len, const char *text)
{
    uint8_t want[4096];

    assert_int_equal(unhex(want, sizeof want, text), len);
    assert_memory_equal(bytes, want, len);
}

#endif
