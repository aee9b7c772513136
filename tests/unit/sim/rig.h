/* tests/unit/sim/rig.h - two machines with a process each, whose io a test calls directly. */
#ifndef WEFT_TESTS_SIM_RIG_H
#define WEFT_TESTS_SIM_RIG_H

#include "sim/world.h"

#define RIG_PORT 80

struct rig_host {
    struct sim_node *node;
    struct sim_process *process;
    struct loop *loop;
    struct io *io;
};

struct rig {
    struct world *world;
    struct rig_host a, b;
    struct io_socket listener; /* on b */
};

/* A wake that counts how often it ran. */
struct rig_wake {
    struct wake wake;
    unsigned runs, last;
    void (*also)(struct rig_wake *wake);
    struct io *io;
};

struct rig *rig_open(uint64_t seed, const struct sim_faults *faults); /* NULL: calm */
void rig_close(struct rig *rig);
void rig_wait(struct rig *rig, int64_t ms);
void rig_listen(struct rig *rig, unsigned backlog);

/* A connection from a to b, accepted; waits a second for it. */
void rig_connect(struct rig *rig, struct io_socket *ret_a, struct io_socket *ret_b);

ssize_t rig_write(struct rig_host *host, struct io_socket socket, const char *text);
ssize_t rig_write_many(struct rig_host *host, struct io_socket socket, size_t count); /* as much as goes, <= count */

void rig_wake_init(struct rig_wake *wake, struct rig_host *host, struct io_socket socket);

#endif
