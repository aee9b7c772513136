/* sim/world.h - a simulated world: machines, processes, a network and a clock, on one thread and from one seed.
 *
 *     struct world *world = world_create(seed);
 *     struct sim_node *node = world_node(world);
 *     struct sim_process *server = sim_process_add(node, "server", server_start, context);
 *     world_after(world, ...), world_check(world, ...), nemesis_start(...);
 *     result = world_run(world, &end);
 *
 * (1) Everything that happens is an event on one heap; events of the same time happen in the order in which they
 *     were planned. World time never goes back, and every turn of a loop costs some of it.
 * (2) All chance comes from world->prng. No address of memory, no real time and no order of pointers decides
 *     anything: the same seed gives the same events in every process, and the trace hash shows it.
 * (3) Each simulated process has loops of its own, each with a struct io of the kind "sim". What its code takes from
 *     base/alloc.h is its own (sim/memory.h).
 * (4) A process ends when all its loops are idle; it must have closed its sockets and freed its memory by then, or
 *     the world fails. A killed process runs no more code, and everything it had is taken from it.
 * (5) Checks run after every event. The first failure ends the run.
 * Not simulated (-ENOTSUP): spawn, thread_start. Files keep what was written, whole, also through a crash.
 */
#ifndef WEFT_SIM_WORLD_H
#define WEFT_SIM_WORLD_H

#include "base/heap.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/prng.h"
#include "io/loop.h"
#include "sim/faults.h"
#include "sim/memory.h"
#include "sim/trace.h"

#define SIM_NODES_MAX 64          /* machines of one world; a partition is a matrix of them */
#define SIM_NAMES_MAX 64          /* names that resolve() knows */
#define SIM_NAME_ADDRESSES_MAX 8  /* addresses of one name */
#define SIM_FAILURE_TEXT_MAX 1024 /* what a check found */
#define SIM_DESCRIPTORS_MAX 256   /* inherited and received descriptors of one process */

struct world;
struct sim_node;
struct sim_process;

/* Something that will happen. Belongs to whoever planned it. */
struct sim_event {
    struct heap_node node; /* key: world time */
    void (*run)(struct world *world, struct sim_event *event);
};

/* Runs after every event; calls world_fail() when something is not as it must be. */
struct world_check {
    struct list_node node;
    void (*run)(struct world *world, struct world_check *check);
};

/* What a file holds, as long as its name or a handle leads to it. */
struct sim_content {
    unsigned uses;
    char *data;
    size_t len;
    int64_t modified_ns; /* as its machine believes */
};

struct sim_file {
    struct list_node node;
    char *path;
    struct sim_content *content;
};

/* A machine: an address, a clock, files, and whatever runs on it. */
struct sim_node {
    struct world *world;
    unsigned index;
    uint8_t ip[4]; /* 10.0.0.1, 10.0.0.2, ... */
    bool down;     /* its power is off */
    uint16_t next_port;
    int64_t boot_ns, clock_ns; /* its clock said clock_ns at world time boot_ns */
    int64_t drift_ppm;
    int64_t wall_ns; /* 1970 to boot, as this node believes */
    double slowness; /* factor for turns and jobs: 1 is the usual */
    struct list_node files;
    struct list_node listeners;
};

enum sim_process_state {
    SIM_PROCESS_NEW,
    SIM_PROCESS_RUNNING,
    SIM_PROCESS_ENDED,  /* by itself */
    SIM_PROCESS_KILLED, /* may be started again */
};

enum sim_kill {
    SIM_KILL,  /* the kernel lives on and closes its sockets: FIN, or RST where bytes were unread */
    SIM_POWER, /* the machine goes dark: nobody is told; later its kernel answers strangers with RST */
};

struct sim_process {
    struct list_node node; /* in world->processes */
    struct sim_node *on;
    char name[32];
    unsigned number; /* in the world, from 1 */
    unsigned starts; /* how often it was started */
    enum sim_process_state state;
    int (*start)(struct sim_process *process, void *context); /* opens loops, spawns tasks */
    void (*gone)(struct sim_process *process, void *context); /* NULL, or: ended or killed; its memory is freed now */
    void *context;
    bool may_crash;       /* the nemesis may kill it and start it again */
    unsigned sockets_max; /* of each of its loops; then -EMFILE. SOCKETS_MAX, unless set */
    int64_t paused_until_ns;
    struct list_node loops;
    struct list_node lanes;
    struct sim_memory memory;
    struct sim_end *signals; /* NULL: it has not asked for any */
    struct sim_end *descriptors[SIM_DESCRIPTORS_MAX];
    struct list_node handles; /* of folders and files that it has open */
    int last_handle;
    struct sim_event restart;
};

struct sim_name {
    char name[64];
    struct address addresses[SIM_NAME_ADDRESSES_MAX];
    unsigned count;
};

struct world {
    struct prng prng;
    uint64_t seed;
    int64_t now_ns;
    struct heap events;
    uint64_t event_count;
    struct sim_trace trace;
    struct sim_faults faults;
    struct sim_process *current; /* whose code is running */
    struct list_node processes, checks, connections;
    unsigned process_count, connection_count, end_count;
    unsigned end_number;
    uint64_t connection_number;
    struct sim_node *nodes[SIM_NODES_MAX];
    unsigned node_count;
    bool cut[SIM_NODES_MAX][SIM_NODES_MAX]; /* from, to: nothing arrives */
    struct sim_name names[SIM_NAMES_MAX];
    unsigned name_count;
    struct list_node stacks; /* of fibers, mapped and free */
    unsigned stacks_out;
    bool failed;
    char failure[SIM_FAILURE_TEXT_MAX];
    uint64_t fault_counts[SIM_FAULT_COUNT]; /* how often each kind of fault happened */
};

/* --- the world --------------------------------------------------------------------------------------- */

struct world *world_create(uint64_t seed);     /* calm: see sim/faults.h; faults may be set until the first event */
void world_end_processes(struct world *world); /* kills what still runs, so that the caller's memory may go */
void world_destroy(struct world *world);       /* the same, and all the rest */

struct sim_node *world_node(struct world *world); /* one more machine, its clock skewed by world->faults */
void world_name(struct world *world, const char *name, const struct address *address); /* for resolve() */

/* Plans an event; a planned one is moved. Time in the past: at once. */
void world_at(struct world *world, struct sim_event *event, int64_t at_ns);
void world_after(struct world *world, struct sim_event *event, int64_t delay_ns);
void world_cancel(struct world *world, struct sim_event *event);
void world_check(struct world *world, struct world_check *check);

/* Says what is wrong, once; later ones are dropped. The run ends after the current event. */
void world_fail(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);

struct world_end {
    int64_t until_ns;                                    /* world time */
    uint64_t events_max;                                 /* 0: no bound */
    bool (*reached)(struct world *world, void *context); /* NULL: run to until_ns */
    void *context;
};

/* 0: reached; -ETIMEDOUT: until_ns came first; -EDEADLK: nothing is left that could happen; -E2BIG: events_max;
 * -EIO: world_fail() was called. */
int world_run(struct world *world, const struct world_end *end);

/* True when no process runs any more. An end for world_run(). */
bool world_all_ended(struct world *world, void *context);

int64_t world_draw(struct world *world, const struct sim_range *range);
bool world_chance(struct world *world, double probability);

/* --- faults, by hand ------------------------------------------------------------------------------------ */

void world_cut(struct world *world, unsigned from, unsigned to, bool cut);
void world_heal(struct world *world);
bool world_reset_one(struct world *world); /* a random connection gets RST on both sides; false: there is none */
void world_calm(struct world *world);      /* heals, lets hung listeners accept, sets faults to calm */
bool world_hang_one(struct world *world);  /* a random listener stops accepting until world_calm() */

/* --- processes ------------------------------------------------------------------------------------------- */

struct sim_process *sim_process_add(struct sim_node *node, const char *name,
                                    int (*start)(struct sim_process *process, void *context), void *context);
void sim_process_start(struct sim_process *process);
void sim_process_stop(
    struct sim_process *process); /* loop_stop() on its loops: a polite end; nor will it start again */
void sim_process_kill(struct sim_process *process, enum sim_kill how);
bool sim_process_signal(struct sim_process *process, int number); /* false: it does not listen to that one */
void sim_process_pause(struct sim_process *process, int64_t ns);  /* the scheduler of its machine is elsewhere */
void sim_node_power(struct sim_node *node, bool on);              /* off: kills all that runs there */

/* One more loop with an io of its own; for start(). Lives until the process has gone. NULL: no memory. */
struct loop *sim_process_loop(struct sim_process *process, const struct loop_limits *limits);
struct sim_process *sim_process_of(const struct loop *loop);
void sim_loop_wake(struct loop *loop); /* plans a turn: after touching a loop from outside */

/* Gives a descriptor of one process (from pair(), descriptor_of()) to another: what inheriting does. Returns its
 * number there, or -EBADF, -EMFILE. */
int sim_descriptor_give(struct sim_process *from, int descriptor, struct sim_process *to);

/* The address of a port of the node. */
struct address sim_address(const struct sim_node *node, uint16_t port);

/* What the io's clock of this node says at that world time, and when it will first say at least `clock_ns`. */
int64_t sim_clock(const struct sim_node *node, int64_t at_ns);
int64_t sim_clock_reverse(const struct sim_node *node, int64_t clock_ns);

#endif
