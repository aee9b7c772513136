/* libyaml's events to our own tree. The tree is built on a stack of CONF_DEPTH_MAX frames, not by recursion, and
 * stops at the first fault after which the text can't be followed. */
#include "conf/context.h"

#include <errno.h>
#include <yaml.h>

struct frame {
    struct conf_node *node;
    struct anchor *anchor;
    struct conf_path path; /* of the entry being read */
    bool has_key;
    bool dropping; /* the value of a key that was refused */
    bool dropped;  /* an entry is missing */
    struct conf_place key_place;
};

struct anchor {
    struct conf_node *node;
    bool open; /* its end has not been read yet */
};

struct reader {
    struct conf_context *context;
    const char *file;
    struct map anchors;
    struct frame frames[CONF_DEPTH_MAX];
    unsigned depth;
    bool document;          /* one has begun */
    struct conf_node *root; /* NULL until it is complete */
};

static struct conf_place place_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct conf_place){ reader->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
}

static const struct conf_path *path_of(const struct reader *reader)
{
    const struct frame *top = reader->depth ? &reader->frames[reader->depth - 1] : NULL;

    if (!top)
        return NULL;
    /* Between two entries of a map we are at the map itself. */
    return top->node->kind == CONF_NODE_MAP && !top->has_key ? top->path.parent : &top->path;
}

static bool expects_key(const struct reader *reader)
{
    const struct frame *top = reader->depth ? &reader->frames[reader->depth - 1] : NULL;

    return top && top->node->kind == CONF_NODE_MAP && !top->has_key;
}

/* Every node counts, an alias as many as it stands for: "billion laughs" end here. */
static int count_nodes(struct reader *reader, size_t weight, struct conf_place place)
{
    struct conf_context *context = reader->context;

    if (weight <= CONF_NODES_MAX && context->nodes <= CONF_NODES_MAX - weight) {
        context->nodes += weight;
        return 0;
    }
    fault_hint(conf_fault(context, place, path_of(reader), "more than %d values", CONF_NODES_MAX),
               "aliases count as often as they are used");
    return -EINVAL;
}

static int check_depth(struct reader *reader, unsigned height, struct conf_place place)
{
    if (reader->depth + height <= CONF_DEPTH_MAX)
        return 0;
    conf_fault(reader->context, place, NULL, "nested deeper than %d levels", CONF_DEPTH_MAX);
    return -EINVAL;
}

/* The node is complete, or at least known: it becomes the root, an item, or the value of the pending key. */
static int attach(struct reader *reader, struct conf_node *node, struct conf_place place)
{
    struct frame *top = reader->depth ? &reader->frames[reader->depth - 1] : NULL;
    struct conf_entry *entry;

    if (!top) {
        reader->root = node;
        return 0;
    }
    if (top->dropping) {
        top->dropping = top->has_key = false;
        top->dropped = true;
        return 0;
    }
    entry = arena_zalloc(&reader->context->scratch, sizeof(*entry));
    if (!entry)
        return -ENOMEM;
    entry->value = node;
    entry->key = top->has_key ? top->path.key : BYTES_NONE;
    entry->place = top->has_key ? top->key_place : place;
    top->has_key = false;
    top->path.index++;
    top->node->weight = MIN(top->node->weight + node->weight, (size_t)CONF_NODES_MAX + 1);
    top->node->height = MAX(top->node->height, node->height + 1);
    conf_node_append(top->node, entry);
    return 0;
}

static int new_node(struct reader *reader, enum conf_node_kind kind, struct conf_place place, struct conf_node **ret)
{
    struct conf_node *node;
    int err = count_nodes(reader, 1, place);

    if (!err)
        err = check_depth(reader, 1, place);
    if (err)
        return err;
    node = arena_zalloc(&reader->context->scratch, sizeof(*node));
    if (!node)
        return -ENOMEM;
    node->kind = kind;
    node->place = place;
    node->weight = node->height = 1;
    *ret = node;
    return 0;
}

/* Notes what `name` stands for. The map borrows the name, so it is copied. */
static int set_anchor(struct reader *reader, const yaml_char_t *name, struct conf_node *node, struct anchor **ret)
{
    struct arena *scratch = &reader->context->scratch;
    struct anchor *anchor;
    struct bytes key;
    int err;

    if (!name)
        return 0;
    err = arena_copy(scratch, bytes_of_text((const char *)name), &key);
    anchor = err ? NULL : arena_zalloc(scratch, sizeof(*anchor));
    if (!anchor)
        return -ENOMEM;
    anchor->node = node;
    /* Replacing keeps the first key, which lives as long. */
    err = map_put(&reader->anchors, key, anchor);
    if (err)
        return err;
    *ret = anchor;
    return 0;
}

static int refuse_tag(struct reader *reader, const yaml_char_t *tag, struct conf_place place)
{
    struct bytes name = bytes_of_text((const char *)tag), core = BYTES("tag:yaml.org,2002:");
    bool is_core = bytes_starts(name, core);

    if (!tag)
        return 0;
    name = bytes_slice(is_core ? bytes_skip(name, core.len) : name, 0, CONF_NAME_MAX);
    fault_hint(conf_fault(reader->context, place, path_of(reader), "tags are not supported"),
               "remove \"%s" BYTES_FMT "\"", is_core ? "!!" : "", BYTES_ARG(name));
    return -EINVAL;
}

static int read_key(struct reader *reader, const yaml_event_t *event)
{
    struct frame *top = &reader->frames[reader->depth - 1];
    struct conf_place place = place_of(reader, event->start_mark);
    struct bytes key = bytes_of(event->data.scalar.value, event->data.scalar.length);
    int err;

    if (event->data.scalar.anchor) {
        conf_fault(reader->context, place, path_of(reader), "a key can't have an anchor");
        return -EINVAL;
    }
    if (bytes_find_char(key, '\0') >= 0) {
        conf_fault(reader->context, place, path_of(reader), "a key can't hold a zero byte");
        return -EINVAL;
    }
    if (key.len > CONF_KEY_MAX) {
        conf_fault(reader->context, place, path_of(reader), "a key can't be longer than %d bytes", CONF_KEY_MAX);
        return -EINVAL;
    }
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && bytes_equal(key, BYTES("<<"))) {
        top->dropping = true;
        fault_hint(conf_fault(reader->context, place, path_of(reader), "merge keys are not supported"),
                   "give the shared part a name and refer to it, or use an alias for a whole value");
    }
    err = arena_copy(&reader->context->scratch, key, &top->path.key);
    if (err)
        return err;
    if (!top->path.key.data)
        top->path.key = BYTES("");
    top->has_key = true;
    top->key_place = place;
    return 0;
}

static bool is_nothing(const yaml_event_t *event, struct bytes text)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };

    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (bytes_equal(text, bytes_of_text(words[i])))
            return true;
    return false;
}

static int fill_scalar(struct reader *reader, const yaml_event_t *event, struct conf_node *node)
{
    struct conf_context *context = reader->context;
    struct bytes raw = bytes_of(event->data.scalar.value, event->data.scalar.length);
    struct bytes text;
    int err;

    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (is_nothing(event, raw))
        return 0;
    node->kind = CONF_NODE_SCALAR;
    err = conf_substitute(context, node->place, path_of(reader), raw, &text, &node->substituted);
    if (!err && bytes_find_char(text, '\0') >= 0) {
        conf_fault(context, node->place, path_of(reader), "must not hold a zero byte");
        err = -EINVAL;
    }
    node->broken = err == -EINVAL;
    if (err)
        return node->broken ? 0 : err;
    return arena_copy(&context->scratch, text, &node->text);
}

static int read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct conf_place place = place_of(reader, event->start_mark);
    struct conf_node *node = NULL;
    struct anchor *anchor;
    int err;

    err = refuse_tag(reader, event->data.scalar.tag, place);
    if (err)
        return err;
    if (expects_key(reader))
        return read_key(reader, event);
    err = new_node(reader, CONF_NODE_NOTHING, place, &node);
    if (!err)
        err = fill_scalar(reader, event, node);
    if (!err)
        err = set_anchor(reader, event->data.scalar.anchor, node, &anchor);
    return err ? err : attach(reader, node, place);
}

static int read_alias(struct reader *reader, const yaml_event_t *event)
{
    struct bytes name = bytes_of_text((const char *)event->data.alias.anchor);
    struct conf_place place = place_of(reader, event->start_mark);
    const struct anchor *anchor = map_get(&reader->anchors, name);
    int err;

    if (expects_key(reader)) {
        conf_fault(reader->context, place, path_of(reader), "a key can't be an alias");
        return -EINVAL;
    }
    if (!anchor || anchor->open) {
        conf_fault(reader->context, place, path_of(reader),
                   anchor ? "alias *%.60s refers to what surrounds it" : "alias *%.60s refers to no anchor before it",
                   name.data);
        return -EINVAL;
    }
    err = count_nodes(reader, anchor->node->weight, place);
    if (!err)
        err = check_depth(reader, anchor->node->height, place);
    return err ? err : attach(reader, anchor->node, place);
}

static int read_start(struct reader *reader, enum conf_node_kind kind, const yaml_char_t *tag,
                      const yaml_char_t *anchor, yaml_mark_t mark)
{
    struct conf_place place = place_of(reader, mark);
    struct conf_node *node = NULL;
    struct frame *frame;
    int err = refuse_tag(reader, tag, place);

    if (err)
        return err;
    if (expects_key(reader)) {
        fault_hint(conf_fault(reader->context, place, path_of(reader), "a key can't be a list or a mapping"),
                   "text that begins with { or [ needs quotes");
        return -EINVAL;
    }
    err = new_node(reader, kind, place, &node);
    if (err)
        return err;
    frame = &reader->frames[reader->depth];
    *frame = (struct frame){ .node = node, .path.parent = path_of(reader), .key_place = place };
    err = set_anchor(reader, anchor, node, &frame->anchor);
    if (err)
        return err;
    if (frame->anchor)
        frame->anchor->open = true;
    reader->depth++;
    return 0;
}

/* Takes entries out whose key was there before. */
static int drop_duplicates(struct reader *reader, struct conf_node *node)
{
    struct conf_entry *entry = node->first;
    struct map keys;
    int err = 0;

    if (node->kind != CONF_NODE_MAP || node->count < 2)
        return 0;
    map_init(&keys, (struct hash_key){ 0 }, node->count);
    node->first = NULL;
    node->count = 0;
    for (struct conf_entry *next; entry && !err; entry = next) {
        const struct conf_entry *before = map_get(&keys, entry->key);

        next = entry->next;
        if (before) {
            conf_fault(reader->context, entry->place, path_of(reader),
                       "duplicate key \"" BYTES_FMT "\", first at line %u",
                       BYTES_ARG(bytes_slice(entry->key, 0, CONF_NAME_MAX)), before->place.line);
            continue;
        }
        conf_node_append(node, entry);
        err = map_put(&keys, entry->key, entry);
    }
    map_done(&keys);
    return err;
}

static int read_end(struct reader *reader)
{
    struct frame *top = &reader->frames[reader->depth - 1];
    int err = drop_duplicates(reader, top->node);

    if (top->anchor)
        top->anchor->open = false;
    /* Nobody can tell what would be missing in it. */
    top->node->broken = top->dropped && top->node->count == 0;
    reader->depth--;
    return err ? err : attach(reader, top->node, top->node->place);
}

static int read_document(struct reader *reader, const yaml_event_t *event)
{
    if (reader->document) {
        fault_hint(
            conf_fault(reader->context, place_of(reader, event->start_mark), NULL, "a second document begins here"),
            "one file holds one document; use include for more files");
        return -EINVAL;
    }
    reader->document = true;
    return 0;
}

static int read_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: return read_document(reader, event);
    case YAML_ALIAS_EVENT: return read_alias(reader, event);
    case YAML_SCALAR_EVENT: return read_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return read_start(reader, CONF_NODE_LIST, event->data.sequence_start.tag, event->data.sequence_start.anchor,
                          event->start_mark);
    case YAML_MAPPING_START_EVENT:
        return read_start(reader, CONF_NODE_MAP, event->data.mapping_start.tag, event->data.mapping_start.anchor,
                          event->start_mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return read_end(reader);
    default: return 0;
    }
}

static const char *syntax_hint(const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "";

    if (strstr(problem, "cannot start any token"))
        return "indent with spaces, not tabs; values that begin with @, ` or % need quotes";
    if (strstr(problem, "tab character"))
        return "indent with spaces, not tabs";
    if (strstr(problem, "expected ',' or"))
        return "inside { } and [ ] a value with braces or brackets, such as ${NAME}, needs quotes";
    if (strstr(problem, "mapping values are not allowed"))
        return "check the indentation; a value with a colon and a space needs quotes";
    if (strstr(problem, "did not find expected key") || strstr(problem, "did not find expected '-'"))
        return "check the indentation of this line and those before it";
    return NULL;
}

static int syntax_fault(struct reader *reader, const yaml_parser_t *parser)
{
    const char *hint = syntax_hint(parser);
    struct fault *fault;

    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    fault = conf_fault(reader->context, place_of(reader, parser->problem_mark), NULL, "yaml: %s%s%s",
                       parser->context ? parser->context : "", parser->context ? ": " : "",
                       parser->problem ? parser->problem : "can't be read");
    if (hint)
        fault_hint(fault, "%s", hint);
    return -EINVAL;
}

static int read_events(struct reader *reader, yaml_parser_t *parser)
{
    bool end = false;
    int err = 0;

    while (!end && !err) {
        yaml_event_t event;

        if (!yaml_parser_parse(parser, &event))
            return syntax_fault(reader, parser);
        end = event.type == YAML_STREAM_END_EVENT;
        err = read_event(reader, &event);
        yaml_event_delete(&event);
    }
    return err;
}

int conf_yaml_read(struct conf_context *context, const char *file, struct bytes text, struct conf_node **ret)
{
    struct reader *reader;
    yaml_parser_t parser;
    int err;

    if (bytes_starts(text, BYTES("\xef\xbb\xbf")))
        text = bytes_skip(text, 3);
    err = conf_scan(context, file, text);
    if (err)
        return err;
    reader = arena_zalloc(&context->scratch, sizeof(*reader));
    if (!reader || !yaml_parser_initialize(&parser))
        return -ENOMEM;
    reader->context = context;
    reader->file = file;
    map_init(&reader->anchors, (struct hash_key){ 0 }, CONF_NODES_MAX);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len ? text.data : ""), text.len);
    err = read_events(reader, &parser);
    yaml_parser_delete(&parser);
    if (!err && !reader->root)
        err = new_node(reader, CONF_NODE_NOTHING, (struct conf_place){ file, 1, 1 }, &reader->root);
    map_done(&reader->anchors);
    if (!err)
        *ret = reader->root;
    return err;
}
