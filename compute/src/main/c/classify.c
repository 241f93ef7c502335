/* Path -> file class: docs/page-protocol.md, section 2. */
#define _GNU_SOURCE
#include "interposer.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[PATH_MAX];
static size_t directory_length;
static bool working_directory_is_data; /* Postgres changes into it and then uses relative paths */

void classify_init(const char *data_directory)
{
    snprintf(directory, sizeof directory, "%s", data_directory);
    directory_length = strlen(directory);
    while (directory_length > 1 && directory[directory_length - 1] == '/')
        directory[--directory_length] = 0;
    classify_working_directory();
}

const char *data_directory(void)
{
    return directory;
}

void classify_working_directory(void)
{
    struct stat here, data;
    working_directory_is_data = syscall_stat(".", &here) == 0 && syscall_stat(directory, &data) == 0 &&
                                here.st_ino == data.st_ino && here.st_dev == data.st_dev;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text), suffix_length = strlen(suffix);
    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

static const char *digits(const char *p)
{
    while (isdigit((unsigned char)*p))
        p++;
    return p;
}

/* <digits>[_fsm|_vm|_init][.<digits>] */
static bool is_relation_fork(const char *name)
{
    const char *p = digits(name);
    if (p == name)
        return false;
    if (*p == '_') {
        if (starts_with(p, "_fsm"))
            p += 4;
        else if (starts_with(p, "_vm"))
            p += 3;
        else if (starts_with(p, "_init"))
            p += 5;
        else
            return false;
    }
    if (*p == '.') {
        const char *segment = p + 1;
        p = digits(segment);
        if (p == segment)
            return false;
    }
    return *p == 0;
}

static bool is_hexadecimal(const char *name)
{
    size_t length = strspn(name, "0123456789ABCDEF");
    return length >= 4 && name[length] == 0;
}

/* t<backend>_<relation>...: a temporary relation. */
static bool is_temporary_relation(const char *name)
{
    if (*name != 't')
        return false;
    const char *p = digits(name + 1);
    return p != name + 1 && *p == '_';
}

static enum file_class classify_relation_directory(const char *name)
{
    if (is_relation_fork(name))
        return PAGED;
    if (is_temporary_relation(name) || starts_with(name, "pg_internal.init"))
        return LOCAL;
    return WHOLE;
}

enum file_class classify_relative(const char *relative)
{
    static const char *const local_trees[] = {"pg_notify/",   "pg_subtrans/", "pg_serial/",   "pg_snapshots/",
                                              "pg_dynshmem/", "pg_stat_tmp/", "log/", NULL};
    /* Settings that Coppice writes, and files by which somebody talks to a postmaster: no history, and no look-up. */
    static const char *const local_files[] = {"postgresql.conf", "pg_hba.conf",     "pg_ident.conf",    "current_logfiles",
                                              "promote",         "fallback_promote", "logrotate",       "recovery.conf",
                                              "recovery.done",   "recovery.signal",  "standby.signal",  "backup_label",
                                              "tablespace_map",  NULL};
    static const char *const slrus[] = {"pg_xact/", "pg_multixact/members/", "pg_multixact/offsets/", "pg_commit_ts/",
                                        NULL};

    if (starts_with(relative, "pg_wal") && (relative[6] == '/' || relative[6] == 0))
        return WAL;
    if (*relative == 0 || strstr(relative, "pgsql_tmp") != NULL || ends_with(relative, ".tmp") ||
        ends_with(relative, ".pid") || starts_with(relative, "postmaster."))
        return LOCAL;
    if (strstr(relative, ".tmp/") != NULL)
        return LOCAL;
    if (starts_with(relative, "base/")) {
        const char *database = relative + 5, *end = digits(database);
        if (end != database && *end == '/')
            return classify_relation_directory(end + 1);
        return WHOLE;
    }
    if (starts_with(relative, "global/"))
        return classify_relation_directory(relative + 7);
    for (int i = 0; slrus[i] != NULL; i++)
        if (starts_with(relative, slrus[i]) && is_hexadecimal(relative + strlen(slrus[i])))
            return PAGED;
    for (int i = 0; local_trees[i] != NULL; i++) /* the directories themselves too: a start makes them */
        if (starts_with(relative, local_trees[i]) ||
            (starts_with(local_trees[i], relative) && local_trees[i][strlen(relative)] == '/'))
            return LOCAL;
    for (int i = 0; local_files[i] != NULL; i++)
        if (strcmp(relative, local_files[i]) == 0)
            return LOCAL;
    return WHOLE;
}

enum file_class classify(const char *path, char *relative)
{
    const char *rest;
    if (path == NULL)
        return OUTSIDE;
    if (*path == '/') {
        if (strncmp(path, directory, directory_length) != 0)
            return OUTSIDE;
        rest = path + directory_length;
        if (*rest != '/' && *rest != 0)
            return OUTSIDE;
    } else {
        if (!working_directory_is_data)
            return OUTSIDE;
        rest = path;
    }
    /* Normalise "./", "//" and a trailing slash; Postgres uses no other forms, ".." stays outside. */
    size_t n = 0;
    while (*rest != 0) {
        while (*rest == '/')
            rest++;
        if (rest[0] == '.' && (rest[1] == '/' || rest[1] == 0)) {
            rest++;
            continue;
        }
        if (rest[0] == '.' && rest[1] == '.' && (rest[2] == '/' || rest[2] == 0))
            return OUTSIDE;
        if (*rest == 0)
            break;
        if (n > 0) {
            if (n + 1 >= PATH_LIMIT)
                return OUTSIDE;
            relative[n++] = '/';
        }
        while (*rest != 0 && *rest != '/') {
            if (n + 1 >= PATH_LIMIT)
                return OUTSIDE;
            relative[n++] = *rest++;
        }
    }
    relative[n] = 0;
    enum file_class class = classify_relative(relative);
    return class == PAGED && n >= SLOT_PATH ? WHOLE : class;
}

bool wal_segment_start(const char *relative, uint64_t *start)
{
    const char *name = strrchr(relative, '/');
    if (name == NULL || strspn(name + 1, "0123456789ABCDEF") != 24 || name[25] != 0)
        return false;
    char part[9] = {0};
    memcpy(part, name + 9, 8);
    uint64_t high = strtoull(part, NULL, 16);
    memcpy(part, name + 17, 8);
    uint64_t low = strtoull(part, NULL, 16);
    *start = (high << 32) + low * WAL_SEGMENT_BYTES;
    return true;
}
