/* The stage `rewrite`: another path, query or host for the service (Gateway API, HTTPURLRewriteFilter).
 *
 * (1) What comes out is looked at as what came in was: a path of other characters, with dot segments, or too long for a
 *     request line is OUTCOME_BAD_REQUEST, and so is a bad query or host.
 * (2) No value that is put into a query can begin another parameter there.
 * (3) Requests without a path ("*", CONNECT) keep what they have, but for the host.
 * (4) The host that the client asked for goes on in X-Forwarded-Host, unless somebody before us has said it.
 */
#include "stage/amend.h"
#include "stage/place.h"
#include "stage/route_table.h"
#include "wire/http1.h"

#define LINE_REST 12 /* "  HTTP/1.1" and the '?' */

static int expand_path(const struct rewrite_conf *conf, struct exchange *x, struct bytes *ret)
{
    struct bytes with;
    int r;

    if (!conf->has_prefix)
        return written_expand(&conf->path_made, x, ret);
    r = written_expand(&conf->prefix_made, x, &with);
    if (r == 0)
        r = place_replace_prefix(x, x->request.path, conf->strip, with, ret);
    return r == -ENOENT ? 0 : r; /* it stays */
}

static int rewrite_target(const struct rewrite_conf *conf, struct exchange *x, struct http_head *head)
{
    int r = 0;

    if (!bytes_starts(head->path, BYTES("/")))
        return 0;
    if (conf->path.len > 0 || conf->has_prefix)
        r = expand_path(conf, x, &head->path);
    if (r == 0 && conf->has_query)
        r = written_expand_as(&conf->query_made, TEMPLATE_URL, x, &head->query);
    if (r < 0)
        return r;
    if (conf->has_query && head->query.len == 0)
        head->query = BYTES_NONE;
    if (!http1_is_path(head->path) || !route_path_safe(head->path) || !http1_is_query(head->query))
        return -EINVAL;
    return head->method_text.len + head->path.len + head->query.len + LINE_REST > HTTP1_LINE_MAX ? -ENOSPC : 0;
}

static int rewrite_host(const struct rewrite_conf *conf, struct exchange *x, struct http_head *head)
{
    struct bytes host;
    int r = written_expand(&conf->host_made, x, &host);

    if (r < 0 || !http1_is_authority(host, false))
        return r < 0 ? r : -EINVAL;
    if (head->authority.len > 0 && !http_head_has(head, HTTP_FIELD_X_FORWARDED_HOST))
        r = http_head_add(head, HTTP_FIELD_X_FORWARDED_HOST, head->authority);
    head->authority = host;
    http_head_remove(head, HTTP_FIELD_HOST);
    return r < 0 ? r : http_head_add(head, HTTP_FIELD_HOST, host);
}

static enum outcome rewrite_run(const struct stage *s, struct exchange *x)
{
    const struct rewrite_conf *conf = s->conf;
    struct http_head changed;
    enum outcome outcome;
    struct amend amend;
    int r = amend_open(x, 2, &amend);

    changed = x->request;
    x->request = amend.head; /* templates see the request as it came to this stage */
    if (r == 0)
        r = rewrite_target(conf, x, &changed);
    if (r == 0 && conf->host.len > 0)
        r = rewrite_host(conf, x, &changed);
    x->request = changed;
    outcome = r < 0 ? amend_outcome(r) : stage_next(s, x);
    amend_close(x, &amend);
    return outcome;
}

/* --- settings ------------------------------------------------------------------------------------------- */

static int check_query(struct bytes text, struct fault *fault)
{
    if (bytes_find_char(text, '{') >= 0 || bytes_find_char(text, '}') >= 0)
        return template_check(text, fault);
    if (http1_is_query(text))
        return 0;
    fault_set(fault, "must be a query without its ?, percent-encoded where it has to be");
    return -EINVAL;
}

static int check_rewrite(struct conf_check *check, void *value)
{
    struct rewrite_conf *conf = value;
    int r = written_text_make(check, conf->path, &conf->path_made);

    if (r == 0)
        r = written_text_make(check, conf->prefix, &conf->prefix_made);
    if (r == 0)
        r = written_text_make(check, conf->host, &conf->host_made);
    if (r == 0)
        r = written_text_make(check, conf->query, &conf->query_made);
    place_check_parts(check);
    if (conf->path.len == 0 && !conf->has_prefix && conf->host.len == 0 && !conf->has_query)
        fault_hint(conf_check_fault(check, NULL, "changes nothing"), "write path, prefix, query or host");
    return r;
}

static const struct conf_field FIELDS[] = {
    { .key = "path",
      .about = "the whole path, without query",
      .type = CONF_TEMPLATE,
      CONF_AT(struct rewrite_conf, path),
      .check_text = place_check_path,
      .example = "\"/v2/orders/{path.id}\"" },
    { .key = "prefix",
      .about = "what takes the place of the prefix that the route has matched, or of `strip`",
      .type = CONF_TEMPLATE,
      CONF_AT(struct rewrite_conf, prefix),
      .given = CONF_GIVEN(struct rewrite_conf, has_prefix),
      .check_text = place_check_prefix,
      .example = "/" },
    { .key = "strip",
      .about =
          "the prefix that is replaced, element by element; unless given: the route's. A path that is not below it "
          "stays",
      .type = CONF_STRING,
      CONF_AT(struct rewrite_conf, strip),
      .check_text = place_check_strip,
      .example = "/api" },
    { .key = "query",
      .about =
          "the query without its ?; empty: none. Unless given, it stays. {names} from elsewhere than the query are "
          "encoded, so that they begin no other parameter",
      .type = CONF_TEMPLATE,
      CONF_AT(struct rewrite_conf, query),
      .given = CONF_GIVEN(struct rewrite_conf, has_query),
      .check_text = check_query,
      .example = "\"id={path.id}\"" },
    { .key = "host",
      .about =
          "the host that the service sees, with a port if it shall see one; X-Forwarded-Host keeps the client's. A "
          "service whose url has a name sees that name",
      .type = CONF_TEMPLATE,
      CONF_AT(struct rewrite_conf, host),
      .check_text = place_check_host,
      .example = "orders.internal" },
};

static const struct conf_schema REWRITE_SCHEMA = {
    .name = "rewrite",
    .about =
        "Gives the service another path, query or host than the client asked for. What comes out unfit for a request, "
        "and a path with dot segments, is answered with 400.",
    .fields = FIELDS,
    .count = ARRAY_LEN(FIELDS),
    .size = sizeof(struct rewrite_conf),
    .check = check_rewrite,
    .shorthand = "path",
};

const struct stage_type STAGE_REWRITE = { .name = "rewrite", .schema = &REWRITE_SCHEMA, .run = rewrite_run };
