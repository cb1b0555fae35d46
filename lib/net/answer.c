#include "net/answer.h"

#include <string.h>
#include <strings.h>

#include "net/memory.h"

struct caws__answer *caws__answer_new(const caws_alloc *alloc)
{
    struct caws__answer *answer =
        caws__memory(alloc, NULL, 0, sizeof *answer);

    if (answer)
        answer->len = answer->start = answer->end = answer->looked = 0;
    return answer;
}

void caws__answer_free(struct caws__answer *answer, const caws_alloc *alloc)
{
    if (answer)
        caws__memory(alloc, answer, sizeof *answer, 0);
}

size_t caws__answer_add(struct caws__answer *answer, const void *data,
                        size_t len)
{
    size_t room = sizeof answer->text - answer->len;

    if (len > room)
        len = room;
    if (len > 0)
        memcpy(answer->text + answer->len, data, len);
    answer->len += len;
    return len;
}

/* "HTTP/1.1 302 Found": 302, or -1. */
static int answer_read_status(const char *line, size_t len)
{
    int status = 0;

    if (len < 13 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
        return -1;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return -1;
        status = status * 10 + line[i] - '0';
    }
    return status >= 100 && (line[12] == ' ' || line[12] == '\r') ? status : -1;
}

/* Is the end of the head there? */
static bool answer_find_end(struct caws__answer *answer)
{
    const char *end = memmem(answer->text + answer->looked,
                             answer->len - answer->looked, "\r\n\r\n", 4);

    if (end) {
        answer->end = (size_t)(end - answer->text) + 4;
        return true;
    }
    /* Three bytes of it may be. */
    if (answer->len > answer->looked + 3)
        answer->looked = answer->len - 3;
    return false;
}

int caws__answer_status(struct caws__answer *answer)
{
    while (answer_find_end(answer)) {
        int status = answer_read_status(answer->text + answer->start,
                                        answer->end - answer->start);

        if (status < 0 || status >= 200 || status == 101)
            return status;
        answer->start = answer->looked = answer->end;
    }
    return answer->len < sizeof answer->text ? 0 : -1;
}

static caws_slice answer_trim(caws_slice text)
{
    while (text.len > 0 && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' ||
                            text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

caws_slice caws__answer_field(const struct caws__answer *answer,
                              const char *name)
{
    const char *end = answer->text + answer->end - 2;
    const char *line = answer->text + answer->start;
    caws_slice found = { NULL, 0 };
    size_t len = strlen(name);

    for (; line < end; line++) {
        const char *stop =
            memmem(line, (size_t)(end + 2 - line), "\r\n", 2);

        if ((size_t)(stop - line) > len && line[len] == ':' &&
            strncasecmp(line, name, len) == 0) {
            if (found.data)
                return (caws_slice){ NULL, 0 };
            found = answer_trim((caws_slice){
                line + len + 1, (size_t)(stop - line) - len - 1 });
        }
        line = stop + 1;
    }
    return found;
}
