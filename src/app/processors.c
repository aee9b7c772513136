#include "app/processors.h"

#include "base/alloc.h"
#include "base/limits.h"

#define STATUS_MAX 16384

unsigned processors_in_list(struct bytes list)
{
    struct bytes rest = bytes_trim(list), part;
    uint64_t count = 0;

    while (bytes_split(&rest, ',', &part)) {
        ssize_t hyphen = bytes_find_char(part, '-');
        uint64_t first, last;

        if (bytes_to_u64(hyphen < 0 ? part : bytes_slice(part, 0, (size_t)hyphen), &first) < 0)
            return 0;
        last = first;
        if (hyphen >= 0 && bytes_to_u64(bytes_skip(part, (size_t)hyphen + 1), &last) < 0)
            return 0;
        if (last < first || last > UINT32_MAX)
            return 0;
        count += last - first + 1;
    }
    return (unsigned)MIN(count, (uint64_t)UINT32_MAX);
}

unsigned processors_count(struct io *io)
{
    struct bytes status, rest, line;
    unsigned count = 0;

    if (io->ops->file_read(io, "/proc/self/status", STATUS_MAX, &status) < 0)
        return 1;
    rest = status;
    while (count == 0 && bytes_split(&rest, '\n', &line))
        if (bytes_starts(line, BYTES("Cpus_allowed_list:")))
            count = processors_in_list(bytes_skip(line, sizeof("Cpus_allowed_list:") - 1));
    mem_free((void *)status.data);
    return MIN(MAX(count, 1u), (unsigned)WORKERS_MAX);
}
