#include "sim/faults.h"

#include "sim/world.h"

static const char *const NAMES[SIM_FAULT_COUNT] = {
    "split", "delay", "blocked", "short-read", "short-write", "full",    "spurious", "refused",  "backlog",
    "hung",  "reset", "cut",     "kill",       "power",       "restart", "pause",    "slow-job",
};

const char *sim_fault_name(enum sim_fault fault)
{
    return NAMES[fault];
}

void sim_faults_calm(struct sim_faults *faults)
{
    *faults = (struct sim_faults){
        .latency_ns = { 200 * NS_PER_US, 400 * NS_PER_US },
        .local_ns = { 5 * NS_PER_US, 20 * NS_PER_US },
        .window = { 65536, 65536 },
        .turn_ns = { 1 * NS_PER_US, 3 * NS_PER_US },
        .job_ns = { 50 * NS_PER_US, 500 * NS_PER_US },
        .slowness_percent = { 100, 100 },
    };
}

static double chance(struct prng *prng, double most)
{
    return prng_chance(prng, 0.5) ? 0.0 : prng_unit(prng) * most;
}

/* A quarter of the seeds is calm: what fails there needs no fault to be understood. */
void sim_faults_draw(struct sim_faults *faults, struct world *world)
{
    struct prng *prng = &world->prng;
    int64_t slowest;

    sim_faults_calm(faults);
    if (prng_chance(prng, 0.25))
        return;
    slowest = prng_between(prng, 1, 50) * NS_PER_MS;
    faults->latency_ns = (struct sim_range){ prng_between(prng, 10, 500) * NS_PER_US, slowest };
    faults->local_ns.high = prng_between(prng, 20, 2000) * NS_PER_US;
    faults->delay_chance = chance(prng, 0.1);
    faults->delay_ns = (struct sim_range){ 200 * NS_PER_MS, prng_between(prng, 1, 3) * NS_PER_S };
    faults->split_chance = chance(prng, 0.7);
    faults->short_read_chance = chance(prng, 0.5);
    faults->short_write_chance = chance(prng, 0.5);
    faults->spurious_chance = chance(prng, 0.2);
    faults->refuse_chance = chance(prng, 0.1);
    faults->discard_chance = prng_chance(prng, 0.5) ? 1.0 : 0.0;
    faults->window.low = INT64_C(1) << prng_between(prng, 0, 16);
    faults->window.high = faults->window.low << prng_between(prng, 0, 4);
    faults->turn_ns.high = prng_between(prng, 3, 3000) * NS_PER_US;
    faults->job_ns.high = prng_between(prng, 1, 20) * NS_PER_MS;
    faults->slow_job_chance = chance(prng, 0.2);
    faults->slow_job_ns = (struct sim_range){ 100 * NS_PER_MS, 5 * NS_PER_S };
    faults->wall_skew_ns = prng_between(prng, 0, 3600) * NS_PER_S;
    faults->drift_ppm = prng_between(prng, 0, 1000);
    faults->slowness_percent = (struct sim_range){ 50, prng_between(prng, 100, 1000) };
}
