/*
 * The journal: entries appended with O_APPEND writev, so all processes share one order. See docs/page-protocol.md,
 * section 3, for the bytes.
 *
 * A killed process may leave a torn entry; its CRC tells. What writev did not take whole (a full disk) is reported as a
 * failure, and the torn piece is skipped by readers.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ENTRY_HEADER 48
#define SEGMENT_HEADER 64
#define RUN_BLOCKS 64 /* blocks per writev: two vectors each stay far below IOV_MAX */

struct entry_header {
    char magic[4];
    uint32_t header_crc;
    uint8_t type;
    uint8_t zero;
    uint16_t path_length;
    uint32_t data_length;
    uint64_t stamp;
    uint64_t offset;
    uint64_t length;
    uint32_t epoch;
    uint32_t data_crc;
};
_Static_assert(sizeof(struct entry_header) == ENTRY_HEADER, "the format has no padding");

struct entry {
    struct entry_header header;
    char path[PATH_LIMIT];
};

static int journal = -1;
static char journal_path[4096];
static int sync_descriptor = -1;
static pid_t sync_owner;

/* ---- CRC-32C, the processor's own instruction where it has one ---- */

static uint32_t crc_table[256];

static uint32_t crc32c_table(uint32_t crc, const uint8_t *p, size_t n)
{
    while (n-- > 0)
        crc = crc_table[(crc ^ *p++) & 0xff] ^ (crc >> 8);
    return crc;
}

static void crc_table_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0x82f63b78u ^ (c >> 1) : c >> 1;
        crc_table[i] = c;
    }
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t wide = crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; n > 0; n--)
        crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}

static bool have_crc_hardware(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__)
#include <sys/auxv.h>
/* By name, because compilers know the instruction only when they are told that every processor has it. */
static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
    }
    for (; n > 0; n--)
        __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)*p++));
    return crc;
}

static bool have_crc_hardware(void)
{
    return (getauxval(AT_HWCAP) & (1UL << 7)) != 0; /* HWCAP_CRC32 */
}
#else
static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t n)
{
    return crc32c_table(crc, p, n);
}

static bool have_crc_hardware(void)
{
    return false;
}
#endif

uint32_t crc32c(uint32_t seed, const void *data, size_t length)
{
    static int hardware = -1;
    if (hardware < 0) {
        crc_table_init();
        hardware = have_crc_hardware();
    }
    uint32_t crc = ~seed;
    crc = hardware ? crc32c_hardware(crc, data, length) : crc32c_table(crc, data, length);
    return ~crc;
}

/* ---- appending ---- */

void journal_open(const char *path, uint32_t epoch)
{
    char header[SEGMENT_HEADER];
    uint32_t header_epoch;
    journal = libc.open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (journal < 0)
        die("cannot open the journal %s: %s", path, strerror(errno));
    if (strlen(path) >= sizeof journal_path)
        die("the path of the journal is too long: %s", path);
    strcpy(journal_path, path);
    if (libc.pread(journal, header, sizeof header, 0) != (ssize_t)sizeof header || memcmp(header, "COPPICEJ", 8) != 0)
        die("%s is not a journal segment", path);
    memcpy(&header_epoch, header + 12, 4);
    if (header_epoch != epoch)
        die("the journal %s is of epoch %u, this compute of epoch %u", path, header_epoch, epoch);
}

static size_t make_header(struct entry *entry, enum entry_type type, const char *relative, uint64_t offset,
                          uint64_t length, const void *data, size_t data_length)
{
    size_t path_length = strlen(relative);
    entry->header = (struct entry_header){
        .magic = {'C', 'P', 'J', '1'},
        .type = (uint8_t)type,
        .path_length = (uint16_t)path_length,
        .data_length = (uint32_t)data_length,
        .stamp = __atomic_load_n(&map->mark, __ATOMIC_SEQ_CST),
        .offset = offset,
        .length = length,
        .epoch = map->epoch,
        .data_crc = data_length > 0 ? crc32c(0, data, data_length) : 0,
    };
    memcpy(entry->path, relative, path_length);
    entry->header.header_crc = crc32c(0, &entry->header.type, ENTRY_HEADER - 8 + path_length);
    return ENTRY_HEADER + path_length;
}

static int append(struct iovec *iov, int iovcnt)
{
    size_t total = 0;
    for (int i = 0; i < iovcnt; i++)
        total += iov[i].iov_len;
    ssize_t done;
    do
        done = writev(journal, iov, iovcnt);
    while (done < 0 && errno == EINTR);
    if (done > 0)
        __atomic_add_fetch(&map->appended, (uint64_t)done, __ATOMIC_SEQ_CST);
    if (done == (ssize_t)total)
        return 0;
    if (done >= 0)
        errno = ENOSPC; /* a short append: the disk filled up in the middle of an entry */
    return -1;
}

int journal_event(enum entry_type type, const char *relative, uint64_t offset)
{
    struct entry entry;
    struct iovec iov = {&entry, make_header(&entry, type, relative, offset, 0, NULL, 0)};
    return append(&iov, 1);
}

static int journal_zero(const char *relative, uint64_t offset, uint64_t length)
{
    struct entry entry;
    struct iovec iov = {&entry, make_header(&entry, ENTRY_ZERO, relative, offset, length, NULL, 0)};
    return append(&iov, 1);
}

static int journal_data(enum entry_type type, const char *relative, uint64_t offset, const void *data, uint32_t length)
{
    struct entry entry;
    struct iovec iov[2] = {{&entry, 0}, {(void *)data, length}};
    iov[0].iov_len = make_header(&entry, type, relative, offset, 0, data, length);
    return append(iov, length > 0 ? 2 : 1);
}

int journal_block(const char *relative, uint64_t offset, const void *data, uint32_t length)
{
    return journal_data(ENTRY_PAGE, relative, offset, data, length);
}

int journal_put(const char *relative, const void *data, uint32_t length)
{
    return journal_data(ENTRY_PUT, relative, 0, data, length);
}

static bool is_zero(const char *block)
{
    uint64_t first;
    memcpy(&first, block, sizeof first);
    return first == 0 && memcmp(block, block + sizeof first, BLOCK - sizeof first) == 0;
}

/* Walks an iovec block by block. */
struct block_cursor {
    const struct iovec *iov;
    int left;
    size_t at;
};

/*
 * Copies the next block out. The copy is what is summed and written: without data checksums Postgres writes pages from shared
 * memory while others set hint bits or transaction states in them, and a sum over moving bytes would not match.
 */
static bool next_block(struct block_cursor *cursor, char *block)
{
    size_t have = 0;
    while (have < BLOCK && cursor->left > 0) {
        size_t piece = cursor->iov->iov_len - cursor->at;
        if (piece > BLOCK - have)
            piece = BLOCK - have;
        memcpy(block + have, (const char *)cursor->iov->iov_base + cursor->at, piece);
        have += piece;
        cursor->at += piece;
        if (cursor->at == cursor->iov->iov_len) {
            cursor->iov++;
            cursor->left--;
            cursor->at = 0;
        }
    }
    return have == BLOCK;
}

int journal_pages(const char *relative, const struct iovec *iov, int iovcnt, uint64_t offset)
{
    static struct entry entries[RUN_BLOCKS];
    static char blocks[RUN_BLOCKS][BLOCK];
    struct iovec out[2 * RUN_BLOCKS];
    struct block_cursor cursor = {iov, iovcnt, 0};
    int run = 0;
    uint64_t zero_from = 0, zero_bytes = 0;

    while (next_block(&cursor, blocks[run])) {
        char *block = blocks[run];
        if (is_zero(block)) {
            if (zero_bytes == 0)
                zero_from = offset;
            zero_bytes += BLOCK;
        } else {
            if (zero_bytes > 0 && journal_zero(relative, zero_from, zero_bytes) != 0)
                return -1;
            zero_bytes = 0;
            out[2 * run].iov_base = &entries[run];
            out[2 * run].iov_len = make_header(&entries[run], ENTRY_PAGE, relative, offset, 0, block, BLOCK);
            out[2 * run + 1].iov_base = block;
            out[2 * run + 1].iov_len = BLOCK;
            run++;
        }
        if (run == RUN_BLOCKS || (run > 0 && zero_bytes > 0)) {
            if (append(out, 2 * run) != 0)
                return -1;
            run = 0;
        }
        offset += BLOCK;
    }
    if (run > 0 && append(out, 2 * run) != 0)
        return -1;
    return zero_bytes > 0 ? journal_zero(relative, zero_from, zero_bytes) : 0;
}

/*
 * A descriptor of this process alone. The kernel reports a failed write-back once to each open file description: with one that all
 * processes share, only one of them would hear of it.
 */
static int own_descriptor(void)
{
    if (sync_owner != getpid()) {
        sync_descriptor = libc.open(journal_path, O_WRONLY | O_CLOEXEC); /* the parent's stays the parent's */
        sync_owner = getpid();
    }
    return sync_descriptor >= 0 ? sync_descriptor : journal;
}

/* Law 4: returns 0 only when every entry appended before the call is durable. One fdatasync serves many callers. */
int journal_sync(void)
{
    uint64_t target = __atomic_load_n(&map->appended, __ATOMIC_SEQ_CST);
    uint64_t synced = __atomic_load_n(&map->synced, __ATOMIC_SEQ_CST);
    /* The kernel reports a failed write-back once and forgets the pages: a second try would succeed without them. */
    if (__atomic_load_n(&map->sync_failed, __ATOMIC_SEQ_CST) != 0) {
        errno = EIO;
        return -1;
    }
    if (synced >= target)
        return 0;
    if (libc.fdatasync(own_descriptor()) != 0) {
        __atomic_store_n(&map->sync_failed, 1, __ATOMIC_SEQ_CST);
        return -1;
    }
    /* Another process may have been told meanwhile of the failure that this one was not. */
    if (__atomic_load_n(&map->sync_failed, __ATOMIC_SEQ_CST) != 0) {
        errno = EIO;
        return -1;
    }
    while (synced < target &&
           !__atomic_compare_exchange_n(&map->synced, &synced, target, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    return 0;
}
