/* base/limits.h - every bound that Weft has, with its reason. Each is reached by a test (grep its name in
 * tests/ and sim/). A bound that a user may set is the default here, and its ceiling where one is given. */
#ifndef WEFT_BASE_LIMITS_H
#define WEFT_BASE_LIMITS_H

/* --- texts for people ---------------------------------------------------------------------------- */
#define FAULT_FILE_MAX 128 /* a path; longer ones keep their end */
#define FAULT_TEXT_MAX 384 /* three lines of a terminal */
#define FAULT_HINT_MAX 192
#define FAULTS_MAX 64 /* more faults in one file than anybody reads at once */
#define PANIC_TEXT_MAX 2048
#define BYTES_DISTANCE_MAX 64 /* names in weft.yaml are shorter; the work is its square */

/* --- quantities ---------------------------------------------------------------------------------- */
#define DECIMAL_TEXT_MAX 32 /* 17 digits tell every double apart; RATE_MIN puts 10 characters before them */
#define RATE_MIN 1e-9       /* events a second: one in 31 years */
#define RATE_MAX 1e12       /* events a second: no machine counts that fast */
#define PERCENT_MAX 1e6     /* as a fraction; a schema's own range is narrower */

/* --- memory -------------------------------------------------------------------------------------- */
#define ARENA_BLOCK_SIZE (16 * 1024) /* of arenas without a pool: a snapshot of 100 services takes a few */
#define MAP_CAPACITY_MIN 8           /* of a table that holds anything; powers of two */

/* --- metrics ------------------------------------------------------------------------------------- */
#define HISTOGRAM_BOUNDS_MAX 16 /* OpenTelemetry's HTTP buckets are 14 */

/* --- io ------------------------------------------------------------------------------------------ */
#define FIBERS_MAX 16000             /* a stack is two mappings; vm.max_map_count is 65530 by default */
#define FIBERS_MAX_TSAN 2000         /* a TSan fiber holds megabytes of shadow state */
#define FIBER_STACK_SIZE (64 * 1024) /* measured high-water marks stay under a third of it, see docs */
#define FIBER_STACKS_KEEP 64         /* idle stacks kept warm; more are unmapped */
#define SOCKETS_MAX 262144           /* slots of one loop; the process's descriptor limit is usually lower */
#define MAILBOX_MAX 4096             /* letters waiting for one loop: a reload of 1,000 services fits */
#define LANE_JOBS_MAX 1024           /* jobs waiting on one lane: then the submitter gets -EAGAIN */
#define LANE_THREADS_MAX 8
#define LANES_MAX 16
#define ADDRESS_TEXT_MAX 128              /* unix paths are at most 108 bytes (sun_path) */
#define POLL_EVENTS_MAX 256               /* taken from the kernel in one turn: 3 KiB of stack */
#define ACCEPT_ATTEMPTS_MAX 16            /* connections that died in the queue, skipped in one try */
#define THREAD_STACK_SIZE (256 * 1024)    /* of a worker's own stack; its fibers have theirs */
#define LANE_STACK_SIZE (512 * 1024)      /* SQLite and the C library's resolver run on it */
#define FILE_PATH_MAX 4096                /* PATH_MAX of Linux */
#define FILE_NAME_MAX 255                 /* NAME_MAX of Linux: one element of a path */
#define FILE_OPEN_TRIES 8                 /* the kernel asks for another one while somebody renames folders */
#define DESCRIPTOR_WAIT_NS (1 * NS_PER_S) /* a reader of our output that takes nothing for longer is stuck */
#define GUARD_KILL_NS (5 * NS_PER_S)      /* what SIGKILL has not ended by then is stuck in the kernel */

/* --- net ----------------------------------------------------------------------------------------- */
#define ACCEPTS_A_TURN 64                /* a flood of connects waits its turn like everybody */
#define ACCEPT_PAUSE_NS (50 * NS_PER_MS) /* out of descriptors: others must close first */
#define CONN_BURST_MAX (1024 * 1024)     /* read from one connection before others get their turn: half a millisecond */

/* --- db ------------------------------------------------------------------------------------------ */
#define DB_MIGRATIONS_MAX 1000               /* one a week for twenty years */
#define DB_MIGRATION_TEXT_MAX (1024 * 1024)  /* of one script, in bytes; SQLite's own default is 1,000,000 */
#define DB_STATEMENT_TEXT_MAX (64 * 1024)    /* of one statement; texts of users belong into values */
#define DB_STATEMENTS_MAX 64                 /* kept prepared by a connection: more than a service has; 10 KiB each */
#define DB_VALUES_MAX 100                    /* of one statement */
#define DB_VALUE_SIZE_MAX (16 * 1024 * 1024) /* of a text, a blob, a row: all memory of a call */
#define DB_EXPRESSION_DEPTH_MAX 200          /* SQLite recurses: 1,000 would not fit LANE_STACK_SIZE under ASan */
#define DB_ROWS_OPEN_MAX 32                  /* queries under way in one transaction; fewer than DB_STATEMENTS_MAX */
#define DB_WAITING_MAX LANE_JOBS_MAX         /* transactions that wait to write: then -EAGAIN */
#define DB_GROUP_MAX 64                      /* of them in one commit; of 256: 8,000/s alone, 140,000/s with 64 */
#define DB_READERS_MAX LANE_THREADS_MAX
#define DB_PROGRESS_STEPS 1000 /* of SQLite's machine between two looks whether to stop: some 20 us */
#define DB_BUSY_TURN_MS 25     /* waited for another process before asking whether anybody still cares */
#define DB_OPEN_BUSY_MS 30000  /* for others that migrate the same file */

/* --- http ---------------------------------------------------------------------------------------- */
#define HTTP1_LINE_MAX 8192      /* RFC 9112, 3: at least 8000 octets; the default of nginx and Apache */
#define HTTP1_HEAD_MAX 16384     /* a head must fit one buffer */
#define HTTP_FIELDS_MAX 100      /* Apache's default */
#define HTTP1_CHUNK_LINE_MAX 256 /* a size and a modest extension */
#define HTTP1_TRAILERS_MAX 4096
#define HTTP1_TRAILERS_WRITE_MAX (HTTP1_TRAILERS_MAX + 64) /* the last chunk, and a space in each field */
#define HTTP1_TRAILER_FIELDS_MAX 16
#define HTTP_CONNECTIONS_MAX 200000          /* of one worker */
#define HTTP_PARTIAL_SIZE 1024               /* most heads fit, so a slow one costs no whole buffer */
#define HTTP_HEAD_NS (15 * NS_PER_S)         /* from a head's first byte to its end; HAProxy's guides say 10 s */
#define HTTP_IDLE_NS (75 * NS_PER_S)         /* nginx keepalive_timeout */
#define HTTP_DRAIN_IDLE_NS (100 * NS_PER_MS) /* draining: a request that is on its way is answered, not reset */
#define HTTP_BODY_NS (60 * NS_PER_S)         /* nginx client_body_timeout, send_timeout, proxy_read_timeout */
#define HTTP_RETRY_PARKED_NS (2 * NS_PER_MS) /* a complete head looks again for a free fiber */
#define HTTP_DRAIN_BODY_MAX (64 * 1024)      /* of a request body that nobody read, before the connection is closed */
#define HTTP_SLOW_RATE 512                   /* bytes/s below which a client may be dropped when fibers are scarce */
#define HTTP_SLOW_GRACE_NS NS_PER_S          /* nobody is called slow earlier */
#define HTTP_BODY_ROOM_MIN 4096              /* less is left behind a large head: bodies get a buffer of their own */
#define HTTP_PROBLEM_MAX 2048
#define HTTP_REQUEST_ID_MAX 128                 /* a longer one of the client's is replaced */
#define HTTP_INTERIMS_MAX 16                    /* 1xx answers before the real one */
#define HTTP_LEARN_IDLE_MIN_NS (20 * NS_PER_MS) /* an earlier close is no idle timeout */
#define HTTP_SLOW_LOOKS 64                      /* connections looked at for slowness at a time */
#define HTTP_FEED_TRIES 32                      /* waiting requests tried at a time */
#define HTTP_TUNNEL_NS (3600 * NS_PER_S)        /* a tunnel in which nothing moves; Envoy's connection idle limit */
#define HTTP_UPSTREAM_CONNECTIONS_MAX 1024      /* of one worker to one endpoint; Envoy's default */
#define HTTP_UPSTREAM_IDLE_NS (60 * NS_PER_S)
#define HTTP_WAITERS_MAX 1024                        /* Envoy's max_pending_requests */
#define HTTP_CONNECT_NS (1 * NS_PER_S)               /* Linkerd's outbound connect timeout */
#define HTTP_CLOSING_NS (5 * NS_PER_S)               /* grace for the answer after the work was cancelled */
#define HTTP_TRACESTATE_MEMBERS_MAX 32               /* W3C Trace Context, 3.3.1.1; with more it is dropped */
#define HTTP_VIA_HOPS_MAX 8                          /* as often as our own name may stand in Via */
#define HTTP_CONNECTION_OPTIONS_MAX 32               /* each is compared with each field; browsers send two */
#define HTTP_LENGTH_MAX UINT64_C(0x7fffffffffffffff) /* fits off_t; so do the sums of what is counted */

/* --- conf ---------------------------------------------------------------------------------------- */
#define CONF_TEXT_MAX (1024 * 1024)          /* one file; a service takes about 200 bytes */
#define CONF_FILES_MAX 256                   /* a file a service for a system that one team can oversee */
#define CONF_INCLUDE_DEPTH_MAX 8             /* files that include files; deeper is a mistake */
#define CONF_NODES_MAX 100000                /* 1,000 services of 30 nodes, three times; aliases count when used */
#define CONF_NODE_TEXT 1024                  /* bytes of a text that count as one more node */
#define CONF_DEPTH_MAX 64                    /* the decoder recurses: this bounds its stack */
#define CONF_SCALAR_MAX (64 * 1024)          /* a script written in place */
#define CONF_KEY_MAX 256                     /* names are shorter; bounds what aliases can multiply */
#define CONF_PATH_MAX 1024                   /* of an included file */
#define CONF_SCRATCH_MAX (64 * 1024 * 1024)  /* memory while loading, given back afterwards */
#define CONF_NAME_MAX 63                     /* RFC 1035, 2.3.4: a DNS label */
#define CONF_KINDS_MAX 32                    /* kinds of things that can be referred to */
#define CONF_DIRECTIVES_MAX 16               /* %TAG lines: libyaml compares each with all before it */
#define CONF_SUGGEST_MAX 1000                /* names looked at for a did-you-mean */
#define CONF_SCHEMAS_MAX 256                 /* schemas under one root */
#define CONF_PRINT_MAX (4 * 1024 * 1024)     /* a printed schema */
#define CONF_FORMAT_DEPTH_MAX 128            /* levels that are laid out: lists and maps, twice CONF_DEPTH_MAX */
#define CONF_FORMAT_MAX (16 * 1024 * 1024)   /* bytes of a text that was laid out */
#define CONF_DIFFERENCE_TEXT_MAX 240         /* of one value that is told: three lines of a terminal */
#define CONF_COMPARE_CELLS_MAX (1024 * 1024) /* 1,000 items against 1,000 others; more are compared by their names */

/* --- supervise ------------------------------------------------------------------------------------ */
#define MESSAGE_TEXTS_MAX 4096             /* of one message: names, an address, a folder */
#define RESTART_FIRST_NS NS_PER_S          /* before what died is started again; then doubled */
#define RESTART_MAX_NS (60 * NS_PER_S)     /* a cause that was removed is noticed within a minute */
#define RESTART_HEALTHY_NS (10 * NS_PER_S) /* ready for so long, a process has recovered */
#define RESTART_WINDOW_NS (10 * NS_PER_S)  /* deaths of the serving process within it are a crash loop */
#define RESTARTS_FREE 2                    /* deaths within it that cost no wait */
#define STOP_GRACE_NS (10 * NS_PER_S)      /* from SIGTERM to SIGKILL; docker stop waits as long */
#define CRASH_LOOP_DEATHS 3                /* in a row: 3 s after the first one, by the back-off */
#define CHILD_TAIL_LINES 4                 /* of what a process wrote last: a message, and what led to it */
#define CHILD_TAIL_LINE_MAX 200            /* bytes of such a line */
#define CHILD_EXIT_MAX 192                 /* how a process ended, in words */
#define OUTPUT_LINE_MAX 4096               /* of a service; longer lines are cut */
#define OUTPUT_A_TURN 65536                /* read from one service before others get their turn */
#define OUTPUT_RATE (2 * MIB)              /* bytes a second from one pipe: 10 GB an hour are no log any more */
#define OUTPUT_BURST (128 * KIB)           /* read at once; with RECORD_BUFFER_MAX none of it is lost */
#define OUTPUT_LINE_COST 128               /* what a line is counted with besides its bytes: what is recorded with it */
#define OUTPUT_LAST_MAX (1024 * 1024)      /* read from a pipe whose writer has died: Linux holds no more */
#define LOG_BUFFER_MAX (256 * 1024)        /* lines that wait for a slow reader of ours; more are dropped */
#define RECORD_BUFFER_MAX (512 * KIB)      /* of a service's lines that wait for the disk: a burst, each byte escaped */
#define RECORD_GATHER_NS (10 * NS_PER_MS)  /* before lines are written: others come along */
#define RECORD_FILES_DEFAULT 4             /* of a service's ring; so many of RECORD_SIZE_DEFAULT are 40 MiB */
#define RECORD_FILES_MAX 100               /* of a service's ring */
#define RECORD_SIZE_DEFAULT (10 * MIB)     /* of a file of it; docker's guides say as much */
#define RECORD_SETTLE_NS (300 * NS_PER_MS) /* younger lines are left alone: earlier ones may be on their way */
#define RECORD_LINES_MAX 10000             /* read at once */
#define RECORD_PAGE_BYTES_MAX (12 * MIB)   /* read at once; an answer of the control API has room for it */
#define LINK_QUEUE_MAX 4096                /* messages that the other process has not taken yet */
#define LINK_MESSAGES_A_TURN 64            /* received before others get their turn */

/* --- app ----------------------------------------------------------------------------------------- */
#define WORKERS_MAX (SERVICE_WORKERS_MAX - 1) /* besides the control worker */
#define WORKER_QUIET_NS (10 * NS_PER_MS)      /* between two looks whether a draining worker is done */
#define WORKER_TIDY_NS NS_PER_S               /* between two looks whether memory should be given back */
#define WORKER_TIDY_CALM 100                  /* so many frees between two looks are no burst any more */
#define WORKER_TIDY_MIN 1000                  /* fewer frees since the last time are not worth the walk */
#define WORKER_CALM_KEEP 4                    /* of each pool, in a worker without an exchange since the last look */
#define CONTROL_PORT_LAST 7089                /* tried in turn from 7070 on: twenty systems on a machine */
#define LISTEN_BACKLOG 1024                   /* of one socket; Linux cuts it to net.core.somaxconn */
#define UNIT_NAME_MAX 80                      /* CONF_NAME_MAX, a hyphen and a number */
#define UNIT_SCALE_MAX 1000                   /* instances of one service */
#define NEEDS_SAY_NS (5 * NS_PER_S)           /* who waits so long for what it needs is told of */
#define NEEDS_SAY_AGAIN_NS (60 * NS_PER_S)    /* and then again */
#define READY_WAIT_NS (5 * NS_PER_S)          /* at the first start, for services that routes lead to */
#define UNIT_LEAVE_NS (30 * NS_PER_S)         /* from out of balance to SIGTERM, for requests that take long */
#define UNIT_LEAVE_MIN_NS (100 * NS_PER_MS)   /* and at least, for who has just chosen it */
#define DRAIN_LIMIT_NS (30 * NS_PER_S)        /* what was accepted may take so long; Kubernetes waits as long */
#define HURRY_AFTER_NS (500 * NS_PER_MS)      /* a second signal that comes earlier is the first one's echo */
#define ENDPOINTS_WAIT_NS (2 * NS_PER_S)      /* first checks after a restart; a check takes 1 s at most */
#define ORPHAN_AGAIN_NS (50 * NS_PER_MS)      /* until the end of a child of ours has been seen */
#define SNAPSHOT_SWEEP_NS (250 * NS_PER_MS)   /* between two looks whether an old version is unused */
#define SHORT_DRAIN_NS (5 * NS_PER_S)         /* nobody is left to wait for us */
#define APPLY_LIMIT_NS (30 * NS_PER_S)        /* a version that no worker takes in that time: they are stuck */
#define ASK_LIMIT_NS (35 * NS_PER_S)          /* for the supervisor's answer: an apply and some more */
#define TEXT_PART_MAX 49152                   /* of a file, in one message: the rest is for the object before it */
#define CLIENT_ANSWER_MAX (16 * 1024 * 1024)  /* of the control API: 10,000 endpoints of a kilobyte */
#define CLIENT_LIMIT_NS (60 * NS_PER_S)       /* for an answer; an apply and a drain take half of it at most */
#define LOGS_POLL_NS (100 * NS_PER_MS)        /* between two looks whether services wrote something */
#define CLIENT_POLL_NS (50 * NS_PER_MS)       /* between two looks whether a system has ended */

/* --- exchange ------------------------------------------------------------------------------------ */
#define EXCHANGES_MAX 32000       /* more than FIBERS_MAX: forks and detached copies */
#define EXCHANGE_BLOCK_SIZE 6144  /* holds HTTP_FIELDS_MAX fields and what is added to them on three ways */
#define EXCHANGE_BLOCKS_MAX 85000 /* of one worker: 500 MiB at the very worst */
#define EXCHANGE_ARENA_MAX (256 * 1024)
#define BUFFER_SIZE 16384             /* holds a head of HTTP1_HEAD_MAX */
#define BUFFERS_MAX 64000             /* of one worker: two an exchange, and parked partial heads */
#define BULK_BUFFER_SIZE (256 * 1024) /* measured: 22 % more bytes per CPU second than 64 KiB */
#define BULK_BUFFERS_MAX 256
#define TEE_MAX (64 * 1024)            /* kept for a replay; Linkerd keeps as much */
#define HTTP_FIELDS_ADDED_MAX 16       /* fields that stages and the endpoint may add to a head */
#define SNAPSHOT_ARENA_MAX (256 * MIB) /* a configuration of some 100,000 routes */
#define STAGES_MAX 24576               /* of one snapshot: SERVICES_MAX chains of five, and those of routes */
#define SNAPSHOTS_LIVE_MAX 16          /* versions that exchanges may still be pinned to */
#define EXCHANGE_STEPS_MAX 32          /* of one exchange: six of a usual request, three more each retry */
#define STEP_DETAIL_MAX UNIT_NAME_MAX  /* what a step is about: an instance's name */
#define WORKER_LANE_THREADS 4          /* a disk serves several at once, and one that hangs holds up no other */
#define EXCHANGE_TRIED_MAX 8           /* endpoints remembered to be avoided; more tries are rare */

/* --- service ------------------------------------------------------------------------------------- */
#define SERVICES_MAX 4096                      /* a set of each may be on its way to a worker: MAILBOX_MAX */
#define INSTANCES_MAX 1024                     /* of one service; a pick that looks at all of them takes microseconds */
#define INSTANCE_WEIGHT_MAX 1000000            /* Gateway API, BackendRef.weight */
#define SERVICE_WORKERS_MAX 256                /* threads of one process */
#define SERVICE_TARGETS_MAX 256                /* `url:` of one service */
#define SERVICE_NAME_ADDRESSES_MAX 64          /* of one name; what fits a DNS answer over UDP */
#define SERVICE_HOST_MAX 256                   /* RFC 1035, 2.3.4: 255 octets */
#define SERVICE_POST_AGAIN_NS (10 * NS_PER_MS) /* a mailbox was full: its reader is busy */
#define SERVICE_RESOLVE_NS (30 * NS_PER_S)     /* the refresh of names that nginx and HAProxy guides settle on */
#define SERVICE_RESOLVE_AGAIN_NS NS_PER_S      /* before the first result */
#define EJECT_FIRST_NS NS_PER_S                /* an endpoint that could not be connected to is avoided */
#define EJECT_MAX_NS (30 * NS_PER_S)           /* Envoy's base_ejection_time */

/* --- stage --------------------------------------------------------------------------------------- */
#define RETRY_ATTEMPTS_MAX 10             /* more only prolong an outage */
#define RETRY_WINDOW_S 10                 /* of the budget; Gateway API XBackendTrafficPolicy */
#define RETRY_AFTER_MAX_NS (5 * NS_PER_S) /* a longer Retry-After is the client's to honour */
#define BALANCE_DRAWS_MAX 10              /* two usable endpoints of two are missed once in 512 */
#define ROUTE_HOST_MAX 255                /* RFC 1035, 2.3.4; longer ones match no name */
#define ROUTES_MAX 100000                 /* of one snapshot, see SNAPSHOT_ARENA_MAX */
#define ROUTE_ELEMENTS_MAX 64             /* of a route's path: a lookup keeps a step for each, 3 KiB of stack */
#define ROUTE_PARAMETERS_MAX 16           /* of a route's path */
#define ROUTE_VALUES_MAX 16               /* header fields that one route looks at, and query parameters; Gateway API */
#define ROUTE_GATEWAYS_MAX 64             /* that routes name: bits of a word; CONTROL_GATEWAYS_MAX */
#define ROUTE_REGEXES_MAX 1000            /* paths of one snapshot by expression: a lookup may try all of them */
#define ROUTE_REASON_MAX 384              /* why a route does not match, for people */
#define REGEX_TEXT_MAX 512                /* an expression that somebody can still read */
#define REGEX_DEPTH_MAX 32                /* parentheses inside each other: compiling recurses */
#define REGEX_STEPS_MAX 10000             /* of one match: half a millisecond; simple ones take one for a character */
#define REGEX_HEAP_KIB 64                 /* of one match, for its way back: some 400 places */
#define REGEX_MEMORY_SIZE (160 * KIB)     /* of one thread: vectors of 20, 40 and 64 KiB, one after the other */
#define TEMPLATE_PARTS_MAX 32             /* texts and {names} of one template: 512 bytes of stack */
#define TEMPLATE_TEXT_MAX 4096            /* an expanded template; fits a block of the exchange's arena */
#define HEADERS_EDITS_MAX 16              /* fields to set, to add, to remove: Gateway API, HTTPHeaderFilter */
#define REWRITE_PATH_MAX 6000             /* a path with another prefix; fits a block of the exchange's arena */
#define LOCATION_MAX (12 * 1024)          /* of a redirect: with the rest of the head it fits a buffer */
#define FILES_PATH_MAX 2048               /* of a request to files, decoded: no site has longer names */
#define FILES_RANGES_MAX 8                /* of one request: readers of documents ask for a few; each costs a head */
#define FILES_OPEN_MAX LANE_JOBS_MAX      /* of one route on one worker: more could not be opened at once either */

/* --- observe ------------------------------------------------------------------------------------- */
#define OBSERVE_SERIES_MAX 2000           /* of a process, all labels together; 900 bytes each on each worker at most */
#define OBSERVE_NAME_MAX 128              /* bytes of a label's value; a unix path fits */
#define OBSERVE_LABELS_MAX 8              /* of one sample */
#define OBSERVE_CHUNK_SIZE (16 * 1024)    /* of a scrape, handed on at a time; several lines of all labels */
#define OBSERVE_SCRAPE_MAX (32 * MIB)     /* OBSERVE_SERIES_MAX histograms of the longest names */
#define OBSERVE_STATUS_MAX (64 * 1024)    /* of /proc/self/status: about 1.5 KiB */
#define OBSERVE_SAMPLE_NS NS_PER_S        /* how old the gauges of a worker may be; Prometheus asks every 15 s */
#define OBSERVE_LOG_RING_SIZE (256 * KIB) /* of one worker: 500 usual lines, 10 ms at 50,000 a second */
#define OBSERVE_LOG_LINE_MAX (32 * KIB)   /* the names below, each byte escaped */
#define OBSERVE_LOG_PATH_MAX 2048         /* bytes of path and query in a line; longer ones are cut */
#define OBSERVE_LOG_AGENT_MAX 512         /* of User-Agent: browsers send 150 */
#define OBSERVE_LOG_NAME_MAX 256          /* of every other text: a host name is 253 at most */
#define OBSERVE_LOG_WRITE_MAX (16 * KIB)  /* of one write: a slow reader holds its thread no longer than for these */
#define OBSERVE_LOG_FLUSH_NS (50 * NS_PER_MS) /* how long a line may wait for others before it is written */
#define OBSERVE_LOG_RETRY_NS (1 * NS_PER_S)   /* after an error of the reader */
#define OBSERVE_LOG_CLOSE_NS (5 * NS_PER_S)   /* for the last lines, when the process ends */

#define TRAFFIC_RECENT_SIZE (256 * KIB) /* of one worker: 500 usual exchanges, more than anybody reads */
#define TRAFFIC_KEPT_SIZE (128 * KIB)   /* of one worker: 250 that failed or were slow, minutes of a calm system */
#define TRAFFIC_TEXTS_MAX 4096          /* of one record: the names below and the paths of EXCHANGE_STEPS_MAX steps */
#define TRAFFIC_NAME_MAX 128            /* of a text in it; names of the configuration fit */
#define TRAFFIC_PATH_MAX 512            /* of path and query; the access log has more of them */
#define TRAFFIC_LIST_MAX (32 * MIB)     /* of what a reader copies: CONTROL_TRAFFIC_MAX long ones, several times */

/* --- chassis ------------------------------------------------------------------------------------- */
#define CHASSIS_ROUTES_MAX 256             /* of one service; they are looked through in order */
#define CHASSIS_ELEMENTS_MAX 32            /* of a pattern, and of a path that is compared with one */
#define CHASSIS_PATTERN_MAX 512            /* bytes */
#define CHASSIS_NAME_MAX 63                /* of a service, an instance, a path parameter: a DNS label */
#define CHASSIS_HEADERS_MAX 32             /* that a handler may add to its answer */
#define CHASSIS_HEADERS_SIZE_MAX 8192      /* of those together: with ours they must fit one buffer */
#define CHASSIS_URL_MAX 4096               /* of a call to another service */
#define CHASSIS_TARGETS_MAX 64             /* addresses called directly whose connections are kept */
#define CHASSIS_ADDRESSES_MAX 4            /* of one name, tried in order */
#define CHASSIS_LOG_BUFFER_MAX (128 * KIB) /* lines that wait for a slow reader; more are dropped */
#define CHASSIS_MESSAGE_MAX 4096           /* of a log line; a longer one is cut */
#define CHASSIS_DATABASES_MAX 7            /* of one thread: two lanes each, and the log and names need theirs */
#define CHASSIS_ABORT_NS (2 * NS_PER_S)    /* for handlers to return, once their calls were cut off */
#define CHASSIS_QUIET_NS (5 * NS_PER_MS)   /* between two looks whether a draining service is done */
#define CHASSIS_SENT_HEADERS_MAX 16        /* that a handler may add to a request of its own */
#define CHASSIS_WHY_MAX 256                /* bytes of why a check or a task failed: for people */
#define CHASSIS_CHECK_NS NS_PER_S          /* of one check: probes wait as long as that, and no longer */
#define CHASSIS_READY_FRESH_NS NS_PER_S    /* what checks said: as often as Weft probes */
#define CHASSIS_HELP_MAX 256               /* bytes of a metric's help text */
#define CHASSIS_FAKES_MAX 32               /* services that a test stands in for */
#define CHASSIS_TEST_ANSWER_MAX (64 * MIB) /* of one answer in a test, with the room that growing takes */

/* --- control ------------------------------------------------------------------------------------- */
#define CONTROL_GATEWAYS_MAX 64                 /* each is a socket of each worker */
#define CONTROL_NEEDS_MAX 32                    /* of one service */
#define CONTROL_ENV_FILES_MAX 16                /* of one service */
#define CONTROL_STEPS_MAX 16                    /* stages of one route: more than anybody follows */
#define CONTROL_ROUTE_NAME_MAX OBSERVE_NAME_MAX /* what a label of a metric shows */
#define CONTROL_TRAFFIC_MAX 1000                /* exchanges of one answer: what a worker remembers, twice */
#define CONTROL_TRAFFIC_USUAL 100               /* unless more are asked for: what a person looks through */
#define CONTROL_SETTING_MAX 1024                /* of a stage's setting as text: three screens wide */
#define CONTROL_ANSWER_MAX CLIENT_ANSWER_MAX    /* of the control API: what its client reads */

#endif
