#include "app/panic.h"

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "io/linux/linux.h"
#include "io/loop.h"

/* It neither allocates nor waits for long: descriptor_write gives up on a reader that takes nothing. */
static void panic(const char *message)
{
    char memory[PANIC_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory) - 1);
    struct loop *loop = loop_current();

    text_add_format(&text, "weft: panic: %s", message);
    if (loop)
        text_add_format(&text, "; turn %llu of the loop, %s, %u fibers are alive", (unsigned long long)loop->turns,
                        loop->running ? "on a fiber" : "on the loop's own stack", loop->fibers.count);
    memory[text.len++] = '\n';
    io_linux_last_words(text_bytes(&text));
}

void panic_prepare(void)
{
    assert_set_hook(panic);
}
