#include "exchange/step.h"

#include "exchange/exchange.h"

void step_name(struct exchange *x, struct bytes name)
{
    struct step *step = x->steps.current;
    struct bytes copy;

    if (step && arena_copy(&x->arena, bytes_slice(name, 0, STEP_DETAIL_MAX), &copy) == 0)
        step->detail = copy;
}

void step_number(struct exchange *x, unsigned number)
{
    if (x->steps.current)
        x->steps.current->number = number;
}

void steps_move(struct steps *to, const struct steps *from)
{
    unsigned room = EXCHANGE_STEPS_MAX - to->count;
    unsigned count = MIN(from->count, room);

    memcpy(&to->list[to->count], from->list, count * sizeof(from->list[0]));
    to->count += count;
    to->dropped += from->dropped + (from->count - count);
}

/* Steps of the same stage share its text. */
int steps_own_paths(struct steps *steps, struct arena *arena)
{
    struct bytes copies[EXCHANGE_STEPS_MAX];

    for (unsigned i = 0; i < steps->count; i++) {
        unsigned same = 0;

        while (same < i && steps->list[same].path.data != steps->list[i].path.data)
            same++;
        if (same < i)
            copies[i] = copies[same];
        else if (arena_copy(arena, steps->list[i].path, &copies[i]) < 0)
            return -ENOMEM;
    }
    for (unsigned i = 0; i < steps->count; i++)
        steps->list[i].path = copies[i];
    return 0;
}
