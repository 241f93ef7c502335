/*
 * The compute's shared memory: a sparse file, mapped before the postmaster forks.
 *
 *   struct map | buckets | slots | presence
 *
 * A slot is a paged file that some process asked for. Placed: it is in the local directory, with its right size, and
 * presence says which of its first `limit` blocks are really there, one byte a block (blocks at or past the limit were made
 * by this compute, so they are). Absent: the page service said that it does not exist. A slot's fields change
 * only under the path's stripe; presence bytes change by compare-and-set, absent -> filling -> present.
 *
 * The file survives a clean stop together with the local files; locks are made anew at each start.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAP_VERSION 2
#define SLOTS (1u << 20)
#define BUCKETS (1u << 20)
#define HEADER_BYTES (64u << 10)
#define MAP_RESERVE (8u << 20)
#define NEGATIVE_SLOTS (SLOTS / 2) /* beyond it, "does not exist" is asked anew each time */

struct map *map;
static uint32_t *buckets;
static struct slot *slots;
static uint8_t *presence;
static int map_file = -1;

_Static_assert(sizeof(struct slot) == 64, "slots stay within a cache line");
_Static_assert(sizeof(struct map) <= THROTTLE_OFFSET, "header fits");
_Static_assert(THROTTLE_OFFSET + sizeof(struct throttle) <= HEADER_BYTES, "the server's word fits");

/*
 * The map is sparse, and the first touch of a page of it on a full disk would be SIGBUS. So whoever is about to touch new
 * ones asks here, and fails with ENOSPC while there is still room for those who asked at the same time.
 */
bool map_has_room(void)
{
    struct statvfs fs;
    if (fstatvfs(map_file, &fs) != 0 || (uint64_t)fs.f_bavail * fs.f_frsize >= MAP_RESERVE)
        return true;
    errno = ENOSPC;
    return false;
}

static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *text != 0; text++)
        h = (h ^ (uint8_t)*text) * 16777619u;
    return h;
}

static void make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

static void make_locks(void)
{
    make_lock(&map->table_lock);
    for (size_t i = 0; i < sizeof map->stripes / sizeof *map->stripes; i++)
        make_lock(&map->stripes[i]);
}

void map_attach(const char *path, uint32_t epoch)
{
    size_t slots_at = HEADER_BYTES + sizeof(uint32_t) * (size_t)BUCKETS;
    size_t presence_at = (slots_at + sizeof(struct slot) * (size_t)SLOTS + 0xffff) & ~(size_t)0xffff;
    size_t total = presence_at + (size_t)SLOTS * SEGMENT_BLOCKS;

    int fd = libc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        die("cannot open the compute's map %s: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0 || ((size_t)st.st_size < total && libc.ftruncate(fd, (off_t)total) != 0))
        die("cannot size the compute's map %s: %s", path, strerror(errno));
    char *base = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED)
        die("cannot map %s: %s", path, strerror(errno));
    map_file = fd; /* kept for map_has_room; children inherit it */
    (void)madvise(base, total, MADV_DONTDUMP);
    map = (struct map *)base;
    buckets = (uint32_t *)(base + HEADER_BYTES);
    slots = (struct slot *)(base + slots_at);
    presence = (uint8_t *)(base + presence_at);
    if (memcmp(map->magic, "COPPICEM", 8) != 0) {
        map->version = MAP_VERSION;
        map->epoch = epoch;
        map->fresh_slot = 1; /* index 0 ends chains */
        make_locks();
        memcpy(map->magic, "COPPICEM", 8);
    } else if (map->version != MAP_VERSION) {
        die("the compute's map %s has version %u, expected %u", path, map->version, MAP_VERSION);
    }
}

void map_start(uint32_t epoch, uint64_t mark)
{
    make_locks();
    if (map->epoch != epoch || map->appended == 0) {
        map->epoch = epoch;
        map->appended = 0;
        map->synced = 0;
        map->mark = mark;
    }
    map->sync_failed = 0;
    map->postmaster = getpid();
}

static void lock(pthread_mutex_t *mutex)
{
    int result = pthread_mutex_lock(mutex);
    if (result == EOWNERDEAD) /* its holder was killed: the postmaster is about to end everybody */
        pthread_mutex_consistent(mutex);
    else if (result != 0)
        die("cannot take a lock of the compute's map: %s", strerror(result));
}

pthread_mutex_t *map_lock(const char *relative)
{
    pthread_mutex_t *stripe = &map->stripes[hash(relative) % (sizeof map->stripes / sizeof *map->stripes)];
    lock(stripe);
    return stripe;
}

void map_unlock(pthread_mutex_t *stripe)
{
    pthread_mutex_unlock(stripe);
}

struct slot *slot_find(const char *relative)
{
    for (uint32_t i = buckets[hash(relative) % BUCKETS]; i != 0; i = slots[i].next)
        if (strcmp(slots[i].path, relative) == 0)
            return &slots[i];
    return NULL;
}

struct slot *slot_insert(const char *relative, enum slot_state state, uint32_t limit)
{
    uint32_t index;
    if (!map_has_room())
        return NULL;
    lock(&map->table_lock);
    if (state == SLOT_ABSENT && map->used_slots >= NEGATIVE_SLOTS) {
        index = 0;
    } else if (map->free_slots != 0) {
        index = map->free_slots;
        map->free_slots = slots[index].next;
    } else {
        index = map->fresh_slot < SLOTS ? map->fresh_slot++ : 0;
    }
    if (index != 0)
        map->used_slots++;
    pthread_mutex_unlock(&map->table_lock);
    if (index == 0) {
        errno = ENFILE;
        return NULL;
    }

    struct slot *slot = &slots[index];
    uint32_t *bucket = &buckets[hash(relative) % BUCKETS];
    snprintf(slot->path, sizeof slot->path, "%s", relative);
    slot->limit = limit;
    slot->marked = limit > 0;
    slot->run = 0;
    slot->next_block = 0;
    slot->state = (uint8_t)state;
    slot->next = *bucket;
    *bucket = index;
    return slot;
}

void slot_remove(struct slot *slot)
{
    uint32_t index = (uint32_t)(slot - slots);
    uint32_t *link = &buckets[hash(slot->path) % BUCKETS];
    while (*link != index)
        link = &slots[*link].next;
    *link = slot->next;
    /* First, so that whoever still has the old generation sees it before the path changes. */
    __atomic_add_fetch(&slot->generation, 1, __ATOMIC_SEQ_CST);
    /* Also when the limit is 0 by now: a truncated file leaves marks, and the slot's next file must not inherit them. */
    if ((slot->limit > 0 || slot->marked) && madvise(slot_presence(slot), SEGMENT_BLOCKS, MADV_REMOVE) != 0)
        memset(slot_presence(slot), BLOCK_ABSENT, SEGMENT_BLOCKS);
    slot->marked = false;
    slot->state = SLOT_FREE;
    slot->path[0] = 0;
    lock(&map->table_lock);
    slot->next = map->free_slots;
    map->free_slots = index;
    map->used_slots--;
    pthread_mutex_unlock(&map->table_lock);
}

uint8_t *slot_presence(const struct slot *slot)
{
    return presence + (size_t)(slot - slots) * SEGMENT_BLOCKS;
}

uint32_t slot_index(const struct slot *slot)
{
    return (uint32_t)(slot - slots);
}

struct slot *slot_at(uint32_t index)
{
    return &slots[index];
}

void mark_raise(uint64_t lsn)
{
    uint64_t seen = __atomic_load_n(&map->mark, __ATOMIC_SEQ_CST);
    while (seen < lsn && !__atomic_compare_exchange_n(&map->mark, &seen, lsn, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
}
