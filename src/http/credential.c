#include "http/credential.h"

static bool take_tilde(struct bytes *path)
{
    static const struct bytes FORMS[] = { BYTES("/~"), BYTES("/%7E"), BYTES("/%7e") };

    for (size_t i = 0; i < ARRAY_LEN(FORMS); i++)
        if (bytes_starts(*path, FORMS[i])) {
            *path = bytes_skip(*path, FORMS[i].len);
            return true;
        }
    return false;
}

void http_take_credential(struct exchange *x)
{
    struct bytes path = x->request.path;
    ssize_t end;

    if (!take_tilde(&path))
        return;
    end = bytes_find_char(path, '/');
    x->credential = end < 0 ? path : bytes_slice(path, 0, (size_t)end);
    x->request.path = end < 0 ? BYTES("/") : bytes_skip(path, (size_t)end);
    x->request.target = x->request.path; /* the rest of it is taken apart already */
}
