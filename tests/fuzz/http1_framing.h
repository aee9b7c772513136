/* tests/fuzz/http1_framing.h - a second reading of RFC 9112, 6.3, as plain as can be and without a line of the codec.
 *
 * It takes a head that ends with an empty line, cuts it at CR LF and looks at the fields that framing stands on. It
 * knows nothing else of HTTP, so it is only asked about heads whose lines are otherwise well formed. */
#ifndef WEFT_FUZZ_HTTP1_FRAMING_H
#define WEFT_FUZZ_HTTP1_FRAMING_H

#include <stdbool.h>
#include <stddef.h>

enum plain_framing { PLAIN_REFUSED, PLAIN_NONE, PLAIN_LENGTH, PLAIN_CHUNKED, PLAIN_UNTIL_CLOSE, PLAIN_TUNNEL };

enum plain_framing plain_request_framing(const char *head, size_t len, unsigned long long *ret_length);
enum plain_framing plain_response_framing(const char *head, size_t len, bool to_head, bool to_connect,
                                          unsigned long long *ret_length);

/* Decodes a whole chunked body without looking closely. False: it is not whole, or no chunked body. */
bool plain_unchunk(const char *data, size_t len, char *body, size_t *ret_body_len, size_t *ret_used);

#endif
