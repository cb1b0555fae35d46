/* The Close frame's payload: a status code and a reason (RFC 6455 sections
 * 5.5.1 and 7.4). */
#ifndef CAWS__STATUS_H
#define CAWS__STATUS_H

#include <caws.h>

#define CAWS__CLOSE_MAX 125 /* bytes of payload: a control frame's */

/* May the application send this code: 1000 to 1003, 1007 to 1014, 3000 to
 * 4999 (7.4.2 and the registry)? A peer may send the same. */
bool caws__status_legal(uint16_t code);

/* Reads a received payload: code 1005, and a reason whose data is NULL, where
 * it is empty; else reason is a slice of payload. CAWS_OK, or with *detail set
 * to a constant sentence CAWS_ERR_PROTOCOL (one byte, illegal code) or
 * CAWS_ERR_UTF8 (reason); code and reason are then untouched. */
int caws__status_read(const uint8_t *payload, size_t len, uint16_t *code,
                      caws_slice *reason, const char **detail);

/* Checks what the application asks for and writes the payload. code 0 without
 * a reason (NULL or "") gives an empty payload, with one 1000. Returns its
 * length, or CAWS_ERR_ARG (an illegal code, or a reason over 123 bytes) or
 * CAWS_ERR_UTF8. */
int caws__status_write(uint16_t code, const char *reason,
                       uint8_t out[CAWS__CLOSE_MAX]);

/* The status code with which a conn that met this error is failed (7.4.1). */
uint16_t caws__status_of(int error);

#endif
