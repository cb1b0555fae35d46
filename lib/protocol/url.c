#include "protocol/url.h"

#include <string.h>

#define URL_HOST_MAX 255 /* RFC 3986 section 3.2.2: as long as a DNS name */

static bool url_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit, -1 for any other byte. */
static int url_hex(int c)
{
    if (url_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the escape at text[i] stands for (RFC 3986 section 2.1), or
 * -1 where it is not whole. */
static int url_escape(caws_slice text, size_t i)
{
    int high, low;
    if (text.len - i < 3)
        return -1;
    high = url_hex(text.data[i + 1]);
    low = url_hex(text.data[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* unreserved or sub-delims (RFC 3986 sections 2.2 and 2.3). */
static bool url_plain(int c)
{
    static const char others[] = "-._~!$&'()*+,;=";
    int lower = c | 0x20;
    return (lower >= 'a' && lower <= 'z') || url_digit(c) ||
           memchr(others, c, sizeof others - 1) != NULL;
}

bool caws__url_target_valid(caws_slice target)
{
    for (size_t i = 0; i < target.len; i++) {
        int c = (unsigned char)target.data[i];
        if (c == '%') {
            if (url_escape(target, i) < 0)
                return false;
            i += 2;
        } else if (!url_plain(c) && c != ':' && c != '@' && c != '/' &&
                   c != '?') {
            return false;
        }
    }
    return true;
}

/* reg-name (RFC 3986 section 3.2.2), which IPv4 addresses look like too. What
 * is escaped must be harmless once somebody decodes it: a plain character or
 * a piece of a non-ASCII name, and no NUL, "/", "@", "%" and the like. */
static bool url_name_valid(caws_slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        int c = (unsigned char)host.data[i];
        if (c == '%') {
            c = url_escape(host, i);
            i += 2;
            if (c >= 0x80)
                continue;
        }
        if (!url_plain(c))
            return false;
    }
    return host.len > 0;
}

/* Four decimal octets, without leading zeros. */
static bool url_ipv4_valid(const char *s, size_t len)
{
    size_t i = 0;
    for (int octet = 0; octet < 4; octet++) {
        size_t start;
        int value = 0;
        if (octet > 0 && (i == len || s[i++] != '.'))
            return false;
        start = i;
        while (i < len && i - start < 3 && url_digit(s[i]))
            value = value * 10 + s[i++] - '0';
        if (i == start || value > 255 || (s[start] == '0' && i - start > 1))
            return false;
    }
    return i == len;
}

/* IPv6address (RFC 3986 section 3.2.2): eight groups of 16 bits, of which one
 * "::" stands for one or more, and the last two may be an IPv4 address. */
static bool url_ipv6_valid(const char *s, size_t len)
{
    bool gap = len >= 2 && s[0] == ':' && s[1] == ':';
    size_t i = gap ? 2 : 0;
    unsigned groups = 0;
    while (i < len) {
        size_t start = i;
        while (i < len && url_hex(s[i]) >= 0)
            i++;
        if (i < len && s[i] == '.') {
            groups += 2;
            if (!url_ipv4_valid(s + start, len - start))
                return false;
            break;
        }
        if (i == start || i - start > 4)
            return false;
        groups++;
        if (i == len)
            break;
        if (s[i++] != ':' || i == len)
            return false;
        if (s[i] == ':') {
            if (gap)
                return false;
            gap = true;
            i++;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* *DIGIT, as a TCP port; 0 where there are no digits. -1: not a port. */
static int32_t url_port(caws_slice port)
{
    int32_t n = 0;
    for (size_t i = 0; i < port.len; i++) {
        if (!url_digit(port.data[i]))
            return -1;
        n = n * 10 + port.data[i] - '0';
        if (n > UINT16_MAX)
            return -1;
    }
    return n == 0 && port.len > 0 ? -1 : n;
}

/* What stands before any ":port", with its brackets if it has them. */
static size_t url_host_end(caws_slice text)
{
    char end = text.len > 0 && text.data[0] == '[' ? ']' : ':';
    size_t i = 0;
    while (i < text.len && text.data[i] != end)
        i++;
    return end == ']' && i < text.len ? i + 1 : i;
}

static bool url_host_valid(caws_slice *host)
{
    if (host->len > URL_HOST_MAX)
        return false;
    if (host->len < 2 || host->data[0] != '[')
        return url_name_valid(*host);
    host->data++;
    host->len -= 2;
    return host->data[host->len] == ']' &&
           url_ipv6_valid(host->data, host->len);
}

/* authority without userinfo (RFC 3986 section 3.2). */
static bool url_split(caws_slice text, caws_slice *host, caws_slice *port)
{
    size_t end = url_host_end(text);
    *host = (caws_slice){ text.data, end };
    *port = (caws_slice){ NULL, 0 };
    if (end < text.len) {
        if (text.data[end] != ':')
            return false;
        *port = (caws_slice){ text.data + end + 1, text.len - end - 1 };
    }
    return url_host_valid(host) && url_port(*port) >= 0;
}

/* A comma would do in a URL, but in a field it is what joins two of them
 * (RFC 9110 section 5.3). */
bool caws__url_authority(caws_slice text, caws_slice *host, caws_slice *port)
{
    return url_split(text, host, port) &&
           memchr(host->data, ',', host->len) == NULL;
}

/* "ws://" or "wss://" in any case (RFC 3986 section 3.1): its length, or 0. */
static size_t url_scheme(const char *url)
{
    size_t n = 2;
    if ((url[0] | 0x20) != 'w' || (url[1] | 0x20) != 's')
        return 0;
    if ((url[2] | 0x20) == 's')
        n = 3;
    return strncmp(url + n, "://", 3) == 0 ? n + 3 : 0;
}

int caws_url_parse(const char *url, caws_url *out)
{
    caws_slice authority, port;
    caws_url u;
    if (url == NULL || out == NULL)
        return CAWS_ERR_ARG;
    authority.data = url + url_scheme(url);
    authority.len = strcspn(authority.data, "/?#");
    u.target.data = authority.data + authority.len;
    u.target.len = strlen(u.target.data);
    if (authority.data == url || !url_split(authority, &u.host, &port) ||
        !caws__url_target_valid(u.target))
        return CAWS_ERR_URL;
    if (u.target.len == 0)
        u.target = (caws_slice){ "/", 1 };
    u.secure = authority.data - url == 6;
    u.port = (uint16_t)url_port(port);
    if (u.port == 0)
        u.port = u.secure ? 443 : 80;
    *out = u;
    return CAWS_OK;
}
