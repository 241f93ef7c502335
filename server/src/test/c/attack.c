/*
 * What a superuser of a branch may load into his Postgres: every step is a raw system call, so it goes round the
 * interposer. A function attack(cstring) returns cstring; the argument is an operation and its arguments, one a line; the answer
 * is "ok " and what was found, or "errno N text". Compiled by CageIT, without Postgres's headers: they need not be installed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- What Postgres wants of a module: fmgr.h, version 1 ------------------------------------------------------------- */

struct abi_values {
    int version, arguments, index_keys, name_length, float8_by_value;
    char extra[32];
};

#if PG_MAJOR >= 18
struct magic {
    int length;
    struct abi_values abi;
    const char *name, *module_version;
};
#else
struct magic {
    int length;
    struct abi_values abi;
};
#endif

struct nullable {
    uintptr_t value;
    bool is_null;
};

struct call {
    void *function, *context, *result;
    unsigned collation;
    bool is_null;
    short count;
    struct nullable arguments[];
};

struct api {
    int version;
};

const struct magic *Pg_magic_func(void);
const struct magic *Pg_magic_func(void) {
    static const struct magic magic = {
        .length = sizeof(struct magic),
        .abi = {.version = PG_MAJOR >= 10 ? PG_MAJOR * 100 : 0,
                .arguments = 100,
                .index_keys = 32,
                .name_length = 64,
                .float8_by_value = 1,
                .extra = "PostgreSQL"},
    };
    return &magic;
}

const struct api *pg_finfo_attack(void);
const struct api *pg_finfo_attack(void) {
    static const struct api api = {1};
    return &api;
}

/* --- The answer ------------------------------------------------------------------------------------------------------ */

static char answer[1 << 16];
static size_t used;

static void say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = vsnprintf(answer + used, sizeof answer - used, format, list);
    va_end(list);
    if (length > 0) {
        used += (size_t) length;
        if (used >= sizeof answer) used = sizeof answer - 1;
    }
}

/* Of bytes only what can stand in a text of any encoding. */
static void say_bytes(const char *bytes, ssize_t length) {
    for (ssize_t i = 0; i < length && used < sizeof answer - 1; i++)
        answer[used++] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '.';
    answer[used] = 0;
}

/* "ok RESULT" or the error; whether it was no error. */
static bool outcome(long result) {
    if (result == -1)
        say("errno %d %s", errno, strerror(errno));
    else
        say("ok %ld ", result);
    return result != -1;
}

static void pause_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* --- Files ----------------------------------------------------------------------------------------------------------- */

static int open_raw(const char *path, int flags) {
    return (int) syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
}

static void read_file(const char *path) {
    static char buffer[1 << 15];
    int fd = open_raw(path, O_RDONLY);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    ssize_t length = syscall(SYS_read, fd, buffer, sizeof buffer);
    if (outcome(length)) say_bytes(buffer, length);
    close(fd);
}

/* Whether a file holds a text, whatever its size: "ok 1" or "ok 0". */
static void search(const char *path, const char *text) {
    static char buffer[1 << 20];
    size_t wanted = strlen(text), kept = 0;
    int fd = open_raw(path, O_RDONLY);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    bool found = false;
    for (ssize_t n; !found && (n = read(fd, buffer + kept, sizeof buffer - kept)) > 0;) {
        found = memmem(buffer, kept + (size_t) n, text, wanted) != NULL;
        size_t all = kept + (size_t) n;
        kept = all < wanted ? all : wanted;
        memmove(buffer, buffer + all - kept, kept);
    }
    outcome(found);
    close(fd);
}

static void write_file(const char *path, const char *text, int flags) {
    int fd = open_raw(path, O_WRONLY | flags);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    outcome(write(fd, text, strlen(text)));
    close(fd);
}

static void list(const char *path) {
    static char buffer[1 << 15];
    int fd = open_raw(path, O_RDONLY | O_DIRECTORY);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    long length = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (outcome(length))
        for (long at = 0; at < length;) {
            /* struct linux_dirent64: 8 inode, 8 offset, 2 length, 1 type, name */
            unsigned short record;
            memcpy(&record, buffer + at + 16, sizeof record);
            say("%s ", buffer + at + 19);
            at += record;
        }
    close(fd);
}

static void sparse(const char *path, const char *length) {
    int fd = open_raw(path, O_WRONLY | O_CREAT);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    outcome(ftruncate(fd, atoll(length)));
    close(fd);
}

static void many_names(const char *directory, long count) {
    char path[PATH_MAX];
    long made = 0;
    for (; made < count; made++) {
        snprintf(path, sizeof path, "%s/%ld-with-a-name-that-takes-some-room", directory, made);
        int fd = open_raw(path, O_WRONLY | O_CREAT);
        if (fd == -1) break;
        close(fd);
    }
    say("ok %ld ", made);
}

/* Directories in one another, deeper than any path can be. */
static void deep(const char *directory, long depth) {
    int at = open_raw(directory, O_RDONLY | O_DIRECTORY);
    long made = 0;
    for (; at != -1 && made < depth; made++) {
        if (syscall(SYS_mkdirat, at, "deep", 0777) == -1) break;
        int next = (int) syscall(SYS_openat, at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = next;
    }
    if (at != -1) close(at);
    say("ok %ld ", made);
}

/* A process that exchanges two names, again and again, while the caller goes on. */
static void race(const char *one, const char *other, long ms) {
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            struct timespec now;
            clock_gettime(CLOCK_MONOTONIC, &now);
            long end = now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
            do {
                for (int i = 0; i < 100; i++)
                    syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2 /* RENAME_EXCHANGE */);
                clock_gettime(CLOCK_MONOTONIC, &now);
            } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < end);
        }
        _exit(0);
    }
    if (outcome(child)) waitpid(child, NULL, 0);
}

/* --- Descriptors, processes ------------------------------------------------------------------------------------------ */

/* Every open descriptor as fd:device:inode:octal mode. */
static void descriptors(void) {
    say("ok ");
    for (int fd = 0; fd < 4096; fd++) {
        struct stat stat;
        if (fstat(fd, &stat) == 0)
            say("%d:%lu:%lu:%o ", fd, (unsigned long) stat.st_dev, (unsigned long) stat.st_ino, stat.st_mode);
    }
}

static void attach(pid_t process) {
    long result = syscall(SYS_ptrace, PTRACE_SEIZE, process, NULL, NULL);
    if (outcome(result)) syscall(SYS_ptrace, PTRACE_DETACH, process, NULL, NULL);
}

/* Reads of another process's memory, at an address that the caller knows. */
static void read_memory(pid_t process, uintptr_t address) {
    char buffer[64];
    struct iovec local = {buffer, sizeof buffer}, remote = {(void *) address, sizeof buffer};
    outcome(syscall(SYS_process_vm_readv, process, &local, 1, &remote, 1, 0));
}

static void take_descriptor(pid_t process, int fd) {
    int pidfd = (int) syscall(SYS_pidfd_open, process, 0);
    if (pidfd == -1) {
        outcome(-1);
        return;
    }
    outcome(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
    close(pidfd);
}

static void signal_by_descriptor(pid_t process, int number) {
    int pidfd = (int) syscall(SYS_pidfd_open, process, 0);
    if (pidfd == -1) {
        outcome(-1);
        return;
    }
    outcome(syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0));
    close(pidfd);
}

static void limit(pid_t process, int resource, unsigned long value) {
    struct {
        uint64_t current, most;
    } limits = {value, value};
    outcome(syscall(SYS_prlimit64, process, resource, &limits, NULL));
}

/* --- Sockets --------------------------------------------------------------------------------------------------------- */

static int unix_socket(const char *path, bool abstract, bool listens) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t at = abstract ? 1 : 0;
    strncpy(address.sun_path + at, path, sizeof address.sun_path - at - 1);
    socklen_t length = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + at + strlen(path) + (abstract ? 0 : 1));
    int fd = (int) syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) return -1;
    long result = listens ? syscall(SYS_bind, fd, &address, length) : syscall(SYS_connect, fd, &address, length);
    if (result == -1) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void connect_unix(const char *path, bool abstract, bool listens) {
    int fd = unix_socket(path, abstract, listens);
    if (!outcome(fd)) return;
    /* What listens stays, for the life of this process. */
    if (listens)
        listen(fd, 8);
    else
        close(fd);
}

/* A file by the page service's protocol (docs/page-protocol.md, section 5): HELLO and READ_FILE. "ok KIND SIZE bytes". */
static void ask_agent(const char *socket_path, unsigned long epoch, const char *path, int inherited) {
    int fd = inherited >= 0 ? inherited : unix_socket(socket_path, false, false);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    struct timeval patience = {3, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    unsigned char request[1024] = {0};
    uint32_t count = 2, length = 16, most = 4096;
    uint16_t path_length = (uint16_t) strlen(path);
    memcpy(request, &length, 4);
    request[4] = 1;
    memcpy(request + 8, &count, 4);
    memcpy(request + 12, &epoch, 8);
    unsigned char reply[8192];
    ssize_t got = send(fd, request, 20, MSG_NOSIGNAL) == 20 ? recv(fd, reply, sizeof reply, 0) : -1;
    if (got < 5 || reply[4] != 0) {
        say("refused ");
        say_bytes((char *) reply, got > 0 ? got : 0);
    } else {
        memset(request, 0, sizeof request);
        length = 16u + path_length;
        memcpy(request, &length, 4);
        request[4] = 4;
        memcpy(request + 6, &path_length, 2);
        memcpy(request + 8, &most, 4);
        memcpy(request + 20, path, path_length);
        got = send(fd, request, 20 + path_length, MSG_NOSIGNAL) > 0 ? recv(fd, reply, sizeof reply, 0) : -1;
        if (got < 6 || reply[4] != 0 || reply[5] == 0) {
            say("absent ");
            say_bytes((char *) reply, got > 0 ? got : 0);
        } else {
            say("ok ");
            say_bytes((char *) reply + 14, got - 14);
        }
    }
    if (inherited < 0) close(fd);
}

/* kind: tcp, mptcp, fastopen, udp. */
static void connect_inet(const char *kind, const char *host, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    bool udp = strcmp(kind, "udp") == 0;
    int fd = (int) syscall(SYS_socket, AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, strcmp(kind, "mptcp") == 0 ? 262 : 0);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    struct timeval patience = {3, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    long result;
    if (udp)
        result = syscall(SYS_sendto, fd, "out", 3, 0, &address, sizeof address);
    else if (strcmp(kind, "fastopen") == 0)
        result = syscall(SYS_sendto, fd, "out", 3, MSG_FASTOPEN | MSG_NOSIGNAL, &address, sizeof address);
    else
        result = syscall(SYS_connect, fd, &address, sizeof address);
    outcome(result);
    close(fd);
}

static void listen_inet(int port, bool udp) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    int fd = (int) syscall(SYS_socket, AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    outcome(syscall(SYS_bind, fd, &address, sizeof address));
    close(fd);
}

/* Connections that stay: "ok N" with how many there are. */
static void flood(const char *path, long count) {
    long made = 0;
    while (made < count && unix_socket(path, false, false) != -1) made++;
    say("ok %ld ", made);
}

/* Hears of new names in a directory: it must be readable for this user, and that is all. */
static void watch(const char *directory) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    outcome(inotify_add_watch(fd, directory, IN_CREATE | IN_MOVED_TO));
    close(fd);
}

/* --- Shared memory of System V --------------------------------------------------------------------------------------- */

/* The segments of other creators that can be attached: "ok N". */
static void foreign_segments(pid_t own_postmaster) {
    struct shmid_ds data;
    struct shm_info info;
    int highest = shmctl(0, SHM_INFO, (struct shmid_ds *) (void *) &info);
    if (highest == -1) {
        outcome(-1);
        return;
    }
    int reached = 0;
    for (int i = 0; i <= highest; i++) {
        int id = shmctl(i, SHM_STAT, &data);
        if (id == -1 || data.shm_cpid == own_postmaster) continue;
        void *at = (void *) syscall(SYS_shmat, id, NULL, SHM_RDONLY);
        if (at != (void *) -1) {
            reached++;
            say("%d ", id);
            shmdt(at);
        }
    }
    say(reached > 0 ? "ok %d " : "none %d ", reached);
}

/* --- Resources ------------------------------------------------------------------------------------------------------- */

/* Processes that sleep until they are killed: "ok N" with how many there are at the end. */
static void fork_many(long count) {
    long made = 0;
    for (; made < count; made++) {
        pid_t child = fork();
        if (child == -1) break;
        if (child == 0)
            for (;;) pause_ms(1000);
    }
    if (made < count)
        say("errno %d %s after %ld ", errno, strerror(errno), made);
    else
        say("ok %ld ", made);
}

/* Processes that burn their processor for a time. */
static void spin_many(long count, long seconds) {
    for (long i = 0; i < count; i++) {
        if (fork() == 0) {
            alarm((unsigned) seconds);
            for (volatile unsigned long n = 0;; n++) continue;
        }
    }
    say("ok %ld ", count);
}

/* Touches memory, a megabyte at a time, in a child; "ok N" = how many megabytes it got before its end. */
static void hog(long megabytes, long hold_ms) {
    volatile long *got =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        for (long i = 0; i < megabytes; i++) {
            char *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (piece == MAP_FAILED) break;
            for (size_t at = 0; at < 1 << 20; at += 4096) piece[at] = 1;
            *got = i + 1;
        }
        pause_ms(hold_ms);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    say("%s %ld ", *got >= megabytes ? "ok" : "stopped", *got);
    munmap((void *) got, 4096);
}

/*
 * Writes until it is refused: "ok N" or the error, and how many megabytes there are. Not as fast as it could: what shall be shown
 * is that it ends, not how fast a disk is.
 */
static void fill(const char *path, long megabytes, bool hides) {
    static char piece[1 << 20];
    memset(piece, 'x', sizeof piece);
    int fd = open_raw(path, O_WRONLY | O_CREAT | O_APPEND);
    if (fd == -1) {
        outcome(-1);
        return;
    }
    if (hides) syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    long done = 0;
    while (done < megabytes && write(fd, piece, sizeof piece) == (ssize_t) sizeof piece) {
        done++;
        pause_ms(2);
    }
    if (done < megabytes)
        say("errno %d %s after %ld ", errno, strerror(errno), done);
    else
        say("ok %ld ", done);
    close(fd);
}

/* --- Any call -------------------------------------------------------------------------------------------------------- */

static char scratch[4096];

static long argument(const char *text) {
    if (text == NULL) return 0;
    if (text[0] == '"') return (long) (text + 1); /* a string */
    if (strcmp(text, "buffer") == 0) return (long) scratch;
    return strtol(text, NULL, 0);
}

/* In a child, since a filter may end the process: "ok RESULT", the error, or "killed SIGNAL". */
static void any_call(char **with) {
    volatile long *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        shared[0] = syscall(argument(with[1]), argument(with[2]), argument(with[3]), argument(with[4]),
                            argument(with[5]), argument(with[6]), argument(with[7]));
        shared[1] = errno;
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        say("killed %d ", WTERMSIG(status));
    } else {
        errno = (int) shared[1];
        outcome(shared[0]);
    }
    munmap((void *) shared, 4096);
}

/* --- The operations -------------------------------------------------------------------------------------------------- */

#define IS(name) (strcmp(op, name) == 0)

static void files(const char *op, char **with) {
    const char *a = with[1], *b = with[2];
    if (IS("read")) read_file(a);
    else if (IS("open")) outcome(open_raw(a, O_RDONLY));
    else if (IS("search")) search(a, b);
    else if (IS("append")) write_file(a, b, O_APPEND);
    else if (IS("create")) write_file(a, b, O_CREAT);
    else if (IS("list")) list(a);
    else if (IS("symlink")) outcome(syscall(SYS_symlinkat, a, AT_FDCWD, b));
    else if (IS("link")) outcome(syscall(SYS_linkat, AT_FDCWD, a, AT_FDCWD, b, 0));
    else if (IS("fifo")) outcome(syscall(SYS_mknodat, AT_FDCWD, a, S_IFIFO | 0666, 0));
    else if (IS("device")) outcome(syscall(SYS_mknodat, AT_FDCWD, a, S_IFCHR | 0666, makedev(1, 5)));
    else if (IS("mkdir")) outcome(syscall(SYS_mkdirat, AT_FDCWD, a, 0777));
    else if (IS("rename")) outcome(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 0));
    else if (IS("exchange")) outcome(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2));
    else if (IS("unlink")) outcome(syscall(SYS_unlinkat, AT_FDCWD, a, 0));
    else if (IS("rmdir")) outcome(syscall(SYS_unlinkat, AT_FDCWD, a, AT_REMOVEDIR));
    else if (IS("chmod")) outcome(syscall(SYS_fchmodat, AT_FDCWD, a, strtol(b, NULL, 8)));
    else if (IS("truncate")) outcome(truncate(a, atoll(b)));
    else if (IS("sparse")) sparse(a, b);
    else if (IS("stretch")) outcome(ftruncate(atoi(a), atoll(b)));
    else if (IS("names")) many_names(a, atol(b));
    else if (IS("deep")) deep(a, atol(b));
    else if (IS("race")) race(a, b, atol(with[3]));
}

static void others(const char *op, char **with) {
    const char *a = with[1], *b = with[2], *c = with[3];
    if (IS("descriptors")) descriptors();
    else if (IS("kill")) outcome(syscall(SYS_kill, atol(a), atol(b)));
    else if (IS("tgkill")) outcome(syscall(SYS_tgkill, atol(a), atol(a), atol(b)));
    else if (IS("pidfd-kill")) signal_by_descriptor((pid_t) atol(a), (int) atol(b));
    else if (IS("pidfd-getfd")) take_descriptor((pid_t) atol(a), (int) atol(b));
    else if (IS("ptrace")) attach((pid_t) atol(a));
    else if (IS("memory")) read_memory((pid_t) atol(a), strtoul(b, NULL, 16));
    else if (IS("limit")) limit((pid_t) atol(a), (int) atol(b), strtoul(c, NULL, 0));
    else if (IS("connect")) connect_unix(a, false, false);
    else if (IS("connect-abstract")) connect_unix(a, true, false);
    else if (IS("bind-abstract")) connect_unix(a, true, true);
    else if (IS("bind")) connect_unix(a, false, true);
    else if (IS("agent")) ask_agent(a, strtoul(b, NULL, 0), c, with[4] ? atoi(with[4]) : -1);
    else if (IS("inet")) connect_inet(a, b, atoi(c));
    else if (IS("listen")) listen_inet(atoi(a), false);
    else if (IS("listen-udp")) listen_inet(atoi(a), true);
    else if (IS("flood")) flood(a, atol(b));
    else if (IS("watch")) watch(a);
    else if (IS("segments")) foreign_segments((pid_t) atol(a));
    else if (IS("fork")) fork_many(atol(a));
    else if (IS("spin")) spin_many(atol(a), atol(b));
    else if (IS("hog")) hog(atol(a), atol(b));
    else if (IS("fill")) fill(a, atol(b), false);
    else if (IS("fill-hidden")) fill(a, atol(b), true);
    else if (IS("call")) any_call(with);
    else if (IS("ids")) say("ok %d %d %d ", (int) getuid(), (int) getpid(), (int) getppid());
}

uintptr_t attack(struct call *call);
uintptr_t attack(struct call *call) {
    static char copy[8192];
    char *with[16] = {0};
    int count = 0;
    used = 0;
    answer[0] = 0;
    errno = 0;
    strncpy(copy, (const char *) call->arguments[0].value, sizeof copy - 1);
    for (char *rest = copy, *part; count < 15 && (part = strsep(&rest, "\n")) != NULL;) with[count++] = part;
    files(with[0], with);
    if (used == 0) others(with[0], with);
    if (used == 0) say("unknown operation");
    return (uintptr_t) answer;
}
