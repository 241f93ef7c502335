/*
 * What Postgres says it will read soon (posix_fadvise), fetched together at the first read that misses one of them. The
 * startup process names the blocks of the records it is about to replay; they lie anywhere in a table, and a request for
 * each would make recovery wait for the socket most of the time.
 *
 * A hint may be lost at any time: the queue is the process's own, and nothing depends on it.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <stdlib.h>

#define QUEUE 512

struct wanted {
    uint32_t slot;
    uint32_t generation;
    uint32_t block;
};

static struct wanted queue[QUEUE];
static uint32_t queued;

static int compare(const void *a, const void *b)
{
    const struct wanted *left = a, *right = b;
    if (left->slot != right->slot)
        return left->slot < right->slot ? -1 : 1;
    if (left->generation != right->generation)
        return left->generation < right->generation ? -1 : 1;
    return left->block < right->block ? -1 : left->block > right->block;
}

/* Fetches the blocks, ascending and each once, of one file. */
static void fetch(const struct wanted *wanted, uint32_t count)
{
    struct tracked t = {.class = PAGED, .slot = wanted->slot, .generation = wanted->generation};
    uint32_t blocks[READ_PAGES_LIMIT];
    uint8_t flags[READ_PAGES_LIMIT];
    const char *pages = NULL;
    char path[SLOT_PATH];
    if (!slot_path(&t, path))
        return;
    for (uint32_t i = 0; i < count; i++)
        blocks[i] = wanted[i].block;
    uint32_t claimed = claim_listed(&t, blocks, count);
    if (claimed == 0)
        return;
    int answered = agent_read_blocks(path, blocks, claimed, flags, &pages);
    /* On failure the claims go back, and whoever reads a block asks for it again and learns why. */
    (void)!finish_fill(&t, path, blocks, claimed, answered == 1 ? 0 : -1, flags, pages);
}

static void fetch_all(void)
{
    uint32_t total = 0;
    qsort(queue, queued, sizeof *queue, compare);
    for (uint32_t i = 0; i < queued; i++)
        if (total == 0 || compare(&queue[total - 1], &queue[i]) != 0)
            queue[total++] = queue[i];
    queued = 0;
    for (uint32_t first = 0; first < total;) {
        uint32_t count = 1;
        while (first + count < total && count < READ_PAGES_LIMIT && queue[first + count].slot == queue[first].slot &&
               queue[first + count].generation == queue[first].generation)
            count++;
        fetch(&queue[first], count);
        first += count;
    }
}

void prefetch_later(const struct tracked *t, uint64_t offset, uint64_t length)
{
    const struct slot *slot = slot_at(t->slot);
    const uint8_t *presence = slot_presence(slot);
    uint32_t limit = __atomic_load_n(&slot->limit, __ATOMIC_SEQ_CST);
    for (uint64_t block = offset / BLOCK; block <= (offset + length - 1) / BLOCK && block < limit; block++) {
        uint8_t state = block_state(presence, (uint32_t)block);
        if (state != BLOCK_ABSENT && state != BLOCK_SEEN)
            continue;
        if (queued == QUEUE && map_has_room())
            fetch_all();
        if (queued < QUEUE)
            queue[queued++] = (struct wanted){t->slot, t->generation, (uint32_t)block};
    }
}

bool prefetch_now(const struct tracked *t, uint32_t block)
{
    for (uint32_t i = 0; i < queued; i++) {
        if (queue[i].slot == t->slot && queue[i].generation == t->generation && queue[i].block == block) {
            fetch_all();
            return true;
        }
    }
    return false;
}
