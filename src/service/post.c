#include "service/post.h"

#include "base/limits.h"
#include "io/loop.h"

static void post_arrived(struct service_post *post)
{
    struct worker_services *services = post->to;
    struct endpoint_set *nothing = NULL, *set;
    struct service_metrics *metrics = &post->metrics;
    struct loop *loop = services->loop;

    set = atomic_exchange_explicit(&post->pending, NULL, memory_order_acq_rel);
    if (!set)
        return;
    if (services->stopped) {
        endpoint_set_drop(set);
        return;
    }
    if (service_view_take(services, set, metrics) == 0)
        return;
    if (atomic_compare_exchange_strong_explicit(&post->pending, &nothing, set, memory_order_acq_rel,
                                                memory_order_acquire))
        timer_set(loop, &post->again, loop->now_ns + SERVICE_POST_AGAIN_NS);
    else
        endpoint_set_drop(set);
}

static void post_letter(struct letter *letter, struct loop *loop)
{
    post_arrived(container_of(letter, struct service_post, letter));
}

static void post_timer(struct timer *timer)
{
    post_arrived(container_of(timer, struct service_post, again));
}

void service_post_init(struct service_post *post, struct worker_services *to)
{
    post->letter.run = post_letter;
    post->to = to;
    atomic_init(&post->pending, NULL);
    timer_init(&post->again, post_timer);
}

bool service_post_again(struct service_post *post)
{
    post->unsent = loop_post(post->to->loop, &post->letter) < 0;
    return !post->unsent;
}

bool service_post_set(struct service_post *post, struct endpoint_set *set)
{
    struct endpoint_set *before;

    endpoint_set_use(set);
    before = atomic_exchange_explicit(&post->pending, set, memory_order_acq_rel);
    if (before)
        endpoint_set_drop(before);
    if (before)
        return true; /* the letter is on its way or will be posted again, and will find this set */
    return service_post_again(post);
}

bool service_post_idle(const struct service_post *post)
{
    return atomic_load_explicit(&post->pending, memory_order_acquire) == NULL;
}

void service_post_done(struct service_post *post)
{
    struct endpoint_set *set = atomic_exchange_explicit(&post->pending, NULL, memory_order_acq_rel);

    if (set)
        endpoint_set_drop(set);
}
