/* RFC 6455 section 4: a minimal opening handshake with every byte value in the place
 * of each of its bytes, and put in front of each, against a model that says
 * what must be accepted. */
#include "upgrade.h"

static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX: y\r\n\r\n";
static const char response[] = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               UPGRADE_ACCEPT "X: y\r\n\r\n";

/* ---- The model ---------------------------------------------------------
 * The head is cut into lines, names and values, all of them strings: a head
 * with a byte that no line may have is none. */

enum { MAX_LINES = 12 };
enum verdict { REFUSE, ACCEPT, WAIT };

struct field {
    char name[160], value[160];
};
struct head {
    char start[160];
    struct field fields[MAX_LINES];
    size_t count;
};

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

#define ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

/* RFC 9110 section 5.6.2 */
static bool is_token(const char *text)
{
    return *text && text[strspn(text, "!#$%&'*+-.^_`|~" DIGIT ALPHA)] == '\0';
}

/* RFC 9110 section 5.5: no control character, and no space at either end. */
static bool read_value(const char *from, char *to)
{
    size_t n;
    from += strspn(from, " \t");
    strcpy(to, from);
    n = strlen(to);
    while (n > 0 && is_one_of(to[n - 1], " \t"))
        to[--n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)to[i] < 32 && to[i] != '\t') || to[i] == 127)
            return false;
    return true;
}

/* The line at text, which ends in CRLF; NULL where there is none, or it has a
 * NUL, CR or LF of its own. Returns what follows it. */
static const char *read_line(const char *text, const char *end, char *line)
{
    for (; text < end && *text && *text != '\n'; text++) {
        if (*text == '\r') {
            *line = '\0';
            return text + 1 < end && text[1] == '\n' ? text + 2 : NULL;
        }
        *line++ = *text;
    }
    return NULL;
}

static bool read_head(const char *text, size_t len, struct head *head)
{
    const char *end = text + len;
    char line[160];
    head->count = 0;
    text = read_line(text, end, head->start);
    while (text && (text = read_line(text, end, line)) && line[0]) {
        struct field *f = &head->fields[head->count++];
        char *colon = strchr(line, ':');
        if (!colon)
            return false;
        *colon = '\0';
        strcpy(f->name, line);
        if (!is_token(f->name) || !read_value(colon + 1, f->value))
            return false;
    }
    return text == end;
}

/* ASCII letters without their case (section 2.1), as strings. */
static bool is_same(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !((*a ^ *b) == 0x20 && is_one_of(*a, ALPHA)))
            return false;
    return *a == *b;
}

/* The one field of that name, or NULL. */
static const char *only(const struct head *head, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < head->count; i++)
        if (is_same(head->fields[i].name, name)) {
            if (found)
                return NULL;
            found = head->fields[i].value;
        }
    return found;
}

/* Does the comma-separated list have it? */
static bool has(const char *list, const char *wanted)
{
    char element[160];
    while (list) {
        const char *comma = strchr(list, ',');
        char one[160];
        size_t n = comma ? (size_t)(comma - list) : strlen(list);
        memcpy(one, list, n);
        one[n] = '\0';
        read_value(one, element);
        if (is_same(element, wanted))
            return true;
        list = comma ? comma + 1 : NULL;
    }
    return false;
}

/* "h" or "h:" and a port: unreserved and sub-delims (RFC 3986 section 3.2.2), as
 * there are no three bytes of an escape here. The comma would join two fields. */
static bool is_host(const char *text)
{
    size_t n = strspn(text, "-._~!$&'()*+;=" DIGIT ALPHA);
    return n > 0 && (text[n] == '\0' ||
                     (text[n] == ':' && text[n + 1 + strspn(text + n + 1, DIGIT)] == '\0' &&
                      text[n + 1] != '0'));
}

/* HTTP/1.1, or a later 1.x. */
static bool is_version(const char *text)
{
    return strlen(text) == 8 && strncmp(text, "HTTP/1.", 7) == 0 &&
           is_one_of(text[7], "123456789");
}

/* Section 4.2.1. In a target caws takes what browsers send. */
static enum verdict judge_request(const char *text, size_t len)
{
    static struct head head;
    const char *target, *space, *key, *version;
    if (!read_head(text, len, &head) || strncmp(head.start, "GET /", 5) != 0)
        return REFUSE;
    target = head.start + 4;
    space = strchr(target, ' ');
    if (!space || !is_version(space + 1))
        return REFUSE;
    for (; target < space; target++)
        if (*target <= ' ' || *target > '~' || is_one_of(*target, "\"#<>\\{}"))
            return REFUSE;
    key = only(&head, "Sec-WebSocket-Key");
    version = only(&head, "Sec-WebSocket-Version");
    return only(&head, "Host") && is_host(only(&head, "Host")) &&
           has(only(&head, "Upgrade"), "websocket") && has(only(&head, "Connection"), "upgrade") &&
           version && strcmp(version, "13") == 0 && key && strlen(key) == 24 &&
           strspn(key, "+/" DIGIT ALPHA) == 22 && strcmp(key + 22, "==") == 0
               ? ACCEPT
               : REFUSE;
}

/* Section 4.1. Another 1xx is let pass, and 101 waited for. */
static enum verdict judge_response(const char *text, size_t len)
{
    static struct head head;
    const char *code, *upgrade, *accept;
    char version[9] = "";
    if (!read_head(text, len, &head) || strlen(head.start) < 13 || head.start[8] != ' ')
        return REFUSE;
    strncpy(version, head.start, 8);
    code = head.start + 9;
    for (const char *c = code + 4; *c; c++) /* the reason */
        if ((unsigned char)*c < 32 ? *c != '\t' : *c == 127)
            return REFUSE;
    if (!is_version(version) || strspn(code, DIGIT) != 3 || code[3] != ' ')
        return REFUSE;
    if (code[0] == '1' && strncmp(code, "101", 3) != 0)
        return WAIT;
    upgrade = only(&head, "Upgrade");
    accept = only(&head, "Sec-WebSocket-Accept");
    return strncmp(code, "101", 3) == 0 && upgrade && is_same(upgrade, "websocket") &&
           has(only(&head, "Connection"), "upgrade") && accept &&
           strcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0
               ? ACCEPT
               : REFUSE;
}

/* ---- The library against it -------------------------------------------- */

static enum verdict feed_request(const char *text, size_t len)
{
    int status = upgrade_request(NULL, text, len);
    if (status != 101 && (status < 400 || status > 599))
        fail_msg("status %d", status);
    return status == 101 ? ACCEPT : REFUSE;
}

static enum verdict feed_response(const char *text, size_t len)
{
    int result = upgrade_response(NULL, text, len);
    if (result < 0 && result != CAWS_ERR_HANDSHAKE && result != CAWS_ERR_REFUSED)
        fail_msg("error %d", result);
    return result == CAWS_OK ? ACCEPT : result == 1 ? WAIT : REFUSE;
}

static void check_all(const char *head, enum verdict (*judge)(const char *text, size_t len),
                      enum verdict (*feed)(const char *text, size_t len))
{
    size_t len = strlen(head);
    unsigned count[3] = { 0 };
    char text[256];
    assert_int_equal(judge(head, len), ACCEPT);
    for (size_t inserted = 0; inserted < 2; inserted++)
        for (size_t at = 0; at < len; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                enum verdict want, got;
                memcpy(text, head, at);
                text[at] = (char)byte;
                memcpy(text + at + 1, head + at + 1 - inserted, len - at - 1 + inserted);
                if (inserted && memcmp(text, head, len) == 0)
                    continue; /* the same head, and a frame's byte behind it */
                want = judge(text, len + inserted);
                got = feed(text, len + inserted);
                if (want != got)
                    fail_msg("byte %02x %s %zu: %d, not %d", byte,
                             inserted ? "in front of" : "at", at, got, want);
                count[want]++;
            }
    assert_int_equal(count[REFUSE] + count[ACCEPT] + count[WAIT], 2 * 256 * len - 1);
    assert_true(count[ACCEPT] > 1000 && count[REFUSE] > 10000);
    print_message("%zu heads, %u of them accepted\n", 2 * 256 * len - 1, count[ACCEPT]);
}

static void test_every_byte_of_a_request(void **state)
{
    (void)state;
    check_all(request, judge_request, feed_request);
}

static void test_every_byte_of_a_response(void **state)
{
    (void)state;
    /* REQ 4.1-31 */
    check_all(response, judge_response, feed_response);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_of_a_request),
        cmocka_unit_test(test_every_byte_of_a_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
