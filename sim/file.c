/* Files of a machine, whole and in memory; and the names of the world. A write is never torn or lost here. */
#include "base/text.h"
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

static struct sim_content *content_take(struct sim_content *content)
{
    content->uses++;
    return content;
}

static void content_drop(struct sim_content *content)
{
    if (--content->uses > 0)
        return;
    mem_free(content->data);
    mem_free(content);
}

int sim_file_read(struct io *io, const char *path, size_t max, struct bytes *ret)
{
    struct sim_file *file = file_find(sim_loop_of(io)->process->on, path);
    char *copy;

    if (!file)
        return -ENOENT;
    if (file->content->len > max)
        return -EFBIG;
    copy = mem_copy_text(file->content->data, file->content->len);
    if (!copy)
        return -ENOMEM;
    *ret = bytes_of(copy, file->content->len);
    return 0;
}

static char *keep(const char *data, size_t len)
{
    char *copy = sim_take(len + 1);

    if (len)
        memcpy(copy, data, len);
    return copy;
}

/* Whoever has the file open goes on reading what it was. */
int sim_file_write(struct io *io, const char *path, struct bytes content, unsigned mode)
{
    struct sim_node *node = sim_loop_of(io)->process->on;
    struct sim_file *file = file_find(node, path);

    if (!file) {
        file = sim_take(sizeof(*file));
        file->path = keep(path, strlen(path));
        list_push_back(&node->files, &file->node);
    } else {
        content_drop(file->content);
    }
    file->content = sim_take(sizeof(*file->content));
    *file->content = (struct sim_content){
        .uses = 1, .data = keep(content.data, content.len), .len = content.len, .modified_ns = io->ops->wall_ns(io)
    };
    world_trace(node->world, SIM_TRACE_FILE_WRITE, (int64_t)content.len, sim_content(content), mode);
    return 0;
}

static void file_free(struct sim_file *file)
{
    list_remove(&file->node);
    content_drop(file->content);
    mem_free(file->path);
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

int sim_file_append(struct io *io, const char *path, struct bytes content, unsigned mode, uint64_t *ret_size)
{
    struct sim_file *file = file_find(sim_loop_of(io)->process->on, path);
    size_t before = file ? file->content->len : 0;
    char *whole = sim_take(before + content.len + 1);

    if (before)
        memcpy(whole, file->content->data, before);
    if (content.len)
        memcpy(whole + before, content.data, content.len);
    (void)sim_file_write(io, path, bytes_of(whole, before + content.len), mode);
    mem_free(whole);
    *ret_size = before + content.len;
    return 0;
}

int sim_file_rename(struct io *io, const char *from, const char *to)
{
    struct sim_node *node = sim_loop_of(io)->process->on;
    struct sim_file *file = file_find(node, from), *other = file_find(node, to);

    if (!file)
        return -ENOENT;
    if (other && other != file)
        file_free(other);
    mem_free(file->path);
    file->path = keep(to, strlen(to));
    return 0;
}

/* Of what lies in it, directly. */
int sim_directory_list(struct io *io, const char *path, void (*each)(void *user, const char *name), void *user)
{
    size_t len = strlen(path);

    LIST_EACH (&sim_loop_of(io)->process->on->files, node, next) {
        const struct sim_file *file = container_of(node, struct sim_file, node);

        if (strncmp(file->path, path, len) == 0 && file->path[len] == '/' && !strchr(file->path + len + 1, '/'))
            each(user, file->path + len + 1);
    }
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

/* --- files below a folder --------------------------------------------------------------------------------------- */

struct sim_handle {
    struct list_node node; /* in process->handles */
    int number;
    char *folder;                /* its path, without a slash at the end; NULL: a file */
    struct sim_content *content; /* of a file */
};

static struct sim_handle *handle_find(struct io *io, int number)
{
    LIST_EACH (&sim_loop_of(io)->process->handles, at, next) {
        struct sim_handle *handle = container_of(at, struct sim_handle, node);

        if (handle->number == number)
            return handle;
    }
    return NULL;
}

static struct sim_handle *handle_make(struct io *io)
{
    struct sim_process *process = sim_loop_of(io)->process;
    struct sim_handle *handle = sim_take(sizeof(*handle));

    handle->number = ++process->last_handle;
    list_push_back(&process->handles, &handle->node);
    return handle;
}

static void handle_free(struct sim_handle *handle)
{
    list_remove(&handle->node);
    if (handle->content)
        content_drop(handle->content);
    mem_free(handle->folder);
    mem_free(handle);
}

void sim_handles_done(struct sim_process *process)
{
    while (!list_empty(&process->handles))
        handle_free(container_of(process->handles.next, struct sim_handle, node));
}

/* A folder is where a file is below. */
static bool folder_exists(struct sim_node *node, struct bytes path)
{
    LIST_EACH (&node->files, at, next) {
        struct bytes file = bytes_of_text(container_of(at, struct sim_file, node)->path);

        if (bytes_starts(file, path) && file.len > path.len && file.data[path.len] == '/')
            return true;
    }
    return false;
}

int sim_folder_open(struct io *io, const char *path, int *ret)
{
    struct sim_node *node = sim_loop_of(io)->process->on;
    struct bytes folder = bytes_of_text(path);
    struct sim_handle *handle;

    while (folder.len > 0 && folder.data[folder.len - 1] == '/')
        folder.len--;
    if (!folder_exists(node, folder))
        return file_find(node, path) ? -ENOTDIR : -ENOENT;
    handle = handle_make(io);
    handle->folder = keep(folder.data, folder.len);
    *ret = handle->number;
    return 0;
}

/* The path below the folder, in the form in which files are written. */
static int file_join(const struct sim_handle *in, struct bytes path, char *whole)
{
    struct text text = text_into(whole, FILE_PATH_MAX - 1);
    struct bytes element;

    if (bytes_starts(path, BYTES("/")))
        return -EXDEV;
    text_add(&text, bytes_of_text(in->folder));
    while (bytes_split(&path, '/', &element)) {
        if (bytes_equal(element, BYTES("..")))
            return -EXDEV;
        if (element.len > FILE_NAME_MAX)
            return -ENAMETOOLONG;
        if (element.len == 0 || bytes_equal(element, BYTES(".")))
            continue;
        text_add_char(&text, '/');
        text_add(&text, element);
    }
    whole[text.len] = '\0';
    return text.full ? -ENAMETOOLONG : 0;
}

/* -ENOTDIR where a file stands in for a folder on the way. */
static int file_missing(struct sim_node *node, char *path)
{
    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        *slash = '\0';
        if (file_find(node, path))
            return -ENOTDIR;
    }
    return -ENOENT;
}

int sim_file_open(struct io *io, int folder, const char *path, struct io_file *ret)
{
    struct sim_node *node = sim_loop_of(io)->process->on;
    struct sim_handle *in = handle_find(io, folder), *handle;
    char whole[FILE_PATH_MAX];
    struct sim_file *file;
    int r;

    if (!in || !in->folder)
        return -EBADF;
    r = file_join(in, bytes_of_text(path), whole);
    if (r < 0)
        return r;
    file = file_find(node, whole);
    if (!file && path[0] && folder_exists(node, bytes_of_text(whole))) {
        *ret = (struct io_file){ .file = IO_FILE_FOLDER };
        return 0;
    }
    if (!file)
        return file_missing(node, whole);
    if (bytes_ends(bytes_of_text(path), BYTES("/")))
        return -ENOTDIR;
    handle = handle_make(io);
    handle->content = content_take(file->content);
    *ret = (struct io_file){ handle->number, handle->content->len, handle->content->modified_ns };
    return 0;
}

ssize_t sim_file_read_at(struct io *io, int file, void *memory, size_t len, uint64_t from)
{
    struct sim_handle *handle = handle_find(io, file);
    size_t count;

    if (!handle || !handle->content)
        return -EBADF;
    if (from >= handle->content->len)
        return 0;
    count = MIN(len, handle->content->len - (size_t)from);
    memcpy(memory, handle->content->data + from, count);
    return (ssize_t)count;
}

void sim_file_close(struct io *io, int file)
{
    struct sim_handle *handle = handle_find(io, file);

    ASSERT(handle != NULL); /* closed twice */
    handle_free(handle);
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
