/* Pictures of items: an outline on woven bands whose colours and pattern the item's name decides. What has no outline
 * is the bands alone. */
#include "storefront.h"

#include <errno.h>
#include <string.h>

#define SIZE 240
#define BANDS 8
#define DRAWING_MAX (12 * 1024) /* 64 cells of about 80 bytes */

/* Paths of SVG, drawn as lines. */
static const struct {
    const char *sku, *path;
} OUTLINES[] = {
    { "loom", "M60 55V185M180 55V185M48 80H192M48 162H192M84 80V162M102 80V162M120 80V162M138 80V162M156 80V162" },
    { "shuttle", "M36 120Q120 62 204 120Q120 178 36 120ZM84 120H156" },
    { "bobbin", "M76 60H164M76 180H164M94 60V180M146 60V180M94 92H146M94 120H146M94 148H146" },
    { "reed", "M48 72H192M48 168H192M60 72V168M80 72V168M100 72V168M120 72V168M140 72V168M160 72V168M180 72V168" },
    { "heddle",
      "M78 50v50a12 20 0 1 0 0 40a12 20 0 1 0 0-40m0 40v50M120 50v50a12 20 0 1 0 0 40a12 20 0 1 0 0-40m0 40v50"
      "M162 50v50a12 20 0 1 0 0 40a12 20 0 1 0 0-40m0 40v50" },
    { "warp-linen", "M102 56H138L168 184H72ZM95 88L146 82M88 118L154 110M80 150L162 140" },
    { "weft-wool", "M120 58a60 60 0 1 0 .1 0ZM72 98Q130 76 172 142M66 130Q116 108 148 172M98 64Q156 74 180 116"
                   "M120 178Q164 196 204 174" },
    { "cotton", "M120 120C80 44 34 84 56 120S84 196 120 120C156 44 206 84 184 120S156 196 120 120ZM104 100L136 140" },
    { "comb", "M52 66H188V100H52ZM62 100V176M85 100V176M108 100V176M131 100V176M154 100V176M178 100V176" },
    { "needle", "M48 188L164 72Q168 48 194 44Q192 68 164 72M182 56Q140 30 112 66T52 92" },
    { "winder", "M56 180H184M120 180V132M120 52a40 40 0 1 0 .1 0ZM120 92H196V116" },
    { "spindle", "M120 40V200M76 84H164M100 84Q92 132 120 160Q148 132 140 84M120 40Q136 36 134 54" },
};

/* FNV-1a, which is easy to draw from. */
static uint32_t hash_of(const char *text, size_t len)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

struct drawing {
    struct weft_call *call;
    char text[DRAWING_MAX];
    size_t len;
};

/* What weft_format() has made of it; what does not fit is left out. */
static void draw(struct drawing *drawing, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (len == 0 || len > sizeof(drawing->text) - drawing->len)
        return;
    memcpy(drawing->text + drawing->len, text, len);
    drawing->len += len;
}

/* A thread over or under the one that crosses it. */
static void draw_cell(struct drawing *drawing, unsigned column, unsigned row, uint32_t hash)
{
    const unsigned cell = SIZE / BANDS;
    unsigned over = ((hash >> ((column * 3 + row * 5) % 29)) & 1) == ((column + row) & 1);
    unsigned hue = (hash + (over ? 0 : 30)) % 360;
    unsigned light = 28 + (hash >> (column + row) & 7) * 2;

    draw(drawing,
         weft_format(drawing->call,
                     "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"5\" fill=\"hsl(%u 32%% %u%%)\"/>\n",
                     column * cell + (over ? 0 : 3), row * cell + (over ? 3 : 0), cell - (over ? 0 : 6),
                     cell - (over ? 6 : 0), hue, light));
}

static void draw_outline(struct drawing *drawing, const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(OUTLINES) / sizeof(OUTLINES[0]); i++)
        if (strlen(OUTLINES[i].sku) == len && memcmp(OUTLINES[i].sku, name, len) == 0)
            draw(drawing, weft_format(drawing->call,
                                      "<g fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\">\n"
                                      "<path d=\"%s\" stroke=\"#000\" stroke-opacity=\".45\" stroke-width=\"18\"/>\n"
                                      "<path d=\"%s\" stroke=\"#fffaf0\" stroke-width=\"8\"/>\n</g>\n",
                                      OUTLINES[i].path, OUTLINES[i].path));
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
    drawing->call = call;
    draw(drawing, weft_format(call,
                              "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n"
                              "<rect width=\"%d\" height=\"%d\" fill=\"hsl(%u 30%% 22%%)\"/>\n",
                              SIZE, SIZE, SIZE, SIZE, hash % 360));
    for (unsigned row = 0; row < BANDS; row++)
        for (unsigned column = 0; column < BANDS; column++)
            draw_cell(drawing, column, row, hash);
    draw_outline(drawing, name, (size_t)(end - name));
    draw(drawing, "</svg>\n");
    weft_header_add(call, "Cache-Control", "public, max-age=86400");
    return weft_answer(call, 200, "image/svg+xml", drawing->text, drawing->len);
}
