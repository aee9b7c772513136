#include "base/limits.h"
#include "io/loop.h"
#include "stage/files.h"

/* --- on the lane ------------------------------------------------------------------------------------------ */

static int64_t seconds_of(int64_t ns)
{
    return ns / NS_PER_S;
}

/* A variant that is older than its file was made from something else. Tools keep the time of the file, but not always
 * all of its digits. */
static bool is_variant(const struct io_file *variant, const struct io_file *original)
{
    return variant->file != IO_FILE_FOLDER && seconds_of(variant->modified_ns) >= seconds_of(original->modified_ns);
}

static void find_variant(struct files_open *open, int folder, struct io_file *file)
{
    struct io *io = open->io;
    size_t len = strlen(open->path);

    for (unsigned i = 0; i < open->coding_count; i++) {
        struct bytes suffix = files_coding_suffix(open->codings[i]);
        struct io_file variant;
        int r;

        memcpy(open->path + len, suffix.data, suffix.len);
        open->path[len + suffix.len] = '\0';
        r = io->ops->file_open(io, folder, open->path, &variant);
        open->path[len] = '\0';
        if (r == 0 && is_variant(&variant, file)) {
            io->ops->file_close(io, file->file);
            *file = variant;
            open->coding = open->codings[i];
            return;
        }
        if (r == 0 && variant.file != IO_FILE_FOLDER)
            io->ops->file_close(io, variant.file);
    }
}

/* What is read whole needs no file any more. If it became shorter meanwhile, that is what it is now. */
static int read_start(struct files_open *open)
{
    struct io *io = open->io;
    bool whole = open->size <= BUFFER_SIZE;
    ssize_t n;

    if (!open->memory || (!whole && !open->start))
        return 0;
    n = io->ops->file_read_at(io, open->file, open->memory, (size_t)MIN(open->size, (uint64_t)BUFFER_SIZE), 0);
    if (n >= 0)
        open->have = (size_t)n;
    if (n >= 0 && whole)
        open->size = (uint64_t)n;
    if (n >= 0 && !whole)
        return 0;
    io->ops->file_close(io, open->file);
    open->file = FILES_CLOSED;
    return n < 0 ? (int)n : 0;
}

static int open_below(struct files_open *open, int folder)
{
    struct io_file file;
    int r = open->io->ops->file_open(open->io, folder, open->path, &file);

    if (r < 0)
        return r;
    if (file.file != IO_FILE_FOLDER)
        find_variant(open, folder, &file);
    open->file = file.file;
    open->size = file.size;
    open->modified_ns = file.modified_ns;
    return file.file == IO_FILE_FOLDER ? 0 : read_start(open);
}

static void open_run(struct job *job)
{
    struct files_open *open = container_of(job, struct files_open, job);
    struct io *io = open->io;
    int folder;

    if (atomic_load_explicit(&open->stop, memory_order_relaxed)) {
        open->result = -ECANCELED; /* nobody waits any more */
        return;
    }
    open->result = io->ops->folder_open(io, open->root, &folder);
    open->no_root = open->result < 0;
    if (open->no_root)
        return;
    open->result = open_below(open, folder);
    io->ops->file_close(io, folder);
}

static void open_interrupt(struct job *job)
{
    atomic_store_explicit(&container_of(job, struct files_open, job)->stop, true, memory_order_relaxed);
}

/* --- on the fiber ------------------------------------------------------------------------------------------ */

int files_open(struct files_open *open, struct worker *worker)
{
    struct lane *lane;
    int r = worker_lane(worker, &lane);

    open->file = FILES_CLOSED;
    open->coding = FILES_IDENTITY;
    open->have = 0;
    open->no_root = false;
    open->result = 0;
    atomic_store_explicit(&open->stop, false, memory_order_relaxed);
    open->io = worker->loop->io;
    open->job = (struct job){ .run = open_run, .interrupt = open_interrupt };
    if (r == 0)
        r = lane_run(lane, &open->job);
    if (r == 0)
        return open->result;
    if (open->file >= 0) /* opened, but too late */
        open->io->ops->file_close(open->io, open->file);
    open->file = FILES_CLOSED;
    return r;
}
