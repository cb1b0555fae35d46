/* 0 to 30 bytes are encoded, into exactly the room that they need, to what
 * caws__base64_is says is base64 of so many; and 0 to 30 characters, whatever
 * they are, are looked at.
 * files: base64 */
#include "prove.h"

#include "protocol/base64.h"

#define MAX_LEN 30

static void encode(size_t len)
{
    size_t room = (len + 2) / 3 * 4;
    void *data = unknown(len);
    char *text = malloc(room + 1);
    size_t n = caws__base64_encode(data, len, text);
    //@ assert n == room && text[n] == 0;
    bool is = caws__base64_is(text, n, len);
    //@ assert is == 1;
    free(text);
    free(data);
}

static void look(size_t len)
{
    const char *text = unknown(len);
    for (size_t bytes = 0; bytes <= MAX_LEN; bytes++) {
        bool is = caws__base64_is(text, len, bytes);
        //@ assert is ==> len == (bytes + 2) / 3 * 4;
    }
    caws__base64_is(text, len, Frama_C_unsigned_long_interval(0, SIZE_MAX));
}

int main(void)
{
    for (size_t len = 0; len <= MAX_LEN; len++) {
        encode(len);
        look(len);
    }
    return 0;
}
