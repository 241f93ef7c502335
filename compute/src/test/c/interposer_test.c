/*
 * The interposer's own test suite: built with -fsanitize=address,undefined together with the sources of src/main/c, as a
 * program called "postgres", so that the hooks are the program's own functions. A child plays the agent of a timeline
 * that has a few relations of RELATION_BLOCKS blocks each, and one small file, base/1/PG_VERSION.
 *
 * Usage: postgres <empty directory>. Prints one line a test; exit code 0 when all hold.
 */
#define _GNU_SOURCE
#include "../../main/c/interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RELATION_BLOCKS 300
#define RELATION "base/1/100"
#define DROPPED "base/1/200"
#define NEXT "base/1/300"
#define OTHER "base/1/400"
#define LARGE "base/1/500" /* LARGE_BLOCKS */
#define LARGE_BLOCKS 6000
#define SMALL "base/1/600" /* SMALL_BLOCKS, one of them zero */
#define SMALL_BLOCKS 12
#define HANGS_UP "base/1/700" /* whoever asks for its pages is hung up on */
#define SILENT "base/1/800"   /* whoever asks for its pages gets no answer */
#define LARGE_FILE "pg_stat/large" /* LARGE_FILE_BYTES: more than one piece, and no whole number of blocks */
#define LARGE_FILE_BYTES (5u * FILE_PIECE / 2 + 17)

static int failures;

#define CHECK(condition)                                                                                              \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            printf("FAILED %s:%d: %s (errno %s)\n", __FILE__, __LINE__, #condition, strerror(errno));                 \
            failures++;                                                                                               \
        }                                                                                                             \
    } while (0)

/* ---- the agent ---- */

static void answer(int connection, const void *payload, size_t length)
{
    char head[5];
    uint32_t total = (uint32_t)length + 1;
    memcpy(head, &total, 4);
    head[4] = 0;
    if (send(connection, head, 5, MSG_NOSIGNAL) != 5 ||
        (length > 0 && send(connection, payload, length, MSG_NOSIGNAL) != (ssize_t)length))
        _exit(3);
}

static bool receive(int connection, void *buffer, size_t length)
{
    return recv(connection, buffer, length, MSG_WAITALL) == (ssize_t)length;
}

static bool is_data(uint64_t block)
{
    return block % 10 != 9; /* every tenth block is zero */
}

static void answer_pages(int connection, uint32_t count, uint64_t first)
{
    char *payload = calloc(1, count * (size_t)(BLOCK + 1));
    size_t at = count;
    for (uint32_t i = 0; i < count; i++) {
        payload[i] = is_data(first + i);
        if (payload[i]) {
            memset(payload + at, (int)((first + i) % 251 + 1), BLOCK);
            at += BLOCK;
        }
    }
    answer(connection, payload, at);
    free(payload);
}

/* Memory of this connection, as the agent makes it. */
static char *memory;

static void answer_share(int connection)
{
    char path[PATH_LIMIT];
    snprintf(path, sizeof path, "%s.memory.%d", getenv("TEST_ROOT"), (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (ftruncate(fd, READ_PAGES_LIMIT * BLOCK) != 0)
        _exit(3);
    memory = mmap(NULL, READ_PAGES_LIMIT * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    answer(connection, path, strlen(path));
}

/* The blocks from `first` on, or those listed. */
static void answer_in_memory(int connection, uint32_t count, uint64_t first, const uint32_t *blocks)
{
    uint8_t flags[READ_PAGES_LIMIT];
    for (uint32_t i = 0; i < count; i++) {
        uint64_t block = blocks != NULL ? blocks[i] : first + i;
        flags[i] = is_data(block);
        if (flags[i])
            memset(memory + (size_t)i * BLOCK, (int)(block % 251 + 1), BLOCK);
    }
    answer(connection, flags, count);
}

static char large_file_byte(uint64_t at)
{
    return (char)(at % 241 + at / BLOCK);
}

static void answer_large_file(int connection, uint32_t count, uint64_t first)
{
    uint64_t size = LARGE_FILE_BYTES, length = size - first < count ? size - first : count;
    char *payload = malloc(9 + length);
    payload[0] = KIND_FILE;
    memcpy(payload + 1, &size, 8);
    for (uint64_t i = 0; i < length; i++)
        payload[9 + i] = large_file_byte(first + i);
    answer(connection, payload, 9 + length);
    free(payload);
}

static void answer_small(int connection)
{
    char payload[9 + SMALL_BLOCKS + SMALL_BLOCKS * BLOCK];
    uint64_t size = SMALL_BLOCKS * BLOCK;
    size_t at = 9 + SMALL_BLOCKS;
    payload[0] = KIND_FILE;
    memcpy(payload + 1, &size, 8);
    for (uint32_t i = 0; i < SMALL_BLOCKS; i++) {
        payload[9 + i] = is_data(i);
        if (is_data(i)) {
            memset(payload + at, (int)i + 1, BLOCK);
            at += BLOCK;
        }
    }
    answer(connection, payload, at);
}

static bool is_relation(const char *path)
{
    return strcmp(path, RELATION) == 0 || strcmp(path, DROPPED) == 0 || strcmp(path, NEXT) == 0 ||
           strcmp(path, OTHER) == 0 || strcmp(path, LARGE) == 0 || strcmp(path, SMALL) == 0 ||
           strcmp(path, HANGS_UP) == 0 || strcmp(path, SILENT) == 0;
}

static void answer_request(int connection, uint8_t operation, const char *path, uint32_t count, uint64_t first,
                           const uint32_t *blocks)
{
    struct {
        uint8_t kind;
        uint64_t size;
        char text[3];
    } __attribute__((packed)) file = {0, 0, "18\n"};
    static const char listing[] = "\x02\x02\x00\x00\x00\x01\x03\x00"
                                  "100\x01\x0a\x00PG_VERSION";
    switch (operation) {
    case 1:
        answer(connection, NULL, 0);
        break;
    case 2:
        if (strcmp(path, SMALL) == 0 && count >= SMALL_BLOCKS) {
            answer_small(connection);
            break;
        }
        file.kind = is_relation(path) ? KIND_FILE : KIND_ABSENT;
        file.size = (uint64_t)(strcmp(path, LARGE) == 0 ? LARGE_BLOCKS : RELATION_BLOCKS) * BLOCK;
        if (file.kind == KIND_ABSENT)
            file.size = 0;
        answer(connection, &file, 9);
        break;
    case 3:
        answer_pages(connection, count, first);
        break;
    case 6:
        answer_share(connection);
        break;
    case 7:
    case 8:
        answer_in_memory(connection, count, first, blocks);
        break;
    case 4:
        if (strcmp(path, LARGE_FILE) == 0) {
            answer_large_file(connection, count, first);
            break;
        }
        file.kind = strcmp(path, "base/1/PG_VERSION") == 0;
        file.size = file.kind ? 3 : 0;
        answer(connection, &file, file.kind ? 12 : 9);
        break;
    default:
        answer(connection, listing, sizeof listing - 1);
    }
}

static void serve(int connection)
{
    struct {
        uint32_t length;
        uint8_t operation, zero;
        uint16_t path_length;
        uint32_t count;
        uint64_t first;
    } __attribute__((packed)) request;
    char path[PATH_LIMIT];
    while (receive(connection, &request, sizeof request) &&
           (request.path_length == 0 || receive(connection, path, request.path_length))) {
        uint32_t blocks[READ_PAGES_LIMIT];
        path[request.path_length] = 0;
        if (request.operation == 8 && !receive(connection, blocks, request.count * sizeof *blocks))
            return;
        bool pages = request.operation == 3 || request.operation == 7 || request.operation == 8;
        if (pages && strcmp(path, HANGS_UP) == 0)
            return;
        if (pages && strcmp(path, SILENT) == 0 && !receive(connection, path, 1)) /* until the other side goes */
            return;
        answer_request(connection, request.operation, path, request.count, request.first,
                       request.operation == 8 ? blocks : NULL);
    }
}

static pid_t start_agent(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) >= sizeof address.sun_path)
        _exit(2);
    strcpy(address.sun_path, socket_path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0)
        _exit(2);
    pid_t agent = fork();
    if (agent != 0) {
        close(listener);
        return agent;
    }
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0 && fork() == 0) {
            serve(connection);
            _exit(0);
        }
        close(connection);
    }
}

/* ---- tests ---- */

static void classes_follow_the_protocol(void)
{
    static const struct {
        const char *path;
        enum file_class class;
    } cases[] = {
        {"base/5/1259", PAGED},         {"base/5/1259_fsm", PAGED},       {"base/5/1259_vm.1", PAGED},
        {"base/5/16384_init", PAGED},   {"global/1260.12", PAGED},        {"pg_xact/0000", PAGED},
        {"pg_multixact/members/000A", PAGED},                             {"pg_commit_ts/0000", PAGED},
        {"base/5/PG_VERSION", WHOLE},   {"global/pg_control", WHOLE},     {"base/5/pg_filenode.map", WHOLE},
        {"pg_logical/replorigin_checkpoint", WHOLE},                      {"pg_twophase/0000000000000301", WHOLE},
        {"base/5", WHOLE},              {"autoprewarm.blocks", WHOLE},    {"base/5/1259_bad", WHOLE},
        {"base/5/t3_16390", LOCAL},     {"base/pgsql_tmp/x", LOCAL},      {"global/pg_internal.init.77", LOCAL},
        {"pg_notify/0000", LOCAL},      {"postmaster.pid", LOCAL},        {"postgresql.auto.conf.tmp", LOCAL},
        {"pg_replslot/a.tmp/state", LOCAL},                               {"postgresql.conf", LOCAL},
        {"standby.signal", LOCAL},      {"pg_notify", LOCAL},             {"pg_logical", WHOLE},
        {"pg_wal/000000010000000000000001", WAL},                         {"pg_wal", WAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (classify_relative(cases[i].path) != cases[i].class) {
            printf("FAILED class of %s\n", cases[i].path);
            failures++;
        }
    }
    uint64_t start;
    CHECK(wal_segment_start("pg_wal/0000000100000002000000FE", &start) && start == 0x2fe000000ULL);
    CHECK(!wal_segment_start("pg_wal/xlogtemp.12", &start));
}

static void checksum_is_crc32c(void)
{
    CHECK(crc32c(0, "123456789", 9) == 0xe3069283u); /* the check value of RFC 3720's polynomial */
}

static void journal_bytes_are_golden(const char *journal)
{
    static const unsigned char golden[] = {
        'C', 'P', 'J', '1', 0x00, 0x00, 0x00, 0x00, 5, 0, 4, 0, 0, 0, 0, 0,    /* crc is compared apart */
        0x00, 0x20, 0, 0, 0, 0, 0, 0,                /* stamp 0x2000 */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* offset, length */
        7, 0, 0, 0, 0, 0, 0, 0,                      /* epoch, data crc */
        'g', 'o', 'n', 'e'};
    unsigned char bytes[sizeof golden];
    struct stat st;
    CHECK(syscall_stat(journal, &st) == 0);
    CHECK(journal_event(ENTRY_UNLINK, "gone", 0) == 0);
    int fd = libc.open(journal, O_RDONLY);
    CHECK(libc.pread(fd, bytes, sizeof bytes, st.st_size) == (ssize_t)sizeof bytes);
    libc.close(fd);
    uint32_t stored;
    memcpy(&stored, bytes + 4, 4);
    CHECK(stored == crc32c(0, bytes + 8, sizeof bytes - 8));
    memset(bytes + 4, 0, 4);
    CHECK(memcmp(bytes, golden, sizeof golden) == 0);
}

static bool block_is(const char *block, uint32_t number)
{
    int expected = number % 10 == 9 ? 0 : (int)(number % 251 + 1);
    for (int i = 0; i < BLOCK; i++)
        if ((unsigned char)block[i] != expected)
            return false;
    return true;
}

static void absent_blocks_are_fetched(void)
{
    char block[BLOCK];
    int fd = open(RELATION, O_RDWR);
    CHECK(fd >= 0 && lseek(fd, 0, SEEK_END) == (off_t)RELATION_BLOCKS * BLOCK);
    for (uint32_t number = 0; number < RELATION_BLOCKS; number += 7) {
        CHECK(pread(fd, block, BLOCK, (off_t)number * BLOCK) == BLOCK);
        CHECK(block_is(block, number));
    }
    CHECK(pread(fd, block, BLOCK, (off_t)RELATION_BLOCKS * BLOCK) == 0);
    close(fd);
}

static void own_writes_win_over_fetched_blocks(void)
{
    char block[BLOCK], back[3 * BLOCK];
    int fd = open(RELATION, O_RDWR);
    memset(block, 0xee, BLOCK);
    CHECK(pwrite(fd, block, BLOCK, 150L * BLOCK) == BLOCK);
    CHECK(pread(fd, back, sizeof back, 149L * BLOCK) == (ssize_t)sizeof back);
    CHECK(block_is(back, 149) && memcmp(back + BLOCK, block, BLOCK) == 0 && block_is(back + 2 * BLOCK, 151));
    close(fd);
}

/* Others set hint bits in a page while Postgres writes it: the entry must be valid all the same. */
static void a_page_that_changes_while_it_is_written_is_journaled_whole(const char *journal)
{
    enum { ROUNDS = 3000 };
    struct stat st;
    char *shared = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(shared, 1, BLOCK);
    pid_t writer = fork();
    if (writer == 0)
        for (uint32_t i = 0;; i++)
            ((volatile char *)shared)[i * 64 % BLOCK]++;
    CHECK(syscall_stat(journal, &st) == 0);
    int fd = open(RELATION, O_RDWR), reader = libc.open(journal, O_RDONLY);
    for (int i = 0; i < ROUNDS; i++)
        CHECK(pwrite(fd, shared, BLOCK, 160L * BLOCK) == BLOCK);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    char entry[48 + sizeof RELATION - 1 + BLOCK];
    int wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t crc;
        off_t at = st.st_size + (off_t)i * (off_t)sizeof entry;
        CHECK(libc.pread(reader, entry, sizeof entry, at) == (ssize_t)sizeof entry);
        memcpy(&crc, entry + 44, 4);
        wrong += crc != crc32c(0, entry + sizeof entry - BLOCK, BLOCK);
    }
    CHECK(wrong == 0);
    libc.close(reader);
    close(fd);
    munmap(shared, BLOCK);
}

static void a_late_prefetch_never_grows_a_truncated_file(void)
{
    int fd = open(RELATION, O_RDWR);
    pid_t readers[4];
    for (int i = 0; i < 4; i++) {
        readers[i] = fork();
        if (readers[i] == 0) {
            char block[BLOCK];
            for (uint32_t number = (uint32_t)i; number < RELATION_BLOCKS; number += 3)
                (void)!pread(fd, block, BLOCK, (off_t)number * BLOCK);
            _exit(0);
        }
    }
    CHECK(ftruncate(fd, 20L * BLOCK) == 0);
    for (int i = 0; i < 4; i++)
        waitpid(readers[i], NULL, 0);
    CHECK(lseek(fd, 0, SEEK_END) == 20L * BLOCK);
    char block[BLOCK];
    CHECK(posix_fallocate(fd, 20L * BLOCK, 10L * BLOCK) == 0);
    CHECK(pread(fd, block, BLOCK, 25L * BLOCK) == BLOCK && block[0] == 0);
    close(fd);
}

/* As Postgres drops a table: truncated at once, unlinked after a checkpoint. The slot is then another file's. */
static void a_slot_forgets_the_blocks_of_a_file_that_was_truncated_and_removed(void)
{
    char block[BLOCK];
    int fd = open(DROPPED, O_RDWR);
    for (uint32_t number = 0; number < RELATION_BLOCKS; number++)
        CHECK(pread(fd, block, BLOCK, (off_t)number * BLOCK) == BLOCK && block_is(block, number));
    close(fd);
    CHECK(truncate(DROPPED, 0) == 0 && unlink(DROPPED) == 0);
    fd = open(NEXT, O_RDWR);
    CHECK(fd >= 0);
    for (uint32_t number = 0; number < RELATION_BLOCKS; number++)
        CHECK(pread(fd, block, BLOCK, (off_t)number * BLOCK) == BLOCK && block_is(block, number));
    close(fd);
}

static void a_small_file_comes_with_its_first_opening(void)
{
    char block[BLOCK];
    uint64_t requests = map->requests;
    int fd = open(SMALL, O_RDWR);
    for (uint32_t number = 0; number < SMALL_BLOCKS; number++)
        CHECK(pread(fd, block, BLOCK, (off_t)number * BLOCK) == BLOCK && block_is(block, number));
    CHECK(lseek(fd, 0, SEEK_END) == (off_t)SMALL_BLOCKS * BLOCK);
    CHECK(map->requests == requests + 1);
    close(fd);
}

static void a_write_to_a_removed_file_reaches_no_other_file(const char *journal)
{
    struct stat before, after;
    char block[BLOCK];
    memset(block, 0x55, BLOCK);
    int removed = open(NEXT, O_RDWR);
    CHECK(removed >= 0 && unlink(NEXT) == 0);
    int other = open(OTHER, O_RDWR); /* gets the slot */
    CHECK(other >= 0 && tracked(other)->slot == tracked(removed)->slot);
    CHECK(syscall_stat(journal, &before) == 0);
    CHECK(pwrite(removed, block, BLOCK, 3L * BLOCK) == BLOCK && ftruncate(removed, 0) == 0);
    CHECK(syscall_stat(journal, &after) == 0 && after.st_size == before.st_size);
    CHECK(pread(other, block, BLOCK, 3L * BLOCK) == BLOCK && block_is(block, 3));
    close(other);
    close(removed);
}

/* The journal takes a part of the first of two pages: neither counts, the local file is as before, and later all is well. */
static void a_short_append_fails_the_write_and_heals(const char *journal)
{
    char pages[2 * BLOCK], back[2 * BLOCK];
    struct stat st;
    struct rlimit unlimited, limited;
    signal(SIGXFSZ, SIG_IGN);
    memset(pages, 0x77, sizeof pages);
    int fd = open(OTHER, O_RDWR);
    CHECK(syscall_stat(journal, &st) == 0 && getrlimit(RLIMIT_FSIZE, &unlimited) == 0);
    limited = unlimited;
    limited.rlim_cur = (rlim_t)st.st_size + 1000;
    CHECK(setrlimit(RLIMIT_FSIZE, &limited) == 0);
    CHECK(pwrite(fd, pages, sizeof pages, 1L * BLOCK) == -1 && errno == ENOSPC);
    CHECK(setrlimit(RLIMIT_FSIZE, &unlimited) == 0);
    CHECK(syscall_stat(journal, &st) == 0 && (rlim_t)st.st_size == limited.rlim_cur);
    CHECK(pread(fd, back, sizeof back, 1L * BLOCK) == (ssize_t)sizeof back);
    CHECK(block_is(back, 1) && block_is(back + BLOCK, 2));
    CHECK(pwrite(fd, pages, sizeof pages, 1L * BLOCK) == (ssize_t)sizeof pages);
    CHECK(pread(fd, back, sizeof back, 1L * BLOCK) == (ssize_t)sizeof back && memcmp(back, pages, sizeof back) == 0);
    close(fd);
}

/* Reads `count` blocks from `first` on in two pieces that split a block, as preadv may. */
static bool scan_reads(int fd, uint32_t first, uint32_t count)
{
    static char pages[READ_PAGES_LIMIT * BLOCK];
    struct iovec iov[2] = {{pages, 100}, {pages + 100, (size_t)count * BLOCK - 100}};
    if (preadv(fd, iov, 2, (off_t)first * BLOCK) != (ssize_t)count * BLOCK)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!block_is(pages + (size_t)i * BLOCK, first + i))
            return false;
    return true;
}

static uint8_t state_of(int fd, uint32_t block)
{
    return slot_presence(slot_at(tracked(fd)->slot))[block];
}

static void a_long_scan_goes_past_the_local_file_and_the_next_one_fills_it(void)
{
    char block[BLOCK];
    uint32_t count = 64, at;
    int fd = open(LARGE, O_RDWR);
    for (at = 0; at + count <= LARGE_BLOCKS; at += count)
        CHECK(scan_reads(fd, at, count));
    CHECK(scan_reads(fd, at, LARGE_BLOCKS - at));
    CHECK(state_of(fd, 0) == BLOCK_PRESENT && state_of(fd, 4001) == BLOCK_SEEN);

    memset(block, 0xcc, BLOCK);
    CHECK(pwrite(fd, block, BLOCK, 4001L * BLOCK) == BLOCK && state_of(fd, 4001) == BLOCK_PRESENT);
    CHECK(!scan_reads(fd, 3968, count) && scan_reads(fd, 4032, count));
    CHECK(pread(fd, block, BLOCK, 4001L * BLOCK) == BLOCK && (unsigned char)block[0] == 0xcc);
    CHECK(state_of(fd, 4000) == BLOCK_PRESENT && state_of(fd, 4040) == BLOCK_PRESENT);
    CHECK(pread(fd, block, BLOCK, 4000L * BLOCK) == BLOCK && block_is(block, 4000));
    CHECK(truncate(LARGE, 0) == 0 && unlink(LARGE) == 0);
    close(fd);
}

static void blocks_that_were_announced_are_fetched_together(void)
{
    enum { ANNOUNCED = 100 };
    char block[BLOCK];
    int fd = open(OTHER, O_RDWR);
    for (uint32_t i = 0; i < ANNOUNCED; i++) {
        off_t at = (off_t)((i * 37) % ANNOUNCED * 2 + 100) * BLOCK;
        CHECK(posix_fadvise(fd, at, BLOCK, POSIX_FADV_WILLNEED) == 0);
        CHECK(posix_fadvise(fd, at, BLOCK, POSIX_FADV_WILLNEED) == 0);
    }
    CHECK(pread(fd, block, BLOCK, 102L * BLOCK) == BLOCK && block_is(block, 102)); /* shares memory, at the latest now */
    uint64_t requests = map->requests;
    for (uint32_t i = 0; i < ANNOUNCED; i++) {
        CHECK(pread(fd, block, BLOCK, (off_t)(i * 2 + 100) * BLOCK) == BLOCK && block_is(block, i * 2 + 100));
        if (i * 2 + 101 < RELATION_BLOCKS)
            CHECK(state_of(fd, i * 2 + 101) == BLOCK_ABSENT);
    }
    CHECK(map->requests == requests);
    close(fd);
}

static void a_large_file_comes_in_pieces(void)
{
    char *content = malloc(LARGE_FILE_BYTES + 1);
    FILE *file = fopen(LARGE_FILE, "r");
    CHECK(file != NULL && fread(content, 1, LARGE_FILE_BYTES + 1, file) == LARGE_FILE_BYTES);
    bool same = true;
    for (uint64_t i = 0; i < LARGE_FILE_BYTES; i++)
        same = same && content[i] == large_file_byte(i);
    CHECK(same);
    if (file != NULL)
        fclose(file);
    free(content);
}

static void a_file_beyond_the_largest_entry_is_journaled_when_it_is_renamed(const char *journal)
{
    struct stat before, after;
    int fd = open("pg_stat/new.tmp", O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && pwrite(fd, "x", 1, PUT_LIMIT) == 1 && pwrite(fd, "y", 1, 3 * BLOCK) == 1);
    close(fd);
    CHECK(syscall_stat(journal, &before) == 0);
    CHECK(rename("pg_stat/new.tmp", "pg_stat/new") == 0);
    CHECK(syscall_stat(journal, &after) == 0 && after.st_size > before.st_size + BLOCK);
    CHECK(libc.access("pg_stat/new", F_OK) == 0);
}

/* What a flush to a layer does with the journal of a running compute. */
static void a_journal_whose_beginning_was_freed_is_appended_to_as_before(const char *journal)
{
    struct stat before, after;
    char block[BLOCK];
    memset(block, 0x44, BLOCK);
    CHECK(syscall_stat(journal, &before) == 0);
    int fd = libc.open(journal, O_RDWR);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, before.st_size - 4096) == 0 ||
          errno == EOPNOTSUPP);
    libc.close(fd);
    fd = open(OTHER, O_RDWR);
    CHECK(pwrite(fd, block, BLOCK, 5L * BLOCK) == BLOCK && fsync(fd) == 0);
    close(fd);
    CHECK(syscall_stat(journal, &after) == 0);
    CHECK(after.st_size == before.st_size + 48 + (off_t)strlen(OTHER) + BLOCK);
}

static void a_failed_sync_is_never_followed_by_a_good_one(void)
{
    CHECK(journal_sync() == 0);
    map->sync_failed = 1;
    CHECK(journal_sync() == -1 && errno == EIO);
    map->sync_failed = 0;
}

/* ---- what Postgres exports ---- */

volatile sig_atomic_t QueryCancelPending, ProcDiePending;
volatile uint32_t CritSectionCount, InterruptHoldoffCount, QueryCancelHoldoffCount;
void ProcessInterrupts(void);

static int interrupts;

void ProcessInterrupts(void)
{
    interrupts++;
    QueryCancelPending = 0;
    ProcDiePending = 0;
}

static int alarms;

static void on_alarm(int number)
{
    (void)number;
    QueryCancelPending = 1;
    if (++alarms == 3)
        CritSectionCount = 0;
}

/* As Postgres installs its own, so that calls begin again. */
static void set_alarms(bool on)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval timer = {{0, on ? 100000 : 0}, {0, on ? 100000 : 0}};
    alarms = 0;
    interrupts = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void a_server_that_hangs_up_on_a_question_is_an_error_of_that_read(void)
{
    char block[BLOCK];
    int fd = open(HANGS_UP, O_RDWR);
    CHECK(fd >= 0);
    CHECK(pread(fd, block, BLOCK, 0) == -1 && errno == EIO);
    CHECK(state_of(fd, 0) == BLOCK_ABSENT);
    close(fd);
    fd = open(OTHER, O_RDWR);
    CHECK(pread(fd, block, BLOCK, 250L * BLOCK) == BLOCK && block_is(block, 250));
    close(fd);
}

static void a_cancel_ends_the_wait_for_an_answer(void)
{
    char block[BLOCK];
    int fd = open(SILENT, O_RDWR);
    set_alarms(true);
    CHECK(pread(fd, block, BLOCK, 0) == -1 && errno == EIO);
    set_alarms(false);
    CHECK(QueryCancelPending == 0 && state_of(fd, 0) == BLOCK_ABSENT);
    close(fd);
}

static void postgres_is_asked_why_a_wait_ended(void)
{
    char block[BLOCK];
    int fd = open(SILENT, O_RDWR), asked;
    set_alarms(true);
    (void)!pread(fd, block, BLOCK, 0);
    asked = interrupts;
    set_alarms(false);
    CHECK(asked == 1);
    InterruptHoldoffCount = 1;
    set_alarms(true);
    CHECK(pread(fd, block, BLOCK, 0) == -1 && errno == EIO);
    asked = interrupts;
    set_alarms(false);
    CHECK(asked == 0);
    InterruptHoldoffCount = 0;
    QueryCancelPending = 0;
    close(fd);
}

/* An error there would be a panic of the whole compute. */
static void a_critical_section_waits_on(void)
{
    char block[BLOCK];
    int fd = open(SILENT, O_RDWR), seen;
    CritSectionCount = 1;
    set_alarms(true);
    CHECK(pread(fd, block, BLOCK, 0) == -1 && errno == EIO);
    seen = alarms;
    set_alarms(false);
    CHECK(seen >= 3 && CritSectionCount == 0);
    QueryCancelPending = 0;
    close(fd);
}

static void a_cancel_ends_the_wait_for_another_process(void)
{
    char block[BLOCK];
    int fd = open(OTHER, O_RDWR);
    uint8_t *presence = slot_presence(slot_at(tracked(fd)->slot)), before = presence[299];
    presence[299] = BLOCK_FILLING;
    set_alarms(true);
    CHECK(pread(fd, block, BLOCK, 299L * BLOCK) == -1 && errno == EIO);
    set_alarms(false);
    QueryCancelPending = 0;
    presence[299] = before;
    close(fd);
}

static void a_server_that_is_away_is_waited_for(void)
{
    char away[PATH_LIMIT * 2];
    const char *agent = getenv("COPPICE_AGENT");
    snprintf(away, sizeof away, "%s.away", agent);
    CHECK(libc.rename(agent, away) == 0);
    int said[2];
    CHECK(pipe(said) == 0);
    pid_t reader = fork();
    if (reader == 0) {
        char block[BLOCK];
        int fd = open(OTHER, O_RDWR);
        (void)!write(said[1], "x", 1);
        _exit(pread(fd, block, BLOCK, 275L * BLOCK) == BLOCK && block_is(block, 275) ? 0 : 1);
    }
    char byte;
    int status;
    CHECK(libc.read(said[0], &byte, 1) == 1);
    usleep(500000);
    CHECK(waitpid(reader, &status, WNOHANG) == 0);
    CHECK(libc.rename(away, agent) == 0);
    CHECK(waitpid(reader, &status, 0) == reader && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(said[0]);
    close(said[1]);
}

static void an_orphan_ends_whoever_has_its_postmasters_number(void)
{
    int said[2];
    CHECK(pipe(said) == 0);
    pid_t postmaster = fork();
    if (postmaster == 0) {
        agent_forked_from(getpid());
        pid_t own = getpid();
        if (fork() == 0) {
            exit_when_orphaned();
            while (getppid() == own)
                usleep(1000);
            exit_when_orphaned();
            (void)!write(said[1], "x", 1);
        }
        _exit(0);
    }
    char byte;
    close(said[1]);
    /* Not reaped yet: its number is that of a process. */
    CHECK(libc.read(said[0], &byte, 1) == 0);
    waitpid(postmaster, NULL, 0);
    close(said[0]);
}

static int synced_descriptor;

static int sync_that_another_process_saw_fail(int fd)
{
    synced_descriptor = fd;
    map->sync_failed = 1;
    return 0;
}

static void a_sync_that_failed_for_another_process_failed_for_all(void)
{
    int (*before)(int) = libc.fdatasync;
    char block[BLOCK];
    int fd = open(OTHER, O_RDWR);
    memset(block, 0x12, BLOCK);
    CHECK(pwrite(fd, block, BLOCK, 6L * BLOCK) == BLOCK);
    libc.fdatasync = sync_that_another_process_saw_fail;
    CHECK(fsync(fd) == -1 && errno == EIO);
    libc.fdatasync = before;
    map->sync_failed = 0;
    CHECK((fcntl(synced_descriptor, F_GETFL) & O_APPEND) == 0); /* not the one that all processes append with */
    CHECK(fsync(fd) == 0);
    close(fd);
}

static void a_write_of_bytes_that_is_not_journaled_is_not_in_the_local_file(const char *journal)
{
    char back[8] = {0};
    struct stat st;
    struct rlimit unlimited, limited;
    int fd = open("pg_stat/bytes", O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && pwrite(fd, "abcdef", 6, 0) == 6);
    CHECK(syscall_stat(journal, &st) == 0 && getrlimit(RLIMIT_FSIZE, &unlimited) == 0);
    limited = unlimited;
    limited.rlim_cur = (rlim_t)st.st_size + 10;
    CHECK(setrlimit(RLIMIT_FSIZE, &limited) == 0);
    CHECK(pwrite(fd, "XY", 2, 2) == -1 && errno == ENOSPC);
    CHECK(setrlimit(RLIMIT_FSIZE, &unlimited) == 0);
    CHECK(pread(fd, back, 6, 0) == 6 && memcmp(back, "abcdef", 6) == 0);
    struct iovec iov[2] = {{"12", 2}, {"345", 3}};
    CHECK(pwritev(fd, iov, 2, 4) == 5 && pread(fd, back, 8, 0) == 8 && memcmp(back, "abcd1234", 8) == 0);
    CHECK(pwrite(fd, "z", 1, 2 * BLOCK + 5) == 1);
    CHECK(syscall_stat(journal, &st) == 0);
    char entry[48 + 13 + 6];
    int reader = libc.open(journal, O_RDONLY);
    CHECK(libc.pread(reader, entry, sizeof entry, st.st_size - (off_t)sizeof entry) == (ssize_t)sizeof entry);
    CHECK(memcmp(entry, "CPJ1", 4) == 0 && memcmp(entry + 48 + 13, "\0\0\0\0\0z", 6) == 0);
    libc.close(reader);
    close(fd);
}

static void a_dup2_that_fails_leaves_its_target_alone(void)
{
    int fd = open(OTHER, O_RDWR);
    CHECK(dup2(9999, fd) == -1 && errno == EBADF);
    CHECK(tracked(fd) != NULL);
    int copy = dup2(fd, 500);
    CHECK(copy == 500 && tracked(copy) != NULL && tracked(copy)->slot == tracked(fd)->slot);
    close(copy);
    close(fd);
}

static void a_listing_can_be_read_again(void)
{
    char first[256] = "";
    DIR *dir = opendir("pg_stat");
    CHECK(dir != NULL && directory_is_ours(dir));
    long start = telldir(dir);
    struct dirent *entry = readdir(dir);
    if (entry != NULL)
        snprintf(first, sizeof first, "%s", entry->d_name);
    while (readdir(dir) != NULL)
        ;
    rewinddir(dir);
    CHECK((entry = readdir(dir)) != NULL && strcmp(entry->d_name, first) == 0);
    seekdir(dir, start);
    CHECK((entry = readdir(dir)) != NULL && strcmp(entry->d_name, first) == 0);
    CHECK(dirfd(dir) == -1 && errno == ENOTSUP);
    closedir(dir);
    dir = libc.opendir(".");
    rewinddir(dir);
    CHECK(dirfd(dir) >= 0 && readdir(dir) != NULL);
    libc.closedir(dir);
}

static void whole_files_are_placed_and_listed(void)
{
    char text[8] = {0};
    FILE *file = fopen("base/1/PG_VERSION", "r");
    CHECK(file != NULL && fread(text, 1, sizeof text, file) == 3 && strcmp(text, "18\n") == 0);
    if (file != NULL)
        fclose(file);
    struct stat st;
    CHECK(stat("base/1/nothing", &st) != 0 && errno == ENOENT);
    CHECK(stat("base/1/101", &st) != 0 && errno == ENOENT);
    int local = open("base/1/t3_5", O_RDWR | O_CREAT, 0600), seen = 0;
    CHECK(local >= 0);
    close(local);
    DIR *dir = opendir("base/1");
    CHECK(dir != NULL);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        seen += strcmp(entry->d_name, "100") == 0 || strcmp(entry->d_name, "t3_5") == 0;
    CHECK(seen == 2 && closedir(dir) == 0);
}

static void tablespaces_are_refused(void)
{
    CHECK(symlink("/", "pg_tblspc/1") == -1 && errno == EOPNOTSUPP);
}

static void removed_wal_goes_to_the_archive(void)
{
    const char *segment = "pg_wal/000000010000000000000003";
    int fd = open(segment, O_RDWR | O_CREAT, 0600);
    CHECK(pwrite(fd, "x", 1, 0x1fff) == 1);
    CHECK(map->mark == 0x3002000);
    close(fd);
    CHECK(unlink(segment) == 0);
    CHECK(libc.access("../archive/000000010000000000000003", F_OK) == 0);
}

static void an_ancestors_wal_is_never_written(void)
{
    const char *segment = "pg_wal/000000010000000000000004";
    int fd = open(segment, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && pwrite(fd, "x", 1, 0) == 1);
    close(fd);
    CHECK(link(segment, "../archive/linked") == 0);
    fd = open(segment, O_RDWR);
    CHECK(fd >= 0 && pwrite(fd, "y", 1, 0) == -1 && errno == EIO);
    CHECK(write(fd, "y", 1) == -1 && errno == EIO);
    close(fd);
}

static uint64_t now_plus(long seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)(now.tv_sec + seconds) * 1000000000u;
}

/* The server says that the branch is full: nothing grows, everything else goes on; the message says why. */
static void growth_ends_where_the_server_says(void)
{
    struct throttle *said = (struct throttle *)((char *)map + THROTTLE_OFFSET);
    char page[BLOCK] = {1}, text[256];
    int table = open("base/1/9001", O_RDWR | O_CREAT, 0600), visibility = open("base/1/9001_vm", O_RDWR | O_CREAT, 0600);
    mkdir("base/pgsql_tmp", 0700);
    int temporary = open("base/pgsql_tmp/pgsql_tmp1.0", O_RDWR | O_CREAT, 0600);
    CHECK(pwrite(table, page, BLOCK, 0) == BLOCK);
    strcpy(said->reason, "the branch is full (limit)");
    said->until = now_plus(5);
    said->full = 1;
    CHECK(pwrite(table, page, BLOCK, BLOCK) == -1 && errno == ENOSPC);
    CHECK(strcmp(strerror_r(ENOSPC, text, sizeof text), "the branch is full (limit)") == 0);
    CHECK(posix_fallocate(table, 0, 4 * BLOCK) == ENOSPC);
    CHECK(pwrite(temporary, page, 100, 0) == -1 && errno == ENOSPC);
    CHECK(pwrite(table, page, BLOCK, 0) == BLOCK);
    CHECK(pwrite(visibility, page, BLOCK, 0) == BLOCK);
    CHECK(ftruncate(table, 0) == 0);
    /* Said too long ago, or taken back. */
    said->until = now_plus(-5);
    CHECK(pwrite(table, page, BLOCK, 0) == BLOCK);
    CHECK(strstr(strerror_r(ENOSPC, text, sizeof text), "limit") == NULL);
    said->until = now_plus(5);
    said->full = 0;
    CHECK(pwrite(table, page, BLOCK, BLOCK) == BLOCK);
    *said = (struct throttle){0};
    close(table), close(visibility), close(temporary);
}

/* What Postgres does with its segment of System V, without the kernel's. */
static void segments_are_the_computes_own(void)
{
    struct shmid_ds data;
    int id = shmget(4711, 56, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(id >= 0);
    CHECK(shmget(4711, 56, IPC_CREAT | IPC_EXCL | 0600) == -1 && errno == EEXIST);
    CHECK(shmget(4711, 56, 0) == id);
    CHECK(shmget(4712, 56, 0) == -1 && errno == ENOENT);
    int *at = shmat(id, NULL, 0);
    CHECK(at != (int *)-1);
    pid_t child = fork();
    if (child == 0) {
        *at = 7;
        _exit(shmdt(at));
    }
    int status;
    waitpid(child, &status, 0);
    CHECK(status == 0 && *at == 7);
    CHECK(shmctl(id, IPC_STAT, &data) == 0 && data.shm_nattch == 1 && data.shm_segsz == 56);
    CHECK(shmdt(at) == 0);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    CHECK(shmctl(id, IPC_STAT, &data) == -1 && errno == EINVAL);
    CHECK(shmat(id, NULL, 0) == (void *)-1);
}

static void run_tests(const char *journal)
{
    classes_follow_the_protocol();
    checksum_is_crc32c();
    journal_bytes_are_golden(journal);
    absent_blocks_are_fetched();
    own_writes_win_over_fetched_blocks();
    a_page_that_changes_while_it_is_written_is_journaled_whole(journal);
    a_late_prefetch_never_grows_a_truncated_file();
    a_slot_forgets_the_blocks_of_a_file_that_was_truncated_and_removed();
    a_small_file_comes_with_its_first_opening();
    a_write_to_a_removed_file_reaches_no_other_file(journal);
    a_short_append_fails_the_write_and_heals(journal);
    a_long_scan_goes_past_the_local_file_and_the_next_one_fills_it();
    blocks_that_were_announced_are_fetched_together();
    a_large_file_comes_in_pieces();
    a_file_beyond_the_largest_entry_is_journaled_when_it_is_renamed(journal);
    a_journal_whose_beginning_was_freed_is_appended_to_as_before(journal);
    a_failed_sync_is_never_followed_by_a_good_one();
    whole_files_are_placed_and_listed();
    a_server_that_hangs_up_on_a_question_is_an_error_of_that_read();
    a_cancel_ends_the_wait_for_an_answer();
    postgres_is_asked_why_a_wait_ended();
    a_critical_section_waits_on();
    a_cancel_ends_the_wait_for_another_process();
    a_server_that_is_away_is_waited_for();
    an_orphan_ends_whoever_has_its_postmasters_number();
    a_sync_that_failed_for_another_process_failed_for_all();
    a_write_of_bytes_that_is_not_journaled_is_not_in_the_local_file(journal);
    a_dup2_that_fails_leaves_its_target_alone();
    a_listing_can_be_read_again();
    tablespaces_are_refused();
    removed_wal_goes_to_the_archive();
    an_ancestors_wal_is_never_written();
    growth_ends_where_the_server_says();
    segments_are_the_computes_own();
}

/* Makes the timeline's directory, starts the agent and becomes the program under test. */
static int prepare(char *self, const char *root)
{
    static const char *const directories[] = {"pgdata",           "pgdata/base",   "pgdata/base/1", "pgdata/pg_wal",
                                              "pgdata/pg_tblspc", "pgdata/pg_stat", "archive", NULL};
    char path[PATH_LIMIT * 2], header[64] = "COPPICEJ";
    for (int i = 0; directories[i] != NULL; i++) {
        snprintf(path, sizeof path, "%s/%s", root, directories[i]);
        if (mkdir(path, 0700) != 0)
            return 2;
    }
    header[8] = 1;
    header[12] = 7;
    snprintf(path, sizeof path, "%s/journal", root);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (write(fd, header, sizeof header) != (ssize_t)sizeof header)
        return 2;
    close(fd);
    setenv("TEST_ROOT", root, 1);
    snprintf(path, sizeof path, "%s/agent", root);
    pid_t agent = start_agent(path);

    static const char *const variables[][2] = {{"COPPICE_DATA", "pgdata"}, {"COPPICE_JOURNAL", "journal"},
                                               {"COPPICE_AGENT", "agent"}, {"COPPICE_LOCK", "lock"},
                                               {"COPPICE_MAP", "map"},     {"COPPICE_WAL_ARCHIVE", "archive"}};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        snprintf(path, sizeof path, "%s/%s", root, variables[i][1]);
        setenv(variables[i][0], path, 1);
    }
    setenv("COPPICE_EPOCH", "7", 1);
    setenv("COPPICE_MARK", "2000", 1);
    pid_t child = fork();
    if (child == 0) {
        execl(self, "postgres", root, (char *)NULL);
        _exit(2);
    }
    int status = 2;
    waitpid(child, &status, 0);
    kill(agent, SIGKILL);
    waitpid(agent, NULL, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    if (!active)
        return prepare(argv[0], argv[1]);
    const char *journal = getenv("COPPICE_JOURNAL");
    if (chdir(getenv("COPPICE_DATA")) != 0)
        return 2;
    run_tests(journal);
    printf("%d failures\n", failures);
    return failures > 0;
}
