/* sim/scenarios/spine/party.h - what the scenarios of the spine are made of: an origin, a gateway and clients, as
 * simulated processes on the real source, stages and endpoint.
 *
 * (1) The bytes of every body are a function of a seed and their place, so anybody can check any part of them.
 * (2) Each process ends in order when its loops are stopped: what is left then is a leak, and the world fails.
 */
#ifndef WEFT_SIM_SCENARIOS_SPINE_PARTY_H
#define WEFT_SIM_SCENARIOS_SPINE_PARTY_H

#include "exchange/endpoint.h"
#include "exchange/snapshot.h"
#include "http/client.h"
#include "http/server.h"
#include "sim/scenario.h"

#define SPINE_PORT 80
#define ORIGINS_MAX 4

/* Byte `at` of the body of that seed. */
char spine_byte(uint64_t seed, uint64_t at);

/* A process that serves HTTP: the origin, and the gateway. */
struct party {
    struct task life, trouble;
    const struct party_plan *plan;
    struct world *world;
    struct loop *loop;
    struct worker worker;
    struct http_server server;
    struct http_listener *listener;
    struct io_socket socket;
    struct list_node snapshots;
    uint64_t version;
    struct endpoint *endpoints[ORIGINS_MAX];
    unsigned endpoint_count;
    bool up;
    unsigned tasks; /* that have not ended: the last one frees it all */
};

struct party_plan {
    struct world *world;
    struct loop_limits loop;
    struct worker_limits worker;
    struct http_server_limits server;
    const struct stage_type *root;
    /* More stages below the root; NULL: none. */
    int (*build)(struct snapshot *snapshot, struct stage *root, void *context);
    void *context;
    struct sim_node *origins[ORIGINS_MAX]; /* endpoints to make; the gateway's */
    unsigned origin_count, connections_max;
    bool reloads;        /* publishes a new version now and then */
    bool chaos;          /* ends the scope of some exchange now and then: so at any wait */
    struct party *party; /* of the running process; NULL: it is down */
};

int party_start(struct sim_process *process, void *plan); /* for sim_process_add() */
void party_gone(struct sim_process *process, void *plan);

/* The root stage of the origin. What it does is in the path:
 *   /b/SEED/LEN  a body of known length     /c/SEED/LEN  the same, chunked     /s/SEED/LEN  chunked, with pauses
 *   /e           the request's body comes back while it is sent                /t  a tunnel that echoes (Upgrade)
 *   /d/SEED/LEN  dies in the middle of the body                               /w/MS  answers after a wait */
extern const struct stage_type STAGE_ORIGIN;

/* The party that a stage of a gateway runs in. */
struct party *party_of(const struct exchange *x);

#endif
