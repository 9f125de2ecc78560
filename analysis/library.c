#include "library.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int program_dir(char path[LIBRARY_PATH])
{
    ssize_t len = readlink("/proc/self/exe", path, LIBRARY_PATH - 1);
    if (len <= 0 || len == LIBRARY_PATH - 1)
        return -1;
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return -1;
    *slash = '\0';
    return 0;
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

/* What the environment variable names, whatever is there; otherwise the first place, as seen from the
 * program, where there is such a thing. */
static int locate(char path[LIBRARY_PATH], const char *variable, const char *const places[2],
                  bool (*is_it)(const char *path))
{
    const char *chosen = getenv(variable);
    if (chosen && *chosen) {
        snprintf(path, LIBRARY_PATH, "%s", chosen);
        return strlen(chosen) < LIBRARY_PATH ? 0 : -1;
    }
    for (int i = 0; i < 2; i++) {
        if (program_dir(path) || strlen(path) + strlen(places[i]) >= LIBRARY_PATH)
            return -1;
        strcat(path, places[i]);
        if (is_it(path))
            return 0;
    }
    return -1;
}

int library_dir(char path[LIBRARY_PATH])
{
    static const char *const places[] = {"/../scenarios", "/../share/phase2sim/scenarios"};
    return locate(path, "PHASE2SIM_SCENARIOS", places, is_directory);
}

int library_worker(char path[LIBRARY_PATH])
{
    static const char *const places[] = {"/phase2sim-worker", "/../libexec/phase2sim/phase2sim-worker"};
    return locate(path, "PHASE2SIM_WORKER", places, is_program);
}

static int add_file(struct library *library, const char *directory, const char *name)
{
    size_t len = strlen(directory) + strlen(name) + 2;
    char **files = realloc(library->files, (library->num_files + 1) * sizeof *files);
    char *file = malloc(len);
    if (files)
        library->files = files;
    if (!files || !file) {
        free(file);
        errno = ENOMEM;
        return -1;
    }
    snprintf(file, len, "%s/%s", directory, name);
    library->files[library->num_files++] = file;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int library_open(struct library *library, const char *directory)
{
    *library = (struct library){0};
    DIR *entries = opendir(directory);
    if (!entries)
        return -1;
    int failed = 0;
    for (struct dirent *entry; !failed && (entry = readdir(entries)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (len > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 4, ".xml") == 0)
            failed = add_file(library, directory, entry->d_name);
    }
    closedir(entries);
    if (failed)
        library_close(library);
    else if (library->num_files > 1)
        qsort(library->files, library->num_files, sizeof *library->files, by_name);
    return failed;
}

void library_close(struct library *library)
{
    for (size_t i = 0; i < library->num_files; i++)
        free(library->files[i]);
    free(library->files);
    *library = (struct library){0};
}

void library_resolve(char path[LIBRARY_PATH], const char *operand)
{
    char directory[LIBRARY_PATH];
    if (*operand && access(operand, F_OK) != 0 && !strchr(operand, '/') && library_dir(directory) == 0) {
        int len = snprintf(path, LIBRARY_PATH, "%s/%s.xml", directory, operand);
        if (len < LIBRARY_PATH && access(path, F_OK) == 0)
            return;
        len = snprintf(path, LIBRARY_PATH, "%s/%s", directory, operand);
        if (len < LIBRARY_PATH && access(path, F_OK) == 0)
            return;
    }
    snprintf(path, LIBRARY_PATH, "%s", operand);
}
