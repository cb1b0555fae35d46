/* json.c - the tutorial's exchange: a page sends {"name": "Ada"}, and hears {"hello": "Ada",
 * "visitor": 1}. What is needed is parsed by hand; a library of your choice does it better. */
#include "options.h"

#include <caws_net.h>
#include <stdio.h>
#include <string.h>

/* The member "name" as it stands in the text, with its escapes: so it may go into JSON again. */
static caws_slice find_name(const char *json)
{
    caws_slice name = {NULL, 0};
    const char *at = strstr(json, "\"name\"");
    at = at ? at + 6 + strspn(at + 6, " \t\r\n") : "";
    at = *at == ':' ? at + 1 + strspn(at + 1, " \t\r\n") : "";
    if (*at != '"')
        return name;
    const char *end = ++at;
    while ((unsigned char)*end >= ' ' && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    if (*end == '"')
        name = (caws_slice){at, (size_t)(end - at)};
    return name;
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    static unsigned visitors;
    char json[1024], answer[sizeof json + 64];
    snprintf(json, sizeof json, "%.*s", (int)len, (const char *)data); /* with a NUL behind it */
    caws_slice name = find_name(json);
    if (type != CAWS_TEXT || !name.data) {
        caws_send_text(ws, "{\"error\": \"an object with a name, please\"}");
        return;
    }
    snprintf(answer, sizeof answer, "{\"hello\": \"%.*s\", \"visitor\": %u}", (int)name.len,
             name.data, ++visitors);
    if (caws_send_text(ws, answer) != CAWS_OK)
        caws_close(ws, CAWS_CLOSE_TRY_AGAIN_LATER, "it does not read the answers");
}

int main(int argc, char **argv)
{
    caws_server_config config = {
        .host = "localhost", .port = options_port(argc, argv), .ws.on_message = on_message,
        .ws.max_message = 1000, .ws.origins = "*" /* pages of any site, for trying it out */
    };
    caws_loop *loop = caws_loop_new(NULL);
    if (loop && caws_listen(loop, &config))
        return caws_loop_run(loop);
    perror("json");
    return 1;
}
