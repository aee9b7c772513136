#include "stage/regex.h"

#include "base/alloc.h"
#include "base/assert.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define ERROR_TEXT_MAX 128
#define PIECE_ALIGN 16

struct regex {
    pcre2_code *code;
};

/* The library asks for a larger vector of its frames when the last one was too small, up to its own limit, and never
 * for a smaller one: so pieces are cut off a block, and none is ever given back. */
struct regex_memory {
    pcre2_match_data *data;
    pcre2_match_context *context;
    size_t used;
    alignas(PIECE_ALIGN) char block[REGEX_MEMORY_SIZE];
};

/* --- memory --------------------------------------------------------------------------------------------- */

static void *take(PCRE2_SIZE size, void *user)
{
    return mem_alloc(size);
}

static void give(void *memory, void *user)
{
    mem_free(memory);
}

static void *cut(PCRE2_SIZE size, void *user)
{
    struct regex_memory *memory = user;
    size_t rounded = (size + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN;
    void *piece = memory->block + memory->used;

    if (rounded < size || rounded > sizeof(memory->block) - memory->used)
        return NULL;
    memory->used += rounded;
    return piece;
}

static void keep(void *piece, void *user)
{
}

static int fill(struct regex_memory *memory)
{
    pcre2_general_context *general = pcre2_general_context_create(cut, keep, memory);

    if (!general)
        return -ENOMEM;
    memory->data = pcre2_match_data_create(1, general);
    memory->context = pcre2_match_context_create(general);
    if (!memory->data || !memory->context)
        return -ENOMEM;
    (void)pcre2_set_match_limit(memory->context, REGEX_STEPS_MAX);
    (void)pcre2_set_heap_limit(memory->context, REGEX_HEAP_KIB);
    return 0;
}

int regex_memory_create(struct regex_memory **ret)
{
    struct regex_memory *memory = mem_alloc(sizeof(*memory));
    int r;

    if (!memory)
        return -ENOMEM;
    memory->used = 0;
    r = fill(memory);
    if (r < 0) {
        mem_free(memory);
        return r;
    }
    *ret = memory;
    return 0;
}

void regex_memory_free(struct regex_memory *memory)
{
    mem_free(memory);
}

/* --- expressions ---------------------------------------------------------------------------------------- */

static int say_wrong(int error, size_t offset, struct fault *fault)
{
    PCRE2_UCHAR text[ERROR_TEXT_MAX];

    if (error == PCRE2_ERROR_HEAP_FAILED || pcre2_get_error_message(error, text, sizeof(text)) < 0)
        return -ENOMEM;
    fault_set(fault, "is no regular expression: %s, at character %zu", (const char *)text, offset + 1);
    return -EINVAL;
}

int regex_compile(struct bytes pattern, struct fault *fault, struct regex **ret)
{
    const uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                             PCRE2_NO_AUTO_CAPTURE;
    pcre2_general_context *general;
    pcre2_compile_context *context = NULL;
    struct regex *regex;
    size_t offset = 0;
    int error = PCRE2_ERROR_HEAP_FAILED;

    if (pattern.len == 0 || pattern.len > REGEX_TEXT_MAX) {
        fault_set(fault, "must have between 1 and %d characters", REGEX_TEXT_MAX);
        return -EINVAL;
    }
    regex = mem_zalloc(sizeof(*regex));
    general = pcre2_general_context_create(take, give, NULL);
    if (general)
        context = pcre2_compile_context_create(general);
    if (regex && context) {
        (void)pcre2_set_parens_nest_limit(context, REGEX_DEPTH_MAX);
        regex->code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.len, options, &error, &offset, context);
    }
    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);
    if (!regex || !regex->code) {
        regex_free(regex);
        return say_wrong(error, offset, fault);
    }
    *ret = regex;
    return 0;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    mem_free(regex);
}

int regex_match(const struct regex *regex, struct regex_memory *memory, struct bytes text)
{
    static const char nothing[] = "";
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.data ? text.data : nothing);
    int r = pcre2_match(regex->code, subject, text.len, 0, 0, memory->data, memory->context);

    if (r >= 0)
        return 1;
    return r == PCRE2_ERROR_NOMATCH ? 0 : -E2BIG;
}
