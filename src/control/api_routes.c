/* GET /v1/routes: the routes in the order in which they are looked at. */
#include "control/api_list.h"
#include "control/explain.h"
#include "control/query.h"
#include "http/problem.h"
#include "stage/route_table.h"

/* --- what it matches ------------------------------------------------------------------------------------------ */

static const char *path_kind(const struct route_match *match)
{
    struct bytes rest = route_path_start(match);
    struct route_element element;

    if (match->regex.len > 0)
        return "regex";
    if (match->path.len == 0)
        return "any";
    while (route_path_next(&rest, &element))
        if (element.kind != ROUTE_ELEMENT_LITERAL)
            return "parameters";
    return match->prefix ? "prefix" : "exact";
}

static void add_value(struct answer *answer, struct bytes name, const struct route_value *value)
{
    static const char *const KINDS[] = { [ROUTE_VALUE_EXACT] = "exact",
                                         [ROUTE_VALUE_REGEX] = "regex",
                                         [ROUTE_VALUE_PRESENT] = "present",
                                         [ROUTE_VALUE_ABSENT] = "absent" };
    enum route_value_kind kind = route_value_kind(value);

    answer_text(answer, "{");
    answer_string(answer, "name", name);
    answer_string(answer, "value", kind == ROUTE_VALUE_REGEX ? value->regex : value->exact);
    answer_string(answer, "kind", bytes_of_text(KINDS[kind]));
    answer_text(answer, "}");
}

static void add_values(struct answer *answer, const char *key, const struct conf_map *map)
{
    answer_member(answer, key);
    answer_text(answer, "[");
    for (size_t i = 0; i < map->count; i++) {
        answer_text(answer, i ? "," : "");
        add_value(answer, map->entries[i].name, map->entries[i].value);
    }
    answer_text(answer, "]");
}

static void add_match(struct answer *answer, const struct route_match *match)
{
    answer_words(answer, "hosts", match->hosts.items, match->hosts.count);
    answer_string(answer, "path", match->regex.len ? match->regex : match->path);
    answer_string(answer, "path_kind", bytes_of_text(path_kind(match)));
    answer_bool(answer, "prefix", match->prefix);
    answer_words(answer, "methods", match->method.items, match->method.count);
    add_values(answer, "headers", &match->header);
    add_values(answer, "query", &match->query);
}

/* --- where it leads ------------------------------------------------------------------------------------------- */

static void add_steps(struct answer *answer, const struct control_route *route)
{
    const struct conf_union *steps = route->steps.items;

    answer_member(answer, "stages");
    answer_text(answer, "[");
    for (size_t i = 0; i < route->steps.count; i++) {
        answer_text(answer, i ? "," : "");
        answer_json(answer, bytes_of_text(steps[i].alternative->name));
    }
    answer_text(answer, "]");
}

static void add_target(struct answer *answer, const struct control_route *route)
{
    const char *kind = route->service ? "service" : route->to.alternative->name;

    answer_string(answer, "to", route->service ? route->service->name : bytes_of_text(kind));
    answer_string(answer, "to_kind", bytes_of_text(kind));
}

struct listing {
    struct answer *answer;
    const struct control_config *config;
    const struct stage *routes;
    struct bytes name; /* only this one, with its way; empty: all */
    bool any;
};

static void add_route(void *user, unsigned index)
{
    struct listing *listing = user;
    const struct control_route *route = control_route_at(listing->config, index);
    struct answer *answer = listing->answer;

    if (listing->name.len > 0 && !bytes_equal(route->name, listing->name))
        return;
    answer_text(answer, listing->any ? ",{" : "{");
    listing->any = true;
    answer_string(answer, "name", route->name);
    answer_words(answer, "gateways", route->gateways.items, route->gateways.count);
    add_match(answer, &route->match);
    add_steps(answer, route);
    add_target(answer, route);
    if (listing->name.len > 0)
        explain_stages("way", listing->routes->children[index], answer);
    answer_text(answer, "}");
}

/* 1: taken; 0: the answer is a problem. */
static int read_query(struct exchange *x, struct bytes *ret_name)
{
    struct query query = query_of(x->request.query, &x->arena);
    struct bytes name, value;
    int r;

    while ((r = query_next(&query, &name, &value)) > 0) {
        if (!bytes_equal(name, BYTES("name")))
            break;
        *ret_name = value;
    }
    if (r == 0 || r == -ENOMEM)
        return r < 0 ? r : 1;
    return http_problem_of(x, 400, BYTES("urn:weft:control:parameter"),
                           BYTES("the only parameter is name: of the route that is wanted, with its way"));
}

int api_routes(const struct control_api_conf *conf, struct exchange *x)
{
    struct control_status status = { 0 };
    struct answer answer = { 0 };
    struct listing listing = { .answer = &answer };
    int r = read_query(x, &listing.name);

    if (r <= 0)
        return r;
    conf->host->status(conf->host, &status);
    answer_text(&answer, "{\"routes\":[");
    if (status.snapshot) {
        listing.config = status.snapshot->system;
        listing.routes = snapshot_find(status.snapshot, &STAGE_ROUTE, BYTES(ROUTE_STAGE_PATH));
        r = route_table_each(listing.routes->state, add_route, &listing);
    }
    answer_text(&answer, "]}\n");
    if (r < 0) {
        answer_drop(&answer);
        return r;
    }
    return answer_send(&answer, x, 200, BYTES("application/json"));
}
