"""The JSON Schema of weft.yaml: valid, and of one mind with control_load(). Run with the program that prints."""

import json
import subprocess
import sys

import yaml
from jsonschema import Draft202012Validator

SERVICES = "services: { orders: { run: ./orders } }\n"

# The verdicts must be equal.
SAME = [
    "", "system: shop\n", "system: Shop\n", "workers: 4\n", "workers: many\n", "sytem: x\n",
    "gateway: [ listen: 'http://0.0.0.0:8080' ]\n", "gateway: [ 'http://0.0.0.0:8080' ]\n", "gateway: [ {} ]\n",
    "log: { access: false }\n", "log: { access: 'false' }\n", "log: { acess: false }\n",
    "clients: { head: 5s, connections: 100 }\n", "clients: { head: 5 }\n", "control: { listen: '127.0.0.1:7070' }\n",
    "control: 'off'\n", "control: { lisen: x }\n", SERVICES, SERVICES + "routes: [ { to: orders } ]\n",
    SERVICES + "routes: [ {} ]\n", SERVICES + "routes: [ { to: { respond: 404 } } ]\n",
    SERVICES + "routes: [ { to: { respond: { status: 99 } } } ]\n", "routes: [ { to: { nothing: 1 } } ]\n",
    SERVICES + "routes: [ { match: /a, stages: [ { timeout: 1s } ], to: orders } ]\n",
    SERVICES + "routes: [ { match: { pth: /a }, to: orders } ]\n", "services: { A: { run: x } }\n",
    SERVICES + "routes: [ { stages: [ { limit: 1 } ], to: orders } ]\n",
    "services: { a: { run: [./a, b], scale: 3, ready: /x, env: { A: b }, port: true, balance: least-request } }\n",
    "services: { a: { run: ./a, scale: 1001 } }\n", "services: { a: { run: ./a, balance: random } }\n",
    "services: { a: { url: 'http://10.0.0.1:80' } }\n", "policies: { a: { timeout: 2s, per-try: 1s, retry: 3 } }\n",
    "policies: { a: { timeout: 2 } }\n", "policies: { a: { tiemout: 2s } }\n", "policies: { a: }\n",
]


def main():
    program = sys.argv[1]
    schema = json.loads(subprocess.run([program, "json"], capture_output=True, check=True, timeout=20).stdout)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for text in SAME:
        loaded = subprocess.run([program, "load"], input=text.encode(), capture_output=True, timeout=20)
        document = yaml.safe_load(text)
        faults = [fault.message for fault in validator.iter_errors({} if document is None else document)]
        assert (loaded.returncode == 0) == (not faults), (text, loaded.stdout.decode(), faults)
    print(f"{len(SAME)} texts, one verdict each")


if __name__ == "__main__":
    main()
