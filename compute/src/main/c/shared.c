/*
 * What the sandbox refuses because it reaches others of the same user, and Postgres cannot do without.
 *
 * Shared memory of System V: Postgres keeps a small segment by which a second postmaster notices the first. Here the writer lock does
 * that, so the segment is this compute's own memory, which its children inherit, and nobody else can attach.
 *
 * chmod(2) by path, of files that can be opened, and of Postgres's own socket.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define SEGMENTS 16

static struct segment {
    key_t key;
    size_t size;
    void *at; /* NULL = none */
    int attached;
    bool removed;
} segments[SEGMENTS];

static struct segment *segment_of(int id)
{
    struct segment *segment = id >= 0 && id < SEGMENTS ? &segments[id] : NULL;
    if (segment != NULL && segment->at != NULL && !segment->removed)
        return segment;
    errno = EINVAL;
    return NULL;
}

static void forget(struct segment *segment)
{
    munmap(segment->at, segment->size);
    *segment = (struct segment){0};
}

static int make_segment(key_t key, size_t size)
{
    for (int id = 0; id < SEGMENTS; id++) {
        if (segments[id].at != NULL)
            continue;
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            return -1;
        segments[id] = (struct segment){.key = key, .size = size, .at = at};
        return id;
    }
    errno = ENOSPC;
    return -1;
}

EXPORT int shmget(key_t key, size_t size, int flags)
{
    static int (*below)(key_t, size_t, int);
    if (!active) {
        if (below == NULL)
            below = (__typeof__(below))dlsym(RTLD_NEXT, "shmget");
        return below(key, size, flags);
    }
    for (int id = 0; key != IPC_PRIVATE && id < SEGMENTS; id++) {
        if (segments[id].at == NULL || segments[id].removed || segments[id].key != key)
            continue;
        if ((flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0) {
            errno = EEXIST;
            return -1;
        }
        return id;
    }
    if (key != IPC_PRIVATE && (flags & IPC_CREAT) == 0) {
        errno = ENOENT;
        return -1;
    }
    return make_segment(key, size);
}

EXPORT void *shmat(int id, const void *wanted, int flags)
{
    static void *(*below)(int, const void *, int);
    if (!active) {
        if (below == NULL)
            below = (__typeof__(below))dlsym(RTLD_NEXT, "shmat");
        return below(id, wanted, flags);
    }
    struct segment *segment = segment_of(id);
    if (segment == NULL)
        return (void *)-1;
    segment->attached++;
    return segment->at;
}

EXPORT int shmdt(const void *at)
{
    static int (*below)(const void *);
    if (!active) {
        if (below == NULL)
            below = (__typeof__(below))dlsym(RTLD_NEXT, "shmdt");
        return below(at);
    }
    for (int id = 0; id < SEGMENTS; id++) {
        if (segments[id].at == NULL || segments[id].at != at)
            continue;
        segments[id].attached--;
        if (segments[id].removed && segments[id].attached <= 0)
            forget(&segments[id]);
        return 0;
    }
    errno = EINVAL;
    return -1;
}

EXPORT int shmctl(int id, int command, struct shmid_ds *data)
{
    static int (*below)(int, int, struct shmid_ds *);
    if (!active) {
        if (below == NULL)
            below = (__typeof__(below))dlsym(RTLD_NEXT, "shmctl");
        return below(id, command, data);
    }
    struct segment *segment = segment_of(id);
    if (segment == NULL)
        return -1;
    switch (command) {
    case IPC_RMID:
        segment->removed = true;
        if (segment->attached <= 0)
            forget(segment);
        return 0;
    case IPC_STAT:
        *data = (struct shmid_ds){.shm_segsz = segment->size,
                                  .shm_nattch = (shmatt_t)(segment->attached > 0 ? segment->attached : 0)};
        return 0;
    default:
        errno = EINVAL;
        return -1;
    }
}

/* Where the sandbox lets nobody name what he changes, it must be opened first, and Landlock decides about that. */
EXPORT int chmod(const char *path, mode_t mode)
{
    static int (*below)(const char *, mode_t);
    if (below == NULL)
        below = (__typeof__(below))dlsym(RTLD_NEXT, "chmod");
    int result = below(path, mode);
    if (result == 0 || errno != EPERM || !active)
        return result;
    struct stat found;
    if (syscall_lstat(path, &found) == 0 && S_ISSOCK(found.st_mode) && found.st_uid == geteuid())
        return 0; /* it cannot be opened; the directory around it lets nobody else in */
    int fd = libc.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        result = fchmod(fd, mode);
        libc.close(fd);
    }
    if (result != 0)
        errno = EPERM;
    return result;
}
