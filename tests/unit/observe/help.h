/* tests/unit/observe/help.h - what the tests of observe share: a worker on a real loop, made-up exchanges, and a strict
 * reader of the Prometheus text format. */
#ifndef WEFT_TESTS_OBSERVE_HELP_H
#define WEFT_TESTS_OBSERVE_HELP_H

#include "exchange/endpoint.h"
#include "exchange/exchange.h"
#include "observe/exposition.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WAIT_NS (10 * NS_PER_S)

/* A worker with its loop. */
struct station {
    struct io *io;
    struct loop loop;
    struct worker worker;
};

void station_open(struct station *station, unsigned index);
void station_close(struct station *station);

/* Turns the loop once, waiting a few milliseconds at most. */
void station_turn(struct station *station);

extern struct source CLIENT; /* of the exchanges */

/* An exchange as an observer sees it: answered with 200, took `took_ns`. */
struct exchange made_up(struct station *station, int64_t took_ns);
struct endpoint made_up_endpoint(struct bytes name, struct bytes address);

static inline void tell(const struct observer *observer, struct station *station, const struct exchange *x)
{
    observer->ended(observer, &station->worker, x);
}

/* Fails the test unless the text keeps to the format: HELP, then TYPE, then samples of that family alone; known names
 * and escapes, UTF-8, no series twice, buckets that ascend to +Inf and to the count; a newline at the end. Returns the
 * number of samples. */
unsigned scrape_check(struct bytes text);

/* The value of the sample with exactly that name and those labels; the test fails when there is none. */
double scrape_value(struct bytes text, const char *sample);
bool scrape_has(struct bytes text, const char *sample);

#endif
