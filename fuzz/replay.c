/* Runs a fuzz target over files and folders of inputs, under any compiler, with
 * nothing but C11 and dirent.h. */

#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned inputs;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data;
    struct bytes all = { NULL, 0, 0 };
    char some[4096];
    size_t n;
    if (!file) {
        perror(path);
        exit(1);
    }
    do {
        n = fread(some, 1, sizeof some, file);
        bytes_add(&all, some, n);
    } while (n == sizeof some);
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last one printed is the one that crashed */
    data = exact_copy(all.data, all.len);
    LLVMFuzzerTestOneInput(data, all.len);
    free(data);
    bytes_free(&all);
    inputs++;
}

static void replay(const char *path)
{
    struct dirent *entry;
    DIR *dir = opendir(path);
    if (!dir) {
        replay_file(path);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        replay(name);
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("replay: %u inputs, 0 findings\n", inputs);
    return inputs > 0 ? 0 : 1;
}
