/* libyaml's events to the steps of our own tree. */
#include "conf/tree.h"

#include <errno.h>
#include <yaml.h>

struct reader {
    struct conf_context *context;
    const char *file;
    struct conf_tree *tree;
    bool document; /* one has begun */
};

static struct conf_place place_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct conf_place){ reader->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
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

static struct bytes bytes_of_yaml(const yaml_char_t *text)
{
    return bytes_of_text((const char *)text);
}

static int read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct conf_token token = {
        .place = place_of(reader, event->start_mark),
        .text = bytes_of(event->data.scalar.value, event->data.scalar.length),
        .anchor = bytes_of_yaml(event->data.scalar.anchor),
        .tag = bytes_of_yaml(event->data.scalar.tag),
        .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
    };

    return conf_tree_scalar(reader->tree, &token);
}

static int read_start(struct reader *reader, enum conf_node_kind kind, const yaml_event_t *event,
                      const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct conf_token token = {
        .place = place_of(reader, event->start_mark),
        .anchor = bytes_of_yaml(anchor),
        .tag = bytes_of_yaml(tag),
    };

    return conf_tree_start(reader->tree, kind, &token);
}

static int read_event(struct reader *reader, const yaml_event_t *event)
{
    struct conf_token alias = { .place = place_of(reader, event->start_mark) };

    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: return read_document(reader, event);
    case YAML_SCALAR_EVENT: return read_scalar(reader, event);
    case YAML_ALIAS_EVENT:
        alias.text = bytes_of_yaml(event->data.alias.anchor);
        return conf_tree_alias(reader->tree, &alias);
    case YAML_SEQUENCE_START_EVENT:
        return read_start(reader, CONF_NODE_LIST, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return read_start(reader, CONF_NODE_MAP, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return conf_tree_end(reader->tree);
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
        return "a { or [ is not closed, or a value inside with braces or brackets, such as ${NAME}, needs quotes";
    if (parser->context && strstr(parser->context, "scanning an alias"))
        return "a value that begins with * needs quotes";
    if (parser->context && strstr(parser->context, "scanning an anchor"))
        return "a value that begins with & needs quotes";
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
    else if (parser->context && strstr(parser->context, "quoted scalar"))
        fault_hint(fault, "is the quote at line %zu, column %zu closed?", parser->context_mark.line + 1,
                   parser->context_mark.column + 1);
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
    struct reader reader = { .context = context, .file = file };
    yaml_parser_t parser;
    int err;

    if (bytes_starts(text, BYTES("\xef\xbb\xbf")))
        text = bytes_skip(text, 3);
    err = conf_scan(context, file, text);
    if (!err)
        err = conf_tree_new(context, file, &reader.tree);
    if (err)
        return err;
    if (yaml_parser_initialize(&parser)) {
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len ? text.data : ""), text.len);
        err = read_events(&reader, &parser);
        yaml_parser_delete(&parser);
    } else {
        err = -ENOMEM;
    }
    if (!err)
        err = conf_tree_root(reader.tree, ret);
    conf_tree_done(reader.tree);
    return err;
}
