#include "cawscat.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char GREY[] = "\033[90m", GREEN[] = "\033[32m";
static const char RED[] = "\033[31m", PLAIN[] = "\033[0m";

static void put(struct cat *cat, const void *data, size_t len)
{
    if (bytes_add(&cat->out, data, len))
        return;
    print_failure(cat, FAILED, "out of memory");
    cat->over = true;
}

static void put_text(struct cat *cat, const char *text)
{
    put(cat, text, strlen(text));
}

static void put_colour(struct cat *cat, const char *colour)
{
    if (cat->colours)
        put_text(cat, colour);
}

/* The prompt gives way to a line, and comes back behind it. */
static void begin_line(struct cat *cat)
{
    if (cat->terminal)
        put_text(cat, cat->colours ? "\r\033[K" : "\r");
}

static void end_line(struct cat *cat)
{
    put_text(cat, "\n");
    if (cat->terminal && cat->open > 0 && !cat->ending)
        put_text(cat, "> ");
}

/* Nothing that a peer sends may command the terminal: C0, C1 and DEL as \xNN. */
static void put_escaped(struct cat *cat, const unsigned char *text, size_t len)
{
    char code[8];

    for (size_t i = 0; i < len; i++) {
        bool c1 = text[i] == 0xc2 && i + 1 < len && text[i + 1] < 0xa0;
        if (text[i] >= 0x20 && text[i] != 0x7f && !c1) {
            put(cat, text + i, 1);
            continue;
        }
        i += c1;
        put(cat, code, (size_t)snprintf(code, sizeof code, "\\x%02x", (unsigned)text[i]));
    }
}

static void put_bytes(struct cat *cat, const unsigned char *bytes, size_t len)
{
    enum { SHOWN = 24 };
    char text[64];

    put(cat, text, (size_t)snprintf(text, sizeof text, "%zu bytes:", len));
    for (size_t i = 0; i < len && i < SHOWN; i++)
        put(cat, text, (size_t)snprintf(text, sizeof text, " %02x", (unsigned)bytes[i]));
    if (len > SHOWN)
        put_text(cat, " ...");
}

void print_message(struct cat *cat, caws_type type, const void *data, size_t len)
{
    if (!cat->screen) {
        put(cat, data, len);
        if (!cat->set.binary)
            put_text(cat, "\n");
        return;
    }
    begin_line(cat);
    put_colour(cat, GREEN);
    if (cat->terminal)
        put_text(cat, "< ");
    put_colour(cat, PLAIN);
    if (type == CAWS_TEXT)
        put_escaped(cat, data, len);
    else
        put_bytes(cat, data, len);
    end_line(cat);
}

void print_notice(struct cat *cat, const char *format, ...)
{
    char line[512];
    va_list args;

    if (!cat->terminal)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    begin_line(cat);
    put_colour(cat, GREY);
    put_escaped(cat, (const unsigned char *)line, strlen(line));
    put_colour(cat, PLAIN);
    end_line(cat);
}

void print_failure(struct cat *cat, int status, const char *format, ...)
{
    va_list args;

    if (cat->status == CLEAN)
        cat->status = status;
    va_start(args, format);
    fprintf(stderr, "%s%scawscat: ", cat->terminal ? "\r" : "", cat->colours ? RED : "");
    vfprintf(stderr, format, args);
    fprintf(stderr, "%s\n", cat->colours ? PLAIN : "");
    va_end(args);
}
