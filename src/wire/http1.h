/* wire/http1.h - HTTP/1.0 and 1.1 messages (RFC 9112): bytes in, structs out; no I/O, no allocation.
 *
 * Strictness is the security boundary: what two parsers could read differently is refused, not repaired.
 * (1) Reading is incremental: call again with the same bytes and more of them; work done is not done again.
 *     All state is in offsets, so the bytes may have moved between two calls.
 * (2) Zero copy: slices of the result point into the given bytes.
 * (3) A bad line is refused when its last byte is there, an oversized one when its limit is passed: nobody has to
 *     wait for the end of the head.
 * (4) After an error the connection is closed (requests: after the answer `status`).
 * Limits: HTTP1_LINE_MAX (request line: 414; status line: 502), HTTP1_HEAD_MAX and HTTP_FIELDS_MAX (431),
 * HTTP1_CHUNK_LINE_MAX, HTTP1_TRAILERS_MAX.
 */
#ifndef WEFT_WIRE_HTTP1_H
#define WEFT_WIRE_HTTP1_H

#include "base/text.h"
#include "wire/http.h"

/* What was wrong: http1_errors.def lists ERROR(identifier, status, "what a person reads"). */
enum http1_error {
    HTTP1_OK,
#define ERROR(identifier, status, text) HTTP1_##identifier,
#include "wire/http1_errors.def"
#undef ERROR
};

unsigned http1_error_status(enum http1_error error); /* 400, 413, 414, 431, 501, 505; upstream's: 502 to the client */
struct bytes http1_error_text(enum http1_error error);

/* The reading of one head. Zero it (http1_head_start()) before the first byte. */
struct http1_head_reader {
    uint32_t scanned;     /* bytes known to hold no further line end */
    uint32_t line;        /* where the current line starts */
    uint16_t field_count; /* lines read so far */
    bool first_done;      /* the request or status line has been read */
    enum http1_error error;
};

void http1_head_start(struct http1_head_reader *reader);

/* `head` must come with fields and field_max set; the rest is set here. Empty lines before a request line are
 * skipped, at most two (RFC 9112, 2.2). Returns the length of the head in bytes when it is complete, 0 when more
 * is needed, -EPROTO when reader->error says why. */
ssize_t http1_read_request(struct http1_head_reader *reader, struct bytes data, struct http_head *head) MUST_CHECK;

/* The same for a response to a request of that method. 1xx heads are returned like others (framing NONE; 101:
 * TUNNEL); the caller reads on. */
ssize_t http1_read_response(struct http1_head_reader *reader, struct bytes data, enum http_method method,
                            struct http_head *head) MUST_CHECK;

/* What a request line may hold, for those who make one: "/..." of pchar and valid %XX; a query without its '?'. */
bool http1_is_path(struct bytes text);
bool http1_is_query(struct bytes text);

/* host[:port] of RFC 3986 without userinfo: reg-name, IPv4 or [IPv6]. Not empty. Percent-encoding is refused, and so
 * are zones and IPvFuture: no name that resolves has them, and parsers disagree about them. */
bool http1_is_authority(struct bytes text, bool port_needed);

/* The reading of one body, of any framing. */
struct http1_body_reader {
    enum http_framing framing;
    uint8_t state;
    bool done;
    enum http1_error error;
    uint64_t left;                    /* bytes of the length or chunk that are still to come */
    uint32_t line_len;                /* of a chunk-size line so far */
    struct http1_head_reader trailer; /* offsets count from the start of the trailer section */
};

void http1_body_start(struct http1_body_reader *reader, const struct http_head *head);

/* Takes what it can from the front of `data`. *ret_used: bytes that are used up, with framing; *ret_chunk: the body
 * bytes among them, a slice of data, perhaps empty. Returns 0, or -EPROTO. When reader->done is set, the rest of data
 * belongs to the next message; give what was not used again, with more behind it.
 * `trailers` may be NULL (dropped); else fields are added to it, at most HTTP1_TRAILER_FIELDS_MAX. Their slices point
 * into data, so a trailer section is only used up as a whole: a caller whose buffer is full of it has to give up
 * (HTTP1_TRAILERS_MAX bytes with the final empty line always suffice, -EPROTO beyond). Fields that would change framing
 * or connection are refused; others that a trailer section may not hold (http_fields.def) are dropped. */
int http1_read_body(struct http1_body_reader *reader, struct bytes data, struct http_head *trailers,
                    struct bytes *ret_chunk, size_t *ret_used) MUST_CHECK;

/* At the end of the connection: 0 if the body may end here (UNTIL_CLOSE, TUNNEL, or done), else -EPROTO. */
int http1_body_end(struct http1_body_reader *reader) MUST_CHECK;

/* Writing. Framing fields (Content-Length, Transfer-Encoding, Connection, Upgrade) are written from head->framing,
 * content_length, has_content_length, keep_alive, upgrade; such fields in head->fields are skipped (but for Upgrade
 * fields when head->upgrade is set). text->full tells that it did not fit.
 * The target is written from authority (CONNECT) or path and query (a query with data but no bytes is a lone "?"),
 * never from `target`; the Host field from authority, so that what was routed on is what is sent: Host fields are
 * skipped unless authority is empty. An unset reason becomes the usual one. The version is 1.minor; chunked needs minor
 * 1 (asserted). A response that has neither length nor chunks says Content-Length: 0, unless its status or method rule
 * that out (RFC 9112, 6.3). */
void http1_write_request(struct text *text, const struct http_head *head);
void http1_write_response(struct text *text, const struct http_head *head, enum http_method method);

/* "1a2b\r\n" in front of a chunk; HTTP1_CHUNK_HEAD_MAX bytes at most. Each chunk is followed by "\r\n", the last one
 * is "0\r\n", trailers, "\r\n". */
#define HTTP1_CHUNK_HEAD_MAX 18
size_t http1_write_chunk_head(char *memory, uint64_t len);
void http1_write_last_chunk(struct text *text, const struct http_head *trailers); /* NULL: none */

#endif
