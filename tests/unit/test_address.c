/* lib/net/address.c: in which order addresses are tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/un.h>

#include "net/address.h"

/* "4a 4b 6a": addresses 10.0.0.a, 10.0.0.b, 2001:db8::a. */
static struct addrinfo *list_of(const char *text)
{
    struct addrinfo *first = NULL, **end = &first;
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
    for (; *text; text += 2) {
        char host[32];
        if (text[0] == '4')
            snprintf(host, sizeof host, "10.0.0.%d", text[1]);
        else
            snprintf(host, sizeof host, "2001:db8::%x", (unsigned)text[1]);
        assert_int_equal(getaddrinfo(host, "80", &hints, end), 0);
        end = &(*end)->ai_next;
    }
    return first;
}

static void write_order(const struct caws__addresses *a, char *out)
{
    for (size_t i = 0; i < a->count; i++) {
        struct sockaddr_in6 six;
        struct sockaddr_in four;
        if (a->v[i].data.ss_family == AF_INET6) {
            memcpy(&six, &a->v[i].data, sizeof six);
            assert_int_equal(a->v[i].len, sizeof six);
            assert_int_equal(ntohs(six.sin6_port), 80);
            out += sprintf(out, "6%c", six.sin6_addr.s6_addr[15]);
        } else {
            memcpy(&four, &a->v[i].data, sizeof four);
            assert_int_equal(a->v[i].len, sizeof four);
            assert_int_equal(ntohs(four.sin_port), 80);
            out += sprintf(out, "4%c", (int)(ntohl(four.sin_addr.s_addr) & 0xff));
        }
    }
    *out = '\0';
}

static void test_families_take_turns(void **state)
{
    static const struct {
        const char *list, *order;
    } rows[] = {
        { "", "" },
        { "4a", "4a" },
        { "4a4b4c", "4a4b4c" },
        { "6a6b4a4b", "6a4a6b4b" },
        { "4a4b4c6a", "4a6a4b4c" },
        { "6a4a4b6b6c6d", "6a4a6b4b6c6d" },
        { "4a6a", "4a6a" },
        /* 16 at most, of both */
        { "6a6b6c6d6e6f6g6h6i6j6k6l4a4b4c4d4e4f4g4h4i4j",
          "6a4a6b4b6c4c6d4d6e4e6f4f6g4g6h4h" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct addrinfo *list = list_of(rows[i].list);
        struct caws__addresses addresses;
        char order[128];
        caws__address_order(list, &addresses);
        write_order(&addresses, order);
        assert_string_equal(order, rows[i].order);
        if (list)
            freeaddrinfo(list);
    }
}

static void test_other_families_are_left_out(void **state)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct addrinfo other = { .ai_family = AF_UNIX,
                              .ai_addr = (struct sockaddr *)&at,
                              .ai_addrlen = sizeof at };
    struct caws__addresses addresses;
    (void)state;
    caws__address_order(&other, &addresses);
    assert_int_equal(addresses.count, 0);
    other.ai_next = list_of("4a");
    caws__address_order(&other, &addresses);
    assert_int_equal(addresses.count, 1);
    freeaddrinfo(other.ai_next);
}

static void test_known(void **state)
{
    struct caws__place name = { "example.com", "", 80 }, four = { "10.0.0.97", "", 80 };
    struct caws__place six = { "2001:db8::61", "", 80 }, path = { "localhost", "/run/s", 80 };
    struct caws__place local = { "LOCALHOST", "", 80 }, odd = { "10.1", "", 80 };
    struct caws__addresses out;
    struct sockaddr_un un;
    char order[64];
    (void)state;
    assert_false(caws__address_known(&name, &out));
    assert_false(caws__address_known(&odd, &out));
    assert_true(caws__address_known(&four, &out));
    write_order(&out, order);
    assert_string_equal(order, "4a");
    assert_true(caws__address_known(&six, &out));
    write_order(&out, order);
    assert_string_equal(order, "6a");
    assert_true(caws__address_known(&local, &out));
    assert_int_equal(out.count, 2);
    assert_int_equal(out.v[0].data.ss_family, AF_INET6);
    assert_int_equal(out.v[1].data.ss_family, AF_INET);
    assert_true(caws__address_known(&path, &out));
    assert_int_equal(out.count, 1);
    memcpy(&un, &out.v[0].data, sizeof un);
    assert_int_equal(un.sun_family, AF_UNIX);
    assert_string_equal(un.sun_path, "/run/s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families_take_turns),
        cmocka_unit_test(test_other_families_are_left_out),
        cmocka_unit_test(test_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
