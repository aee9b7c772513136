#include "stage/route_rule.h"

#include "stage/request.h"

enum route_value_kind route_value_kind(const struct route_value *value)
{
    if (value->has_present)
        return value->present ? ROUTE_VALUE_PRESENT : ROUTE_VALUE_ABSENT;
    return value->has_regex ? ROUTE_VALUE_REGEX : ROUTE_VALUE_EXACT;
}

/* --- building ------------------------------------------------------------------------------------------- */

/* Puts the route's name before what is wrong. */
static int name_fault(const struct route_entry *entry, const char *key, struct bytes name, struct fault *fault)
{
    struct fault inner = fault ? *fault : (struct fault){ .line = 0 };

    fault_set(fault, "route " BYTES_FMT ": %s%s" BYTES_FMT ": %s", BYTES_ARG(entry->name), key, name.len ? "." : "",
              BYTES_ARG(name), inner.what);
    return -EINVAL;
}

static int compile(const struct route_entry *entry, const char *key, struct bytes name, struct bytes pattern,
                   struct fault *fault, struct regex **ret)
{
    int r = regex_compile(pattern, fault, ret);

    return r == -EINVAL ? name_fault(entry, key, name, fault) : r;
}

static int add_tests(struct route_rule *rule, const struct conf_map *map, const char *key, struct route_test *tests,
                     struct fault *fault)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < map->count; i++) {
        const struct route_value *value = map->entries[i].value;
        struct route_test *test = &tests[i];

        test->name = map->entries[i].name;
        test->id = http_field_id_of(test->name);
        test->kind = route_value_kind(value);
        test->value = test->kind == ROUTE_VALUE_REGEX ? value->regex : value->exact;
        if (test->kind == ROUTE_VALUE_REGEX)
            r = compile(rule->entry, key, test->name, value->regex, fault, &test->regex);
    }
    return r;
}

static int take_parameters(struct route_rule *rule, struct arena *arena)
{
    struct bytes rest = route_path_start(&rule->entry->match), names[ROUTE_PARAMETERS_MAX];
    struct route_element element;

    while (route_path_next(&rest, &element)) {
        if (element.kind == ROUTE_ELEMENT_LITERAL)
            continue;
        rule->rest = element.kind == ROUTE_ELEMENT_REST;
        names[rule->parameter_count++] = element.text;
    }
    if (rule->parameter_count == 0)
        return 0;
    rule->parameters = arena_alloc(arena, rule->parameter_count * sizeof(names[0]));
    if (!rule->parameters)
        return -ENOMEM;
    memcpy(rule->parameters, names, rule->parameter_count * sizeof(names[0]));
    return 0;
}

static int check_path(const struct route_entry *entry, struct fault *fault)
{
    const struct route_match *match = &entry->match;

    if (match->regex.len && match->path.len) {
        fault_set(fault, "has both path and regex");
        return name_fault(entry, "match", BYTES_NONE, fault);
    }
    if (match->path.len && route_path_check(match->path, fault) < 0)
        return name_fault(entry, "path", BYTES_NONE, fault);
    return 0;
}

int rule_init(struct route_rule *rule, const struct route_entry *entry, unsigned index, struct arena *arena,
              struct fault *fault)
{
    const struct route_match *match = &entry->match;
    size_t count = match->header.count + match->query.count;
    int r = check_path(entry, fault);

    *rule = (struct route_rule){ .index = index, .entry = entry };
    if (r == 0)
        r = take_parameters(rule, arena);
    if (r == 0 && match->regex.len)
        r = compile(entry, "regex", BYTES_NONE, match->regex, fault, &rule->path);
    if (r < 0 || count == 0)
        return r;
    rule->tests = arena_zalloc(arena, count * sizeof(*rule->tests));
    if (!rule->tests)
        return -ENOMEM;
    rule->header_count = (unsigned)match->header.count;
    rule->query_count = (unsigned)match->query.count;
    r = add_tests(rule, &match->header, "header", rule->tests, fault);
    return r < 0 ? r : add_tests(rule, &match->query, "query", rule->tests + rule->header_count, fault);
}

void rule_done(struct route_rule *rule)
{
    regex_free(rule->path);
    for (unsigned i = 0; i < rule->header_count + rule->query_count; i++)
        regex_free(rule->tests[i].regex);
}

int rule_compare(const struct route_rule *a, const struct route_rule *b)
{
    bool method = a->entry->match.method.count > 0, other = b->entry->match.method.count > 0;

    if (method != other)
        return method ? -1 : 1;
    if (a->header_count != b->header_count)
        return a->header_count > b->header_count ? -1 : 1;
    if (a->query_count != b->query_count)
        return a->query_count > b->query_count ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

/* --- deciding ------------------------------------------------------------------------------------------- */

void rule_say_list(struct text *why, const char *what, const struct conf_list *list)
{
    const struct bytes *names = list->items;

    text_add_format(why, "%s is %s", what, list->count == 1 ? "not " : "none of ");
    for (size_t i = 0; i < list->count; i++)
        text_add_format(why, "%s" BYTES_FMT, i > 0 ? ", " : "", BYTES_ARG(names[i]));
}

static bool method_fits(const struct conf_list *methods, struct bytes method)
{
    const struct bytes *names = methods->items;

    for (size_t i = 0; i < methods->count; i++)
        if (bytes_equal(names[i], method))
            return true;
    return methods->count == 0;
}

static int value_fits(const struct route_test *test, struct bytes value, struct regex_memory *memory)
{
    switch (test->kind) {
    case ROUTE_VALUE_EXACT: return bytes_equal(value, test->value);
    case ROUTE_VALUE_REGEX: return regex_match(test->regex, memory, value);
    case ROUTE_VALUE_PRESENT: return 1;
    case ROUTE_VALUE_ABSENT: return 0;
    }
    return 0;
}

/* *ret_there: it occurs at all. */
static int header_fits(const struct route_test *test, const struct rule_question *question, bool *ret_there)
{
    const struct http_head *head = question->head;
    bool there = false;
    int r = 0;

    for (unsigned i = 0; r == 0 && i < head->field_count && http_head_has(head, test->id); i++) {
        const struct http_field *field = &head->fields[i];

        if (field->id != test->id || (test->id == HTTP_FIELD_OTHER && !bytes_equal_ci(field->name, test->name)))
            continue;
        there = true;
        r = value_fits(test, field->value, question->memory);
    }
    *ret_there = there;
    return r;
}

static int query_fits(const struct route_test *test, const struct rule_question *question, bool *ret_there)
{
    struct bytes value = request_query(question->head->query, test->name);

    *ret_there = value.data != NULL;
    return value.data ? value_fits(test, value, question->memory) : 0;
}

static void say_test(struct text *why, const char *what, const struct route_test *test, bool there)
{
    text_add_format(why, "%s " BYTES_FMT " ", what, BYTES_ARG(test->name));
    if (test->kind == ROUTE_VALUE_ABSENT)
        text_add(why, BYTES("is there"));
    else if (!there)
        text_add(why, BYTES("is missing"));
    else
        text_add_format(why, "%s" BYTES_FMT, test->kind == ROUTE_VALUE_REGEX ? "does not match " : "is not ",
                        BYTES_ARG(test->value));
}

static int tests_fit(const struct route_rule *rule, const struct rule_question *question, struct text *why)
{
    for (unsigned i = 0; i < rule->header_count + rule->query_count; i++) {
        const struct route_test *test = &rule->tests[i];
        bool header = i < rule->header_count, there;
        int r = header ? header_fits(test, question, &there) : query_fits(test, question, &there);

        if (test->kind == ROUTE_VALUE_ABSENT)
            r = !there;
        if (r == 0 && why)
            say_test(why, header ? "header" : "query parameter", test, there);
        if (r != 1)
            return r;
    }
    return 1;
}

int rule_fits(const struct route_rule *rule, const struct rule_question *question, struct text *why)
{
    const struct route_match *match = &rule->entry->match;
    int r = 1;

    if (rule->gateways && !(rule->gateways & question->gateway)) {
        if (why)
            rule_say_list(why, "gateway", &rule->entry->gateways);
        return 0;
    }
    if (!method_fits(&match->method, question->head->method_text)) {
        if (why)
            rule_say_list(why, "method", &match->method);
        return 0;
    }
    if (rule->path)
        r = regex_match(rule->path, question->memory, question->head->path);
    if (r == 0 && why)
        text_add_format(why, "path does not match " BYTES_FMT, BYTES_ARG(match->regex));
    return r == 1 ? tests_fit(rule, question, why) : r;
}
