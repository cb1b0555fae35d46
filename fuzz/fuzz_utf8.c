/* UTF-8 in pieces, against a checker that decodes: valid, cut or invalid, and
 * invalid at the very same byte. The first byte seeds the pieces. */
#include "protocol/utf8.h"

#include "model.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct caws__utf8 state = { 0 };
    size_t done = 0;
    unsigned seed;
    bool ok = true;
    uint8_t *text;
    if (len < 1)
        return 0;
    seed = data[0];
    len--;
    text = exact_copy(data + 1, len);
    REQUIRE(caws__utf8_valid(text, len) == (model_utf8(text, len) == MODEL_VALID));
    while (ok && done < len) {
        size_t n = piece(&seed, len - done);
        uint8_t *copy = exact_copy(text + done, n);
        enum model_text model = model_utf8(text, done + n);
        ok = caws__utf8_check(&state, copy, n);
        REQUIRE(ok == (model != MODEL_INVALID));
        REQUIRE(!ok || caws__utf8_complete(&state) == (model == MODEL_VALID));
        free(copy);
        done += n;
    }
    free(text);
    return 0;
}
