/* The stages that answer by a request alone, run on it. */
#include "control/explain_parts.h"

#include "base/assert.h"

/* They look at the request and wait for nobody but the disk. The others guard or carry out calls of a service, and keep
 * counts of them. */
static const struct stage_type *const TRIED[] = { &STAGE_LIMIT_BODY, &STAGE_HEADERS, &STAGE_REWRITE,
                                                  &STAGE_REDIRECT,   &STAGE_RESPOND, &STAGE_FILES };

static bool is_tried(const struct stage *stage)
{
    for (size_t i = 0; i < ARRAY_LEN(TRIED); i++)
        if (stage->type == TRIED[i])
            return true;
    return false;
}

/* A local block lies where the snapshot says in which the worker lives, and that is another one. */
#define LOCAL_PATH(type) bytes_of_text((type)->name)

int explain_prepare(struct snapshot *snapshot)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_LEN(TRIED) && r == 0; i++) {
        struct stage *stage;

        if (TRIED[i]->local_size > 0)
            r = snapshot_add_stage(snapshot, TRIED[i], NULL, LOCAL_PATH(TRIED[i]), &stage);
    }
    return r;
}

static void find_local(const struct exchange *x, struct stage *stage)
{
    const struct stage *prepared = snapshot_find(x->view->snapshot, stage->type, LOCAL_PATH(stage->type));

    if (stage->type->local_size == 0)
        return;
    ASSERT(prepared);
    stage->index = prepared->index;
}

/* --- the end of the way: what the service would get ----------------------------------------------------------- */

struct arrival {
    struct stage stage;
    struct explanation *e;
    bool arrived;
};

static enum outcome arrival_run(const struct stage *s, struct exchange *x)
{
    struct arrival *arrival = container_of(s, struct arrival, stage);
    struct answer *answer = arrival->e->answer;

    arrival->arrived = true;
    answer_member(answer, "forwarded");
    answer_text(answer, "{");
    answer_string(answer, "method", x->request.method_text);
    answer_string(answer, "host", x->request.authority);
    answer_string(answer, "path", x->request.path);
    answer_string(answer, "query", x->request.query);
    answer_text(answer, "}");
    return OUTCOME_OK;
}

static const struct stage_type ARRIVAL = { .name = "arrival", .run = arrival_run };

/* --- the way -------------------------------------------------------------------------------------------------- */

/* Its folder counts from that of the snapshot, and the exchange lives in another one, or none. */
static int place_files(struct explanation *e, struct stage *stage)
{
    struct bytes folder = e->world->snapshot->folder, root;
    struct files_conf *conf = arena_alloc(&e->x->arena, sizeof(*conf));
    int r;

    if (!conf)
        return -ENOMEM;
    *conf = *(const struct files_conf *)stage->conf;
    stage->conf = conf;
    if (folder.len == 0 || bytes_starts(conf->root, BYTES("/")))
        return 0;
    r = arena_format(&e->x->arena, &root, BYTES_FMT "/" BYTES_FMT, BYTES_ARG(folder), BYTES_ARG(conf->root));
    if (r == 0 && root.len > 0) {
        char *text = arena_text(&e->x->arena, root);

        r = text ? 0 : -ENOMEM;
        conf->root = bytes_of(text, root.len);
    }
    return r;
}

/* A copy of those of the way that are tried, with the end behind it. */
static int copy_way(struct explanation *e, const struct stage *end, const struct stage **ret)
{
    const struct stage **place = ret;

    for (const struct stage *stage = e->first; stage; stage = stage->next) {
        struct stage *copy;

        if (!is_tried(stage))
            continue;
        copy = arena_alloc(&e->x->arena, sizeof(*copy));
        if (!copy)
            return -ENOMEM;
        *copy = *stage;
        find_local(e->x, copy);
        if (copy->type == &STAGE_FILES && place_files(e, copy) < 0)
            return -ENOMEM;
        *place = copy;
        if (!stage->next) /* it answers by itself */
            return 0;
        place = &copy->next;
    }
    *place = end;
    return 0;
}

/* The stage that has answered: the innermost one that ran. */
static struct bytes answered_by(const struct exchange *x)
{
    return x->steps.count ? x->steps.list[x->steps.count - 1].path : BYTES_NONE;
}

static void add_answer(struct explanation *e, enum outcome outcome)
{
    const struct exchange *x = e->x;
    const struct outcome_info *info = outcome_info(outcome);

    answer_number(e->answer, "status", outcome == OUTCOME_OK ? x->response.status : info->status);
    answer_string(e->answer, "answered_by", answered_by(x));
    if (outcome != OUTCOME_OK)
        answer_string(e->answer, "reason", info->text);
    else if (http_head_has(&x->response, HTTP_FIELD_LOCATION))
        answer_string(e->answer, "location", http_head_value(&x->response, HTTP_FIELD_LOCATION));
}

int explain_trial(struct explanation *e)
{
    struct arrival arrival = { .stage = { .type = &ARRIVAL, .path = BYTES("service") }, .e = e };
    const struct stage *way;
    enum outcome outcome;
    int r = copy_way(e, &arrival.stage, &way);

    if (r < 0)
        return r;
    e->x->steps.count = 0;
    outcome = stage_run(way, e->x);
    if (outcome == OUTCOME_OVERLOAD)
        return -ENOMEM;
    if (!arrival.arrived)
        add_answer(e, outcome);
    return 0;
}
