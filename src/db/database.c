#include "db/database.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "db/migrate.h"
#include "db/transaction.h"

#include <stdio.h>

/* Transactions whose turn has not come. They leave it when nobody waits for them any more. */
struct queue {
    struct list_node list;
    unsigned count;
};

struct database {
    struct io *io;
    struct lane *write_lane, *read_lane;
    int64_t busy_ns;
    struct queue writing, reading;
    struct list_node group; /* those whose turn it is, while the job runs */
    struct job job;
    bool running; /* the job: the group and the writer are the lane's */
    uint64_t commits;
    struct sqlite writer;
    unsigned reader_count;
    struct sqlite readers[DB_READERS_MAX];
};

/* --- opening and closing ------------------------------------------------------------------------------------- */

static int open_readers(struct database *database, const struct database_options *options, struct fault *fault)
{
    for (; database->reader_count < options->readers; database->reader_count++) {
        struct sqlite *reader = &database->readers[database->reader_count];
        int r = sqlite_open(reader, options->path, true, (int)(options->open_ns / NS_PER_MS));

        if (r < 0) {
            fault_set(fault, "can't open %s: %s", options->path, reader->reason);
            return r;
        }
        reader->busy_ms = (int)(options->busy_ns / NS_PER_MS);
    }
    return 0;
}

static int open_writer(struct database *database, const struct database_options *options, struct fault *fault)
{
    struct sqlite *writer = &database->writer;
    int r = sqlite_open(writer, options->path, false, (int)(options->open_ns / NS_PER_MS));

    if (r < 0) {
        fault_set(fault, "can't open %s: %s", options->path, writer->reason);
        fault_hint(fault, "is its folder there and may it be written?");
        return r;
    }
    r = migrate(writer, options->migrations, options->migration_count);
    if (r < 0)
        fault_set(fault, "can't migrate %s: %s", options->path, writer->reason);
    writer->busy_ms = DB_BUSY_TURN_MS;
    return r;
}

static int open_lanes(struct database *database, const struct database_options *options, struct fault *fault)
{
    const struct io_ops *ops = database->io->ops;
    int r = ops->lane_open(database->io, "db write", 1, &database->write_lane);

    if (r == 0)
        r = ops->lane_open(database->io, "db read", options->readers, &database->read_lane);
    if (r < 0)
        fault_set(fault, "can't open %s: %s", options->path,
                  r == -ENOSPC ? "there are too many databases on one thread" : strerrordesc_np(-r));
    return r == -ENOSPC ? -EMFILE : r;
}

int database_open(struct loop *loop, const struct database_options *options, struct database **ret, struct fault *fault)
{
    struct database *database;
    int r;

    ASSERT(options->readers > 0 && options->readers <= DB_READERS_MAX);
    ASSERT(options->busy_ns >= 0 && options->open_ns >= 0);
    database = mem_zalloc(sizeof(*database));
    if (!database) {
        fault_set(fault, "can't open %s: there is no memory", options->path);
        return -ENOMEM;
    }
    database->io = loop->io;
    database->busy_ns = options->busy_ns;
    list_init(&database->writing.list);
    list_init(&database->reading.list);
    list_init(&database->group);
    r = open_writer(database, options, fault);
    if (r == 0)
        r = open_readers(database, options, fault);
    if (r == 0)
        r = open_lanes(database, options, fault);
    if (r < 0)
        database_close(database);
    else
        *ret = database;
    return r;
}

void database_close(struct database *database)
{
    const struct io_ops *ops = database->io->ops;

    ASSERT(list_empty(&database->writing.list) && list_empty(&database->reading.list));
    ASSERT(list_empty(&database->group));
    if (database->read_lane)
        ops->lane_close(database->io, database->read_lane);
    if (database->write_lane)
        ops->lane_close(database->io, database->write_lane);
    for (unsigned i = 0; i < database->reader_count; i++)
        sqlite_close(&database->readers[i]);
    sqlite_close(&database->writer);
    mem_free(database);
}

uint64_t database_commits(const struct database *database)
{
    return database->commits;
}

/* --- on the threads ------------------------------------------------------------------------------------------ */

static void note_failure(struct transaction *transaction, const struct sqlite *connection, int error)
{
    if (error >= 0)
        return;
    transaction->failed = error;
    memcpy(transaction->reason, connection->reason, sizeof(transaction->reason));
}

static int do_or_note(struct transaction *transaction, struct sqlite *connection, enum own_statement which)
{
    int r = sqlite_do(connection, which);

    note_failure(transaction, connection, r);
    return r;
}

static void run_work(struct transaction *transaction, struct sqlite *connection)
{
    struct sql sql;

    connection->cancelled = &transaction->cancelled;
    transaction->ran = true;
    transaction->result = sql_work(&sql, connection, &transaction->memory, transaction->work, transaction->argument);
    connection->cancelled = NULL;
    note_failure(transaction, connection, sql.failed);
}

static void read_run(struct job *job)
{
    struct transaction *transaction = container_of(job, struct transaction, job);
    struct sqlite *reader = transaction->reader;

    transaction->result = do_or_note(transaction, reader, OWN_BEGIN_READ);
    if (transaction->result == 0)
        run_work(transaction, reader);
    sqlite_roll_back(reader);
}

/* Takes back what this one has done, for itself alone where SQLite has left that possible. */
static void undo_one(struct sqlite *writer)
{
    if (sqlite3_get_autocommit(writer->handle))
        return;
    if (sqlite_do(writer, OWN_SAVE_UNDO) < 0 || sqlite_do(writer, OWN_SAVE_KEEP) < 0)
        sqlite_roll_back(writer);
}

/* False: the whole group's transaction is gone. */
static bool run_one(struct transaction *transaction, struct sqlite *writer)
{
    int r = do_or_note(transaction, writer, OWN_SAVE);

    if (r == 0) {
        run_work(transaction, writer);
        r = transaction->result;
    }
    if (r == 0)
        r = do_or_note(transaction, writer, OWN_SAVE_KEEP);
    if (r < 0)
        undo_one(writer);
    transaction->result = r;
    transaction->ran = true;
    return !sqlite3_get_autocommit(writer->handle);
}

/* Those that were through, when the commit that they share did not come about. */
static void group_failed(struct database *database, const struct transaction *last, int error)
{
    LIST_EACH (&database->group, node, next) {
        struct transaction *each = container_of(node, struct transaction, node);

        if (!each->ran)
            return;
        if (each != last && each->result == 0) {
            each->result = error;
            note_failure(each, &database->writer, error);
        }
    }
}

static bool any_done(const struct database *database)
{
    LIST_EACH (&database->group, node, next)
        if (container_of(node, struct transaction, node)->result == 0)
            return true;
    return false;
}

/* Those that have not run afterwards want to be tried again. */
static void group_run(struct job *job)
{
    struct database *database = container_of(job, struct database, job);
    struct sqlite *writer = &database->writer;
    int r = sqlite_do(writer, OWN_BEGIN_WRITE);

    if (r < 0) {
        LIST_EACH (&database->group, node, next) {
            struct transaction *each = container_of(node, struct transaction, node);

            each->result = r;
            each->ran = r != -EBUSY;
            note_failure(each, writer, r);
        }
        return;
    }
    LIST_EACH (&database->group, node, next) {
        struct transaction *each = container_of(node, struct transaction, node);

        if (!run_one(each, writer)) {
            group_failed(database, each, -EAGAIN);
            return;
        }
    }
    if (any_done(database)) {
        r = sqlite_do(writer, OWN_COMMIT);
        if (r < 0)
            group_failed(database, NULL, r);
        else
            database->commits++;
    }
    sqlite_roll_back(writer);
}

/* --- on the loop --------------------------------------------------------------------------------------------- */

static void finish(struct transaction *transaction)
{
    transaction->finished = true;
    (void)fiber_wake(transaction->waiter);
}

/* One that was not run goes back to the front, if anybody still wants it. */
static bool try_again(struct database *database, struct transaction *transaction)
{
    if (transaction->ran)
        return false;
    if (atomic_load_explicit(&transaction->cancelled, memory_order_relaxed)) {
        transaction->result = -ECANCELED;
        return false;
    }
    if (transaction->result == -EBUSY && database->io->ops->now_ns(database->io) >= transaction->busy_until_ns)
        return false;
    transaction->failed = 0;
    transaction->reason[0] = '\0';
    return true;
}

static struct transaction *queue_pop(struct queue *queue)
{
    struct list_node *node = list_pop_front(&queue->list);
    struct transaction *transaction = node ? container_of(node, struct transaction, node) : NULL;

    if (transaction) {
        queue->count--;
        transaction->queue = NULL;
    }
    return transaction;
}

static void group_start(struct database *database);

static void group_done(struct job *job)
{
    struct database *database = container_of(job, struct database, job);
    struct list_node again, *node;

    list_init(&again);
    database->running = false;
    while ((node = list_pop_front(&database->group)) != NULL) {
        struct transaction *each = container_of(node, struct transaction, node);

        if (!try_again(database, each)) {
            finish(each);
            continue;
        }
        each->queue = &database->writing;
        database->writing.count++;
        list_push_back(&again, node);
    }
    list_move_all(&again, &database->writing.list);
    list_move_all(&database->writing.list, &again);
    group_start(database);
}

/* The lane has one job of ours at a time; who comes meanwhile makes the next group. */
static void group_start(struct database *database)
{
    struct transaction *each;
    int r;

    if (database->running || database->writing.count == 0)
        return;
    for (unsigned i = 0; i < DB_GROUP_MAX && (each = queue_pop(&database->writing)) != NULL; i++) {
        if (each->busy_until_ns == 0)
            each->busy_until_ns = database->io->ops->now_ns(database->io) + database->busy_ns;
        each->result = 0;
        list_push_back(&database->group, &each->node);
    }
    database->running = true;
    database->job = (struct job){ .run = group_run, .done = group_done };
    r = database->io->ops->submit(database->io, database->write_lane, &database->job);
    ASSERT(r == 0); /* nobody else uses the lane */
}

static void prepare(struct database *database, struct transaction *transaction)
{
    transaction->database = database;
    transaction->failed = 0;
    transaction->reason[0] = '\0';
    transaction->finished = transaction->ran = false;
    transaction->busy_until_ns = 0;
    transaction->result = 0;
    atomic_init(&transaction->cancelled, false);
}

/* What was done is told, also to those whose time is up. */
static int result_of(const struct transaction *transaction, int ended)
{
    return transaction->result == -ECANCELED && ended < 0 ? ended : transaction->result;
}

/* Begins what waits in its turn. */
typedef void starter(struct database *database);

static int wait_in(struct database *database, struct queue *queue, starter *start, struct transaction *transaction)
{
    int ended = fiber_scope()->ended;

    if (ended < 0)
        return ended;
    if (queue->count >= DB_WAITING_MAX)
        return -EAGAIN;
    prepare(database, transaction);
    transaction->waiter = fiber_current();
    transaction->queue = queue;
    list_push_back(&queue->list, &transaction->node);
    queue->count++;
    start(database);
    while (!transaction->finished && ended == 0)
        ended = fiber_park(TIME_NEVER);
    if (transaction->queue) {
        list_remove(&transaction->node);
        queue->count--;
        return ended;
    }
    atomic_store_explicit(&transaction->cancelled, true, memory_order_relaxed);
    while (!transaction->finished) /* its memory is ours */
        fiber_park_deaf();
    return result_of(transaction, ended);
}

int database_write(struct database *database, struct transaction *transaction)
{
    return wait_in(database, &database->writing, group_start, transaction);
}

static void read_start(struct database *database);

static void read_done(struct job *job)
{
    struct transaction *transaction = container_of(job, struct transaction, job);
    struct database *database = transaction->database;

    transaction->reader->taken = false;
    finish(transaction);
    read_start(database);
}

/* No more than there are threads: each has a connection for itself. */
static void read_start(struct database *database)
{
    for (unsigned i = 0; i < database->reader_count && database->reading.count > 0; i++) {
        struct sqlite *reader = &database->readers[i];
        struct transaction *transaction;
        int r;

        if (reader->taken)
            continue;
        reader->taken = true;
        transaction = queue_pop(&database->reading);
        ASSERT(transaction);
        transaction->reader = reader;
        transaction->job = (struct job){ .run = read_run, .done = read_done };
        r = database->io->ops->submit(database->io, database->read_lane, &transaction->job);
        ASSERT(r == 0); /* nobody else uses the lane */
    }
}

int database_read(struct database *database, struct transaction *transaction)
{
    return wait_in(database, &database->reading, read_start, transaction);
}
