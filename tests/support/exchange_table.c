#include "exchanges.h"

/* Each violation comes behind a message that is delivered, and ahead of one
 * that is not. */
#define OK_FIRST { 0x81, "ok", 0 }
#define IGNORED { 0x81, "late", 0 }, { 0x88, "\x03\xe8", 0 }
#define FAILED(error) "open\ntext 2 ok\nerror -" #error "\nclose 1006 unclean us -" #error "\n"
#define VIOLATION(title, error, code, ...) \
    { .name = title, .items = { OK_FIRST, __VA_ARGS__, IGNORED }, .log = FAILED(error), \
      .close = code }
#define ENDED "error -15\nclose 1006 unclean transport -15\n"

#define REQUEST "GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"
#define REFUSAL(title, code, text) \
    { .name = title, .start = EXCHANGE_SERVER, .status = code, .log = "error -7\n", \
      .items = { { EXCHANGE_TEXT, text, 0 }, { EXCHANGE_TEXT, PEER_REQUEST, 0 } }, \
      .cfg = { .max_head = 300, .max_headers = 8 } }
#define RESPONSE "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
#define BAD_RESPONSE(title, error, ...) \
    { .name = title, .start = EXCHANGE_CLIENT, .items = { __VA_ARGS__, { 0x81, "late", 0 } }, \
      .log = "error -" #error "\nclose 1006 unclean us -" #error "\n", \
      .cfg = { .max_head = 300, .max_headers = 8 } }

const struct exchange exchanges[] = {
    /* Messages */
    { .name = "one message", .items = { { 0x81, "Hello", 0 } },
      .log = "open\ntext 5 Hello\n" ENDED },
    { .name = "empty messages", .items = { { 0x81, "", 0 }, { 0x82, "", 0 }, { 0x81, "x", 0 } },
      .log = "open\ntext 0\nbinary 0\ntext 1 x\n" ENDED },
    { .name = "two fragments", .items = { { 0x01, "Hel", 0 }, { 0x80, "lo", 0 } },
      .log = "open\ntext 5 Hello\n" ENDED },
    { .name = "empty fragments",
      .items = { { 0x01, "", 0 }, { 0x00, "", 0 }, { 0x80, "", 0 }, { 0x02, "", 0 },
                 { 0x00, "x", 0 }, { 0x80, "", 0 }, { 0x01, "", 0 }, { 0x80, "y", 0 } },
      .log = "open\ntext 0\nbinary 1 78\ntext 1 y\n" ENDED },
    { .name = "UTF-8 cut by fragments and a Ping",
      .items = { { 0x01, "\xce", 0 }, { 0x80, "\xba", 0 }, { 0x01, "\xf0\x9f", 0 },
                 { 0x00, "\x98", 0 }, { 0x89, "\xff", 0 }, { 0x80, "\x80!", 0 } },
      .log = "open\ntext 2 \\xce\\xba\nping 1 ff\ntext 5 \\xf0\\x9f\\x98\\x80!\n" ENDED },
    { .name = "control frames between fragments",
      .items = { { 0x01, "He", 0 }, { 0x89, "p", 0 }, { 0x00, "l", 0 }, { 0x8a, "q", 0 },
                 { 0x89, "", 0 }, { 0x80, "lo", 0 } },
      .log = "open\nping 1 70\npong 1 71\nping 0\ntext 5 Hello\n" ENDED },
    { .name = "a Ping as large as may be",
      .items = { { 0x89, "\xfe", 125 }, { 0x8a, "x", 125 }, { 0x81, "ok", 0 } } },
    { .name = "every form of the length",
      .items = { { 0x82, "a", 125 }, { 0x82, "b", 126 }, { 0x81, "c", 127 } } },
    { .name = "64 KiB, fragmented",
      .items = { { 0x02, "d", 65535 }, { 0x00, "e", 65536 }, { 0x89, "p", 0 }, { 0x80, "f", 1 },
                 { 0x81, "\xe2\x82\xac", 66000 } } },
    { .name = "echoes", .act = EXCHANGE_ECHO,
      .items = { { 0x82, "one", 0 }, { 0x02, "t", 0 }, { 0x80, "wo", 0 }, { 0x82, "3", 200 },
                 { 0x88, "\x03\xe8", 0 } }, .close = 1000 },
    { .name = "an end within a message",
      .items = { { 0x01, "He", 0 }, { EXCHANGE_BYTES, "80", 0 } },
      .log = "open\n" ENDED },
    { .name = "a pause", .act = EXCHANGE_PAUSE,
      .items = { { 0x82, "1", 0 }, { 0x89, "p", 0 }, { 0x01, "t", 0 }, { 0x80, "wo", 0 },
                 { 0x88, "\x03\xe9", 0 } },
      .log = "open\nbinary 1 31\nping 1 70\ntext 3 two\nclose 1001 clean peer 0\n",
      .close = 1001 },

    /* Closing */
    { .name = "the peer closes",
      .items = { { 0x81, "hi", 0 }, { 0x88, "\x0f\xa1" "bye", 0 }, IGNORED },
      .log = "open\ntext 2 hi\nclose 4001 clean peer 0 bye\n", .close = 4001 },
    { .name = "the peer closes without a code", .items = { { 0x88, "", 0 }, IGNORED },
      .log = "open\nclose 1005 clean peer 0\n", .close = 1005 },
    { .name = "the peer closes within a message",
      .items = { { 0x01, "Hel", 0 }, { 0x88, "\x03\xe8", 0 }, { 0x80, "lo", 0 } },
      .log = "open\nclose 1000 clean peer 0\n", .close = 1000 },
    { .name = "we close", .act = EXCHANGE_CLOSE,
      .items = { { 0x82, "!", 0 }, { 0x89, "ping", 0 }, { 0x01, "not ", 0 }, { 0x80, "heard", 0 },
                 { 0x8a, "", 0 }, { 0x88, "\x03\xe8" "done", 0 }, IGNORED },
      .log = "open\nbinary 1 21\nclose 1000 clean us 0 done\n", .close = 3000 },
    { .name = "we close, and the peer breaks a rule", .act = EXCHANGE_CLOSE,
      .items = { { 0x82, "!", 0 }, { 0x83, "", 0 }, IGNORED },
      .log = "open\nbinary 1 21\nerror -9\nclose 1006 unclean us -9\n", .close = 3000 },

    /* Violations */
    VIOLATION("RSV1", 9, 1002, { 0xc1, "x", 0 }),
    VIOLATION("RSV2 on a Ping", 9, 1002, { 0xa9, "x", 0 }),
    VIOLATION("RSV3 on a continuation", 9, 1002, { 0x01, "x", 0 }, { 0x90, "x", 0 }),
    VIOLATION("a reserved data opcode", 9, 1002, { 0x83, "x", 0 }),
    VIOLATION("a reserved control opcode", 9, 1002, { 0x8b, "x", 0 }),
    VIOLATION("a fragmented Ping", 9, 1002, { 0x09, "x", 0 }),
    VIOLATION("a control frame of 126 bytes", 9, 1002, { 0x89, "x", 126 }),
    VIOLATION("a stray continuation", 9, 1002, { 0x80, "x", 0 }),
    VIOLATION("a message within a message", 9, 1002, { 0x01, "x", 0 }, { 0x81, "y", 0 }),
    VIOLATION("125 in 16 bits", 9, 1002, { EXCHANGE_HEADER, "827e007d", 0 }),
    VIOLATION("65535 in 64 bits", 9, 1002, { EXCHANGE_HEADER, "827f000000000000ffff", 0 }),
    VIOLATION("the 64th bit", 9, 1002, { EXCHANGE_HEADER, "827f8000000000000000", 0 }),
    VIOLATION("a length of 2^40", 11, 1009, { EXCHANGE_HEADER, "827f0000010000000000", 0 }),
    { .name = "too many bytes in two fragments", .cfg = { .max_message = 5 }, .close = 1009,
      .items = { OK_FIRST, { 0x01, "xyz", 0 }, { 0x80, "xyz", 0 }, IGNORED },
      .log = FAILED(11) },
    { .name = "too many fragments", .cfg = { .max_fragments = 3 }, .log = FAILED(12),
      .items = { OK_FIRST, { 0x01, "", 0 }, { 0x00, "", 0 }, { 0x00, "x", 0 }, { 0x80, "", 0 },
                 IGNORED }, .close = 1008 },
    { .name = "too many Pings", .cfg = { .max_control_burst = 2 }, .close = 1008,
      .items = { { 0x89, "a", 0 }, { 0x8a, "b", 0 }, { 0x89, "c", 0 }, IGNORED },
      .log = "open\nping 1 61\npong 1 62\nerror -12\nclose 1006 unclean us -12\n" },
    VIOLATION("a Close of one byte", 9, 1002, { 0x88, "\x03", 0 }),
    VIOLATION("Close 1005", 9, 1002, { 0x88, "\x03\xed", 0 }),
    VIOLATION("Close 999", 9, 1002, { 0x88, "\x03\xe7", 0 }),
    VIOLATION("Close 1016", 9, 1002, { 0x88, "\x03\xf8", 0 }),
    VIOLATION("a reason that is not UTF-8", 10, 1007, { 0x88, "\x03\xe8\xce", 0 }),

    /* UTF-8 */
    VIOLATION("a surrogate", 10, 1007, { 0x81, "\xce\xba\xed\xa0\x80" "edited", 0 }),
    VIOLATION("an overlong form", 10, 1007, { 0x81, "a\xc0\xaf", 0 }),
    VIOLATION("beyond U+10FFFF", 10, 1007, { 0x01, "\xce\xba\xf4", 0 }, { 0x00, "\x90", 0 }),
    VIOLATION("a cut code point", 10, 1007, { 0x81, "a\xe2\x82", 0 }),
    VIOLATION("one cut by the last fragment", 10, 1007, { 0x01, "\xe2", 0 }, { 0x80, "\x82", 0 }),

    /* Masks */
    { .name = "an unmasked or masked frame, the wrong way round", .log = FAILED(9), .close = 1002,
      .items = { OK_FIRST, { 0x81, "!", 0 } }, .act = -1 },

    /* The server's opening handshake */
    { .name = "a request", .start = EXCHANGE_SERVER, .status = 101,
      .items = { { EXCHANGE_TEXT, PEER_REQUEST, 0 }, { 0x81, "Hi", 0 }, { 0x88, "", 0 } },
      .log = "request GET /chat upgrade\nopen\ntext 2 Hi\nclose 1005 clean peer 0\n",
      .close = 1005 },
    { .name = "a request with offers", .start = EXCHANGE_SERVER, .status = 101,
      .items = { { EXCHANGE_TEXT, "\r\n" PEER_REQUEST_LINES "Sec-WebSocket-Protocol: a,\r\n"
                   "Sec-WebSocket-Protocol:  chat \r\nSec-WebSocket-Extensions: x; y=\"z\"\r\n\r\n",
                   0 }, { 0x02, "a", 0 }, { 0x80, "b", 0 } },
      .cfg = { .subprotocols = "chat, a", .headers = "X-Y: z\r\n" },
      .log = "request GET /chat upgrade\nopen\nbinary 2 6162\n" ENDED },
    { .name = "a request answered later", .start = EXCHANGE_SERVER, .status = 101,
      .answer = CAWS_LATER, .close = 1000,
      .items = { { EXCHANGE_TEXT, PEER_REQUEST, 0 }, { 0x81, "Hi", 0 }, { 0x88, "\x03\xe8", 0 } },
      .log = "request GET /chat upgrade\nopen\ntext 2 Hi\nclose 1000 clean peer 0\n" },
    { .name = "a request that the application refuses", .start = EXCHANGE_SERVER, .status = 404,
      .answer = 404, .log = "request GET /chat upgrade\n",
      .items = { { EXCHANGE_TEXT, PEER_REQUEST, 0 }, { 0x81, "Hi", 0 } } },
    { .name = "a page", .start = EXCHANGE_SERVER, .status = 200, .answer = 200,
      .items = { { EXCHANGE_TEXT, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0 } },
      .log = "request GET / plain\n" },
    { .name = "an end within the request", .start = EXCHANGE_SERVER, .log = "error -15\n",
      .items = { { EXCHANGE_TEXT, REQUEST, 0 } } },
    REFUSAL("HTTP/1.0", 505, "GET / HTTP/1.0\r\nHost: h\r\n\r\n"),
    REFUSAL("POST", 405, "POST / HTTP/1.1\r\nHost: h\r\n\r\n"),
    REFUSAL("bare LF", 400, "GET / HTTP/1.1\nHost: h\r\n\r\n"),
    REFUSAL("a folded line", 400, REQUEST "X: a\r\n b\r\n\r\n"),
    REFUSAL("a space before the colon", 400, REQUEST "X : a\r\n\r\n"),
    REFUSAL("a control character", 400, REQUEST "X: a\x01\r\n\r\n"),
    REFUSAL("bare CR", 400, REQUEST "X: a\rb\r\n\r\n"),
    REFUSAL("two empty lines", 400, "\r\n\r\n" PEER_REQUEST),
    REFUSAL("TLS", 400, "\x16\x03\x01\x02\x05"),
    REFUSAL("another version", 426, REQUEST "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n"),
    REFUSAL("a bad key", 400, REQUEST "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\nSec-WebSocket-Version: 13\r\n\r\n"),
    REFUSAL("a body", 400, PEER_REQUEST_LINES "Content-Length: 5\r\n\r\nHello"),
    REFUSAL("too many fields", 431, REQUEST "a: 1\r\na: 2\r\na: 3\r\na: 4\r\na: 5\r\na: 6\r\n"
            "a: 7\r\na: 8\r\n\r\n"),
    REFUSAL("too large a head", 431, PEER_REQUEST_LINES "X: 0123456789012345678901234567890123456"
            "78901234567890123456789012345678901234567890123456789012345678901234567890123456789"
            "01234567890123456789012345678901234567890\r\n\r\n"),

    /* The client's opening handshake */
    { .name = "a response", .start = EXCHANGE_CLIENT, .cfg = { .subprotocols = "a, b" },
      .items = { { EXCHANGE_101, "Sec-WebSocket-Protocol: b\r\n", 0 }, { 0x81, "Hi", 0 },
                 { 0x88, "\x03\xe8", 0 } },
      .log = "open\ntext 2 Hi\nclose 1000 clean peer 0\n", .close = 1000 },
    { .name = "a response behind others", .start = EXCHANGE_CLIENT,
      .items = { { EXCHANGE_TEXT, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nL: x\r\n\r\n",
                   0 }, { EXCHANGE_101, "", 0 }, { 0x02, "x", 0 }, { 0x80, "", 0 } },
      .log = "open\nbinary 1 78\n" ENDED },
    { .name = "an end within the response", .start = EXCHANGE_CLIENT, .log = ENDED,
      .items = { { EXCHANGE_TEXT, RESPONSE, 0 } } },
    BAD_RESPONSE("a refusal", 8, { EXCHANGE_TEXT, "HTTP/1.1 404 No\r\nX: y\r\n\r\nbody", 0 }),
    BAD_RESPONSE("no Upgrade", 7, { EXCHANGE_TEXT, "HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n",
                                    0 }),
    BAD_RESPONSE("an accept value of another key", 7,
                 { EXCHANGE_TEXT, RESPONSE "Connection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", 0 }),
    BAD_RESPONSE("an extension", 7, { EXCHANGE_101, "Sec-WebSocket-Extensions: x\r\n", 0 }),
    BAD_RESPONSE("a subprotocol", 7, { EXCHANGE_101, "Sec-WebSocket-Protocol: x\r\n", 0 }),
    BAD_RESPONSE("HTTP/1.0", 7, { EXCHANGE_TEXT, "HTTP/1.0 101 S\r\n\r\n", 0 }),
    BAD_RESPONSE("SMTP", 7, { EXCHANGE_TEXT, "220 mail.example ESMTP\r\n", 0 }),
    BAD_RESPONSE("bare LF", 7, { EXCHANGE_TEXT, "HTTP/1.1 101 S\nUpgrade: websocket\n\n", 0 }),
};

const size_t exchange_count = sizeof exchanges / sizeof *exchanges;
