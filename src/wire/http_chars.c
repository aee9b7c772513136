#include "wire/http_chars.h"

/* What letters and digits have in common, and the marks that are allowed nearly everywhere. */
#define TEXT (HTTP_CHAR_TOKEN | HTTP_CHAR_PATH | HTTP_CHAR_QUERY | HTTP_CHAR_HOST)
#define DELIMITER (HTTP_CHAR_PATH | HTTP_CHAR_QUERY | HTTP_CHAR_HOST)
#define SEPARATOR (HTTP_CHAR_PATH | HTTP_CHAR_QUERY)

const uint8_t http_chars[256] = {
    [0 ... 8] = HTTP_CHAR_CONTROL,
    ['\t'] = HTTP_CHAR_BLANK,
    [10 ... 31] = HTTP_CHAR_CONTROL,
    [' '] = HTTP_CHAR_BLANK,
    ['!'] = TEXT,
    ['#'] = HTTP_CHAR_TOKEN,
    ['$'] = TEXT,
    ['%'] = HTTP_CHAR_TOKEN,
    ['&'] = TEXT,
    ['\''] = TEXT,
    ['('] = DELIMITER,
    [')'] = DELIMITER,
    ['*'] = TEXT,
    ['+'] = TEXT,
    [','] = DELIMITER,
    ['-'] = TEXT,
    ['.'] = TEXT,
    ['/'] = SEPARATOR,
    ['0' ... '9'] = TEXT | HTTP_CHAR_HEX | HTTP_CHAR_DIGIT,
    [':'] = SEPARATOR,
    [';'] = DELIMITER,
    ['='] = DELIMITER,
    ['?'] = HTTP_CHAR_QUERY,
    ['@'] = SEPARATOR,
    ['A' ... 'F'] = TEXT | HTTP_CHAR_HEX,
    ['G' ... 'Z'] = TEXT,
    ['^'] = HTTP_CHAR_TOKEN,
    ['_'] = TEXT,
    ['`'] = HTTP_CHAR_TOKEN,
    ['a' ... 'f'] = TEXT | HTTP_CHAR_HEX,
    ['g' ... 'z'] = TEXT,
    ['|'] = HTTP_CHAR_TOKEN,
    ['~'] = TEXT,
    [127] = HTTP_CHAR_CONTROL,
};
