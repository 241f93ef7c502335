/* The options of "coppice-cage run". A wrong one ends the start: a sandbox with a hole is worse than none. */
#define _GNU_SOURCE
#include "cage.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void wrong(const char *what, const char *argument) __attribute__((noreturn));
static void wrong(const char *what, const char *argument)
{
    fprintf(stderr, "coppice-cage: %s: %s\n", what, argument);
    exit(EXIT_USAGE);
}

static uint64_t number(const char *text, uint64_t most, const char *argument)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || *text == '-' || value > most)
        wrong("not a number that can be used", argument);
    return value;
}

static const char *absolute(const char *path, const char *argument)
{
    if (*path != '/')
        wrong("not an absolute path", argument);
    return path;
}

int namespace_named(const char *name)
{
    static const struct {
        const char *name;
        int flag;
    } known[] = {{"ipc", CLONE_NEWIPC}, {"net", CLONE_NEWNET}, {"user", CLONE_NEWUSER}, {"uts", CLONE_NEWUTS}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0)
            return known[i].flag;
    }
    return 0;
}

static int resource_named(const char *name, size_t length)
{
    static const struct {
        const char *name;
        int resource;
    } known[] = {{"core", RLIMIT_CORE},   {"processes", RLIMIT_NPROC}, {"memory", RLIMIT_AS},
                 {"data", RLIMIT_DATA},   {"file", RLIMIT_FSIZE},      {"locked", RLIMIT_MEMLOCK},
                 {"files", RLIMIT_NOFILE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) == length && strncmp(name, known[i].name, length) == 0)
            return known[i].resource;
    }
    return -1;
}

static void add_limit(struct policy *policy, const char *value, const char *argument)
{
    const char *colon = strchr(value, ':');
    int resource = colon == NULL ? -1 : resource_named(value, (size_t)(colon - value));
    if (resource < 0 || policy->limit_count == SETTINGS_MAX)
        wrong("not a limit", argument);
    policy->limits[policy->limit_count++] =
        (struct limit){.resource = resource, .value = number(colon + 1, UINT64_MAX - 1, argument)};
}

static void add_rule(struct policy *policy, enum access access, const char *path, const char *argument)
{
    if (policy->rule_count == RULES_MAX)
        wrong("too many paths", argument);
    policy->rules[policy->rule_count++] = (struct rule){.access = access, .path = absolute(path, argument)};
}

static bool add_path(struct policy *policy, const char *name, const char *value, const char *argument)
{
    static const struct {
        const char *name;
        enum access access;
    } known[] = {{"read", ACCESS_READ},       {"read-if-there", ACCESS_READ_IF_THERE}, {"look-up", ACCESS_LOOK_UP},
                 {"write", ACCESS_WRITE},     {"sockets", ACCESS_SOCKETS},             {"file", ACCESS_FILE},
                 {"memory", ACCESS_MEMORY}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0) {
            add_rule(policy, known[i].access, value, argument);
            return true;
        }
    }
    return false;
}

static void add_text(const char **list, size_t *count, const char *value, const char *argument)
{
    if (*count == SETTINGS_MAX)
        wrong("too many of these", argument);
    list[(*count)++] = value;
}

static void set_network(struct policy *policy, const char *value, const char *argument)
{
    if (strcmp(value, "all") == 0)
        policy->network = NETWORK_ALL;
    else if (strcmp(value, "loopback") == 0)
        policy->network = NETWORK_LOOPBACK;
    else if (strcmp(value, "none") == 0)
        policy->network = NETWORK_NONE;
    else
        wrong("neither all, loopback nor none", argument);
}

static void add_option(struct policy *policy, const char *name, char *value, const char *argument)
{
    if (add_path(policy, name, value, argument))
        return;
    if (strcmp(name, "user") == 0) {
        char *colon = strchr(value, ':');
        if (colon == NULL)
            wrong("not UID:GID", argument);
        *colon = 0;
        policy->switch_user = true;
        policy->uid = (uid_t)number(value, UINT32_MAX - 1, argument);
        policy->gid = (gid_t)number(colon + 1, UINT32_MAX - 1, argument);
        if (policy->uid == 0 || policy->gid == 0)
            wrong("never as root", argument);
    } else if (strcmp(name, "oom-score") == 0) {
        (void)number(value, 1000, argument);
        policy->oom_score = value;
    } else if (strcmp(name, "limit") == 0) {
        add_limit(policy, value, argument);
    } else if (strcmp(name, "group") == 0) {
        add_text(policy->groups, &policy->group_count, absolute(value, argument), argument);
    } else if (strcmp(name, "namespace") == 0) {
        int flag = namespace_named(value);
        if (flag == 0)
            wrong("not a namespace", argument);
        policy->namespaces |= flag;
    } else if (strcmp(name, "directory") == 0) {
        add_text(policy->directories, &policy->directory_count, absolute(value, argument), argument);
    } else if (strcmp(name, "landlock") == 0) {
        policy->landlock = (int)number(value, LANDLOCK_KNOWN, argument);
    } else if (strcmp(name, "network") == 0) {
        set_network(policy, value, argument);
    } else if (strcmp(name, "env") == 0) {
        if (policy->environment_count == SETTINGS_MAX || strchr(value, '=') == NULL)
            wrong("not a variable", argument);
        policy->environment[policy->environment_count++] = value;
    } else {
        wrong("not an option", argument);
    }
}

void parse_policy(struct policy *policy, int count, char **arguments)
{
    int i = 0;
    for (; i < count && strcmp(arguments[i], "--") != 0; i++) {
        char *argument = arguments[i];
        if (strcmp(argument, "--session") == 0) {
            policy->session = true;
        } else if (strcmp(argument, "--filter") == 0) {
            policy->filter = true;
        } else if (strcmp(argument, "--shared-user") == 0) {
            policy->shared_user = true;
        } else if (strncmp(argument, "--", 2) == 0 && strchr(argument, '=') != NULL) {
            char name[32], *value = strchr(argument, '=');
            size_t length = (size_t)(value - argument - 2);
            if (length >= sizeof name)
                wrong("not an option", argument);
            memcpy(name, argument + 2, length);
            name[length] = 0;
            add_option(policy, name, value + 1, argument);
        } else {
            wrong("not an option", argument);
        }
    }
    if (i + 1 >= count)
        wrong("no program", "run");
    policy->command = arguments + i + 1;
    absolute(policy->command[0], policy->command[0]);
    if (policy->network == NETWORK_LOOPBACK && (policy->namespaces & CLONE_NEWNET) == 0)
        wrong("needs --namespace=net", "--network=loopback");
}
