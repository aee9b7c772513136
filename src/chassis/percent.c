#include "chassis/percent.h"

#include "wire/http_chars.h"

bool percent_fine(struct bytes raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.data[i] == '\0')
            return false;
        if (raw.data[i] != '%')
            continue;
        if (raw.len - i < 3 || !http_char_is(raw.data[i + 1], HTTP_CHAR_HEX) ||
            !http_char_is(raw.data[i + 2], HTTP_CHAR_HEX))
            return false;
        if (raw.data[i + 1] == '0' && raw.data[i + 2] == '0')
            return false;
        i += 2;
    }
    return true;
}

/* The byte at *at, which moves behind it. */
static char next(struct bytes raw, bool plus, size_t *at)
{
    char c = raw.data[(*at)++];

    if (c == '+' && plus)
        return ' ';
    if (c != '%')
        return c;
    c = (char)(http_hex_value(raw.data[*at]) << 4 | http_hex_value(raw.data[*at + 1]));
    *at += 2;
    return c;
}

size_t percent_decode(struct bytes raw, bool plus, char *to)
{
    size_t len = 0;

    for (size_t at = 0; at < raw.len;)
        to[len++] = next(raw, plus, &at);
    return len;
}

bool percent_equal(struct bytes raw, bool plus, struct bytes text)
{
    size_t at = 0, len = 0;

    while (at < raw.len && len < text.len)
        if (next(raw, plus, &at) != text.data[len++])
            return false;
    return at == raw.len && len == text.len;
}
