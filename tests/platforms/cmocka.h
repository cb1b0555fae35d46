/* As much of cmocka as the tests use, for platforms that have none. What fails
 * ends the program; what passes is a line in the form of cmocka's. */
#ifndef PLATFORMS_CMOCKA_H
#define PLATFORMS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
    int (*setup)(void **state), (*teardown)(void **state);
    void *initial_state;
};

#define cmocka_unit_test(f) { #f, f, NULL, NULL, NULL }
#define cmocka_unit_test_teardown(f, teardown) { #f, f, NULL, teardown, NULL }
#define cmocka_run_group_tests(tests, setup, teardown) \
    shim_run(tests, sizeof(tests) / sizeof *(tests), setup, teardown)

/* Where skip() goes on. */
static inline jmp_buf *shim_skipped(void)
{
    static jmp_buf env;
    return &env;
}
#define skip() longjmp(*shim_skipped(), 1)

static inline bool shim_run_one(const struct CMUnitTest *t)
{
    void *state = t->initial_state;
    printf("[ RUN      ] %s\n", t->name);
    fflush(stdout);
    if (t->setup && t->setup(&state) != 0)
        return false;
    if (setjmp(*shim_skipped()) == 0) {
        t->test(&state);
        printf("[       OK ] %s\n", t->name);
    } else {
        printf("[  SKIPPED ] %s\n", t->name);
    }
    return !t->teardown || t->teardown(&state) == 0;
}

static inline int shim_run(const struct CMUnitTest *tests, size_t count,
                           int (*setup)(void **state), int (*teardown)(void **state))
{
    void *state = NULL;
    if (setup && setup(&state) != 0)
        return 1;
    for (size_t i = 0; i < count; i++)
        if (!shim_run_one(&tests[i]))
            return 1;
    return teardown ? teardown(&state) : 0;
}

#define print_message(...) printf(__VA_ARGS__)
#define print_error(...) printf(__VA_ARGS__)
#define fail_msg(...) \
    do { \
        printf(__VA_ARGS__); \
        shim_fail("", __FILE__, __LINE__); \
    } while (0)
#define fail() shim_fail("failed", __FILE__, __LINE__)

static inline void shim_fail(const char *what, const char *file, int line)
{
    printf("%s\n%s:%d: failed\n", what, file, line);
    fflush(stdout);
    exit(1);
}

static inline void shim_true(bool ok, const char *what, const char *file, int line)
{
    if (!ok)
        shim_fail(what, file, line);
}

static inline void shim_int(uintmax_t a, uintmax_t b, bool same, const char *what,
                            const char *file, int line)
{
    if ((a == b) == same)
        return;
    printf("%lld and %lld\n", (long long)a, (long long)b);
    shim_fail(what, file, line);
}

static inline void shim_string(const char *a, const char *b, bool same, const char *what,
                               const char *file, int line)
{
    if ((strcmp(a, b) == 0) == same)
        return;
    printf("\"%s\"\nand\n\"%s\"\n", a, b);
    shim_fail(what, file, line);
}

#define assert_true(x) shim_true((bool)(x), #x, __FILE__, __LINE__)
#define assert_false(x) shim_true(!(x), "not " #x, __FILE__, __LINE__)
#define assert_null(x) shim_true((x) == NULL, #x, __FILE__, __LINE__)
#define assert_non_null(x) shim_true((x) != NULL, #x, __FILE__, __LINE__)
#define assert_ptr_equal(a, b) \
    shim_true((const void *)(a) == (const void *)(b), #a " == " #b, __FILE__, __LINE__)
#define assert_int_equal(a, b) \
    shim_int((uintmax_t)(a), (uintmax_t)(b), true, #a " == " #b, __FILE__, __LINE__)
#define assert_int_not_equal(a, b) \
    shim_int((uintmax_t)(a), (uintmax_t)(b), false, #a " != " #b, __FILE__, __LINE__)
#define assert_in_range(x, low, high) \
    shim_true((uintmax_t)(x) >= (uintmax_t)(low) && (uintmax_t)(x) <= (uintmax_t)(high), \
              #x " in " #low ".." #high, __FILE__, __LINE__)
#define assert_string_equal(a, b) shim_string(a, b, true, #a " is " #b, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) shim_string(a, b, false, #a " is not " #b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, n) \
    shim_true(memcmp(a, b, n) == 0, #a " is " #b, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, n) \
    shim_true(memcmp(a, b, n) != 0, #a " is not " #b, __FILE__, __LINE__)

#endif
