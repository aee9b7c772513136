/* What the client takes: Accept-Encoding and Accept. */
#include "stage/files.h"

static const struct {
    struct bytes name, other_name, suffix;
} CODINGS[FILES_CODINGS] = {
    [FILES_BROTLI] = { { "br", 2 }, { NULL, 0 }, { ".br", 3 } },
    [FILES_ZSTD] = { { "zstd", 4 }, { NULL, 0 }, { ".zst", 4 } },
    [FILES_GZIP] = { { "gzip", 4 }, { "x-gzip", 6 }, { ".gz", 3 } },
};

struct bytes files_coding_name(enum files_coding coding)
{
    return CODINGS[coding].name;
}

struct bytes files_coding_suffix(enum files_coding coding)
{
    return CODINGS[coding].suffix;
}

#define WEIGHT_FULL 1000u
#define WEIGHT_NONE UINT32_MAX /* it is not mentioned */

/* "1", "0.5", "0.125" in thousandths; anything else refuses (RFC 9110, 12.4.2). */
static unsigned read_weight(struct bytes text)
{
    unsigned weight = 0, step = WEIGHT_FULL;

    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.data[1] != '.'))
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        if (i == 1)
            continue;
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        weight += (unsigned)(text.data[i] - '0') * step;
        step /= 10;
    }
    return weight <= WEIGHT_FULL ? weight : 0;
}

/* Cuts "name;a=b;q=0.5" into name and weight. */
static struct bytes cut(struct bytes element, unsigned *ret_weight)
{
    struct bytes rest = element, name = BYTES_NONE, parameter;

    *ret_weight = WEIGHT_FULL;
    (void)bytes_split(&rest, ';', &name);
    while (bytes_split(&rest, ';', &parameter)) {
        parameter = bytes_trim(parameter);
        if (parameter.len >= 2 && ascii_lower(parameter.data[0]) == 'q' && parameter.data[1] == '=')
            *ret_weight = read_weight(bytes_skip(parameter, 2));
    }
    return bytes_trim(name);
}

/* Calls `take` for each element of the fields of that name. Returns whether there is one. */
static bool each_wish(const struct http_head *request, struct bytes field,
                      void (*take)(unsigned *weights, struct bytes name, unsigned weight), unsigned *weights)
{
    bool found = false;

    for (unsigned i = 0; i < request->field_count; i++) {
        struct bytes rest = request->fields[i].value, element;
        unsigned weight;

        if (!bytes_equal_ci(request->fields[i].name, field))
            continue;
        found = true;
        while (http_list_next(&rest, &element)) {
            struct bytes name = cut(element, &weight);

            take(weights, name, weight);
        }
    }
    return found;
}

/* --- codings ------------------------------------------------------------------------------------------------ */

#define ANY (FILES_IDENTITY + 1)

static void take_coding(unsigned *weights, struct bytes name, unsigned weight)
{
    if (bytes_equal_ci(name, BYTES("identity")))
        weights[FILES_IDENTITY] = weight;
    else if (bytes_equal(name, BYTES("*")))
        weights[ANY] = weight;
    for (unsigned i = 0; i < FILES_CODINGS; i++)
        if (bytes_equal_ci(name, CODINGS[i].name) || bytes_equal_ci(name, CODINGS[i].other_name))
            weights[i] = weight;
}

unsigned files_codings(const struct http_head *request, enum files_coding order[FILES_CODINGS])
{
    unsigned weights[ANY + 1], least, count = 0;

    for (unsigned i = 0; i <= ANY; i++)
        weights[i] = WEIGHT_NONE;
    if (!each_wish(request, BYTES("Accept-Encoding"), take_coding, weights))
        return 0;
    least = weights[FILES_IDENTITY] == WEIGHT_NONE ? 1 : MAX(weights[FILES_IDENTITY], 1u);
    for (unsigned i = 0; i < FILES_CODINGS; i++) {
        unsigned weight = weights[i] == WEIGHT_NONE ? weights[ANY] : weights[i], at = count;

        weights[i] = weight;
        if (weight == WEIGHT_NONE || weight < least)
            continue;
        for (; at > 0 && weights[order[at - 1]] < weight; at--)
            order[at] = order[at - 1];
        order[at] = (enum files_coding)i;
        count++;
    }
    return count;
}

/* --- pages -------------------------------------------------------------------------------------------------- */

enum { BY_NAME, BY_KIND, BY_NONE, WISHES };

static void take_type(unsigned *weights, struct bytes name, unsigned weight)
{
    if (bytes_equal_ci(name, BYTES("text/html")))
        weights[BY_NAME] = weight;
    else if (bytes_equal_ci(name, BYTES("text/*")))
        weights[BY_KIND] = weight;
    else if (bytes_equal(name, BYTES("*/*")))
        weights[BY_NONE] = weight;
}

static bool has_extension(struct bytes path)
{
    size_t at = path.len;

    while (at > 0 && path.data[at - 1] != '/')
        at--;
    return bytes_find_char(bytes_skip(path, at), '.') >= 0;
}

bool files_wants_page(const struct http_head *request, struct bytes path)
{
    unsigned weights[WISHES] = { WEIGHT_NONE, WEIGHT_NONE, WEIGHT_NONE };
    bool asks = each_wish(request, BYTES("Accept"), take_type, weights);

    if (weights[BY_NAME] != WEIGHT_NONE)
        return weights[BY_NAME] > 0;
    if (weights[BY_KIND] == WEIGHT_NONE)
        weights[BY_KIND] = weights[BY_NONE];
    if (asks && (weights[BY_KIND] == WEIGHT_NONE || weights[BY_KIND] == 0))
        return false;
    return !has_extension(path);
}
