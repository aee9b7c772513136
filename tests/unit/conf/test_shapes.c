/* Lists, maps, structs and unions of the wrong shape, each with all that is said about it. */
#include "rows.h"

#define SHOP(text) "system: shop\n" text
#define SERVICE(text) SHOP("services: { a: { " text " } }\n")
#define TARGET(text) SHOP("services: { a: {} }\nroutes: [ { match: { path: /x }, to: " text " } ]\n")
#define STAGE(text) TARGET("a, stages: [ " text " ]")

static const struct row CONTAINERS_ROWS[] = {
    { SHOP("jobs: { a: x }\nservices: { a: {} }\n"), "w:3:13: services: there is a service \"a\" already, at w:2:9" },
    { SHOP("memory: \"a\\nb\\tc\"\n"),
      "w:2:9: memory: must be a size, found \"a b c\" (such as 64KiB, 256MiB or 1GB)" },
    { SHOP("memory: "
           "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
           "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
           "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
           "\303\244\303\244\n"),
      "w:2:9: memory: must be a size, found "
      "\"\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303"
      "\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303"
      "\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244...\" (such "
      "as 64KiB, 256MiB or 1GB)" },
    { SHOP("memory: "
           "\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202"
           "\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342"
           "\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254"
           "\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202"
           "\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\n"),
      "w:2:9: memory: must be a size, found "
      "\"\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254"
      "\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342"
      "\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202"
      "\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254\342\202\254"
      "\342\202\254\342\202\254\342\202\254\" (such as 64KiB, 256MiB or 1GB)" },
    { SHOP("debug: { "
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: 1 }\n"),
      "w:2:8: debug: must be true or false, found a mapping" },
    { SHOP("services: { "
           "YYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYY"
           "YYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYY: { scale: x "
           "} }\n"),
      "w:2:13: services: \"YYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYY\" is no name for this "
      "(a-z, 0-9 and inner hyphens, a letter first, at most 63 characters)\nw:2:224: "
      "services."
      "YYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYY"
      "YYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYY...: must be an integer, found \"x\"" },
    { SHOP("services: []\n"), "w:2:11: services: must be a mapping, found a list (write lines of \"name: value\", "
                              "without \"- \" before them)" },
    { SHOP("services: x\n"), "w:2:11: services: must be a mapping, found \"x\"" },
    { SHOP("services: { A: {} }\n"), "w:2:13: services: \"A\" is no name for this (a-z, 0-9 and inner hyphens, a "
                                     "letter first, at most 63 characters)" },
    { SHOP("services: { a_b: {} }\n"), "w:2:13: services: \"a_b\" is no name for this (a-z, 0-9 and inner hyphens, a "
                                       "letter first, at most 63 characters)" },
    { SHOP("services: { a-: {} }\n"), "w:2:13: services: \"a-\" is no name for this (a-z, 0-9 and inner hyphens, a "
                                      "letter first, at most 63 characters)" },
    { SHOP("services: { 1a: {} }\n"), "w:2:13: services: \"1a\" is no name for this (a-z, 0-9 and inner hyphens, a "
                                      "letter first, at most 63 characters)" },
    { SHOP("services: { \"\": {} }\n"), "w:2:13: services: \"\" is no name for this (a-z, 0-9 and inner hyphens, a "
                                        "letter first, at most 63 characters)" },
    { SHOP("services: { aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {} }\n"),
      "w:2:13: services: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is no name for this "
      "(a-z, 0-9 and inner hyphens, a letter first, at most 63 characters)" },
    { SHOP("services: { a: x }\n"),
      "w:2:16: services.a: must be a mapping, found \"x\" (such as { run: ./orders }; or is the indentation wrong?)" },
    { SHOP("services: { a: [] }\n"), "w:2:16: services.a: must be a mapping, found a list (write lines of \"name: "
                                     "value\", without \"- \" before them)" },
    { SHOP("listen: a:1\n"),
      "w:2:9: listen: must be a list, found \"a:1\" (write [...] or lines that begin with \"- \")" },
    { SHOP("listen: { a: 1 }\n"),
      "w:2:9: listen: must be a list, found a mapping (write [...] or lines that begin with \"- \")" },
    { SHOP("listen: [ a:1, [] ]\n"), "w:2:16: listen[1]: must be an address, found a list (such as 127.0.0.1:8080, "
                                     "http://host:80 or unix:/run/x.sock)" },
    { SHOP("labels: { \"\": x }\n"), "w:2:11: labels: \"\" is no name for this (at least one character)" },
    { SHOP("services: { a: {} }\nroutes: [ { match: { path: /x, method: [] }, to: a } ]\n"),
      "w:3:40: routes[0].match.method: its number of items must be at least 1 (is 0)" },
    { SHOP("services: { a: {} }\nroutes: [ { match: { path: /x, method: OVERLYLONG }, to: a } ]\n"),
      "w:3:40: routes[0].match.method: its length must be between 1 and 8 (is 10)" },
    { SHOP("services: { a: {} }\nroutes: [ { match: { path: /x, method: [ '' ] }, to: a } ]\n"),
      "w:3:42: routes[0].match.method[0]: its length must be between 1 and 8 (is 0)" },
    { SHOP("services: { a: {} }\nroutes: [ { match: { path: /x, headers: { 'a b': c } }, to: a } ]\n"),
      "w:3:43: routes[0].match.headers: \"a b\" is no name for this (letters, digits and !#$%&'*+-.^_`|~)" },
    { SHOP("services: { a: {} }\nroutes: [ { match: { prefix: true }, to: a } ]\n"),
      "w:3:20: routes[0].match: missing key \"path\" (such as path: /api/orders)" },
    { SHOP("services: { a: {} }\nroutes: [ { match: /x, to: a } ]\n"),
      "w:3:20: routes[0].match: must be a mapping, found \"/x\" (such as { path: /api/orders }; or is the indentation "
      "wrong?)" },
    { SHOP("routes: { match: { path: /x } }\n"),
      "w:2:9: routes: must be a list, found a mapping (write [...] or lines that begin with \"- \")" },
    { SHOP("routes: [ ~ ]\n"),
      "w:2:11: routes[0]: missing key \"match\"\nw:2:11: routes[0]: missing key \"to\" (such as to: orders)" },
    { SHOP("routes:\n  -\n  - match:\n"),
      "w:3:4: routes[0]: missing key \"match\"\nw:3:4: routes[0]: missing key \"to\" (such as to: orders)\nw:4:5: "
      "routes[1]: missing key \"to\" (such as to: orders)\nw:4:11: routes[1].match: missing key \"path\" (such as "
      "path: /api/orders)" },
    { SHOP("routes: [ x ]\n"), "w:2:11: routes[0]: must be a mapping, found \"x\"" },
};

static const struct row UNIONS_ROWS[] = {
    { STAGE("x"), "w:3:51: routes[0].stages[0]: must be a mapping with one key that names a stage, found \"x\" (known: "
                  "limit, cache, timeout, none)" },
    { STAGE("cache"), "w:3:51: routes[0].stages[0]: must be a mapping with one key that names a stage, found \"cache\" "
                      "(write { cache: {} })" },
    { STAGE("{ limti: 5/s }"), "w:3:53: routes[0].stages[0]: unknown stage \"limti\" (did you mean \"limit\"?)" },
    { STAGE("{ xyzzy: 5/s }"),
      "w:3:53: routes[0].stages[0]: unknown stage \"xyzzy\" (known: limit, cache, timeout, none)" },
    { STAGE("{}"), "w:3:51: routes[0].stages[0]: must be a mapping with one key that names a stage, found an empty "
                   "mapping (known: limit, cache, timeout, none)" },
    { STAGE("~"), "w:3:51: routes[0].stages[0]: must be a mapping with one key that names a stage, found nothing "
                  "(known: limit, cache, timeout, none)" },
    { STAGE("[]"), "w:3:51: routes[0].stages[0]: must be a mapping with one key that names a stage, found a list "
                   "(known: limit, cache, timeout, none)" },
    { STAGE("{ cache: {}, none: {} }"), "w:3:51: routes[0].stages[0]: must be a mapping with one key that names a "
                                        "stage, found 2 keys (one mapping holds one stage)" },
    { STAGE("{ limit: {} }"), "w:3:60: routes[0].stages[0].limit: missing key \"rate\" (such as rate: 100/s)" },
    { STAGE("{ limit: 5 }"), "w:3:60: routes[0].stages[0].limit: must be a rate, found \"5\" (such as 100/s or 10/m)" },
    { STAGE("{ limit: { rate: 2000/s } }"),
      "w:3:68: routes[0].stages[0].limit.rate: must be at most 1000/s (is 2000/s)" },
    { STAGE("{ limit: { rate: 0/s } }"), "w:3:68: routes[0].stages[0].limit.rate: is out of range for a rate" },
    { STAGE("{ limit: { rate: 5/d } }"),
      "w:3:68: routes[0].stages[0].limit.rate: must be a rate, found \"5/d\" (such as 100/s or 10/m)" },
    { STAGE("{ limit: { rate: 5/s, burst: 0 } }"),
      "w:3:80: routes[0].stages[0].limit.burst: must be at least 1 (is 0)" },
    { STAGE("{ limit: { rate: 1/s, by: {client.address} } }"),
      "w:3:77: routes[0].stages[0].limit.by: must be a template, found a mapping (text that begins with { needs "
      "quotes)" },
    { STAGE("{ limit: { rate: 1/s, by: \"{client\" } }"),
      "w:3:77: routes[0].stages[0].limit.by: has a \"{\" without its \"}\" (write {{ for the character itself)" },
    { STAGE("{ limit: { rate: 1/s, by: \"client}\" } }"),
      "w:3:77: routes[0].stages[0].limit.by: has a \"}\" without its \"{\" (write }} for the character itself)" },
    { STAGE("{ limit: { rate: 1/s, by: \"{}\" } }"),
      "w:3:77: routes[0].stages[0].limit.by: has \"{}\", which is no name (names are letters, digits, dots, _ and -; "
      "write {{ for a brace itself)" },
    { STAGE("{ limit: { rate: 1/s, by: \"{a b}\" } }"),
      "w:3:77: routes[0].stages[0].limit.by: has \"{a b}\", which is no name (names are letters, digits, dots, _ and "
      "-; write {{ for a brace itself)" },
    { STAGE("{ limit: { rate: 1/s, by: \"{1}\" } }"),
      "w:3:77: routes[0].stages[0].limit.by: has \"{1}\", which is no name (names are letters, digits, dots, _ and -; "
      "write {{ for a brace itself)" },
    { STAGE("{ limit: { rate: 1/s, by: \"}\" } }"),
      "w:3:77: routes[0].stages[0].limit.by: has a \"}\" without its \"{\" (write }} for the character itself)" },
    { STAGE("{ cache: 5MiB }"), "w:3:60: routes[0].stages[0].cache: must be a mapping, found \"5MiB\" (such as { size: "
                                "16MiB }; or is the indentation wrong?)" },
    { STAGE("{ cache: { size: 2GiB } }"),
      "w:3:68: routes[0].stages[0].cache.size: must be between 1MiB and 1GiB (is 2GiB)" },
    { STAGE("{ cache: { fill: 201% } }"), "w:3:68: routes[0].stages[0].cache.fill: must be at most 200% (is 201%)" },
    { STAGE("{ none: { x: 1 } }"), "w:3:61: routes[0].stages[0].none: unknown key \"x\"" },
    { STAGE("{ none: x }"), "w:3:59: routes[0].stages[0].none: must be a mapping, found \"x\"" },
    { STAGE("{ timeout: 5 }"),
      "w:3:62: routes[0].stages[0].timeout: must be a duration, found \"5\" (such as 200ms, 15s or 1h30m)" },
    { TARGET("b"), "w:3:38: routes[0].to: no service is named \"b\"" },
    { TARGET("''"), "w:3:38: routes[0].to: must not be empty" },
    { TARGET("~"), "w:3:38: routes[0].to: must be a name or a mapping with one key that names a target, found nothing "
                   "(known: gather, split)" },
    { TARGET("[]"), "w:3:38: routes[0].to: must be a name or a mapping with one key that names a target, found a list "
                    "(known: gather, split)" },
    { TARGET("{}"), "w:3:38: routes[0].to: must be a name or a mapping with one key that names a target, found an "
                    "empty mapping (known: gather, split)" },
    { TARGET("{ gathr: {} }"), "w:3:40: routes[0].to: unknown target \"gathr\" (did you mean \"gather\"?)" },
    { TARGET("{ gather: {} }"), "w:3:48: routes[0].to.gather: missing key \"from\"" },
    { TARGET("{ gather: { from: b } }"), "w:3:56: routes[0].to.gather.from: no service is named \"b\"" },
    { TARGET("{ gather: { from: a, quorum: 0% } }"),
      "w:3:67: routes[0].to.gather.quorum: must be between 1% and 100% (is 0%)" },
    { TARGET("{ gather: a }"), "w:3:48: routes[0].to.gather: must be a mapping, found \"a\"" },
    { TARGET("{ split: { parts: [] } }"),
      "w:3:56: routes[0].to.split.parts: its number of items must be between 1 and 3 (is 0)" },
    { TARGET("{ split: { parts: [ { to: a }, { to: b }, { to: c }, { to: d } ] } }"),
      "w:3:56: routes[0].to.split.parts: its number of items must be between 1 and 3 (is 4)\nw:3:75: "
      "routes[0].to.split.parts[1].to: no service is named \"b\"\nw:3:86: routes[0].to.split.parts[2].to: no service "
      "is named \"c\"\nw:3:97: routes[0].to.split.parts[3].to: no service is named \"d\"" },
    { TARGET("{ split: { parts: [ { to: { gather: { from: a, quorum: x } }, weight: -2 } ] } }"),
      "w:3:93: routes[0].to.split.parts[0].to.gather.quorum: must be a percentage, found \"x\" (such as 20% or "
      "0.5%)\nw:3:108: routes[0].to.split.parts[0].weight: must be at least -1 (is -2)" },
    { TARGET("{ split: {}, gather: {} }"), "w:3:38: routes[0].to: must be a name or a mapping with one key that names "
                                           "a target, found 2 keys (one mapping holds one target)" },
    { SHOP("routes: [ { match: { path: /x }, to: b } ]\n"),
      "w:2:38: routes[0].to: no service is named \"b\" (no service is defined)" },
    { SHOP("policies: { p: { cache: {}, limit: 5/s, none: , timeout: 1s } }\n"),
      "w:2:16: policies.p: its number of entries must be at most 3 (is 4)" },
    { SHOP("policies: { p: [ { cache: } ] }\n"), "w:2:16: policies.p: must be a mapping, found a list (write lines of "
                                                 "\"name: value\", without \"- \" before them)" },
    { SHOP("policies: { p: cache }\n"), "w:2:16: policies.p: must be a mapping, found \"cache\"" },
    { SHOP("policies: { p: { cach: {} } }\n"), "w:2:18: policies.p: unknown stage \"cach\" (did you mean \"cache\"?)" },
    { SHOP("policies: { ab: {}, ac: {} }\nservices: { a: { policy: ad } }\n"),
      "w:3:26: services.a.policy: no policy is named \"ad\" (did you mean \"ac\"?)" },
    { SHOP("services: { orders: {} }\nroutes: [ { match: { path: /x }, to: order } ]\n"),
      "w:3:38: routes[0].to: no service is named \"order\" (did you mean \"orders\"?)" },
    { SHOP("services: { orders: {} }\nroutes: [ { match: { path: /x }, to: xyzzy } ]\n"),
      "w:3:38: routes[0].to: no service is named \"xyzzy\"" },
};

static void refuses_containers(void **state)
{
    check_rows(CONTAINERS_ROWS, ARRAY_LEN(CONTAINERS_ROWS));
}

static void refuses_unions(void **state)
{
    check_rows(UNIONS_ROWS, ARRAY_LEN(UNIONS_ROWS));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_containers),
        cmocka_unit_test(refuses_unions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
