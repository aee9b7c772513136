#include "app/grid.h"

#include "base/alloc.h"

#include <stdarg.h>

#define GAP 2
#define FLEXIBLE_MIN 12 /* what is left of a text that is cut */
#define ROOM_FIRST 64
#define FORMAT_MAX 256

void grid_init(struct grid *grid, const struct grid_column *columns, unsigned count)
{
    *grid = (struct grid){ .columns = columns, .column_count = count };
    arena_init(&grid->arena, NULL, CONTROL_ANSWER_MAX);
}

static bool make_room(struct grid *grid)
{
    size_t room = MAX(grid->cell_room * 2, (size_t)ROOM_FIRST);
    struct grid_cell *cells;

    if (grid->cell_count < grid->cell_room)
        return true;
    cells = mem_realloc(grid->cells, room * sizeof(*cells));
    if (!cells)
        return false;
    grid->cells = cells;
    grid->cell_room = room;
    return true;
}

void grid_add(struct grid *grid, enum style style, struct bytes text)
{
    struct bytes copy = BYTES_NONE;

    if (grid->failed || !make_room(grid) || arena_copy(&grid->arena, text, &copy) < 0) {
        grid->failed = true;
        return;
    }
    grid->cells[grid->cell_count++] = (struct grid_cell){ copy, style };
}

void grid_format(struct grid *grid, enum style style, const char *format, ...)
{
    char memory[FORMAT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    va_list args;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    grid_add(grid, style, text_bytes(&text));
}

/* --- widths ------------------------------------------------------------------------------------------------------ */

struct layout {
    size_t width[GRID_COLUMNS_MAX];
    bool shown[GRID_COLUMNS_MAX];
    unsigned last; /* that is shown */
};

static size_t cell_columns(const struct grid_cell *cell)
{
    return cell->text.len ? page_columns(cell->text) : 1;
}

static void measure(const struct grid *grid, size_t rows, struct layout *layout)
{
    for (unsigned c = 0; c < grid->column_count; c++) {
        layout->width[c] = strlen(grid->columns[c].title);
        layout->shown[c] = !grid->columns[c].optional;
        for (size_t row = 0; row < rows; row++) {
            const struct grid_cell *cell = &grid->cells[row * grid->column_count + c];

            layout->width[c] = MAX(layout->width[c], cell_columns(cell));
            layout->shown[c] |= cell->text.len > 0;
        }
    }
}

static size_t total(const struct grid *grid, struct layout *layout)
{
    size_t sum = 0;

    for (unsigned c = 0; c < grid->column_count; c++) {
        if (!layout->shown[c])
            continue;
        sum += layout->width[c] + GAP;
        layout->last = c;
    }
    return sum > GAP ? sum - GAP : 0;
}

static void narrow(const struct grid *grid, struct layout *layout, size_t width)
{
    for (unsigned c = grid->column_count; c-- > 0 && total(grid, layout) > width;) {
        size_t over = total(grid, layout) - width;

        if (layout->shown[c] && grid->columns[c].flexible && layout->width[c] > FLEXIBLE_MIN)
            layout->width[c] -= MIN(over, layout->width[c] - FLEXIBLE_MIN);
    }
    for (unsigned c = grid->column_count; c-- > 0 && total(grid, layout) > width;)
        if (grid->columns[c].optional)
            layout->shown[c] = false;
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

struct line {
    struct page *page;
    size_t left; /* columns of the terminal */
};

static void put_spaces(struct line *line, size_t count)
{
    count = MIN(count, line->left);
    page_spaces(line->page, count);
    line->left -= count;
}

static void put(struct line *line, enum style style, struct bytes text, size_t width, bool right, bool last)
{
    bool cut = page_columns(text) > width;
    struct bytes shown = cut ? page_cut(text, width - 1) : text;
    size_t columns, pad = width - page_columns(shown) - cut;

    if (right)
        put_spaces(line, pad);
    columns = MIN(page_columns(shown), line->left);
    page_styled(line->page, style, page_cut(shown, columns));
    line->left -= columns;
    if (cut && line->left > 0) {
        page_text(line->page, "~");
        line->left--;
    }
    if (!last)
        put_spaces(line, (right ? 0 : pad) + GAP);
}

static void put_titles(const struct grid *grid, const struct layout *layout, struct line line)
{
    for (unsigned c = 0; c < grid->column_count; c++)
        if (layout->shown[c])
            put(&line, STYLE_BOLD, bytes_of_text(grid->columns[c].title), layout->width[c], grid->columns[c].right,
                c == layout->last);
    page_text(line.page, "\n");
}

static void put_row(const struct grid *grid, const struct layout *layout, const struct grid_cell *cells,
                    struct line line)
{
    for (unsigned c = 0; c < grid->column_count; c++)
        if (layout->shown[c])
            put(&line, cells[c].text.len ? cells[c].style : STYLE_DIM, cells[c].text.len ? cells[c].text : BYTES("-"),
                layout->width[c], grid->columns[c].right, c == layout->last);
    page_text(line.page, "\n");
}

void grid_write(struct grid *grid, struct page *page, unsigned indent, size_t rows)
{
    struct line line = { .page = page, .left = page->width - MIN(indent, page->width) };
    struct layout layout = { .last = 0 };

    rows = MIN(rows, grid_rows(grid));
    measure(grid, rows, &layout);
    narrow(grid, &layout, line.left);
    (void)total(grid, &layout);
    page_spaces(page, indent);
    put_titles(grid, &layout, line);
    for (size_t row = 0; row < rows; row++) {
        page_spaces(page, indent);
        put_row(grid, &layout, &grid->cells[row * grid->column_count], line);
    }
    if (grid->failed && page->text.error == 0)
        page->text.error = -ENOMEM;
    mem_free(grid->cells);
    arena_done(&grid->arena);
}
