/* Close payloads, read and written, against the model. */
#include "protocol/status.h"

#include "model.h"

#include <stdlib.h>
#include <string.h>

static void read_payload(const uint8_t *payload, size_t len)
{
    const char *detail = NULL;
    caws_slice reason = { "untouched", 9 };
    unsigned expected;
    uint16_t code = 7;
    int result = model_close(payload, len, &expected);
    REQUIRE(caws__status_read(payload, len, &code, &reason, &detail) == result);
    REQUIRE((detail != NULL) == (result != CAWS_OK));
    if (result != CAWS_OK) {
        REQUIRE(code == 7 && reason.len == 9);
        REQUIRE(strlen(detail) <= 123);
        return;
    }
    REQUIRE(code == expected);
    REQUIRE(reason.len == (len > 2 ? len - 2 : 0));
    REQUIRE(reason.len == 0 || reason.data == (const char *)payload + 2);
}

/* The same bytes as what an application asks for. */
static int expected_write(unsigned code, const char *reason)
{
    size_t len = strlen(reason);
    if (code == 0 && len == 0)
        return 0;
    if ((code != 0 && !model_code(code)) || len > 123)
        return CAWS_ERR_ARG;
    if (model_utf8((const uint8_t *)reason, len) != MODEL_VALID)
        return CAWS_ERR_UTF8;
    return (int)len + 2;
}

static void write_payload(unsigned code, const char *reason)
{
    uint8_t payload[CAWS__CLOSE_MAX];
    int result = caws__status_write((uint16_t)code, reason, payload);
    REQUIRE(result == expected_write(code, reason));
    if (result <= 0)
        return;
    code = code == 0 ? 1000 : code;
    REQUIRE(payload[0] == code >> 8 && payload[1] == (code & 0xff));
    REQUIRE(memcmp(payload + 2, reason, (size_t)result - 2) == 0);
    read_payload(payload, (size_t)result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *payload = exact_copy(data, len);
    char reason[256];
    read_payload(payload, len);
    free(payload);
    if (len < 2 || len > sizeof reason + 1)
        return 0;
    memcpy(reason, data + 2, len - 2);
    reason[len - 2] = '\0';
    write_payload(data[0] * 256u + data[1], reason);
    return 0;
}
