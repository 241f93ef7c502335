/* What a process is: its session, descriptors, limits, control groups, namespaces and user. */
#define _GNU_SOURCE
#include "cage.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define FIRST_OTHER_DESCRIPTOR 3

/* What the server's terminal is told is none of a compute's business. */
void begin_session(void)
{
    if (setsid() < 0 && getsid(0) != getpid())
        refuse("begin a session");
}

/* Whatever leaked out of the server: only standard input, output and error go on. */
void close_descriptors(void)
{
    if (syscall(SYS_close_range, FIRST_OTHER_DESCRIPTOR, ~0U, 0) == 0)
        return;
    if (errno != ENOSYS && errno != EPERM) /* an older kernel, or a filter around us that does not know it */
        refuse("close descriptors");
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = FIRST_OTHER_DESCRIPTOR; fd < most; fd++)
        close(fd);
}

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t written = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return written == (ssize_t)strlen(text);
}

void apply_limits(const struct policy *policy)
{
    for (size_t i = 0; i < policy->limit_count; i++) {
        struct rlimit limit, now;
        if (getrlimit(policy->limits[i].resource, &now) != 0)
            refuse("read a limit");
        /* One that is lower already stays. */
        limit.rlim_cur = limit.rlim_max = policy->limits[i].value < now.rlim_max ? policy->limits[i].value : now.rlim_max;
        if (setrlimit(policy->limits[i].resource, &limit) != 0)
            refuse("set the limit %d", policy->limits[i].resource);
    }
    if (policy->oom_score != NULL && !write_text("/proc/self/oom_score_adj", policy->oom_score))
        refuse("set the score for memory shortage");
}

/*
 * Version 1 by the file of threads: a process of one thread that moves itself takes no lock of all processes, which costs
 * milliseconds. Version 2 has only the other file.
 */
void join_groups(const struct policy *policy)
{
    char path[4096];
    for (size_t i = 0; i < policy->group_count; i++) {
        snprintf(path, sizeof path, "%s/tasks", policy->groups[i]);
        if (access(path, F_OK) != 0)
            snprintf(path, sizeof path, "%s/cgroup.procs", policy->groups[i]);
        if (!write_text(path, "0"))
            refuse("join the control group %s", policy->groups[i]);
    }
}

static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0)
        refuse("raise the loopback interface");
    close(fd);
}

/* Inside, the user is who it is outside, and nobody else exists. */
static void map_user(uid_t uid, gid_t gid)
{
    char text[64];
    if (!write_text("/proc/self/setgroups", "deny"))
        refuse("give up groups in the user namespace");
    snprintf(text, sizeof text, "%u %u 1", gid, gid);
    if (!write_text("/proc/self/gid_map", text))
        refuse("map the group into the user namespace");
    snprintf(text, sizeof text, "%u %u 1", uid, uid);
    if (!write_text("/proc/self/uid_map", text))
        refuse("map the user into the user namespace");
}

void enter_namespaces(const struct policy *policy)
{
    if (policy->namespaces == 0)
        return;
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(policy->namespaces) != 0)
        refuse("make the namespaces");
    if ((policy->namespaces & CLONE_NEWUSER) != 0)
        map_user(uid, gid);
    if ((policy->namespaces & CLONE_NEWNET) != 0)
        raise_loopback();
}

void become_user(const struct policy *policy)
{
    if (!policy->switch_user)
        return;
    if (setgroups(0, NULL) != 0)
        refuse("give up groups");
    if (setresgid(policy->gid, policy->gid, policy->gid) != 0)
        refuse("become the group %u", policy->gid);
    if (setresuid(policy->uid, policy->uid, policy->uid) != 0)
        refuse("become the user %u", policy->uid);
    errno = 0;
    if (setuid(0) == 0)
        refuse("leave root");
    errno = 0;
}

void make_directories(const struct policy *policy)
{
    for (size_t i = 0; i < policy->directory_count; i++) {
        if (mkdir(policy->directories[i], 0700) != 0 && errno != EEXIST)
            refuse("make the directory %s", policy->directories[i]);
    }
}
