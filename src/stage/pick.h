/* stage/pick.h - which member of a view gets the next exchange. For balance.c and its tests.
 *
 * Members are ranked; the best rank that occurs is used:
 *   0  ready, not ejected, not tried by this exchange
 *   1  ready, not ejected, but tried before
 *   2  ready, ejected (panic: all that are ready are ejected, so one that may work again is better than none), not
 * tried 3  ready, ejected, tried
 *   -  not ready: never used
 */
#ifndef WEFT_STAGE_PICK_H
#define WEFT_STAGE_PICK_H

#include "service/view.h"
#include "stage/stages.h"

enum pick_rank { PICK_GOOD, PICK_TRIED, PICK_PANIC, PICK_PANIC_TRIED, PICK_NEVER };

enum pick_rank pick_rank(const struct member *member, const struct exchange *x, int64_t now_ns);

/* The index in the view, or -1: none is ready. */
int pick_round_robin(struct service_view *view, const struct exchange *x, int64_t now_ns, enum pick_rank *ret_rank);
int pick_least_request(struct service_view *view, const struct exchange *x, int64_t now_ns, enum pick_rank *ret_rank);

#endif
