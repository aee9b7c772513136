/* The names of fields: id to name and flags by table, name to id by length and then whole words. */
#include "wire/http.h"
#include "wire/http_parts.h"

#define HOP HTTP_FIELD_IS_HOP
#define ONCE HTTP_FIELD_IS_ONCE
#define NOTRAILER HTTP_FIELD_IS_NOTRAILER
#define KEEP HTTP_FIELD_IS_KEEP

static const struct {
    struct bytes name;
    unsigned flags;
} FIELDS[HTTP_FIELD_COUNT] = {
#define FIELD(identifier, text, bits) [HTTP_FIELD_##identifier] = { { "" text, sizeof(text) - 1 }, bits },
#include "wire/http_fields.def"
#undef FIELD
};

_Static_assert(HTTP_FIELD_COUNT <= 64, "`known` is one word");
#define FIELD(identifier, text, bits) _Static_assert(sizeof(text) - 1 >= 2 && sizeof(text) - 1 <= 20, text);
#include "wire/http_fields.def"
#undef FIELD

const uint64_t http_fields_hop = 0
#define FIELD(identifier, text, bits) | ((bits)&HOP ? UINT64_C(1) << HTTP_FIELD_##identifier : 0)
#include "wire/http_fields.def"
#undef FIELD
    ;

/* Equal but for the case of letters. `name` may be anything; `field` has letters, digits and '-' only, and of those
 * only letters have the bit 0x40: that bit, moved to 0x20, is what may differ. */
static inline bool same_word(const char *name, const char *field, size_t len)
{
    uint64_t a = 0, b = 0, letters;

    memcpy(&a, name, len);
    memcpy(&b, field, len);
    letters = (b & UINT64_C(0x4040404040404040)) >> 1;
    return (a | letters) == (b | letters);
}

/* One function for each name, of the right length already: its first, middle and last word, which may overlap. */
#define FIELD(identifier, text, bits)                                                          \
    static inline bool is_##identifier(const char *name)                                       \
    {                                                                                          \
        enum {                                                                                 \
            LEN = sizeof(text) - 1,                                                            \
            WORD = LEN < 4   ? 2                                                               \
                   : LEN < 8 ? 4                                                               \
                             : 8,                                                              \
            MIDDLE = LEN > 16 ? 8 : 0,                                                         \
            LAST = LEN - WORD,                                                                 \
        };                                                                                     \
        return same_word(name, text, WORD) && same_word(name + MIDDLE, &text[MIDDLE], WORD) && \
               same_word(name + LAST, &text[LAST], WORD);                                      \
    }
#include "wire/http_fields.def"
#undef FIELD

/* With a constant len the compiler keeps the comparisons with names of that length only. */
static inline enum http_field_id find_name(const char *name, size_t len)
{
#define FIELD(identifier, text, bits)                     \
    if (len == sizeof(text) - 1 && is_##identifier(name)) \
        return HTTP_FIELD_##identifier;
#include "wire/http_fields.def"
#undef FIELD
    return HTTP_FIELD_OTHER;
}

enum http_field_id http_field_id_of(struct bytes name)
{
    switch (name.len) {
#define CASE(len) \
    case len: return find_name(name.data, len);
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
        CASE(13)
        CASE(14)
        CASE(15)
        CASE(16)
        CASE(17)
        CASE(18)
        CASE(19)
        CASE(20)
#undef CASE
    default: return HTTP_FIELD_OTHER;
    }
}

struct bytes http_field_name(enum http_field_id id)
{
    return FIELDS[id].name;
}

unsigned http_field_flags(enum http_field_id id)
{
    return FIELDS[id].flags;
}

bool http_field_hop_by_hop(enum http_field_id id)
{
    return (FIELDS[id].flags & HOP) != 0;
}
