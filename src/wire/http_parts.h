/* wire/http_parts.h - what the files of the HTTP/1 codec share among themselves; nobody else includes it. */
#ifndef WEFT_WIRE_HTTP_PARTS_H
#define WEFT_WIRE_HTTP_PARTS_H

#include "wire/http1.h"
#include "wire/http_chars.h"

enum http_field_flags {
    HTTP_FIELD_IS_HOP = 1,
    HTTP_FIELD_IS_ONCE = 2,
    HTTP_FIELD_IS_NOTRAILER = 4,
    HTTP_FIELD_IS_KEEP = 8,
};

unsigned http_field_flags(enum http_field_id id);
extern const uint64_t http_fields_hop; /* a bit for each HOP field */

/* --- lines --------------------------------------------------------------------------------------------- */

enum http1_line {
    HTTP1_LINE_MORE,  /* its end is not there */
    HTTP1_LINE_THERE, /* reader->line has moved behind it */
    HTTP1_LINE_END,   /* the empty line; reader->line has moved behind it */
    HTTP1_LINE_BAD,   /* reader->error says why */
};

/* The first line of a message, without its CR LF, at most HTTP1_LINE_MAX bytes. Its characters are not checked. */
enum http1_line http1_first_line(struct http1_head_reader *reader, struct bytes data, struct bytes *ret_line);

/* The next field line. The section ends at offset `max` at the latest, else the error is `too_large`. */
enum http1_line http1_field_line(struct http1_head_reader *reader, struct bytes data, size_t max,
                                 enum http1_error too_large, struct http_field *ret_field);

/* What is wrong with the characters of a line without CR LF: a bare CR, a control character, or HTTP1_OK. */
enum http1_error http1_line_controls(struct bytes line);

/* --- request targets ------------------------------------------------------------------------------------ */

/* Takes head->target (of head->method) apart: scheme, authority, path, query. */
enum http1_error http1_read_target(struct http_head *head);

/* --- meaning --------------------------------------------------------------------------------------------- */

/* Checks the fields of a complete head against each other, and sets framing, keep_alive, and so on. */
enum http1_error http1_finish_request(struct http_head *head);
enum http1_error http1_finish_response(struct http_head *head, enum http_method method);

#endif
