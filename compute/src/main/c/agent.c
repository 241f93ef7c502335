/*
 * Requests to the page service over the agent's Unix socket: docs/page-protocol.md, section 5. A connection per process,
 * opened lazily after the fork. Requests are idempotent, so a lost connection is simply tried again, for as long as it
 * takes (design, law 9); only the end of the postmaster ends the waiting.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PROTOCOL_VERSION 1
#define ANSWER_LIMIT (64u << 20)
#define RETRY_NANOSECONDS 20000000L

enum operation { OP_HELLO = 1, OP_STAT = 2, OP_READ_PAGES = 3, OP_READ_FILE = 4, OP_LIST = 5 };

struct request {
    uint32_t length;
    uint8_t operation;
    uint8_t zero;
    uint16_t path_length;
    uint32_t count;
    uint64_t first;
} __attribute__((packed));

static struct sockaddr_un address;
static uint32_t hello_epoch;
static int connection = -1;
static pid_t connection_owner;

void agent_init(const char *socket_path, uint32_t epoch)
{
    address.sun_family = AF_UNIX;
    if (strlen(socket_path) >= sizeof address.sun_path)
        die("the agent's socket path is too long: %s", socket_path);
    strcpy(address.sun_path, socket_path);
    hello_epoch = epoch;
}

static void disconnect(void)
{
    if (connection >= 0)
        libc.close(connection); /* in a forked child: its copy only */
    connection = -1;
}

static bool send_all(const void *data, size_t length)
{
    const char *p = data;
    while (length > 0) {
        ssize_t n = send(connection, p, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
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
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        length -= (size_t)n;
    }
    return true;
}

static bool send_request(enum operation operation, const char *relative, uint32_t count, uint64_t first)
{
    char message[sizeof(struct request) + PATH_LIMIT];
    size_t path_length = strlen(relative);
    struct request request = {
        .length = (uint32_t)(sizeof request - 4 + path_length),
        .operation = (uint8_t)operation,
        .path_length = (uint16_t)path_length,
        .count = count,
        .first = first,
    };
    memcpy(message, &request, sizeof request);
    memcpy(message + sizeof request, relative, path_length);
    return send_all(message, sizeof request + path_length);
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
    pid_t postmaster = map->postmaster;
    if (postmaster > 0 && postmaster != getpid() && kill(postmaster, 0) != 0 && errno == ESRCH)
        _exit(1); /* holding the writer lock would only block the next compute */
}

static void wait_for_server(void)
{
    struct timespec pause = {0, RETRY_NANOSECONDS};
    nanosleep(&pause, NULL);
    exit_when_orphaned();
}

static bool connect_once(void)
{
    uint32_t payload;
    bool refused;
    disconnect();
    connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connection_owner = getpid();
    if (connection < 0)
        return false;
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0 ||
        !send_request(OP_HELLO, "", PROTOCOL_VERSION, hello_epoch) || !receive_status("", &payload, &refused)) {
        disconnect();
        return false;
    }
    if (refused)
        die("the page service does not accept this compute");
    return true;
}

/* Sends the request and reads the answer's head, reconnecting until a server answers. False = refused. */
static bool ask(enum operation operation, const char *relative, uint32_t count, uint64_t first, uint32_t *payload)
{
    bool refused;
    __atomic_add_fetch(&map->requests, 1, __ATOMIC_RELAXED);
    for (;;) {
        if ((connection >= 0 && connection_owner == getpid()) || connect_once()) {
            if (send_request(operation, relative, count, first) && receive_status(relative, payload, &refused)) {
                if (refused)
                    errno = EIO;
                return !refused;
            }
            disconnect();
        }
        wait_for_server();
    }
}

int agent_stat(const char *relative, enum agent_kind *kind, uint64_t *size)
{
    struct {
        uint8_t kind;
        uint64_t size;
    } __attribute__((packed)) answer;
    uint32_t payload;
    for (;;) {
        if (!ask(OP_STAT, relative, 0, 0, &payload))
            return -1;
        if (payload == sizeof answer && receive_all(&answer, sizeof answer))
            break;
        disconnect();
    }
    *kind = answer.kind;
    *size = answer.size;
    return 0;
}

int agent_read_pages(const char *relative, uint32_t first, uint32_t count, uint8_t *flags, char *pages)
{
    uint32_t payload;
    for (;;) {
        if (!ask(OP_READ_PAGES, relative, count, first, &payload))
            return -1;
        bool whole = receive_all(flags, count);
        for (uint32_t i = 0; whole && i < count; i++) {
            /* Runs of data pages arrive in one go. */
            uint32_t run = 0;
            while (i + run < count && flags[i + run] != 0)
                run++;
            if (run > 0)
                whole = receive_all(pages + (size_t)i * BLOCK, (size_t)run * BLOCK);
            else
                memset(pages + (size_t)i * BLOCK, 0, BLOCK);
            if (run > 0)
                i += run - 1;
        }
        if (whole)
            return 0;
        disconnect();
    }
}

int agent_read_file(const char *relative, char **content, uint64_t *size)
{
    struct {
        uint8_t kind;
        uint64_t size;
    } __attribute__((packed)) head;
    uint32_t payload;
    for (;;) {
        *content = NULL;
        if (!ask(OP_READ_FILE, relative, 0, 0, &payload))
            return -1;
        if (payload >= sizeof head && receive_all(&head, sizeof head)) {
            if (head.kind == KIND_ABSENT)
                return 0;
            *size = head.size;
            if (head.size == payload - sizeof head && (*content = malloc(head.size + 1)) != NULL &&
                receive_all(*content, head.size))
                return 0;
            free(*content);
        }
        disconnect();
        wait_for_server();
    }
}

int agent_list(const char *relative, enum agent_kind *kind, uint32_t *count, char **entries, size_t *bytes)
{
    struct {
        uint8_t kind;
        uint32_t count;
    } __attribute__((packed)) head;
    uint32_t payload;
    for (;;) {
        *entries = NULL;
        if (!ask(OP_LIST, relative, 0, 0, &payload))
            return -1;
        if (payload >= sizeof head && receive_all(&head, sizeof head)) {
            *kind = head.kind;
            *count = head.count;
            *bytes = payload - sizeof head;
            if ((*entries = malloc(*bytes + 1)) != NULL && receive_all(*entries, *bytes))
                return 0;
            free(*entries);
        }
        disconnect();
        wait_for_server();
    }
}
