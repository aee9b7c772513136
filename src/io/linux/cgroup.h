/* io/linux/cgroup.h - control groups (version 2) of our own, one for each process that has limits.
 *
 * (1) Only a group that is ours to divide is divided: the one that this process is in, where its files may be written
 * and where, besides us, no process is (a group that has processes can't give limits to groups inside). Such a group is
 *     what `systemd-run --user --scope -p Delegate=yes` gives, or a service with Delegate=yes.
 * (2) We move into the group "weft" in it, and those of limited processes are its siblings. What is in neither group
 *     dies with us: the guard reaps it, and cgroups_close() removes all that was made.
 * (3) Nothing waits longer than the kernel takes to write a few bytes to its own files.
 */
#ifndef WEFT_IO_LINUX_CGROUP_H
#define WEFT_IO_LINUX_CGROUP_H

#include "base/limits.h"
#include "base/text.h"
#include "io/io.h"

struct cgroups {
    char path[FILE_PATH_MAX]; /* of the group that is divided; empty: there is none */
    bool memory, cpu;         /* what can be limited */
    char why[192];            /* what can't, and why, for people; empty: all can */
};

/* Finds out by /proc/self/cgroup and /proc/self/mountinfo, and prepares. Never fails: `why` tells. `companion`: a
 * process besides us that is moved along (the guard); 0: none. */
void io_linux_cgroups_open(struct cgroups *cgroups, int64_t companion);
void io_linux_cgroups_close(struct cgroups *cgroups);

/* The group of that name, made or found, with these limits. Its folder's descriptor is for struct command. -errno. */
int io_linux_cgroup_make(const struct cgroups *cgroups, const char *name, const struct process_limits *limits,
                         int *ret_folder) MUST_CHECK;
void io_linux_cgroup_remove(const struct cgroups *cgroups, const char *name); /* when nobody is in it */

/* How often the kernel has killed somebody in it for want of memory; 0: never, or not known. */
uint64_t io_linux_cgroup_kills(const struct cgroups *cgroups, const char *name);

/* For tests: the same with a folder that stands for the group that we are in. */
void io_linux_cgroups_open_at(struct cgroups *cgroups, const char *path, int64_t companion);

#endif
