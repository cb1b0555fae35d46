/* RFC 3986 section 3 and RFC 6455 section 3, by the grammar. */
#include "model.h"

#include <string.h>

static bool is_hex(char c)
{
    return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

static bool is_unreserved_or_sub(char c)
{
    return c != '\0' && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-._~!$&'()*+,;=", c) != NULL;
}

static unsigned hex_value(const char *two)
{
    unsigned value = 0;
    for (int i = 0; i < 2; i++)
        value = value * 16 + (unsigned)(strchr("0123456789abcdef", two[i] | 0x20) -
                                        "0123456789abcdef");
    return value;
}

static bool is_escape(const char *text, size_t left)
{
    return left >= 3 && text[0] == '%' && is_hex(text[1]) && is_hex(text[2]);
}

/* reg-name. Policy: an escape stands for something that would be harmless
 * without it, or for a byte of a non-ASCII character. */
static bool is_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        if (is_escape(text + i, len - i)) {
            unsigned value = hex_value(text + i + 1);
            if (value < 0x80 && !is_unreserved_or_sub((char)value))
                return false;
            i += 3;
        } else if (is_unreserved_or_sub(text[i++])) {
            continue;
        } else {
            return false;
        }
    }
    return len > 0;
}

/* dec-octet "." dec-octet "." dec-octet "." dec-octet */
static bool is_ipv4(const char *text, size_t len)
{
    int parts = 0;
    while (len > 0) {
        const char *dot = memchr(text, '.', len);
        size_t n = dot ? (size_t)(dot - text) : len;
        unsigned value = 0;
        if (n == 0 || n > 3 || (n > 1 && text[0] == '0'))
            return false;
        for (size_t i = 0; i < n; i++) {
            if (text[i] < '0' || text[i] > '9')
                return false;
            value = value * 10 + (unsigned)(text[i] - '0');
        }
        if (value > 255)
            return false;
        parts++;
        text += n;
        len -= n;
        if (dot) {
            if (len == 1)
                return false;
            text++;
            len--;
        }
    }
    return parts == 4;
}

/* Groups of h16 with ":" between them, how many 16 bits they are; -1 for none.
 * The last may be an IPv4 address where that is the end of all. */
static int count_groups(const char *text, size_t len, bool at_end)
{
    int groups = 0;
    while (len > 0) {
        const char *colon = memchr(text, ':', len);
        size_t n = colon ? (size_t)(colon - text) : len;
        if (!colon && at_end && is_ipv4(text, n))
            return groups + 2;
        if (n == 0 || n > 4)
            return -1;
        for (size_t i = 0; i < n; i++)
            if (!is_hex(text[i]))
                return -1;
        groups++;
        if (colon && n + 1 == len)
            return -1;
        text += colon ? n + 1 : n;
        len -= colon ? n + 1 : n;
    }
    return groups;
}

static bool is_ipv6(const char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++)
        if (text[i] == ':' && text[i + 1] == ':') {
            int before = count_groups(text, i, false);
            int after = count_groups(text + i + 2, len - i - 2, true);
            return before >= 0 && after >= 0 && before + after <= 7;
        }
    return count_groups(text, len, true) == 8;
}

/* Policy: port 0 is none; hosts are at most 255 bytes, brackets included. */
bool model_authority(const char *text, size_t len, size_t *host_len, unsigned *port)
{
    const char *end = len > 0 && text[0] == '[' ? memchr(text, ']', len) : memchr(text, ':', len);
    size_t host = end ? (size_t)(end - text) : len, i;
    if (len > 0 && text[0] == '[') {
        if (!end || !is_ipv6(text + 1, host - 1))
            return false;
        host++;
    } else if (!is_name(text, host)) {
        return false;
    }
    *host_len = host;
    *port = 0;
    if (host > 255 || (host < len && text[host] != ':'))
        return false;
    for (i = host + 1; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || *port > 65535)
            return false;
        *port = *port * 10 + (unsigned)(text[i] - '0');
    }
    return *port <= 65535 && !(host + 1 < len && *port == 0);
}

/* Policy: no fragment (RFC 6455 section 3), not even an empty one. */
static bool is_target(const char *text)
{
    while (*text) {
        if (is_escape(text, strlen(text)))
            text += 3;
        else if (is_unreserved_or_sub(*text) || strchr(":@/?", *text))
            text++;
        else
            return false;
    }
    return true;
}

bool model_url(const char *url, caws_url *out)
{
    char scheme[8] = "";
    size_t n = 0, host_len;
    unsigned port;
    while (n < 7 && url[n] && url[n] != '/') {
        scheme[n] = url[n] >= 'A' && url[n] <= 'Z' ? (char)(url[n] + 32) : url[n];
        n++;
    }
    if ((strcmp(scheme, "ws:") != 0 && strcmp(scheme, "wss:") != 0) || url[n] != '/' ||
        url[n + 1] != '/')
        return false;
    out->secure = scheme[2] == 's';
    url += n + 2;
    n = strcspn(url, "/?#");
    if (!model_authority(url, n, &host_len, &port) || !is_target(url + n))
        return false;
    out->host = (caws_slice){ url, host_len };
    if (url[0] == '[')
        out->host = (caws_slice){ url + 1, host_len - 2 };
    out->port = port ? (uint16_t)port : out->secure ? 443 : 80;
    out->target = url[n] ? (caws_slice){ url + n, strlen(url + n) } : (caws_slice){ "/", 1 };
    return true;
}
