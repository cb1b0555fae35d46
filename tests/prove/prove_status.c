/* Payloads of Close frames of 0 to 125 bytes, and reasons of 0 to 130.
 * files: status utf8
 * apart: caws__status_read caws__status_legal utf8_ascii utf8_lead
 *   utf8_continue caws__utf8_valid */
#include "prove.h"

#include "protocol/status.h"

static void read_any(size_t len)
{
    const uint8_t *payload = unknown_forgotten(len);
    const char *detail;
    uint16_t code;
    caws_slice reason;
    int result = caws__status_read(payload, len, &code, &reason, &detail);
    if (result == CAWS_OK) {
        //@ assert code == 1005 || 1000 <= code <= 4999;
        //@ assert reason.len <= 123;
    } else {
        //@ assert \valid_read(detail);
    }
}

static void write_any(size_t len)
{
    uint8_t *out = malloc(CAWS__CLOSE_MAX);
    char *reason = malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        reason[i] = (char)Frama_C_interval(1, 127);
    reason[len] = '\0';
    int n = caws__status_write((uint16_t)Frama_C_interval(0, 65535), reason, out);
    //@ assert n <= CAWS__CLOSE_MAX;
    free(reason);
    free(out);
}

int main(void)
{
    uint8_t out[CAWS__CLOSE_MAX];
    for (size_t len = 0; len <= 125; len += len < 12 ? 1 : 113)
        read_any(len);
    for (size_t len = 0; len <= 130; len += len < 4 || len > 122 ? 1 : 119)
        write_any(len);
    caws__status_write(1000, NULL, out);
    caws__status_of(Frama_C_interval(INT32_MIN, INT32_MAX));
    return 0;
}
