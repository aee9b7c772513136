/* sim/scenarios/spine/client.h - clients that ask, check every byte of every answer, and sometimes leave. */
#ifndef WEFT_SIM_SCENARIOS_SPINE_CLIENT_H
#define WEFT_SIM_SCENARIOS_SPINE_CLIENT_H

#include "sim/scenarios/spine/party.h"

struct client_plan {
    struct world *world;
    struct sim_node *gateway;
    const char *kinds;   /* of requests, drawn from: b c s d w as in party.h; e E echo (length, chunked); t tunnel */
    unsigned requests;   /* to make */
    uint64_t len_max;    /* of bodies */
    double leave_chance; /* that it leaves somewhere within an exchange */
    bool must_work;      /* nothing goes wrong here: any answer but the right one is a failure */
    bool gathers;        /* answers are gather's */
    unsigned done, ok, failed, left; /* so far */
    bool ended;
};

int client_start(struct sim_process *process, void *plan);

#endif
