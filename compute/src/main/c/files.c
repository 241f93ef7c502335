/*
 * Files of the data directory: which descriptors we follow, and how files come to be there, get another name, and go. Their
 * contents are the business of pages.c.
 *
 * A paged file that exists in the page service is placed as a sparse local file of the right size; its blocks arrive when
 * they are read. A whole file is placed with its content, atomically: other processes open it without asking us.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BLOCKS 64 /* of a large file, journaled at once */

static struct tracked table[TRACKED_FDS];

/* ---- descriptors ---- */

struct tracked *tracked(int fd)
{
    if (fd < 0 || fd >= TRACKED_FDS || table[fd].class == OUTSIDE)
        return NULL;
    return &table[fd];
}

int track(int fd, enum file_class class, const char *relative)
{
    if (fd >= TRACKED_FDS) {
        libc.close(fd);
        errno = EMFILE;
        return -1;
    }
    struct tracked *t = &table[fd];
    memset(t, 0, sizeof *t);
    t->wal_start = UINT64_MAX;
    struct stat st;
    if (class == WAL && wal_segment_start(relative, &t->wal_start))
        t->shared_wal = fstat(fd, &st) == 0 && st.st_nlink > 1;
    if (class == WHOLE && (t->path = strdup(relative)) == NULL) {
        libc.close(fd);
        errno = ENOMEM;
        return -1;
    }
    t->class = (uint8_t)class;
    return fd;
}

void untrack(int fd)
{
    if (fd < 0 || fd >= TRACKED_FDS || table[fd].class == OUTSIDE)
        return;
    free(table[fd].path);
    memset(&table[fd], 0, sizeof table[fd]);
}

bool is_stale(const struct tracked *t)
{
    return __atomic_load_n(&slot_at(t->slot)->generation, __ATOMIC_SEQ_CST) != t->generation;
}

static int track_paged(int fd, const char *relative, const struct slot *slot)
{
    if (track(fd, PAGED, relative) < 0)
        return -1;
    table[fd].slot = slot_index(slot);
    table[fd].generation = slot->generation;
    return fd;
}

/* ---- placing files ---- */

uint32_t blocks_of(uint64_t size)
{
    return (uint32_t)((size + BLOCK - 1) / BLOCK);
}

/* A sparse file of the right size, with the blocks that came along. */
static int place_paged(const char *path, uint64_t size, uint32_t count, const uint8_t *flags, const char *pages)
{
    int fd = libc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    uint32_t blocks[SMALL_FILE_BLOCKS];
    for (uint32_t i = 0; i < count; i++)
        blocks[i] = i;
    int result = write_runs(fd, blocks, count, flags, pages);
    if (result == 0)
        result = libc.ftruncate(fd, (off_t)size); /* the last block may be no whole one */
    libc.close(fd);
    return result;
}

/* Under the path's lock: the slot of an existing file, placed; NULL with errno otherwise. */
static struct slot *paged_slot(const char *path, const char *relative)
{
    struct slot *slot = slot_find(relative);
    enum agent_kind kind;
    uint64_t size;
    uint32_t count;
    uint8_t flags[SMALL_FILE_BLOCKS];
    const char *pages;
    if (slot == NULL) {
        if (agent_open(relative, &kind, &size, &count, flags, &pages) != 0)
            return NULL;
        if (kind != KIND_FILE) {
            (void)slot_insert(relative, SLOT_ABSENT, 0);
            errno = ENOENT;
            return NULL;
        }
        if (size > (uint64_t)SEGMENT_BLOCKS * BLOCK) { /* another segment size than the presence map has room for */
            errno = EFBIG;
            return NULL;
        }
        if (place_paged(path, size, count, flags, pages) != 0)
            return NULL;
        slot = slot_insert(relative, SLOT_PLACED, blocks_of(size));
        if (slot == NULL) {
            int reason = errno;
            libc.unlink(path);
            errno = reason;
            return NULL;
        }
        memset(slot_presence(slot), BLOCK_PRESENT, count); /* nobody else knows the slot yet */
        __atomic_add_fetch(&map->hydrated, count, __ATOMIC_RELAXED);
    }
    if (slot->state == SLOT_ABSENT) {
        errno = ENOENT;
        return NULL;
    }
    return slot;
}

/* Under the path's lock: the file does not exist and shall. */
static int create_paged(const char *path, const char *relative, int flags, mode_t mode, struct slot **slot)
{
    int fd = libc.open(path, flags | O_TRUNC, mode);
    if (fd < 0)
        return -1;
    *slot = slot_find(relative);
    if (*slot != NULL)
        (*slot)->state = SLOT_PLACED;
    else
        *slot = slot_insert(relative, SLOT_PLACED, 0);
    if (*slot == NULL || journal_event(ENTRY_CREATE, relative, 0) != 0) {
        int reason = errno;
        if (*slot != NULL)
            (*slot)->state = SLOT_ABSENT;
        libc.unlink(path);
        libc.close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

int open_paged(const char *path, const char *relative, int flags, mode_t mode)
{
    pthread_mutex_t *lock = map_lock(relative);
    struct slot *slot = paged_slot(path, relative);
    int fd = -1;
    if (slot == NULL && errno == ENOENT && (flags & O_CREAT) != 0) {
        fd = create_paged(path, relative, flags, mode, &slot);
    } else if (slot != NULL) {
        if ((flags & O_TRUNC) == 0) {
            fd = libc.open(path, flags, mode);
        } else if (journal_event(ENTRY_TRUNCATE, relative, 0) == 0) {
            slot->limit = 0;
            fd = libc.open(path, flags, mode);
        }
    }
    if (fd >= 0)
        fd = track_paged(fd, relative, slot);
    map_unlock(lock);
    return fd;
}

/* The file's pieces, one after the other, into an empty file. 1 done, 0 absent, -1 error. Under the path's lock. */
static int receive_whole(int fd, const char *relative)
{
    static char piece[FILE_PIECE];
    enum agent_kind kind;
    uint64_t size = 0, whole = 0, done = 0;
    uint32_t length;
    do {
        if (agent_read_file(relative, done, piece, &length, &kind, &size) != 0)
            return -1;
        if (kind != KIND_FILE)
            return 0;
        if (done > 0 && size != whole) { /* it became another file in between */
            done = 0;
            if (libc.ftruncate(fd, 0) != 0)
                return -1;
            continue;
        }
        whole = size;
        for (uint32_t at = 0; at < length;) {
            ssize_t n = libc.pwrite(fd, piece + at, length - at, (off_t)(done + at));
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return -1;
            at += (uint32_t)n;
        }
        done += length;
        if (length == 0 && done < whole) {
            errno = EIO;
            return -1;
        }
    } while (done < whole);
    return 1;
}

/* 1 placed, 0 absent, -1 error. Under the path's lock. */
static int place_whole(const char *path, const char *relative)
{
    char temporary[PATH_LIMIT * 2];
    snprintf(temporary, sizeof temporary, "%s/coppice.%d.tmp", data_directory(), (int)getpid());
    int fd = libc.open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int result = receive_whole(fd, relative);
    libc.close(fd);
    if (result == 1 && libc.rename(temporary, path) == 0)
        return 1;
    int reason = errno;
    libc.unlink(temporary);
    errno = reason;
    return result == 0 ? 0 : -1;
}

int place_if_missing(const char *path, const char *relative)
{
    if (libc.access(path, F_OK) == 0)
        return 1;
    pthread_mutex_t *lock = map_lock(relative);
    int placed = libc.access(path, F_OK) == 0 ? 1 : place_whole(path, relative);
    map_unlock(lock);
    return placed;
}

int open_whole(const char *path, const char *relative, int flags, mode_t mode)
{
    int fd = libc.open(path, flags & ~(O_CREAT | O_TRUNC | O_EXCL), mode);
    if (fd >= 0 && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
        libc.close(fd);
        errno = EEXIST;
        return -1;
    }
    if (fd < 0 && errno == ENOENT) {
        pthread_mutex_t *lock = map_lock(relative);
        int placed = libc.access(path, F_OK) == 0 ? 1 : place_whole(path, relative);
        if (placed == 1 && (flags & O_EXCL) != 0 && (flags & O_CREAT) != 0) {
            errno = EEXIST;
        } else if (placed == 1) {
            fd = libc.open(path, flags & ~(O_CREAT | O_TRUNC), mode);
        } else if (placed == 0 && (flags & O_CREAT) != 0) {
            fd = libc.open(path, flags, mode);
            if (fd >= 0 && journal_event(ENTRY_CREATE, relative, 0) != 0) {
                int reason = errno;
                libc.close(fd);
                libc.unlink(path);
                fd = -1;
                errno = reason;
            }
        } else if (placed == 0) {
            errno = ENOENT;
        }
        map_unlock(lock);
    }
    if (fd >= 0 && (flags & O_TRUNC) != 0) {
        if (journal_event(ENTRY_TRUNCATE, relative, 0) != 0 || libc.ftruncate(fd, 0) != 0) {
            int reason = errno;
            libc.close(fd);
            errno = reason;
            return -1;
        }
    }
    return fd < 0 ? -1 : track(fd, WHOLE, relative);
}

int lookup(const char *relative, enum file_class class, enum agent_kind *kind, uint64_t *size)
{
    if (class == PAGED) {
        pthread_mutex_t *lock = map_lock(relative);
        struct slot *slot = slot_find(relative);
        bool absent = slot != NULL && slot->state == SLOT_ABSENT;
        map_unlock(lock);
        if (absent)
            return 0;
    }
    if (agent_stat(relative, kind, size) != 0)
        return -1;
    if (*kind == KIND_ABSENT && class == PAGED) {
        pthread_mutex_t *lock = map_lock(relative);
        if (slot_find(relative) == NULL)
            (void)slot_insert(relative, SLOT_ABSENT, 0);
        map_unlock(lock);
    }
    return *kind != KIND_ABSENT;
}

/* ---- removing and renaming ---- */

int unlink_paged(const char *path, const char *relative)
{
    pthread_mutex_t *lock = map_lock(relative);
    struct slot *slot = slot_find(relative);
    enum agent_kind kind = KIND_ABSENT;
    uint64_t size;
    int result = -1;
    if (slot != NULL && slot->state == SLOT_ABSENT) {
        errno = ENOENT;
    } else if (slot == NULL && agent_stat_patiently(relative, &kind, &size) != 0) {
        /* errno says */
    } else if (slot == NULL && kind != KIND_FILE) {
        errno = ENOENT;
    } else if (journal_event(ENTRY_UNLINK, relative, 0) == 0) {
        result = slot != NULL ? libc.unlink(path) : 0;
        if (slot != NULL)
            slot_remove(slot);
    }
    map_unlock(lock);
    return result;
}

int unlink_whole(const char *path, const char *relative)
{
    pthread_mutex_t *lock = map_lock(relative);
    enum agent_kind kind = KIND_FILE;
    uint64_t size;
    int result = -1;
    if (libc.access(path, F_OK) != 0 && (agent_stat_patiently(relative, &kind, &size) != 0 || kind != KIND_FILE)) {
        if (kind != KIND_FILE)
            errno = ENOENT;
    } else if (journal_event(ENTRY_UNLINK, relative, 0) == 0) {
        result = libc.unlink(path);
        if (result != 0 && errno == ENOENT)
            result = 0; /* it was in the page service only */
    }
    map_unlock(lock);
    return result;
}

/*
 * Journals a file that is too large for one entry: piece by piece, so that a crash in the middle leaves a part of it. Only
 * statistics get that large, and Postgres throws them away after a crash, or when their end is missing.
 */
static int put_large_file(int fd, const char *relative)
{
    static char piece[PIECE_BLOCKS * BLOCK];
    int result = journal_event(ENTRY_CREATE, relative, 0);
    uint64_t at = 0;
    while (result == 0) {
        ssize_t n = libc.pread(fd, piece, sizeof piece, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? 0 : -1;
        size_t whole = (size_t)n / BLOCK * BLOCK, rest = (size_t)n - whole;
        struct iovec iov = {piece, whole};
        if (whole > 0)
            result = journal_pages(relative, &iov, 1, at);
        if (result == 0 && rest > 0)
            result = journal_block(relative, at + whole, piece + whole, (uint32_t)rest);
        at += (uint64_t)n;
    }
    return result;
}

static int put_small_file(int fd, const char *relative, size_t size)
{
    char *content = malloc(size + 1);
    if (content == NULL)
        return -1;
    size_t done = 0;
    while (done < size) {
        ssize_t n = libc.pread(fd, content + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    int result = journal_put(relative, content, (uint32_t)done);
    int reason = errno;
    free(content);
    errno = reason;
    return result;
}

/* Journals the local file's content, whole, under `relative`. */
int put_local_file(const char *path, const char *relative)
{
    struct stat st;
    int fd = libc.open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fstat(fd, &st);
    if (result == 0)
        result = st.st_size > PUT_LIMIT ? put_large_file(fd, relative)
                                        : put_small_file(fd, relative, (size_t)st.st_size);
    int reason = errno;
    libc.close(fd);
    errno = reason;
    return result;
}

int rename_to_whole(const char *from, const char *from_relative, enum file_class from_class, const char *to,
                    const char *to_relative)
{
    int placed = from_class == WHOLE ? place_if_missing(from, from_relative) : 1;
    if (placed <= 0) {
        if (placed == 0)
            errno = ENOENT;
        return -1;
    }
    /* Locked against a process that places the old content of the target. */
    pthread_mutex_t *lock = map_lock(to_relative);
    /* The new content first: a crash in between leaves both names, never neither. */
    int result = put_local_file(from, to_relative);
    if (result == 0 && from_class == WHOLE)
        result = journal_event(ENTRY_UNLINK, from_relative, 0);
    if (result == 0)
        result = libc.rename(from, to);
    map_unlock(lock);
    return result;
}
