/* io/io.h - the seam: everything outside this process comes through one table of non-blocking calls.
 *
 * Two implementations: io/linux (edge-triggered epoll) and sim (a simulated world from one seed). The
 * scheduler, timers, scopes and the blocking-looking wrappers (io/loop.h, io/fiber.h, io/scope.h,
 * io/stream.h) stand above it and are the same in both.
 *
 * (1) Nothing in the table waits, but for poll() and for the calls marked [blocks], which are for start-up,
 *     for the supervisor and for jobs on a lane.
 * (2) -EAGAIN from a try_ call means: arm a wake and come back. A wake armed after -EAGAIN is never missed; a
 *     wake armed while the socket is ready runs in the next poll(), never inside arm().
 * (3) A wake is one-shot: when its run() is called it is no longer armed. A socket has at most one wake for
 *     each of IO_READ, IO_WRITE and IO_HANGUP; arming a second one for the same event is a programmer error. Wakes
 *     for READ are also run by a hang-up or an error (the next try_read tells), wakes for WRITE by an error.
 * (4) A socket handle names slot and generation: using one that was closed is caught, never hits another socket.
 * (5) An io belongs to one thread. Only notify() may be called from another one.
 * (6) Close disarms: the wakes of a closed socket don't run.
 * All functions return 0 or a count, or a negative errno.
 */
#ifndef WEFT_IO_IO_H
#define WEFT_IO_IO_H

#include "base/bytes.h"
#include "io/address.h"

#include <sys/uio.h>

struct io;
struct job;
struct lane;
struct command;
struct process;

/* All zero: no socket. */
struct io_socket {
    uint32_t slot, generation;
};

#define IO_SOCKET_NONE ((struct io_socket){ 0, 0 })

static inline bool io_socket_is(struct io_socket socket)
{
    return socket.generation != 0;
}

enum io_event {
    IO_READ = 1,   /* bytes, a connection, the end or an error can be read */
    IO_WRITE = 2,  /* there is room, or connecting has ended */
    IO_HANGUP = 4, /* the peer closed or reset its side; bytes may still wait to be read */
};

/* Caller-owned; found again with container_of(). Must be disarmed or have run before it goes away. */
struct wake {
    struct io_socket socket;
    unsigned events;                                 /* enum io_event bits that are armed; 0: not armed */
    void (*run)(struct wake *wake, unsigned events); /* on the loop's own stack; may not wait */
};

/* What a process and all that it starts may use. 0: as much as there is. */
struct process_limits {
    uint64_t memory;  /* bytes */
    uint64_t cpu_ppm; /* of one processor, in millionths */
    uint64_t files;   /* open ones, of each process */
};

/* A command to start. Arrays end with NULL; strings are borrowed for the call. */
struct command {
    const char *const *argv; /* argv[0] with a slash is a path, else searched in PATH of `env` */
    const char *const *env;  /* the whole environment */
    const char *directory;   /* NULL: ours */
    const int *descriptors;  /* become 3, 4, ... in the child; the rest is closed */
    unsigned descriptor_count;
    int out, err;    /* become 1 and 2; -1: ours */
    bool listen_pid; /* sets LISTEN_PID to the child's own pid (sd_listen_fds) */
    bool new_group;  /* its own process group, for signals to all it forks */
    uint64_t files;  /* how many it may have open (RLIMIT_NOFILE); 0: as many as we could */
    int cgroup;      /* descriptor of a control group's folder that it is put into; 0: ours */
};

/* A started process. `exited` becomes readable when it has ended; then process_reap() tells how. */
struct process {
    int64_t pid;
    struct io_socket exited;
};

/* In characters; 0: unknown. */
struct terminal_size {
    unsigned columns, rows;
};

/* A file that was opened for reading; or a folder, which was only looked at and is not open. */
struct io_file {
    int file; /* a handle; IO_FILE_FOLDER: a folder */
    uint64_t size;
    int64_t modified_ns; /* since 1970 */
};

#define IO_FILE_FOLDER (-1)

struct io_ops {
    const char *name; /* "linux", "sim" */

    /* time and chance */
    int64_t (*now_ns)(struct io *io);                         /* monotonic */
    int64_t (*wall_ns)(struct io *io);                        /* since 1970, UTC */
    void (*entropy)(struct io *io, void *memory, size_t len); /* for keys and ids; seeded in sim */

    /* the loop's side */
    int (*poll)(struct io *io, int64_t until_ns); /* runs the wakes that are due; waits no longer than until */
    void (*notify)(struct io *io);                /* any thread: the running or next poll() returns at once */
    int (*arm)(struct io *io, struct wake *wake, unsigned events); /* 0; -EBADF: closed */
    void (*disarm)(struct io *io, struct wake *wake);              /* does nothing if it is not armed */

    /* sockets; all are stream sockets, TCP or unix by the address's family */
    int (*listen)(struct io *io, const struct address *address, unsigned backlog, bool reuse_port,
                  struct io_socket *ret);
    int (*try_accept)(struct io *io, struct io_socket listener, struct io_socket *ret, struct address *ret_peer);
    int (*try_connect)(struct io *io, const struct address *address, struct io_socket *ret); /* ends with IO_WRITE */
    int (*connect_result)(struct io *io, struct io_socket socket); /* 0, -EAGAIN (not yet), or why it failed */
    ssize_t (*try_read)(struct io *io, struct io_socket socket, void *memory, size_t len); /* 0: end */
    ssize_t (*try_write)(struct io *io, struct io_socket socket, const struct iovec *parts, int count);
    int (*shut_write)(struct io *io, struct io_socket socket); /* FIN after what was written */
    void (*close)(struct io *io, struct io_socket socket);
    void (*reset)(struct io *io, struct io_socket socket); /* close with RST, where there is one */
    int (*local_address)(struct io *io, struct io_socket socket, struct address *ret);

    /* pairs and descriptors: messages of at most IO_MESSAGE_MAX bytes with up to IO_DESCRIPTORS_MAX descriptors */
    int (*pair)(struct io *io, struct io_socket *ret_ours,
                int *ret_theirs); /* SOCK_SEQPACKET; theirs goes to a child */
    ssize_t (*try_send)(struct io *io, struct io_socket socket, struct bytes message, const int *descriptors,
                        unsigned count);
    ssize_t (*try_receive)(struct io *io, struct io_socket socket, void *memory, size_t len, int *ret_descriptors,
                           unsigned *ret_count);                             /* 0: the other side is gone */
    int (*pipe)(struct io *io, struct io_socket *ret_ours, int *ret_theirs); /* theirs: a child's output, blocking */
    int (*adopt)(struct io *io, int descriptor, struct io_socket *ret);      /* an inherited socket becomes ours */
    int (*descriptor_of)(struct io *io, struct io_socket socket); /* for handing over; still ours. -ENOTSUP */
    void (*descriptor_close)(struct io *io, int descriptor);      /* one that was received and not adopted */

    /* processes and signals (supervisor; single-threaded) */
    int (*signals)(struct io *io, uint64_t mask, struct io_socket *ret); /* bit n-1 for signal n; blocks them */
    int (*try_signal)(struct io *io, struct io_socket socket);           /* its number, or -EAGAIN */
    int (*spawn)(struct io *io, const struct command *command, struct process *ret); /* -ENOENT, -EACCES: exec's */
    int (*process_signal)(struct io *io, const struct process *process, int number, bool group);
    int (*process_reap)(struct io *io, struct process *process, int *ret_status); /* wait status; frees `exited` */

    /* work that blocks: see io/lane.h */
    int (*lane_open)(struct io *io, const char *name, unsigned threads, struct lane **ret);
    void (*lane_close)(struct io *io, struct lane *lane);             /* [blocks] until its jobs have ended */
    int (*submit)(struct io *io, struct lane *lane, struct job *job); /* -EAGAIN: LANE_JOBS_MAX are waiting */

    /* files [blocks] */
    int (*file_read)(struct io *io, const char *path, size_t max, struct bytes *ret); /* mem_free(data); -EFBIG */
    /* Replaces atomically. Mode 0: that of the file that is replaced, else 0644. */
    int (*file_write)(struct io *io, const char *path, struct bytes content, unsigned mode);
    int (*file_append)(struct io *io, const char *path, struct bytes content, unsigned mode,
                       uint64_t *ret_size); /* all of it or nothing; makes the file if there is none */
    int (*file_rename)(struct io *io, const char *from, const char *to); /* replaces */
    int (*file_remove)(struct io *io, const char *path);
    int (*directory_make)(struct io *io, const char *path, unsigned mode); /* an existing one is fine */
    int (*directory_list)(struct io *io, const char *path, void (*each)(void *user, const char *name), void *user);
    ssize_t (*descriptor_write)(struct io *io, int descriptor, struct bytes content); /* all of it, e.g. to stdout */
    ssize_t (*descriptor_read)(struct io *io, int descriptor, void *memory, size_t len);
    int (*terminal)(struct io *io, int descriptor, struct terminal_size *ret); /* -ENOTTY: it is none */
    int (*descriptors_open)(struct io *io);                                    /* how many the process has; -ENOTSUP */
    int (*resolve)(struct io *io, const char *host, uint16_t port, struct address *ret, unsigned max); /* count */

    /* files below a folder [blocks]. No path leads out of it, not by ".." and not by a link: -EXDEV. Where the kernel
     * can't follow links safely, it follows none: -ELOOP, -ENOTDIR. file_close() takes what either of the other two
     * gave, and does not block. */
    int (*folder_open)(struct io *io, const char *path, int *ret);
    int (*file_open)(struct io *io, int folder, const char *path, struct io_file *ret); /* -EINVAL: a device, a pipe */
    ssize_t (*file_read_at)(struct io *io, int file, void *memory, size_t len, uint64_t from); /* less: the end */
    void (*file_close)(struct io *io, int file);

    /* memory of fibers' stacks: zeroed pages, an inaccessible one below `ret`. NULL: none to be had */
    void *(*stack_map)(struct io *io, size_t size);
    void (*stack_unmap)(struct io *io, void *stack, size_t size);

    /* threads: a worker. run() gets an io of its own. */
    int (*thread_start)(struct io *io, const char *name, void (*run)(void *context), void *context, void **ret_thread);
    void (*thread_join)(struct io *io, void *thread); /* [blocks] */
};

/* The head of every implementation's struct. */
struct io {
    const struct io_ops *ops;
    int64_t *clock; /* NULL, or the loop's now_ns: poll() sets it when it has waited, before it runs wakes */
};

#define IO_MESSAGE_MAX 65536  /* one control message between supervisor and serving process */
#define IO_DESCRIPTORS_MAX 32 /* SCM_RIGHTS allows 253; a batch of listeners */

#endif
