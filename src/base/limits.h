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
#define ADDRESS_TEXT_MAX 128 /* unix paths are at most 108 bytes (sun_path) */

/* --- http ---------------------------------------------------------------------------------------- */
#define HTTP1_LINE_MAX 8192      /* RFC 9112, 3: at least 8000 octets; the default of nginx and Apache */
#define HTTP1_HEAD_MAX 16384     /* a head must fit one buffer */
#define HTTP_FIELDS_MAX 100      /* Apache's default */
#define HTTP1_CHUNK_LINE_MAX 256 /* a size and a modest extension */
#define HTTP1_TRAILERS_MAX 4096
#define HTTP1_TRAILER_FIELDS_MAX 16

#endif
