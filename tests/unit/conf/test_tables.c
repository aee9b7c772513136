/* Mistakes in tables, and the small functions that tables use. */
#include "faults.h"
#include "try.h"

#include "base/alloc.h"
#include "conf/context.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct sample {
    int64_t integer;
    bool truth;
    struct conf_list list;
    struct conf_map map;
    struct conf_union choice;
    struct duration_range range;
};

static int refuse(struct bytes text, struct fault *fault)
{
    fault_set(fault, "is refused");
    return -EINVAL;
}

static const struct conf_schema EMPTY = { .name = "empty", .about = "Empty.", .size = 1 };
static const struct conf_schema TWIN = { .name = "empty", .about = "Its name is taken.", .size = 1 };
static const struct conf_field STRING = { .type = CONF_STRING };
static const struct conf_field STRUCT = { .type = CONF_STRUCT, .schema = &EMPTY };
static const struct conf_field BAD_ELEMENT = { .type = CONF_INTEGER, .min = "x" };
static const struct conf_choice CHOICES[] = { { "a", 1, NULL }, { NULL, 0, NULL } };
static const struct conf_choice NO_CHOICES[] = { { NULL, 0, NULL } };
static const struct conf_alternative GOOD[] = { { "good", &EMPTY, NULL } };
static const struct conf_alternative BAD[] = { { "bad", NULL, NULL } };
static const struct conf_alternative TWICE[] = { { "a", &EMPTY, NULL }, { "a", &EMPTY, NULL } };
static const struct conf_field KEY = {
    .key = "k", .about = "x", .type = CONF_INTEGER, .flags = CONF_REQUIRED, CONF_AT(struct sample, integer)
};
static const struct conf_schema NEEDY = {
    .name = "needy", .about = "Needs a key.", .fields = &KEY, .count = 1, .size = sizeof(struct sample)
};
static const struct conf_set SETS[] = {
    { "good", GOOD, 1 },
    { "bad", BAD, 1 },
    { "twice", TWICE, 2 },
    { "none", GOOD, 0 },
};

#define FIELD(...)                            \
    {                                         \
        .key = "k", .about = "x", __VA_ARGS__ \
    }

struct table_row {
    const char *what;
    struct conf_field field;
};

static const struct table_row FIELD_ROWS[] = {
    { NULL,
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .min = "-5", .max = "5", .default_text = "5") },
    { NULL, FIELD(.type = CONF_UNION, CONF_AT(struct sample, choice), .alternatives = "good") },
    { NULL, FIELD(.type = CONF_DURATION_RANGE, CONF_AT(struct sample, range), .default_text = "0..1s", .max = "1s") },
    { "t.k: unknown type", FIELD(CONF_AT(struct sample, integer)) },
    { "t.k: unknown type", FIELD(.type = CONF_UNIONS + 1, CONF_AT(struct sample, integer)) },
    { "t.k: there is no description", { .key = "k", .type = CONF_BOOL, CONF_AT(struct sample, truth) } },
    { "t.K: the key is no word, or is taken",
      { .key = "K", .about = "x", .type = CONF_BOOL, CONF_AT(struct sample, truth) } },
    { "t.(element): the key is no word, or is taken",
      { .about = "x", .type = CONF_BOOL, CONF_AT(struct sample, truth) } },
    { "t.k: its place in the struct does not fit its type", FIELD(.type = CONF_BOOL, CONF_AT(struct sample, integer)) },
    { "t.k: its place in the struct does not fit its type", FIELD(.type = CONF_INTEGER, .offset = 4096, .size = 8) },
    { "t.k: its place in the struct does not fit its type",
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .given = 4096) },
    { "t.k: min can't be read", FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .min = "x") },
    { "t.k: max can't be read", FIELD(.type = CONF_SIZE, CONF_AT(struct sample, integer), .max = "1s") },
    { "t.k: min is above max",
      FIELD(.type = CONF_DURATION, CONF_AT(struct sample, integer), .min = "2s", .max = "1s") },
    { "t.k: min is above max", FIELD(.type = CONF_PERCENT, CONF_AT(struct sample, integer), .min = "101%") },
    { "t.k: this type has no range", FIELD(.type = CONF_BOOL, CONF_AT(struct sample, truth), .min = "1") },
    { "t.k: a length can't be negative",
      FIELD(.type = CONF_LIST, CONF_AT(struct sample, list), .element = &STRING, .min = "-1") },
    { "t.k: the default can't be read, or is out of range",
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .default_text = "x") },
    { "t.k: the default can't be read, or is out of range",
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .default_text = "1", .min = "2") },
    { "t.k: the default can't be read, or is out of range",
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .default_text = "3", .max = "2") },
    { "t.k: the default can't be read, or is out of range",
      FIELD(.type = CONF_DURATION_RANGE, CONF_AT(struct sample, range), .default_text = "1s..3s", .max = "2s") },
    { "t.k: the default can't be read, or is out of range",
      FIELD(.type = CONF_BOOL, CONF_AT(struct sample, truth), .default_text = "yes") },
    { "t.k: the default can't be read, or is out of range",
      FIELD(.type = CONF_ENUM, .size = sizeof(int), .choices = CHOICES, .default_text = "b") },
    { "t.k: the default can't be read, or is out of range",
      FIELD(.type = CONF_TEMPLATE, .size = sizeof(struct bytes), .default_text = "{") },
    { "t.k: the default can't be read, or is out of range",
      FIELD(.type = CONF_ADDRESS, .size = sizeof(struct bytes), .default_text = "x") },
    { "t.k: the default can't be read, or is out of range",
      FIELD(.type = CONF_STRING, .size = sizeof(struct bytes), .default_text = "x", .check_text = refuse) },
    { "t.k: only scalars have a default",
      FIELD(.type = CONF_LIST, CONF_AT(struct sample, list), .element = &STRING, .default_text = "x") },
    { "t.k: what is required has no default",
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .flags = CONF_REQUIRED, .default_text = "1") },
    { "t.k: there are no choices", FIELD(.type = CONF_ENUM, .size = sizeof(int)) },
    { "t.k: there are no choices", FIELD(.type = CONF_ENUM, .size = sizeof(int), .choices = NO_CHOICES) },
    { "t.k: a struct needs a schema", FIELD(.type = CONF_STRUCT, .size = 1) },
    { "t.k: an optional struct with required keys needs CONF_POINTER",
      FIELD(.type = CONF_STRUCT, .size = sizeof(struct sample), .schema = &NEEDY) },
    { "t.k: there is no element", FIELD(.type = CONF_LIST, CONF_AT(struct sample, list)) },
    { "t.(element): min can't be read", FIELD(.type = CONF_MAP, CONF_AT(struct sample, map), .element = &BAD_ELEMENT) },
    { "t.k: there is no such set of alternatives, or it is empty",
      FIELD(.type = CONF_UNION, CONF_AT(struct sample, choice), .alternatives = "other") },
    { "t.k: there is no such set of alternatives, or it is empty",
      FIELD(.type = CONF_UNION, CONF_AT(struct sample, choice)) },
    { "t.k: there is no such set of alternatives, or it is empty",
      FIELD(.type = CONF_UNIONS, CONF_AT(struct sample, list), .alternatives = "none") },
    { "t.k: an alternative has no schema, a bad name, or one that is taken",
      FIELD(.type = CONF_UNION, CONF_AT(struct sample, choice), .alternatives = "bad") },
    { "t.k: an alternative has no schema, a bad name, or one that is taken",
      FIELD(.type = CONF_UNION, CONF_AT(struct sample, choice), .alternatives = "twice") },
    { "t.k: CONF_POINTER is for structs",
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .flags = CONF_POINTER) },
    { "t.k: CONF_SINGLE is for lists",
      FIELD(.type = CONF_MAP, CONF_AT(struct sample, map), .element = &STRING, .flags = CONF_SINGLE) },
    { "t.k: CONF_TEXT_FORM is for unions",
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .flags = CONF_TEXT_FORM) },
    { "t.k: CONF_INCLUDE is for a list of strings in the root",
      FIELD(.type = CONF_LIST, CONF_AT(struct sample, list), .element = &STRUCT, .flags = CONF_INCLUDE) },
    { "t.k: only texts can refer to something",
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .reference = "x") },
    { "t.k: no map declares what this refers to",
      FIELD(.type = CONF_STRING, .size = sizeof(struct bytes), .reference = "x") },
    { "t.k: only the names of maps can be referred to",
      FIELD(.type = CONF_INTEGER, CONF_AT(struct sample, integer), .declares = "x") },
};

static void finds_bad_fields(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(FIELD_ROWS); i++) {
        const struct conf_schema schema = {
            .name = "t", .about = "x", .fields = &FIELD_ROWS[i].field, .count = 1, .size = sizeof(struct sample)
        };
        struct fault fault = { 0 };
        int err = conf_schema_check(&schema, SETS, ARRAY_LEN(SETS), &fault);

        assert_string_equal(fault.what, FIELD_ROWS[i].what ? FIELD_ROWS[i].what : "");
        assert_int_equal(err, FIELD_ROWS[i].what ? -EINVAL : 0);
    }
}

static void finds_bad_schemas(void **state)
{
    static const struct conf_field fields[] = {
        FIELD(.type = CONF_LIST, CONF_AT(struct sample, list), .element = &STRUCT),
        { .key = "l", .about = "x", .type = CONF_MAP, CONF_AT(struct sample, map), .element = &STRING },
    };
    static const struct conf_field twins[] = {
        FIELD(.type = CONF_STRUCT, .schema = &EMPTY, .size = 1),
        { .key = "l", .about = "x", .type = CONF_STRUCT, .schema = &TWIN, .size = 1 },
    };
    static const struct {
        const char *what;
        struct conf_schema schema;
    } rows[] = {
        { NULL, { .name = "t", .about = "x", .fields = fields, .count = 2, .size = sizeof(struct sample) } },
        { "T: there is no name or description", { .name = "T", .about = "x", .size = 1 } },
        { "t: there is no name or description", { .name = "t", .size = 1 } },
        { "t: the size is wrong", { .name = "t", .about = "x" } },
        { "t: the size is wrong", { .name = "t", .about = "x", .size = 8, .place = 9 } },
        { "empty: two schemas have this name",
          { .name = "t", .about = "x", .fields = twins, .count = 2, .size = sizeof(struct sample) } },
        { "t: the shorthand is no scalar or list of this struct",
          { .name = "t",
            .about = "x",
            .fields = fields,
            .count = 2,
            .size = sizeof(struct sample),
            .shorthand = "x" } },
        { "t: the shorthand is no scalar or list of this struct",
          { .name = "t",
            .about = "x",
            .fields = fields,
            .count = 2,
            .size = sizeof(struct sample),
            .shorthand = "l" } },
        { "t: a shorthand list holds scalars",
          { .name = "t",
            .about = "x",
            .fields = fields,
            .count = 2,
            .size = sizeof(struct sample),
            .shorthand = "k" } },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fault fault = { 0 };
        int err = conf_schema_check(&rows[i].schema, SETS, ARRAY_LEN(SETS), &fault);

        assert_string_equal(fault.what, rows[i].what ? rows[i].what : "");
        assert_int_equal(err, rows[i].what ? -EINVAL : 0);
        assert_int_equal(conf_schema_check(&rows[i].schema, SETS, ARRAY_LEN(SETS), NULL), err);
    }
}

static void finds_what_a_shorthand_leaves_out(void **state)
{
    const struct conf_field fields[] = {
        KEY, { .key = "l", .about = "x", .type = CONF_BOOL, CONF_AT(struct sample, truth) }
    };
    struct conf_schema schema = {
        .name = "t", .about = "x", .fields = fields, .count = 2, .size = sizeof(struct sample), .shorthand = "k"
    };
    struct fault fault;

    assert_int_equal(conf_schema_check(&schema, NULL, 0, &fault), 0);
    schema.shorthand = "l";
    assert_int_equal(conf_schema_check(&schema, NULL, 0, &fault), -EINVAL);
    assert_string_equal(fault.what, "t: with a shorthand nothing else can be required");
}

/* A chain of schemas, one longer than allowed, and a struct with one kind of names more than allowed. */
static void bounds_schemas_and_kinds(void **state)
{
    struct conf_schema *schemas = mem_zalloc_array(CONF_SCHEMAS_MAX + 1, sizeof(*schemas));
    struct conf_field *fields = mem_zalloc_array(CONF_SCHEMAS_MAX + 1, sizeof(*fields));
    char(*names)[8] = mem_zalloc_array(CONF_SCHEMAS_MAX + 1, sizeof(*names));
    struct conf_schema wide = { .name = "wide", .about = "x", .size = 65536 };
    struct fault fault;

    assert_true(schemas && fields && names);
    for (int i = 0; i <= CONF_SCHEMAS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "n%d", i);
        fields[i] = (struct conf_field)FIELD(.type = CONF_STRUCT, .flags = CONF_POINTER, .size = sizeof(void *));
        fields[i].schema = &schemas[i + 1];
        schemas[i] = (struct conf_schema){ .name = names[i], .about = "x", .fields = &fields[i], .size = 8 };
        schemas[i].count = i < CONF_SCHEMAS_MAX - 1;
    }
    assert_int_equal(conf_schema_check(schemas, NULL, 0, &fault), 0);
    schemas[CONF_SCHEMAS_MAX - 1].count = 1;
    assert_int_equal(conf_schema_check(schemas, NULL, 0, &fault), -EINVAL);
    assert_string_equal(fault.what, "n0: too many schemas");
    for (int i = 0; i <= CONF_KINDS_MAX; i++) {
        fields[i] = (struct conf_field)FIELD(.type = CONF_MAP, .element = &STRING, .size = sizeof(struct conf_map));
        fields[i].key = fields[i].declares = names[i];
        fields[i].offset = (size_t)i * sizeof(struct conf_map);
    }
    wide.fields = fields;
    wide.count = CONF_KINDS_MAX;
    assert_int_equal(conf_schema_check(&wide, NULL, 0, &fault), 0);
    wide.count++;
    assert_int_equal(conf_schema_check(&wide, NULL, 0, &fault), -EINVAL);
    assert_string_equal(fault.what, "wide.n32: too many kinds of names");
    mem_free(names);
    mem_free(fields);
    mem_free(schemas);
}

static void the_example_is_sound(void **state)
{
    struct fault fault = { 0 };
    int err = conf_schema_check(&EXAMPLE_SCHEMA, EXAMPLE_SETS, EXAMPLE_SET_COUNT, &fault);

    assert_string_equal(fault.what, "");
    assert_int_equal(err, 0);
}

static int check_with_failures(void *context)
{
    return conf_schema_check(&EXAMPLE_SCHEMA, EXAMPLE_SETS, EXAMPLE_SET_COUNT, NULL);
}

static void survives_every_failed_allocation(void **state)
{
    assert_int_equal(faults_each(check_with_failures, NULL), 1);
}

static void knows_addresses(void **state)
{
    static const char *const good[] = {
        "a:1",      "127.0.0.1:65535", "[::1]:80",        "unix:/x",
        "http://a", "http://a:1/x",    "h2c+x://a-b.c_d", "https://[fe80::1%eth0]:8443/"
    };
    static const char *const bad[] = {
        "",        "a",         "a:",      ":1",       "a:65536",  "a:99999999999999999999",
        "a b:1",   "a:1 ",      "a:-1",    "[]:1",     "[a:1",     "[::1:1",
        "http://", "http:///x", "://a",    "1x://a",   "Http://a", "http://a:b",
        "unix:",   "a/b:1",     "a\x7f:1", "[g::]:1x", "h_p://a"
    };

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(conf_address_check(bytes_of_text(good[i]), NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct fault fault = { 0 };

        assert_int_equal(conf_address_check(bytes_of_text(bad[i]), &fault), -EINVAL);
        assert_string_equal(fault.what, "must be an address");
    }
}

static void knows_templates(void **state)
{
    static const char *const good[] = { "", "x", "{a}", "x{a.b-c_d9}y", "{{", "}}", "{{{a}}}", "{a}{b}", "{{a}}" };
    static const char *const bad[] = { "{", "}", "{a", "a}", "{}", "{ a}", "{9}", "{a}}", "{{a}", "{a{b}}" };

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(conf_template_check(bytes_of_text(good[i]), NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(conf_template_check(bytes_of_text(bad[i]), NULL), -EINVAL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_bad_fields),
        cmocka_unit_test(finds_bad_schemas),
        cmocka_unit_test(finds_what_a_shorthand_leaves_out),
        cmocka_unit_test(bounds_schemas_and_kinds),
        cmocka_unit_test(the_example_is_sound),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(knows_addresses),
        cmocka_unit_test(knows_templates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
