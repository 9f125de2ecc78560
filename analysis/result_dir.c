#include "result_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(char *message, size_t message_size, const char *path)
{
    snprintf(message, message_size, "%.300s: %s", path, strerror(errno));
    return -1;
}

static int too_long(char *message, size_t message_size, const char *path)
{
    snprintf(message, message_size, "%.100s...: the path is too long", path);
    return -1;
}

static int join(char path[RESULT_DIR_PATH], const char *directory, const char *name, char *message,
                size_t message_size)
{
    int len = snprintf(path, RESULT_DIR_PATH, "%s/%s", directory, name);
    return len < RESULT_DIR_PATH ? 0 : too_long(message, message_size, directory);
}

static bool exists(const char *directory, const char *name)
{
    char path[RESULT_DIR_PATH];
    int len = snprintf(path, sizeof path, "%s/%s", directory, name);
    return len < RESULT_DIR_PATH && access(path, F_OK) == 0;
}

static bool is_empty(const char *path)
{
    DIR *directory = opendir(path);
    bool empty = directory != NULL;
    for (struct dirent *entry; empty && (entry = readdir(directory)) != NULL;)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (directory)
        closedir(directory);
    return empty;
}

/* Removes what stands at a path, whatever it is. Links are removed, not followed. */
static void remove_all(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !directory)
        close(fd);
    for (struct dirent *entry; directory && (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_all(dirfd(directory), entry->d_name);
    if (directory)
        closedir(directory);
    unlinkat(parent, name, fd >= 0 ? AT_REMOVEDIR : 0);
}

static int make_parents(const char *path, char *message, size_t message_size)
{
    char part[RESULT_DIR_PATH];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (mkdir(part, 0777) && errno != EEXIST)
            return fail(message, message_size, part);
    }
    return 0;
}

static int check_target(const char *path, char *message, size_t message_size)
{
    struct stat status;
    if (lstat(path, &status))
        return errno == ENOENT ? 0 : fail(message, message_size, path);
    bool result = exists(path, "results.sqlite") && exists(path, "summary.json");
    if (S_ISDIR(status.st_mode) && (result || is_empty(path)))
        return 0;
    snprintf(message, message_size,
             "%.300s: is there already and is no result directory of phase2sim (no results.sqlite and "
             "summary.json in "
             "it); it is left alone",
             path);
    return -1;
}

/* A new hidden directory beside path: "results/.name.XXXXXX". */
static int make_sibling(char sibling[RESULT_DIR_PATH], const char *path, char *message, size_t message_size)
{
    const char *slash = strrchr(path, '/');
    int parent_len = slash ? (int)(slash - path) + 1 : 0;
    int len = snprintf(sibling, RESULT_DIR_PATH, "%.*s.%s.XXXXXX", parent_len, path, path + parent_len);
    if (len >= RESULT_DIR_PATH)
        return too_long(message, message_size, path);
    return mkdtemp(sibling) ? 0 : fail(message, message_size, sibling);
}

/* "." and ".." cannot be renamed to, which would show only when all the work is done. */
static bool names_a_directory(const char *path, size_t len)
{
    size_t start = len;
    while (start > 0 && path[start - 1] != '/')
        start--;
    size_t name_len = len - start;
    return name_len > 0 && strspn(path + start, ".") < name_len;
}

/* The system gives it back when this program ends, in whatever way. -1: somebody else holds it. */
static int lock(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int result_dir_begin(struct result_dir *dir, const char *path, char *message, size_t message_size)
{
    *dir = (struct result_dir){.lock = -1};
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len >= sizeof dir->path)
        return too_long(message, message_size, path);
    if (!names_a_directory(path, len)) {
        snprintf(message, message_size,
                 "\"%.300s\" is not a directory's name that can be put in place at the end", path);
        return -1;
    }
    snprintf(dir->path, sizeof dir->path, "%.*s", (int)len, path);
    if (check_target(dir->path, message, message_size) || make_parents(dir->path, message, message_size))
        return -1;
    if (make_sibling(dir->work, dir->path, message, message_size)) {
        dir->work[0] = '\0';
        return -1;
    }
    /* mkdtemp allows only its owner; a result is as open as any directory. */
    mode_t mask = umask(0);
    umask(mask);
    chmod(dir->work, 0777 & ~mask);
    dir->lock = lock(dir->work);
    return 0;
}

static void release(struct result_dir *dir)
{
    if (dir->lock >= 0)
        close(dir->lock);
    dir->lock = -1;
    dir->work[0] = '\0';
}

int result_dir_commit(struct result_dir *dir, char *message, size_t message_size)
{
    char old[RESULT_DIR_PATH] = "";
    if (check_target(dir->path, message, message_size))
        return -1;
    if (access(dir->path, F_OK) == 0) {
        if (make_sibling(old, dir->path, message, message_size))
            return -1;
        if (rename(dir->path, old)) {
            fail(message, message_size, dir->path);
            rmdir(old);
            return -1;
        }
    }
    if (rename(dir->work, dir->path)) {
        fail(message, message_size, dir->path);
        if (*old)
            (void)rename(old, dir->path);
        return -1;
    }
    release(dir);
    if (*old)
        remove_all(AT_FDCWD, old);
    return 0;
}

void result_dir_remove(const char *path)
{
    remove_all(AT_FDCWD, path);
}

void result_dir_abandon(struct result_dir *dir)
{
    if (dir->work[0])
        remove_all(AT_FDCWD, dir->work);
    release(dir);
}

void result_dir_leave(struct result_dir *dir)
{
    release(dir);
}

/* --- what others left --- */

/* ".name.Ab12Cd" is a working directory of "name". */
static bool is_work_of(const char *entry, const char *name, size_t name_len)
{
    return entry[0] == '.' && strncmp(entry + 1, name, name_len) == 0 && entry[1 + name_len] == '.' &&
           strlen(entry) == 1 + name_len + 7;
}

bool result_dir_target(char path[RESULT_DIR_PATH], const char *work)
{
    const char *slash = strrchr(work, '/');
    const char *entry = slash ? slash + 1 : work;
    size_t len = strlen(entry);
    if (strlen(work) >= RESULT_DIR_PATH || len < 9 || !is_work_of(entry, entry + 1, len - 8))
        return false;
    snprintf(path, RESULT_DIR_PATH, "%.*s%.*s", (int)(entry - work), work, (int)len - 8, entry + 1);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t result_dir_left_over(const char *path, char (*found)[RESULT_DIR_PATH], size_t max)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char parent[RESULT_DIR_PATH];
    size_t num = 0;
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
    DIR *directory = opendir(parent);
    for (struct dirent *entry; directory && num < max && (entry = readdir(directory)) != NULL;) {
        if (!is_work_of(entry->d_name, name, strlen(name)))
            continue;
        int len = snprintf(found[num], RESULT_DIR_PATH, "%s%s", slash ? parent : "", entry->d_name);
        int fd = len < RESULT_DIR_PATH && exists(found[num], "results.sqlite") ? lock(found[num]) : -1;
        if (fd < 0)
            continue;
        close(fd);
        num++;
    }
    if (directory)
        closedir(directory);
    qsort(found, num, sizeof *found, by_name);
    return num;
}

int result_dir_make(const struct result_dir *dir, char path[RESULT_DIR_PATH], const char *name, char *message,
                    size_t message_size)
{
    if (join(path, dir->work, name, message, message_size) || make_parents(path, message, message_size))
        return -1;
    return mkdir(path, 0777) && errno != EEXIST ? fail(message, message_size, path) : 0;
}

int result_dir_write_file(const char *directory, const char *name, result_dir_write *write, void *context,
                          char *message, size_t message_size)
{
    char path[RESULT_DIR_PATH], temporary[RESULT_DIR_PATH];
    if (join(path, directory, name, message, message_size))
        return -1;
    if (snprintf(temporary, sizeof temporary, "%s.tmp", path) >= RESULT_DIR_PATH)
        return too_long(message, message_size, path);
    FILE *out = fopen(temporary, "w");
    if (!out)
        return fail(message, message_size, temporary);
    message[0] = '\0';
    errno = 0;
    int failed = write(context, out, message, message_size) || ferror(out);
    int saved = errno;
    if (fclose(out) && !failed) {
        failed = -1;
        saved = errno;
    }
    if (!failed && rename(temporary, path) == 0)
        return 0;
    if (failed)
        errno = saved;
    if (!message[0])
        fail(message, message_size, path);
    unlink(temporary);
    return -1;
}
