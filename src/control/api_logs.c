/* GET /v1/logs: what services wrote, from the files in which the supervisor keeps it (supervise/recorder.h). */
#include "control/api_list.h"

#include "base/alloc.h"
#include "control/query.h"
#include "control/tables.h"
#include "http/problem.h"
#include "io/lane.h"
#include "io/loop.h"
#include "supervise/recorded.h"

#define TAIL_DEFAULT 200

struct reading {
    struct job job;
    struct io *io;
    struct recorded_query query;
    const char *names[1];
    struct recorded_page page;
    int result;
};

static void read_job(struct job *job)
{
    struct reading *reading = container_of(job, struct reading, job);

    reading->result = recorded_read(reading->io, &reading->query, &reading->page);
}

/* --- the question ------------------------------------------------------------------------------------------------- */

static int complain(struct exchange *x, const char *what)
{
    return http_problem_of(x, 400, BYTES("urn:weft:control:parameter"), bytes_of_text(what));
}

/* NULL, or what is wrong. A service and an instance of it: the narrower one counts. */
static const char *take_parameter(struct exchange *x, struct reading *reading, struct bytes name, struct bytes value)
{
    struct recorded_query *query = &reading->query;
    uint64_t number;

    if (bytes_equal(name, BYTES("service")) || bytes_equal(name, BYTES("instance"))) {
        if (value.len > 0 && (query->name_count == 0 || bytes_equal(name, BYTES("instance"))))
            reading->names[0] = arena_text(&x->arena, value);
        query->name_count = reading->names[0] ? 1 : 0;
    } else if (bytes_equal(name, BYTES("tail"))) {
        if (bytes_to_u64(value, &number) < 0 || number < 1 || number > RECORD_LINES_MAX)
            return "tail must be a number from 1 to " TEXT_OF(RECORD_LINES_MAX);
        query->max = (unsigned)number;
    } else if (bytes_equal(name, BYTES("after"))) {
        if (value.len > 0 && !recorded_is_time(value))
            return "after must be the cursor of an earlier answer";
        query->after = value;
    } else
        return "there is service, instance, tail and after";
    return NULL;
}

static const char *take_query(struct exchange *x, struct reading *reading)
{
    struct query query = query_of(x->request.query, &x->arena);
    struct bytes name, value;
    const char *wrong = NULL;
    int r = 0;

    while (!wrong && (r = query_next(&query, &name, &value)) == 1)
        wrong = take_parameter(x, reading, name, value);
    return wrong || r == 0 ? wrong : "the query can't be decoded";
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

/* Milliseconds are for people and machines alike; the rest of the digits is for the cursor. */
static void list_line(const struct recorded_line *line, struct answer *answer)
{
    answer_text(answer, "{\"time\":\"");
    answer_add(answer, bytes_slice(line->time, 0, RECORDED_TIME_LEN - 7));
    answer_text(answer, "Z\"");
    answer_string(answer, "service", line->service);
    answer_string(answer, "instance", line->instance);
    answer_string(answer, "stream", line->stream);
    answer_string(answer, "message", line->message);
    answer_text(answer, "}");
}

static int send_page(struct exchange *x, const struct reading *reading)
{
    const struct recorded_page *page = &reading->page;
    struct answer answer = { 0 };

    answer_text(&answer, "{\"lines\":[");
    for (unsigned i = 0; i < page->count; i++) {
        answer_text(&answer, i ? "," : "");
        list_line(page->lines[i], &answer);
    }
    answer_text(&answer, "]");
    answer_string(&answer, "cursor", page->count > 0 ? page->lines[page->count - 1]->time : reading->query.after);
    answer_text(&answer, "}\n");
    return answer_send(&answer, x, 200, BYTES("application/json"));
}

int api_logs(const struct control_api_conf *conf, struct exchange *x)
{
    struct io *io = x->worker->loop->io;
    struct reading reading = { .job = { .run = read_job }, .io = io };
    struct lane *lane;
    const char *wrong;
    int r;

    reading.query = (struct recorded_query){ .folder = conf->logs,
                                             .names = reading.names,
                                             .max = TAIL_DEFAULT,
                                             .until_ns = io->ops->wall_ns(io) - RECORD_SETTLE_NS };
    wrong = conf->logs ? take_query(x, &reading) : "nothing is kept here";
    if (wrong)
        return complain(x, wrong);
    r = worker_lane(x->worker, &lane);
    if (r == 0)
        r = lane_run(lane, &reading.job);
    if (r == 0)
        r = reading.result;
    if (r == 0)
        r = send_page(x, &reading);
    recorded_free(&reading.page);
    return r;
}
