/*
 * coppice-cage: starts a program of Postgres inside a sandbox of the kernel. See docs/decisions/046.
 *
 * The sandbox is described by arguments and built in the order of their steps below; it is in force before the program's first
 * instruction, holds for everything that the program starts, and nothing inside can lift it. What is asked for is done, or
 * the start fails: which of it the kernel offers is asked beforehand ("probe").
 */
#ifndef COPPICE_CAGE_H
#define COPPICE_CAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define EXIT_USAGE 2    /* the arguments are wrong */
#define EXIT_REFUSED 70 /* a step failed: nothing was started */
#define RULES_MAX 96
#define SETTINGS_MAX 64

enum access {
    ACCESS_READ,          /* read, list and execute */
    ACCESS_READ_IF_THERE, /* the same; a path that does not exist is left out */
    ACCESS_LOOK_UP,       /* read files by name, without a list of them */
    ACCESS_WRITE,         /* a directory: everything but executing, links by name, sockets, fifos and devices */
    ACCESS_SOCKETS,       /* the same, and sockets */
    ACCESS_MEMORY,        /* a directory of plain files */
    ACCESS_FILE,          /* one file or device: read and write */
};

struct rule {
    enum access access;
    const char *path;
};

struct limit {
    int resource;
    uint64_t value;
};

enum network {
    NETWORK_ALL,
    NETWORK_LOOPBACK, /* in a network namespace of its own */
    NETWORK_NONE      /* not even sockets for it */
};

struct policy {
    bool session;
    bool switch_user;
    uid_t uid;
    gid_t gid;
    const char *oom_score;
    struct limit limits[SETTINGS_MAX];
    size_t limit_count;
    const char *groups[SETTINGS_MAX]; /* directories of control groups to join */
    size_t group_count;
    int namespaces; /* CLONE_NEW... */
    const char *directories[SETTINGS_MAX]; /* made, by the user, when they are missing */
    size_t directory_count;
    int landlock; /* the ABI whose rights are handled, 0 = none */
    struct rule rules[RULES_MAX];
    size_t rule_count;
    enum network network;
    bool filter;      /* of system calls */
    bool shared_user; /* others than this compute are of its user, too */
    char *environment[SETTINGS_MAX + 1];
    size_t environment_count;
    char **command;
};

/* Ends this process with a message on standard error, "coppice-cage: cannot ...: " and the meaning of errno when it is not 0. */
void refuse(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* arguments.c */
void parse_policy(struct policy *policy, int count, char **arguments);
int namespace_named(const char *name); /* 0 when there is none */

/* process.c: session, descriptors, limits, control groups, namespaces, user */
void begin_session(void);
void close_descriptors(void);
void apply_limits(const struct policy *policy);
void join_groups(const struct policy *policy);
void enter_namespaces(const struct policy *policy);
void become_user(const struct policy *policy);
void make_directories(const struct policy *policy);

/* landlock.c */
#define LANDLOCK_NEEDED 2 /* without the right to rename from one directory into another (ABI 2) Postgres does not work */
#define LANDLOCK_KNOWN 7
int landlock_abi(void); /* 0 when the kernel has none, or it is off */
void confine_files(const struct policy *policy);

/* filter.c */
bool filter_offered(void);
void filter_system_calls(enum network network, bool shared_user);

/* probe.c */
int probe(void);

/* end.c */
int end_all_of(const char *user);

#endif
