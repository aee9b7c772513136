/* The stage `mesh`: services call each other by the first element of the path, see stage/stages.h. */
#include "base/alloc.h"
#include "base/map.h"
#include "exchange/snapshot.h"
#include "http/problem.h"
#include "stage/route_path.h"

/* --- keys ------------------------------------------------------------------------------------------------------- */

#define KEY_LEN 32 /* hexadecimal digits */

/* The code is of this text, so that one of another use of the secret is no key. */
static void write_key(struct text *text, const struct hash_key *secret, struct bytes name)
{
    char memory[8 + CONF_NAME_MAX];
    struct text signed_text = text_into(memory, sizeof(memory));
    uint64_t code[2];

    text_add(&signed_text, BYTES("mesh/"));
    text_add(&signed_text, name);
    hash_mac(secret, text_bytes(&signed_text), code);
    text_add_hex(text, code[0], KEY_LEN / 2);
    text_add_hex(text, code[1], KEY_LEN / 2);
}

void mesh_write_credential(struct text *text, const struct hash_key *secret, struct bytes name)
{
    text_add(text, name);
    text_add_char(text, '-');
    write_key(text, secret, name);
}

/* NAME-KEY by its form. */
static bool split_credential(struct bytes credential, struct bytes *ret_name, struct bytes *ret_key)
{
    size_t len = credential.len - KEY_LEN - 1;

    if (credential.len <= KEY_LEN + 1 || len > CONF_NAME_MAX || credential.data[len] != '-')
        return false;
    *ret_name = bytes_slice(credential, 0, len);
    *ret_key = bytes_skip(credential, len + 1);
    return true;
}

/* How long it takes says nothing about where they differ. */
static bool same_key(const char *a, const char *b)
{
    unsigned difference = 0;

    for (size_t i = 0; i < KEY_LEN; i++)
        difference |= (unsigned)(a[i] ^ b[i]);
    return difference == 0;
}

bool mesh_credential_holds(const struct hash_key *secret, struct bytes credential, struct bytes *ret)
{
    struct bytes name, key;
    char memory[KEY_LEN];
    struct text expected = text_into(memory, sizeof(memory));

    if (!secret || !split_credential(credential, &name, &key))
        return false;
    write_key(&expected, secret, name);
    if (!same_key(memory, key.data))
        return false;
    *ret = name;
    return true;
}

struct bytes mesh_credential_name(struct bytes credential)
{
    struct bytes name, key;

    return split_credential(credential, &name, &key) ? name : credential;
}

/* --- calls ------------------------------------------------------------------------------------------------------ */

/* name -> its place in the conf's list */
struct mesh_table {
    struct map names;
};

/* Cuts the first element off: "/orders/x" gives "orders" and "/x"; nothing is left of "/orders". */
static bool take_element(struct bytes *path, struct bytes *ret)
{
    struct bytes rest = bytes_skip(*path, 1);
    ssize_t slash = bytes_find_char(rest, '/');

    if (path->len == 0 || path->data[0] != '/')
        return false;
    *ret = slash < 0 ? rest : bytes_slice(rest, 0, (size_t)slash);
    *path = slash < 0 ? BYTES_NONE : bytes_skip(rest, (size_t)slash);
    return true;
}

static const struct bytes *find_name(const struct stage *mesh, struct bytes name)
{
    const struct mesh_table *table = mesh->state;

    return map_get(&table->names, name);
}

int mesh_find(const struct stage *mesh, struct bytes caller, struct bytes path, struct mesh_call *ret)
{
    const struct mesh_conf *conf = mesh->conf;
    const struct bytes *known = find_name(mesh, caller), *service;
    struct bytes name = BYTES_NONE;

    if (!route_path_safe(path))
        return -EBADMSG;
    (void)take_element(&path, &name);
    service = find_name(mesh, name);
    *ret = (struct mesh_call){ .caller = known ? *known : BYTES_NONE,
                               .service = name,
                               .path = path.len ? path : BYTES("/"),
                               .next = service ? mesh->children[service - conf->services] : NULL };
    return service ? 0 : -ENOENT;
}

static enum outcome refuse_stranger(struct exchange *x)
{
    return http_problem(x, OUTCOME_DENIED,
                        BYTES("the key of a service is missing or wrong: services call each other as "
                              "$WEFT_URL/NAME/path, where $WEFT_URL, which Weft gives to every instance that it "
                              "starts, has the service's key; clients come by a gateway of weft.yaml")) < 0
               ? OUTCOME_OVERLOAD
               : OUTCOME_OK;
}

static enum outcome refuse(struct exchange *x, struct bytes name)
{
    char memory[256];
    struct text detail = text_into(memory, sizeof(memory));

    text_add_format(&detail,
                    "there is no service \"" BYTES_FMT "\" in weft.yaml: services are called as $WEFT_URL/NAME/path, "
                    "with the name of a service before the path",
                    BYTES_ARG(bytes_slice(name, 0, CONF_NAME_MAX)));
    return http_problem(x, OUTCOME_NO_ROUTE, text_bytes(&detail)) < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

static enum outcome mesh_run(const struct stage *s, struct exchange *x)
{
    struct mesh_call call;
    struct bytes caller;
    int r;

    if (!mesh_credential_holds(x->view->snapshot->secret, x->credential, &caller))
        return refuse_stranger(x);
    r = mesh_find(s, caller, x->request.path, &call);
    if (r == -EBADMSG)
        return OUTCOME_BAD_REQUEST;
    x->caller = BYTES_NONE;
    if (arena_copy(&x->arena, call.caller, &x->caller) < 0) /* a tunnel lets go of the snapshot that has the name */
        return OUTCOME_OVERLOAD;
    if (r < 0)
        return refuse(x, call.service);
    if (x->shared_request && exchange_own_request(x) < 0)
        return OUTCOME_OVERLOAD;
    x->request.path = call.path;
    return stage_run(call.next, x);
}

static int mesh_prepare(struct stage *stage, const struct stage *previous, struct fault *fault)
{
    const struct mesh_conf *conf = stage->conf;
    struct mesh_table *table;
    int r = 0;

    if (conf->count != stage->child_count) {
        fault_set(fault, BYTES_FMT ": there must be one way on for each service", BYTES_ARG(stage->path));
        return -EINVAL;
    }
    table = mem_zalloc(sizeof(*table));
    if (!table)
        return -ENOMEM;
    map_init(&table->names, (struct hash_key){ 0, 0 }, SERVICES_MAX); /* strangers look up, but never insert */
    for (unsigned i = 0; r == 0 && i < conf->count; i++)
        r = map_put(&table->names, conf->services[i], (void *)(uintptr_t)&conf->services[i]);
    if (r < 0) {
        map_done(&table->names);
        mem_free(table);
        return r;
    }
    stage->state = table;
    return 0;
}

static void mesh_retire(struct stage *stage)
{
    struct mesh_table *table = stage->state;

    if (!table) /* its preparation failed */
        return;
    map_done(&table->names);
    mem_free(table);
}

const struct stage_type STAGE_MESH = {
    .name = "mesh", .prepare = mesh_prepare, .run = mesh_run, .retire = mesh_retire
};
