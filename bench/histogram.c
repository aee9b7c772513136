#include "histogram.h"

#define STEP_BITS 6 /* 2^6 = HISTOGRAM_STEPS */

/* Values below HISTOGRAM_STEPS have a cell each; above, the highest bit chooses the row and the next six the cell. */
static unsigned cell_of(uint64_t ns)
{
    unsigned highest = 63u - (unsigned)__builtin_clzll(ns | 1);

    if (highest < STEP_BITS)
        return (unsigned)ns;
    return ((highest - STEP_BITS + 1) << STEP_BITS) + (unsigned)((ns >> (highest - STEP_BITS)) & (HISTOGRAM_STEPS - 1));
}

static double floor_of(unsigned cell)
{
    unsigned row = cell >> STEP_BITS;

    if (row == 0)
        return cell;
    return (double)((uint64_t)(HISTOGRAM_STEPS + (cell & (HISTOGRAM_STEPS - 1))) << (row - 1));
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram->count++;
    histogram->cell[cell_of(ns)]++;
}

double histogram_quantile_us(const struct histogram *histogram, double share)
{
    uint64_t seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_CELLS; i++) {
        seen += histogram->cell[i];
        if (seen > 0 && (double)seen >= share * (double)histogram->count)
            return floor_of(i) / 1e3;
    }
    return 0;
}
