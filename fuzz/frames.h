/* The targets server_frames and client_frames: a stream of frames into an OPEN
 * conn, and into the model. */
#ifndef FRAMES_H
#define FRAMES_H

#include "fuzz.h"

/* The first two bytes choose the circumstances, and how the rest is cut. */
void frames_run(bool client, const uint8_t *data, size_t len);

#endif
