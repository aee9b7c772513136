/* What was laid out once stays as it is. That it means the same, conf_format() proves itself. */
#include "base/alloc.h"
#include "base/assert.h"
#include "conf/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fault fault = { 0 };
    struct bytes once, twice;

    if (conf_format("input", bytes_of(data, len), &fault, &once) < 0)
        return 0;
    if (conf_format("input", once, &fault, &twice) == 0) {
        ASSERT(bytes_equal(once, twice));
        mem_free((void *)(uintptr_t)twice.data);
    }
    mem_free((void *)(uintptr_t)once.data);
    return 0;
}
