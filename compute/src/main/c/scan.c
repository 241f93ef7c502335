/*
 * Reads of paged files. What is absent is fetched into the local file first, a window of blocks at a time that grows while
 * misses follow each other; the processes of a compute share the sequence, since a scan's reads are spread over the workers.
 *
 * A long scan goes past the local files: writing each block there and reading it back would cost as much as fetching it,
 * and most large scans come once. A block that is read a second time is kept.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <string.h>

#define FIRST_WINDOW 16     /* blocks fetched at a miss that follows no other */
#define NEAR 512            /* blocks: misses of one scan by several processes come this much out of order */
#define SCAN_FROM 2048      /* blocks in sequence that make a scan */
#define SCAN_READ_MIN 4     /* blocks; smaller reads are better served by a window in the local file */

static bool follows(const struct slot *slot, uint32_t first)
{
    uint32_t next = __atomic_load_n(&slot->next_block, __ATOMIC_RELAXED);
    return first + NEAR >= next && first <= next + NEAR;
}

uint32_t note_miss(struct slot *slot, uint32_t first, uint32_t last)
{
    uint32_t count = last - first + 1, run = 0, next = 0;
    if (follows(slot, first)) {
        run = __atomic_load_n(&slot->run, __ATOMIC_RELAXED);
        next = __atomic_load_n(&slot->next_block, __ATOMIC_RELAXED);
    }
    uint32_t window = run < FIRST_WINDOW ? FIRST_WINDOW : run;
    /* A scan's neighbours will be asked for past the local file: here they would be in its way. */
    if (window < count || (run >= SCAN_FROM && count >= SCAN_READ_MIN))
        window = count;
    if (window > READ_PAGES_LIMIT)
        window = READ_PAGES_LIMIT;
    run = run + window < UINT16_MAX ? run + window : UINT16_MAX;
    next = first + window > next ? first + window : next;
    __atomic_store_n(&slot->run, (uint16_t)run, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->next_block, next, __ATOMIC_RELAXED);
    return window;
}

static bool is_scan(const struct slot *slot, uint32_t first, uint32_t count)
{
    if (count < SCAN_READ_MIN || count > READ_PAGES_LIMIT || !follows(slot, first) ||
        __atomic_load_n(&slot->run, __ATOMIC_RELAXED) < SCAN_FROM)
        return false;
    const uint8_t *presence = slot_presence(slot);
    for (uint32_t i = 0; i < count; i++)
        if (block_state(presence, first + i) != BLOCK_ABSENT)
            return false;
    return true;
}

/* Copies the pages, zeroes for blocks without one, into the caller's buffers, which are as large as they are. */
static void copy_out(const struct iovec *iov, uint32_t count, const uint8_t *flags, const char *pages)
{
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (size_t at = 0; at < BLOCK;) {
            size_t piece = iov->iov_len - used < BLOCK - at ? iov->iov_len - used : BLOCK - at;
            char *to = (char *)iov->iov_base + used;
            if (flags[i] != 0)
                memcpy(to, pages + (size_t)i * BLOCK + at, piece);
            else
                memset(to, 0, piece);
            at += piece;
            used += piece;
            if (used == iov->iov_len) {
                iov++;
                used = 0;
            }
        }
    }
}

/*
 * Reads without the local file; false when that cannot be. No claim is needed: nothing is written that a writer could lose,
 * and Postgres does not read and write a block at the same time.
 */
static bool read_past(const struct tracked *t, const struct iovec *iov, uint32_t first, uint32_t count)
{
    struct slot *slot = slot_at(t->slot);
    uint8_t *presence = slot_presence(slot), flags[READ_PAGES_LIMIT];
    const char *pages;
    char path[SLOT_PATH];
    if (first + count > __atomic_load_n(&slot->limit, __ATOMIC_SEQ_CST) || !is_scan(slot, first, count) ||
        !slot_path(t, path) || !map_has_room())
        return false;
    (void)note_miss(slot, first, first + count - 1);
    if (agent_read_pages(path, first, count, flags, &pages) != 0)
        return false;
    copy_out(iov, count, flags, pages);
    pthread_mutex_t *lock = map_lock(path);
    bool valid = !is_stale(t) && first + count <= slot->limit;
    for (uint32_t i = 0; valid && i < count; i++) {
        uint8_t expected = BLOCK_ABSENT;
        /* Written or fetched meanwhile: what the local file has is newer. */
        if (!__atomic_compare_exchange_n(&presence[first + i], &expected, BLOCK_SEEN, false, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST) &&
            expected != BLOCK_SEEN)
            valid = false;
    }
    map_unlock(lock);
    return valid;
}

ssize_t read_tracked(int fd, const struct tracked *t, const struct iovec *iov, int iovcnt, off_t offset)
{
    size_t length = total_length(iov, iovcnt);
    if (offset % BLOCK == 0 && length % BLOCK == 0 && length > 0 && length <= (size_t)READ_PAGES_LIMIT * BLOCK &&
        !is_stale(t) && read_past(t, iov, (uint32_t)(offset / BLOCK), (uint32_t)(length / BLOCK)))
        return (ssize_t)length;
    return hydrate(t, (uint64_t)offset, length) != 0 ? -1 : libc.preadv(fd, iov, iovcnt, offset);
}
