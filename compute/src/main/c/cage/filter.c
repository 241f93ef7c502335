/*
 * The filter of system calls: what Postgres and ordinary programs never need is refused, because it reaches other processes, the
 * machine, or parts of the kernel that have had holes. Everything else passes; for most of it the kernel does not even run the
 * filter (it keeps a bitmap of calls that pass whatever their arguments).
 */
#define _GNU_SOURCE
#include "cage.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define X32_CALLS 0x40000000u
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no list of system calls for this architecture"
#endif

/* From 424 on every architecture has the same numbers; the headers may not know all of them. */
#define CALL_CLONE3 435
#define CALL_LAST_KNOWN 469 /* file_setattr of Linux 6.17: what later kernels add has not been looked at */

#define INSTRUCTIONS_MAX 512
#define TIOCSTI_COMMAND 0x5412   /* types into a terminal */
#define TIOCLINUX_COMMAND 0x541c /* pastes into a console */
#define IOPRIO_OF_PROCESS 1      /* IOPRIO_WHO_PROCESS, which no header of the C library has */
#define PERSONALITY_QUERY 0xffffffffu
#define NETLINK_ROUTE_PROTOCOL 0 /* by which getaddrinfo(3) asks for addresses */
#define NAMESPACE_FLAGS \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)


static const uint16_t refused[] = {
    /* What is mounted, and other roots. */
    __NR_mount, __NR_umount2, __NR_pivot_root, __NR_chroot, 428 /* open_tree */, 429 /* move_mount */, 430 /* fsopen */,
    431 /* fsconfig */, 432 /* fsmount */, 433 /* fspick */, 442 /* mount_setattr */, 457 /* statmount */,
    458 /* listmount */, 467 /* open_tree_attr */, __NR_swapon, __NR_swapoff, __NR_quotactl, 443 /* quotactl_fd */,
    __NR_acct, __NR_name_to_handle_at, __NR_open_by_handle_at, __NR_fanotify_init, __NR_fanotify_mark,
    /* Other processes and other namespaces. */
    __NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_kcmp, 438 /* pidfd_getfd */,
    440 /* process_madvise */, 448 /* process_mrelease */, __NR_migrate_pages, __NR_unshare, __NR_setns,
    /* Semaphores and queues that all processes of a user share; Postgres has those of POSIX, in its own memory. */
    __NR_semget, __NR_msgget, __NR_mq_open,
    /* Parts of the kernel with much code and no use here. */
    __NR_bpf, __NR_perf_event_open, __NR_userfaultfd, __NR_keyctl, __NR_add_key, __NR_request_key,
    425 /* io_uring_setup */, 426 /* io_uring_enter */, 427 /* io_uring_register */, 447 /* memfd_secret */,
    __NR_remap_file_pages, __NR_lookup_dcookie,
    /* The machine. */
    __NR_kexec_load, __NR_init_module, __NR_finit_module, __NR_delete_module, __NR_reboot, __NR_settimeofday,
    __NR_clock_settime, __NR_clock_adjtime, __NR_adjtimex, __NR_sethostname, __NR_setdomainname, __NR_syslog, __NR_vhangup,
#ifdef __NR_kexec_file_load
    __NR_kexec_file_load,
#endif
#ifdef __NR_nfsservctl
    __NR_nfsservctl,
#endif
#ifdef __x86_64__
    __NR_iopl, __NR_ioperm, __NR_modify_ldt, __NR_uselib, __NR_ustat, __NR_sysfs, __NR__sysctl, __NR_create_module,
    __NR_get_kernel_syms, __NR_query_module,
#endif
};

/* Calls on a process: 0 is the caller itself, anything else may be another process of the same user. */
static const struct {
    uint16_t call;
    uint8_t argument;
} own_process_only[] = {
    {__NR_prlimit64, 0},      {__NR_sched_setaffinity, 0}, {__NR_sched_setscheduler, 0}, {__NR_sched_setparam, 0},
    {__NR_sched_setattr, 0},  {__NR_get_robust_list, 0},   {__NR_move_pages, 0},
};

/*
 * Where computes have one user with each other and with the server (--shared-user): what reaches files and segments of that
 * user without opening them, which Landlock does not see. What is open can still be changed, by its descriptor.
 */
static const uint16_t refused_of_shared_user[] = {
    /* Mode, owner and attributes by path. */
    __NR_fchmodat, 452 /* fchmodat2 */, __NR_fchownat, __NR_setxattr, __NR_lsetxattr, __NR_removexattr, __NR_lremovexattr,
    463 /* setxattrat */, 466 /* removexattrat */, 469 /* file_setattr */,
    /* Who makes which name where. */
    __NR_inotify_init1, __NR_inotify_add_watch,
    /* Segments of System V; Postgres's own is in its own memory (shared.c of the interposer). */
    __NR_shmget, __NR_shmat, __NR_shmctl, __NR_shmdt,
#ifdef __x86_64__
    __NR_chmod, __NR_chown, __NR_lchown, __NR_utime, __NR_utimes, __NR_futimesat, __NR_inotify_init,
#endif
};

struct program {
    struct sock_filter instructions[INSTRUCTIONS_MAX];
    size_t length;
};

static void emit(struct program *program, uint16_t code, uint8_t yes, uint8_t no, uint32_t value)
{
    if (program->length == INSTRUCTIONS_MAX) {
        errno = 0;
        refuse("write the filter of system calls: it is too long");
    }
    program->instructions[program->length++] = (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = value};
}

static void answer(struct program *program, uint32_t action)
{
    emit(program, BPF_RET | BPF_K, 0, 0, action);
}

static void load(struct program *program, size_t offset)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

/* The low half of an argument: all that the kernel looks at in those that are asked for here. */
static void load_argument(struct program *program, int argument)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the halves of arguments are the other way round"
#endif
    load(program, offsetof(struct seccomp_data, args) + (size_t)argument * sizeof(uint64_t));
}

#define REFUSED (SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN (SECCOMP_RET_ERRNO | ENOSYS)

/* When the loaded word compares, the next instruction is the answer. */
static void answer_if(struct program *program, uint16_t comparison, uint32_t value, uint32_t action)
{
    emit(program, BPF_JMP | comparison | BPF_K, 0, 1, value);
    answer(program, action);
}

/*
 * The instructions that `block` emits end with an answer on every path and may load other words; a call of another number
 * goes past them.
 */
static void for_call(struct program *program, uint32_t call, void (*block)(struct program *, int), int argument)
{
    size_t jump = program->length;
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, call);
    block(program, argument);
    program->instructions[jump].jf = (uint8_t)(program->length - jump - 1);
}

static void only_zero(struct program *program, int argument)
{
    load_argument(program, argument);
    answer_if(program, BPF_JEQ, 0, SECCOMP_RET_ALLOW);
    answer(program, REFUSED);
}

/* Of a kind ("which") that says what the second argument names: 0 is the caller only of the right one, of others all of his user's. */
static void own_priority(struct program *program, int process)
{
    load_argument(program, 0);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, (uint32_t)process);
    answer(program, REFUSED);
    only_zero(program, 1);
}

/* Times of what is open already: no path, only a descriptor. */
static void only_descriptor(struct program *program, int argument)
{
    load_argument(program, argument);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
    answer(program, REFUSED);
    load(program, offsetof(struct seccomp_data, args) + (size_t)argument * sizeof(uint64_t) + sizeof(uint32_t));
    answer_if(program, BPF_JEQ, 0, SECCOMP_RET_ALLOW);
    answer(program, REFUSED);
}

static void no_namespaces(struct program *program, int argument)
{
    load_argument(program, argument);
    answer_if(program, BPF_JSET, NAMESPACE_FLAGS, REFUSED);
    answer(program, SECCOMP_RET_ALLOW);
}

static void no_terminals(struct program *program, int argument)
{
    load_argument(program, argument);
    answer_if(program, BPF_JEQ, TIOCSTI_COMMAND, REFUSED);
    answer_if(program, BPF_JEQ, TIOCLINUX_COMMAND, REFUSED);
    answer(program, SECCOMP_RET_ALLOW);
}

static void usual_personality(struct program *program, int argument)
{
    load_argument(program, argument);
    answer_if(program, BPF_JEQ, 0, SECCOMP_RET_ALLOW);
    answer_if(program, BPF_JEQ, PERSONALITY_QUERY, SECCOMP_RET_ALLOW);
    answer(program, REFUSED);
}

/*
 * Without network there is no socket but Unix ones, so neither names nor datagrams get out. Virtual machines' sockets, the
 * kernel's cryptography, packets and the like are nobody's.
 */
static void known_sockets(struct program *program, int network)
{
    load_argument(program, 0);
    answer_if(program, BPF_JEQ, AF_UNIX, SECCOMP_RET_ALLOW);
    if (network != NETWORK_NONE) {
        answer_if(program, BPF_JEQ, AF_INET, SECCOMP_RET_ALLOW);
        answer_if(program, BPF_JEQ, AF_INET6, SECCOMP_RET_ALLOW);
    }
    if (network == NETWORK_ALL) {
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AF_NETLINK);
        answer(program, REFUSED);
        load_argument(program, 2);
        answer_if(program, BPF_JEQ, NETLINK_ROUTE_PROTOCOL, SECCOMP_RET_ALLOW);
    }
    answer(program, REFUSED);
}

static void write_program(struct program *program, enum network network, bool shared_user)
{
    load(program, offsetof(struct seccomp_data, arch));
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCHITECTURE);
    answer(program, UNKNOWN);
    load(program, offsetof(struct seccomp_data, nr));
#ifdef X32_CALLS
    answer_if(program, BPF_JGE, X32_CALLS, UNKNOWN);
#endif
    answer_if(program, BPF_JGT, CALL_LAST_KNOWN, UNKNOWN);
    /* Its flags are in memory, out of a filter's sight; the C library goes on with clone. */
    answer_if(program, BPF_JEQ, CALL_CLONE3, UNKNOWN);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        answer_if(program, BPF_JEQ, refused[i], REFUSED);
    for (size_t i = 0; i < sizeof own_process_only / sizeof *own_process_only; i++)
        for_call(program, own_process_only[i].call, only_zero, own_process_only[i].argument);
    for (size_t i = 0; shared_user && i < sizeof refused_of_shared_user / sizeof *refused_of_shared_user; i++)
        answer_if(program, BPF_JEQ, refused_of_shared_user[i], REFUSED);
    if (shared_user)
        for_call(program, __NR_utimensat, only_descriptor, 1);
    for_call(program, __NR_setpriority, own_priority, PRIO_PROCESS);
    for_call(program, __NR_ioprio_set, own_priority, IOPRIO_OF_PROCESS);
    for_call(program, __NR_clone, no_namespaces, 0);
    for_call(program, __NR_ioctl, no_terminals, 1);
    for_call(program, __NR_personality, usual_personality, 0);
    for_call(program, __NR_socket, known_sockets, (int)network);
    for_call(program, __NR_socketpair, known_sockets, (int)network);
    answer(program, SECCOMP_RET_ALLOW);
}

bool filter_offered(void)
{
    uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

void filter_system_calls(enum network network, bool shared_user)
{
    static struct program program;
    write_program(&program, network, shared_user);
    struct sock_fprog filter = {.len = (unsigned short)program.length, .filter = program.instructions};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        refuse("filter system calls");
}
