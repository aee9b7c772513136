/* stage/route_tree.h - how the routes of a table hang together, and the walk through them. Part of
 * stage/route_table.h. */
#ifndef WEFT_STAGE_ROUTE_TREE_H
#define WEFT_STAGE_ROUTE_TREE_H

#include "base/map.h"
#include "stage/route_rule.h"

/* Where the routes of a node end, in order of precedence. */
enum route_end {
    ROUTE_END_EXACT,
    ROUTE_END_REGEX, /* at roots only */
    ROUTE_END_REST,
    ROUTE_END_PREFIX,
    ROUTE_ENDS,
};

struct route_candidate {
    struct route_candidate *next;
    const struct route_rule *rule;
};

/* A path up to an element. */
struct route_node {
    struct map children;          /* element -> struct route_node */
    struct route_node *parameter; /* {name}; NULL: none */
    struct route_candidate *ends[ROUTE_ENDS];
    struct route_node *next; /* in table->nodes */
};

struct route_table {
    struct arena arena;
    const struct route_conf *conf;
    struct route_rule *rules;   /* by index */
    unsigned rule_count;        /* of those that were begun */
    struct map hosts, suffixes; /* lower case -> root; suffixes with their dot: ".example.com" */
    struct route_node *any;     /* NULL: no route is for every host */
    struct route_node *nodes;   /* all of them: their maps are to be freed */
    struct bytes gateways[ROUTE_GATEWAYS_MAX];
    unsigned gateway_count, regex_count; /* of paths */
    bool has_regex;                      /* anywhere */
};

/* One element of the way down. */
struct route_step {
    const struct route_node *node;
    struct bytes element; /* that led here */
    struct bytes rest;    /* what comes behind it; data is NULL at the end of the path */
    uint8_t phase;
    bool parameter;
};

struct route_walk {
    struct rule_question question;
    int host_rank; /* of the root that is being walked */
    unsigned depth;
    struct route_step steps[ROUTE_ELEMENTS_MAX + 1];
    /* Candidates whose host and path match (but for a path by expression), in order of precedence. 0: go on; anything
     * else ends the walk, which returns it. */
    int (*visit)(struct route_walk *walk, const struct route_rule *rule);
    void *user;
};

/* The caller has set question.memory, visit and user. */
int route_table_walk(const struct route_table *table, const struct route_request *request, struct route_walk *walk);

/* For visit(): the rule is the one. */
void route_walk_found(const struct route_walk *walk, const struct route_rule *rule, struct route_found *found);

uint64_t route_gateway_bit(const struct route_table *table, struct bytes name); /* 0: no route names it */

/* How specific a host of the configuration is, the lower, the more: 0 for an exact one, then suffixes by length, last
 * every host (empty). */
int route_host_rank(struct bytes host);

/* Whether the authority of a request is one of the host of a configuration; for texts only. */
bool route_host_is(struct bytes host, struct bytes authority);

#endif
