/*
 * The libc entry points that stock Postgres 14 to 18 uses for its files. Each asks what class the path or descriptor is of
 * and leaves everything else to libc. The names with 64 are what builds with large-file macros import.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define COPY_CHUNK (256 << 10)

/* Other libraries' constructors may call us before ours ran. */
static inline void ready(void)
{
    if (__builtin_expect(libc.closedir == NULL, 0))
        resolve_libc();
}

/* ---- opening and closing ---- */

static int open_classified(const char *path, int flags, mode_t mode)
{
    char relative[PATH_LIMIT];
    enum file_class class = classify(path, relative);
    int fd;
    switch (class) {
    case OUTSIDE:
        return libc.open(path, flags, mode);
    case PAGED:
        return (int)end_of_wait(open_paged(path, relative, flags, mode));
    case WHOLE:
        return open_whole(path, relative, flags, mode);
    default:
        fd = libc.open(path, flags, mode);
        if (fd < 0 || track(fd, class, relative) < 0)
            return -1;
        if (tracked(fd) != NULL)
            tracked(fd)->temporary = strstr(relative, "pgsql_tmp/") != NULL;
        return fd;
    }
}

EXPORT int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    ready();
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return active ? open_classified(path, flags, mode) : libc.open(path, flags, mode);
}

EXPORT int close(int fd)
{
    ready();
    if (active)
        untrack(fd);
    return libc.close(fd);
}

static void copy_tracking(int from, int to)
{
    struct tracked *t = active ? tracked(from) : NULL;
    if (t == NULL || to < 0 || to >= TRACKED_FDS)
        return;
    untrack(to);
    struct tracked *copy = NULL;
    if (track(to, t->class, t->path != NULL ? t->path : "") >= 0)
        copy = tracked(to);
    if (copy != NULL) {
        char *path = copy->path;
        *copy = *t;
        copy->path = path;
    }
}

EXPORT int dup(int fd)
{
    ready();
    int copy = libc.dup(fd);
    copy_tracking(fd, copy);
    return copy;
}

EXPORT int dup2(int fd, int target)
{
    ready();
    int copy = libc.dup2(fd, target);
    if (active && fd != target && copy >= 0) { /* else the target is open as it was */
        untrack(target);
        copy_tracking(fd, copy);
    }
    return copy;
}

EXPORT FILE *fopen(const char *path, const char *mode)
{
    char relative[PATH_LIMIT];
    ready();
    enum file_class class = active ? classify(path, relative) : OUTSIDE;
    bool writes = strpbrk(mode, "wa+") != NULL;
    if (class == WHOLE && *mode != 'w' && place_if_missing(path, relative) < 0)
        return NULL;
    if (class == PAGED) { /* stdio reads behind our back, and no Postgres does this */
        errno = EOPNOTSUPP;
        return NULL;
    }
    FILE *file = libc.fopen(path, mode);
    if (file == NULL || class == OUTSIDE)
        return file;
    int fd = fileno(file);
    if (track(fd, class, relative) < 0) { /* which closed the descriptor below the stream */
        int reason = errno;
        libc.fclose(file);
        errno = reason;
        return NULL;
    }
    tracked(fd)->capture = writes && class == WHOLE;
    return file;
}

EXPORT int fclose(FILE *file)
{
    ready();
    struct tracked *t = active ? tracked(fileno(file)) : NULL;
    int captured = 0;
    if (t != NULL && t->capture) {
        char path[PATH_LIMIT * 2];
        snprintf(path, sizeof path, "%s/%s", data_directory(), t->path);
        captured = fflush(file) == 0 ? put_local_file(path, t->path) : -1;
    }
    int reason = errno;
    if (t != NULL)
        untrack(fileno(file));
    int result = libc.fclose(file);
    if (captured != 0) {
        errno = reason;
        return EOF;
    }
    return result;
}

/* ---- reading ---- */

static bool must_hydrate(struct tracked *t)
{
    return t != NULL && t->class == PAGED;
}

EXPORT ssize_t pread(int fd, void *buffer, size_t length, off_t offset)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    if (must_hydrate(t)) {
        struct iovec iov = {buffer, length};
        return end_of_wait(read_tracked(fd, t, &iov, 1, offset));
    }
    return libc.pread(fd, buffer, length, offset);
}

EXPORT ssize_t preadv(int fd, const struct iovec *iov, int iovcnt, off_t offset)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    return must_hydrate(t) ? end_of_wait(read_tracked(fd, t, iov, iovcnt, offset))
                           : libc.preadv(fd, iov, iovcnt, offset);
}

/* Recovery, bitmap scans and read streams say what they will read soon. */
EXPORT int posix_fadvise(int fd, off_t offset, off_t length, int advice)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    if (must_hydrate(t) && advice == POSIX_FADV_WILLNEED && offset >= 0 && length > 0)
        prefetch_later(t, (uint64_t)offset, (uint64_t)length);
    return libc.posix_fadvise(fd, offset, length, advice);
}

EXPORT ssize_t read(int fd, void *buffer, size_t length)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    if (must_hydrate(t) && hydrate(t, (uint64_t)lseek(fd, 0, SEEK_CUR), length) != 0)
        return end_of_wait(-1);
    return libc.read(fd, buffer, length);
}

/* What a fortified build calls where the buffer's size is known. */
EXPORT ssize_t __read_chk(int fd, void *buffer, size_t length, size_t room);
EXPORT ssize_t __pread_chk(int fd, void *buffer, size_t length, off_t offset, size_t room);

ssize_t __read_chk(int fd, void *buffer, size_t length, size_t room)
{
    if (length > room)
        abort();
    return read(fd, buffer, length);
}

ssize_t __pread_chk(int fd, void *buffer, size_t length, off_t offset, size_t room)
{
    if (length > room)
        abort();
    return pread(fd, buffer, length, offset);
}

/* ---- writing ---- */

static bool is_journaled(const struct tracked *t)
{
    return t != NULL && (t->class == PAGED || t->class == WHOLE) && !t->capture;
}

/*
 * A branch's older segments are hard links to its ancestor's. Only a recovery that ended too early would write into one, and
 * then the ancestor's history would be lost with it.
 */
static bool refuse_write(const struct tracked *t)
{
    if (t != NULL && t->temporary && !may_write_temporary())
        return true;
    if (t == NULL || !t->shared_wal)
        return false;
    complain("refused to write into a WAL segment that belongs to an ancestor");
    errno = EIO;
    return true;
}

/* After the bytes are written, so the mark never claims WAL that is not there. */
static ssize_t note_wal(const struct tracked *t, ssize_t written, off_t offset)
{
    if (t != NULL && t->class == WAL && t->wal_start != UINT64_MAX && written > 0)
        mark_raise(t->wal_start + (uint64_t)offset + (uint64_t)written);
    return written;
}

EXPORT ssize_t pwritev(int fd, const struct iovec *iov, int iovcnt, off_t offset)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    if (is_journaled(t))
        return write_tracked(fd, t, iov, iovcnt, offset);
    if (refuse_write(t))
        return -1;
    return note_wal(t, libc.pwritev(fd, iov, iovcnt, offset), offset);
}

EXPORT ssize_t pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    if (is_journaled(t)) {
        struct iovec iov = {(void *)buffer, length};
        return write_tracked(fd, t, &iov, 1, offset);
    }
    if (refuse_write(t))
        return -1;
    return note_wal(t, libc.pwrite(fd, buffer, length, offset), offset);
}

EXPORT ssize_t write(int fd, const void *buffer, size_t length)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    if (t == NULL || (!is_journaled(t) && t->class != WAL))
        return libc.write(fd, buffer, length);
    if (refuse_write(t))
        return -1;
    off_t offset = lseek(fd, 0, (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
    if (t->class == WAL)
        return note_wal(t, libc.write(fd, buffer, length), offset);
    struct iovec iov = {(void *)buffer, length};
    ssize_t n = is_journaled(t) ? write_tracked(fd, t, &iov, 1, offset) : libc.write(fd, buffer, length);
    if (n > 0 && is_journaled(t))
        lseek(fd, offset + n, SEEK_SET);
    return n;
}

EXPORT int ftruncate(int fd, off_t length)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    return is_journaled(t) ? truncate_tracked(fd, t, length) : libc.ftruncate(fd, length);
}

EXPORT int truncate(const char *path, off_t length)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = ftruncate(fd, length);
    int reason = errno;
    close(fd);
    errno = reason;
    return result;
}

EXPORT int posix_fallocate(int fd, off_t offset, off_t length)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    return is_journaled(t) ? extend_tracked(fd, t, offset + length) : libc.posix_fallocate(fd, offset, length);
}

EXPORT ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t length, unsigned flags)
{
    ready();
    if (!active || (!must_hydrate(tracked(from)) && !is_journaled(tracked(to))))
        return libc.copy_file_range(from, from_offset, to, to_offset, length, flags);
    char *buffer = malloc(COPY_CHUNK);
    if (buffer == NULL)
        return -1;
    size_t chunk = length < COPY_CHUNK ? length : COPY_CHUNK;
    ssize_t n = from_offset != NULL ? pread(from, buffer, chunk, *from_offset) : read(from, buffer, chunk);
    if (n > 0) {
        ssize_t written = to_offset != NULL ? pwrite(to, buffer, (size_t)n, *to_offset) : write(to, buffer, (size_t)n);
        if (written != n)
            n = -1;
    }
    if (n > 0 && from_offset != NULL)
        *from_offset += n;
    if (n > 0 && to_offset != NULL)
        *to_offset += n;
    int reason = errno;
    free(buffer);
    errno = reason;
    return n;
}

/* ---- durability: the local files are a cache, the journal is what must last ---- */

EXPORT int fsync(int fd)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    return t == NULL || t->class == WAL ? libc.fsync(fd) : journal_sync();
}

EXPORT int fdatasync(int fd)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    return t == NULL || t->class == WAL ? libc.fdatasync(fd) : journal_sync();
}

EXPORT int sync_file_range(int fd, off_t offset, off_t length, unsigned flags)
{
    ready();
    struct tracked *t = active ? tracked(fd) : NULL;
    return t == NULL || t->class == WAL ? libc.sync_file_range(fd, offset, length, flags) : 0;
}

/* Recovery asks for it once; the WAL below the redo position was synced before the compute was started. */
EXPORT int syncfs(int fd)
{
    ready();
    return active && tracked(fd) != NULL ? journal_sync() : libc.syncfs(fd);
}

/* ---- names ---- */

EXPORT int unlink(const char *path)
{
    char relative[PATH_LIMIT];
    uint64_t start;
    ready();
    switch (active ? classify(path, relative) : OUTSIDE) {
    case PAGED:
        return unlink_paged(path, relative);
    case WHOLE:
        return unlink_whole(path, relative);
    case WAL:
        if (wal_segment_start(relative, &start)) { /* history must survive: it moves to the archive */
            char archived[PATH_LIMIT * 2];
            snprintf(archived, sizeof archived, "%s/%s", getenv("COPPICE_WAL_ARCHIVE"), strrchr(relative, '/') + 1);
            return libc.rename(path, archived);
        }
        return libc.unlink(path);
    default:
        return libc.unlink(path);
    }
}

static int rename_directory(const char *from, const char *from_relative, const char *to, const char *to_relative)
{
    bool from_journaled = classify_relative(from_relative) == WHOLE, to_journaled = classify_relative(to_relative) == WHOLE;
    if (from_journaled && directory_place(from, from_relative) != 0)
        return -1;
    if (libc.rename(from, to) != 0)
        return -1;
    return directory_renamed(to, from_relative, to_relative, from_journaled, to_journaled);
}

EXPORT int rename(const char *from, const char *to)
{
    char from_relative[PATH_LIMIT], to_relative[PATH_LIMIT];
    struct stat st;
    ready();
    enum file_class from_class = active ? classify(from, from_relative) : OUTSIDE;
    enum file_class to_class = active ? classify(to, to_relative) : OUTSIDE;
    if (from_class == OUTSIDE || to_class == OUTSIDE || from_class == WAL || to_class == WAL)
        return libc.rename(from, to);
    if (from_class == PAGED || to_class == PAGED) { /* no Postgres renames a relation; guessing would lose pages */
        complain("rename of %s to %s is not supported", from_relative, to_relative);
        errno = EOPNOTSUPP;
        return -1;
    }
    if (syscall_lstat(from, &st) == 0 && S_ISDIR(st.st_mode))
        return rename_directory(from, from_relative, to, to_relative);
    if (to_class == WHOLE)
        return rename_to_whole(from, from_relative, from_class, to, to_relative);
    if (from_class == WHOLE) {
        if (place_if_missing(from, from_relative) < 0)
            return -1;
        if (libc.rename(from, to) != 0)
            return -1;
        return journal_event(ENTRY_UNLINK, from_relative, 0);
    }
    return libc.rename(from, to);
}

static bool is_tablespace(const char *path, char *relative)
{
    if (classify(path, relative) == OUTSIDE || strncmp(relative, "pg_tblspc/", 10) != 0)
        return false;
    complain("tablespaces are not supported: a branch's data lives in the page service");
    errno = EOPNOTSUPP;
    return true;
}

/*
 * POSIX shared memory, in a directory that is this compute's alone (COPPICE_MEMORY): the one of the C library is everybody's. "/name" as
 * shm_open(3) has it.
 */
static bool own_memory(const char *name, char *path)
{
    const char *directory = getenv("COPPICE_MEMORY");
    if (!active || directory == NULL || name[0] != '/' || name[1] == 0 || strchr(name + 1, '/') != NULL)
        return false;
    return snprintf(path, PATH_LIMIT, "%s%s", directory, name) < PATH_LIMIT;
}

EXPORT int shm_open(const char *name, int flags, mode_t mode)
{
    char path[PATH_LIMIT];
    ready();
    return own_memory(name, path) ? libc.open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode)
                                  : libc.shm_open(name, flags, mode);
}

EXPORT int shm_unlink(const char *name)
{
    char path[PATH_LIMIT];
    ready();
    return own_memory(name, path) ? libc.unlink(path) : libc.shm_unlink(name);
}

EXPORT int symlink(const char *target, const char *path)
{
    char relative[PATH_LIMIT];
    ready();
    return active && is_tablespace(path, relative) ? -1 : libc.symlink(target, path);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    char relative[PATH_LIMIT];
    ready();
    if (!active)
        return libc.mkdir(path, mode);
    if (is_tablespace(path, relative))
        return -1;
    enum file_class class = classify(path, relative);
    int result = libc.mkdir(path, mode);
    if (result == 0 && class == WHOLE && journal_event(ENTRY_MKDIR, relative, 0) != 0) {
        int reason = errno;
        libc.rmdir(path);
        errno = reason;
        return -1;
    }
    return result;
}

EXPORT int rmdir(const char *path)
{
    char relative[PATH_LIMIT];
    ready();
    enum file_class class = active ? classify(path, relative) : OUTSIDE;
    int result = libc.rmdir(path);
    return result == 0 && class == WHOLE ? journal_event(ENTRY_RMDIR, relative, 0) : result;
}

EXPORT int chdir(const char *path)
{
    ready();
    int result = libc.chdir(path);
    if (active && result == 0)
        classify_working_directory();
    return result;
}

/* ---- looking ---- */

/* A file that is in the page service only: what stat(2) would say once it was placed. -1 with errno ENOENT otherwise. */
static int remote_stat(const char *path, struct stat *st)
{
    char relative[PATH_LIMIT];
    enum agent_kind kind;
    uint64_t size;
    int reason = errno;
    enum file_class class = active ? classify(path, relative) : OUTSIDE;
    if (reason != ENOENT || (class != PAGED && class != WHOLE)) {
        errno = reason;
        return -1;
    }
    int found = lookup(relative, class, &kind, &size);
    if (found <= 0) {
        if (found == 0)
            errno = ENOENT;
        return -1;
    }
    if (syscall_stat(data_directory(), st) != 0)
        return -1;
    st->st_mode = kind == KIND_DIRECTORY ? S_IFDIR | 0700 : S_IFREG | 0600;
    st->st_nlink = 1;
    st->st_size = (off_t)size;
    st->st_blocks = (blkcnt_t)((size + 511) / 512);
    return 0;
}

EXPORT int stat(const char *restrict path, struct stat *restrict st)
{
    ready();
    return syscall_stat(path, st) == 0 ? 0 : remote_stat(path, st);
}

EXPORT int lstat(const char *restrict path, struct stat *restrict st)
{
    ready();
    return syscall_lstat(path, st) == 0 ? 0 : remote_stat(path, st);
}

EXPORT int __xstat(int version, const char *path, struct stat *st);
EXPORT int __lxstat(int version, const char *path, struct stat *st);

int __xstat(int version, const char *path, struct stat *st)
{
    (void)version; /* binaries built before glibc 2.33 call stat by this name */
    return stat(path, st);
}

int __lxstat(int version, const char *path, struct stat *st)
{
    (void)version;
    return lstat(path, st);
}

EXPORT int access(const char *path, int mode)
{
    struct stat st;
    ready();
    int result = libc.access(path, mode);
    return result == 0 || !active || (mode & X_OK) != 0 ? result : remote_stat(path, &st);
}

EXPORT DIR *opendir(const char *path)
{
    char relative[PATH_LIMIT];
    ready();
    enum file_class class = active ? classify(path, relative) : OUTSIDE;
    if ((class == WHOLE && !directory_is_complete(relative)) || (class == LOCAL && *relative == 0))
        return directory_open(path, relative);
    return libc.opendir(path);
}

EXPORT struct dirent *readdir(DIR *dir)
{
    ready();
    return active && directory_is_ours(dir) ? directory_read(dir) : libc.readdir(dir);
}

EXPORT int closedir(DIR *dir)
{
    ready();
    return active && directory_is_ours(dir) ? directory_close(dir) : libc.closedir(dir);
}

/* Postgres has no use for these, but an extension may: libc's own would read a listing of ours as a DIR of theirs. */
EXPORT void rewinddir(DIR *dir)
{
    ready();
    if (active && directory_is_ours(dir))
        directory_go_to(dir, 0);
    else
        libc.rewinddir(dir);
}

EXPORT long telldir(DIR *dir)
{
    ready();
    return active && directory_is_ours(dir) ? directory_position(dir) : libc.telldir(dir);
}

EXPORT void seekdir(DIR *dir, long position)
{
    ready();
    if (active && directory_is_ours(dir))
        directory_go_to(dir, position);
    else
        libc.seekdir(dir, position);
}

EXPORT int dirfd(DIR *dir)
{
    ready();
    if (!active || !directory_is_ours(dir))
        return libc.dirfd(dir);
    errno = ENOTSUP; /* a listing has no descriptor */
    return -1;
}

/* ---- the large-file names: on 64-bit Linux the same functions ---- */
#define ALIAS(name, of) EXPORT extern __typeof__(of) name __attribute__((alias(#of)))
ALIAS(pread64, pread);
ALIAS(__pread64_chk, __pread_chk);
ALIAS(pwrite64, pwrite);
ALIAS(preadv64, preadv);
ALIAS(pwritev64, pwritev);
ALIAS(ftruncate64, ftruncate);
ALIAS(truncate64, truncate);
ALIAS(posix_fallocate64, posix_fallocate);
ALIAS(posix_fadvise64, posix_fadvise);
ALIAS(fopen64, fopen);
ALIAS(open64, open);
EXPORT int stat64(const char *restrict path, struct stat64 *restrict st)
{
    return stat(path, (struct stat *)st);
}
EXPORT int lstat64(const char *restrict path, struct stat64 *restrict st)
{
    return lstat(path, (struct stat *)st);
}
EXPORT int __xstat64(int version, const char *path, struct stat64 *st);
EXPORT int __lxstat64(int version, const char *path, struct stat64 *st);
int __xstat64(int version, const char *path, struct stat64 *st)
{
    return __xstat(version, path, (struct stat *)st);
}
int __lxstat64(int version, const char *path, struct stat64 *st)
{
    return __lxstat(version, path, (struct stat *)st);
}
EXPORT struct dirent64 *readdir64(DIR *dir)
{
    return (struct dirent64 *)readdir(dir);
}
