"""What conf_print_json_schema() prints: valid JSON, a valid JSON Schema, and of one mind with conf_load().

Run with the program that prints. Texts are read by PyYAML, checked by jsonschema, and loaded by the program.
"""

import json
import subprocess
import sys

import yaml
from jsonschema import Draft202012Validator

SHOP = "system: shop\n"


def service(text):
    return SHOP + "services: { a: { %s } }\n" % text


def route(to, stages=""):
    return SHOP + "services: { a: {} }\nroutes: [ { match: { path: /x }, to: %s, stages: [ %s ] } ]\n" % (to, stages)


# The verdicts must be equal.
SAME = [
    "", SHOP, "system: x\n", "system: 12345\n", "system: true\n", "system: []\n", "system:\n", "- x\n", "x\n",
    SHOP + "sytem: x\n", SHOP + "debug: false\n", SHOP + "debug: 1\n", SHOP + "debug: '${N}x'\ndebag: 1\n",
    SHOP + "memory: 2MiB\n", SHOP + "memory: 2mb\n", SHOP + "memory: 1048576\n", SHOP + "memory: -1\n",
    SHOP + "memory: []\n", SHOP + "listen: [ 'a:1', 'http://a/x', 'unix:/x' ]\n", SHOP + "listen: [ x ]\n",
    SHOP + "listen: 'a:1'\n", SHOP + "listen:\n", SHOP + "services: []\n", SHOP + "services:\n",
    SHOP + "services: { A: {} }\n", SHOP + "services: { a-: {} }\n", SHOP + "services: { a: x }\n",
    SHOP + "services: { a: }\n", SHOP + "labels: { '': x }\n", SHOP + "labels: { ' ': x }\n",
    SHOP + "routes: [ ]\n", SHOP + "routes: [ x ]\n", SHOP + "routes: [ {} ]\n", SHOP + "include: []\n",
    service("run: x"), service("run: [x, 1]"), service("run: { x: 1 }"), service("url: 'a:1'"),
    service("url: ['a:1', 'b:1', 'c:1', 'd:1', 'e:1']"), service("scale: 0"), service("scale: 1000"),
    service("scale: 1001"), service("scale: -1"), service("scale: 'x'"), service("scale: '2'"),
    service("scale: '${N}'"), service("scale: 1.5"), service("ready: /x"), service("ready: x"),
    service("balance: round-robin"), service("balance: random"), service("environment: { A: 1, B: 2 }"),
    service("environment: { A: 1, B: 2, C: 3 }"), service("environment: { 1A: 1 }"), service("timeout: 2s"),
    service("timeout: 30m5s"), service("timeout: 5"), service("timeout: 1s1h"),
    service("timeout: { total: 1s, idle: 0 }"), service("timeout: { total: 1s, idel: 0 }"), service("timeout: ''"),
    service("timeout: 1ms500us"), service("timeout: 500ms"), service("timeout: 1m500ms"), service("timeout: [1s]"),
    service("retry: 3"), service("retry: 11"), service("retry: { backoff: 1s..2s }"),
    service("retry: { backoff: 1s }"), service("retry: { backoff: 1s.. }"), service("retry: { budget: 5% }"),
    service("retry: { budget: 5 }"), service("retry: { budget: 0.5% }"), service("retry:"),
    service("tls: { certificate: c, key: k }"), service("tls: { certificate: c }"), service("tls:"),
    service("tls: { certificate: '', key: k }"), service("weight: 0.5"), service("weight: 1"),
    service("weight: 0.01"), service("weight: x"),
    route("a"), route("[]"), route("{}"), route(""), route("''"), route("{ gather: { from: a } }"),
    route("{ gather: {} }"), route("{ gathr: {} }"), route("{ gather: { from: a }, split: { parts: [ { to: a } ] } }"),
    route("{ gather: { from: a, otherwise: { gather: { from: a } } } }"), route("{ split: { parts: [] } }"),
    route("{ split: { parts: [ { to: a }, { to: a, weight: 2 } ] } }"), route("{ split: { parts: [ {} ] } }"),
    route("a", "{ limit: 5/s }"), route("a", "{ limit: 5 }"), route("a", "{ limit: { rate: 0.5/m, burst: 1 } }"),
    route("a", "{ limit: { rate: 5/d } }"), route("a", "{ limit: }"), route("a", "{ cache: }"),
    route("a", "{ none: }"), route("a", "{ none: { x: 1 } }"), route("a", "x"), route("a", "{ cach: {} }"),
    route("a", "{ limit: { rate: 5/s, by: '{header.x}/{a}' } }"), route("a", "{ limit: { rate: 5/s, by: '{' } }"),
    route("a", "{ limit: { rate: 5/s, by: '{{' } }"), route("a", "{ cache: { fill: 20% } }"),
    SHOP + "policies: { p: { cache: , none: } }\n", SHOP + "policies: { p: { x: } }\n", SHOP + "policies: { p: }\n",
]

# Refused by the loader for reasons that a JSON Schema can't give.
LOADER_ONLY = [
    SHOP + "memory: 1KiB\n", service("timeout: 2h"), service("retry: { budget: 120% }"), route("b"),
    service("retry: { attempts: 1, budget: 5% }"), service("retry: { backoff: 2s..1s }"), service("policy: p"),
    route("a", "{ limit: 2000/s }"), SHOP + "policies: { p: { cache: , none: , limit: 1/s, timeout: 1s } }\n",
]


def main(program):
    schema = json.loads(subprocess.run([program, "json"], check=True, stdout=subprocess.PIPE, timeout=20).stdout)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    failed = 0

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema" and schema["$id"]
    for name, definition in schema["$defs"].items():
        objects = definition.get("oneOf", [definition])
        for one in objects:
            if "properties" in one:
                assert one["additionalProperties"] is False, name
                for key, value in one["properties"].items():
                    assert value.get("description") or "$ref" in value, (name, key)
    assert schema["$defs"]["service"]["properties"]["scale"]["default"] == 1
    assert schema["$defs"]["example"]["properties"]["debug"]["default"] is True
    assert schema["$defs"]["example"]["required"] == ["system"]

    for text in SAME + LOADER_ONLY:
        run = subprocess.run([program, "load"], input=text.encode(), stdout=subprocess.PIPE, timeout=20)
        loads = run.returncode == 0
        valid = validator.is_valid(yaml.safe_load(text))
        expected = (loads, valid) == (False, True) if text in LOADER_ONLY else loads == valid
        if run.returncode not in (0, 1) or not expected:
            failed += 1
            print("loads: %s, valid: %s\n%s%s" % (loads, valid, text, run.stdout.decode()))
    print("%d texts, %d of them judged wrongly" % (len(SAME) + len(LOADER_ONLY), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
