#include "http1_framing.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct plain {
    char first[32]; /* how the first line starts and ends */
    bool connect, one_zero;
    int status;
    int lengths, encodings;
    char length[32]; /* without leading zeros */
    bool length_good;
    char encoding[64]; /* all of them, in lower case, without blanks, with commas between */
};

static void read_first_line(struct plain *plain, const char *line, size_t len)
{
    plain->connect = len > 8 && memcmp(line, "CONNECT ", 8) == 0;
    if (len >= 12 && memcmp(line, "HTTP/1.", 7) == 0 && line[8] == ' ') {
        plain->one_zero = line[7] == '0';
        plain->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    } else {
        plain->one_zero = len > 0 && line[len - 1] == '0';
    }
}

static void read_length(struct plain *plain, const char *value, size_t len)
{
    plain->lengths++;
    plain->length_good = len > 0;
    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)value[i]))
            plain->length_good = false;
    }
    while (len > 1 && *value == '0') {
        value++;
        len--;
    }
    if (len > 19 || (len == 19 && memcmp(value, "9223372036854775807", 19) > 0))
        plain->length_good = false;
    if (plain->length_good)
        memcpy(plain->length, value, len);
}

static void read_encoding(struct plain *plain, const char *value, size_t len)
{
    size_t at = strlen(plain->encoding);

    if (plain->encodings++ > 0 && at < 40)
        plain->encoding[at++] = ',';
    for (size_t i = 0; i < len && at < 40; i++)
        plain->encoding[at++] = (char)tolower((unsigned char)value[i]);
}

static void read_field(struct plain *plain, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len), *end = line + len;
    size_t name = colon ? (size_t)(colon - line) : 0;

    if (colon == NULL)
        return;
    for (colon++; colon < end && (*colon == ' ' || *colon == '\t');)
        colon++;
    while (end > colon && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (name == 14 && strncasecmp(line, "content-length", 14) == 0)
        read_length(plain, colon, (size_t)(end - colon));
    if (name == 17 && strncasecmp(line, "transfer-encoding", 17) == 0)
        read_encoding(plain, colon, (size_t)(end - colon));
}

static void read_head(struct plain *plain, const char *head, size_t len)
{
    bool first = true;

    memset(plain, 0, sizeof(*plain));
    for (size_t from = 0, at = 0; at + 1 < len; at++) {
        if (head[at] != '\r' || head[at + 1] != '\n')
            continue;
        if (first && at > from)
            read_first_line(plain, head + from, at - from);
        else if (!first)
            read_field(plain, head + from, at - from);
        first = first && at == from;
        from = at + 2;
    }
}

/* Steps 3 to 6; `otherwise` is what holds when neither field is there. */
static enum plain_framing decide(const struct plain *plain, enum plain_framing otherwise,
                                 unsigned long long *ret_length)
{
    if (plain->encodings > 0 && plain->lengths > 0)
        return PLAIN_REFUSED;
    if (plain->encodings > 0)
        return plain->one_zero || strcmp(plain->encoding, "chunked") != 0 ? PLAIN_REFUSED : PLAIN_CHUNKED;
    if (plain->lengths == 0)
        return otherwise;
    if (plain->lengths > 1 || !plain->length_good)
        return PLAIN_REFUSED;
    *ret_length = strtoull(plain->length, NULL, 10);
    return *ret_length > 0 ? PLAIN_LENGTH : PLAIN_NONE;
}

enum plain_framing plain_request_framing(const char *head, size_t len, unsigned long long *ret_length)
{
    struct plain plain;
    enum plain_framing framing;

    read_head(&plain, head, len);
    framing = decide(&plain, PLAIN_NONE, ret_length);
    return plain.connect && framing != PLAIN_NONE ? PLAIN_REFUSED : framing;
}

enum plain_framing plain_response_framing(const char *head, size_t len, bool to_head, bool to_connect,
                                          unsigned long long *ret_length)
{
    struct plain plain;
    enum plain_framing framing;

    read_head(&plain, head, len);
    framing = decide(&plain, PLAIN_UNTIL_CLOSE, ret_length);
    if (framing == PLAIN_REFUSED)
        return framing;
    if (plain.status == 101 || (to_connect && plain.status >= 200 && plain.status <= 299))
        return PLAIN_TUNNEL;
    if (to_head || plain.status < 200 || plain.status == 204 || plain.status == 304)
        return PLAIN_NONE;
    return framing;
}

/* The place after the next CR LF, or NULL. */
static const char *line_end(const char *from, const char *end)
{
    for (; from + 1 < end; from++) {
        if (from[0] == '\r' && from[1] == '\n')
            return from + 2;
    }
    return NULL;
}

bool plain_unchunk(const char *data, size_t len, char *body, size_t *ret_body_len, size_t *ret_used)
{
    const char *p = data, *end = data + len, *next;
    size_t body_len = 0;

    for (;;) {
        unsigned long long size = strtoull(p, NULL, 16); /* data ends in zero */

        p = line_end(p, end);
        if (p == NULL)
            return false;
        if (size == 0)
            break;
        if (size > (size_t)(end - p) || (size_t)(end - p) - size < 2)
            return false;
        memcpy(body + body_len, p, size);
        body_len += size;
        p += size + 2;
    }
    while ((next = line_end(p, end)) != NULL && next != p + 2)
        p = next;
    if (next == NULL)
        return false;
    *ret_body_len = body_len;
    *ret_used = (size_t)(next - data);
    return true;
}
