/* `weft diff`: what `weft apply` would change, as JSON: see app/supervisor.h and control/api.h. */
#include "app/supervisor.h"

#include "base/alloc.h"
#include "conf/meaning.h"
#include "control/answer.h"
#include "control/config.h"

#define DIFFERENCES_ROOM (TEXT_PART_MAX / 4 * 3) /* of the message; effects have the rest */
#define EFFECTS_ROOM (TEXT_PART_MAX - 256)       /* what closes the object fits behind it */
#define EFFECT_MAX 512                           /* one line */

struct telling {
    struct conf_differences differences;
    struct answer answer;
    size_t room;
    unsigned told, more; /* of the list that is open */
};

/* --- lists that end in time ------------------------------------------------------------------------------------- */

static void open_list(struct telling *telling, const char *name, size_t room)
{
    answer_member(&telling->answer, name);
    answer_text(&telling->answer, "[");
    telling->told = telling->more = 0;
    telling->room = room;
}

/* What would not fit any more is taken back and counted; so is all that follows, or it would seem to be complete. */
static void end_item(struct telling *telling, size_t before)
{
    if (telling->more == 0 && telling->answer.len <= telling->room) {
        telling->told++;
        return;
    }
    telling->answer.len = before;
    telling->more++;
}

static void close_list(struct telling *telling, const char *more)
{
    answer_text(&telling->answer, "]");
    if (telling->more > 0)
        answer_number(&telling->answer, more, telling->more);
}

static void found(struct conf_differences *differences, const struct conf_difference *difference)
{
    static const struct bytes NAMES[] = { [CONF_ADDED] = BYTES("added"),
                                          [CONF_REMOVED] = BYTES("removed"),
                                          [CONF_CHANGED] = BYTES("changed"),
                                          [CONF_MOVED] = BYTES("moved") };
    struct telling *telling = container_of(differences, struct telling, differences);
    struct answer *answer = &telling->answer;
    size_t before = answer->len;

    answer_text(answer, telling->told > 0 ? ",{" : "{");
    answer_string(answer, "change", NAMES[difference->change]);
    answer_string(answer, "path", difference->path);
    if (difference->change != CONF_ADDED)
        answer_string(answer, "before", difference->before);
    if (difference->change == CONF_ADDED || difference->change == CONF_CHANGED)
        answer_string(answer, "after", difference->after);
    answer_text(answer, "}");
    end_item(telling, before);
}

static void effect(struct telling *telling, const char *format, ...) PRINTF_LIKE(2, 3);

static void effect(struct telling *telling, const char *format, ...)
{
    char memory[EFFECT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    size_t before = telling->answer.len;
    va_list args;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    answer_text(&telling->answer, telling->told > 0 ? "," : "");
    answer_json(&telling->answer, text_bytes(&text));
    end_item(telling, before);
}

/* --- what the file says ---------------------------------------------------------------------------------------------
 */

static int compare_files(const struct loaded *before, const struct loaded *after, struct telling *telling)
{
    struct conf_meaning *was = NULL, *is = NULL;
    struct arena arena;
    int r;

    arena_init(&arena, NULL, CONF_SCRATCH_MAX);
    r = conf_meaning_make(&CONTROL_SCHEMA, before->config, &arena, &was);
    if (r == 0)
        r = conf_meaning_make(&CONTROL_SCHEMA, after->config, &arena, &is);
    if (r == 0)
        r = conf_meaning_compare(was, is, &telling->differences);
    arena_done(&arena);
    return r;
}

/* --- what follows from it --------------------------------------------------------------------------------------------
 */

static const char *instances(unsigned count)
{
    return count == 1 ? "instance" : "instances";
}

static bool has_entry(const char *const *list, struct bytes entry)
{
    for (; *list; list++)
        if (bytes_equal(bytes_of_text(*list), entry))
            return true;
    return false;
}

static void add_reason(struct text *text, const char *reason)
{
    text_add_format(text, "%s%s", text->len ? ", " : "", reason);
}

static struct bytes variable_name(const char *entry)
{
    struct bytes whole = bytes_of_text(entry);
    ssize_t at = bytes_find_char(whole, '=');

    return bytes_slice(whole, 0, at < 0 ? whole.len : (size_t)at);
}

static bool has_variable(const char *const *list, struct bytes name)
{
    for (; *list; list++)
        if (bytes_equal(variable_name(*list), name))
            return true;
    return false;
}

/* The names of variables that `other` does not have: with that value, or at all. */
static void add_variables(struct text *text, const char *const *from, const char *const *other, bool by_value)
{
    for (; *from; from++) {
        struct bytes name = variable_name(*from);

        if (by_value ? has_entry(other, bytes_of_text(*from)) : has_variable(other, name))
            continue;
        if (text->full || text->len + name.len + 1 > text->max) {
            text->full = true;
            return;
        }
        text_add_char(text, ' ');
        text_add(text, name);
    }
}

static void add_environment(struct text *text, const struct plan_service *before, const struct plan_service *after)
{
    char memory[EFFECT_MAX / 4];
    struct text names = text_into(memory, sizeof(memory));

    add_variables(&names, before->env, after->env, true);
    add_variables(&names, after->env, before->env, false);
    if (names.len == 0)
        return;
    text_add_format(text, "%senv:" BYTES_FMT "%s", text->len ? ", " : "", BYTES_ARG(text_bytes(&names)),
                    names.full ? " ..." : "");
}

static void write_reasons(struct text *text, const struct plan_service *before, const struct plan_service *after)
{
    if (!plan_lists_equal(before->argv, after->argv))
        add_reason(text, "run");
    if (strcmp(before->directory, after->directory) != 0)
        add_reason(text, "directory");
    add_environment(text, before, after);
    if (before->limits.memory != after->limits.memory || before->limits.cpu_ppm != after->limits.cpu_ppm ||
        before->limits.files != after->limits.files)
        add_reason(text, "limits");
    if (before->port != after->port)
        add_reason(text, "port");
}

static void tell_scale(struct telling *telling, struct bytes name, unsigned was, unsigned is, bool chosen)
{
    unsigned distance = is > was ? is - was : was - is;
    const char *direction = is > was ? "more" : "fewer", *why = chosen ? " (weft scale's choice ends)" : "";

    if (distance == 1)
        effect(telling, BYTES_FMT ": one instance %s%s", BYTES_ARG(name), direction, why);
    else if (distance > 1)
        effect(telling, BYTES_FMT ": %u instances %s%s", BYTES_ARG(name), distance, direction, why);
}

static void tell_service(struct supervisor *supervisor, const struct plan_service *before,
                         const struct plan_service *after, struct telling *telling)
{
    char memory[EFFECT_MAX / 2];
    struct text reasons = text_into(memory, sizeof(memory));
    bool chosen = false, still = false;
    unsigned was = before ? scales_of(&supervisor->scales, before, &chosen) : 0;
    unsigned is = after ? scales_of(&supervisor->scales, after, &still) : 0;

    if (!after) {
        effect(telling, BYTES_FMT ": %u %s stop%s", BYTES_ARG(before->name), was, instances(was), was == 1 ? "s" : "");
        return;
    }
    if (!before) {
        effect(telling, BYTES_FMT ": %u %s start%s", BYTES_ARG(after->name), is, instances(is), is == 1 ? "s" : "");
        return;
    }
    if (!plan_service_same(before, after) && MIN(was, is) > 0) {
        write_reasons(&reasons, before, after);
        effect(telling, BYTES_FMT ": %u %s start%s anew (" BYTES_FMT ")", BYTES_ARG(after->name), MIN(was, is),
               instances(MIN(was, is)), MIN(was, is) == 1 ? "s" : "", BYTES_ARG(text_bytes(&reasons)));
    }
    tell_scale(telling, after->name, was, is, chosen && !still);
}

static bool has_listener(const struct plan *plan, const struct plan_listener *listener)
{
    for (unsigned i = 0; i < plan->listener_count; i++)
        if (plan_listener_same(&plan->listeners[i], listener))
            return true;
    return false;
}

/* The socket and the mesh are Weft's own affair. */
static void tell_listener(const struct plan_listener *listener, const char *what, struct telling *telling)
{
    bool is_path = listener->address.family == ADDRESS_UNIX;
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));

    if ((is_path && listener->control) || bytes_equal(listener->name, BYTES(CONTROL_GATEWAY_MESH)))
        return;
    address_write(&text, &listener->address);
    effect(telling, BYTES_FMT " %s" BYTES_FMT ": %s", BYTES_ARG(listener->name), is_path ? "" : "http://",
           BYTES_ARG(text_bytes(&text)), what);
}

/* As if the place that was found had been written. */
static struct plan_listener found_listener(const struct supervisor *supervisor, const struct plan_listener *listener)
{
    struct plan_listener found = *listener;

    found.address = listening_address(supervisor, listener);
    found.last_port = 0;
    return found;
}

static void tell_listeners(struct supervisor *supervisor, const struct plan *before, const struct plan *after,
                           struct telling *telling)
{
    for (unsigned i = 0; i < after->listener_count; i++) {
        bool there = has_listener(before, &after->listeners[i]);

        for (unsigned k = 0; k < before->listener_count && !there; k++) {
            struct plan_listener found = found_listener(supervisor, &before->listeners[k]);

            there = plan_listener_same(&found, &after->listeners[i]);
        }
        if (!there)
            tell_listener(&after->listeners[i], "a new listener", telling);
    }
    for (unsigned i = 0; i < before->listener_count; i++) {
        struct plan_listener found = found_listener(supervisor, &before->listeners[i]);

        if (!has_listener(after, &before->listeners[i]) && !has_listener(after, &found))
            tell_listener(&found, "is closed", telling);
    }
}

static void tell_effects(struct supervisor *supervisor, const struct plan *before, const struct plan *after,
                         struct telling *telling)
{
    for (unsigned i = 0; i < before->service_count; i++)
        tell_service(supervisor, &before->services[i], plan_find(after, before->services[i].name), telling);
    for (unsigned i = 0; i < after->service_count; i++)
        if (!plan_find(before, after->services[i].name))
            tell_service(supervisor, NULL, &after->services[i], telling);
    tell_listeners(supervisor, before, after, telling);
    if (after->workers != supervisor->workers)
        effect(telling, "workers: %u takes effect when the system is started again (now %u)", after->workers,
               supervisor->workers);
}

/* --- the answer
 * -------------------------------------------------------------------------------------------------------- */

static int tell_all(struct supervisor *supervisor, const struct loaded *now, struct telling *telling)
{
    int r;

    open_list(telling, "differences", DIFFERENCES_ROOM);
    r = compare_files(supervisor->current, now, telling);
    close_list(telling, "differences_more");
    open_list(telling, "effects", EFFECTS_ROOM);
    tell_effects(supervisor, &supervisor->current->plan, &now->plan, telling);
    close_list(telling, "effects_more");
    return r;
}

static void tell_faults(const struct fault_list *faults, struct telling *telling)
{
    char line[FAULT_FILE_MAX + FAULT_TEXT_MAX + FAULT_HINT_MAX + 64];

    open_list(telling, "faults", EFFECTS_ROOM);
    for (size_t i = 0; i < faults->count; i++) {
        size_t before = telling->answer.len, len = fault_write(&faults->faults[i], line, sizeof(line));

        answer_text(&telling->answer, telling->told > 0 ? "," : "");
        answer_json(&telling->answer, bytes_of(line, MIN(len, sizeof(line) - 1)));
        end_item(telling, before);
    }
    telling->more += (unsigned)faults->dropped;
    close_list(telling, "faults_more");
}

static int answer_difference(struct supervisor *supervisor, struct fault_list *faults, struct telling *telling)
{
    struct loaded *now = NULL;
    int r = loaded_read(supervisor->app, supervisor->file, supervisor->folder, supervisor->state, faults, &now);

    answer_text(&telling->answer, "{");
    if (r == 0)
        r = tell_all(supervisor, now, telling);
    else if (faults->count > 0) {
        tell_faults(faults, telling);
        r = 0;
    }
    answer_text(&telling->answer, "}\n");
    loaded_drop(now);
    return r < 0 ? r : telling->answer.error;
}

void differences_tell(struct supervisor *supervisor, uint64_t id)
{
    struct telling telling = { .differences.found = found };
    struct fault_list *faults;
    int r = -ENOMEM;

    if (!supervisor->current) {
        courier_result(supervisor, id, false, BYTES("the system has not taken its first file yet (try again soon)"));
        return;
    }
    faults = mem_zalloc(sizeof(*faults));
    if (faults)
        r = answer_difference(supervisor, faults, &telling);
    if (r < 0)
        courier_result(supervisor, id, false, bytes_of_text(app_reason(r)));
    else
        courier_result(supervisor, id, true, bytes_of(telling.answer.data, telling.answer.len));
    answer_drop(&telling.answer);
    mem_free(faults);
}
