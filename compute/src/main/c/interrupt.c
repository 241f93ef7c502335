/*
 * What Postgres wants of a process that waits for a page. Its signal handlers set flags, which Postgres looks at when it is in
 * no system call; here a call may take as long as a server is away, so whoever waits looks at them too.
 *
 * A read that is given up fails with EIO, which every read of Postgres can. In a critical section that would end the whole
 * compute, so there the waiting goes on: commits read transaction states in one. PostgreSQL 18 and later read pages of
 * relations in a critical section of their own, and look at the result behind it.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

/* Of the postgres executable; NULL in programs that have none of it. */
static volatile sig_atomic_t *query_cancel_pending, *proc_die_pending;
static volatile uint32_t *critical_sections, *interrupt_holdoffs, *cancel_holdoffs;
static void (*process_interrupts)(void);
static bool reads_in_critical_sections;

static bool gave_up;

void interrupt_init(void)
{
    query_cancel_pending = dlsym(RTLD_DEFAULT, "QueryCancelPending");
    proc_die_pending = dlsym(RTLD_DEFAULT, "ProcDiePending");
    critical_sections = dlsym(RTLD_DEFAULT, "CritSectionCount");
    interrupt_holdoffs = dlsym(RTLD_DEFAULT, "InterruptHoldoffCount");
    cancel_holdoffs = dlsym(RTLD_DEFAULT, "QueryCancelHoldoffCount");
    process_interrupts = (void (*)(void))dlsym(RTLD_DEFAULT, "ProcessInterrupts");
    reads_in_critical_sections = dlsym(RTLD_DEFAULT, "pgaio_io_acquire") != NULL;
    if (query_cancel_pending == NULL || proc_die_pending == NULL || critical_sections == NULL ||
        interrupt_holdoffs == NULL || cancel_holdoffs == NULL)
        query_cancel_pending = NULL;
}

static bool is_relation(const char *relative)
{
    return strncmp(relative, "base/", 5) == 0 || strncmp(relative, "global/", 7) == 0;
}

bool must_give_up(const char *relative)
{
    if (query_cancel_pending == NULL || (*query_cancel_pending == 0 && *proc_die_pending == 0))
        return false;
    if (*critical_sections != 0 && !(reads_in_critical_sections && is_relation(relative)))
        return false;
    gave_up = true;
    return true;
}

/*
 * At the end of a hook, when nothing of ours is held: lets Postgres say what ended the statement or the session, instead of
 * calling it an I/O error. It does not come back then.
 */
ssize_t end_of_wait(ssize_t result)
{
    if (!gave_up)
        return result;
    gave_up = false;
    if (result < 0 && process_interrupts != NULL && *critical_sections == 0 && *interrupt_holdoffs == 0 &&
        *cancel_holdoffs == 0) {
        int reason = errno;
        process_interrupts();
        errno = reason;
    }
    return result;
}
