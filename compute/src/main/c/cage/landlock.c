/*
 * Landlock: every file that is not named is out of reach, whoever it belongs to; so are TCP (without network), and signals and
 * abstract sockets of everybody outside. The numbers are the kernel's (include/uapi/linux/landlock.h); the headers of the
 * machine that builds this may be older than the kernel that runs it.
 */
#define _GNU_SOURCE
#include "cage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_REMOVE_DIR (1ULL << 4)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_DIR (1ULL << 7)
#define FS_MAKE_REG (1ULL << 8)
#define FS_MAKE_SOCK (1ULL << 9)
#define FS_REFER (1ULL << 13)     /* ABI 2 */
#define FS_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define NET_BIND_TCP (1ULL << 0)  /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)

/* Rights that each ABI knows, all of them from the first to the one with this number. */
#define FS_ABI_1 ((1ULL << 13) - 1)
#define FS_ABI_2 ((1ULL << 14) - 1)
#define FS_ABI_3 ((1ULL << 15) - 1)
#define FS_ABI_5 ((1ULL << 16) - 1) /* ioctl of devices */

struct ruleset_attributes {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

struct path_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : (int)abi;
}

static uint64_t rights(enum access access)
{
    const uint64_t read = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR;
    /* No FS_EXECUTE: what a compute writes it cannot start. No symbolic links: they make others write elsewhere. */
    const uint64_t write = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_DIR | FS_REMOVE_FILE |
                           FS_MAKE_DIR | FS_MAKE_REG | FS_REFER;
    switch (access) {
    case ACCESS_READ:
    case ACCESS_READ_IF_THERE:
        return read;
    case ACCESS_LOOK_UP:
        return FS_READ_FILE;
    case ACCESS_WRITE:
        return write;
    case ACCESS_SOCKETS:
        return write | FS_MAKE_SOCK;
    case ACCESS_MEMORY:
        return FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_FILE | FS_MAKE_REG;
    case ACCESS_FILE:
        return FS_READ_FILE | FS_WRITE_FILE;
    }
    refuse("tell what to allow");
}

static void allow(int ruleset, const struct rule *rule, uint64_t handled)
{
    struct stat st;
    struct path_beneath beneath = {.allowed_access = rights(rule->access) & handled,
                                   .parent_fd = open(rule->path, O_PATH | O_CLOEXEC)};
    if (beneath.parent_fd < 0) {
        if (rule->access == ACCESS_READ_IF_THERE && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
            return;
        refuse("open %s", rule->path);
    }
    if (fstat(beneath.parent_fd, &st) != 0)
        refuse("look at %s", rule->path);
    if (!S_ISDIR(st.st_mode))
        beneath.allowed_access &= FS_EXECUTE | FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE;
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &beneath, 0) != 0)
        refuse("allow %s", rule->path);
    close(beneath.parent_fd);
}

void confine_files(const struct policy *policy)
{
    int abi = policy->landlock;
    if (abi == 0)
        return;
    if (landlock_abi() < abi) {
        errno = 0;
        refuse("confine files: Landlock ABI %d was asked for, and the kernel has %d", abi, landlock_abi());
    }
    struct ruleset_attributes attributes = {
        .handled_access_fs = abi >= 5 ? FS_ABI_5 : abi >= 3 ? FS_ABI_3 : abi >= 2 ? FS_ABI_2 : FS_ABI_1,
        .handled_access_net = abi >= 4 && policy->network == NETWORK_NONE ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
        .scoped = abi >= 6 ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL : 0,
    };
    /* A kernel before a field refuses a structure that has it. */
    size_t size = abi >= 6 ? sizeof attributes : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
    if (ruleset < 0)
        refuse("make the rules of files");
    for (size_t i = 0; i < policy->rule_count; i++)
        allow(ruleset, &policy->rules[i], attributes.handled_access_fs);
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        refuse("confine files");
    close(ruleset);
}
