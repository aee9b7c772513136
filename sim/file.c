/* Files of a machine, whole and in memory; and the names of the world. A write is never torn or lost here. */
#include "sim/internal.h"

static struct sim_file *file_find(struct sim_node *node, const char *path)
{
    LIST_EACH (&node->files, at, next) {
        struct sim_file *file = container_of(at, struct sim_file, node);

        if (strcmp(file->path, path) == 0)
            return file;
    }
    return NULL;
}

int sim_file_read(struct io *io, const char *path, size_t max, struct bytes *ret)
{
    struct sim_file *file = file_find(sim_loop_of(io)->process->on, path);
    char *copy;

    if (!file)
        return -ENOENT;
    if (file->len > max)
        return -EFBIG;
    copy = mem_copy_text(file->data, file->len);
    if (!copy)
        return -ENOMEM;
    *ret = bytes_of(copy, file->len);
    return 0;
}

static char *keep(const char *data, size_t len)
{
    char *copy = sim_take(len + 1);

    if (len)
        memcpy(copy, data, len);
    return copy;
}

int sim_file_write(struct io *io, const char *path, struct bytes content, unsigned mode)
{
    struct sim_node *node = sim_loop_of(io)->process->on;
    struct sim_file *file = file_find(node, path);

    if (!file) {
        file = sim_take(sizeof(*file));
        file->path = keep(path, strlen(path));
        list_push_back(&node->files, &file->node);
    }
    mem_free(file->data);
    file->data = keep(content.data, content.len);
    file->len = content.len;
    world_trace(node->world, SIM_TRACE_FILE_WRITE, (int64_t)content.len, sim_content(content), mode);
    return 0;
}

static void file_free(struct sim_file *file)
{
    list_remove(&file->node);
    mem_free(file->path);
    mem_free(file->data);
    mem_free(file);
}

int sim_file_remove(struct io *io, const char *path)
{
    struct sim_file *file = file_find(sim_loop_of(io)->process->on, path);

    if (!file)
        return -ENOENT;
    file_free(file);
    return 0;
}

/* Directories are implied by the paths of files. */
int sim_directory_make(struct io *io, const char *path, unsigned mode)
{
    return path[0] ? 0 : -ENOENT;
}

void sim_files_done(struct sim_node *node)
{
    while (!list_empty(&node->files))
        file_free(container_of(node->files.next, struct sim_file, node));
}

/* --- names ---------------------------------------------------------------------------------------------------- */

static struct sim_name *name_find(struct world *world, const char *name)
{
    for (unsigned i = 0; i < world->name_count; i++)
        if (strcmp(world->names[i].name, name) == 0)
            return &world->names[i];
    return NULL;
}

void world_name(struct world *world, const char *name, const struct address *address)
{
    struct sim_name *found = name_find(world, name);

    if (!found) {
        ASSERT(world->name_count < SIM_NAMES_MAX && strlen(name) < sizeof(found->name));
        found = &world->names[world->name_count++];
        memcpy(found->name, name, strlen(name) + 1);
    }
    ASSERT(found->count < SIM_NAME_ADDRESSES_MAX);
    found->addresses[found->count++] = *address;
}

int sim_resolve(struct io *io, const char *host, uint16_t port, struct address *ret, unsigned max)
{
    static const struct address LOOPBACK = { .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 } };
    struct sim_name *found = name_find(sim_world_of(io), host);
    bool local = strcmp(host, "localhost") == 0;
    unsigned count = local ? 1 : found ? found->count : 0;

    if (count == 0)
        return -ENOENT;
    count = MIN(count, max);
    for (unsigned i = 0; i < count; i++) {
        ret[i] = local ? LOOPBACK : found->addresses[i];
        ret[i].port = port;
    }
    return (int)count;
}
