/*
 * Stops tables from growing when the branch has used up what it may take of the disk, or the disk is nearly full. The server
 * says so in the map, as it says how long writers wait (throttle.c); native code that does not ask is the server's to end.
 *
 * Refused is what makes a table or an index longer, and writes of temporary files: ENOSPC, which Postgres reports as 53100. Everything
 * else goes on, so that rows can be deleted, tables dropped and truncated, and checkpoints end.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define EXPORT __attribute__((visibility("default")))

/* Why growth was refused last; empty when it was not, or is allowed again. For strerror_r. */
static char refused[SPACE_REASON];

static bool is_full(void)
{
    const struct throttle *said = (const struct throttle *)((const char *)map + THROTTLE_OFFSET);
    if (__atomic_load_n(&said->full, __ATOMIC_RELAXED) == 0 || !throttle_holds(said)) {
        refused[0] = 0;
        return false;
    }
    memcpy(refused, said->reason, sizeof refused);
    refused[sizeof refused - 1] = 0;
    return true;
}

/* base/5/16384 or global/1260, with or without a number of its segment; not _fsm, _vm and _init, which DELETE and VACUUM write. */
static bool is_table(const char *relative)
{
    if (strncmp(relative, "base/", 5) != 0 && strncmp(relative, "global/", 7) != 0)
        return false;
    const char *name = strrchr(relative, '/') + 1;
    return *name >= '0' && *name <= '9' && name[strspn(name, "0123456789.")] == 0;
}

bool may_grow(int fd, const char *relative, uint64_t end)
{
    struct stat st;
    if (!is_full() || !is_table(relative) || fstat(fd, &st) != 0 || end <= (uint64_t)st.st_size)
        return true;
    errno = ENOSPC;
    return false;
}

bool may_write_temporary(void)
{
    if (!is_full())
        return true;
    errno = ENOSPC;
    return false;
}

/* So that the message names the limit, and not a disk that is empty. */
EXPORT char *strerror_r(int error, char *buffer, size_t size)
{
    static char *(*below)(int, char *, size_t);
    if (error == ENOSPC && active && refused[0] != 0 && size > 0) {
        strncpy(buffer, refused, size - 1);
        buffer[size - 1] = 0;
        return buffer;
    }
    if (below == NULL)
        below = (__typeof__(below))dlsym(RTLD_NEXT, "strerror_r");
    return below(error, buffer, size);
}
