/* Texts that no YAML of ours is, variables, and the root: each with all that is said about it. */
#include "rows.h"

#define SHOP(text) "system: shop\n" text
#define SERVICE(text) SHOP("services: { a: { " text " } }\n")
#define TARGET(text) SHOP("services: { a: {} }\nroutes: [ { match: { path: /x }, to: " text " } ]\n")

static const struct row YAML_ROWS[] = {
    { SHOP("\tdebug: true\n"), "w:2:1: yaml: while scanning a plain scalar: found a tab character that violates "
                               "indentation (indent with spaces, not tabs)" },
    { "system: @shop\n", "w:1:9: yaml: while scanning for the next token: found character that cannot start any token "
                         "(indent with spaces, not tabs; values that begin with @, ` or % need quotes)" },
    { "system: shop: x\n", "w:1:13: yaml: mapping values are not allowed in this context (check the indentation; a "
                           "value with a colon and a space needs quotes)" },
    { "system: [shop\n", "w:2:1: yaml: while parsing a flow sequence: did not find expected ',' or ']' (a { or [ is "
                         "not closed, or a value inside with braces or brackets, such as ${NAME}, needs quotes)" },
    { "system: \"shop\n", "w:2:1: yaml: while scanning a quoted scalar: found unexpected end of stream (is the quote "
                          "at line 1, column 9 closed?)" },
    { "a: b\n c: d\n", "w:2:3: yaml: mapping values are not allowed in this context (check the indentation; a value "
                       "with a colon and a space needs quotes)" },
    { "- a\nb: c\n", "w:2:1: yaml: while parsing a block collection: did not find expected '-' indicator (check the "
                     "indentation of this line and those before it)" },
    { "system: %x\n", "w:1:9: yaml: while scanning for the next token: found character that cannot start any token "
                      "(indent with spaces, not tabs; values that begin with @, ` or % need quotes)" },
    { "{", "w:2:1: yaml: while parsing a flow node: did not find expected node content" },
    { "}", "w:1:1: yaml: while parsing a block node: did not find expected node content" },
    { "? [a]\n: b\n", "w:1:3: a key can't be a list or a mapping (text that begins with { or [ needs quotes)" },
    { "? {a: b}\n: c\n", "w:1:3: a key can't be a list or a mapping (text that begins with { or [ needs quotes)" },
    { SHOP("---\nsystem: shop\n"),
      "w:2:1: a second document begins here (one file holds one document; use include for more files)" },
    { "system: !!str shop\n", "w:1:9: system: tags are not supported (remove \"!!str\")" },
    { "!x system: shop\n", "w:1:1: tags are not supported (remove \"!x\")" },
    { SHOP("listen: !!seq [a:1]\n"), "w:2:9: listen: tags are not supported (remove \"!!seq\")" },
    { "!!map {system: shop}\n", "w:1:1: tags are not supported (remove \"!!map\")" },
    { "\377", "w:1:1: byte 0xff is not UTF-8 (save the file as UTF-8)" },
    { "system: a\303(\n", "w:1:10: byte 0xc3 is not UTF-8 (save the file as UTF-8)" },
    { "a: b\n# \355\240\200\n", "w:2:3: byte 0xed is not UTF-8 (save the file as UTF-8)" },
    { "a: \364\220\200\200", "w:1:4: byte 0xf4 is not UTF-8 (save the file as UTF-8)" },
    { "a: \300\200", "w:1:4: byte 0xc0 is not UTF-8 (save the file as UTF-8)" },
    { "\001", "w:1:1: character U+0001 is not allowed (in double quotes it can be written as an escape)" },
    { "a:\r\n\r\n \177", "w:3:2: character U+007F is not allowed (in double quotes it can be written as an escape)" },
    { "a:\r b\n\033", "w:3:1: character U+001B is not allowed (in double quotes it can be written as an escape)" },
    { "\303\244\303\266: \302\200",
      "w:1:5: character U+0080 is not allowed (in double quotes it can be written as an escape)" },
    { "a: \342\202", "w:1:4: byte 0xe2 is not UTF-8 (save the file as UTF-8)" },
    { "# \357\277\276", "w:1:3: character U+FFFE is not allowed (in double quotes it can be written as an escape)" },
    { "# \360\237\230\200 \010",
      "w:1:5: character U+0008 is not allowed (in double quotes it can be written as an escape)" },
    { "\357\273\277x: 1\n", "w:1:1: unknown key \"x\" (known: system, include, debug, memory, listen, services, "
                            "policies, routes, labels, jobs)\nw:1:1: missing key \"system\" (such as system: shop)" },
    { "x: \357\273\277\n", "w:1:4: character U+FEFF is not allowed (in double quotes it can be written as an escape)" },
    { "system: `x\n", "w:1:9: yaml: while scanning for the next token: found character that cannot start any token "
                      "(indent with spaces, not tabs; values that begin with @, ` or % need quotes)" },
    { SHOP("listen:\n- a:1\n - b:1\n"), "w:3:3: listen[0]: must be an address, found \"a:1 - b:1\" (such as "
                                        "127.0.0.1:8080, http://host:80 or unix:/run/x.sock)" },
    { "system: 'a\nb: c\n", "w:3:1: yaml: while scanning a quoted scalar: found unexpected end of stream (is the quote "
                            "at line 1, column 9 closed?)" },
    { "listen: [a:1, b:2\nsystem: shop\n",
      "w:2:7: yaml: while parsing a flow sequence: did not find expected ',' or ']' (a { or [ is not closed, or a "
      "value inside with braces or brackets, such as ${NAME}, needs quotes)" },
    { "&k system: shop\n", "w:1:1: a key can't have an anchor" },
    { "a: &a x\n*a : y\n", "w:2:1: a key can't be an alias" },
    { "system: *nope\n", "w:1:9: system: alias *nope refers to no anchor before it" },
    { SHOP("listen: &l [ *l ]\n"), "w:2:14: listen[0]: alias *l refers to what surrounds it" },
    { SHOP("services: &s { a: *s }\n"), "w:2:19: services.a: alias *s refers to what surrounds it" },
    { SHOP("<<: { debug: false }\n"), "w:2:1: merge keys are not supported (give the shared part a name and refer to "
                                      "it, or use an alias for a whole value)" },
    { SHOP("services:\n  a: &a { scale: 2 }\n  b:\n    <<: *a\n"),
      "w:5:5: services.b: merge keys are not supported (give the shared part a name and refer to it, or use an alias "
      "for a whole value)" },
    { SHOP("labels:\n  <<: { a: b }\n"), "w:3:3: labels: merge keys are not supported (give the shared part a name and "
                                         "refer to it, or use an alias for a whole value)" },
    { SHOP("policies: { p: { <<: { cache: } } }\n"),
      "w:2:18: policies.p: merge keys are not supported (give the shared part a name and refer to it, or use an alias "
      "for a whole value)" },
    { TARGET("{ <<: x }"), "w:3:40: routes[0].to: merge keys are not supported (give the shared part a name and refer "
                           "to it, or use an alias for a whole value)" },
    { SHOP("system: shop\n"), "w:2:1: duplicate key \"system\", first at line 1" },
    { SHOP("services:\n  a: {}\n  b: {}\n  a: { scale: 2 }\n"),
      "w:5:3: services: duplicate key \"a\", first at line 3" },
    { SERVICE("scale: 1, scale: 2"), "w:2:28: services.a: duplicate key \"scale\", first at line 2" },
    { "system: \"a\\0b\"\n", "w:1:9: system: must not hold a zero byte" },
    { "\"a\\0b\": x\n", "w:1:1: a key can't hold a zero byte" },
    { "system: \"x\\x07\"\nfoo: 1\n", "w:2:1: unknown key \"foo\" (known: system, include, debug, memory, listen, "
                                      "services, policies, routes, labels, jobs)" },
    { "%YAML 1.3\n---\nsystem: shop\n", "w:1:1: yaml: found incompatible YAML document" },
    { SHOP("...\nx: y\n"), "w:3:1: yaml: did not find expected <document start>" },
    { "*a\n", "w:1:1: alias *a refers to no anchor before it" },
};

static const struct row VARIABLES_ROWS[] = {
    { "system: ${NOPE}\n", "w:1:9: system: variable NOPE is not set (set it, or write ${NOPE:-default})" },
    { "system: ${NAME\n", "w:1:9: system: \"${\" without \"}\" (write $${ for the characters ${ themselves)" },
    { SHOP("debug: ${}\n"),
      "w:2:8: debug: \"${\" without a name after it (write $${ for the characters ${ themselves)" },
    { "system: ${1A}\n", "w:1:9: system: \"${\" without a name after it (write $${ for the characters ${ themselves)" },
    { "system: ${NAME:x}\n",
      "w:1:9: system: a variable is written ${NAME} or ${NAME:-default} (write $${ for the characters ${ themselves)" },
    { "system: ${NAME:-${N}}\n",
      "w:1:9: system: a default can't hold another variable (write $${ for the characters ${ themselves)" },
    { "system: ${NAME-x}\n",
      "w:1:9: system: a variable is written ${NAME} or ${NAME:-default} (write $${ for the characters ${ themselves)" },
    { SERVICE("scale: ${NAME}"),
      "w:2:26: yaml: while parsing a flow mapping: did not find expected ',' or '}' (a { or [ is not closed, or a "
      "value inside with braces or brackets, such as ${NAME}, needs quotes)" },
    { SERVICE("scale: ${N:-1}, weight: ${NOPE:-200}"),
      "w:2:26: yaml: while parsing a flow mapping: did not find expected ',' or '}' (a { or [ is not closed, or a "
      "value inside with braces or brackets, such as ${NAME}, needs quotes)" },
    { "system: ${EMPTY}\n", "w:1:9: system: its length must be between 2 and 16 (is 0)" },
    { "system: $${NAME}\nmemory: $${N}\n",
      "w:2:9: memory: must be a size, found \"${N}\" (such as 64KiB, 256MiB or 1GB)" },
    { SHOP("listen: ${LIST}\n"),
      "w:2:9: listen: must be a list, found \"[a, b]\" (write [...] or lines that begin with \"- \")" },
    { SHOP("listen: [ \"${NOPE}\", x ]\n"),
      "w:2:11: listen[0]: variable NOPE is not set (set it, or write ${NOPE:-default})\nw:2:22: listen[1]: must be an "
      "address, found \"x\" (such as 127.0.0.1:8080, http://host:80 or unix:/run/x.sock)" },
    { SHOP("services: { ${NAME}: {} }\n"),
      "w:2:14: yaml: while parsing a flow mapping: did not find expected ',' or '}' (a { or [ is not closed, or a "
      "value inside with braces or brackets, such as ${NAME}, needs quotes)" },
    { SHOP("policies: ${NOPE}\nroutes: ${NOPE}\n"),
      "w:2:11: policies: variable NOPE is not set (set it, or write ${NOPE:-default})\nw:3:9: routes: variable NOPE is "
      "not set (set it, or write ${NOPE:-default})" },
    { SERVICE("ready: \"${NAME}${NOPE}\""),
      "w:2:25: services.a.ready: variable NOPE is not set (set it, or write ${NOPE:-default})" },
    { SERVICE("retry: \"${NOPE}\""),
      "w:2:25: services.a.retry: variable NOPE is not set (set it, or write ${NOPE:-default})" },
    { SERVICE("scale: \"${NAME}\""), "w:2:25: services.a.scale: must be an integer, found \"shop\"" },
    { SERVICE("scale: \"${N}${N}0${N}\""), "w:2:25: services.a.scale: must be between 0 and 1000 (is 2202)" },
    { SERVICE("retry: { attempts: \"${NOPE}\", budget: 300% }"),
      "w:2:37: services.a.retry.attempts: variable NOPE is not set (set it, or write ${NOPE:-default})\nw:2:56: "
      "services.a.retry.budget: must be at most 100% (is 300%)" },
    { SERVICE("scale: \"${N:-1}\", weight: \"${NOPE:-200}\""),
      "w:2:44: services.a.weight: must be between 0.1 and 100 (is 200)" },
    { SHOP("services: { \"${NAME}\": {} }\n"), "w:2:13: services: \"${NAME}\" is no name for this (a-z, 0-9 and inner "
                                               "hyphens, a letter first, at most 63 characters)" },
    { SHOP("debug: ${N}\n"), "w:2:8: debug: must be true or false, found \"2\"" },
    { SHOP("listen: \n - a:1\n - ${NOPE:-}\n"),
      "w:4:4: listen[1]: must be an address, found \"\" (such as 127.0.0.1:8080, http://host:80 or unix:/run/x.sock)" },
    { "${NOPE}\n", "w:1:1: variable NOPE is not set (set it, or write ${NOPE:-default})" },
};

static const struct row ROOT_ROWS[] = {
    { "", "w:1:1: missing key \"system\" (such as system: shop)" },
    { "# nothing\n", "w:1:1: missing key \"system\" (such as system: shop)" },
    { "~\n", "w:1:1: missing key \"system\" (such as system: shop)" },
    { "shop\n", "w:1:1: must be a mapping, found \"shop\" (such as { system: shop }; or is the indentation wrong?)" },
    { "[]\n", "w:1:1: must be a mapping, found a list (write lines of \"name: value\", without \"- \" before them)" },
    { "systen: x\nsystem: shop\n", "w:1:1: unknown key \"systen\" (did you mean \"system\"?)" },
    { SHOP("xyzzy: 1\n"), "w:2:1: unknown key \"xyzzy\" (known: system, include, debug, memory, listen, services, "
                          "policies, routes, labels, jobs)" },
    { SHOP("Services: {}\n"), "w:2:1: unknown key \"Services\" (did you mean \"services\"?)" },
    { "system:\n", "w:1:8: system: must be a string, found nothing (write a value, or remove the key)" },
    { "system: ~\n", "w:1:9: system: must be a string, found nothing (write a value, or remove the key)" },
    { "system: []\n", "w:1:9: system: must be a string, found a list" },
    { "system: {}\n", "w:1:9: system: must be a string, found a mapping" },
    { "system: x\n", "w:1:9: system: its length must be between 2 and 16 (is 1)" },
    { "system: abcdefghijklmnopq\n", "w:1:9: system: its length must be between 2 and 16 (is 17)" },
    { "system: \"\"\n", "w:1:9: system: its length must be between 2 and 16 (is 0)" },
    { "system: { shop }\n", "w:1:9: system: must be a string, found a mapping (text that begins with { needs quotes)" },
};

static void refuses_yaml(void **state)
{
    check_rows(YAML_ROWS, ARRAY_LEN(YAML_ROWS));
}

static void refuses_variables(void **state)
{
    check_rows(VARIABLES_ROWS, ARRAY_LEN(VARIABLES_ROWS));
}

static void refuses_root(void **state)
{
    check_rows(ROOT_ROWS, ARRAY_LEN(ROOT_ROWS));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_yaml),
        cmocka_unit_test(refuses_variables),
        cmocka_unit_test(refuses_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
