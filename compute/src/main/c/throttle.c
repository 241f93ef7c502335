/*
 * Slows writers down when more waits to be flushed than may. The server says in the map for how long each page is to wait,
 * and until when that holds: it says so again and again, so when it is away, or has lifted it, nobody waits any more.
 *
 * Called before a write takes any claim or lock of ours. What Postgres holds meanwhile it also holds while a disk is slow.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <errno.h>
#include <time.h>

#define STEP_US 10000u         /* looks so often whether it still holds */
#define LONGEST_US 1000000u    /* of one write, however many pages it has */
#define VALID_NS 10000000000u  /* what is said to hold for longer is no time of this machine's clock */

static uint64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool throttle_holds(const struct throttle *said)
{
    uint64_t until = __atomic_load_n(&said->until, __ATOMIC_RELAXED), now = monotonic();
    return now < until && until - now <= VALID_NS;
}

void throttle_wait(uint32_t pages)
{
    const struct throttle *said = (const struct throttle *)((const char *)map + THROTTLE_OFFSET);
    int reason = errno;
    for (uint64_t waited = 0;;) {
        uint64_t wanted = (uint64_t)__atomic_load_n(&said->page_us, __ATOMIC_RELAXED) * pages;
        if (wanted > LONGEST_US)
            wanted = LONGEST_US;
        if (waited >= wanted)
            break;
        if (!throttle_holds(said))
            break;
        uint64_t step = wanted - waited < STEP_US ? wanted - waited : STEP_US;
        struct timespec pause = {0, (long)(step * 1000)};
        (void)nanosleep(&pause, NULL); /* a signal only makes it shorter */
        waited += step;
    }
    errno = reason;
}
