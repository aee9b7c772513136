#include "cpu_time.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

static uint64_t thread_ns(int pid, const char *thread)
{
    char path[320];
    uint64_t ns = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, thread);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%" SCNu64, &ns) != 1)
        ns = 0;
    fclose(file);
    return ns;
}

static uint64_t process_ns(int pid)
{
    char path[64];
    uint64_t sum = 0;
    struct dirent *entry;
    DIR *threads;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    threads = opendir(path);
    if (threads == NULL)
        return 0;
    while ((entry = readdir(threads)) != NULL)
        if (entry->d_name[0] != '.')
            sum += thread_ns(pid, entry->d_name);
    closedir(threads);
    return sum;
}

uint64_t cpu_time_ns(const struct cpu_time *set)
{
    uint64_t sum = 0;

    for (int i = 0; i < set->count; i++)
        sum += process_ns(set->pid[i]);
    return sum;
}
