/*
 *   coppice-cage run OPTION... -- PROGRAM ARGUMENT...   starts the program, by its absolute path, in a sandbox
 *   coppice-cage probe                                  says what this kernel offers for it
 *   coppice-cage kill UID                               ends every process of a user
 */
#define _GNU_SOURCE
#include "cage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

void refuse(const char *format, ...)
{
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    fputs("coppice-cage: cannot ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    if (error != 0)
        fprintf(stderr, ": %s", strerror(error));
    fputc('\n', stderr);
    exit(EXIT_REFUSED);
}

/* Each step still has the powers that it needs: control groups and namespaces before the user is left, Landlock's rules after. */
static void run(struct policy *policy)
{
    if (policy->session)
        begin_session();
    close_descriptors();
    apply_limits(policy);
    join_groups(policy);
    enter_namespaces(policy);
    become_user(policy);
    make_directories(policy);
    if ((policy->landlock != 0 || policy->filter) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        refuse("give up new privileges");
    confine_files(policy);
    if (policy->filter)
        filter_system_calls(policy->network, policy->shared_user);
    execve(policy->command[0], policy->command, policy->environment);
    refuse("start %s", policy->command[0]);
}

static int usage(void)
{
    fputs("usage: coppice-cage run OPTION... -- PROGRAM ARGUMENT... | probe | kill UID\n", stderr);
    return EXIT_USAGE;
}

int main(int count, char **arguments)
{
    static struct policy policy;
    if (count == 2 && strcmp(arguments[1], "probe") == 0)
        return probe();
    if (count == 3 && strcmp(arguments[1], "kill") == 0)
        return end_all_of(arguments[2]);
    if (count < 3 || strcmp(arguments[1], "run") != 0)
        return usage();
    parse_policy(&policy, count - 2, arguments + 2);
    run(&policy);
}
