/* Frames of a client, as a server receives them. */
#include "frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    frames_run(false, data, len);
    return 0;
}
