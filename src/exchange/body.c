#include "exchange/body.h"

#include "base/assert.h"

int body_read(struct body *body, struct bytes *ret_chunk)
{
    struct bytes chunk = BYTES_NONE;
    int r;

    if (body->ended || body->error)
        return body->error;
    r = body->ops->read(body, &chunk);
    if (r > 0) {
        ASSERT(chunk.len > 0);
        body->read += chunk.len;
        *ret_chunk = chunk;
    } else if (r == 0) {
        body->ended = true;
    } else if (r != -ETIME && r != -ECANCELED) { /* (5) */
        body->error = r;
    }
    return r;
}

void body_close(struct body *body, enum outcome why)
{
    if (body)
        body->ops->close(body, why);
}

static int memory_read(struct body *body, struct bytes *ret_chunk)
{
    struct body_memory *memory = container_of(body, struct body_memory, body);

    if (memory->rest.len == 0)
        return 0;
    *ret_chunk = memory->rest;
    memory->rest = BYTES_NONE;
    return 1;
}

static void memory_close(struct body *body, enum outcome why)
{
}

static const struct body_ops MEMORY_OPS = { .read = memory_read, .close = memory_close };

void body_memory_init(struct body_memory *memory, struct bytes content)
{
    *memory = (struct body_memory){
        .body = { .ops = &MEMORY_OPS, .has_length = true, .at_hand = true, .length = content.len },
        .rest = content,
    };
}
