/*
 * The library's start in a process: which libc functions lie below ours, whether this process belongs to a compute, and if it
 * is its first, the lock that keeps other computes away.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct libc libc;
bool active;

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("coppice: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("coppice: FATAL: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _exit(1);
}

int syscall_stat(const char *path, struct stat *st)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, 0);
}

int syscall_lstat(const char *path, struct stat *st)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

void resolve_libc(void)
{
#define RESOLVE(name) libc.name = (__typeof__(libc.name))dlsym(RTLD_NEXT, #name)
    RESOLVE(open), RESOLVE(close), RESOLVE(read), RESOLVE(write), RESOLVE(pread), RESOLVE(pwrite), RESOLVE(preadv);
    RESOLVE(pwritev), RESOLVE(ftruncate), RESOLVE(posix_fallocate), RESOLVE(posix_fadvise), RESOLVE(copy_file_range), RESOLVE(fsync);
    RESOLVE(fdatasync), RESOLVE(sync_file_range), RESOLVE(syncfs), RESOLVE(dup), RESOLVE(dup2), RESOLVE(unlink);
    RESOLVE(rename), RESOLVE(symlink), RESOLVE(mkdir), RESOLVE(rmdir), RESOLVE(access), RESOLVE(chdir), RESOLVE(fopen);
    RESOLVE(fclose), RESOLVE(opendir), RESOLVE(readdir), RESOLVE(rewinddir), RESOLVE(telldir), RESOLVE(seekdir);
    RESOLVE(dirfd), RESOLVE(closedir), RESOLVE(shm_open), RESOLVE(shm_unlink);
#undef RESOLVE
}

static void take_writer_lock(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = libc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* stays open: the children inherit the lock */
    if (fd < 0)
        die("cannot open the writer lock %s: %s", path, strerror(errno));
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0)
        die("another compute is still writing this timeline (%s is locked)", path);
}

__attribute__((constructor)) static void start(void)
{
    const char *program = program_invocation_short_name;
    const char *data = getenv("COPPICE_DATA"), *journal = getenv("COPPICE_JOURNAL"), *epoch = getenv("COPPICE_EPOCH"),
               *mark = getenv("COPPICE_MARK"), *agent = getenv("COPPICE_AGENT"), *lock = getenv("COPPICE_LOCK"),
               *map_path = getenv("COPPICE_MAP"), *archive = getenv("COPPICE_WAL_ARCHIVE");
    resolve_libc();
    if (data == NULL || journal == NULL || epoch == NULL || mark == NULL || agent == NULL || lock == NULL ||
        map_path == NULL || archive == NULL)
        return;
    bool is_postgres = strcmp(program, "postgres") == 0;
    if (!is_postgres && strcmp(program, "initdb") != 0 && strcmp(program, "pg_ctl") != 0)
        return;
    uint32_t number = (uint32_t)strtoul(epoch, NULL, 10);
    if (is_postgres) {
        (void)setsid(); /* what the server's terminal is told is none of a compute's business; fails for a group's leader */
        take_writer_lock(lock);
    }
    classify_init(data);
    map_attach(map_path, number);
    if (is_postgres)
        map_start(number, strtoull(mark, NULL, 16));
    journal_open(journal, number);
    agent_init(agent, number);
    agent_forked_from(is_postgres ? getpid() : 0);
    interrupt_init();
    active = true;
}
