/* The limits on an HTTP head: each is exact, and answers with its own status
 * (RFC 9110 section 15.5, RFC 6585). */
#include "upgrade.h"

#define FAIL CAWS_ERR_HANDSHAKE

/* A head of exactly size bytes: a field of the right length is added. */
static const char *head_of(const char *lines, size_t size)
{
    static char field[8192];
    size_t fixed = strlen(lines) + strlen("X: \r\n\r\n");
    assert_true(size >= fixed && size - fixed < sizeof field - 8);
    strcpy(field, "X: ");
    memset(field + 3, 'a', size - fixed);
    strcpy(field + 3 + (size - fixed), "\r\n");
    return upgrade_edit(lines, NULL, field);
}

static void max_head_is_exact(void **state)
{
    enum { MAX = 1000 };
    static const caws_config cfg = { .max_head = MAX };
    (void)state;
    for (size_t n = MAX - 1; n <= MAX + 1; n++) {
        const char *text = head_of(PEER_REQUEST_LINES, n);
        assert_int_equal(strlen(text), n);
        /* REQ LIMIT-2, 9110-15.5-1 */
        assert_int_equal(upgrade_request(&cfg, text, n), n <= MAX ? 101 : 431);
        text = head_of(UPGRADE_RESPONSE_LINES, n);
        assert_int_equal(upgrade_response(&cfg, text, n), n <= MAX ? CAWS_OK : FAIL);
    }
}

static void default_max_head_is_16_kib(void **state)
{
    (void)state;
    for (size_t n = 16383; n <= 16385; n++) {
        char lines[12000] = PEER_REQUEST_LINES "Y: ";
        size_t at = strlen(lines);
        const char *text;
        memset(lines + at, 'y', 11000 - at);
        strcpy(lines + 11000, "\r\n");
        text = head_of(lines, n);
        assert_int_equal(upgrade_request(NULL, text, n), n <= 16384 ? 101 : 431);
    }
}

/* The start line alone: 414 where the head ends in it, whether its target
 * could have been served or not. */
static void start_line_ends_in_max_head(void **state)
{
    static const char start[] = "GET /chat HTTP/1.1\r\n";
    (void)state;
    for (size_t n = 1; n < sizeof start + 5; n++) {
        caws_config cfg = { .max_head = n };
        /* REQ LIMIT-2 */
        assert_int_equal(upgrade_request(&cfg, PEER_REQUEST, strlen(PEER_REQUEST)),
                         n < sizeof start - 1 ? 414 : 431);
    }
}

static void leading_empty_line_does_not_count(void **state)
{
    static const caws_config cfg = { .max_head = sizeof PEER_REQUEST - 1 };
    static const char text[] = "\r\n" PEER_REQUEST;
    (void)state;
    assert_int_equal(upgrade_request(&cfg, text, sizeof text - 1), 101);
}

static const char *head_with_fields(const char *lines, unsigned present, unsigned count)
{
    static char fields[16384];
    char *end = fields;
    *end = '\0';
    for (unsigned i = present; i < count; i++)
        end += sprintf(end, "X-%u: y\r\n", i);
    return upgrade_edit(lines, NULL, fields);
}

static void max_headers_is_exact(void **state)
{
    static const struct {
        uint32_t limit;
        unsigned really;
    } rows[] = { { 0, 64 }, { 5, 5 }, { 10, 10 }, { 200, 200 } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        caws_config cfg = { .max_headers = rows[i].limit };
        unsigned max = rows[i].really;
        for (unsigned n = max > 5 ? max - 1 : max; n <= max + 1; n++) {
            const char *text = head_with_fields(PEER_REQUEST_LINES, 5, n);
            /* REQ LIMIT-2, 9110-15.5-1 */
            assert_int_equal(upgrade_request(&cfg, text, strlen(text)), n <= max ? 101 : 431);
            text = head_with_fields(UPGRADE_RESPONSE_LINES, 3, n);
            assert_int_equal(upgrade_response(&cfg, text, strlen(text)),
                             n <= max ? CAWS_OK : FAIL);
        }
    }
}

static void offer_has_64_subprotocols_at_most(void **state)
{
    (void)state;
    for (unsigned n = 63; n <= 65; n++) {
        char field[1024] = "Sec-WebSocket-Protocol: p0";
        const char *text;
        for (unsigned i = 1; i < n; i++)
            sprintf(field + strlen(field), ", p%u", i);
        strcat(field, "\r\n");
        text = upgrade_edit(PEER_REQUEST_LINES, NULL, field);
        /* REQ LIMIT-2, CPU-6 */
        assert_int_equal(upgrade_request(NULL, text, strlen(text)), n <= 64 ? 101 : 400);
    }
}

static void config_has_64_subprotocols_at_most(void **state)
{
    (void)state;
    for (unsigned n = 64; n <= 65; n++) {
        char names[1024] = "p0";
        caws_config cfg = { .subprotocols = names };
        for (unsigned i = 1; i < n; i++)
            sprintf(names + strlen(names), ", p%u", i);
        assert_int_equal(caws_config_check(&cfg, NULL), n <= 64 ? CAWS_OK : CAWS_ERR_ARG);
    }
}

/* Each limit is reached on its own, the others being far away. */
static void limits_are_independent(void **state)
{
    static const caws_config few = { .max_headers = 5 };
    static const caws_config large = { .max_head = 100000 };
    char *text = malloc(60000);
    (void)state;
    assert_non_null(text);
    sprintf(text, PEER_REQUEST_LINES "%s%*s\r\n\r\n", "X: ", 50000, "y");
    assert_int_equal(upgrade_request(NULL, text, strlen(text)), 431);
    assert_int_equal(upgrade_request(&large, text, strlen(text)), 101);
    assert_int_equal(upgrade_request(&few, text, strlen(text)), 431);
    assert_int_equal(upgrade_request(&few, PEER_REQUEST, strlen(PEER_REQUEST)), 101);
    free(text);
}

/* The heads of interim responses count together with the last. */
static void interim_responses_count(void **state)
{
    static const char hint[] = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
    static const char text[] = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" UPGRADE_RESPONSE;
    (void)state;
    for (size_t less = 0; less < 2; less++) {
        caws_config cfg = { .max_head = strlen(hint) + strlen(UPGRADE_RESPONSE) - less };
        assert_int_equal(upgrade_response(&cfg, text, sizeof text - 1), less ? FAIL : CAWS_OK);
    }
}

static int busy(caws_conn *ws, const caws_request *req)
{
    (void)ws, (void)req;
    return 503;
}

static void each_limit_has_its_status(void **state)
{
    static const caws_config cfg = { .max_head = 100, .on_request = busy };
    static const char fits[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, "GET /0123456789012345678901234567890123456789012345678901234567890123456"
                       "789012345678901234567890123456789 HTTP/1.1\r\n");
    upgrade_assert_refused(&p, 414);
    assert_true(peer_log_has(&p, "error -7 HTTP head larger than max_head"));
    peer_free(&p);
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    upgrade_assert_refused(&p, 431);
    peer_free(&p);
    peer_server(&p, &cfg);
    peer_feed_text(&p, fits);
    upgrade_assert_refused(&p, 503);
    peer_free(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_head_is_exact),
        cmocka_unit_test(default_max_head_is_16_kib),
        cmocka_unit_test(start_line_ends_in_max_head),
        cmocka_unit_test(leading_empty_line_does_not_count),
        cmocka_unit_test(max_headers_is_exact),
        cmocka_unit_test(offer_has_64_subprotocols_at_most),
        cmocka_unit_test(config_has_64_subprotocols_at_most),
        cmocka_unit_test(limits_are_independent),
        cmocka_unit_test(interim_responses_count),
        cmocka_unit_test(each_limit_has_its_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
