/* Policies, and what steps of a route need to know of the route. */
#include "base/assert.h"
#include "control/tables.h"
#include "stage/route_path.h"

/* --- what policies expand to ------------------------------------------------------------------------------------- */

static bool in_chain(const struct stage_type *type)
{
    for (unsigned i = 0; i < STAGE_CHAIN_COUNT; i++)
        if (STAGE_CHAIN[i].type == type)
            return true;
    return false;
}

bool control_step_before_chain(const struct conf_union *step)
{
    return !in_chain(step->alternative->user);
}

static const struct conf_list *find_policy(const struct control_config *config, struct bytes name)
{
    for (size_t i = 0; i < config->policies.count; i++)
        if (bytes_equal(config->policies.entries[i].name, name))
            return config->policies.entries[i].value;
    return NULL;
}

/* What stands before the usual chain, as it is written; then what belongs to the chain, as that is ordered. */
static void add_policy(const struct conf_list *policy, struct conf_list *steps)
{
    const struct conf_union *from = policy->items;
    struct conf_union *into = steps->items;

    for (size_t i = 0; i < policy->count; i++)
        if (control_step_before_chain(&from[i]))
            into[steps->count++] = from[i];
    for (unsigned slot = 0; slot < STAGE_CHAIN_COUNT; slot++)
        for (size_t i = 0; i < policy->count; i++)
            if (from[i].alternative->user == STAGE_CHAIN[slot].type)
                into[steps->count++] = from[i];
}

/* NULL: the step is a stage itself. */
static const struct conf_list *policy_of(const struct control_config *config, const struct conf_union *step)
{
    static const struct conf_list NONE = { .items = NULL };
    const struct conf_list *policy;

    if (step->alternative->user)
        return NULL;
    policy = find_policy(config, ((const struct control_policy_step *)step->value)->name);
    return policy ? policy : &NONE; /* a name that is not there has its fault elsewhere */
}

static int expand(struct conf_check *check, const struct control_config *config, struct control_route *route)
{
    const struct conf_union *written = route->stages.items;
    struct conf_list steps = { .count = 0 };
    size_t count = 0;

    for (size_t i = 0; i < route->stages.count; i++) {
        const struct conf_list *policy = policy_of(config, &written[i]);

        count += policy ? policy->count : 1;
    }
    if (count > CONTROL_STEPS_MAX) {
        fault_at(conf_check_fault(check, "routes",
                                  "a route has %zu stages with those of its policies, at most %d may be", count,
                                  CONTROL_STEPS_MAX),
                 route->place.file, route->place.line, route->place.column);
        return 0;
    }
    steps.items = arena_zalloc(conf_check_arena(check), MAX(count, (size_t)1) * sizeof(struct conf_union));
    if (!steps.items)
        return -ENOMEM;
    for (size_t i = 0; i < route->stages.count; i++) {
        const struct conf_list *policy = policy_of(config, &written[i]);

        if (policy)
            add_policy(policy, &steps);
        else
            ((struct conf_union *)steps.items)[steps.count++] = written[i];
    }
    route->steps = steps;
    return 0;
}

/* --- prefixes ---------------------------------------------------------------------------------------------------- */

/* What is still to be filled in, or NULL. */
static struct bytes *missing_prefix(const struct conf_union *step)
{
    struct redirect_conf *redirect = step->value;
    struct rewrite_conf *rewrite = step->value;

    if (step->alternative->user == &STAGE_REWRITE)
        return rewrite->has_prefix && rewrite->strip.len == 0 ? &rewrite->strip : NULL;
    if (step->alternative->user == &STAGE_REDIRECT)
        return redirect->has_prefix && redirect->strip.len == 0 ? &redirect->strip : NULL;
    return NULL;
}

static void refuse_prefix(struct conf_check *check, const char *key, const struct conf_union *step, const char *why)
{
    struct fault *fault = conf_check_fault(check, key, "%s: prefix: %s", step->alternative->name, why);

    fault_hint(fault, "write strip: and the prefix that is replaced");
    fault_at(fault, step->place.file, step->place.line, step->place.column);
}

/* The prefix that the route has matched. False: it is none, or not the same for all requests. */
static bool plain_prefix(const struct route_match *match, struct bytes *ret)
{
    if (match->regex.len || (match->path.len && !match->prefix) || bytes_find_char(match->path, '{') >= 0)
        return false;
    *ret = match->path.len ? match->path : BYTES("/");
    return true;
}

/* The settings become the route's own: those of a policy may be used by others. */
static int place_prefix(struct conf_check *check, const struct route_match *match, struct conf_union *step)
{
    size_t size = step->alternative->schema->size;
    struct bytes prefix, *missing;
    void *copy;

    if (!missing_prefix(step))
        return 0;
    if (!plain_prefix(match, &prefix)) {
        refuse_prefix(check, "routes", step, "the route does not match a prefix without names");
        return 0;
    }
    copy = arena_alloc(conf_check_arena(check), size);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, step->value, size);
    step->value = copy;
    missing = missing_prefix(step);
    ASSERT(missing); /* of the copy, as of what it was copied from */
    *missing = prefix;
    return 0;
}

static int place_prefixes(struct conf_check *check, struct control_route *route)
{
    struct conf_union *steps = route->steps.items;
    int r = 0;

    for (size_t i = 0; r == 0 && i < route->steps.count; i++)
        r = place_prefix(check, &route->match, &steps[i]);
    return r == 0 && route->to.alternative ? place_prefix(check, &route->match, &route->to) : r;
}

static bool used_by_service(const struct control_config *config, struct bytes policy)
{
    for (size_t i = 0; i < config->services.count; i++)
        if (bytes_equal(control_service_at(config, i)->policy, policy))
            return true;
    return false;
}

static void check_services(struct conf_check *check, const struct control_config *config)
{
    for (size_t i = 0; i < config->policies.count; i++) {
        const struct conf_list *policy = config->policies.entries[i].value;
        const struct conf_union *steps = policy->items;

        for (size_t k = 0; k < policy->count; k++)
            if (missing_prefix(&steps[k]) && used_by_service(config, config->policies.entries[i].name))
                refuse_prefix(check, "policies", &steps[k], "many routes may lead to a service");
    }
}

/* --- names in templates ------------------------------------------------------------------------------------------- */

struct names {
    struct conf_check *check;
    const struct control_route *route; /* NULL: a policy of a service */
    const struct conf_union *step;
};

static void check_name(void *user, struct bytes name)
{
    const struct names *names = user;
    const struct conf_place *place = &names->step->place;
    struct fault *fault;

    if (!names->route) {
        fault = conf_check_fault(names->check, "policies", "%s has {path." BYTES_FMT "}, but belongs to a service",
                                 names->step->alternative->name, BYTES_ARG(name));
        fault_hint(fault, "paths are of routes, and other services call it without one: write it in stages of a route");
        fault_at(fault, place->file, place->line, place->column);
        return;
    }
    if (route_path_names(&names->route->match, name))
        return;
    fault = conf_check_fault(names->check, "routes", "%s has {path." BYTES_FMT "}, which the route's path has not",
                             names->step->alternative->name, BYTES_ARG(name));
    fault_hint(fault, "write {" BYTES_FMT "} in the place of an element of match: { path: ... }", BYTES_ARG(name));
    fault_at(fault, place->file, place->line, place->column);
}

static int check_value(const struct names *names, const struct conf_field *field, const void *value);

static int check_struct(const struct names *names, const struct conf_schema *schema, const void *value)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < schema->count; i++)
        r = check_value(names, &schema->fields[i], (const char *)value + schema->fields[i].offset);
    return r;
}

static int check_template(const struct names *names, struct bytes text)
{
    const struct template *template;
    struct fault ignored = { 0 };
    int r;

    if (bytes_find(text, BYTES("{path.")) < 0)
        return 0;
    r = template_parse(text, conf_check_arena(names->check), &ignored, &template);
    if (r == 0)
        template_parameters(template, check_name, (void *)(uintptr_t)names);
    return r == -ENOMEM ? r : 0;
}

static int check_items(const struct names *names, const struct conf_field *field, const void *value)
{
    const struct conf_list *list = value;
    const struct conf_map *map = value;
    int r = 0;

    for (size_t i = 0; field->type == CONF_LIST && r == 0 && i < list->count; i++)
        r = check_value(names, field->element, (const char *)list->items + i * conf_field_size(field->element));
    for (size_t i = 0; field->type == CONF_MAP && r == 0 && i < map->count; i++)
        r = check_value(names, field->element, map->entries[i].value);
    return r;
}

/* As deep as the tables are. */
static int check_value(const struct names *names, const struct conf_field *field, const void *value)
{
    const void *inner = field->flags & CONF_POINTER ? *(const void *const *)value : value;

    if (field->type == CONF_TEMPLATE)
        return check_template(names, *(const struct bytes *)value);
    if (field->type == CONF_STRUCT)
        return inner ? check_struct(names, field->schema, inner) : 0;
    return field->type == CONF_LIST || field->type == CONF_MAP ? check_items(names, field, value) : 0;
}

static int check_policies(struct conf_check *check, const struct control_config *config)
{
    struct names names = { .check = check };
    int r = 0;

    for (size_t i = 0; i < config->policies.count; i++) {
        const struct conf_list *policy = config->policies.entries[i].value;
        const struct conf_union *steps = policy->items;

        if (!used_by_service(config, config->policies.entries[i].name))
            continue;
        for (size_t k = 0; r == 0 && k < policy->count; k++) {
            names.step = &steps[k];
            r = check_struct(&names, steps[k].alternative->schema, steps[k].value);
        }
    }
    return r;
}

static int check_names(struct conf_check *check, const struct control_route *route)
{
    const struct conf_union *steps = route->steps.items;
    struct names names = { .check = check, .route = route };
    int r = 0;

    for (size_t i = 0; r == 0 && i < route->steps.count; i++) {
        names.step = &steps[i];
        r = check_struct(&names, steps[i].alternative->schema, steps[i].value);
    }
    names.step = &route->to;
    return r == 0 && route->to.alternative ? check_struct(&names, route->to.alternative->schema, route->to.value) : r;
}

int control_place_steps(struct conf_check *check, struct control_config *config)
{
    struct control_route *routes = config->routes.items;
    int r = check_policies(check, config);

    check_services(check, config);
    for (size_t i = 0; r == 0 && i < config->routes.count; i++) {
        r = expand(check, config, &routes[i]);
        if (r == 0)
            r = place_prefixes(check, &routes[i]);
        if (r == 0)
            r = check_names(check, &routes[i]);
    }
    return r;
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

static const struct conf_field FIELDS[] = {
    { .key = "name",
      .about = "its name",
      .type = CONF_STRING,
      .flags = CONF_REQUIRED,
      CONF_AT(struct control_policy_step, name),
      .reference = "policy" },
};

const struct conf_schema CONTROL_POLICY_STEP_SCHEMA = {
    .name = "policy-step",
    .about =
        "The stages of a policy: first those that are no part of the usual chain, as they are written; then timeout, "
        "retry and per-try, in this order.",
    .fields = FIELDS,
    .count = ARRAY_LEN(FIELDS),
    .size = sizeof(struct control_policy_step),
    .shorthand = "name",
};
