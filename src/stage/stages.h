/* stage/stages.h - the stages of this folder, their settings, and the usual chain.
 *
 * Each stage is one file. Its settings are a struct here, which its schema fills; settings of zero length mean what
 * the field's comment says. Structs and texts must live as long as the snapshot.
 */
#ifndef WEFT_STAGE_STAGES_H
#define WEFT_STAGE_STAGES_H

#include "base/hash.h"
#include "conf/schema.h"
#include "exchange/stage.h"
#include "stage/written.h"

extern const struct stage_type STAGE_ROUTE;
extern const struct stage_type STAGE_MESH;
extern const struct stage_type STAGE_TIMEOUT;
extern const struct stage_type STAGE_PER_TRY;
extern const struct stage_type STAGE_RETRY;
extern const struct stage_type STAGE_BALANCE;
extern const struct stage_type STAGE_ENDPOINT;
extern const struct stage_type STAGE_RESPOND;
extern const struct stage_type STAGE_REDIRECT;
extern const struct stage_type STAGE_HEADERS;
extern const struct stage_type STAGE_REWRITE;
extern const struct stage_type STAGE_LIMIT_BODY;

/* --- route: chooses one of its children, see stage/route_table.h ----------------------------------------- */

enum route_value_kind { ROUTE_VALUE_EXACT, ROUTE_VALUE_REGEX, ROUTE_VALUE_PRESENT, ROUTE_VALUE_ABSENT };

/* What a header field or a query parameter must be. One of the first three is written. */
struct route_value {
    struct bytes exact, regex;
    bool present;
    bool has_exact, has_regex, has_present;
};

enum route_value_kind route_value_kind(const struct route_value *value);

/* Written as `match:` of a route. All that is given must match. */
struct route_match {
    struct bytes path;             /* "/api/orders", "/orders/{id}"; empty: every path */
    bool prefix;                   /* the path and everything below it, element by element */
    struct bytes regex;            /* of the whole path, instead of `path` */
    struct conf_list hosts;        /* of struct bytes: "shop.example.com", "*.example.com"; none: every host */
    struct conf_list method;       /* of struct bytes: "GET"; none: every method */
    struct conf_map header, query; /* name -> struct route_value */
};

extern const struct conf_schema ROUTE_MATCH_SCHEMA;

/* routes[i] leads to children[i]. */
struct route_entry {
    struct bytes name; /* becomes x->route */
    struct route_match match;
    struct conf_list gateways; /* of struct bytes: their names; none: all of them */
};

/* Made by whoever builds the tree: routes have no settings of their own beside the list. What comes in by the gateway
 * MESH_GATEWAY has no routes: it goes on to the next stage. */
struct route_conf {
    const struct route_entry *routes;
    unsigned count;
};

/* --- mesh: services call each other ------------------------------------------------------------------------ */

/* The gateway that instances of services get as WEFT_URL, on loopback: http://127.0.0.1:PORT/~CALLER-KEY. Behind it
 * stand the name of a service and the path that it sees:
 *
 *     $WEFT_URL/orders/x?y = /~web-3f9c.../orders/x?y      -> service orders, /x?y; x->caller is web
 *
 * Every process of the machine reaches the port, and so does every page in a browser on it, so the URL is the key:
 *
 * (1) KEY is a code of 128 bits of the caller's name, made with the secret of the running system, which lives as long
 *     as the supervisor does: it outlives reloads and the serving process. Who knows one service's key can't make
 *     another's, so x->caller is true. It is compared in constant time.
 * (2) Without a valid key a request is refused (403, outcome denied) and learns nothing, whatever its path, method,
 *     Host or Origin is; a problem says what to do. Where there is no secret, nobody gets in.
 * (3) The key is told to services alone, each its own: see http/credential.h.
 * (4) The key of a service that is none any more (its last instances drain while the rest lives on without it) counts
 *     on: it calls as nobody.
 * (5) The way to a service is the very chain that routes lead to: same policy, budgets and counts.
 * (6) Where there is no service of the name, a problem (404) says what to do.
 * (7) The Host field stays what the caller sent.
 */
#define MESH_GATEWAY "mesh"
#define MESH_CREDENTIAL_MAX (CONF_NAME_MAX + 33) /* NAME-KEY; KEY has 32 hexadecimal digits */

/* services[i] is behind children[i]. */
struct mesh_conf {
    const struct bytes *services;
    unsigned count;
};

/* Where a path of that gateway leads to. */
struct mesh_call {
    struct bytes caller;      /* in the snapshot; empty: nobody, or no service */
    struct bytes service;     /* as it was called */
    struct bytes path;        /* that the service sees */
    const struct stage *next; /* the way to it */
};

/* Of a stage `mesh` of a sealed snapshot: what it does with a request of the caller of that name, whose key has been
 * seen to. 0; -EBADMSG: the path is refused; -ENOENT: there is no service ret->service, and all else of *ret is set. */
int mesh_find(const struct stage *mesh, struct bytes caller, struct bytes path, struct mesh_call *ret) MUST_CHECK;

/* Writes NAME-KEY, what x->credential of the service's calls is. */
void mesh_write_credential(struct text *text, const struct hash_key *secret, struct bytes name);

/* Is it one of these? *ret: its name, a slice of it. */
bool mesh_credential_holds(const struct hash_key *secret, struct bytes credential, struct bytes *ret);

/* The name alone, as it is said: NAME-KEY, or NAME. It proves nothing. */
struct bytes mesh_credential_name(struct bytes credential);

/* --- timeout, per-try: bound the time until the head of the answer is there ----------------------------- */

struct timeout_conf {
    int64_t limit_ns; /* 0: none */
};

/* --- retry ----------------------------------------------------------------------------------------------- */

struct retry_conf {
    int64_t attempts;              /* in all */
    struct duration_range backoff; /* full jitter below low, 2 low, 4 low, ... high */
    struct conf_list on;           /* of struct bytes: "unsent", "unknown", "502"; none: RETRY_ON_DEFAULT */
    double budget;                 /* retries as a fraction of the requests offered in the last 10 s */
    double budget_floor;           /* and so many a second besides, in the whole process */
};

/* --- balance: chooses an endpoint of the service --------------------------------------------------------- */

enum balance_by { BALANCE_ROUND_ROBIN, BALANCE_LEAST_REQUEST };

extern const struct conf_choice BALANCE_CHOICES[]; /* for `balance:` of a service */

struct balance_conf {
    int by;               /* enum balance_by */
    struct bytes service; /* set by whoever builds the tree; becomes x->service */
};

/* --- respond: answers by itself --------------------------------------------------------------------------- */

enum respond_type { RESPOND_TEXT, RESPOND_HTML, RESPOND_JSON };

struct respond_conf {
    int64_t status;
    struct conf_map headers; /* of struct bytes */
    int type;                /* enum respond_type: what the body is, unless headers say so */
    struct bytes body;
    /* made */
    struct written_fields fields;
    struct written_text content;
};

/* --- redirect: sends the client to another place ------------------------------------------------------------ */

enum redirect_scheme { REDIRECT_SCHEME_SAME, REDIRECT_SCHEME_HTTP, REDIRECT_SCHEME_HTTPS };

struct redirect_conf {
    int64_t status;
    struct bytes to; /* the whole place; empty: made of the parts below */
    int scheme;      /* enum redirect_scheme */
    struct bytes host, path, prefix;
    int64_t port;    /* 0: by the other parts */
    bool has_prefix; /* an empty one is another thing than none */
    struct bytes
        strip; /* what prefix replaces; for a route that matches a prefix the builder of the tree fills it in */
    /* made */
    struct written_text to_made, host_made, path_made, prefix_made;
};

/* --- headers: changes fields, both ways ---------------------------------------------------------------------- */

struct headers_edit {
    struct conf_map set, add; /* of struct bytes */
    struct conf_list remove;  /* of struct bytes */
    /* made */
    struct written_fields set_fields, add_fields;
};

struct headers_conf {
    struct headers_edit request, response;
};

/* --- rewrite: another path, query or host for the service ------------------------------------------------------ */

struct rewrite_conf {
    struct bytes path, prefix, query, host;
    bool has_prefix, has_query; /* empty ones are other things than none */
    struct bytes strip;         /* as in struct redirect_conf */
    /* made */
    struct written_text path_made, prefix_made, query_made, host_made;
};

/* --- limit-body: refuses larger request bodies -------------------------------------------------------------------- */

struct limit_body_conf {
    uint64_t max;
};

/* --- files: answers with files of a folder, see stage/files.h ---------------------------------------------- */

extern const struct stage_type STAGE_FILES;

struct files_conf {
    struct bytes root;     /* relative: counts from the snapshot's folder */
    struct bytes strip;    /* "/assets"; empty: nothing */
    struct bytes index;    /* "index.html" */
    struct bytes fallback; /* below root; empty: none */
    int64_t cache_ns;      /* 0: to be asked for each time */
    bool precompressed, hidden;
};

/* --- the usual chain ---------------------------------------------------------------------------------------- */

/* From the outside in. Whoever builds the way to a service takes, for each slot, the settings of the service's policy;
 * where it says nothing, `conf` of the slot; where that is NULL too, the slot is left out. So a service without a
 * policy has timeouts, a retry budget and outlier care all the same. The settings of balance are always the builder's
 * (service and `balance:`); endpoint has none. */
struct stage_slot {
    const struct stage_type *type;
    const void *conf;
    bool always; /* there even without settings */
};

extern const struct stage_slot STAGE_CHAIN[];
extern const unsigned STAGE_CHAIN_COUNT;

#endif
