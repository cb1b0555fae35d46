#include "upgrade.h"

int upgrade_nonce(void *ctx, void *out, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        ((char *)out)[i] = "the sample nonce"[i % 16];
    return 0;
}

bool upgrade_is(caws_slice s, const char *text)
{
    return s.data && s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

const char *upgrade_edit(const char *lines, const char *drop, const char *add)
{
    static char *head;
    size_t at = strlen(lines), skip = 0, n = strlen(add);
    if (drop) {
        const char *line = lines;
        while (strncmp(line, drop, strlen(drop)) != 0) {
            line = strchr(line, '\n') + 1;
            if (!*line)
                fail_msg("no line starts with %s", drop);
        }
        at = (size_t)(line - lines);
        skip = (size_t)(strchr(line, '\n') - line) + 1;
    }
    head = realloc(head, strlen(lines) + n + 3);
    if (!head)
        abort();
    memcpy(head, lines, at);
    memcpy(head + at, add, n);
    strcpy(head + at + n, lines + at + skip);
    strcat(head, "\r\n");
    return head;
}

unsigned upgrade_lines(const struct peer *p, const char *start)
{
    unsigned n = 0;
    const char *line = p->out_len ? (const char *)p->out : "";
    while (*line && *line != '\r') {
        n += strncmp(line, start, strlen(start)) == 0;
        line = strstr(line, "\r\n");
        if (!line)
            break;
        line += 2;
    }
    return n;
}

/* ---- Server ------------------------------------------------------------ */

static void assert_one_response(const struct peer *p, int status)
{
    bool bare = status == 204 || status == 304;
    const char *out = (const char *)p->out, *end, *length;
    size_t body;
    assert_int_equal(peer_out_status(p), status);
    end = strstr(out, "\r\n\r\n");
    assert_non_null(end);
    body = p->out_len - (size_t)(end + 4 - out);
    assert_int_equal(upgrade_lines(p, "Connection: close"), 1);
    assert_int_equal(upgrade_lines(p, "Transfer-Encoding"), 0);
    assert_int_equal(upgrade_lines(p, "Sec-WebSocket-Accept"), 0);
    assert_int_equal(upgrade_lines(p, "Content-Length: "), !bare);
    length = strstr(out, "\r\nContent-Length: ");
    assert_int_equal(body, bare ? 0 : strtoul(length + 18, NULL, 10));
}

void upgrade_assert_refused(struct peer *p, int status)
{
    size_t out_len = p->out_len, log_len = p->log_len;
    assert_one_response(p, status);
    assert_int_equal(caws_ready_state(p->ws), CAWS_CLOSING);
    assert_false(peer_log_has(p, "open\n"));
    assert_int_equal(p->counters.refused, 1);
    assert_true(peer_wants(p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    peer_feed_text(p, PEER_REQUEST);
    peer_feed_frame_text(p, 0x81, "hi");
    assert_true(peer_wants(p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    assert_int_equal(p->log_len, log_len);
    peer_eof(p);
    assert_true(peer_wants(p, CAWS_WANT_CLOSE));
    assert_int_equal(caws_ready_state(p->ws), CAWS_CLOSED);
    assert_int_equal(p->out_len, out_len);
    assert_false(peer_log_has(p, "text"));
}

static void assert_same(const struct peer *a, const struct peer *b)
{
    assert_string_equal(a->log, b->log);
    assert_int_equal(a->out_len, b->out_len);
    if (a->out_len)
        assert_memory_equal(a->out, b->out, a->out_len);
}

int upgrade_request(const caws_config *cfg, const void *data, size_t len)
{
    struct peer whole = { 0 }, bytes = { 0 };
    int status;
    peer_server(&whole, cfg);
    peer_server(&bytes, cfg);
    assert_non_null(whole.ws);
    peer_feed(&whole, data, len);
    peer_feed_bytewise(&bytes, data, len);
    assert_same(&whole, &bytes);
    status = peer_out_status(&whole);
    if (status == 101) {
        assert_int_equal(caws_ready_state(whole.ws), CAWS_OPEN);
        assert_int_equal(peer_log_count(&whole, "open\n"), 1);
        assert_false(peer_log_has(&whole, "error"));
    } else if (status != 0) {
        assert_true(peer_log_count(&whole, "error") <= 1);
        upgrade_assert_refused(&whole, status);
        assert_false(peer_log_has(&whole, "close"));
    }
    peer_free(&whole);
    peer_free(&bytes);
    return status;
}

/* ---- Client ------------------------------------------------------------ */

/* A client that failed sends nothing, closes at once, and tells of it in
 * on_error and on_close. */
static void assert_failed(struct peer *p, int error)
{
    char line[48];
    size_t out_len = p->out_len;
    assert_false(peer_log_has(p, "open\n"));
    assert_int_equal(caws_ready_state(p->ws), CAWS_CLOSING);
    assert_true(peer_wants(p, CAWS_WANT_CLOSE));
    snprintf(line, sizeof line, "error %d ", error);
    assert_int_equal(peer_log_count(p, line), 1);
    assert_int_equal(caws_send_text(p->ws, "x"), CAWS_ERR_STATE);
    peer_feed_text(p, UPGRADE_RESPONSE);
    peer_feed_hex(p, "81 02 6869");
    peer_eof(p);
    snprintf(line, sizeof line, "\nclose 1006 unclean us %d\n", error);
    assert_true(peer_log_has(p, line));
    assert_int_equal(peer_log_count(p, "\n"), 2);
    assert_int_equal(caws_ready_state(p->ws), CAWS_CLOSED);
    assert_int_equal(p->out_len, out_len);
}

int upgrade_response(const caws_config *cfg, const void *data, size_t len)
{
    caws_config c = { 0 };
    struct peer whole = { 0 }, bytes = { 0 };
    int error;
    if (cfg)
        c = *cfg;
    c.random = upgrade_nonce;
    peer_client(&whole, "ws://server.example.com/chat", &c);
    peer_client(&bytes, "ws://server.example.com/chat", &c);
    assert_non_null(whole.ws);
    error = peer_feed(&whole, data, len);
    assert_int_equal(peer_feed_bytewise(&bytes, data, len), error);
    assert_same(&whole, &bytes);
    if (error != CAWS_OK)
        assert_failed(&whole, error);
    else if (caws_ready_state(whole.ws) == CAWS_CONNECTING)
        error = 1;
    else
        assert_int_equal(peer_log_count(&whole, "open\n"), 1);
    peer_free(&whole);
    peer_free(&bytes);
    return error;
}

/* ---- Tables ------------------------------------------------------------ */

static void check(const caws_config *cfg, const struct upgrade_row *row,
                  const char *lines,
                  int (*run)(const caws_config *, const void *, size_t))
{
    const char *text = upgrade_edit(lines, row->drop, row->add);
    size_t len = strlen(text);
    char *head = malloc(len);
    int got;
    assert_non_null(head);
    for (size_t i = 0; i < len; i++)
        head[i] = text[i] == '\1' ? '\0' : text[i];
    got = run(cfg, head, len);
    free(head);
    if (got != row->expected)
        fail_msg("with \"%s\" instead of %s: %d, not %d", row->add,
                 row->drop ? row->drop : "nothing", got, row->expected);
}

void upgrade_check_requests(const caws_config *cfg,
                            const struct upgrade_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(cfg, &rows[i], PEER_REQUEST_LINES, upgrade_request);
}

void upgrade_check_responses(const caws_config *cfg,
                             const struct upgrade_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(cfg, &rows[i], UPGRADE_RESPONSE_LINES, upgrade_response);
}
