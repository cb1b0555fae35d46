/* The bytes that RFC 6455 prints: the frames of section 5.7, the handshake's
 * hash of section 1.3, and the Close of 5.5.1 made of them. */
#include "frames.h"

#include "protocol/sha1.h"

/* A random source that gives the key of the RFC's examples. */
static int rfc_key(void *ctx, void *out, size_t len)
{
    static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)out)[i] = key[i % 4];
    return 0;
}

struct example {
    const char *hex, *log;
    bool from_client;
};

static void decoded(void **state)
{
    /* REQ 5.7-1 */
    static const struct example rows[] = {
        { "81 05 48656c6c6f", "text 5 Hello\n", false },
        { "81 85 37fa213d 7f9f4d5158", "text 5 Hello\n", true },
        { "01 03 48656c  80 02 6c6f", "text 5 Hello\n", false },
        { "89 05 48656c6c6f", "ping 5 48656c6c6f\n", false },
        { "8a 85 37fa213d 7f9f4d5158", "pong 5 48656c6c6f\n", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = { 0 };
        peer_open(&p, rows[i].from_client ? PEER_SERVER : PEER_CLIENT, NULL);
        peer_forget(&p);
        peer_feed_hex(&p, rows[i].hex);
        assert_string_equal(p.log, rows[i].log);
        peer_free(&p);
    }
}

static void decode_big(const char *header, size_t len)
{
    struct peer p = { 0 };
    unsigned char *payload = calloc(1, len);
    char start[40];
    assert_non_null(payload);
    peer_open(&p, PEER_CLIENT, NULL);
    peer_forget(&p);
    peer_feed_hex(&p, header);
    peer_feed(&p, payload, len);
    snprintf(start, sizeof start, "binary %zu 0000", len);
    assert_memory_equal(p.log, start, strlen(start));
    assert_int_equal(p.log_len, strlen(start) - 4 + 2 * len + 1);
    free(payload);
    peer_free(&p);
}

static void decoded_256_bytes_and_64_kib(void **state)
{
    /* REQ 5.7-1 */
    (void)state;
    decode_big("82 7E 0100", 256);
    decode_big("82 7F 0000000000010000", 65536);
}

static void expect_hex(struct peer *p, const char *hex)
{
    peer_take(p);
    assert_string_equal(peer_out_hex(p), hex);
    peer_forget(p);
}

static void encoded(void **state)
{
    /* REQ 5.7-1 */
    static const caws_config cfg = { .random = rfc_key };
    struct peer server = { 0 }, client = { 0 };
    (void)state;
    peer_open(&server, PEER_SERVER, &cfg);
    peer_open(&client, PEER_CLIENT, &cfg);
    caws_send_text(server.ws, "Hello");
    expect_hex(&server, "810548656c6c6f");
    caws_send_text(client.ws, "Hello");
    expect_hex(&client, "818537fa213d7f9f4d5158");
    caws_send_fragment(server.ws, CAWS_TEXT, "Hel", 3, false);
    caws_send_fragment(server.ws, CAWS_TEXT, "lo", 2, true);
    expect_hex(&server, "010348656c80026c6f");
    caws_ping(server.ws, "Hello", 5);
    expect_hex(&server, "890548656c6c6f");
    peer_feed_hex(&client, "89 05 48656c6c6f");
    expect_hex(&client, "8a8537fa213d7f9f4d5158");
    peer_free(&server);
    peer_free(&client);
}

static void encoded_256_bytes_and_64_kib(void **state)
{
    /* REQ 5.7-1 */
    static const char zeros[65536];
    struct peer server = { 0 };
    (void)state;
    peer_open(&server, PEER_SERVER, NULL);
    caws_send(server.ws, CAWS_BINARY, zeros, 256);
    peer_take(&server);
    assert_memory_equal(peer_out_hex(&server), "827e010000", 10);
    assert_int_equal(server.out_len, 4 + 256);
    peer_forget(&server);
    caws_send(server.ws, CAWS_BINARY, zeros, 65536);
    peer_take(&server);
    assert_memory_equal(peer_out_hex(&server), "827f000000000001000000", 22);
    assert_int_equal(server.out_len, 10 + 65536);
    peer_free(&server);
}

static void the_hash_of_section_1_3(void **state)
{
    /* REQ 10.8-1 */
    static const unsigned char digest[20] = {
        0xb3, 0x7a, 0x4f, 0x2c, 0xc0, 0x62, 0x4f, 0x16, 0x90, 0xf6,
        0x46, 0x06, 0xcf, 0x38, 0x59, 0x45, 0xb2, 0xbe, 0xc4, 0xea
    };
    static const char joined[] = "dGhlIHNhbXBsZSBub25jZQ=="
                                 "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t out[20];
    char accept[29];
    (void)state;
    caws__sha1(joined, sizeof joined - 1, out);
    assert_memory_equal(out, digest, 20);
    assert_int_equal(caws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", 24, accept),
                     CAWS_OK);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void the_vectors_of_fips_180(void **state)
{
    /* REQ 10.8-1 */
    static const struct {
        const char *text, *hex;
    } rows[] = {
        { "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
        { "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
    };
    uint8_t out[20];
    char hex[41];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        caws__sha1(rows[i].text, strlen(rows[i].text), out);
        for (int j = 0; j < 20; j++)
            sprintf(hex + 2 * j, "%02x", out[j]);
        assert_string_equal(hex, rows[i].hex);
    }
}

static void a_million_letters(void **state)
{
    /* REQ 10.8-1 */
    static char a[1000000];
    static const unsigned char wanted[20] = {
        0x34, 0xaa, 0x97, 0x3c, 0xd4, 0xc4, 0xda, 0xa4, 0xf6, 0x1e,
        0xeb, 0x2b, 0xdb, 0xad, 0x27, 0x31, 0x65, 0x34, 0x01, 0x6f
    };
    uint8_t out[20];
    (void)state;
    memset(a, 'a', sizeof a);
    caws__sha1(a, sizeof a, out);
    assert_memory_equal(out, wanted, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoded),
        cmocka_unit_test(decoded_256_bytes_and_64_kib),
        cmocka_unit_test(encoded),
        cmocka_unit_test(encoded_256_bytes_and_64_kib),
        cmocka_unit_test(the_hash_of_section_1_3),
        cmocka_unit_test(the_vectors_of_fips_180),
        cmocka_unit_test(a_million_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
