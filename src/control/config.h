/* control/config.h - weft.yaml as typed structs, and what a field's text alone does not tell: words, addresses, names.
 *
 * (1) All of it lies in the arena of its load and never changes afterwards; texts are zero-terminated.
 * (2) What a `check` of the tables has found out (marked "made") is there whenever the load has succeeded.
 * (3) Settings of stages are the structs of their own tables, found by the stage's name: struct control_stages.
 */
#ifndef WEFT_CONTROL_CONFIG_H
#define WEFT_CONTROL_CONFIG_H

#include "conf/load.h"
#include "http/server.h"
#include "service/service.h"
#include "stage/stages.h"

/* Gateways of ours, whose names are therefore taken. */
#define CONTROL_GATEWAY "control"               /* TCP, for reading only */
#define CONTROL_GATEWAY_SOCKET "control-socket" /* unix socket of the owner, for everything */
#define CONTROL_GATEWAY_MESH MESH_GATEWAY       /* loopback TCP, where services call each other */

/* Which stages may be written where: arrays of types that have a schema, ended by NULL. The program says which. */
struct control_stages {
    const struct stage_type *const *steps;    /* `stages:` of a route, besides `policy: NAME` */
    const struct stage_type *const *targets;  /* `to:` of a route, besides the name of a service */
    const struct stage_type *const *settings; /* a policy */
};

struct control_gateway {
    struct bytes name; /* made, unless written: "gateway", "gateway-1", ... */
    struct bytes listen;
    struct conf_place place;
    struct bytes scheme;    /* made: "http" */
    struct address address; /* made */
};

struct control_api_settings {
    struct bytes listen;
    bool written;           /* else a port of its own is looked for, if it is taken */
    struct address address; /* made; ADDRESS_NONE: off */
};

struct control_log {
    bool access;
    bool traffic;  /* recent exchanges are remembered */
    int64_t files; /* of each service's ring */
    uint64_t size; /* of one of them */
};

struct control_clients {
    int64_t head_ns, idle_ns, body_ns;
    int64_t connections, fibers; /* of one worker */
};

/* `ready:` and `live:` of a service. */
struct control_check {
    struct bytes path; /* empty: not written */
    int64_t every_ns, timeout_ns, failures;
};

/* `limits:` of a service's instances. 0: none. */
struct control_limits {
    uint64_t memory;
    double cpu; /* of one processor */
    int64_t files;
};

struct control_service {
    struct conf_list run, url; /* of struct bytes; one of them is written */
    int64_t scale;
    struct bytes policy, directory;
    struct control_check ready, live;
    int balance;                       /* enum balance_by */
    struct conf_list needs, env_files; /* of struct bytes */
    struct control_limits limits;
    struct conf_map env; /* of struct bytes */
    bool port;
    int64_t connections; /* 0: the usual */
    struct conf_place place;
    /* made */
    struct bytes name;
    const struct conf_list *settings; /* of its policy, of struct conf_union; NULL: none */
    const char *const *argv;          /* ends with NULL; NULL: it has a url */
    const char *const *environment;   /* "NAME=value", ends with NULL */
    struct service_target *targets;
    unsigned target_count;
    bool settled; /* while needs are checked */
};

/* `policy: NAME` among the stages of a route. */
struct control_policy_step {
    struct bytes name;
};

struct control_route {
    struct bytes name; /* made, unless written: from host and path */
    struct route_match match;
    struct conf_list gateways; /* of struct bytes; none: all */
    struct conf_list stages;   /* of struct conf_union, from the outside in */
    struct conf_union to;      /* a service's name, or a target stage */
    struct conf_place place;
    struct conf_list steps;                /* made: stages, with those of policies in their places */
    const struct control_service *service; /* made; NULL: a target stage */
    unsigned twins;                        /* made: later routes of the same match */
};

struct control_config {
    struct bytes system;
    int64_t workers; /* 0: one for each processor */
    struct control_api_settings control;
    struct control_log log;
    struct control_clients clients;
    struct conf_list gateways; /* of struct control_gateway */
    struct conf_map policies;  /* of struct conf_list of struct conf_union */
    struct conf_map services;  /* of struct control_service */
    struct conf_list routes;   /* of struct control_route */
    struct conf_list include;  /* of struct bytes */
};

extern const struct conf_schema CONTROL_SCHEMA; /* of the document's root */

/* The tables' sets of alternatives; they must live as long as what is loaded by them. */
#define CONTROL_SETS 3

struct control_sets {
    struct conf_set sets[CONTROL_SETS];
};

int control_sets_make(const struct control_stages *stages, struct arena *arena,
                      struct control_sets *ret) MUST_CHECK; /* -ENOMEM */

static inline const struct control_gateway *control_gateway_at(const struct control_config *config, size_t index)
{
    return &((const struct control_gateway *)config->gateways.items)[index];
}

static inline const struct control_service *control_service_at(const struct control_config *config, size_t index)
{
    return config->services.entries[index].value;
}

static inline const struct control_route *control_route_at(const struct control_config *config, size_t index)
{
    return &((const struct control_route *)config->routes.items)[index];
}

/* Whether a step of a policy stands before the usual chain to a service, rather than in one of its slots. */
bool control_step_before_chain(const struct conf_union *step);

/* NULL: there is none. */
const struct control_service *control_find_service(const struct control_config *config, struct bytes name);

/* For registry_set(), http_server_init(). */
struct service_settings control_service_settings(const struct control_service *service);
struct http_server_limits control_server_limits(const struct control_config *config);

#endif
