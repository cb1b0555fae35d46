/* lib/net/entropy.c. The system's random bytes may come in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define caws__sys_getrandom real_getrandom
#include "net/sys.c"
#undef caws__sys_getrandom

#include <caws_net.h>

static struct {
    size_t piece; /* at most so many at once; 0: as many as are wanted */
    int good;     /* calls, before ... */
    ssize_t then; /* ... this is the result */
    int calls;
} fake;

ssize_t caws__sys_getrandom(void *out, size_t len)
{
    if (fake.calls++ >= fake.good)
        return fake.then;
    return real_getrandom(out, fake.piece && len > fake.piece ? fake.piece : len);
}

static void fake_set(size_t piece, int good, ssize_t then)
{
    fake.piece = piece;
    fake.good = good;
    fake.then = then;
    fake.calls = 0;
}

static int zeros_in(const uint8_t *data, size_t len)
{
    int zeros = 0;
    for (size_t i = 0; i < len; i++)
        zeros += data[i] == 0;
    return zeros;
}

static void test_nothing_is_wanted(void **state)
{
    (void)state;
    fake_set(0, 0, -1);
    assert_int_equal(caws_entropy(NULL, NULL, 0), CAWS_OK);
    assert_int_equal(fake.calls, 0);
}

static void test_all_of_it_is_filled_and_no_more(void **state)
{
    /* REQ MASK-3 */
    static uint8_t out[100000 + 1];
    static const size_t pieces[] = { 0, 256, 33333 };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        memset(out, 0, sizeof out);
        fake_set(pieces[i], 1000, -1);
        assert_int_equal(caws_entropy(NULL, out, sizeof out - 1), CAWS_OK);
        /* 4 in a thousand are; 256 in a row that are would be a piece left out. */
        assert_true(zeros_in(out, sizeof out - 1) < 1000);
        assert_true(zeros_in(out + sizeof out - 1 - 256, 256) < 32);
        assert_int_equal(out[sizeof out - 1], 0);
    }
}

static void test_never_the_same(void **state)
{
    uint8_t a[16], b[16];
    (void)state;
    fake_set(0, 1000, -1);
    assert_int_equal(caws_entropy(NULL, a, sizeof a), CAWS_OK);
    assert_int_equal(caws_entropy(NULL, b, sizeof b), CAWS_OK);
    assert_memory_not_equal(a, b, sizeof a);
}

/* An end that never comes must not be waited for, either. */
static void test_failures(void **state)
{
    /* REQ MASK-3 */
    uint8_t out[64];
    (void)state;
    for (int good = 0; good < 4; good++)
        for (ssize_t then = -1; then <= 0; then++) {
            fake_set(16, good, then);
            assert_int_equal(caws_entropy(NULL, out, sizeof out), CAWS_ERR_RANDOM);
            assert_int_equal(fake.calls, good + 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_wanted),
        cmocka_unit_test(test_all_of_it_is_filled_and_no_more),
        cmocka_unit_test(test_never_the_same),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
