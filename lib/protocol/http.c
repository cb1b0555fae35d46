#include "protocol/http.h"

#include <string.h>

static caws_slice http_skip(caws_slice text, size_t n)
{
    return (caws_slice){ text.data + n, text.len - n };
}

/* ---- Start line (RFC 9112 sections 3 and 4) ---------------------------- */

static bool http_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1" and later minor versions; 505 for others that are well formed. */
static int http_check_version(caws_slice v, const char **detail)
{
    *detail = "HTTP version is not of the form HTTP/1.1, RFC 9112 section 2.3";
    if (v.len != 8 || memcmp(v.data, "HTTP/", 5) != 0 ||
        !http_is_digit(v.data[5]) || v.data[6] != '.' ||
        !http_is_digit(v.data[7]))
        return 400;
    *detail = "HTTP version is not 1.1 or higher, RFC 6455 section 4.1";
    return v.data[5] == '1' && v.data[7] >= '1' ? 0 : 505;
}

void caws__request_line(caws_slice line, caws_slice *method,
                        caws_slice *target)
{
    size_t m = caws__token_len(line);
    *method = (caws_slice){ line.data, m };
    *target = (caws_slice){ line.data + m + 1, line.len - m - 10 };
}

static int http_check_request_line(caws_slice line, const char **detail)
{
    size_t m = caws__token_len(line);
    caws_slice rest = http_skip(line, m);
    const char *space;
    *detail = "request line is not \"method target version\", "
              "RFC 9112 section 3";
    if (m == 0 || rest.len < 2 || rest.data[0] != ' ')
        return 400;
    rest = http_skip(rest, 1);
    space = memchr(rest.data, ' ', rest.len);
    if (!space || space == rest.data)
        return 400;
    return http_check_version(
        http_skip(rest, (size_t)(space - rest.data) + 1), detail);
}

int caws__status_line(caws_slice line)
{
    const char *d = line.data + 9;
    return (d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0');
}

static int http_check_status_line(caws_slice line, const char **detail)
{
    const char *d = line.data;
    *detail = "status line is not \"version code reason\", RFC 9112 section 4";
    if (line.len < 13 || d[8] != ' ' || !http_is_digit(d[9]) ||
        !http_is_digit(d[10]) || !http_is_digit(d[11]) || d[12] != ' ' ||
        d[9] < '1' || d[9] > '5')
        return 400;
    return http_check_version((caws_slice){ d, 8 }, detail);
}

/* ---- Fields (RFC 9112 section 5) --------------------------------------- */

static int http_check_field(caws_slice line, const char **detail)
{
    size_t name = caws__token_len(line);
    *detail = "folded header line, RFC 9112 section 5.2";
    if (caws__is_space(line.data[0]))
        return 400;
    *detail = "white space before a header's colon, RFC 9112 section 5.1";
    if (name > 0 && name < line.len && caws__is_space(line.data[name]))
        return 400;
    *detail = "header line without a valid name and a colon, "
              "RFC 9112 section 5.1";
    return name > 0 && name < line.len && line.data[name] == ':' ? 0 : 400;
}

/* The next line; false at the empty one. */
static bool http_next_line(const struct caws__head *head, size_t *pos,
                           caws_slice *line)
{
    const char *end;
    line->data = (const char *)head->text.data + *pos;
    if (*line->data == '\r')
        return false;
    end = memchr(line->data, '\r', head->text.len - *pos);
    line->len = (size_t)(end - line->data);
    *pos += line->len + 2;
    return true;
}

/* What follows a name of that length. */
static caws_slice http_value(caws_slice line, size_t name)
{
    return caws__trim(http_skip(line, name + 1));
}

bool caws__head_next(const struct caws__head *head, size_t *pos,
                     caws_slice *name, caws_slice *value)
{
    const char *colon;
    caws_slice line;
    if (!http_next_line(head, pos, &line))
        return false;
    colon = memchr(line.data, ':', line.len);
    *name = (caws_slice){ line.data, (size_t)(colon - line.data) };
    *value = http_value(line, name->len);
    return true;
}

bool caws__head_find(const struct caws__head *head, size_t *pos,
                     caws_slice name, caws_slice *value)
{
    caws_slice line;
    while (http_next_line(head, pos, &line))
        if (name.len < line.len && line.data[name.len] == ':' &&
            caws__same_text((caws_slice){ line.data, name.len }, name)) {
            *value = http_value(line, name.len);
            return true;
        }
    return false;
}

caws_slice caws__head_get(const struct caws__head *head, const char *name,
                          unsigned *count)
{
    caws_slice found = { NULL, 0 }, value, wanted = caws__slice(name);
    size_t pos = head->fields;
    unsigned times = 0;
    while (caws__head_find(head, &pos, wanted, &value))
        if (times++ == 0)
            found = value;
    if (count)
        *count = times;
    return found;
}

bool caws__head_list_next(struct caws__list *list, caws_slice *element)
{
    caws_slice name = caws__slice(list->name);
    while (!caws__list_next(&list->rest, element))
        if (!caws__head_find(list->head, &list->pos, name, &list->rest))
            return false;
    return true;
}

bool caws__head_list_has(const struct caws__head *head, const char *name,
                         const char *element)
{
    struct caws__list list = { head, name, head->fields, { NULL, 0 } };
    caws_slice e;
    while (caws__head_list_next(&list, &e))
        if (caws__same(e, element))
            return true;
    return false;
}

/* ---- Collecting -------------------------------------------------------- */

/* Bytes that no line may have are refused as soon as they come, so that
 * somebody who speaks TLS, say, is told at once. */
static bool http_bytes_legal(const struct caws__head *head, size_t from)
{
    const char *t = (const char *)head->text.data;
    bool cr = from > head->line && t[from - 1] == '\r';
    for (size_t i = from; i < head->text.len; i++) {
        if (!cr && !caws__is_control(t[i]))
            continue;
        if (cr ? t[i] != '\n' : t[i] != '\r')
            return false;
        cr = !cr;
    }
    return true;
}

static int http_check_start_line(const struct caws__head_limits *limits,
                                 caws_slice line, const char **detail)
{
    return limits->response ? http_check_status_line(line, detail)
                            : http_check_request_line(line, detail);
}

/* One empty line ahead of a request is let pass (RFC 9112 section 2.2). */
static int http_skip_empty_line(struct caws__head *head, bool response,
                                const char **detail)
{
    *detail = "empty lines ahead of the start line, RFC 9112 section 2.2";
    if (head->skipped || response)
        return 400;
    head->skipped = true;
    head->text.len = 0;
    return 0;
}

/* The line from head->line to the end of the text is complete. */
static int http_end_line(struct caws__head *head,
                         const struct caws__head_limits *limits,
                         const char **detail)
{
    caws_slice line = { (const char *)head->text.data + head->line,
                        head->text.len - head->line - 2 };
    int result;
    if (!head->started && line.len == 0)
        return http_skip_empty_line(head, limits->response, detail);
    head->line = head->text.len;
    if (!head->started) {
        head->started = true;
        head->fields = head->line;
        return http_check_start_line(limits, line, detail);
    }
    if (line.len == 0) {
        head->complete = true;
        return 1;
    }
    result = http_check_field(line, detail);
    if (result == 0 && ++head->count > limits->max_fields) {
        *detail = "too many header fields (max_headers), RFC 6585 section 5";
        return 431;
    }
    return result;
}

int caws__head_feed(struct caws__head *head, const caws_alloc *alloc,
                    const struct caws__head_limits *limits,
                    const uint8_t *data, size_t len, size_t *used,
                    const char **detail)
{
    int result = 0;
    *used = 0;
    while (*used < len && result == 0) {
        size_t before = head->text.len, room = limits->max_bytes - before;
        const uint8_t *from = data + *used;
        const uint8_t *newline = memchr(from, '\n', len - *used);
        size_t n = newline ? (size_t)(newline - from) + 1 : len - *used;
        bool too_big = n > room;
        if (too_big)
            n = room;
        if (caws__buffer_reserve(&head->text, alloc, n,
                                 limits->max_bytes) != CAWS_OK)
            return CAWS_ERR_NOMEM;
        if (n > 0)
            memcpy(head->text.data + before, from, n);
        head->text.len += n;
        *used += n;
        if (!http_bytes_legal(head, before)) {
            *detail = "control character, bare CR or bare LF in the HTTP "
                      "head, RFC 9112 section 2.2";
            return 400;
        }
        if (too_big) {
            *detail = "HTTP head larger than max_head, RFC 6585 section 5";
            return head->started ? 431 : 414;
        }
        if (newline)
            result = http_end_line(head, limits, detail);
    }
    return result;
}

void caws__head_free(struct caws__head *head, const caws_alloc *alloc)
{
    caws__buffer_free(&head->text, alloc);
}

caws_slice caws__head_start_line(const struct caws__head *head)
{
    return (caws_slice){ (const char *)head->text.data, head->fields - 2 };
}
