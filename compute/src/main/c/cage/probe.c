/* What this kernel offers, tried rather than guessed: a container's own filters refuse what the version would have. */
#define _GNU_SOURCE
#include "cage.h"

#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child: a namespace that was entered cannot be left. */
static bool can_unshare(int flags)
{
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        struct policy policy = {.namespaces = flags};
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        enter_namespaces(&policy); /* ends the child when it cannot */
        _exit(0);
    }
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Lines "name value". */
int probe(void)
{
    static const char *const names[] = {"ipc", "net", "uts"};
    int around = geteuid() == 0 ? 0 : CLONE_NEWUSER;
    printf("landlock %d\n", landlock_abi());
    printf("filter %d\n", filter_offered());
    if (around != 0)
        printf("namespace-user %d\n", can_unshare(around));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        printf("namespace-%s %d\n", names[i], can_unshare(around | namespace_named(names[i])));
    return 0;
}
