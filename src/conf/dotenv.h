/* conf/dotenv.h - files of environment variables, as Docker Compose reads them:
 *
 *     # a comment
 *     NAME=value                   # another one: a blank stands before it
 *     export NAME='as it stands, $no variables, even over lines'
 *     NAME="a\tb ${HOME} ${EMPTY:-default} $NAME"
 *
 * (1) All faults of the text are reported, each with its line; entries exist only when there are none.
 * (2) In double quotes \n \r \t \" \\ \$ are what they are in C, other backslashes stand for themselves. There and
 * without quotes ${NAME}, ${NAME:-default} (when it is not set or empty) and $NAME are put in: what `variable` knows,
 * else what stands above. $$ is a dollar sign, and so is one with no name behind it. (3) Names are letters, digits and
 * _, no digit first. A value has CONF_SCALAR_MAX bytes at most. Of a name that is written twice the last value counts.
 */
#ifndef WEFT_CONF_DOTENV_H
#define WEFT_CONF_DOTENV_H

#include "conf/load.h"

struct dotenv_entry {
    struct bytes name, value; /* zero-terminated */
};

struct dotenv {
    struct dotenv_entry *entries;
    size_t count;
};

/* `file` is what it is called in faults. `source`: for its variables; the text must outlive nothing. 0; -EINVAL with
 * faults; -ENOMEM. */
int dotenv_read(const char *file, struct bytes text, const struct conf_source *source, struct arena *arena,
                struct fault_list *faults, struct dotenv *ret) MUST_CHECK;

bool dotenv_find(const struct dotenv *dotenv, struct bytes name, struct bytes *ret_value);

#endif
