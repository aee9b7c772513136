/* sim/internal.h - what the files of the simulator share. Scenarios need sim/world.h alone.
 *
 * An end is what a kernel calls an open file description: sockets (in one io each) and descriptors refer to it, and
 * it goes away with the last of them. A connection joins two ends by two pipes; it outlives an end that was
 * closed politely for as long as bytes are under way to the other one.
 */
#ifndef WEFT_SIM_INTERNAL_H
#define WEFT_SIM_INTERNAL_H

#include "base/assert.h"
#include "base/hash.h"
#include "io/lane.h"
#include "sim/world.h"

#define SIM_GIVE_UP_NS (120 * NS_PER_S) /* sending into the void ends with -ETIMEDOUT; Linux takes about 15 minutes */
#define SIM_RETRY_NS (200 * NS_PER_MS)  /* the shortest retransmission timeout of Linux */
#define SIM_RETRY_DOUBLINGS 4           /* fewer than in TCP: after a heal, virtual minutes of silence teach nothing */
#define SIM_SYN_TRIES 6                 /* 1, 2, 4, ... seconds: net.ipv4.tcp_syn_retries */
#define SIM_PACKETS_MAX 16              /* messages waiting at one end of a pair */

enum sim_end_kind { SIM_END_LISTENER, SIM_END_STREAM, SIM_END_PACKETS, SIM_END_SIGNALS };
enum sim_end_state { SIM_CONNECTING, SIM_CONNECTED, SIM_FAILED };

/* One direction of a connection. Bytes written but not read by the other side live in the ring: in the sender's
 * buffer, under way, or arrived. */
struct sim_pipe {
    struct sim_connection *connection;
    unsigned from; /* side */
    char *ring;    /* NULL until the first byte */
    size_t capacity;
    uint64_t written, arrived, read;
    struct list_node segments; /* under way, in order */
    struct sim_event arrival;  /* of the first segment */
    struct sim_event reset;    /* RST on its way: overtakes everything */
    int64_t last_ns;           /* when the last segment will arrive */
    int64_t blocked_ns;        /* since when nothing gets through; 0: it does */
    unsigned tries;
    bool fin_sent, fin_arrived;
};

struct sim_connection {
    struct list_node node; /* in world->connections */
    struct world *world;
    uint64_t number;
    struct sim_pipe pipes[2]; /* from side 0, from side 1 */
    struct sim_end *ends[2];  /* 0: who connected; NULL: gone */
    struct sim_node *nodes[2];
};

struct sim_end {
    struct world *world;
    enum sim_end_kind kind;
    unsigned number;
    unsigned references;
    struct sim_node *on;
    struct address local, peer;
    struct list_node sockets; /* that refer to it */

    /* listener */
    struct list_node listening; /* in on->listeners */
    struct list_node queue;     /* of ends: nobody has accepted them yet */
    unsigned queued, backlog;
    bool reuse_port, hung;

    /* stream */
    enum sim_end_state state;
    struct list_node queued_node;
    struct sim_connection *connection; /* NULL before the answer */
    unsigned side;
    int connect_error;
    int error;   /* told once, by the next read or write */
    bool broken; /* by RST or timeout: no byte goes in or out any more */
    struct sim_event connecting;
    struct sim_node *target;
    bool answered; /* `connecting` is the answer, not the question */
    unsigned tries;

    /* packets */
    struct sim_end *other;
    struct list_node messages;
    unsigned message_count;

    /* signals */
    uint64_t signals, signals_pending;
    struct sim_process *receiver;
};

struct sim_socket {
    struct sim_loop *owner;
    uint32_t slot, generation;
    struct sim_end *end;       /* NULL: the slot is free */
    struct list_node at_end;   /* in end->sockets */
    struct list_node due_node; /* in owner->due */
    struct wake *wakes[3];     /* for IO_READ, IO_WRITE, IO_HANGUP */
    unsigned spurious;         /* events that the next poll pretends */
};

/* A loop and its io. */
struct sim_loop {
    struct io io; /* first: the seam's functions get a pointer to it */
    struct loop loop;
    struct list_node node; /* in process->loops */
    struct sim_process *process;
    unsigned number; /* in its process */
    struct sim_event turn;
    bool turning, ended;
    struct sim_socket **slots;
    uint32_t slot_count, slot_capacity;
    uint32_t *free_slots;
    uint32_t free_count;
    unsigned open_sockets;
    struct list_node due;      /* sockets whose wakes should run */
    struct list_node finished; /* jobs */
};

extern const struct io_ops SIM_IO_OPS;

static inline struct sim_loop *sim_loop_of(struct io *io)
{
    return container_of(io, struct sim_loop, io);
}

static inline struct world *sim_world_of(struct io *io)
{
    return sim_loop_of(io)->process->on->world;
}

/* world.c, process.c */
void world_count(struct world *world, enum sim_fault fault);
struct sim_process *world_enter(struct world *world, struct sim_process *process); /* returns who ran before */
void world_leave(struct world *world, struct sim_process *before);
bool world_blocked(struct world *world, const struct sim_node *from, const struct sim_node *to);
int64_t world_latency(struct world *world, const struct sim_node *from, const struct sim_node *to);
void sim_process_turned(struct sim_process *process); /* ends it when all its loops are idle */

/* socket.c: handles, and the wakes armed on them */
struct sim_socket *sim_socket_find(struct io *io, struct io_socket socket);                /* NULL: stale */
int sim_socket_open(struct io *io, struct sim_end *end, struct io_socket *ret) MUST_CHECK; /* takes a reference over */
void sim_socket_shut(struct sim_socket *socket);
void sim_socket_notify(struct sim_socket *socket);
int sim_arm(struct io *io, struct wake *wake, unsigned events);
void sim_disarm(struct io *io, struct wake *wake);
int sim_poll(struct io *io, int64_t until_ns);
void sim_loop_sockets_done(struct sim_loop *loop, bool vanish);

/* end.c */
struct sim_end *sim_end_create(struct sim_node *node, enum sim_end_kind kind); /* one reference */
void sim_end_release(struct sim_end *end, bool vanish);                        /* gives one reference back */
unsigned sim_end_ready(const struct sim_end *end);                             /* enum io_event */
void sim_end_notify(struct sim_end *end);

/* listen.c */
int sim_listen(struct io *io, const struct address *address, unsigned backlog, bool reuse_port, struct io_socket *ret);
int sim_try_accept(struct io *io, struct io_socket listener, struct io_socket *ret, struct address *ret_peer);
int sim_try_connect(struct io *io, const struct address *address, struct io_socket *ret);
int sim_connect_result(struct io *io, struct io_socket socket);
void sim_listener_done(struct sim_end *listener, bool vanish);
void sim_end_connected(struct sim_end *end, int result);

/* pipe.c */
struct sim_connection *sim_connection_create(struct sim_end *client, struct sim_end *server);
void sim_connection_destroy(struct sim_connection *connection);
void sim_stream_done(struct sim_end *end, bool vanish);
void sim_connection_break(struct sim_connection *connection); /* RST on both sides, at once */
void sim_stream_reset(struct sim_end *end);                   /* sends RST and breaks this side */
ssize_t sim_try_read(struct io *io, struct io_socket socket, void *memory, size_t len);
ssize_t sim_try_write(struct io *io, struct io_socket socket, const struct iovec *parts, int count);
int sim_shut_write(struct io *io, struct io_socket socket);
size_t sim_pipe_unread(const struct sim_pipe *pipe);
size_t sim_pipe_room(const struct sim_pipe *pipe);

/* packet.c */
int sim_pair(struct io *io, struct io_socket *ret_ours, int *ret_theirs);
ssize_t sim_try_send(struct io *io, struct io_socket socket, struct bytes message, const int *descriptors,
                     unsigned count);
ssize_t sim_try_receive(struct io *io, struct io_socket socket, void *memory, size_t len, int *ret_descriptors,
                        unsigned *ret_count);
int sim_adopt(struct io *io, int descriptor, struct io_socket *ret);
int sim_descriptor_of(struct io *io, struct io_socket socket);
void sim_descriptor_close(struct io *io, int descriptor);
void sim_packets_done(struct sim_end *end, bool vanish);
int sim_signals(struct io *io, uint64_t mask, struct io_socket *ret);
int sim_try_signal(struct io *io, struct io_socket socket);

/* lane.c */
int sim_lane_open(struct io *io, const char *name, unsigned threads, struct lane **ret);
void sim_lane_close(struct io *io, struct lane *lane);
int sim_submit(struct io *io, struct lane *lane, struct job *job);
unsigned sim_jobs_finish(struct sim_loop *loop);  /* runs done() of what has finished */
void sim_lanes_done(struct sim_process *process); /* drops them, running nothing */
void sim_loop_jobs_done(struct sim_loop *loop);

/* file.c */
int sim_file_read(struct io *io, const char *path, size_t max, struct bytes *ret);
int sim_file_write(struct io *io, const char *path, struct bytes content, unsigned mode);
int sim_file_append(struct io *io, const char *path, struct bytes content, unsigned mode, uint64_t *ret_size);
int sim_file_rename(struct io *io, const char *from, const char *to);
int sim_directory_list(struct io *io, const char *path, void (*each)(void *user, const char *name), void *user);
int sim_file_remove(struct io *io, const char *path);
int sim_directory_make(struct io *io, const char *path, unsigned mode);
int sim_resolve(struct io *io, const char *host, uint16_t port, struct address *ret, unsigned max);
void sim_files_done(struct sim_node *node);
int sim_folder_open(struct io *io, const char *path, int *ret);
int sim_file_open(struct io *io, int folder, const char *path, struct io_file *ret);
ssize_t sim_file_read_at(struct io *io, int file, void *memory, size_t len, uint64_t from);
void sim_file_close(struct io *io, int file);
void sim_handles_done(struct sim_process *process);

/* stack.c */
void *sim_stack_map(struct io *io, size_t size);
void sim_stack_unmap(struct io *io, void *stack, size_t size);
void sim_stacks_done(struct world *world);

#endif
