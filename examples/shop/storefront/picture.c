/* Pictures of items, drawn from their names: woven bands whose colours and pattern the name decides. */
#include "storefront.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SIZE 240
#define BANDS 8
#define DRAWING_MAX (12 * 1024) /* 64 cells of about 80 bytes */

/* FNV-1a, which is easy to draw from. */
static uint32_t hash_of(const char *text, size_t len)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

struct drawing {
    char text[DRAWING_MAX];
    size_t len;
};

static void draw(struct drawing *drawing, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(drawing->text + drawing->len, sizeof(drawing->text) - drawing->len, format, args);
    va_end(args);
    if (len > 0 && (size_t)len < sizeof(drawing->text) - drawing->len)
        drawing->len += (size_t)len;
}

/* A thread over or under the one that crosses it. */
static void draw_cell(struct drawing *drawing, unsigned column, unsigned row, uint32_t hash)
{
    const unsigned cell = SIZE / BANDS;
    unsigned over = ((hash >> ((column * 3 + row * 5) % 29)) & 1) == ((column + row) & 1);
    unsigned hue = over ? hash % 360 : (hash / 360 + 150) % 360;
    unsigned light = 38 + (hash >> (column + row) & 7) * 4;

    draw(drawing, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"5\" fill=\"hsl(%u 55%% %u%%)\"/>\n",
         column * cell + (over ? 0 : 3), row * cell + (over ? 3 : 0), cell - (over ? 0 : 6), cell - (over ? 6 : 0), hue,
         light);
}

int storefront_picture(struct weft_call *call, void *user)
{
    const char *name = weft_path_value(call, "name"), *end = strstr(name, ".svg");
    struct drawing *drawing = weft_alloc(call, sizeof(*drawing));
    uint32_t hash;

    if (!drawing)
        return -ENOMEM;
    if (!end || strlen(end) != 4 || end == name)
        return weft_answer_problem(call, 404, "no-such-picture", "pictures are called SKU.svg");
    hash = hash_of(name, (size_t)(end - name));
    draw(drawing,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n"
         "<rect width=\"%d\" height=\"%d\" fill=\"hsl(%u 30%% 22%%)\"/>\n",
         SIZE, SIZE, SIZE, SIZE, hash % 360);
    for (unsigned row = 0; row < BANDS; row++)
        for (unsigned column = 0; column < BANDS; column++)
            draw_cell(drawing, column, row, hash);
    draw(drawing, "</svg>\n");
    weft_header_add(call, "Cache-Control", "public, max-age=86400");
    return weft_answer(call, 200, "image/svg+xml", drawing->text, drawing->len);
}
