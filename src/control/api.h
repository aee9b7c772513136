/* control/api.h - the control API as a stage: what runs, how it is doing, and (for the owner) changes.
 *
 *     GET  / /app.js ...                  the dashboard, see assets.h
 *     GET  /livez /readyz                 text; /readyz is 503 until every worker lives in a configuration
 *     GET  /metrics                       Prometheus
 *     GET  /v1/status                     {"system","version","config","uptime_seconds","workers","pid","ready",
 *                                          "control","gateways":[{"name","listen"}]}
 *     GET  /v1/services                   {"services":[{"name","kind","run" or "url","ready","endpoints","scale",
 *                                          "scale_file","restarts","needs","limits","warning","balance","policy"}]}
 *                                          scale_file: what the file says, where weft scale has said otherwise
 *     GET  /v1/endpoints                  {"endpoints":[{"service","name","address","state","ejected","active",
 *                                          "weight","limit","checks","checks_failed","last_error","live","process",
 *                                          "pid","restarts","last_exit","waits_for"}]}
 *     GET  /v1/routes                     {"routes":[{"name","gateways","hosts","path","path_kind","methods","headers",
 *                                          "query","stages","to","to_kind"}]} in order of precedence;
 *                                          ?name=NAME: that one alone, with its "way": stages and settings
 *     GET  /v1/explain                    ?url=http://host/path &method=GET &gateway=NAME &header=Name:+value ...
 *                                         {"request","gateway","gateway_reason","config","running","answer","reason",
 *                                          "route","routes":[{"name","matches","chosen","reason","precedence"}],
 *                                          "parameters","caller","stages":[{"stage","path","settings"}],"service",
 *                                          "score_is","endpoints":[{"name","address","state","ejected","active",
 *                                          "weight","score","chosen","reason"}],"status","answered_by","location",
 *                                          "forwarded":{"method","host","path","query"}}: what would become of the
 *                                          request (control/explain.h). `answer` is route, mesh, no_route or
 *                                          bad_request; `status` is there when no service would be asked
 *     GET  /v1/logs                       ?service=S&instance=I&tail=N&after=CURSOR
 *                                         {"lines":[{"time","service","instance","stream","message"}],"cursor"}
 *                                          oldest first; lines of the last RECORD_SETTLE_NS come with the next answer
 *     POST /v1/scale                      {"service":"orders","scale":3}
 *     GET  /v1/traffic                    {"recording","exchanges":[...]}, newest first: those that ended last, with
 *                                          their way through the stages (observe/traffic.h). ?limit=100 &service=
 *                                          &route= &errors=true &slower_ms=250 &trace=ID: all that is given must fit
 *     GET  /v1/traces/ID                  {"trace_id","exchanges":[...]}, oldest first; 404 when none is remembered
 *     GET  /v1/topology                   {"time","nodes":[...],"edges":[...]}: who calls whom, counted since the start
 *     POST /v1/diff                       what an apply would change: {"differences":[{"change","path","before",
 *                                          "after"}],"effects":["orders: one instance more"]}; change: added, removed,
 *                                          changed, moved. Or {"faults":["weft.yaml:3:5: ..."]}. With differences_more,
 *                                          effects_more, faults_more: so many that are left out
 *     POST /v1/apply /v1/down             {"detail"}
 * Failures are problems (RFC 9457) whose `detail` says why; of an apply, all faults of the file, a line each.
 *
 * (1) It runs on the control loop's worker, and looks at the registry there.
 * (2) Only who may open the owner's unix socket may change anything: a POST that came in by another listener is 403.
 * (3) On TCP, a request's Host must be an IP address or localhost, and its Origin, if there is one, the same place: a
 *     page of a stranger whose name has been made to point here (DNS rebinding) reads nothing.
 * (4) Readiness speaks of this process, not of services: it never flaps because an endpoint is down.
 */
#ifndef WEFT_CONTROL_API_H
#define WEFT_CONTROL_API_H

#include "control/config.h"
#include "exchange/snapshot.h"
#include "observe/metrics.h"
#include "observe/traffic.h"

struct control_status {
    const struct control_config *config; /* the newest that the workers live in; NULL: none yet */
    struct snapshot *snapshot;           /* of that; NULL: none yet */
    uint64_t version;                    /* of that */
    struct bytes control;                /* ADDRESS:PORT where the API listens; empty: by the socket alone */
    int64_t uptime_ns;
    unsigned workers;
    int64_t pid;
    bool draining; /* not ready any more */
};

/* An instance's process, as the supervisor told it. Texts live until the next wait. */
struct control_process {
    struct bytes service, name, state, address; /* address empty: none */
    uint64_t pid, restarts;
    struct bytes note; /* waiting: for which services; else how it ended last; may be empty */
};

/* What the supervisor told about a service that it runs. */
struct control_run {
    uint64_t scale;
    bool chosen;          /* by weft scale, not by the file */
    struct bytes warning; /* empty: nothing is wrong */
};

/* What came of a change. */
struct control_verdict {
    bool ok;
    char *text; /* why, or what was done; given to the API, which frees it by mem_free(). NULL: nothing to say */
    size_t len;
};

/* What the API needs to know from the process that it stands in. On fibers of the control loop. */
struct control_api_host {
    void (*status)(struct control_api_host *host, struct control_status *ret); /* may not wait */
    /* The index-th process (from 0); false: there is none. May not wait. NULL: nobody knows. */
    bool (*process)(struct control_api_host *host, unsigned index, struct control_process *ret);
    /* These wait. 0 with a verdict, or a negative errno: nobody answered. */
    int (*apply)(struct control_api_host *host, struct control_verdict *ret);
    int (*diff)(struct control_api_host *host, struct control_verdict *ret); /* the text is the answer */
    int (*down)(struct control_api_host *host, struct control_verdict *ret);
    int (*scale)(struct control_api_host *host, struct bytes service, uint64_t scale, struct control_verdict *ret);
    /* False: nothing was told about it. May not wait. NULL: nobody knows. */
    bool (*run)(struct control_api_host *host, struct bytes service, struct control_run *ret);
};

/* The stage's conf; all of it outlives the snapshot. */
struct control_api_conf {
    struct control_api_host *host;
    const struct registry *registry;
    struct metrics *metrics;
    const struct traffic *traffic;              /* NULL: nothing is remembered */
    const struct metric_source *const *sources; /* more for /metrics; ends with NULL; may be NULL */
    const char *logs;                           /* folder of the services' output; NULL: there is none */
};

extern const struct stage_type STAGE_CONTROL_API;

/* A new snapshot of this stage, and of what it needs to explain others, sealed, for the control loop's worker to enter.
 * -ENOMEM. */
int control_api_snapshot(uint64_t version, const struct control_api_conf *conf, struct snapshot **ret) MUST_CHECK;

/* For `sources`: weft_service_... of every service of a registry, and those of others. It stays where it is. */
#define CONTROL_SOURCES_MAX 8

struct control_sources {
    struct metric_source sources[CONTROL_SOURCES_MAX];
    const struct metric_source *list[CONTROL_SOURCES_MAX + 1];
    unsigned count;
};

/* Makes the list: the registry's metrics, then `more` (ends with NULL; may be NULL; two at most). */
void control_sources_init(struct control_sources *sources, const struct registry *registry,
                          const struct metric_source *const *more);

#endif
