/* exchange/step.h - the way of an exchange through its stages, recorded as it is gone.
 *
 * (1) Each run of a stage is one step, in the order in which they begin; a stage that runs three times has three. A
 *     step lies within the one that called it: it begins no earlier, ends no later, and its depth is one more.
 * (2) The record lies in the exchange and takes no memory. At most EXCHANGE_STEPS_MAX steps are kept; later ones are
 *     counted, and the exchange goes its way all the same.
 * (3) Times are the loop's own, which it has at hand: a step costs no look at the clock, and one that never waited took
 *     no time.
 * (4) A fork records for itself, from its parent's depth on. The winner's steps move up behind the parent's; the
 *     losers' go with them.
 * (5) What a step is about is said by its stage, with a text or a number.
 */
#ifndef WEFT_EXCHANGE_STEP_H
#define WEFT_EXCHANGE_STEP_H

#include "base/arena.h"
#include "base/limits.h"
#include "exchange/outcome.h"

struct exchange;
struct stage_type;

struct step {
    const struct stage_type *type;
    struct bytes path;        /* of the stage; of the snapshot, or of the arena once that was let go */
    struct bytes detail;      /* empty: see number; in the exchange's arena */
    int64_t start_ns, end_ns; /* loop clock; end_ns is 0 while it runs */
    unsigned number;          /* 0: none */
    uint16_t depth;           /* 0: the outermost */
    uint16_t status;          /* of the answer that it gave; 0: none */
    uint8_t outcome;          /* enum outcome, once it has ended */
};

struct steps {
    struct step *current; /* the innermost that runs; NULL: none, or it is not kept */
    unsigned depth;       /* of the next one */
    unsigned count, dropped;
    struct step list[EXCHANGE_STEPS_MAX]; /* not cleared at birth: `count` says how many there are */
};

/* The stage that runs tells what its step is about: a name (copied, cut at STEP_DETAIL_MAX; without memory it stays
 * empty), or a number (of the try; how many). The last one stands. */
void step_name(struct exchange *x, struct bytes name);
void step_number(struct exchange *x, unsigned number);

/* For stage.h. Makes room for a step, which becomes the current one. NULL: it is counted only. */
static inline struct step *steps_begin(struct steps *steps, const struct stage_type *type, struct bytes path,
                                       int64_t now_ns)
{
    struct step *step = NULL;

    if (likely(steps->count < EXCHANGE_STEPS_MAX)) {
        step = &steps->list[steps->count++];
        *step = (struct step){ .type = type, .path = path, .start_ns = now_ns, .depth = (uint16_t)steps->depth };
    } else {
        steps->dropped++;
    }
    steps->current = step;
    steps->depth++;
    return step;
}

/* `outer`: what was current before. */
static inline void steps_end(struct steps *steps, struct step *step, struct step *outer, enum outcome outcome,
                             unsigned status, int64_t now_ns)
{
    steps->current = outer;
    steps->depth--;
    if (unlikely(!step))
        return;
    step->end_ns = now_ns;
    step->outcome = (uint8_t)outcome;
    step->status = outcome == OUTCOME_OK ? (uint16_t)status : 0;
}

/* For fork.c and exchange.c. */
void steps_move(struct steps *to, const struct steps *from);              /* (4) */
int steps_own_paths(struct steps *steps, struct arena *arena) MUST_CHECK; /* the snapshot goes. -ENOMEM */

#endif
