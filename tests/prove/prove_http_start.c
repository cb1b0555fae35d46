/* Start lines, any 14 bytes of them and any that go on from a known beginning;
 * and heads larger than they may be.
 * files: http text buffer
 * apart: caws__token_len http_bytes_legal resize caws__resize
 *   caws__buffer_reserve caws__buffer_add simple_memchr simple_memcmp
 *   http_end_line http_check_start_line http_check_field
 *   http_check_request_line http_check_version http_check_status_line
 *   http_skip_empty_line caws__head_feed caws__head_next caws__list_next
 *   caws__trim */
#include "heads.h"

static void look_at(const struct caws__head *head)
{
    //@ assert head->complete == 1;
}

int main(void)
{
    struct caws__head_limits small = { 5, 1, false };
    for (size_t len = 0; len <= 7; len++)
        feed("", unknown(len), len, &small);
    feed_any("", 14, false);
    feed_any("GET /", 11, false);
    feed_any("G / HTTP/1.1\r\n", 8, false);
    feed_any("", 14, true);
    feed_any("HTTP/1.1 ", 6, true);
    return 0;
}
