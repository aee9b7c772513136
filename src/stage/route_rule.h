/* stage/route_rule.h - what a route asks for besides host and path, compiled. Part of stage/route_table.h.
 *
 * rule_fits() is the one place that decides it, for requests and for people who ask why. */
#ifndef WEFT_STAGE_ROUTE_RULE_H
#define WEFT_STAGE_ROUTE_RULE_H

#include "base/text.h"
#include "stage/route_table.h"

/* Of a header field or a query parameter. */
struct route_test {
    struct bytes name, value;
    enum http_field_id id;
    enum route_value_kind kind;
    struct regex *regex; /* of kind ROUTE_VALUE_REGEX */
};

struct route_rule {
    unsigned index;
    const struct route_entry *entry;
    uint64_t gateways;        /* bits of the table's; 0: all */
    struct regex *path;       /* NULL: by elements */
    struct route_test *tests; /* headers, then query parameters */
    unsigned header_count, query_count;
    struct bytes *parameters;
    unsigned parameter_count;
    bool rest; /* the last parameter takes all that is left */
};

/* Everything but the gateways. -ENOMEM; -EINVAL with a fault that names the route. Whatever happens, rule_done(). */
int rule_init(struct route_rule *rule, const struct route_entry *entry, unsigned index, struct arena *arena,
              struct fault *fault) MUST_CHECK;
void rule_done(struct route_rule *rule);

/* Negative: a goes first, where host and path are the same. Never 0 for two rules. */
int rule_compare(const struct route_rule *a, const struct route_rule *b);

struct rule_question {
    const struct http_head *head;
    uint64_t gateway; /* its bit; 0: no route names it */
    struct regex_memory *memory;
};

/* 1: it fits; 0: it doesn't, and `why`, unless NULL, says why; -E2BIG: an expression took too long. */
int rule_fits(const struct route_rule *rule, const struct rule_question *question, struct text *why);

/* "WHAT is not NAME", "WHAT is none of NAME, NAME". */
void rule_say_list(struct text *why, const char *what, const struct conf_list *list);

#endif
