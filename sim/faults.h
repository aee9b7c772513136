/* sim/faults.h - what may go wrong, and how much of it.
 *
 * struct sim_faults is the weather: it colours everything that happens anyway (how long a chunk travels, how much a
 * read returns). The nemesis acts: it cuts links, kills, resets. Both draw from the world's prng alone.
 */
#ifndef WEFT_SIM_FAULTS_H
#define WEFT_SIM_FAULTS_H

#include "base/defs.h"

struct world;

struct sim_range {
    int64_t low, high; /* both included */
};

/* What is counted in world->fault_counts, so that a test can show that it happens. */
enum sim_fault {
    SIM_FAULT_SPLIT,   /* one write arrived in several chunks */
    SIM_FAULT_DELAY,   /* a chunk came late, as if it had been lost and sent again */
    SIM_FAULT_BLOCKED, /* a chunk found its link cut or its machine dark */
    SIM_FAULT_SHORT_READ,
    SIM_FAULT_SHORT_WRITE,
    SIM_FAULT_FULL,     /* a write found no room */
    SIM_FAULT_SPURIOUS, /* a wake ran for nothing */
    SIM_FAULT_REFUSED,  /* nobody listened */
    SIM_FAULT_BACKLOG,  /* the queue of a listener was full */
    SIM_FAULT_HUNG,     /* a listener stopped accepting */
    SIM_FAULT_RESET,    /* RST arrived */
    SIM_FAULT_CUT,      /* a link was cut */
    SIM_FAULT_KILL,
    SIM_FAULT_POWER,
    SIM_FAULT_RESTART,
    SIM_FAULT_PAUSE,
    SIM_FAULT_SLOW_JOB,
    SIM_FAULT_COUNT
};

const char *sim_fault_name(enum sim_fault fault);

struct sim_faults {
    struct sim_range latency_ns; /* of one chunk between machines */
    struct sim_range local_ns;   /* within a machine */
    double delay_chance;         /* that a chunk is late */
    struct sim_range delay_ns;
    double split_chance; /* that a chunk is cut in two, and its rest again */
    double short_read_chance, short_write_chance;
    double spurious_chance;   /* per armed wake for reading or writing */
    double refuse_chance;     /* that a connection is refused although somebody listens */
    double discard_chance;    /* that RST destroys what was received but not read */
    struct sim_range window;  /* bytes a direction of a connection holds */
    struct sim_range turn_ns; /* what a turn of a loop costs, and how late it comes */
    struct sim_range job_ns;  /* work on a lane */
    double slow_job_chance;
    struct sim_range slow_job_ns;
    int64_t wall_skew_ns;              /* clocks of machines differ by up to this, either way */
    int64_t drift_ppm;                 /* and run fast or slow by up to this; at most 100,000 */
    struct sim_range slowness_percent; /* of machines: 100 is the usual */
};

void sim_faults_calm(struct sim_faults *faults);                      /* small latencies, nothing else */
void sim_faults_draw(struct sim_faults *faults, struct world *world); /* from a quiet day to a storm */

/* Acts until it is over, then makes the world calm again and starts again what it killed. */
struct nemesis;

enum nemesis_act {
    NEMESIS_CUT = 1, /* a set of machines from the rest, or one direction of one link */
    NEMESIS_RESET = 2,
    NEMESIS_PAUSE = 4,
    NEMESIS_HANG = 8,   /* a listener accepts nothing more */
    NEMESIS_KILL = 16,  /* of processes with may_crash */
    NEMESIS_POWER = 32, /* of machines whose every process has may_crash */
    NEMESIS_ALL = 63,
};

struct nemesis *nemesis_start(struct world *world, unsigned acts, int64_t until_ns, struct sim_range pause_ns);
bool nemesis_over(const struct nemesis *nemesis);
void nemesis_destroy(struct nemesis *nemesis);

#endif
