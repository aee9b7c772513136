/* app/panic.h - what a process says before a programmer error ends it. */
#ifndef WEFT_APP_PANIC_H
#define WEFT_APP_PANIC_H

/* Sets the hook of base/assert.h: the place, which loop and fiber were at work, on standard error. */
void panic_prepare(void);

#endif
