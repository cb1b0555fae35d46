/* Errors on purpose: each tool of "make analyze" must find some of them, or it
 * has not looked. */
#include <stdlib.h>
#include <string.h>

int use_after_free(void);
int use_after_free(void)
{
    int *p = malloc(sizeof *p);
    if (!p)
        return 0;
    *p = 1;
    free(p);
    return *p;
}

int null(const char *text);
int null(const char *text)
{
    const char *found = NULL;
    if (text == NULL)
        return *text;
    return *found;
}

size_t leak(const char *text);
size_t leak(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    if (!copy)
        return 0;
    strcpy(copy, text);
    return strlen(copy);
}
