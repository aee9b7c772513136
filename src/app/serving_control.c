/* The control API on the control worker: see app/serving.h and control/api.h. */
#include "app/serving.h"

#include "base/alloc.h"

static struct serving *of_host(struct control_api_host *host)
{
    return container_of(host, struct serving, host);
}

static void status(struct control_api_host *host, struct control_status *ret)
{
    const struct serving *serving = of_host(host);

    *ret = (struct control_status){ .config = serving->newest ? serving->newest->system : NULL,
                                    .snapshot = serving->newest,
                                    .version = serving->newest ? serving->newest->version : 0,
                                    .control = bytes_of_text(serving->control_places[0].address),
                                    .uptime_ns = serving->loop.now_ns - serving->since_ns,
                                    .workers = serving->workers.count - 1,
                                    .pid = (int64_t)serving->pid,
                                    .draining = serving->drain_wanted };
}

static bool process(struct control_api_host *host, unsigned index, struct control_process *ret)
{
    struct serving *serving = of_host(host);

    LIST_EACH (&serving->instances, node, next) {
        const struct serving_instance *instance = container_of(node, struct serving_instance, node);

        if (index-- > 0)
            continue;
        *ret = (struct control_process){ .service = bytes_of_text(instance->service),
                                         .name = bytes_of_text(instance->name),
                                         .state = bytes_of_text(instance->state),
                                         .address = bytes_of_text(instance->place),
                                         .pid = instance->pid,
                                         .restarts = instance->restarts,
                                         .note = bytes_of_text(instance->note) };
        return true;
    }
    return false;
}

static bool run(struct control_api_host *host, struct bytes service, struct control_run *ret)
{
    struct serving *serving = of_host(host);

    LIST_EACH (&serving->runs, node, next) {
        const struct serving_run *told = container_of(node, struct serving_run, node);

        if (!bytes_equal(bytes_of_text(told->service), service))
            continue;
        *ret = (struct control_run){ told->scale, told->chosen, bytes_of_text(told->warning) };
        return true;
    }
    return false;
}

static int ask(struct control_api_host *host, struct message *message, struct control_verdict *ret)
{
    struct serving_question question;
    int r = serving_ask(of_host(host), message, &question);

    if (r < 0)
        mem_free(question.text);
    else
        *ret = (struct control_verdict){ .ok = question.ok, .text = question.text, .len = question.len };
    return r;
}

static int apply(struct control_api_host *host, struct control_verdict *ret)
{
    struct message message = { .type = MESSAGE_REQUEST, .name = BYTES("apply") };

    return ask(host, &message, ret);
}

static int diff(struct control_api_host *host, struct control_verdict *ret)
{
    struct message message = { .type = MESSAGE_REQUEST, .name = BYTES("diff") };

    return ask(host, &message, ret);
}

static int down(struct control_api_host *host, struct control_verdict *ret)
{
    struct message message = { .type = MESSAGE_REQUEST, .name = BYTES("down") };

    return ask(host, &message, ret);
}

static int scale(struct control_api_host *host, struct bytes service, uint64_t count, struct control_verdict *ret)
{
    struct message message = { .type = MESSAGE_SCALE, .service = service, .count = count };

    return ask(host, &message, ret);
}

int serving_control_start(struct serving *serving)
{
    int r;

    serving->host = (struct control_api_host){
        .status = status, .process = process, .apply = apply, .diff = diff, .down = down, .scale = scale, .run = run
    };
    control_sources_init(&serving->sources, &serving->registry, access_log_sources(serving->access_log));
    serving->api = (struct control_api_conf){ .host = &serving->host,
                                              .registry = &serving->registry,
                                              .metrics = serving->metrics,
                                              .traffic = serving->traffic,
                                              .sources = serving->sources.list };
    serving->api.logs = serving->logs;
    r = control_api_snapshot(1, &serving->api, &serving->control);
    if (r < 0)
        return r;
    snapshot_hold(serving->control);
    return worker_enter(&serving->workers.threads[0]->worker, serving->control);
}

void serving_control_stop(struct serving *serving)
{
    snapshot_release(serving->control);
    snapshot_free(serving->control);
}
