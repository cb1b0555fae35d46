/* Texts of 0 to 20 bytes, checked whole and resumed from every state that a
 * check can leave; and what is ASCII, which is UTF-8.
 * files: utf8
 * apart: utf8_ascii utf8_lead utf8_continue */
#include "prove.h"

#include "protocol/utf8.h"

#define MAX_LEN 20

static void any_bytes(size_t len)
{
    struct caws__utf8 u;
    const uint8_t *text = unknown_forgotten(len);
    u.need = Frama_C_unsigned_char_interval(0, 3);
    u.low = Frama_C_unsigned_char_interval(0x80, 0xa0);
    u.high = Frama_C_unsigned_char_interval(0x8f, 0xbf);
    caws__utf8_check(&u, text, len);
    //@ assert u.need <= 3;
    caws__utf8_valid(text, len);
}

static void ascii(size_t len)
{
    uint8_t *text = malloc(len);
    for (size_t i = 0; i < len; i++)
        text[i] = Frama_C_unsigned_char_interval(0, 0x7f);
    bool valid = caws__utf8_valid(text, len);
    //@ assert valid == 1;
    free(text);
}

int main(void)
{
    for (size_t len = 0; len <= MAX_LEN; len++) {
        any_bytes(len);
        ascii(len);
    }
    return 0;
}
