/* io/linux/internal.h - what the files of io/linux share. Nobody else includes it, but for their tests.
 *
 * Slots. A socket handle is the index of a slot and its generation.
 * (1) A descriptor is registered once, edge-triggered, for all it can tell, and never changed: no epoll_ctl in
 *     steady state. What the kernel told stands in slot->ready until a call uses it up.
 * (2) ready is optimistic: set means "ask the kernel", clear means "nothing since the last -EAGAIN", for sure.
 *     So an edge can't be lost: only poll() sets bits from edges, and only a call that came back empty or short
 *     clears them, before the next poll().
 * (3) After a hang-up or an error was seen, a short read does not clear IO_READ: the end may have come in
 *     the same edge as the bytes. -EAGAIN always does.
 * (4) A slot with due bits is in the due queue; one that is free is in the free list, last in first out.
 * (5) generation is never 0 and grows at each close: an event that epoll returned for the socket before is told
 *     from those of the next user of the slot.
 */
#ifndef WEFT_IO_LINUX_INTERNAL_H
#define WEFT_IO_LINUX_INTERNAL_H

#include "base/assert.h"
#include "base/limits.h"
#include "base/list.h"
#include "io/linux/linux.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define IO_LINUX_MAGIC 0x696f6c78u
#define SLOT_CHUNK 256u         /* slots allocated at a time: 12 KiB */
#define SLOT_NONE UINT32_MAX    /* ends the free list and the due queue */
#define WAKES_MAX 3u            /* one for each of IO_READ, IO_WRITE and IO_HANGUP */
#define LISTEN_PID_TEXT_MAX 32u /* "LISTEN_PID=" and a pid */

enum slot_kind {
    SLOT_FREE,
    SLOT_STREAM,
    SLOT_LISTENER,
    SLOT_MESSAGES, /* SOCK_SEQPACKET */
    SLOT_PIPE,     /* any other descriptor that epoll takes; read() and write() */
    SLOT_SIGNALS,
    SLOT_PROCESS,
};

enum slot_flag {
    SLOT_CONNECTING = 1,
    SLOT_SHARED = 2,  /* another process may hold the same description: closing ours does not unregister it */
    SLOT_QUEUED = 4,  /* is in the due queue */
    SLOT_REFUSED = 8, /* connecting has failed, and was reported */
};

struct slot {
    int descriptor;
    uint32_t generation;
    uint8_t kind;        /* enum slot_kind */
    uint8_t flags;       /* enum slot_flag */
    uint8_t ready;       /* enum io_event */
    uint8_t due;         /* enum io_event: the wakes for these run in the next poll() */
    uint32_t index;      /* its own */
    uint32_t next, prev; /* in the due queue, or (next) in the free list */
    struct wake *wakes[WAKES_MAX];
};

_Static_assert(sizeof(struct slot) <= 48, "memory per idle connection is a published figure");

struct io_linux {
    struct io io;
    uint32_t magic;
    int epoll, notifier;  /* notifier: an eventfd, never read, since each write is an edge */
    atomic_bool notified; /* a write to it was not yet seen by poll() */
    bool wait_in_ms;      /* no epoll_pwait2() here */

    struct slot *chunks[SOCKETS_MAX / SLOT_CHUNK]; /* slots never move */
    uint32_t slot_count, slots_used;               /* ever handed out; in use */
    uint32_t free_first;
    uint32_t due_first, due_last, due_count;

    struct list_node lanes;
    unsigned lane_count;
    unsigned jobs;              /* submitted by us and not yet done; our thread's */
    _Atomic(struct job *) done; /* jobs that have run, last first */
    atomic_uint completing;     /* lane threads that are about to notify us */
    struct rlimit files_before; /* for children; before we raised it */
};

struct io_linux *io_linux(struct io *io); /* checks the magic */

/* slots.c */
struct slot *slot_at(struct io_linux *io, uint32_t index);
struct slot *slot_find(struct io_linux *io, struct io_socket socket); /* NULL: closed, or none */
int slot_take(struct io_linux *io, struct slot **ret) MUST_CHECK;     /* -EMFILE: SOCKETS_MAX; -ENOMEM */
void slot_give(struct io_linux *io, struct slot *slot);
void slot_due(struct io_linux *io, struct slot *slot, unsigned events);
void slot_not_due(struct io_linux *io, struct slot *slot, unsigned events);
struct slot *slot_next_due(struct io_linux *io); /* NULL: none */

static inline struct io_socket slot_handle(const struct slot *slot)
{
    return (struct io_socket){ slot->index, slot->generation };
}

/* Registers a non-blocking descriptor, which belongs to the slot from then on (on failure still to the caller). */
int slot_open(struct io_linux *io, int descriptor, enum slot_kind kind, unsigned ready, unsigned flags,
              struct io_socket *ret) MUST_CHECK;
void slot_close(struct io_linux *io, struct slot *slot);

/* sockaddr.c */
socklen_t sockaddr_from(const struct address *address, struct sockaddr_storage *ret);
void sockaddr_to(const struct sockaddr_storage *from, socklen_t len, struct address *ret);

/* thread.c: a thread with all signals blocked, so that they reach who asked for them */
int linux_thread_create(const char *name, size_t stack_size, void *(*run)(void *), void *context,
                        pthread_t *ret) MUST_CHECK;

/* lane.c */
unsigned linux_lane_jobs_done(struct io_linux *io); /* calls job->done of those that have run */

/* The functions of the table, by file. */
int linux_poll_wait(struct io *io, int64_t until_ns);
void linux_poll_notify(struct io *io);
int linux_poll_arm(struct io *io, struct wake *wake, unsigned events);
void linux_poll_disarm(struct io *io, struct wake *wake);

int linux_socket_listen(struct io *io, const struct address *address, unsigned backlog, bool reuse_port,
                        struct io_socket *ret);
int linux_socket_try_accept(struct io *io, struct io_socket listener, struct io_socket *ret, struct address *ret_peer);
int linux_socket_try_connect(struct io *io, const struct address *address, struct io_socket *ret);
int linux_socket_connect_result(struct io *io, struct io_socket socket);
int linux_socket_local_address(struct io *io, struct io_socket socket, struct address *ret);

ssize_t linux_stream_try_read(struct io *io, struct io_socket socket, void *memory, size_t len);
ssize_t linux_stream_try_write(struct io *io, struct io_socket socket, const struct iovec *parts, int count);
int linux_stream_shut_write(struct io *io, struct io_socket socket);
void linux_stream_close(struct io *io, struct io_socket socket);
void linux_stream_reset(struct io *io, struct io_socket socket);

int linux_descriptors_pair(struct io *io, struct io_socket *ret_ours, int *ret_theirs);
int linux_descriptors_pipe(struct io *io, struct io_socket *ret_ours, int *ret_theirs);
ssize_t linux_descriptors_try_send(struct io *io, struct io_socket socket, struct bytes message, const int *descriptors,
                                   unsigned count);
ssize_t linux_descriptors_try_receive(struct io *io, struct io_socket socket, void *memory, size_t len,
                                      int *ret_descriptors, unsigned *ret_count);
int linux_descriptors_adopt(struct io *io, int descriptor, struct io_socket *ret);
int linux_descriptors_of(struct io *io, struct io_socket socket);
void linux_descriptors_close(struct io *io, int descriptor);

int linux_signals_open(struct io *io, uint64_t mask, struct io_socket *ret);
int linux_signals_try(struct io *io, struct io_socket socket);

int linux_process_spawn(struct io *io, const struct command *command, struct process *ret);
int linux_process_signal(struct io *io, const struct process *process, int number, bool group);
int linux_process_reap(struct io *io, struct process *process, int *ret_status);

int linux_lane_open(struct io *io, const char *name, unsigned threads, struct lane **ret);
void linux_lane_close(struct io *io, struct lane *lane);
int linux_lane_submit(struct io *io, struct lane *lane, struct job *job);

int linux_file_read(struct io *io, const char *path, size_t max, struct bytes *ret);
int linux_file_write(struct io *io, const char *path, struct bytes content, unsigned mode);
int linux_file_append(struct io *io, const char *path, struct bytes content, unsigned mode, uint64_t *ret_size);
int linux_file_rename(struct io *io, const char *from, const char *to);
int linux_directory_list(struct io *io, const char *path, void (*each)(void *user, const char *name), void *user);
int linux_file_remove(struct io *io, const char *path);
int linux_directory_make(struct io *io, const char *path, unsigned mode);
ssize_t linux_descriptor_write(struct io *io, int descriptor, struct bytes content);
ssize_t linux_descriptor_read(struct io *io, int descriptor, void *memory, size_t len);
int linux_descriptors_open(struct io *io);

int linux_folder_open(struct io *io, const char *path, int *ret);
int linux_file_open(struct io *io, int folder, const char *path, struct io_file *ret);
ssize_t linux_file_read_at(struct io *io, int file, void *memory, size_t len, uint64_t from);
void linux_file_close(struct io *io, int file);
int linux_descriptors_terminal(struct io *io, int descriptor, struct terminal_size *ret);

int linux_name_resolve(struct io *io, const char *host, uint16_t port, struct address *ret, unsigned max);

void *linux_stack_map(struct io *io, size_t size);
void linux_stack_unmap(struct io *io, void *stack, size_t size);
int linux_thread_start(struct io *io, const char *name, void (*run)(void *context), void *context, void **ret_thread);
void linux_thread_join(struct io *io, void *thread);

#endif
