/* app/stages_text.h - stages with their settings, and endpoints with their state, for people. */
#ifndef WEFT_APP_STAGES_TEXT_H
#define WEFT_APP_STAGES_TEXT_H

#include "app/fetch.h"
#include "app/grid.h"

/* A line each: "retry   attempts 3, backoff 25ms..250ms". */
void stages_text(struct page *page, const json_t *stages, unsigned indent);

/* "endpoints" of an answer of /v1/explain, with a title. */
void endpoints_text(struct page *page, const json_t *answer);

/* How the state of an endpoint, a process or a node is shown. */
enum style state_style(struct bytes state);

#endif
