/* tests/unit/conf/example.h - a configuration with every type in it, for the tests of conf/ and its fuzz target. */
#ifndef WEFT_TESTS_CONF_EXAMPLE_H
#define WEFT_TESTS_CONF_EXAMPLE_H

#include "conf/load.h"

enum example_balance { EXAMPLE_ROUND_ROBIN = 10, EXAMPLE_LEAST_REQUEST = 20 };

struct example_timeout {
    int64_t total_ns, idle_ns;
};

struct example_retry {
    int64_t attempts;
    struct duration_range backoff;
    double budget;
    int64_t window_ns;
};

struct example_tls {
    struct bytes certificate, key;
};

struct example_service {
    struct conf_place place;
    struct conf_list run; /* of struct bytes */
    struct conf_list url; /* of struct bytes */
    int64_t scale;
    bool scale_given;
    struct bytes ready;
    int balance;
    struct conf_map environment; /* to struct bytes */
    struct example_timeout timeout;
    struct example_retry *retry;
    struct example_tls *tls;
    struct bytes policy;
    double weight;
};

struct example_match {
    struct bytes path;
    bool prefix;
    struct conf_list method; /* of struct bytes */
    struct conf_map headers; /* to struct bytes */
};

struct example_route {
    struct example_match match;
    struct conf_list stages; /* of struct conf_union */
    struct conf_union to;
};

struct example_policy {
    struct conf_list stages; /* of struct conf_union */
};

struct example {
    struct bytes system;
    struct conf_list include; /* of struct bytes */
    bool debug;
    uint64_t memory;
    struct conf_list listen;  /* of struct bytes */
    struct conf_map services; /* to struct example_service */
    struct conf_map policies; /* to struct conf_list of struct conf_union */
    struct conf_list routes;  /* of struct example_route */
    struct conf_map labels;   /* to struct bytes */
    struct conf_map jobs;     /* to struct bytes */
};

struct example_limit {
    double rate;
    int64_t burst;
    struct bytes by;
};

struct example_cache {
    uint64_t size;
    double fill;
    int64_t ttl_ns;
};

struct example_gather {
    struct bytes from;
    double quorum;
    struct conf_union otherwise;
};

struct example_split_part {
    struct conf_union to;
    int64_t weight;
};

struct example_split {
    struct conf_list parts;
};

extern const struct conf_schema EXAMPLE_SCHEMA;
extern const struct conf_set EXAMPLE_SETS[];
#define EXAMPLE_SET_COUNT 2

#endif
