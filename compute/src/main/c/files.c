/*
 * Files of the data directory: which descriptors we follow, how a file comes to be there, and what reading and writing do
 * to it.
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
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define FIRST_WINDOW 16            /* blocks fetched at a miss */
#define FILL_POLL_NANOSECONDS 50000L

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
    if (class == WAL)
        wal_segment_start(relative, &t->wal_start);
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

static bool is_stale(const struct tracked *t)
{
    return __atomic_load_n(&slot_at(t->slot)->generation, __ATOMIC_SEQ_CST) != t->generation;
}

static int track_paged(int fd, const char *relative, const struct slot *slot)
{
    if (track(fd, PAGED, relative) < 0)
        return -1;
    table[fd].slot = slot_index(slot);
    table[fd].generation = slot->generation;
    table[fd].window = FIRST_WINDOW;
    return fd;
}

/* ---- placing files ---- */

static uint32_t blocks_of(uint64_t size)
{
    return (uint32_t)((size + BLOCK - 1) / BLOCK);
}

static int place_paged(const char *path, uint64_t size)
{
    int fd = libc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int result = libc.ftruncate(fd, (off_t)size);
    libc.close(fd);
    return result;
}

/* Under the path's lock: the slot of an existing file, placed; NULL with errno otherwise. */
static struct slot *paged_slot(const char *path, const char *relative)
{
    struct slot *slot = slot_find(relative);
    enum agent_kind kind;
    uint64_t size;
    if (slot == NULL) {
        if (agent_stat(relative, &kind, &size) != 0)
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
        if (place_paged(path, size) != 0)
            return NULL;
        slot = slot_insert(relative, SLOT_PLACED, blocks_of(size));
        if (slot == NULL) {
            libc.unlink(path);
            errno = ENFILE;
            return NULL;
        }
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
    if (*slot == NULL)
        errno = ENFILE;
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

int place_whole(const char *path, const char *relative)
{
    char *content, temporary[PATH_LIMIT * 2];
    uint64_t size;
    if (agent_read_file(relative, &content, &size) != 0)
        return -1;
    if (content == NULL)
        return 0;
    snprintf(temporary, sizeof temporary, "%s/coppice.%d.tmp", data_directory(), (int)getpid());
    int fd = libc.open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    for (uint64_t done = 0; ok && done < size;) {
        ssize_t n = libc.write(fd, content + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        ok = n > 0;
        done += ok ? (uint64_t)n : 0;
    }
    if (fd >= 0)
        libc.close(fd);
    free(content);
    if (ok && libc.rename(temporary, path) == 0)
        return 1;
    int reason = errno;
    libc.unlink(temporary);
    errno = reason;
    return -1;
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

/* ---- hydration ---- */

static uint8_t block_state(const uint8_t *presence, uint32_t block)
{
    return __atomic_load_n(&presence[block], __ATOMIC_SEQ_CST);
}

static bool claim_block(uint8_t *presence, uint32_t block)
{
    uint8_t expected = BLOCK_ABSENT;
    return __atomic_compare_exchange_n(&presence[block], &expected, BLOCK_FILLING, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static void set_blocks(uint8_t *presence, uint32_t first, uint32_t count, enum presence state)
{
    for (uint32_t i = 0; i < count; i++)
        __atomic_store_n(&presence[first + i], (uint8_t)state, __ATOMIC_SEQ_CST);
}

/*
 * Waits until another process has filled the block, however long its server is away: taking over after a time would let the
 * late answer overwrite what was written since. A filler that is killed takes the whole compute with it.
 */
static void wait_for_fill(uint8_t *presence, uint32_t block)
{
    struct timespec pause = {0, FILL_POLL_NANOSECONDS};
    while (block_state(presence, block) == BLOCK_FILLING) {
        nanosleep(&pause, NULL);
        exit_when_orphaned();
    }
}

/* The path of the descriptor's file; false when it was removed, and the slot may be another file's. */
static bool slot_path(const struct tracked *t, char *path)
{
    memcpy(path, slot_at(t->slot)->path, SLOT_PATH);
    path[SLOT_PATH - 1] = 0;
    return !is_stale(t); /* the generation changes before the path does */
}

/* Claims absent blocks from `first` on. Under the path's lock, or the slot might become another file's in between. */
static uint32_t claim_absent(const struct tracked *t, uint32_t first, uint32_t want)
{
    struct slot *slot = slot_at(t->slot);
    uint8_t *presence = slot_presence(slot);
    char path[SLOT_PATH];
    uint32_t count = 0;
    if (!slot_path(t, path))
        return 0;
    pthread_mutex_t *lock = map_lock(path);
    if (!is_stale(t))
        while (count < want && first + count < slot->limit && claim_block(presence, first + count))
            count++;
    map_unlock(lock);
    return count;
}

static int write_local(int fd, const char *data, size_t length, off_t offset)
{
    while (length > 0) {
        ssize_t n = libc.pwrite(fd, data, length, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n == 0)
                errno = ENOSPC;
            return -1;
        }
        data += n;
        offset += n;
        length -= (size_t)n;
    }
    return 0;
}

/* The descriptor may be read-only; the local copy is written through one of our own. */
static int fill_descriptor(const struct slot *slot)
{
    char path[PATH_LIMIT * 2];
    snprintf(path, sizeof path, "%s/%s", data_directory(), slot->path);
    return libc.open(path, O_RDWR | O_CLOEXEC);
}

/* Fetches [first, first+count), all claimed by us, into the local file. */
static int fill(const struct tracked *t, uint32_t first, uint32_t count)
{
    struct slot *slot = slot_at(t->slot);
    uint32_t generation = t->generation;
    static char pages[READ_PAGES_LIMIT * BLOCK];
    uint8_t flags[READ_PAGES_LIMIT];
    uint8_t *presence = slot_presence(slot);
    char path[SLOT_PATH];
    if (!slot_path(t, path))
        return 0; /* removed: its marks are gone with it */
    int result = agent_read_pages(path, first, count, flags, pages);

    pthread_mutex_t *lock = map_lock(path);
    /* A truncation may have come in between: what is beyond the limit now must not grow the file again. */
    uint32_t limit = slot->generation == generation ? slot->limit : 0;
    uint32_t kept = first + count <= limit ? count : first < limit ? limit - first : 0;
    int fd = result == 0 && kept > 0 ? fill_descriptor(slot) : -1;
    if (result == 0 && kept > 0 && fd < 0)
        result = -1;
    for (uint32_t i = 0; result == 0 && i < kept;) {
        uint32_t run = 0;
        while (i + run < kept && flags[i + run] != 0)
            run++;
        if (run > 0)
            result = write_local(fd, pages + (size_t)i * BLOCK, (size_t)run * BLOCK, (off_t)(first + i) * BLOCK);
        i += run > 0 ? run : 1;
    }
    int reason = errno;
    if (slot->generation == generation) {
        set_blocks(presence, first, kept, result == 0 ? BLOCK_PRESENT : BLOCK_ABSENT);
        set_blocks(presence, first + kept, count - kept, BLOCK_ABSENT);
    }
    map_unlock(lock);
    if (fd >= 0)
        libc.close(fd);
    __atomic_add_fetch(&map->hydrated, count, __ATOMIC_RELAXED);
    errno = reason;
    return result;
}

/* Makes the blocks that [offset, offset+length) touches present in the local file. */
int hydrate(int fd, struct tracked *t, uint64_t offset, size_t length)
{
    (void)fd;
    struct slot *slot = slot_at(t->slot);
    uint32_t limit = __atomic_load_n(&slot->limit, __ATOMIC_SEQ_CST);
    if (length == 0 || offset / BLOCK >= limit || is_stale(t))
        return 0;
    uint8_t *presence = slot_presence(slot);
    uint32_t last = (uint32_t)((offset + length - 1) / BLOCK);
    if (last >= limit)
        last = limit - 1;
    for (uint32_t block = (uint32_t)(offset / BLOCK); block <= last;) {
        switch (block_state(presence, block)) {
        case BLOCK_PRESENT:
            block++;
            break;
        case BLOCK_FILLING:
            wait_for_fill(presence, block);
            break;
        default: {
            /* A reader that goes on where it left off gets a larger window. */
            if (block == t->next_block && block > 0)
                t->window = t->window * 2 < READ_PAGES_LIMIT ? t->window * 2 : READ_PAGES_LIMIT;
            else
                t->window = FIRST_WINDOW;
            uint32_t want = last - block + 1 > t->window ? last - block + 1 : t->window;
            if (want > READ_PAGES_LIMIT)
                want = READ_PAGES_LIMIT;
            uint32_t count = claim_absent(t, block, want);
            if (count > 0 && fill(t, block, count) != 0)
                return -1;
            t->next_block = block + count;
            if (is_stale(t))
                return 0;
            limit = __atomic_load_n(&slot->limit, __ATOMIC_SEQ_CST);
            if (last >= limit)
                return 0;
        }
        }
    }
    return 0;
}

/* ---- writing ---- */

/* Claims the blocks that a write replaces whole, so that no late prefetch can overwrite it. Returns how many. */
static uint32_t claim_for_write(const struct tracked *t, uint32_t first, uint32_t count)
{
    const struct slot *slot = slot_at(t->slot);
    uint8_t *presence = slot_presence(slot);
    uint32_t claimed = 0;
    for (uint32_t block = first; block < first + count;) {
        if (block >= __atomic_load_n(&slot->limit, __ATOMIC_SEQ_CST) || is_stale(t))
            break;
        if (block_state(presence, block) == BLOCK_PRESENT) {
            block++;
            continue;
        }
        uint32_t got = claim_absent(t, block, first + count - block);
        if (got == 0)
            wait_for_fill(presence, block);
        block += got;
        claimed += got;
    }
    return claimed;
}

/* Ends the claims: present after a write, absent again where a failed one had claimed. */
static void release_claims(const struct tracked *t, const char *path, uint32_t first, uint32_t count, bool written)
{
    const struct slot *slot = slot_at(t->slot);
    uint8_t *presence = slot_presence(slot);
    pthread_mutex_t *lock = map_lock(path);
    if (!is_stale(t))
        for (uint32_t block = first; block < first + count && block < slot->limit; block++)
            if (block_state(presence, block) == BLOCK_FILLING)
                __atomic_store_n(&presence[block], written ? BLOCK_PRESENT : BLOCK_ABSENT, __ATOMIC_SEQ_CST);
    map_unlock(lock);
}

/* Journals whole blocks of the local file: for writes that are not made of blocks. */
static int journal_local_blocks(int fd, const char *relative, uint64_t offset, size_t length)
{
    char path[PATH_LIMIT * 2], block[BLOCK];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", data_directory(), relative);
    int reader = libc.open(path, O_RDONLY | O_CLOEXEC); /* the descriptor may be write-only */
    if (reader < 0 || fstat(fd, &st) != 0) {
        if (reader >= 0)
            libc.close(reader);
        return -1;
    }
    int result = 0;
    for (uint64_t at = offset / BLOCK * BLOCK; result == 0 && at < offset + length; at += BLOCK) {
        ssize_t n = libc.pread(reader, block, BLOCK, (off_t)at);
        if (n <= 0)
            break;
        result = journal_block(relative, at, block, (uint32_t)n);
    }
    libc.close(reader);
    return result;
}

static size_t total_length(const struct iovec *iov, int iovcnt)
{
    size_t total = 0;
    for (int i = 0; i < iovcnt; i++)
        total += iov[i].iov_len;
    return total;
}

static ssize_t write_bytes(int fd, struct tracked *t, const char *relative, const struct iovec *iov, int iovcnt,
                           off_t offset)
{
    if (t->class == PAGED && hydrate(fd, t, (uint64_t)offset, total_length(iov, iovcnt)) != 0)
        return -1;
    ssize_t n = libc.pwritev(fd, iov, iovcnt, offset);
    if (n > 0 && journal_local_blocks(fd, relative, (uint64_t)offset, (size_t)n) != 0)
        return -1;
    return n;
}

ssize_t write_tracked(int fd, struct tracked *t, const struct iovec *iov, int iovcnt, off_t offset)
{
    size_t length = total_length(iov, iovcnt);
    if (t->class == WHOLE)
        return write_bytes(fd, t, t->path, iov, iovcnt, offset);
    char path[SLOT_PATH];
    if (!slot_path(t, path)) /* the file was removed: nobody will read this again */
        return libc.pwritev(fd, iov, iovcnt, offset);
    if (offset % BLOCK != 0 || length % BLOCK != 0)
        return write_bytes(fd, t, path, iov, iovcnt, offset);

    uint32_t first = (uint32_t)(offset / BLOCK), count = (uint32_t)(length / BLOCK);
    uint32_t claimed = claim_for_write(t, first, count);
    ssize_t n = -1;
    if (journal_pages(path, iov, iovcnt, (uint64_t)offset) == 0) {
        do
            n = libc.pwritev(fd, iov, iovcnt, offset);
        while (n < 0 && errno == EINTR);
    }
    int reason = errno;
    if (claimed > 0)
        release_claims(t, path, first, count, n == (ssize_t)length);
    errno = reason;
    return n;
}

int truncate_tracked(int fd, struct tracked *t, off_t length)
{
    char path[SLOT_PATH];
    if (t->class == PAGED && !slot_path(t, path))
        return libc.ftruncate(fd, length);
    const char *relative = t->class == PAGED ? path : t->path;
    if (t->class == PAGED && length % BLOCK != 0 && hydrate(fd, t, (uint64_t)length, 1) != 0)
        return -1;
    pthread_mutex_t *lock = map_lock(relative);
    int result = journal_event(ENTRY_TRUNCATE, relative, (uint64_t)length);
    if (result == 0) {
        if (t->class == PAGED && blocks_of((uint64_t)length) < slot_at(t->slot)->limit)
            __atomic_store_n(&slot_at(t->slot)->limit, blocks_of((uint64_t)length), __ATOMIC_SEQ_CST);
        result = libc.ftruncate(fd, length);
        if (result == 0 && length % BLOCK != 0)
            result = journal_local_blocks(fd, relative, (uint64_t)length / BLOCK * BLOCK, 1);
    }
    map_unlock(lock);
    return result;
}

/* posix_fallocate: grows without allocating, but says "full" here rather than at the checkpoint. Returns an errno value. */
int extend_tracked(int fd, struct tracked *t, off_t end)
{
    struct stat st;
    struct statvfs fs;
    if (fstat(fd, &st) != 0 || fstatvfs(fd, &fs) != 0)
        return errno;
    if (end <= st.st_size)
        return 0;
    /* The new bytes will be written twice, to the journal and to the local file. */
    if ((uint64_t)(end - st.st_size) * 2 > (uint64_t)fs.f_bavail * fs.f_frsize)
        return ENOSPC;
    char path[SLOT_PATH];
    bool stale = t->class == PAGED && !slot_path(t, path);
    const char *relative = t->class == PAGED ? path : t->path;
    if (!stale && journal_event(ENTRY_EXTEND, relative, (uint64_t)end) != 0)
        return errno;
    return libc.ftruncate(fd, end) == 0 ? 0 : errno;
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
    } else if (slot == NULL && agent_stat(relative, &kind, &size) != 0) {
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
    if (libc.access(path, F_OK) != 0 && (agent_stat(relative, &kind, &size) != 0 || kind != KIND_FILE)) {
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

/* Journals the local file's content, whole, under `relative`. */
int put_local_file(const char *path, const char *relative)
{
    struct stat st;
    int fd = libc.open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    char *content = NULL;
    int result = fstat(fd, &st);
    if (result == 0 && (st.st_size > PUT_LIMIT || (content = malloc((size_t)st.st_size + 1)) == NULL)) {
        errno = st.st_size > PUT_LIMIT ? EFBIG : ENOMEM;
        result = -1;
    }
    size_t done = 0;
    while (result == 0 && done < (size_t)st.st_size) {
        ssize_t n = libc.pread(fd, content + done, (size_t)st.st_size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (result == 0)
        result = journal_put(relative, content, (uint32_t)done);
    int reason = errno;
    free(content);
    libc.close(fd);
    errno = reason;
    return result;
}

int rename_to_whole(const char *from, const char *from_relative, enum file_class from_class, const char *to,
                    const char *to_relative)
{
    if (from_class == WHOLE && libc.access(from, F_OK) != 0) {
        int placed = place_whole(from, from_relative);
        if (placed <= 0) {
            if (placed == 0)
                errno = ENOENT;
            return -1;
        }
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
