/* bench/cpu_time.h - what a set of processes has used of the processors. */
#ifndef WEFT_BENCH_CPU_TIME_H
#define WEFT_BENCH_CPU_TIME_H

#include <stdint.h>

#define CPU_TIME_PROCESSES_MAX 64

/* The processes whose threads are counted; the driver names the whole tree of a proxy. */
struct cpu_time {
    int count;
    int pid[CPU_TIME_PROCESSES_MAX];
};

/* Nanoseconds that all threads of the processes have run so far, by /proc/PID/task/TID/schedstat. A thread that has
 * ended is not counted any more, so the set must not change between two readings that are compared. */
uint64_t cpu_time_ns(const struct cpu_time *set);

#endif
