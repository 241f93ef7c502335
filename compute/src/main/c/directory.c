/*
 * Directories whose files are not all there yet. A listing is what the page service knows, which includes all that this
 * compute journaled, and the local-only files, which only the local directory knows.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct listing {
    struct listing *next;
    size_t count, capacity, at;
    struct name {
        uint8_t type;
        char *text;
    } *names;
    struct dirent entry;
};

static struct listing *listings; /* the open ones of this process */

static bool add(struct listing *listing, uint8_t type, const char *text, size_t length)
{
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity == 0 ? 64 : listing->capacity * 2;
        struct name *names = realloc(listing->names, capacity * sizeof *names);
        if (names == NULL)
            return false;
        listing->names = names;
        listing->capacity = capacity;
    }
    char *copy = strndup(text, length);
    if (copy == NULL)
        return false;
    listing->names[listing->count++] = (struct name){type, copy};
    return true;
}

static void release(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->names[i].text);
    free(listing->names);
    free(listing);
}

static int child_path(char *out, const char *relative, const char *name)
{
    int n = *relative == 0 ? snprintf(out, PATH_LIMIT, "%s", name) : snprintf(out, PATH_LIMIT, "%s/%s", relative, name);
    if (n < PATH_LIMIT)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

/* The local entries that the page service does not know: dots, local-only files, pg_wal. */
static bool add_local(struct listing *listing, DIR *dir, const char *relative)
{
    struct dirent *entry;
    char child[PATH_LIMIT];
    while ((entry = libc.readdir(dir)) != NULL) {
        bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!dots) {
            if (child_path(child, relative, entry->d_name) != 0)
                return false;
            enum file_class class = classify_relative(child);
            if (class != LOCAL && class != WAL)
                continue;
        }
        if (!add(listing, entry->d_type, entry->d_name, strlen(entry->d_name)))
            return false;
    }
    return true;
}

static bool add_remote(struct listing *listing, const char *relative, const char *entries, size_t bytes, uint32_t count)
{
    char child[PATH_LIMIT], name[NAME_MAX + 1];
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t length;
        if (at + 3 > bytes)
            return false;
        uint8_t kind = (uint8_t)entries[at];
        memcpy(&length, entries + at + 1, 2);
        at += 3;
        if (length >= sizeof listing->entry.d_name || at + length > bytes)
            return false;
        memcpy(name, entries + at, length);
        name[length] = 0;
        at += length;
        if (child_path(child, relative, name) != 0)
            return false;
        if (classify_relative(child) == LOCAL) /* an import journaled the empty directory; the local one is listed */
            continue;
        if (!add(listing, kind == KIND_DIRECTORY ? DT_DIR : DT_REG, name, length))
            return false;
    }
    return true;
}

/*
 * Whether the local directory has all that will be asked for. A start lays all directories out, so those that have only
 * directories are complete. And a postmaster looks into the databases for nothing but files of temporary relations.
 */
bool directory_is_complete(const char *relative)
{
    return strcmp(relative, "base") == 0 || strcmp(relative, "pg_tblspc") == 0 || strcmp(relative, "pg_replslot") == 0 ||
           (strncmp(relative, "base/", 5) == 0 && map->postmaster == getpid());
}

DIR *directory_open(const char *path, const char *relative)
{
    enum agent_kind kind;
    uint32_t count;
    char *entries;
    size_t bytes;
    DIR *dir = libc.opendir(path);
    if (dir == NULL)
        return NULL;
    if (agent_list(relative, &kind, &count, &entries, &bytes) != 0) {
        libc.closedir(dir);
        errno = EIO;
        return NULL;
    }
    struct listing *listing = calloc(1, sizeof *listing);
    bool ok = listing != NULL && add_local(listing, dir, relative) &&
              (kind != KIND_DIRECTORY || add_remote(listing, relative, entries, bytes, count));
    free(entries);
    libc.closedir(dir);
    if (!ok) {
        if (listing != NULL)
            release(listing);
        errno = ENOMEM;
        return NULL;
    }
    listing->next = listings;
    listings = listing;
    return (DIR *)listing;
}

bool directory_is_ours(DIR *dir)
{
    for (struct listing *l = listings; l != NULL; l = l->next)
        if (l == (struct listing *)dir)
            return true;
    return false;
}

struct dirent *directory_read(DIR *dir)
{
    struct listing *listing = (struct listing *)dir;
    if (listing->at == listing->count)
        return NULL;
    struct name *name = &listing->names[listing->at++];
    memset(&listing->entry, 0, sizeof listing->entry);
    listing->entry.d_ino = listing->at; /* any number but zero */
    listing->entry.d_type = name->type;
    snprintf(listing->entry.d_name, sizeof listing->entry.d_name, "%s", name->text);
    return &listing->entry;
}

long directory_position(DIR *dir)
{
    return (long)((struct listing *)dir)->at;
}

void directory_go_to(DIR *dir, long position)
{
    struct listing *listing = (struct listing *)dir;
    listing->at = position < 0 || (size_t)position > listing->count ? listing->count : (size_t)position;
}

int directory_close(DIR *dir)
{
    for (struct listing **link = &listings; *link != NULL; link = &(*link)->next) {
        if (*link == (struct listing *)dir) {
            *link = (*link)->next;
            break;
        }
    }
    release((struct listing *)dir);
    return 0;
}

/* One level of a renamed tree; `path` is where it is now. */
static int renamed_child(const char *path, const char *from, const char *to, const char *name, bool is_directory,
                         bool from_journaled, bool to_journaled)
{
    char child[PATH_LIMIT * 2], from_child[PATH_LIMIT], to_child[PATH_LIMIT];
    if (child_path(from_child, from, name) != 0 || child_path(to_child, to, name) != 0)
        return -1;
    snprintf(child, sizeof child, "%s/%s", path, name);
    if (is_directory)
        return directory_renamed(child, from_child, to_child, from_journaled, to_journaled);
    if (to_journaled && put_local_file(child, to_child) != 0)
        return -1;
    return from_journaled ? journal_event(ENTRY_UNLINK, from_child, 0) : 0;
}

int directory_renamed(const char *path, const char *from_relative, const char *to_relative, bool from_journaled,
                      bool to_journaled)
{
    if (to_journaled && journal_event(ENTRY_MKDIR, to_relative, 0) != 0)
        return -1;
    DIR *dir = libc.opendir(path);
    if (dir == NULL)
        return -1;
    struct dirent *entry;
    int result = 0;
    while (result == 0 && (entry = libc.readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = renamed_child(path, from_relative, to_relative, entry->d_name, entry->d_type == DT_DIR,
                                   from_journaled, to_journaled);
    libc.closedir(dir);
    if (result == 0 && from_journaled)
        result = journal_event(ENTRY_RMDIR, from_relative, 0);
    return result;
}

/* Places every journaled file below a directory, so that it can be moved as a whole. */
int directory_place(const char *path, const char *relative)
{
    char child[PATH_LIMIT * 2], child_relative[PATH_LIMIT];
    DIR *dir = directory_open(path, relative);
    if (dir == NULL)
        return -1;
    struct dirent *entry;
    int result = 0;
    while (result == 0 && (entry = directory_read(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        result = child_path(child_relative, relative, entry->d_name);
        if (result == 0 && entry->d_type == DT_DIR)
            result = directory_place(child, child_relative);
        else if (result == 0)
            result = place_if_missing(child, child_relative) < 0 ? -1 : 0;
    }
    int reason = errno;
    directory_close(dir);
    errno = reason;
    return result;
}
