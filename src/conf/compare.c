/* Where two meanings differ: see conf/meaning.h. */
#include "base/alloc.h"
#include "base/map.h"
#include "conf/meaning.h"

#include <errno.h>

#define NONE SIZE_MAX
#define CUT BYTES("...")

struct comparing {
    struct conf_differences *differences;
    struct text path; /* where we are */
    char path_memory[CONF_PATH_MAX];
    char before[CONF_DIFFERENCE_TEXT_MAX], after[CONF_DIFFERENCE_TEXT_MAX];
};

/* Two lists, their items, and which of the one is which of the other. */
struct pairing {
    const struct conf_meaning **before, **after;
    size_t before_count, after_count;
    size_t *of_before, *of_after; /* the partner's index, or NONE */
    bool *same;                   /* by `before`: of the longest common sequence */
};

static int compare(struct comparing *comparing, const struct conf_meaning *before, const struct conf_meaning *after);

/* --- telling ---------------------------------------------------------------------------------------------------- */

static struct bytes value_text(const struct conf_meaning *meaning, char memory[CONF_DIFFERENCE_TEXT_MAX])
{
    struct text text = text_into(memory, CONF_DIFFERENCE_TEXT_MAX - CUT.len);

    if (!meaning)
        return BYTES_NONE;
    conf_meaning_write(&text, meaning, true);
    if (!text.full)
        return text_bytes(&text);
    while (text.len > 0 && ((unsigned char)memory[text.len - 1] & 0xc0) == 0x80)
        text.len--; /* never the middle of a character */
    if (text.len > 0 && (unsigned char)memory[text.len - 1] >= 0xc0)
        text.len--;
    text.max = CONF_DIFFERENCE_TEXT_MAX;
    text.full = false;
    text_add(&text, CUT);
    return text_bytes(&text);
}

static void tell(struct comparing *comparing, enum conf_change change, const struct conf_meaning *before,
                 const struct conf_meaning *after)
{
    const struct conf_difference difference = { .change = change,
                                                .path = text_bytes(&comparing->path),
                                                .before = value_text(before, comparing->before),
                                                .after = value_text(after, comparing->after) };

    comparing->differences->found(comparing->differences, &difference);
}

static void enter_key(struct comparing *comparing, struct bytes key)
{
    if (comparing->path.len > 0)
        text_add_char(&comparing->path, '.');
    text_add(&comparing->path, key);
}

static void write_place(struct text *path, size_t index, const struct conf_meaning *item)
{
    text_add_format(path, "[%zu]", index);
    if (item->name.len > 0 && !item->choice)
        text_add_format(path, " (" BYTES_FMT ")", BYTES_ARG(bytes_slice(item->name, 0, CONF_NAME_MAX)));
}

static void leave(struct comparing *comparing, struct text outside)
{
    comparing->path = outside;
}

static void tell_moved(struct comparing *comparing, struct text list, size_t from)
{
    char memory[CONF_PATH_MAX];
    struct text path = text_into(memory, sizeof(memory));
    struct conf_difference difference = { .change = CONF_MOVED, .path = text_bytes(&comparing->path) };

    text_add(&path, text_bytes(&list));
    text_add_format(&path, "[%zu]", from);
    difference.before = text_bytes(&path);
    comparing->differences->found(comparing->differences, &difference);
}

/* --- which item is which ------------------------------------------------------------------------------------------ */

static void pairing_free(struct pairing *pairing)
{
    mem_free(pairing->before);
    mem_free(pairing->after);
    mem_free(pairing->of_before);
    mem_free(pairing->of_after);
    mem_free(pairing->same);
}

static int take_items(const struct conf_meaning *list, const struct conf_meaning ***ret_items, size_t **ret_partners)
{
    const struct conf_meaning **items = mem_zalloc_array(list->count + 1, sizeof(*items));
    size_t *partners = mem_zalloc_array(list->count + 1, sizeof(*partners)), count = 0;

    *ret_items = items;
    *ret_partners = partners;
    if (!items || !partners)
        return -ENOMEM;
    for (const struct conf_meaning *item = list->first; item; item = item->next) {
        partners[count] = NONE;
        items[count++] = item;
    }
    return 0;
}

static void pair_same(struct pairing *pairing, size_t before, size_t after)
{
    pairing->of_before[before] = after;
    pairing->of_after[after] = before;
    pairing->same[before] = true;
}

static bool is_same(const struct pairing *pairing, size_t before, size_t after)
{
    return pairing->before[before]->hash == pairing->after[after]->hash;
}

/* The longest common sequence of before[from..to) and after[from..after_to), by the usual table. */
static int pair_sequence(struct pairing *pairing, size_t from, size_t to, size_t after_to)
{
    size_t rows = to - from, columns = after_to - from, row = 0, column = 0;
    uint32_t *table;

    if (rows == 0 || columns == 0 || rows > CONF_COMPARE_CELLS_MAX / columns)
        return 0;
    table = mem_zalloc_array((rows + 1) * (columns + 1), sizeof(*table));
    if (!table)
        return -ENOMEM;
    for (size_t i = rows; i-- > 0;)
        for (size_t k = columns; k-- > 0;) {
            uint32_t *cell = &table[i * (columns + 1) + k];

            *cell = is_same(pairing, from + i, from + k) ? cell[columns + 2] + 1 : MAX(cell[1], cell[columns + 1]);
        }
    while (row < rows && column < columns) {
        const uint32_t *cell = &table[row * (columns + 1) + column];

        if (is_same(pairing, from + row, from + column))
            pair_same(pairing, from + row++, from + column++);
        else if (cell[1] >= cell[columns + 1])
            column++;
        else
            row++;
    }
    mem_free(table);
    return 0;
}

static int pair_equal(struct pairing *pairing)
{
    size_t from = 0, to = pairing->before_count, after_to = pairing->after_count;

    while (from < to && from < after_to && is_same(pairing, from, from)) {
        pair_same(pairing, from, from);
        from++;
    }
    while (to > from && after_to > from && is_same(pairing, to - 1, after_to - 1))
        pair_same(pairing, --to, --after_to);
    return pair_sequence(pairing, from, to, after_to);
}

static int pair_names(struct pairing *pairing)
{
    struct map names;
    int r = 0;

    map_init(&names, (struct hash_key){ 0, 0 }, pairing->after_count + 1);
    for (size_t i = pairing->after_count; i-- > 0 && r == 0;)
        if (pairing->of_after[i] == NONE && pairing->after[i]->name.len > 0)
            r = map_put(&names, pairing->after[i]->name, &pairing->of_after[i]);
    for (size_t i = 0; i < pairing->before_count && r == 0; i++) {
        struct bytes name = pairing->before[i]->name;
        size_t *partner = pairing->of_before[i] == NONE && name.len > 0 ? map_get(&names, name) : NULL;

        if (!partner || *partner != NONE)
            continue;
        *partner = i;
        pairing->of_before[i] = (size_t)(partner - pairing->of_after);
    }
    map_done(&names);
    return r;
}

static bool is_nameless(const struct conf_meaning *item, size_t partner)
{
    return partner == NONE && item->name.len == 0;
}

/* Between two items that stayed, those without a name are told apart by their places. */
static void pair_places(struct pairing *pairing)
{
    size_t k = 0;

    for (size_t i = 0; i < pairing->before_count; i++) {
        if (pairing->same[i]) {
            k = pairing->of_before[i] + 1;
            continue;
        }
        if (!is_nameless(pairing->before[i], pairing->of_before[i]))
            continue;
        while (k < pairing->after_count && !is_nameless(pairing->after[k], pairing->of_after[k]) &&
               (pairing->of_after[k] == NONE || !pairing->same[pairing->of_after[k]]))
            k++;
        if (k < pairing->after_count && pairing->of_after[k] == NONE) {
            pairing->of_before[i] = k;
            pairing->of_after[k] = i;
        }
    }
}

/* --- lists ----------------------------------------------------------------------------------------------------------
 */

static int compare_pair(struct comparing *comparing, const struct pairing *pairing, size_t index, bool moved)
{
    const struct conf_meaning *before = pairing->before[index], *after = pairing->after[pairing->of_before[index]];
    struct text outside = comparing->path;
    int r = 0;

    write_place(&comparing->path, pairing->of_before[index], after);
    if (moved)
        tell_moved(comparing, outside, index);
    if (before->hash != after->hash)
        r = compare(comparing, before, after);
    leave(comparing, outside);
    return r;
}

/* An item has moved when it stands on the other side of one that stayed. Returns the first index that stayed at or
 * behind each one, in `after`'s numbers. */
static size_t next_same(const struct pairing *pairing, size_t from)
{
    while (from < pairing->before_count && !pairing->same[from])
        from++;
    return from < pairing->before_count ? pairing->of_before[from] : pairing->after_count;
}

static int tell_list(struct comparing *comparing, const struct pairing *pairing)
{
    size_t low = 0, high = next_same(pairing, 0); /* an item that did not move is in [low, high) */
    struct text outside = comparing->path;
    int r = 0;

    for (size_t i = 0; i < pairing->before_count && r == 0; i++) {
        size_t partner = pairing->of_before[i];

        if (pairing->same[i]) {
            low = partner + 1;
            high = next_same(pairing, i + 1);
        } else if (partner == NONE) {
            write_place(&comparing->path, i, pairing->before[i]);
            tell(comparing, CONF_REMOVED, pairing->before[i], NULL);
            leave(comparing, outside);
        } else
            r = compare_pair(comparing, pairing, i,
                             partner < low || partner >= high ||
                                 pairing->before[i]->hash == pairing->after[partner]->hash);
    }
    for (size_t i = 0; i < pairing->after_count && r == 0; i++) {
        if (pairing->of_after[i] != NONE)
            continue;
        write_place(&comparing->path, i, pairing->after[i]);
        tell(comparing, CONF_ADDED, NULL, pairing->after[i]);
        leave(comparing, outside);
    }
    return r;
}

static int compare_lists(struct comparing *comparing, const struct conf_meaning *before,
                         const struct conf_meaning *after)
{
    struct pairing pairing = { .before_count = before->count, .after_count = after->count };
    int r = take_items(before, &pairing.before, &pairing.of_before);

    pairing.same = mem_zalloc_array(before->count + 1, sizeof(*pairing.same));
    if (r == 0)
        r = take_items(after, &pairing.after, &pairing.of_after);
    if (r == 0)
        r = pairing.same ? pair_equal(&pairing) : -ENOMEM;
    if (r == 0)
        r = pair_names(&pairing);
    if (r == 0) {
        pair_places(&pairing);
        r = tell_list(comparing, &pairing);
    }
    pairing_free(&pairing);
    return r;
}

/* --- mappings
 * --------------------------------------------------------------------------------------------------------- */

static int index_keys(const struct conf_meaning *meaning, struct map *ret)
{
    int r = 0;

    map_init(ret, (struct hash_key){ 0, 0 }, meaning->count + 1);
    for (struct conf_meaning *child = meaning->first; child && r == 0; child = child->next)
        r = map_put(ret, child->key, child);
    return r;
}

static int tell_entries(struct comparing *comparing, const struct conf_meaning *before, const struct map *keys)
{
    struct text outside = comparing->path;
    int r = 0;

    for (const struct conf_meaning *child = before->first; child && r == 0; child = child->next) {
        const struct conf_meaning *partner = map_get(keys, child->key);

        enter_key(comparing, child->key);
        if (partner)
            r = compare(comparing, child, partner);
        else
            tell(comparing, CONF_REMOVED, child, NULL);
        leave(comparing, outside);
    }
    return r;
}

static void tell_new_entries(struct comparing *comparing, const struct conf_meaning *after, const struct map *keys)
{
    struct text outside = comparing->path;

    for (const struct conf_meaning *child = after->first; child; child = child->next) {
        if (map_get(keys, child->key))
            continue;
        enter_key(comparing, child->key);
        tell(comparing, CONF_ADDED, NULL, child);
        leave(comparing, outside);
    }
}

/* Of what both have, the next one. */
static const struct conf_meaning *next_shared(const struct conf_meaning *child, const struct map *others)
{
    while (child && !map_get(others, child->key))
        child = child->next;
    return child;
}

static bool is_in_order(const struct conf_meaning *before, const struct map *before_keys,
                        const struct conf_meaning *after, const struct map *after_keys)
{
    const struct conf_meaning *a = next_shared(before->first, after_keys), *b = next_shared(after->first, before_keys);

    while (a && b && bytes_equal(a->key, b->key)) {
        a = next_shared(a->next, after_keys);
        b = next_shared(b->next, before_keys);
    }
    return !a && !b;
}

static void list_keys(const struct conf_meaning *map, char memory[CONF_DIFFERENCE_TEXT_MAX], struct bytes *ret)
{
    struct text text = text_into(memory, CONF_DIFFERENCE_TEXT_MAX);

    for (const struct conf_meaning *child = map->first; child; child = child->next) {
        text_add(&text, child == map->first ? BYTES_NONE : BYTES(", "));
        text_add(&text, child->key);
    }
    *ret = text_bytes(&text);
}

static void tell_order(struct comparing *comparing, const struct conf_meaning *before, const struct conf_meaning *after)
{
    struct conf_difference difference = { .change = CONF_CHANGED };
    struct text outside = comparing->path;

    text_add(&comparing->path, BYTES(" (order)"));
    difference.path = text_bytes(&comparing->path);
    list_keys(before, comparing->before, &difference.before);
    list_keys(after, comparing->after, &difference.after);
    comparing->differences->found(comparing->differences, &difference);
    leave(comparing, outside);
}

static int compare_maps(struct comparing *comparing, const struct conf_meaning *before,
                        const struct conf_meaning *after)
{
    struct map before_keys, after_keys;
    int r = index_keys(before, &before_keys), s = index_keys(after, &after_keys);

    r = r < 0 ? r : s;
    if (r == 0)
        r = tell_entries(comparing, before, &after_keys);
    if (r == 0)
        tell_new_entries(comparing, after, &before_keys);
    if (r == 0 && before->ordered && !is_in_order(before, &before_keys, after, &after_keys))
        tell_order(comparing, before, after);
    map_done(&before_keys);
    map_done(&after_keys);
    return r;
}

/* --- all of it
 * ---------------------------------------------------------------------------------------------------------- */

static int compare(struct comparing *comparing, const struct conf_meaning *before, const struct conf_meaning *after)
{
    if (before->hash == after->hash)
        return 0;
    if (before->kind == CONF_MEANS_LIST && after->kind == CONF_MEANS_LIST)
        return compare_lists(comparing, before, after);
    if (before->kind == CONF_MEANS_MAP && after->kind == CONF_MEANS_MAP &&
        !(before->choice && !bytes_equal(before->name, after->name)))
        return compare_maps(comparing, before, after);
    tell(comparing, CONF_CHANGED, before, after);
    return 0;
}

int conf_meaning_compare(const struct conf_meaning *before, const struct conf_meaning *after,
                         struct conf_differences *differences)
{
    struct comparing *comparing = mem_zalloc(sizeof(*comparing));
    int r;

    if (!comparing)
        return -ENOMEM;
    comparing->differences = differences;
    comparing->path = text_into(comparing->path_memory, sizeof(comparing->path_memory));
    r = compare(comparing, before, after);
    mem_free(comparing);
    return r;
}
