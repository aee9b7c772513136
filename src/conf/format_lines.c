#include "conf/format_lines.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <errno.h>
#include <yaml.h>

struct reading {
    struct format_lines *into;
    size_t mark_room;
    unsigned flow;                        /* collections that are open */
    size_t opened[CONF_FORMAT_DEPTH_MAX]; /* their marks */
};

/* --- lines ---------------------------------------------------------------------------------------------------- */

static int split_lines(struct bytes text, struct format_lines *into)
{
    size_t count = 1;
    struct bytes line;

    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    into->lines = mem_zalloc_array(count, sizeof(*into->lines));
    if (!into->lines)
        return -ENOMEM;
    while (bytes_split(&text, '\n', &line)) {
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        into->lines[into->count++].text = line;
    }
    return 0;
}

/* libyaml counts characters. */
static size_t byte_of(struct bytes line, size_t column)
{
    size_t at = 0;

    while (at < line.len && column > 0) {
        at++;
        while (at < line.len && ((unsigned char)line.data[at] & 0xc0) == 0x80)
            at++;
        column--;
    }
    return at;
}

/* The lines behind `from` up to that of the end belong to what began on `from`. */
static void mark_lines(struct format_lines *into, size_t from, yaml_mark_t end, enum format_line_kind kind)
{
    for (size_t i = from + 1; i < into->count && i <= end.line; i++) {
        if (i == end.line && (kind == FORMAT_BLOCK || end.column == 0))
            break; /* ends before it */
        into->lines[i].kind = kind;
    }
}

/* --- tokens --------------------------------------------------------------------------------------------------- */

static int add_mark(struct reading *reading, yaml_mark_t mark, char what, unsigned depth)
{
    struct format_lines *into = reading->into;
    struct format_mark *grown;

    if (into->mark_count == reading->mark_room) {
        size_t room = MAX(reading->mark_room * 2, (size_t)64);

        grown = mem_realloc(into->marks, room * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        into->marks = grown;
        reading->mark_room = room;
    }
    into->marks[into->mark_count++] = (struct format_mark){ .line = (uint32_t)mark.line,
                                                            .byte = (uint32_t)byte_of(into->lines[mark.line].text,
                                                                                      mark.column),
                                                            .what = what,
                                                            .depth = (uint16_t)depth,
                                                            .tight = true };
    return 0;
}

/* A bracket next to a brace or bracket keeps its distance. */
static void loosen(struct format_lines *into)
{
    struct format_mark *last = into->mark_count >= 2 ? &into->marks[into->mark_count - 2] : NULL;
    struct format_mark *mark = into->mark_count ? &into->marks[into->mark_count - 1] : NULL;

    if (!last || last->line != mark->line)
        return;
    if (last->what == '[' && (mark->what == '{' || mark->what == '['))
        last->tight = false;
    if (mark->what == ']' && (last->what == '}' || last->what == ']'))
        mark->tight = false;
}

static int open_flow(struct reading *reading, const yaml_token_t *token, char what)
{
    int r;

    if (reading->flow == CONF_FORMAT_DEPTH_MAX)
        return -ELOOP;
    reading->opened[reading->flow] = reading->into->mark_count;
    r = add_mark(reading, token->start_mark, what, ++reading->flow);
    if (r == 0)
        loosen(reading->into);
    return r;
}

static int close_flow(struct reading *reading, const yaml_token_t *token, char what)
{
    struct format_mark *marks, *opening, *closing;
    int r = add_mark(reading, token->start_mark, what, reading->flow);

    if (r < 0 || reading->flow == 0)
        return r;
    loosen(reading->into);
    reading->flow--;
    marks = reading->into->marks;
    opening = &marks[reading->opened[reading->flow]];
    closing = &marks[reading->into->mark_count - 1];
    if (opening->line == closing->line) /* both sides look the same */
        opening->tight = closing->tight = opening->tight && closing->tight;
    return 0;
}

/* [ a: 1 ] is a list of a mapping whose braces are left out: it looks as if they were there. */
static int add_colon(struct reading *reading, const yaml_token_t *token)
{
    struct format_mark *around = &reading->into->marks[reading->opened[reading->flow - 1]];

    if (around->what == '[')
        around->tight = false;
    return add_mark(reading, token->start_mark, ':', reading->flow);
}

/* "|2", ">1-", "|+": whether the head of a block scalar has a character between these. */
static bool head_has(struct bytes line, size_t from, char low, char high)
{
    for (size_t i = from; i < line.len && i < from + 3; i++)
        if (line.data[i] >= low && line.data[i] <= high)
            return true;
    return false;
}

/* Empty lines behind a block scalar are nobody's, unless it keeps them ("|+"). */
static void release_empty(struct format_lines *into, size_t line)
{
    size_t end = line + 1;

    while (end < into->count && into->lines[end].kind == FORMAT_BLOCK)
        end++;
    while (end > line + 1 && into->lines[end - 1].text.len == 0)
        into->lines[--end].kind = FORMAT_PLAIN;
}

static void read_scalar(struct reading *reading, const yaml_token_t *token)
{
    struct format_lines *into = reading->into;
    yaml_scalar_style_t style = token->data.scalar.style;
    size_t line = token->start_mark.line;
    bool block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;

    mark_lines(into, line, token->end_mark, block ? FORMAT_BLOCK : FORMAT_FOLDED);
    if (block) {
        struct bytes text = into->lines[line].text;
        size_t at = byte_of(text, token->start_mark.column);

        into->lines[line].opens_explicit = head_has(text, at, '1', '9');
        if (!head_has(text, at, '+', '+'))
            release_empty(into, line);
    }
}

static int read_token(struct reading *reading, const yaml_token_t *token, size_t *last_line)
{
    struct format_lines *into = reading->into;

    /* Lines on which something stands while a flow collection is open belong to it. */
    for (size_t i = *last_line + 1; reading->flow > 0 && i <= token->start_mark.line && i < into->count; i++) {
        if (into->lines[i].kind == FORMAT_PLAIN)
            into->lines[i].kind = FORMAT_FLOW;
        into->lines[i].flow = (uint16_t)reading->flow;
    }
    *last_line = MAX(*last_line, token->start_mark.line);
    switch (token->type) {
    case YAML_FLOW_MAPPING_START_TOKEN: return open_flow(reading, token, '{');
    case YAML_FLOW_SEQUENCE_START_TOKEN: return open_flow(reading, token, '[');
    case YAML_FLOW_MAPPING_END_TOKEN: return close_flow(reading, token, '}');
    case YAML_FLOW_SEQUENCE_END_TOKEN: return close_flow(reading, token, ']');
    case YAML_FLOW_ENTRY_TOKEN: return add_mark(reading, token->start_mark, ',', reading->flow);
    case YAML_VALUE_TOKEN: return reading->flow > 0 ? add_colon(reading, token) : 0;
    case YAML_SCALAR_TOKEN: read_scalar(reading, token); return 0;
    default: return 0;
    }
}

static int syntax_fault(const char *file, const yaml_parser_t *parser, struct fault *fault)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    fault_at(fault, file, (unsigned)parser->problem_mark.line + 1, (unsigned)parser->problem_mark.column + 1);
    fault_set(fault, "yaml: %s", parser->problem ? parser->problem : "can't be read");
    fault_hint(fault, "weft check tells more");
    return -EINVAL;
}

static int read_tokens(const char *file, yaml_parser_t *parser, struct reading *reading, struct fault *fault)
{
    size_t last_line = 0;
    bool end = false;
    int r = 0;

    while (!end && r == 0) {
        yaml_token_t token;

        if (!yaml_parser_scan(parser, &token))
            return syntax_fault(file, parser, fault);
        end = token.type == YAML_STREAM_END_TOKEN;
        if (!end && token.start_mark.line < reading->into->count)
            r = read_token(reading, &token, &last_line);
        yaml_token_delete(&token);
    }
    if (r == -ELOOP) {
        fault_at(fault, file, (unsigned)last_line + 1, 1);
        fault_set(fault, "nested deeper than %d levels", CONF_FORMAT_DEPTH_MAX);
        r = -EINVAL;
    }
    return r;
}

static int start(yaml_parser_t *parser, struct bytes text)
{
    if (!yaml_parser_initialize(parser))
        return -ENOMEM;
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)(text.len ? text.data : ""), text.len);
    return 0;
}

/* Tokens alone need not make sense together. */
static int check_events(const char *file, struct bytes text, struct fault *fault)
{
    yaml_parser_t parser;
    bool end = false;
    int r = start(&parser, text);

    if (r < 0)
        return r;
    while (!end && r == 0) {
        yaml_event_t event;

        if (!yaml_parser_parse(&parser, &event)) {
            r = syntax_fault(file, &parser, fault);
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return r;
}

int format_lines_read(const char *file, struct bytes text, struct fault *fault, struct format_lines *ret)
{
    struct format_lines lines = { .lines = NULL };
    struct reading reading = { .into = &lines };
    yaml_parser_t parser;
    int r = check_events(file, text, fault);

    if (r == 0)
        r = split_lines(text, &lines);
    if (r == 0)
        r = start(&parser, text);
    if (r == 0) {
        r = read_tokens(file, &parser, &reading, fault);
        yaml_parser_delete(&parser);
    }
    if (r == 0)
        *ret = lines;
    else
        format_lines_free(&lines);
    return r;
}

void format_lines_free(struct format_lines *lines)
{
    mem_free(lines->lines);
    mem_free(lines->marks);
}

/* --- the same? -------------------------------------------------------------------------------------------------- */

static bool same_name(const yaml_char_t *a, const yaml_char_t *b)
{
    return a && b ? strcmp((const char *)a, (const char *)b) == 0 : a == b;
}

static bool same_scalar(const yaml_event_t *a, const yaml_event_t *b)
{
    struct bytes left = bytes_of(a->data.scalar.value, a->data.scalar.length);
    struct bytes right = bytes_of(b->data.scalar.value, b->data.scalar.length);

    return bytes_equal(left, right) && a->data.scalar.style == b->data.scalar.style &&
           same_name(a->data.scalar.anchor, b->data.scalar.anchor) && same_name(a->data.scalar.tag, b->data.scalar.tag);
}

static bool same_event(const yaml_event_t *a, const yaml_event_t *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case YAML_SCALAR_EVENT: return same_scalar(a, b);
    case YAML_ALIAS_EVENT: return same_name(a->data.alias.anchor, b->data.alias.anchor);
    case YAML_SEQUENCE_START_EVENT:
        return same_name(a->data.sequence_start.anchor, b->data.sequence_start.anchor) &&
               same_name(a->data.sequence_start.tag, b->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return same_name(a->data.mapping_start.anchor, b->data.mapping_start.anchor) &&
               same_name(a->data.mapping_start.tag, b->data.mapping_start.tag);
    default: return true;
    }
}

static int compare(yaml_parser_t *a, yaml_parser_t *b)
{
    bool end = false;
    int r = 0;

    while (!end && r == 0) {
        yaml_event_t left, right;

        if (!yaml_parser_parse(a, &left))
            return a->error == YAML_MEMORY_ERROR ? -ENOMEM : -EINVAL;
        if (yaml_parser_parse(b, &right)) {
            r = same_event(&left, &right) ? 0 : -EINVAL;
            end = left.type == YAML_STREAM_END_EVENT;
            yaml_event_delete(&right);
        } else
            r = b->error == YAML_MEMORY_ERROR ? -ENOMEM : -EINVAL;
        yaml_event_delete(&left);
    }
    return r;
}

int format_same(struct bytes a, struct bytes b)
{
    yaml_parser_t left, right;
    int r = start(&left, a);

    if (r < 0)
        return r;
    r = start(&right, b);
    if (r == 0) {
        r = compare(&left, &right);
        yaml_parser_delete(&right);
    }
    yaml_parser_delete(&left);
    return r;
}
