/* app/table.h - answers of the control API for people: a list of JSON objects as a table. */
#ifndef WEFT_APP_TABLE_H
#define WEFT_APP_TABLE_H

#include "app/grid.h"

#include <jansson.h>

struct table_column {
    const char *title;
    const char *key; /* of a member of each object */
    bool optional;   /* left out when no row has it */
};

struct table_info {
    const char *list; /* the member that holds the list */
    const struct table_column *columns;
    unsigned column_count;
};

extern const struct table_info TABLE_SERVICES, TABLE_ENDPOINTS;

/* The list of an answer. At most GRID_COLUMNS_MAX columns. -EPROTO: it is no such answer. */
int table_write(struct page *page, const struct table_info *table, const json_t *answer) MUST_CHECK;

/* The text member of a JSON object, to be freed with mem_free(); NULL: there is none. */
char *table_text(struct bytes json, const char *key);

/* The parser recurses: whether brackets nest at most `max` deep outside of strings. */
bool table_depth_is(struct bytes json, unsigned max);

#endif
