/* app/grid.h - rows and columns for a person: as wide as what they hold, as narrow as the terminal wants.
 *
 * (1) On a terminal that is too narrow, texts of `flexible` columns are cut first, then `optional` columns are left out
 *     from the right, then lines are cut. Elsewhere nothing is cut.
 * (2) A column of which no row has anything is left out if it is optional.
 */
#ifndef WEFT_APP_GRID_H
#define WEFT_APP_GRID_H

#include "app/page.h"
#include "base/arena.h"

#define GRID_COLUMNS_MAX 16 /* of our own tables */

struct grid_column {
    const char *title;
    bool right; /* numbers */
    bool flexible, optional;
};

struct grid_cell {
    struct bytes text;
    enum style style;
};

struct grid {
    const struct grid_column *columns;
    unsigned column_count;
    struct grid_cell *cells;
    size_t cell_count, cell_room;
    struct arena arena;
    bool failed; /* no memory */
};

void grid_init(struct grid *grid, const struct grid_column *columns, unsigned count);

/* The next cell, row by row. The text is copied; an empty one is shown as "-". */
void grid_add(struct grid *grid, enum style style, struct bytes text);
void grid_format(struct grid *grid, enum style style, const char *format, ...) PRINTF_LIKE(3, 4);

static inline size_t grid_rows(const struct grid *grid)
{
    return grid->cell_count / grid->column_count;
}

/* Titles and at most `rows` rows, each behind so many spaces, and frees it. */
void grid_write(struct grid *grid, struct page *page, unsigned indent, size_t rows);

#endif
