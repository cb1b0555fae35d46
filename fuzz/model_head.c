/* RFC 9112 sections 2 to 5: a head, byte by byte. Policy: what is wrong is told
 * at the first byte that shows it, a field's name and a start line at their
 * line's end; CRLF alone ends a line; no folding; one empty line ahead of a
 * request is let pass, and not counted. */
#include "model.h"

#include <string.h>

static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0' || !strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ", text[i]))
            return false;
    return len > 0;
}

/* HTTP-version, section 2.3; WebSocket wants 1.1 or higher. */
static int check_version(const char *v)
{
    if (strlen(v) != 8 || strncmp(v, "HTTP/", 5) != 0 || v[6] != '.' ||
        !strchr("0123456789", v[5]) || !strchr("0123456789", v[7]))
        return 400;
    return v[5] == '1' && v[7] != '0' ? 0 : 505;
}

/* method SP request-target SP HTTP-version */
static int check_request_line(const char *line)
{
    const char *first = strchr(line, ' ');
    const char *second = first ? strchr(first + 1, ' ') : NULL;
    if (!second || !is_token(line, (size_t)(first - line)) || second == first + 1)
        return 400;
    return check_version(second + 1);
}

/* HTTP-version SP 3DIGIT SP [ reason-phrase ] */
static int check_status_line(const char *line)
{
    char version[9] = "";
    if (strlen(line) < 13 || line[8] != ' ' || line[12] != ' ' || line[9] < '1' || line[9] > '5')
        return 400;
    for (int i = 9; i < 12; i++)
        if (line[i] < '0' || line[i] > '9')
            return 400;
    memcpy(version, line, 8);
    return check_version(version);
}

/* field-name ":" OWS field-value OWS */
static int read_field(struct model_head *h, const struct model_limits *limits, const char *line)
{
    const char *colon = strchr(line, ':'), *value, *end;
    size_t n = h->fields;
    if (!colon || !is_token(line, (size_t)(colon - line)))
        return 400;
    if (n == limits->max_fields)
        return 431;
    memcpy(h->name[n], line, (size_t)(colon - line));
    h->name[n][colon - line] = '\0';
    value = colon + 1 + strspn(colon + 1, " \t");
    end = value + strlen(value);
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    memcpy(h->value[n], value, (size_t)(end - value));
    h->value[n][end - value] = '\0';
    h->fields++;
    return 0;
}

static bool byte_legal(const uint8_t *data, size_t i, size_t line)
{
    bool after_cr = i > line && data[i - 1] == '\r';
    if (data[i] == '\n' || after_cr)
        return data[i] == '\n' && after_cr;
    return data[i] == '\t' || data[i] == '\r' || (data[i] >= 0x20 && data[i] != 0x7f);
}

int model_head(struct model_head *h, const struct model_limits *limits, const uint8_t *data,
               size_t len, bool response)
{
    size_t line = 0, from = 0;
    bool started = false;
    int result = 0;
    h->fields = 0;
    for (size_t i = 0; i < len && result == 0; i++) {
        if (i - from == limits->max_head)
            return started ? 431 : 414;
        if (!byte_legal(data, i, line))
            return 400;
        if (data[i] != '\n')
            continue;
        char text[MODEL_HEAD] = "";
        memcpy(text, data + line, i - 1 - line); /* without its CR LF */
        line = h->used = i + 1;
        h->counted = line - from;
        if (!started && !*text && !response && from == 0) {
            from = line;
        } else if (!started) {
            started = true;
            result = response ? check_status_line(text) : check_request_line(text);
            memcpy(h->start, text, strlen(text) + 1);
        } else if (*text) {
            result = read_field(h, limits, text);
        } else {
            return 1;
        }
    }
    return result;
}

const char *model_field(const struct model_head *h, const char *name, unsigned *count)
{
    const char *found = NULL;
    *count = 0;
    for (size_t i = h->fields; i-- > 0;)
        if (model_same(h->name[i], name)) {
            found = h->value[i];
            ++*count;
        }
    return found;
}

/* ASCII letters alone are the same in both cases. */
bool model_same(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (x != y)
            return false;
    }
    return *a == *b;
}

bool model_token(const char *text)
{
    return is_token(text, strlen(text));
}

/* RFC 9110 section 5.6.1: elements between commas, less the empty ones. */
bool model_element(const char **rest, char element[MODEL_HEAD])
{
    while (**rest) {
        const char *begin = *rest + strspn(*rest, " \t"), *end = begin + strcspn(begin, ",");
        *rest = *end ? end + 1 : end;
        while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        memcpy(element, begin, (size_t)(end - begin));
        element[end - begin] = '\0';
        if (*element)
            return true;
    }
    return false;
}

bool model_listed(const struct model_head *h, const char *name, const char *wanted)
{
    char element[MODEL_HEAD];
    for (size_t i = 0; i < h->fields; i++) {
        const char *rest = h->value[i];
        while (model_same(h->name[i], name) && model_element(&rest, element))
            if (model_same(element, wanted))
                return true;
    }
    return false;
}
