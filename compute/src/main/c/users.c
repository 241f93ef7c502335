/*
 * A compute's user is a number without an entry in passwd(5). initdb and clients such as psql ask for the name of whom they run as
 * and give up without one, so the library has one for it. Nothing is decided by this name.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static char name[] = "coppice", none[] = "", home[] = "/nonexistent", shell[] = "/bin/sh";

static struct passwd self(void)
{
    return (struct passwd){.pw_name = name,
                           .pw_passwd = none,
                           .pw_uid = geteuid(),
                           .pw_gid = getegid(),
                           .pw_gecos = none,
                           .pw_dir = home,
                           .pw_shell = shell};
}

EXPORT struct passwd *getpwuid(uid_t uid)
{
    static struct passwd *(*below)(uid_t);
    static struct passwd found_self;
    if (below == NULL)
        below = (__typeof__(below))dlsym(RTLD_NEXT, "getpwuid");
    struct passwd *found = below != NULL ? below(uid) : NULL;
    if (found != NULL || uid != geteuid())
        return found;
    found_self = self();
    return &found_self;
}

EXPORT int getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size, struct passwd **result)
{
    static int (*below)(uid_t, struct passwd *, char *, size_t, struct passwd **);
    if (below == NULL)
        below = (__typeof__(below))dlsym(RTLD_NEXT, "getpwuid_r");
    if (below == NULL)
        return ENOSYS;
    int error = below(uid, entry, buffer, size, result);
    /* Too small a buffer is the caller's to make larger; what else goes wrong means that there is no such user. */
    if (*result != NULL || error == ERANGE || uid != geteuid())
        return error;
    *entry = self();
    *result = entry;
    return 0;
}
