/*
 * Ends every process of a user who has no other than a compute's, also those that left its session, its directory and its
 * control group: kill(2) with -1 reaches all that the caller may signal, and nobody forks past it.
 */
#define _GNU_SOURCE
#include "cage.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_MAX 500
#define PAUSE_MICROSECONDS 10000

/* Whether proc_pid_status(5) names the user; not for one that is dead and only waits to be noticed by its parent. */
static bool belongs_to(int proc, const char *pid, unsigned long uid)
{
    char path[300], text[2048];
    snprintf(path, sizeof path, "%s/status", pid);
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        return false;
    text[length] = 0;
    const char *state = strstr(text, "\nState:\t"), *uids = strstr(text, "\nUid:\t");
    unsigned long real, effective;
    return state != NULL && strchr("ZX", state[8]) == NULL && uids != NULL &&
           sscanf(uids + 6, "%lu %lu", &real, &effective) == 2 && (real == uid || effective == uid);
}

static bool has_processes(unsigned long uid)
{
    char self[32];
    snprintf(self, sizeof self, "%ld", (long)getpid());
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        refuse("look at processes");
    bool found = false;
    for (struct dirent *entry = readdir(proc); entry != NULL && !found; entry = readdir(proc)) {
        found = isdigit((unsigned char)entry->d_name[0]) && strcmp(entry->d_name, self) != 0 &&
                belongs_to(dirfd(proc), entry->d_name, uid);
    }
    closedir(proc);
    return found;
}

int end_all_of(const char *user)
{
    char *end;
    errno = 0;
    unsigned long uid = strtoul(user, &end, 10);
    if (errno != 0 || end == user || *end != 0 || *user == '-' || uid == 0 || uid >= UINT32_MAX) {
        errno = 0;
        refuse("end the processes of \"%s\": not the number of a user", user);
    }
    if (setgroups(0, NULL) != 0 || setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) != 0 ||
        setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) != 0)
        refuse("become the user %lu", uid);
    /* Else the signal would reach far more. */
    uid_t real, effective, saved;
    if (getresuid(&real, &effective, &saved) != 0 || real != uid || effective != uid || saved != uid)
        refuse("become the user %lu", uid);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        (void)kill(-1, SIGKILL); /* its result does not tell whether anybody was reached; this process is not among them */
        if (!has_processes(uid))
            return 0;
        usleep(PAUSE_MICROSECONDS);
    }
    errno = 0;
    refuse("end all processes of the user %lu: some are still there", uid);
}
