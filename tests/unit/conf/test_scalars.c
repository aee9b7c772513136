/* Values of the scalar types that are refused, each with all that is said about it. */
#include "rows.h"

#define SHOP(text) "system: shop\n" text
#define SERVICE(text) SHOP("services: { a: { " text " } }\n")

static const struct row SCALARS_ROWS[] = {
    { SHOP("debug: True\n"), "w:2:8: debug: must be true or false, found \"True\" (write true)" },
    { SHOP("debug: on\n"), "w:2:8: debug: must be true or false, found \"on\" (write true)" },
    { SHOP("debug: off\n"), "w:2:8: debug: must be true or false, found \"off\" (write false)" },
    { SHOP("debug: NO\n"), "w:2:8: debug: must be true or false, found \"NO\" (write false)" },
    { SHOP("debug: 1\n"), "w:2:8: debug: must be true or false, found \"1\"" },
    { SHOP("debug: \"true\"\n"), "w:2:8: debug: must be true or false, found \"true\" (write it without quotes)" },
    { SHOP("debug: [true]\n"), "w:2:8: debug: must be true or false, found a list" },
    { SHOP("debug:\n"), "w:2:7: debug: must be true or false, found nothing (write a value, or remove the key)" },
    { SHOP("memory: lots\n"), "w:2:9: memory: must be a size, found \"lots\" (such as 64KiB, 256MiB or 1GB)" },
    { SHOP("memory: 1mb\n"), "w:2:9: memory: must be a size, found \"1mb\" (such as 64KiB, 256MiB or 1GB)" },
    { SHOP("memory: 1.5MiB\n"), "w:2:9: memory: must be a size, found \"1.5MiB\" (such as 64KiB, 256MiB or 1GB)" },
    { SHOP("memory: 512\n"), "w:2:9: memory: must be at least 1MiB (is 512)" },
    { SHOP("memory: -1\n"), "w:2:9: memory: must be a size, found \"-1\" (such as 64KiB, 256MiB or 1GB)" },
    { SHOP("memory: 99999999999999999999\n"), "w:2:9: memory: is out of range for a size" },
    { SHOP("memory: 99999999TiB\n"), "w:2:9: memory: is out of range for a size" },
    { SHOP("memory:\n"), "w:2:8: memory: must be a size, found nothing (write a value, or remove the key)" },
    { SERVICE("scale: two"), "w:2:25: services.a.scale: must be an integer, found \"two\"" },
    { SERVICE("scale: 2.0"), "w:2:25: services.a.scale: must be an integer, found \"2.0\"" },
    { SERVICE("scale: 010"), "w:2:25: services.a.scale: must be an integer, found \"010\"" },
    { SERVICE("scale: 0x10"), "w:2:25: services.a.scale: must be an integer, found \"0x10\"" },
    { SERVICE("scale: 1e3"), "w:2:25: services.a.scale: must be an integer, found \"1e3\"" },
    { SERVICE("scale: +1"), "w:2:25: services.a.scale: must be an integer, found \"+1\"" },
    { SERVICE("scale: 1_000"), "w:2:25: services.a.scale: must be an integer, found \"1_000\"" },
    { SERVICE("scale: \"2\""), "w:2:25: services.a.scale: must be an integer, found \"2\" (write it without quotes)" },
    { SERVICE("scale: -1"), "w:2:25: services.a.scale: must be between 0 and 1000 (is -1)" },
    { SERVICE("scale: 1001"), "w:2:25: services.a.scale: must be between 0 and 1000 (is 1001)" },
    { SERVICE("scale: 9223372036854775808"), "w:2:25: services.a.scale: is out of range for an integer" },
    { SERVICE("scale: -9223372036854775809"), "w:2:25: services.a.scale: is out of range for an integer" },
    { SERVICE("scale: 99999999999999999999"), "w:2:25: services.a.scale: is out of range for an integer" },
    { SERVICE("scale: []"), "w:2:25: services.a.scale: must be an integer, found a list" },
    { SERVICE("scale: {}"), "w:2:25: services.a.scale: must be an integer, found a mapping" },
    { SERVICE("scale: ~"),
      "w:2:25: services.a.scale: must be an integer, found nothing (write a value, or remove the key)" },
    { SERVICE("scale: -"), "w:2:25: yaml: while parsing a flow node: did not find expected node content" },
    { SERVICE("weight: heavy"), "w:2:26: services.a.weight: must be a number, found \"heavy\"" },
    { SERVICE("weight: .5"), "w:2:26: services.a.weight: must be a number, found \".5\"" },
    { SERVICE("weight: 1."), "w:2:26: services.a.weight: must be a number, found \"1.\"" },
    { SERVICE("weight: 1e"), "w:2:26: services.a.weight: must be a number, found \"1e\"" },
    { SERVICE("weight: 1e+"), "w:2:26: services.a.weight: must be a number, found \"1e+\"" },
    { SERVICE("weight: 1e999"), "w:2:26: services.a.weight: is out of range for a number" },
    { SERVICE("weight: .inf"), "w:2:26: services.a.weight: must be a number, found \".inf\"" },
    { SERVICE("weight: .nan"), "w:2:26: services.a.weight: must be a number, found \".nan\"" },
    { SERVICE("weight: 0"), "w:2:26: services.a.weight: must be between 0.1 and 100 (is 0)" },
    { SERVICE("weight: 100.1"), "w:2:26: services.a.weight: must be between 0.1 and 100 (is 100.1)" },
    { SERVICE("weight: '1'"), "w:2:26: services.a.weight: must be a number, found \"1\" (write it without quotes)" },
    { SERVICE("weight: 0.00000000000000000000000000000000000000000000000000000000000000001"),
      "w:2:26: services.a.weight: is out of range for a number" },
    { SERVICE("timeout: fast"),
      "w:2:27: services.a.timeout: must be a duration, found \"fast\" (such as 200ms, 15s or 1h30m)" },
    { SERVICE("timeout: 5"),
      "w:2:27: services.a.timeout: must be a duration, found \"5\" (such as 200ms, 15s or 1h30m)" },
    { SERVICE("timeout: 1s500"),
      "w:2:27: services.a.timeout: must be a duration, found \"1s500\" (such as 200ms, 15s or 1h30m)" },
    { SERVICE("timeout: 1.5s"),
      "w:2:27: services.a.timeout: must be a duration, found \"1.5s\" (such as 200ms, 15s or 1h30m)" },
    { SERVICE("timeout: 1s1h"),
      "w:2:27: services.a.timeout: must be a duration, found \"1s1h\" (such as 200ms, 15s or 1h30m)" },
    { SERVICE("timeout: 2h"), "w:2:27: services.a.timeout: must be between 1ms and 1h (is 2h)" },
    { SERVICE("timeout: 0"), "w:2:27: services.a.timeout: must be between 1ms and 1h (is 0)" },
    { SERVICE("timeout: 999999999999h"), "w:2:27: services.a.timeout: is out of range for a duration" },
    { SERVICE("timeout: -1s"),
      "w:2:27: services.a.timeout: must be a duration, found \"-1s\" (such as 200ms, 15s or 1h30m)" },
    { SERVICE("timeout: { total: 5 }"),
      "w:2:36: services.a.timeout.total: must be a duration, found \"5\" (such as 200ms, 15s or 1h30m)" },
    { SERVICE("timeout: { totl: 5s }"), "w:2:29: services.a.timeout: unknown key \"totl\" (did you mean \"total\"?)" },
    { SERVICE("timeout: [1s]"),
      "w:2:27: services.a.timeout: must be a duration, found a list (such as 200ms, 15s or 1h30m)" },
    { SERVICE("timeout: { idle: 1 s }"),
      "w:2:35: services.a.timeout.idle: must be a duration, found \"1 s\" (such as 200ms, 15s or 1h30m)" },
    { SERVICE("retry: { backoff: 1s }"),
      "w:2:36: services.a.retry.backoff: must be a duration range, found \"1s\" (such as 100ms..1s)" },
    { SERVICE("retry: { backoff: 1s..100ms }"),
      "w:2:36: services.a.retry.backoff: must begin with the smaller duration" },
    { SERVICE("retry: { backoff: 0..1s }"), "w:2:36: services.a.retry.backoff: must be between 1ms and 1m (is 0..1s)" },
    { SERVICE("retry: { backoff: 1s..2m, window: 1h }"),
      "w:2:36: services.a.retry.backoff: must be between 1ms and 1m (is 1s..2m)" },
    { SERVICE("retry: { backoff: 1s..x }"),
      "w:2:36: services.a.retry.backoff: must be a duration range, found \"1s..x\" (such as 100ms..1s)" },
    { SERVICE("retry: { backoff: 1s..11s }"),
      "w:2:36: services.a.retry.backoff: must end within the window (make the window longer)" },
    { SERVICE("retry: { backoff: 100ms...1s }"),
      "w:2:36: services.a.retry.backoff: must be a duration range, found \"100ms...1s\" (such as 100ms..1s)" },
    { SERVICE("retry: { budget: 20 }"),
      "w:2:35: services.a.retry.budget: must be a percentage, found \"20\" (such as 20% or 0.5%)" },
    { SERVICE("retry: { budget: 120% }"), "w:2:35: services.a.retry.budget: must be at most 100% (is 120%)" },
    { SERVICE("retry: { budget: x% }"),
      "w:2:35: services.a.retry.budget: must be a percentage, found \"x%\" (such as 20% or 0.5%)" },
    { SERVICE("retry: { attempts: 1, budget: 5% }"), "w:2:25: services.a.retry: a budget needs at least 2 attempts" },
    { SERVICE("retry: 11"), "w:2:25: services.a.retry: must be between 1 and 10 (is 11)" },
    { SERVICE("retry: lots"), "w:2:25: services.a.retry: must be an integer, found \"lots\"" },
    { SERVICE("retry: { attempts: 0, backoff: 1s..1h }"),
      "w:2:37: services.a.retry.attempts: must be between 1 and 10 (is 0)\nw:2:49: services.a.retry.backoff: must be "
      "between 1ms and 1m (is 1s..1h)" },
    { SERVICE("balance: random"),
      "w:2:27: services.a.balance: must be one of round-robin, least-request, found \"random\"" },
    { SERVICE("balance: Round-Robin"), "w:2:27: services.a.balance: must be one of round-robin, least-request, found "
                                       "\"Round-Robin\" (did you mean \"round-robin\"?)" },
    { SERVICE("balance: 3"), "w:2:27: services.a.balance: must be one of round-robin, least-request, found \"3\"" },
    { SERVICE("balance: []"), "w:2:27: services.a.balance: must be one of round-robin, least-request, found a list" },
    { SERVICE("balance: ~"), "w:2:27: services.a.balance: must be one of round-robin, least-request, found nothing" },
    { SERVICE("ready: readyz"), "w:2:25: services.a.ready: must begin with a slash (such as /healthz)" },
    { SERVICE("ready: []"), "w:2:25: services.a.ready: must be a string, found a list" },
    { SERVICE("ready: ~"),
      "w:2:25: services.a.ready: must be a string, found nothing (write a value, or remove the key)" },
    { SERVICE("ready: { path: /x }"), "w:2:25: services.a.ready: must be a string, found a mapping" },
    { SERVICE("ready: ''"), "w:2:25: services.a.ready: must begin with a slash (such as /healthz)" },
    { SERVICE("environment: { 1A: x }"),
      "w:2:33: services.a.environment: \"1A\" is no name for this (letters, digits and _, no digit first)" },
    { SERVICE("environment: { A-B: x }"),
      "w:2:33: services.a.environment: \"A-B\" is no name for this (letters, digits and _, no digit first)" },
    { SERVICE("environment: { A: [x] }"), "w:2:36: services.a.environment.A: must be a string, found a list" },
    { SERVICE("environment: { A: 1, B: 2, C: 3 }"),
      "w:2:31: services.a.environment: its number of entries must be at most 2 (is 3)" },
    { SERVICE("environment: x"), "w:2:31: services.a.environment: must be a mapping, found \"x\"" },
    { SERVICE("environment: { \"\": x }"),
      "w:2:33: services.a.environment: \"\" is no name for this (letters, digits and _, no digit first)" },
    { SERVICE("tls: {}"), "w:2:23: services.a.tls: missing key \"certificate\" (such as certificate: "
                          "shop.pem)\nw:2:23: services.a.tls: missing key \"key\"" },
    { SERVICE("tls: { certificate: x }"), "w:2:23: services.a.tls: missing key \"key\"" },
    { SERVICE("tls: x"), "w:2:23: services.a.tls: must be a mapping, found \"x\" (such as { certificate: shop.pem }; "
                         "or is the indentation wrong?)" },
    { SERVICE("tls: { certificate: '', key: x }"),
      "w:2:38: services.a.tls.certificate: its length must be at least 1 (is 0)" },
    { SERVICE("tls: "), "w:2:24: services.a.tls: missing key \"certificate\" (such as certificate: shop.pem)\nw:2:24: "
                        "services.a.tls: missing key \"key\"" },
    { SERVICE("policy: p"), "w:2:26: services.a.policy: no policy is named \"p\" (no policy is defined)" },
    { SERVICE("policy: [p]"), "w:2:26: services.a.policy: must be a string, found a list" },
    { SERVICE("url: [a:1, b:2, c:3, d:4, e:5]"),
      "w:2:23: services.a.url: its number of items must be at most 4 (is 5)" },
    { SERVICE("url: here"), "w:2:23: services.a.url: must be an address, found \"here\" (such as 127.0.0.1:8080, "
                            "http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: [http://a, here]"), "w:2:34: services.a.url[1]: must be an address, found \"here\" (such as "
                                        "127.0.0.1:8080, http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: 'http://a b'"), "w:2:23: services.a.url: must be an address, found \"http://a b\" (such as "
                                    "127.0.0.1:8080, http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: http://"), "w:2:23: services.a.url: must be an address, found \"http://\" (such as 127.0.0.1:8080, "
                               "http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: ://a:1"), "w:2:23: yaml: while parsing a flow node: did not find expected node content" },
    { SERVICE("url: 'unix:'"), "w:2:23: services.a.url: must be an address, found \"unix:\" (such as 127.0.0.1:8080, "
                               "http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: a:99999"), "w:2:23: services.a.url: must be an address, found \"a:99999\" (such as 127.0.0.1:8080, "
                               "http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: '[::1'"), "w:2:23: services.a.url: must be an address, found \"[::1\" (such as 127.0.0.1:8080, "
                              "http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: 'a:x'"), "w:2:23: services.a.url: must be an address, found \"a:x\" (such as 127.0.0.1:8080, "
                             "http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: ':80'"), "w:2:23: services.a.url: must be an address, found \":80\" (such as 127.0.0.1:8080, "
                             "http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: 'HTTP://a:1'"), "w:2:23: services.a.url: must be an address, found \"HTTP://a:1\" (such as "
                                    "127.0.0.1:8080, http://host:80 or unix:/run/x.sock)" },
    { SERVICE("url: 'http://[::1]x/'"), "w:2:23: services.a.url: must be an address, found \"http://[::1]x/\" (such as "
                                        "127.0.0.1:8080, http://host:80 or unix:/run/x.sock)" },
};

static void refuses_scalars(void **state)
{
    check_rows(SCALARS_ROWS, ARRAY_LEN(SCALARS_ROWS));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_scalars),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
