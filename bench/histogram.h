/* bench/histogram.h - latencies in nanoseconds, in 64 steps per power of two: at most 1.6 % off, fixed size. */
#ifndef WEFT_BENCH_HISTOGRAM_H
#define WEFT_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS 64
#define HISTOGRAM_CELLS (HISTOGRAM_STEPS * 64)

struct histogram {
    uint64_t count;
    uint64_t cell[HISTOGRAM_CELLS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);

/* The value below which `share` (0..1) of the entries lie, in microseconds; 0 when there are none. */
double histogram_quantile_us(const struct histogram *histogram, double share);

#endif
