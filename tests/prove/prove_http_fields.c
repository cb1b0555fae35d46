/* Fields of any 5 bytes, and of 8 and more of each kind that the parser tells
 * apart; and what is asked of a head that is complete.
 * files: http text buffer
 * options: -eva-domains equality -eva-equality-through-calls formals
 * apart: caws__head_list_next caws__head_get text_is_tchar caws__is_control
 *   caws__is_space caws__same_text caws__token_len http_bytes_legal resize
 *   caws__resize caws__buffer_reserve caws__buffer_add simple_memchr
 *   simple_memcmp http_end_line http_check_start_line http_check_field
 *   http_check_request_line http_check_version http_check_status_line
 *   http_skip_empty_line caws__head_feed caws__head_next caws__head_find
 *   http_next_line http_value caws__list_next caws__trim */
#include "heads.h"

static void look_at_slice(caws_slice s)
{
    //@ assert \valid_read(s.data + (0 .. s.len - 1));
}

static void walk(const struct caws__head *head)
{
    caws_slice name, value;
    size_t pos = head->fields;
    while (caws__head_next(head, &pos, &name, &value)) {
        look_at_slice(name);
        look_at_slice(value);
        //@ assert name.len > 0;
    }
}

static void ask(const struct caws__head *head)
{
    unsigned count;
    caws_slice value = caws__head_get(head, "a", &count);
    //@ assert count <= 2;
    if (count > 0)
        look_at_slice(value);
    caws__head_list_has(head, "a", "b");
}

static void look_at(const struct caws__head *head)
{
    caws_slice line = caws__head_start_line(head), method, target;
    look_at_slice(line);
    if (line.data[0] == 'H') {
        int status = caws__status_line(line);
        //@ assert status == 101;
    } else {
        caws__request_line(line, &method, &target);
        //@ assert method.len == 1 && target.len == 1;
        look_at_slice(method);
        look_at_slice(target);
    }
    walk(head);
    ask(head);
}

/* One byte of each kind that the parser tells apart. */
static uint8_t one_of_each_kind(void)
{
    static const char kinds[] = "ab:, \t\r\n\0\x80";
    return (uint8_t)kinds[Frama_C_interval(0, 9)];
}

static void feed_kinds(const char *first, size_t max_len, bool response)
{
    struct caws__head_limits limits = { 100, 2, response };
    for (size_t len = 0; len <= max_len; len++) {
        uint8_t *data = malloc(len);
        for (size_t i = 0; i < len; i++)
            data[i] = one_of_each_kind();
        feed(first, data, len, &limits);
    }
}

int main(void)
{
    feed_any("G / HTTP/1.1\r\n", 5, false);
    feed_any("HTTP/1.1 101 \r\n", 3, true);
    feed_kinds("G / HTTP/1.1\r\n", 8, false);
    feed_kinds("HTTP/1.1 101 \r\na:", 6, true);
    return 0;
}
