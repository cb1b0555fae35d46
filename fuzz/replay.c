/* Runs a fuzz target over files and folders of inputs, under any compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static unsigned inputs;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t len = 0, n;
    if (!file) {
        perror(path);
        exit(1);
    }
    do {
        data = realloc(data, len + 4096);
        if (!data)
            abort();
        n = fread(data + len, 1, 4096, file);
        len += n;
    } while (n == 4096);
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last one printed is the one that crashed */
    LLVMFuzzerTestOneInput(data, len);
    free(data);
    inputs++;
}

static void replay(const char *path)
{
    struct stat st;
    struct dirent *entry;
    DIR *dir;
    if (stat(path, &st) != 0) {
        perror(path);
        exit(1);
    }
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path);
        return;
    }
    dir = opendir(path);
    while (dir && (entry = readdir(dir)) != NULL) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        replay(name);
    }
    if (dir)
        closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("replay: %u inputs, 0 findings\n", inputs);
    return inputs > 0 ? 0 : 1;
}
