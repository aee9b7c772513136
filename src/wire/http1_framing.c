/* What the fields of a whole head mean together: RFC 9112, 6 (framing), 9.3 (persistence), 3.2 (Host). */
#include "wire/http_parts.h"

struct findings {
    const struct http_field *host, *length, *encoding;
    unsigned hosts, lengths, encodings, options;
    bool close, keep_alive, upgrade; /* of Connection */
    bool expect;
};

/* Connection options (RFC 9110, 7.6.1) are tokens; what is not is read differently by everybody. */
static bool read_connection(struct bytes value, struct findings *findings)
{
    const char *p = value.data, *end = p + value.len;

    for (; p < end; p += p < end) { /* steps over the comma */
        const char *start = p = http_scan(p, end, HTTP_CHAR_BLANK);
        struct bytes option;

        p = http_scan(p, end, HTTP_CHAR_TOKEN);
        option = bytes_of(start, (size_t)(p - start));
        p = http_scan(p, end, HTTP_CHAR_BLANK);
        if (p < end && *p != ',')
            return false;
        if (option.len == 0)
            continue;
        if (++findings->options > HTTP_CONNECTION_OPTIONS_MAX)
            return false;
        if (option.len == 5 && bytes_equal_ci(option, BYTES("close")))
            findings->close = true;
        else if (option.len == 10 && bytes_equal_ci(option, BYTES("keep-alive")))
            findings->keep_alive = true;
        else if (option.len == 7 && bytes_equal_ci(option, BYTES("upgrade")))
            findings->upgrade = true;
    }
    return true;
}

static enum http1_error find_fields(const struct http_head *head, struct findings *findings)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];

        switch (field->id) {
        case HTTP_FIELD_HOST:
            findings->host = field;
            findings->hosts++;
            break;
        case HTTP_FIELD_CONTENT_LENGTH:
            findings->length = field;
            findings->lengths++;
            break;
        case HTTP_FIELD_TRANSFER_ENCODING:
            findings->encoding = field;
            findings->encodings++;
            break;
        case HTTP_FIELD_CONNECTION:
            if (!read_connection(field->value, findings))
                return HTTP1_BAD_CONNECTION;
            break;
        case HTTP_FIELD_EXPECT: findings->expect |= bytes_equal_ci(field->value, BYTES("100-continue")); break;
        default: break;
        }
    }
    return HTTP1_OK;
}

/* 400 when chunked is not the last coding or not the only one of its kind, or something is no coding at all; 501 for
 * codings that we do not have (RFC 9112, 6.1 and 7). Only called for what is not exactly one "chunked". */
static enum http1_error encoding_error(const struct http_head *head)
{
    bool unknown = false, chunked = false;

    for (unsigned i = 0; i < head->field_count; i++) {
        struct bytes rest = head->fields[i].value, coding;

        if (head->fields[i].id != HTTP_FIELD_TRANSFER_ENCODING)
            continue;
        while (http_list_next(&rest, &coding)) {
            const char *end = coding.data + coding.len, *p = http_scan(coding.data, end, HTTP_CHAR_TOKEN);
            struct bytes name = bytes_of(coding.data, (size_t)(p - coding.data));

            p = http_scan(p, end, HTTP_CHAR_BLANK);
            if (chunked || name.len == 0 || (p < end && *p != ';'))
                return HTTP1_BAD_TRANSFER_ENCODING;
            chunked = bytes_equal_ci(name, BYTES("chunked"));
            if (chunked && p < end) /* it has no parameters */
                return HTTP1_BAD_TRANSFER_ENCODING;
            unknown |= !chunked;
        }
    }
    return unknown ? HTTP1_UNKNOWN_TRANSFER_ENCODING : HTTP1_BAD_TRANSFER_ENCODING;
}

static enum http1_error check_length(struct http_head *head, const struct findings *findings)
{
    uint64_t length;

    if (findings->lengths > 1)
        return HTTP1_SEVERAL_CONTENT_LENGTHS;
    if (bytes_to_u64(findings->length->value, &length) < 0 || length > HTTP_LENGTH_MAX)
        return HTTP1_BAD_CONTENT_LENGTH;
    head->has_content_length = true;
    head->content_length = length;
    head->framing = length > 0 ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    return HTTP1_OK;
}

/* Sets framing to CHUNKED or LENGTH, or NONE for a length of zero; leaves it when neither field is there. */
static enum http1_error check_framing(struct http_head *head, const struct findings *findings)
{
    if (findings->encodings > 0) {
        if (findings->lengths > 0)
            return HTTP1_LENGTH_AND_ENCODING;
        if (head->minor == 0)
            return HTTP1_TRANSFER_ENCODING_IN_1_0;
        if (findings->encodings > 1 || !bytes_equal_ci(findings->encoding->value, BYTES("chunked")))
            return encoding_error(head);
        head->framing = HTTP_BODY_CHUNKED;
        return HTTP1_OK;
    }
    return findings->lengths > 0 ? check_length(head, findings) : HTTP1_OK;
}

static void set_persistence(struct http_head *head, const struct findings *findings)
{
    head->keep_alive = !findings->close && (head->minor > 0 || findings->keep_alive);
    /* An Upgrade in HTTP/1.0 is ignored (RFC 9110, 7.8). */
    head->upgrade = head->minor > 0 && findings->upgrade && http_head_has(head, HTTP_FIELD_UPGRADE);
}

static enum http1_error check_host(struct http_head *head, const struct findings *findings)
{
    if (findings->hosts > 1)
        return HTTP1_SEVERAL_HOSTS;
    if (findings->hosts == 0)
        return head->minor > 0 ? HTTP1_NO_HOST : HTTP1_OK;
    if (!http1_is_authority(findings->host->value, false))
        return HTTP1_BAD_HOST;
    if (head->authority.len == 0)
        head->authority = findings->host->value;
    return HTTP1_OK;
}

enum http1_error http1_finish_request(struct http_head *head)
{
    struct findings findings = { 0 };
    enum http1_error error = find_fields(head, &findings);

    head->framing = HTTP_BODY_NONE;
    if (error == HTTP1_OK)
        error = check_host(head, &findings);
    if (error == HTTP1_OK)
        error = check_framing(head, &findings);
    if (error != HTTP1_OK)
        return error;
    if (head->method == HTTP_CONNECT && head->framing != HTTP_BODY_NONE) /* RFC 9110, 9.3.6 */
        return HTTP1_BODY_IN_CONNECT;
    set_persistence(head, &findings);
    head->expect_continue = findings.expect && head->minor > 0; /* RFC 9110, 10.1.1 */
    return HTTP1_OK;
}

/* RFC 9112, 6.3, steps 1 and 2: these end with their head, whatever the fields say. */
static bool ends_with_head(const struct http_head *head, enum http_method method)
{
    return method == HTTP_HEAD || head->status < 200 || head->status == 204 || head->status == 304;
}

enum http1_error http1_finish_response(struct http_head *head, enum http_method method)
{
    struct findings findings = { 0 };
    enum http1_error error = find_fields(head, &findings);

    head->framing = HTTP_BODY_UNTIL_CLOSE;
    if (error == HTTP1_OK)
        error = check_framing(head, &findings);
    if (error != HTTP1_OK)
        return error;
    set_persistence(head, &findings);
    if (head->status == 101 || (method == HTTP_CONNECT && head->status / 100 == 2)) {
        head->framing = HTTP_BODY_TUNNEL;
    } else if (ends_with_head(head, method)) {
        /* A 1xx or 204 that announces a body: no body is read, but what this peer means to send next is unsure. */
        if ((head->status < 200 || head->status == 204) && (head->content_length > 0 || findings.encodings > 0))
            head->keep_alive = false;
        head->framing = HTTP_BODY_NONE;
    }
    if (head->framing == HTTP_BODY_UNTIL_CLOSE || head->framing == HTTP_BODY_TUNNEL)
        head->keep_alive = false;
    return HTTP1_OK;
}
