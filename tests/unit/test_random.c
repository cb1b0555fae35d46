/* lib/net/random.c, with a lever on the system's source. */
#include <stdbool.h>
#include <stddef.h>

#define caws__sys_getrandom real_getrandom
#define caws__sys_wiped_page real_wiped_page
#include "net/sys.c"
#undef caws__sys_getrandom
#undef caws__sys_wiped_page

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "net/random.h"

static int calls;
static bool fails, no_page;

ssize_t caws__sys_getrandom(void *out, size_t len)
{
    calls++;
    if (!fails)
        return real_getrandom(out, len);
    errno = ENOSYS;
    return -1;
}

void *caws__sys_wiped_page(size_t size)
{
    return no_page ? NULL : real_wiped_page(size);
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, 8);
}

/* Far fewer calls than keys, and no key twice. */
static void test_keys(void **state)
{
    enum { KEYS = 20000 };
    struct caws__random *random = caws__random_new();
    uint8_t (*keys)[8] = malloc(KEYS * sizeof *keys);
    (void)state;
    assert_non_null(random);
    calls = 0;
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(caws__random_take(random, keys[i], 8), 0);
    assert_in_range(calls, KEYS * 8 / 4096, 200);
    qsort(keys, KEYS, sizeof *keys, compare_keys);
    for (int i = 1; i < KEYS; i++)
        assert_memory_not_equal(keys[i - 1], keys[i], 8);
    free(keys);
    caws__random_free(random);
}

/* What was handed out is nowhere in the page any more. */
static void test_wiped(void **state)
{
    struct caws__random *random = caws__random_new();
    uint8_t key[16];
    (void)state;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(caws__random_take(random, key, sizeof key), 0);
        assert_null(memmem(random, 4096, key, sizeof key));
    }
    caws__random_free(random);
}

static void test_failure(void **state)
{
    /* REQ MASK-3 */
    struct caws__random *random = caws__random_new();
    uint8_t key[4];
    (void)state;
    fails = true;
    assert_int_equal(caws__random_take(random, key, 4), CAWS_ERR_RANDOM);
    fails = false;
    assert_int_equal(caws__random_take(random, key, 4), 0);
    fails = true; /* there is some left */
    assert_int_equal(caws__random_take(random, key, 4), 0);
    for (int i = 0; i < 2000; i++)
        caws__random_take(random, key, 4);
    assert_int_equal(caws__random_take(random, key, 4), CAWS_ERR_RANDOM);
    fails = false;
    assert_int_equal(caws__random_take(random, key, 4), 0);
    caws__random_free(random);
}

static void test_much_at_once(void **state)
{
    struct caws__random *random = caws__random_new();
    uint8_t much[10000] = { 0 };
    (void)state;
    assert_int_equal(caws__random_take(random, much, sizeof much), 0);
    assert_memory_not_equal(much + 9984, (uint8_t[16]){ 0 }, 16);
    caws__random_free(random);
}

/* Parent and child do not get the same. */
static void test_fork(void **state)
{
    /* REQ MASK-3 */
    struct caws__random *random = caws__random_new();
    uint8_t mine[32], theirs[32];
    int pipes[2], status;
    (void)state;
    assert_int_equal(caws__random_take(random, mine, 4), 0);
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool ok = caws__random_take(random, theirs, 32) == 0 &&
                  write(pipes[1], theirs, 32) == 32;
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipes[0], theirs, 32), 32);
    assert_int_equal(caws__random_take(random, mine, 32), 0);
    assert_memory_not_equal(mine, theirs, 32);
    close(pipes[0]);
    close(pipes[1]);
    caws__random_free(random);
}

static void test_no_page(void **state)
{
    uint8_t key[4];
    (void)state;
    no_page = true;
    assert_null(caws__random_new());
    no_page = false;
    calls = 0;
    assert_int_equal(caws__random_take(NULL, key, 4), 0);
    assert_int_equal(calls, 1);
    caws__random_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),    cmocka_unit_test(test_wiped),
        cmocka_unit_test(test_failure), cmocka_unit_test(test_much_at_once),
        cmocka_unit_test(test_fork),    cmocka_unit_test(test_no_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
