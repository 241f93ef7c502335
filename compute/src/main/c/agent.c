/*
 * Requests to the page service over the agent's Unix socket: docs/page-protocol.md, section 5. A connection per process,
 * opened lazily after the fork. Requests are idempotent, so a lost connection is simply tried again, for as long as it
 * takes (design, law 9); the end of the postmaster ends the waiting, and what Postgres wants of this process (interrupt.c).
 *
 * A server that takes the question and hangs up, again and again, is not away: something in the question ends it, and to ask
 * for ever would hang this query and end every other one's answer with it. Then the query fails.
 *
 * Pages come through memory that the agent shares with this process: the socket would copy each of them twice more. Where
 * there is none, they come through the socket.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PROTOCOL_VERSION 2
#define ANSWER_LIMIT (64u << 20)
#define SHARED_BYTES ((size_t)READ_PAGES_LIMIT * BLOCK)
#define SHARED_FROM 32 /* blocks: a smaller request is not worth the memory of a connection that asks for no more */
#define RETRY_NANOSECONDS 20000000L
#define LOOK_MICROSECONDS 200000 /* so often whoever waits for an answer looks what Postgres wants */
#define HANG_UPS_MAX 8

enum operation {
    OP_HELLO = 1,
    OP_STAT = 2,
    OP_READ_PAGES = 3,
    OP_READ_FILE = 4,
    OP_LIST = 5,
    OP_SHARE = 6,
    OP_READ_SHARED = 7,
    OP_READ_BLOCKS = 8
};

struct request {
    uint32_t length;
    uint8_t operation;
    uint8_t zero;
    uint16_t path_length;
    uint32_t count;
    uint64_t first;
} __attribute__((packed));

/* One question; what it was answered is received by `receive`, which is false when the connection broke on the way. */
struct question {
    enum operation operation;
    const char *relative;
    uint32_t count;
    uint64_t first;
    const uint32_t *blocks; /* READ_BLOCKS: `count` of them */
    bool patient;           /* waits whatever Postgres wants */
    bool (*receive)(struct question *question, uint32_t payload);
    void *answer;
};

static struct sockaddr_un address;
static uint32_t hello_epoch;
static int connection = -1;
static pid_t connection_owner;
static pid_t parent; /* the postmaster that this process was forked from, or is; 0 in other programs */

/* What is asked now; NULL between two questions. */
static const struct question *asking;

/* This connection's memory; of no use after another connect, and asked for once. */
static const char *shared;
static bool share_asked;

void agent_init(const char *socket_path, uint32_t epoch)
{
    address.sun_family = AF_UNIX;
    if (strlen(socket_path) >= sizeof address.sun_path)
        die("the agent's socket path is too long: %s", socket_path);
    strcpy(address.sun_path, socket_path);
    hello_epoch = epoch;
}

void agent_forked_from(pid_t postmaster)
{
    parent = postmaster;
}

/* ---- the connection ---- */

static bool gives_up(const struct question *question)
{
    return question != NULL && !question->patient && must_give_up(question->relative);
}

/* After a call that a signal or the time ended: whether to go on. */
static bool waits_on(void)
{
    if (errno != EINTR && errno != EAGAIN)
        return false;
    exit_when_orphaned();
    return !gives_up(asking);
}

static void disconnect(void)
{
    if (connection >= 0)
        libc.close(connection); /* in a forked child: its copy only */
    connection = -1;
    if (shared != NULL)
        munmap((void *)shared, SHARED_BYTES);
    shared = NULL;
    share_asked = false;
}

static bool send_all(const void *data, size_t length)
{
    const char *p = data;
    while (length > 0) {
        ssize_t n = send(connection, p, length, MSG_NOSIGNAL);
        if (n < 0 && waits_on())
            continue;
        if (n <= 0)
            return false;
        p += n;
        length -= (size_t)n;
    }
    return true;
}

static bool receive_all(void *data, size_t length)
{
    char *p = data;
    while (length > 0) {
        ssize_t n = recv(connection, p, length, 0);
        if (n < 0 && waits_on())
            continue;
        if (n <= 0)
            return false;
        p += n;
        length -= (size_t)n;
    }
    return true;
}

static bool send_question(const struct question *question)
{
    char message[sizeof(struct request) + PATH_LIMIT + READ_PAGES_LIMIT * sizeof(uint32_t)];
    size_t path_length = strlen(question->relative);
    size_t blocks_length = question->blocks != NULL ? question->count * sizeof(uint32_t) : 0;
    struct request request = {
        .length = (uint32_t)(sizeof request - 4 + path_length + blocks_length),
        .operation = (uint8_t)question->operation,
        .path_length = (uint16_t)path_length,
        .count = question->count,
        .first = question->first,
    };
    memcpy(message, &request, sizeof request);
    memcpy(message + sizeof request, question->relative, path_length);
    if (blocks_length > 0)
        memcpy(message + sizeof request + path_length, question->blocks, blocks_length);
    return send_all(message, sizeof request + path_length + blocks_length);
}

/* Reads length and status; on a refusal logs the message and sets *refused. */
static bool receive_status(const char *relative, uint32_t *payload, bool *refused)
{
    struct {
        uint32_t length;
        uint8_t status;
    } __attribute__((packed)) head;
    if (!receive_all(&head, sizeof head) || head.length == 0 || head.length > ANSWER_LIMIT)
        return false;
    *payload = head.length - 1;
    *refused = head.status != 0;
    if (!*refused)
        return true;
    char text[512];
    size_t shown = *payload < sizeof text - 1 ? *payload : sizeof text - 1;
    if (!receive_all(text, shown))
        return false;
    text[shown] = 0;
    if (shown < *payload)
        disconnect(); /* the rest of an overlong message is not worth reading */
    complain("the page service refused \"%s\": %s", relative, text);
    return true;
}

void exit_when_orphaned(void)
{
    /* Not whether a process of its number lives: that may be another one by now. */
    if (parent != 0 && parent != getpid() && getppid() != parent)
        _exit(1); /* holding the writer lock would only block the next compute */
}

static void wait_for_server(void)
{
    struct timespec pause = {0, RETRY_NANOSECONDS};
    nanosleep(&pause, NULL);
    exit_when_orphaned();
}

static bool is_connected(void)
{
    return connection >= 0 && connection_owner == getpid();
}

static bool connect_once(void)
{
    struct question hello = {.operation = OP_HELLO, .relative = "", .count = PROTOCOL_VERSION, .first = hello_epoch};
    uint32_t payload;
    bool refused;
    disconnect();
    connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connection_owner = getpid();
    if (connection < 0)
        return false;
    /* With a limit, a call ends at a signal, too: Postgres's handlers are installed with SA_RESTART. */
    struct timeval look = {0, LOOK_MICROSECONDS};
    (void)setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look);
    (void)setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &look, sizeof look);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0 || !send_question(&hello) ||
        !receive_status("", &payload, &refused)) {
        disconnect();
        return false;
    }
    if (refused)
        die("the page service does not accept this compute");
    return true;
}

enum outcome { ANSWERED, REFUSED, LOST, NOT_CONNECTED };

static enum outcome ask_once(struct question *question)
{
    uint32_t payload;
    bool refused;
    enum outcome outcome = NOT_CONNECTED;
    asking = question;
    if (is_connected() || connect_once()) {
        outcome = LOST;
        if (send_question(question) && receive_status(question->relative, &payload, &refused)) {
            if (refused)
                outcome = REFUSED;
            else if (question->receive(question, payload))
                outcome = ANSWERED;
        }
    }
    asking = NULL;
    if (outcome == LOST)
        disconnect();
    return outcome;
}

/* Asks until a server has answered whole. -1 with errno EIO when it refuses or cannot, or this process is not to wait. */
static int ask(struct question *question)
{
    __atomic_add_fetch(&map->requests, 1, __ATOMIC_RELAXED);
    for (int hang_ups = 0;;) {
        enum outcome outcome = ask_once(question);
        if (outcome == ANSWERED)
            return 0;
        if (outcome == REFUSED || gives_up(question))
            break;
        if (outcome == LOST && ++hang_ups == HANG_UPS_MAX) {
            complain("the page service hung up %d times when it was asked for \"%s\"; its log may say why", hang_ups,
                     question->relative);
            break;
        }
        wait_for_server();
    }
    errno = EIO;
    return -1;
}

/* ---- one question each ---- */

struct stat_answer {
    uint8_t kind;
    uint64_t size;
} __attribute__((packed));

static bool receive_stat(struct question *question, uint32_t payload)
{
    return payload == sizeof(struct stat_answer) && receive_all(question->answer, payload);
}

static int ask_status(const char *relative, enum agent_kind *kind, uint64_t *size, bool patient)
{
    struct stat_answer answer = {0, 0};
    struct question question = {.operation = OP_STAT,
                                .relative = relative,
                                .patient = patient,
                                .receive = receive_stat,
                                .answer = &answer};
    if (ask(&question) != 0)
        return -1;
    *kind = answer.kind;
    *size = answer.size;
    return 0;
}

int agent_stat(const char *relative, enum agent_kind *kind, uint64_t *size)
{
    return ask_status(relative, kind, size, false);
}

int agent_stat_patiently(const char *relative, enum agent_kind *kind, uint64_t *size)
{
    return ask_status(relative, kind, size, true);
}

struct pages_answer {
    uint8_t *flags;
    char *pages; /* NULL: they are in the shared memory */
};

static bool receive_pages(struct question *question, uint32_t payload)
{
    struct pages_answer *answer = question->answer;
    uint32_t count = question->count;
    if (payload < count || !receive_all(answer->flags, count))
        return false;
    for (uint32_t i = 0; answer->pages != NULL && i < count;) {
        /* Runs of data pages arrive in one go. */
        uint32_t run = 0;
        while (i + run < count && answer->flags[i + run] != 0)
            run++;
        if (run > 0 && !receive_all(answer->pages + (size_t)i * BLOCK, (size_t)run * BLOCK))
            return false;
        i += run > 0 ? run : 1;
    }
    return true;
}

/* Behind the status of a small file: the answer of a READ_PAGES for all of it. */
struct open_answer {
    struct stat_answer status;
    uint32_t count;
    struct pages_answer pages;
};

static bool receive_open(struct question *question, uint32_t payload)
{
    struct open_answer *answer = question->answer;
    if (payload < sizeof answer->status || !receive_all(&answer->status, sizeof answer->status))
        return false;
    payload -= (uint32_t)sizeof answer->status;
    answer->count = payload > 0 ? blocks_of(answer->status.size) : 0;
    struct question pages = {.count = answer->count, .answer = &answer->pages};
    return answer->count <= SMALL_FILE_BLOCKS && (payload == 0 || receive_pages(&pages, payload));
}

int agent_open(const char *relative, enum agent_kind *kind, uint64_t *size, uint32_t *count, uint8_t *flags,
               const char **pages)
{
    static char received[SMALL_FILE_BLOCKS * BLOCK];
    struct open_answer answer = {.pages = {flags, received}};
    struct question question = {.operation = OP_STAT,
                                .relative = relative,
                                .count = SMALL_FILE_BLOCKS,
                                .receive = receive_open,
                                .answer = &answer};
    if (ask(&question) != 0)
        return -1;
    *kind = answer.status.kind;
    *size = answer.status.size;
    *count = answer.count;
    *pages = received;
    return 0;
}

static bool receive_share(struct question *question, uint32_t payload)
{
    char *path = question->answer;
    if (payload >= PATH_LIMIT)
        return false;
    path[payload] = 0;
    return receive_all(path, payload);
}

/* Whether this connection has shared memory now. */
static bool share(void)
{
    char path[PATH_LIMIT] = "";
    struct question question = {.operation = OP_SHARE, .relative = "", .receive = receive_share, .answer = path};
    if ((!is_connected() && !connect_once()) || share_asked)
        return shared != NULL;
    if (ask(&question) != 0)
        return false;
    share_asked = true;
    int fd = *path != 0 ? libc.open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    void *mapped = mmap(NULL, SHARED_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    shared = mapped == MAP_FAILED ? NULL : mapped;
    libc.close(fd);
    return shared != NULL;
}

/*
 * Asks for pages in shared memory. Should the connection be lost, the next one has other memory, or none: 0 then, and the
 * caller asks otherwise. 1 answered, -1 refused.
 */
static int read_shared(struct question *question)
{
    struct pages_answer *answer = question->answer;
    answer->pages = NULL;
    if (!share())
        return 0;
    __atomic_add_fetch(&map->requests, 1, __ATOMIC_RELAXED);
    enum outcome outcome = ask_once(question);
    if (outcome == ANSWERED)
        return 1;
    if (outcome != REFUSED && !gives_up(question))
        return 0;
    errno = EIO;
    return -1;
}

int agent_read_pages(const char *relative, uint32_t first, uint32_t count, uint8_t *flags, const char **pages)
{
    static char received[READ_PAGES_LIMIT * BLOCK];
    struct pages_answer answer = {flags, NULL};
    struct question question = {.operation = OP_READ_SHARED,
                                .relative = relative,
                                .count = count,
                                .first = first,
                                .receive = receive_pages,
                                .answer = &answer};
    int answered = count >= SHARED_FROM || share_asked ? read_shared(&question) : 0;
    *pages = shared;
    if (answered != 0)
        return answered > 0 ? 0 : -1;
    question.operation = OP_READ_PAGES;
    answer.pages = received;
    *pages = received;
    return ask(&question);
}

int agent_read_blocks(const char *relative, const uint32_t *blocks, uint32_t count, uint8_t *flags, const char **pages)
{
    struct pages_answer answer = {flags, NULL};
    struct question question = {.operation = OP_READ_BLOCKS,
                                .relative = relative,
                                .count = count,
                                .blocks = blocks,
                                .receive = receive_pages,
                                .answer = &answer};
    int answered = read_shared(&question);
    *pages = shared;
    return answered;
}

struct file_answer {
    uint8_t kind;
    uint64_t size;
    uint32_t length;
    char *piece;
};

static bool receive_file(struct question *question, uint32_t payload)
{
    struct file_answer *answer = question->answer;
    struct stat_answer head;
    if (payload < sizeof head || payload - sizeof head > FILE_PIECE || !receive_all(&head, sizeof head))
        return false;
    answer->kind = head.kind;
    answer->size = head.size;
    answer->length = payload - (uint32_t)sizeof head;
    return receive_all(answer->piece, answer->length);
}

int agent_read_file(const char *relative, uint64_t offset, char *piece, uint32_t *length, enum agent_kind *kind,
                    uint64_t *size)
{
    struct file_answer answer = {.piece = piece};
    struct question question = {.operation = OP_READ_FILE,
                                .relative = relative,
                                .count = FILE_PIECE,
                                .first = offset,
                                .receive = receive_file,
                                .answer = &answer};
    if (ask(&question) != 0)
        return -1;
    *kind = answer.kind;
    *size = answer.size;
    *length = answer.length;
    return 0;
}

struct list_answer {
    struct {
        uint8_t kind;
        uint32_t count;
    } __attribute__((packed)) head;
    size_t bytes;
    char *entries;
};

static bool receive_list(struct question *question, uint32_t payload)
{
    struct list_answer *answer = question->answer;
    free(answer->entries);
    answer->entries = NULL;
    if (payload < sizeof answer->head || !receive_all(&answer->head, sizeof answer->head))
        return false;
    answer->bytes = payload - sizeof answer->head;
    answer->entries = malloc(answer->bytes + 1);
    return answer->entries != NULL && receive_all(answer->entries, answer->bytes);
}

int agent_list(const char *relative, enum agent_kind *kind, uint32_t *count, char **entries, size_t *bytes)
{
    struct list_answer answer = {.entries = NULL};
    struct question question = {
        .operation = OP_LIST, .relative = relative, .receive = receive_list, .answer = &answer};
    if (ask(&question) != 0) {
        free(answer.entries);
        return -1;
    }
    *kind = answer.head.kind;
    *count = answer.head.count;
    *entries = answer.entries;
    *bytes = answer.bytes;
    return 0;
}
