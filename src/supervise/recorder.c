#include "supervise/recorder.h"

#include "base/alloc.h"

#include <stdio.h>

/* --- files, on the lane ----------------------------------------------------------------------------------------- */

static int path_of(const struct recorder *recorder, unsigned number, char *memory)
{
    const char *service = recorder->current->service;
    int len = number == 0 ? snprintf(memory, FILE_PATH_MAX, "%s/%s.log", recorder->folder, service)
                          : snprintf(memory, FILE_PATH_MAX, "%s/%s.log.%u", recorder->folder, service, number);

    return len < 0 || len >= FILE_PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The oldest one goes, each other one takes the next number. Gaps are fine. */
static int rotate(struct recorder *recorder)
{
    struct io *io = recorder->loop->io;
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    int r = 0;

    for (unsigned number = RECORD_FILES_MAX; r == 0 && number-- > 0;) {
        r = path_of(recorder, number, from);
        if (r == 0)
            r = path_of(recorder, number + 1, to);
        if (r < 0)
            break;
        r = number + 1 < recorder->writing_files ? io->ops->file_rename(io, from, to) : io->ops->file_remove(io, from);
        if (r == -ENOENT)
            r = 0;
    }
    return r;
}

static void write_job(struct job *job)
{
    struct recorder *recorder = container_of(job, struct recorder, job);
    struct record *record = recorder->current;
    struct io *io = recorder->loop->io;
    char path[FILE_PATH_MAX];
    int r = 0;

    if (record->known && record->size > 0 && record->size + recorder->writing.len > recorder->writing_size) {
        r = rotate(recorder);
        if (r == 0)
            record->size = 0;
    }
    if (r == 0)
        r = path_of(recorder, 0, path);
    if (r == 0)
        r = io->ops->file_append(io, path, recorder->writing, 0600, &record->size);
    record->known = record->known || r == 0;
    recorder->error = r;
    recorder->written = true;
}

/* --- the writer --------------------------------------------------------------------------------------------------- */

static void add_time(struct recorder *recorder, struct text *text)
{
    struct io *io = recorder->loop->io;
    int64_t now_ns = io->ops->wall_ns(io);

    recorder->last_ns = MAX(now_ns, recorder->last_ns + 1);
    text_add_time(text, recorder->last_ns);
    text->len--; /* three digits and a Z become nine */
    text_add_format(text, "%06uZ", (unsigned)(recorder->last_ns % NS_PER_MS));
}

static void add_line(struct recorder *recorder, struct record *record, struct bytes instance, enum record_stream stream,
                     struct bytes line)
{
    struct text before = record->filling, *text = &record->filling;

    text_add(text, BYTES("{\"time\":\""));
    add_time(recorder, text);
    text_add_format(text, "\",\"service\":\"%s\",\"instance\":\"" BYTES_FMT "\",\"stream\":\"%s\",\"message\":",
                    record->service, BYTES_ARG(instance), stream == RECORD_OUT ? "out" : "err");
    text_add_json(text, line);
    text_add(text, BYTES("}\n"));
    if (text->full) {
        *text = before;
        record->dropped++;
    } else
        record->lines++;
}

/* First in a new buffer, so that it stands where lines are missing. */
static void add_dropped(struct recorder *recorder, struct record *record)
{
    char memory[96];
    struct text text = text_into(memory, sizeof(memory));

    text_add_format(&text, "weft: %llu lines were dropped here: the disk is full, or was too slow",
                    (unsigned long long)record->dropped);
    record->dropped = 0;
    add_line(recorder, record, BYTES_NONE, RECORD_ERR, text_bytes(&text));
}

static bool take_buffer(struct recorder *recorder, struct record *record)
{
    record->buffer = recorder->spare ? recorder->spare : mem_alloc(RECORD_BUFFER_MAX);
    recorder->spare = NULL;
    record->filling = text_into(record->buffer, record->buffer ? RECORD_BUFFER_MAX : 0);
    record->lines = 0;
    return record->buffer != NULL;
}

void record_line(struct recorder *recorder, struct record *record, struct bytes instance, enum record_stream stream,
                 struct bytes line)
{
    if (!record->buffer && !take_buffer(recorder, record)) {
        record->dropped++;
        return;
    }
    if (record->dropped > 0 && record->lines == 0)
        add_dropped(recorder, record);
    add_line(recorder, record, instance, stream, line);
    if (recorder->waiting)
        fiber_wake(recorder->waiting);
}

static struct record *next_to_write(struct recorder *recorder)
{
    LIST_EACH (&recorder->records, node, next) {
        struct record *record = container_of(node, struct record, node);

        if (record->buffer && record->lines > 0) {
            list_remove(&record->node); /* who writes much waits until others have been served */
            list_push_back(&recorder->records, &record->node);
            return record;
        }
    }
    return NULL;
}

static void tell(struct recorder *recorder)
{
    const char *reason = strerrordesc_np(-recorder->error);

    if (recorder->error == recorder->told)
        return;
    recorder->told = recorder->error;
    if (recorder->error < 0)
        log_say(recorder->log, "logs of %s can't be written to %s: %s; lines are dropped until they can",
                recorder->current->service, recorder->folder, reason ? reason : "unknown error");
    else
        log_say(recorder->log, "logs are written to %s again", recorder->folder);
}

static void take_out(struct recorder *recorder, struct record *record)
{
    recorder->current = record;
    recorder->writing = text_bytes(&record->filling);
    recorder->writing_lines = record->lines;
    recorder->writing_files = recorder->files;
    recorder->writing_size = recorder->size;
    recorder->written = false;
    record->buffer = NULL;
    record->lines = 0;
}

static void put_back(struct recorder *recorder)
{
    char *buffer = (char *)(uintptr_t)recorder->writing.data;

    if (!recorder->written) /* the end of the loop forestalled it */
        write_job(&recorder->job);
    if (recorder->error < 0)
        recorder->current->dropped += recorder->writing_lines;
    tell(recorder);
    recorder->writing = BYTES_NONE;
    recorder->current = NULL;
    if (recorder->spare)
        mem_free(buffer);
    else
        recorder->spare = buffer;
}

static int writer_run(struct task *task)
{
    struct recorder *recorder = container_of(task, struct recorder, writer);
    int r = 0;

    while (r == 0) {
        struct record *record = next_to_write(recorder);

        if (!record) {
            recorder->waiting = fiber_current();
            r = fiber_park(TIME_NEVER);
            recorder->waiting = NULL;
            if (r == 0)
                r = fiber_sleep(RECORD_GATHER_NS);
            continue;
        }
        take_out(recorder, record);
        r = lane_run(recorder->lane, &recorder->job);
        put_back(recorder);
    }
    return r;
}

/* --- life ------------------------------------------------------------------------------------------------------------
 */

int recorder_open(struct recorder *recorder, struct loop *loop, struct log *log, const char *folder)
{
    struct io *io = loop->io;
    int r = io->ops->directory_make(io, folder, 0700);

    *recorder = (struct recorder){
        .loop = loop, .log = log, .files = RECORD_FILES_DEFAULT, .size = RECORD_SIZE_DEFAULT
    };
    list_init(&recorder->records);
    if (r < 0)
        return r;
    recorder->folder = mem_copy_text(folder, strlen(folder));
    r = recorder->folder ? io->ops->lane_open(io, "record", 1, &recorder->lane) : -ENOMEM;
    if (r == 0) {
        recorder->job.run = write_job;
        recorder->writer = (struct task){ .run = writer_run };
        r = loop_spawn(loop, &recorder->writer);
    }
    recorder->started = r == 0;
    if (r < 0) {
        if (recorder->lane)
            io->ops->lane_close(io, recorder->lane);
        mem_free(recorder->folder);
    }
    return r;
}

void recorder_set(struct recorder *recorder, unsigned files, uint64_t size)
{
    recorder->files = MIN(files, (unsigned)RECORD_FILES_MAX);
    recorder->size = size;
}

struct record *recorder_record(struct recorder *recorder, struct bytes service)
{
    struct record *record;

    LIST_EACH (&recorder->records, node, next) {
        record = container_of(node, struct record, node);
        if (bytes_equal(bytes_of_text(record->service), service))
            return record;
    }
    record = mem_zalloc(sizeof(*record));
    if (!record)
        return NULL;
    record->service = mem_copy_text(service.data, service.len);
    if (!record->service) {
        mem_free(record);
        return NULL;
    }
    list_push_back(&recorder->records, &record->node);
    return record;
}

void recorder_close(struct recorder *recorder)
{
    struct record *record;

    if (!recorder->started)
        return;
    recorder->started = false;
    recorder->loop->io->ops->lane_close(recorder->loop->io, recorder->lane);
    while ((record = next_to_write(recorder)) != NULL) {
        take_out(recorder, record);
        put_back(recorder);
    }
    LIST_EACH (&recorder->records, node, next) {
        record = container_of(node, struct record, node);
        mem_free(record->buffer);
        mem_free(record->service);
        mem_free(record);
    }
    mem_free(recorder->spare);
    mem_free(recorder->folder);
}
