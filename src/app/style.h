/* app/style.h - how texts look for the person at the terminal.
 *
 * (1) Colours and bold appear only on a terminal, and not when NO_COLOR (no-color.org) is set or TERM is dumb: what is
 *     piped or kept in a file is plain.
 * (2) Nothing is told by colour alone.
 */
#ifndef WEFT_APP_STYLE_H
#define WEFT_APP_STYLE_H

#include "app/app.h"

enum style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_GOOD,
    STYLE_WARNING,
    STYLE_BAD,
    STYLE_NAME, /* of something; which hue depends on the number that is given: style_name() */
    STYLES,
};

/* Whether that descriptor (1, 2) is shown in colours. */
bool style_wanted(const struct app *app, int descriptor);

/* What switches to the style, and back: "" unless `on`. */
const char *style_begin(bool on, enum style style);
const char *style_end(bool on);

/* A hue that is the same for the same name. */
const char *style_name(bool on, struct bytes name);

/* Width and height of the terminal at standard output; 80 by 24 where it is none or does not say. */
struct terminal_size style_size(const struct app *app);

#endif
