/*
 * The launcher of computes against native code: cage_test LAUNCHER DIRECTORY. This program starts itself inside a sandbox, once for
 * each attempt, and once without, where the attempt must come further: a test of a door that is locked anyway would show nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAKED_DESCRIPTOR 77
#define ARGUMENTS_MAX 64
#define FREE_UID "54329"

static const char *launcher, *scratch;
static char self[4096];
static int failures;

static const char *in(const char *name)
{
    static char path[4][4096];
    static int next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", scratch, name);
    return p;
}

/* ---- attempts: 0, or the errno with which they failed ---- */

static int result(long value)
{
    return value < 0 ? errno : 0;
}

static int open_for(const char *path, int flags)
{
    return result(open(path, flags, 0600));
}

static int read_own(void) { return open_for(in("own/file"), O_RDONLY); }
static int write_own(void) { return open_for(in("own/new"), O_RDWR | O_CREAT | O_TRUNC); }
static int read_foreign(void) { return open_for(in("foreign/file"), O_RDONLY); }
static int write_foreign(void) { return open_for(in("foreign/file"), O_WRONLY); }
static int create_foreign(void) { return open_for(in("foreign/new"), O_RDWR | O_CREAT | O_EXCL); }
static int truncate_foreign(void) { return result(truncate(in("foreign/file"), 1)); }
static int delete_foreign(void) { return result(unlink(in("foreign/victim"))); }
static int list_foreign(void) { return open_for(in("foreign"), O_RDONLY | O_DIRECTORY); }
static int list_pages(void) { return open_for(in("pages"), O_RDONLY | O_DIRECTORY); }
static int read_page(void) { return open_for(in("pages/file"), O_RDONLY); }
static int write_page(void) { return open_for(in("pages/file"), O_WRONLY); }
static int link_foreign(void) { return result(link(in("foreign/file"), in("own/link"))); }
static int link_by_name(void) { return result(symlink("/etc", in("own/symbolic"))); }
static int make_fifo(void) { return result(mkfifo(in("own/fifo"), 0600)); }
static int rename_out(void) { return result(rename(in("own/moving"), in("foreign/moved"))); }
static int rename_within(void) { return result(rename(in("own/within"), in("own/directory/within"))); }
static int make_in_memory(void) { return open_for(in("memory/file"), O_RDWR | O_CREAT); }
static int directory_in_memory(void) { return result(mkdir(in("memory/directory"), 0700)); }
static int start_own(void) { return execl(in("own/program"), "program", "--true", NULL) < 0 ? errno : 0; }
static int list_processes(void) { return open_for("/proc", O_RDONLY | O_DIRECTORY); }
static int temporary(void) { return open_for("/tmp", O_RDWR | O_TMPFILE); }
static int leaked(void) { return result(fcntl(LEAKED_DESCRIPTOR, F_GETFD)); }
static int signal_outside(void) { return result(kill((pid_t)atoi(getenv("OUTSIDE")), 0)); }
static int limit_outside(void)
{
    return result(syscall(SYS_prlimit64, atoi(getenv("OUTSIDE")), RLIMIT_CORE, NULL, NULL));
}
static int limit_self(void) { return result(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, NULL)); }
static int nice_outside(void) { return result(setpriority(PRIO_PROCESS, (id_t)atoi(getenv("OUTSIDE")), 19)); }

static int nice_all(void) { return result(setpriority(PRIO_USER, 0, getpriority(PRIO_PROCESS, 0))); }
static int nice_self(void) { return result(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0))); }
static int slow_all(void) { return result(syscall(SYS_ioprio_set, 3 /* IOPRIO_WHO_USER */, 0, 2 << 13 | 4)); }
static int mode_foreign(void) { return result(chmod(in("foreign/file"), 0600)); }
static int owner_foreign(void) { return result(chown(in("foreign/file"), getuid(), getgid())); }
static int times_foreign(void) { return result(utimensat(AT_FDCWD, in("foreign/file"), NULL, 0)); }
static int attribute_foreign(void) { return result(syscall(SYS_setxattr, in("foreign/file"), "user.x", "x", 1, 0)); }
static int times_own(void) { return result(futimens(open(in("own/file"), O_RDONLY), NULL)); }
static int mode_own(void) { return result(fchmod(open(in("own/file"), O_RDONLY), 0600)); }
static int watch_foreign(void) { return result(syscall(SYS_inotify_add_watch, syscall(SYS_inotify_init1, 0), in("foreign"), 0x100)); }
static int segment(void) { return result(syscall(SYS_shmget, 0, 4096, 01600)); }

static socklen_t abstract_address(struct sockaddr_un *address, const char *process)
{
    address->sun_family = AF_UNIX;
    int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "coppice-cage-test-%s", process);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static int abstract_socket(void)
{
    struct sockaddr_un address = {0};
    socklen_t length = abstract_address(&address, getenv("OUTSIDE"));
    return result(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, length));
}

static int make_socket(int family, int type, int protocol) { return result(socket(family, type, protocol)); }
static int tcp(void) { return make_socket(AF_INET, SOCK_STREAM, 0); }
static int udp(void) { return make_socket(AF_INET6, SOCK_DGRAM, 0); }
static int netlink(void) { return make_socket(AF_NETLINK, SOCK_RAW, 0); }
static int unix_socket(void) { return make_socket(AF_UNIX, SOCK_STREAM, 0); }
static int crypto(void) { return make_socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0); }
static int virtual_machine(void) { return make_socket(40 /* AF_VSOCK */, SOCK_STREAM, 0); }

static int trace(void) { return result(syscall(SYS_ptrace, 0 /* PTRACE_TRACEME */, 0, 0, 0)); }
static int new_user_namespace(void) { return result(syscall(SYS_unshare, CLONE_NEWUSER)); }
static int clone_namespace(void)
{
    long child = syscall(SYS_clone, CLONE_NEWUTS | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    return result(child);
}
static int clone_by_structure(void) { return result(syscall(435, NULL, 0)); }
static int ordinary_fork(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return result(child);
}
static int ring(void) { return result(syscall(425, 0, NULL)); }
static int keys(void) { return result(syscall(SYS_keyctl, 0, -3, 0, 0, 0)); }
static int counters(void) { return result(syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0)); }
static int faults(void) { return result(syscall(SYS_userfaultfd, 1)); }
static int programs(void) { return result(syscall(SYS_bpf, 0, NULL, 0)); }
static int mount_something(void) { return result(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL)); }
static int handles(void) { return result(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0)); }
static int queue(void) { return result(syscall(SYS_msgget, 0, 0)); }
static int unknown_call(void) { return result(syscall(490)); }
static int other_personality(void) { return result(personality(ADDR_NO_RANDOMIZE)); }
static int same_personality(void) { return result(personality(0xffffffff)); }
static int type_into_terminal(void) { return result(ioctl(0, 0x5412 /* TIOCSTI */, "x")); }
#ifdef __x86_64__
static int x32(void) { return result(syscall(0x40000000 | SYS_getpid)); }
static int old_calls(void)
{
    int answer;
    __asm__ volatile("int $0x80" : "=a"(answer) : "a"(20 /* getpid */) : "memory", "r8", "r9", "r10", "r11");
    return answer < 0 ? -answer : 0;
}
#endif
static int core_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 ? 0 : ERANGE;
}
static int made_directory(void) { return result(access(in("own/made"), W_OK)); }
static int leader(void) { return getsid(0) == getpid() ? 0 : ESRCH; }
static int other_user(void) { return getuid() == (uid_t)atoi(FREE_UID) && setuid(0) != 0 ? 0 : EPERM; }
static int environment(void) { return getenv("NAME") != NULL && getenv("HOME") == NULL ? 0 : ENOENT; }

#define ANYTHING (-1)

static const struct attempt {
    const char *name;
    int (*run)(void);
    int caged; /* the errno that it has to have, 0 = it works */
    int free;  /* the same without a sandbox */
} attempts[] = {
    {"read own", read_own, 0, 0},
    {"write own", write_own, 0, 0},
    {"read foreign", read_foreign, EACCES, 0},
    {"write foreign", write_foreign, EACCES, 0},
    {"create foreign", create_foreign, EACCES, 0},
    {"truncate foreign", truncate_foreign, EACCES, 0},
    {"delete foreign", delete_foreign, EACCES, 0},
    {"list foreign", list_foreign, EACCES, 0},
    {"list pages", list_pages, EACCES, 0},
    {"read page", read_page, 0, 0},
    {"write page", write_page, EACCES, 0},
    {"link foreign", link_foreign, EXDEV, 0},
    {"link by name", link_by_name, EACCES, 0},
    {"make fifo", make_fifo, EACCES, 0},
    {"rename within", rename_within, 0, ANYTHING},
    {"rename out", rename_out, EACCES, 0},
    {"file in memory", make_in_memory, 0, 0},
    {"directory in memory", directory_in_memory, EACCES, 0},
    {"start own", start_own, EACCES, 0},
    {"list processes", list_processes, EACCES, 0},
    {"temporary file", temporary, EACCES, 0},
    {"leaked descriptor", leaked, EBADF, 0},
    {"signal outside", signal_outside, EPERM, 0},
    {"limit outside", limit_outside, EPERM, 0},
    {"limit self", limit_self, 0, 0},
    {"nice outside", nice_outside, EPERM, 0},
    {"nice all", nice_all, EPERM, 0},
    {"nice self", nice_self, 0, 0},
    {"slow all", slow_all, EPERM, 0},
    {"mode foreign", mode_foreign, EPERM, 0},
    {"owner foreign", owner_foreign, EPERM, 0},
    {"times foreign", times_foreign, EPERM, 0},
    {"attribute foreign", attribute_foreign, EPERM, ANYTHING},
    {"times own", times_own, 0, 0},
    {"mode own", mode_own, 0, 0},
    {"watch foreign", watch_foreign, EPERM, 0},
    {"segment", segment, EPERM, 0},
    {"abstract socket", abstract_socket, EPERM, 0},
    {"tcp", tcp, EPERM, 0},
    {"udp", udp, EPERM, ANYTHING},
    {"netlink", netlink, EPERM, 0},
    {"unix socket", unix_socket, 0, 0},
    {"crypto", crypto, EPERM, ANYTHING},
    {"virtual machine", virtual_machine, EPERM, ANYTHING},
    {"trace", trace, EPERM, 0},
    {"user namespace", new_user_namespace, EPERM, ANYTHING},
    {"clone namespace", clone_namespace, EPERM, ANYTHING},
    {"clone by structure", clone_by_structure, ENOSYS, EINVAL},
    {"fork", ordinary_fork, 0, 0},
    {"ring", ring, EPERM, ANYTHING},
    {"keys", keys, EPERM, ANYTHING},
    {"counters", counters, EPERM, EFAULT},
    {"faults", faults, EPERM, ANYTHING},
    {"programs", programs, EPERM, ANYTHING},
    {"mount", mount_something, EPERM, ANYTHING},
    {"handles", handles, EPERM, EFAULT},
    {"queue", queue, EPERM, ANYTHING},
    {"unknown call", unknown_call, ENOSYS, ENOSYS},
    {"other personality", other_personality, EPERM, 0},
    {"same personality", same_personality, 0, 0},
    {"type into terminal", type_into_terminal, EPERM, ENOTTY},
#ifdef __x86_64__
    {"x32", x32, ENOSYS, ANYTHING},
    {"32 bit", old_calls, ENOSYS, ANYTHING},
#endif
    {"core limit", core_limit, 0, ANYTHING},
    {"made directory", made_directory, 0, ANYTHING},
    {"session", leader, 0, ANYTHING},
    {"environment", environment, 0, ANYTHING},
};

static int run_inside(const char *name)
{
    scratch = getenv("SCRATCH");
    if (strcmp(name, "other user") == 0)
        return other_user();
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        if (strcmp(attempts[i].name, name) == 0)
            return attempts[i].run();
    }
    return 255;
}

/* ---- outside ---- */

static char *text(const char *format, const char *value)
{
    char *made;
    if (asprintf(&made, format, value) < 0)
        abort();
    return made;
}

static int status_of(char **arguments, bool quiet)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        if (quiet)
            dup2(null, 2);
        dup2(null, LEAKED_DESCRIPTOR);
        execv(arguments[0], arguments);
        _exit(254);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static void expect(const char *what, int expected, int actual)
{
    if (expected == actual)
        return;
    failures++;
    printf("%s: expected %d (%s), got %d (%s)\n", what, expected, strerror(expected), actual, strerror(actual));
}

static int caged(const char *name)
{
    char outside[32];
    snprintf(outside, sizeof outside, "OUTSIDE=%ld", (long)getpid());
    char *arguments[ARGUMENTS_MAX] = {
        (char *)launcher, "run", "--session", "--filter", "--shared-user", "--network=none", "--landlock=6", "--limit=core:0",
        "--read-if-there=/usr", "--read-if-there=/lib", "--read-if-there=/lib64", "--read-if-there=/bin",
        "--read-if-there=/etc/ld.so.cache", "--read-if-there=/nowhere", "--file=/dev/null",
        text("--read=%s", self), text("--look-up=%s", in("pages")), text("--sockets=%s", in("own")),
        text("--memory=%s", in("memory")), text("--directory=%s", in("own/made")), text("--env=SCRATCH=%s", scratch),
        text("--env=%s", outside), "--env=NAME=value", "--", self, "--inside", (char *)name, NULL};
    return status_of(arguments, false);
}

static int uncaged(const char *name)
{
    char *arguments[] = {self, "--inside", (char *)name, NULL};
    char outside[32];
    snprintf(outside, sizeof outside, "%ld", (long)getpid());
    setenv("OUTSIDE", outside, 1);
    setenv("SCRATCH", scratch, 1);
    return status_of(arguments, false);
}

static void file(const char *name)
{
    int fd = open(in(name), O_RDWR | O_CREAT, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1)
        abort();
    close(fd);
}

static void lay_out(void)
{
    const char *const directories[] = {"own", "own/directory", "foreign", "pages", "memory"};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        mkdir(in(directories[i]), 0700);
    const char *const files[] = {"own/file", "own/moving", "own/within", "foreign/file", "foreign/victim", "pages/file"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        file(files[i]);
    /* Not a link: rules are of files, not of names. */
    char *copy[] = {"/bin/cp", self, (char *)in("own/program"), NULL};
    if (status_of(copy, false) != 0)
        abort();
}

static void listen_outside(void)
{
    struct sockaddr_un address = {0};
    char process[32];
    snprintf(process, sizeof process, "%ld", (long)getpid());
    socklen_t length = abstract_address(&address, process);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 8) != 0)
        abort();
}

/* What is asked for and cannot be done ends the start. */
static void refuses(void)
{
    char *newer[] = {(char *)launcher, "run", "--landlock=7", "--read=/nowhere", "--", self, "--true", NULL};
    expect("a path that is not there", 70, status_of(newer, true));
    char *group[] = {(char *)launcher, "run", "--group=/nowhere", "--", self, "--true", NULL};
    expect("a control group that is not there", 70, status_of(group, true));
    char *root[] = {(char *)launcher, "run", "--user=0:0", "--", self, "--true", NULL};
    expect("root", 2, status_of(root, true));
    char *unknown[] = {(char *)launcher, "run", "--landlok=7", "--", self, "--true", NULL};
    expect("an unknown option", 2, status_of(unknown, true));
    char *relative[] = {(char *)launcher, "run", "--write=own", "--", self, "--true", NULL};
    expect("a relative path", 2, status_of(relative, true));
    char *loopback[] = {(char *)launcher, "run", "--network=loopback", "--", self, "--true", NULL};
    expect("a loopback without namespace", 2, status_of(loopback, true));
    char *nothing[] = {(char *)launcher, "run", "--session", "--", NULL};
    expect("no program", 2, status_of(nothing, true));
    char *all[] = {(char *)launcher, "kill", "0", NULL};
    expect("ending root's processes", 70, status_of(all, true));
    char *minus[] = {(char *)launcher, "kill", "-1", NULL};
    expect("ending everybody's processes", 70, status_of(minus, true));
}

static void as_root(void)
{
    char *user[] = {(char *)launcher, "run", "--user=" FREE_UID ":" FREE_UID, text("--env=SCRATCH=%s", scratch), "--", self,
                    "--inside", "other user", NULL};
    expect("another user", 0, status_of(user, false));
    /* One that leaves its session and its parent. */
    char *daemon[] = {(char *)launcher, "run", "--session", "--user=" FREE_UID ":" FREE_UID, "--", "/bin/sh", "-c",
                      "(setsid sleep 300 &) ; exit 0", NULL};
    expect("a daemon", 0, status_of(daemon, false));
    char *end[] = {(char *)launcher, "kill", FREE_UID, NULL};
    expect("its end", 0, status_of(end, false));
    char *left[] = {"/bin/sh", "-c", "for s in /proc/[0-9]*/status; do grep -q '^Uid:.*" FREE_UID
                    "' $s 2>/dev/null && ! grep -q '^State:.Z' $s 2>/dev/null && exit 1; done; exit 0", NULL};
    expect("what is left", 0, status_of(left, false));
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "--inside") == 0)
        return run_inside(arguments[2]);
    if (count == 2 && strcmp(arguments[1], "--true") == 0)
        return 0;
    if (count != 3 || readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 2;
    launcher = arguments[1];
    scratch = arguments[2];
    lay_out();
    listen_outside();
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        expect(attempts[i].name, attempts[i].caged, caged(attempts[i].name));
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        if (attempts[i].free != ANYTHING)
            expect(text("%s, without a sandbox", attempts[i].name), attempts[i].free, uncaged(attempts[i].name));
    }
    refuses();
    if (geteuid() == 0)
        as_root();
    printf("%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
