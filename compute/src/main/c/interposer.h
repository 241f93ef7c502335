/*
 * The interposer: a library preloaded into stock Postgres that makes its data directory a cache of a timeline.
 *
 *   start.c      whether a process belongs to a compute; the writer lock
 *   hooks.c      the libc entry points: decide by file class what a call means
 *   directory.c  opendir/readdir over files that are not there yet
 *   files.c      descriptors, lazy placement of files, their names
 *   pages.c      hydration of blocks, journaled writes
 *   scan.c       reads: sequential ones of large files go past the local files
 *   prefetch.c   blocks that Postgres says it will need, fetched many at once
 *   journal.c    entries, stamps, CRC-32C, fsync
 *   map.c        shared memory of the compute: mark, file table, presence map, locks
 *   agent.c      requests to the page service
 *   interrupt.c  cancel and termination of those who wait for it
 *   classify.c   path -> file class
 *   space.c      growth that stops when the branch has used up its space
 *   shared.c     what processes of one user share, and this compute keeps to itself
 *   users.c      a name for the user of a compute, which has none
 *
 * docs/page-protocol.md is the contract with the Java side. Rules that hold everywhere:
 *   - a version is in the journal before the local file has it;
 *   - a page's stamp is the mark read after the caller flushed its WAL, so it is read when the write arrives;
 *   - nothing here returns EINTR, a short count or EIO because the server is away: it waits (design, law 9), until Postgres
 *     cancels the statement or ends the session. A server that cannot answer is not away: that is EIO at once;
 *   - Postgres processes are single-threaded; what they share lives in the map.
 */
#ifndef COPPICE_INTERPOSER_H
#define COPPICE_INTERPOSER_H

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#define BLOCK 8192
#define PATH_LIMIT 512       /* longest path relative to the data directory */
#define SLOT_PATH 44         /* longest paged path, with its zero */
#define SEGMENT_BLOCKS 131072 /* blocks of a 1 GB relation segment */
#define WAL_SEGMENT_BYTES (16u << 20)
#define PUT_LIMIT (32 << 20) /* largest file that is journaled and served whole, in bytes */

/* ---- start.c: libc below us ---- */
struct libc {
    int (*open)(const char *, int, ...);
    int (*close)(int);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pread)(int, void *, size_t, off_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    ssize_t (*preadv)(int, const struct iovec *, int, off_t);
    ssize_t (*pwritev)(int, const struct iovec *, int, off_t);
    int (*ftruncate)(int, off_t);
    int (*posix_fallocate)(int, off_t, off_t);
    int (*posix_fadvise)(int, off_t, off_t, int);
    ssize_t (*copy_file_range)(int, off_t *, int, off_t *, size_t, unsigned);
    int (*fsync)(int);
    int (*fdatasync)(int);
    int (*sync_file_range)(int, off_t, off_t, unsigned);
    int (*syncfs)(int);
    int (*dup)(int);
    int (*dup2)(int, int);
    int (*unlink)(const char *);
    int (*shm_open)(const char *, int, mode_t);
    int (*shm_unlink)(const char *);
    int (*rename)(const char *, const char *);
    int (*symlink)(const char *, const char *);
    int (*mkdir)(const char *, mode_t);
    int (*rmdir)(const char *);
    int (*access)(const char *, int);
    int (*chdir)(const char *);
    FILE *(*fopen)(const char *, const char *);
    int (*fclose)(FILE *);
    DIR *(*opendir)(const char *);
    struct dirent *(*readdir)(DIR *);
    void (*rewinddir)(DIR *);
    long (*telldir)(DIR *);
    void (*seekdir)(DIR *, long);
    int (*dirfd)(DIR *);
    int (*closedir)(DIR *);
};
extern struct libc libc;
void resolve_libc(void);
extern bool active; /* this process belongs to a compute */

/* stat(2) without libc: older and newer glibc export different symbols for it. */
int syscall_stat(const char *path, struct stat *st);
int syscall_lstat(const char *path, struct stat *st);

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- classify.c ---- */
enum file_class {
    OUTSIDE, /* not in the data directory */
    PAGED,   /* relation forks and SLRUs: hydrated and journaled by block */
    WHOLE,   /* small files: placed whole */
    WAL,     /* pg_wal: native */
    LOCAL    /* of no interest to the timeline */
};
void classify_init(const char *data_directory);
void classify_working_directory(void); /* after every chdir */
/* Fills `relative` (PATH_LIMIT bytes) unless OUTSIDE. */
enum file_class classify(const char *path, char *relative);
enum file_class classify_relative(const char *relative);
/* The first LSN of a WAL segment file, or false when the name is none. */
bool wal_segment_start(const char *relative, uint64_t *start);
const char *data_directory(void);

/* ---- map.c ---- */
enum slot_state { SLOT_FREE = 0, SLOT_ABSENT, SLOT_PLACED };
enum presence {
    BLOCK_ABSENT = 0,
    BLOCK_FILLING = 1,
    BLOCK_PRESENT = 2,
    BLOCK_SEEN = 3 /* absent, but it was read once already: the next time it is kept */
};

struct slot {
    uint32_t next;       /* in its bucket's chain, or in the free list; 0 ends it */
    uint32_t generation; /* changes when the slot is given to another file */
    uint32_t limit;      /* blocks below it may still be in the page service only */
    uint8_t state;
    bool marked; /* its presence bytes may be set: the limit was above 0 once */
    uint16_t run;        /* blocks of misses in sequence so far, at most UINT16_MAX; hints, any process may lose a race */
    uint32_t next_block; /* where that sequence goes on */
    char path[SLOT_PATH];
};

struct map {
    char magic[8];
    uint32_t version;
    uint32_t epoch;
    uint64_t mark;     /* WAL write high-water mark: the stamp of what is written now */
    uint64_t appended; /* journal bytes appended in this epoch */
    uint64_t synced;   /* journal bytes known durable */
    uint64_t hydrated;
    uint64_t requests;
    int32_t postmaster; /* pid, 0 before a postmaster ran */
    uint32_t used_slots;
    uint32_t free_slots; /* head of the free list */
    uint32_t fresh_slot; /* first slot never used */
    pthread_mutex_t table_lock;
    pthread_mutex_t stripes[64];
    uint32_t sync_failed; /* the journal could not be made durable once: nothing may be called durable after it */
};
extern struct map *map;

void map_attach(const char *path, uint32_t epoch);
void map_start(uint32_t epoch, uint64_t mark); /* by the process that alone has the lock */
bool map_has_room(void); /* false with errno ENOSPC */
pthread_mutex_t *map_lock(const char *relative);
void map_unlock(pthread_mutex_t *lock);
/* Under the path's lock. */
struct slot *slot_find(const char *relative);
struct slot *slot_insert(const char *relative, enum slot_state state, uint32_t limit); /* NULL with errno: ENFILE, ENOSPC */
void slot_remove(struct slot *slot);
uint8_t *slot_presence(const struct slot *slot);
uint32_t slot_index(const struct slot *slot);
struct slot *slot_at(uint32_t index);
void mark_raise(uint64_t lsn);

/* ---- throttle.c ---- */
/*
 * Written by the server, at a place of its own in the map's header: an older map has zeroes there, which say nothing, so the
 * version stays.
 */
#define THROTTLE_OFFSET (60u << 10)
struct throttle {
    uint64_t until;   /* CLOCK_MONOTONIC, nanoseconds */
    uint32_t page_us; /* microseconds to wait before each page */
    uint32_t full;    /* not 0: tables may not grow */
#define SPACE_REASON 192
    char reason[SPACE_REASON]; /* why; ends with a zero */
};
bool throttle_holds(const struct throttle *said); /* whether it was said a moment ago */
void throttle_wait(uint32_t pages);

/* ---- space.c: false with errno ENOSPC ---- */
bool may_grow(int fd, const char *relative, uint64_t end);
bool may_write_temporary(void);

/* ---- journal.c ---- */
enum entry_type {
    ENTRY_PAGE = 1,
    ENTRY_ZERO = 2,
    ENTRY_TRUNCATE = 3,
    ENTRY_CREATE = 4,
    ENTRY_UNLINK = 5,
    ENTRY_MKDIR = 6,
    ENTRY_RMDIR = 7,
    ENTRY_PUT = 8,
    ENTRY_EXTEND = 10
};
uint32_t crc32c(uint32_t seed, const void *data, size_t length);
void journal_open(const char *path, uint32_t epoch);
/* All return 0, or -1 with errno (ENOSPC, EDQUOT, EIO) and nothing of the entry valid. */
int journal_pages(const char *relative, const struct iovec *iov, int iovcnt, uint64_t offset);
int journal_block(const char *relative, uint64_t offset, const void *data, uint32_t length);
int journal_event(enum entry_type type, const char *relative, uint64_t offset);
int journal_put(const char *relative, const void *data, uint32_t length);
int journal_sync(void);

/* ---- agent.c ---- */
enum agent_kind { KIND_ABSENT = 0, KIND_FILE = 1, KIND_DIRECTORY = 2 };
#define READ_PAGES_LIMIT 128
void agent_init(const char *socket_path, uint32_t epoch);
void exit_when_orphaned(void); /* for whoever waits: nobody is left to serve when the postmaster is gone */
void agent_forked_from(pid_t postmaster); /* by the postmaster, before it forks */
#define FILE_PIECE (1u << 20)
/*
 * All wait for a server that is away. -1 with errno EIO when the page service refuses or hangs up on the question again and again,
 * after a message in the log, and when Postgres wants this process to stop waiting.
 */
int agent_stat(const char *relative, enum agent_kind *kind, uint64_t *size);
/* The same for a change of the timeline that may not be left out because its statement is cancelled: waits on. */
int agent_stat_patiently(const char *relative, enum agent_kind *kind, uint64_t *size);
#define SMALL_FILE_BLOCKS 16
/* As agent_stat, and *count blocks, which are all when the file is small, else none: as of agent_read_pages. */
int agent_open(const char *relative, enum agent_kind *kind, uint64_t *size, uint32_t *count, uint8_t *flags,
               const char **pages);
/*
 * `flags` gets one byte a block, 0 for a block of zeroes; the i-th block is at *pages + i * BLOCK when its flag is not 0.
 * *pages is good until the next request of this process.
 */
int agent_read_pages(const char *relative, uint32_t first, uint32_t count, uint8_t *flags, const char **pages);
/* The same for blocks that do not follow each other. 1 when answered, 0 when they cannot be had together. */
int agent_read_blocks(const char *relative, const uint32_t *blocks, uint32_t count, uint8_t *flags, const char **pages);
/* At most FILE_PIECE bytes from `offset`, a multiple of BLOCK, into `piece`; *size is the whole file's. */
int agent_read_file(const char *relative, uint64_t offset, char *piece, uint32_t *length, enum agent_kind *kind,
                    uint64_t *size);
/* The raw entries {u8 kind, u16 length, name}..., malloc'd, the caller frees it. */
int agent_list(const char *relative, enum agent_kind *kind, uint32_t *count, char **entries, size_t *bytes);

/* ---- interrupt.c ---- */
void interrupt_init(void);
/* Whether Postgres wants the process to stop waiting for what it asks of `relative`; the caller fails with EIO then. */
bool must_give_up(const char *relative);
/* Ends a hook that read; `result` is what it returns. May not return when the reading was given up. */
ssize_t end_of_wait(ssize_t result);

/* ---- files.c ---- */
#define TRACKED_FDS 65536
struct tracked {
    uint8_t class;   /* enum file_class; OUTSIDE = not tracked */
    bool temporary;  /* of a sort or the like; LOCAL */
    bool shared_wal; /* a WAL segment that is an ancestor's too, by hard link: nobody may write it */
    bool capture;    /* a stdio stream for writing: journaled whole when it is closed */
    uint32_t slot;   /* PAGED */
    uint32_t generation;
    uint64_t wal_start; /* WAL segment; UINT64_MAX otherwise */
    char *path;      /* WHOLE */
};
struct tracked *tracked(int fd); /* NULL when it is not */
int track(int fd, enum file_class class, const char *relative);
void untrack(int fd);

/* The descriptor's file was removed, and its slot may be another's now. */
bool is_stale(const struct tracked *t);
uint32_t blocks_of(uint64_t size);

int open_paged(const char *path, const char *relative, int flags, mode_t mode);
int open_whole(const char *path, const char *relative, int flags, mode_t mode);
int place_if_missing(const char *path, const char *relative); /* 1 it is there now, 0 absent, -1 error */
int unlink_paged(const char *path, const char *relative);
int unlink_whole(const char *path, const char *relative);
int rename_to_whole(const char *from, const char *from_relative, enum file_class from_class, const char *to,
                    const char *to_relative);
int put_local_file(const char *path, const char *relative);
/* 1 = exists (size, kind), 0 = absent, -1 = error. */
int lookup(const char *relative, enum file_class class, enum agent_kind *kind, uint64_t *size);

/* ---- pages.c ---- */
bool slot_path(const struct tracked *t, char *path); /* false when the file was removed */
uint8_t block_state(const uint8_t *presence, uint32_t block);
size_t total_length(const struct iovec *iov, int iovcnt);
/* Makes the blocks that [offset, offset+length) touches present in the local file. */
int hydrate(const struct tracked *t, uint64_t offset, size_t length);
/* Claims those of the blocks that are absent, and compacts the list to them. */
uint32_t claim_listed(const struct tracked *t, uint32_t *blocks, uint32_t count);
int write_runs(int fd, const uint32_t *blocks, uint32_t count, const uint8_t *flags, const char *pages);
/* Ends the claims of a fill: with a result of 0 the pages are in the local file and the blocks present. */
int finish_fill(const struct tracked *t, const char *path, const uint32_t *blocks, uint32_t count, int result,
                const uint8_t *flags, const char *pages);
ssize_t write_tracked(int fd, struct tracked *t, const struct iovec *iov, int iovcnt, off_t offset);
int truncate_tracked(int fd, struct tracked *t, off_t length);
int extend_tracked(int fd, struct tracked *t, off_t end);

/* ---- scan.c ---- */
ssize_t read_tracked(int fd, const struct tracked *t, const struct iovec *iov, int iovcnt, off_t offset);
/* Notes a miss, and says how many blocks to fetch from there on. */
uint32_t note_miss(struct slot *slot, uint32_t first, uint32_t last);

/* ---- prefetch.c ---- */
void prefetch_later(const struct tracked *t, uint64_t offset, uint64_t length);
/* Fetches everything that was asked for when the block is among it: true then. */
bool prefetch_now(const struct tracked *t, uint32_t block);

/* ---- directory.c ---- */
bool directory_is_complete(const char *relative);
DIR *directory_open(const char *path, const char *relative);
bool directory_is_ours(DIR *dir);
struct dirent *directory_read(DIR *dir);
long directory_position(DIR *dir);
void directory_go_to(DIR *dir, long position);
int directory_close(DIR *dir);
int directory_place(const char *path, const char *relative);
/* Journals every file below a directory that a rename brought to (appear) or took from its journaled place. */
int directory_renamed(const char *path, const char *from_relative, const char *to_relative, bool from_journaled,
                      bool to_journaled);

#endif
