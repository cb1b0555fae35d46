/* Frames of a server, as a client receives them. */
#include "frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    frames_run(true, data, len);
    return 0;
}
