/* app/page.h - what a command tells, gathered and then written at once.
 *
 * (1) Texts of others (names, paths, messages) go through page_plain(): control characters can't move the cursor.
 * (2) The first error stays (-ENOMEM, -EFBIG) and page_print() tells of it.
 */
#ifndef WEFT_APP_PAGE_H
#define WEFT_APP_PAGE_H

#include "app/style.h"
#include "control/answer.h"

struct page {
    const struct app *app;
    struct answer text;
    bool colours;
    unsigned width; /* of the terminal; PAGE_WIDTH_UNBOUND: there is none, so nothing is cut */
    unsigned height;
};

#define PAGE_WIDTH_UNBOUND 100000

void page_open(const struct app *app, struct page *ret);
void page_text(struct page *page, const char *text);
void page_format(struct page *page, const char *format, ...) PRINTF_LIKE(2, 3); /* short ones, of our own words */
void page_plain(struct page *page, struct bytes text);
void page_styled(struct page *page, enum style style, struct bytes text); /* plain text in a style */
void page_spaces(struct page *page, size_t count);

/* Writes all of it to standard output and empties the page, also on failure. A reader that has gone is none. -ENOMEM,
 * -EFBIG: some is missing, and nothing was written. */
int page_print(struct page *page) MUST_CHECK;
void page_done(struct page *page);

/* Columns that a text takes: characters of UTF-8, each counted as one. */
size_t page_columns(struct bytes text);
struct bytes page_cut(struct bytes text, size_t columns); /* so many of them from the start */

#endif
