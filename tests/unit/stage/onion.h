/* tests/unit/stage/onion.h - one stage with settings from YAML, and others of the test around it and within it.
 *
 * The innermost one (the core) writes down each request that it sees, reads the body, and answers 200. What stands
 * outside runs the stage twice: as a retry, or in a fork.
 */
#ifndef WEFT_TESTS_STAGE_ONION_H
#define WEFT_TESTS_STAGE_ONION_H

#include "conf/load.h"
#include "stage/stages.h"

/* --- settings ------------------------------------------------------------------------------------------- */

struct settings {
    struct arena arena;
    struct fault_list faults;
    char text[4096]; /* all faults, a line each, as people see them; the file is "w" */
    void *conf;      /* NULL: refused */
};

/* From the C library's memory. `max`: bytes of the arena that holds what was read. */
struct settings *settings_load(const struct stage_type *type, const char *yaml);
struct settings *settings_load_within(const struct stage_type *type, const char *yaml, size_t max);
void settings_free(struct settings *settings);

/* --- a call --------------------------------------------------------------------------------------------- */

extern const struct stage_type ONION_TWICE;  /* calls the next stage, rewinds, calls it again */
extern const struct stage_type ONION_FORKED; /* calls it in a fork, whose answer it takes, and then another time */

struct onion_field {
    const char *name, *value;
};

struct onion {
    /* the stage */
    const struct stage_type *type;
    void *conf;                                /* instead of yaml */
    const char *yaml;                          /* its settings; must be fine */
    const struct stage_type *outside, *inside; /* NULL: nothing */
    size_t memory;                             /* bytes that the exchange may still take; 0: as many as it likes */
    bool innermost;                            /* it has no core inside */

    /* the request; GET http://shop.test/ unless said otherwise. Its path has named "id" as 17; "web" calls */
    enum http_method method;
    const char *scheme, *host, *path, *query; /* host "-": none */
    const struct onion_field *fields;         /* ends with a NULL name */
    unsigned more_fields;                     /* "x-more: 1", so many times */
    const char *body;                         /* in pieces of one byte, without a length; NULL: none */
    bool length;                              /* its length is said beforehand */
    size_t zeros;                             /* so many bytes more */

    /* what the core does */
    enum outcome outcome;              /* instead of an answer */
    const struct onion_field *answers; /* its fields */
    unsigned more_answers;             /* fields, besides */

    /* what came of it */
    enum outcome result;
    unsigned runs; /* of the core */
    unsigned status;
    char seen[8192];      /* by the core: "GET host /path?query|name: value|body\n" for each run */
    char after[8192];     /* the same of the request when all have returned; without body */
    char answer[20000];   /* "name: value|...": fields in the order of the answer */
    char content[256];    /* of its body, as much as fits */
    uint64_t content_len; /* as the head has it */
    bool has_content_len;
};

void onion_run(struct onion *onion);

/* Runs it with less and less lack of memory, until there is enough: before that, each run must end with
 * OUTCOME_OVERLOAD and leave the request as it came. */
void onion_run_short(struct onion *onion);

#endif
