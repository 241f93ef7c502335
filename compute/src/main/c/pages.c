/*
 * Contents of files: blocks that are fetched when they are read, and writes, which go to the journal before the local file.
 *
 * A block below its slot's limit is absent, filling or present. Only who moved it from absent to filling may put bytes
 * there, and everybody else waits; so a late answer of the page service never overwrites a write.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define FILL_POLL_NANOSECONDS 50000L

/* ---- hydration ---- */

uint8_t block_state(const uint8_t *presence, uint32_t block)
{
    return __atomic_load_n(&presence[block], __ATOMIC_SEQ_CST);
}

static bool claim_block(uint8_t *presence, uint32_t block)
{
    uint8_t expected = block_state(presence, block);
    return (expected == BLOCK_ABSENT || expected == BLOCK_SEEN) &&
           __atomic_compare_exchange_n(&presence[block], &expected, BLOCK_FILLING, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

/*
 * Waits until another process has filled the block, however long its server is away: taking over after a time would let the
 * late answer overwrite what was written since. A filler that is killed takes the whole compute with it. False when Postgres
 * wants this one to stop waiting: errno is EIO then. A writer, with a path of NULL, waits on.
 */
static bool wait_for_fill(uint8_t *presence, uint32_t block, const char *path)
{
    struct timespec pause = {0, FILL_POLL_NANOSECONDS};
    while (block_state(presence, block) == BLOCK_FILLING) {
        nanosleep(&pause, NULL);
        exit_when_orphaned();
        if (path != NULL && must_give_up(path)) {
            errno = EIO;
            return false;
        }
    }
    return true;
}

bool slot_path(const struct tracked *t, char *path)
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

uint32_t claim_listed(const struct tracked *t, uint32_t *blocks, uint32_t count)
{
    struct slot *slot = slot_at(t->slot);
    uint8_t *presence = slot_presence(slot);
    char path[SLOT_PATH];
    uint32_t claimed = 0;
    if (!slot_path(t, path))
        return 0;
    pthread_mutex_t *lock = map_lock(path);
    if (!is_stale(t))
        for (uint32_t i = 0; i < count; i++)
            if (blocks[i] < slot->limit && claim_block(presence, blocks[i]))
                blocks[claimed++] = blocks[i];
    map_unlock(lock);
    return claimed;
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

/* Writes pages that follow each other with one call; blocks of zeroes are holes already. */
int write_runs(int fd, const uint32_t *blocks, uint32_t count, const uint8_t *flags, const char *pages)
{
    for (uint32_t i = 0; i < count;) {
        uint32_t run = 0;
        while (i + run < count && flags[i + run] != 0 && blocks[i + run] == blocks[i] + run)
            run++;
        if (run > 0 && write_local(fd, pages + (size_t)i * BLOCK, (size_t)run * BLOCK, (off_t)blocks[i] * BLOCK) != 0)
            return -1;
        i += run > 0 ? run : 1;
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

int finish_fill(const struct tracked *t, const char *path, const uint32_t *blocks, uint32_t count, int result,
                const uint8_t *flags, const char *pages)
{
    struct slot *slot = slot_at(t->slot);
    uint8_t *presence = slot_presence(slot);
    int reason = errno;
    pthread_mutex_t *lock = map_lock(path);
    bool ours = slot->generation == t->generation;
    /* A truncation may have come in between: what is beyond the limit now must not grow the file again. */
    uint32_t limit = ours ? slot->limit : 0, kept = 0;
    while (kept < count && blocks[kept] < limit) /* ascending */
        kept++;
    if (result == 0 && kept > 0) {
        int fd = fill_descriptor(slot);
        result = fd < 0 ? -1 : write_runs(fd, blocks, kept, flags, pages);
        reason = errno;
        if (fd >= 0)
            libc.close(fd);
    }
    for (uint32_t i = 0; ours && i < count; i++)
        __atomic_store_n(&presence[blocks[i]], (uint8_t)(result == 0 && i < kept ? BLOCK_PRESENT : BLOCK_ABSENT),
                         __ATOMIC_SEQ_CST);
    map_unlock(lock);
    __atomic_add_fetch(&map->hydrated, count, __ATOMIC_RELAXED);
    errno = reason;
    return result;
}

/* Fetches [first, first+count), all claimed by us, into the local file. */
static int fill(const struct tracked *t, uint32_t first, uint32_t count)
{
    uint8_t flags[READ_PAGES_LIMIT];
    uint32_t blocks[READ_PAGES_LIMIT];
    char path[SLOT_PATH];
    const char *pages;
    if (!slot_path(t, path))
        return 0; /* removed: its marks are gone with it */
    for (uint32_t i = 0; i < count; i++)
        blocks[i] = first + i;
    int result = agent_read_pages(path, first, count, flags, &pages);
    return finish_fill(t, path, blocks, count, result, flags, pages);
}

int hydrate(const struct tracked *t, uint64_t offset, size_t length)
{
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
            if (!wait_for_fill(presence, block, slot->path))
                return -1;
            break;
        default: {
            if (!map_has_room())
                return -1;
            if (prefetch_now(t, block))
                break;
            uint32_t count = claim_absent(t, block, note_miss(slot, block, last));
            if (count > 0 && fill(t, block, count) != 0)
                return -1;
            if (is_stale(t))
                return 0;
            /* A truncation may have come in between: what is left below it is still to be fetched. */
            limit = __atomic_load_n(&slot->limit, __ATOMIC_SEQ_CST);
            if (limit == 0)
                return 0;
            if (last >= limit)
                last = limit - 1;
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
            (void)wait_for_fill(presence, block, NULL);
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

/* Journals whole blocks of the local file: what a cut inside a block leaves of it. */
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

size_t total_length(const struct iovec *iov, int iovcnt)
{
    size_t total = 0;
    for (int i = 0; i < iovcnt; i++)
        total += iov[i].iov_len;
    return total;
}

/* Copies `length` bytes from the `from`th byte of the buffers on. */
static void copy_bytes(char *to, const struct iovec *iov, size_t from, size_t length)
{
    for (; length > 0; iov++) {
        if (from >= iov->iov_len) {
            from -= iov->iov_len;
            continue;
        }
        size_t piece = iov->iov_len - from < length ? iov->iov_len - from : length;
        memcpy(to, (const char *)iov->iov_base + from, piece);
        to += piece;
        length -= piece;
        from = 0;
    }
}

/* Journals the blocks that a write will make of those of the local file. */
static int journal_changed_blocks(const char *relative, const struct iovec *iov, uint64_t offset, size_t length)
{
    char path[PATH_LIMIT * 2], block[BLOCK];
    snprintf(path, sizeof path, "%s/%s", data_directory(), relative);
    int reader = libc.open(path, O_RDONLY | O_CLOEXEC); /* the descriptor may be write-only */
    if (reader < 0)
        return -1;
    int result = 0;
    for (uint64_t at = offset / BLOCK * BLOCK; result == 0 && at < offset + length; at += BLOCK) {
        uint64_t begin = at > offset ? at : offset, end = at + BLOCK < offset + length ? at + BLOCK : offset + length;
        memset(block, 0, sizeof block);
        ssize_t n = libc.pread(reader, block, BLOCK, (off_t)at);
        if (n < 0) {
            result = -1;
            break;
        }
        copy_bytes(block + (begin - at), iov, (size_t)(begin - offset), (size_t)(end - begin));
        uint32_t size = (uint64_t)n > end - at ? (uint32_t)n : (uint32_t)(end - at);
        result = journal_block(relative, at, block, size);
    }
    int reason = errno;
    libc.close(reader);
    errno = reason;
    return result;
}

static ssize_t write_bytes(int fd, struct tracked *t, const char *relative, const struct iovec *iov, int iovcnt,
                           off_t offset)
{
    size_t length = total_length(iov, iovcnt);
    if (t->class == PAGED && hydrate(t, (uint64_t)offset, length) != 0)
        return -1;
    if (length > 0 && journal_changed_blocks(relative, iov, (uint64_t)offset, length) != 0)
        return -1;
    return libc.pwritev(fd, iov, iovcnt, offset);
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
    if (!may_grow(fd, path, (uint64_t)offset + length))
        return -1;

    uint32_t first = (uint32_t)(offset / BLOCK), count = (uint32_t)(length / BLOCK);
    throttle_wait(count);
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
    if (t->class == PAGED && length % BLOCK != 0 && hydrate(t, (uint64_t)length, 1) != 0)
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

static int extend_locked(int fd, const char *relative, off_t end)
{
    struct stat st;
    struct statvfs fs;
    if (fstat(fd, &st) != 0 || fstatvfs(fd, &fs) != 0)
        return errno;
    if (end <= st.st_size)
        return 0;
    if (relative != NULL && !may_grow(fd, relative, (uint64_t)end))
        return ENOSPC;
    /* The new bytes will be written twice, to the journal and to the local file. */
    if ((uint64_t)(end - st.st_size) * 2 > (uint64_t)fs.f_bavail * fs.f_frsize)
        return ENOSPC;
    if (relative != NULL && journal_event(ENTRY_EXTEND, relative, (uint64_t)end) != 0)
        return errno;
    return libc.ftruncate(fd, end) == 0 ? 0 : errno;
}

/* posix_fallocate: grows without allocating, but says "full" here rather than at the checkpoint. Returns an errno value. */
int extend_tracked(int fd, struct tracked *t, off_t end)
{
    char path[SLOT_PATH];
    bool stale = t->class == PAGED && !slot_path(t, path);
    const char *relative = t->class == PAGED ? path : t->path;
    /* Under the lock, or a file that another process grows in between would be cut. */
    pthread_mutex_t *lock = map_lock(relative);
    int result = extend_locked(fd, stale ? NULL : relative, end);
    map_unlock(lock);
    return result;
}
