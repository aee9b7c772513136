"""What /v1/explain says is what happens: generated routes and requests, each explained and then made."""
import json
import random
import urllib.parse

import pytest

from running import SERVICE, free_port, wait_until

SEED = 20261121
ROUTES = 60
REQUESTS = 200
GATEWAYS = ["public", "internal", "admin"]
SERVICES = ["orders", "catalog", "users"]
HOSTS = ["shop.example.com", "api.example.com", "*.example.com", "*.api.example.com", "other.test"]
ELEMENTS = ["a", "b", "orders", "items", "v1"]
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]


class Route:
    """One of the file's, and how to meet it."""

    def __init__(self, chance, number):
        self.name = f"r{number}"
        self.host = chance.choice([None, None, *HOSTS])
        self.gateways = chance.choice([None, None, chance.sample(GATEWAYS, chance.randint(1, 2))])
        self.methods = chance.choice([None, None, chance.sample(METHODS, chance.randint(1, 2))])
        self.header = chance.choice([None, None, None, {"exact": chance.choice("12")}, {"regex": "[0-9]+"},
                                     {"present": True}, {"present": False}])
        self.query = chance.choice([None, None, None, {"exact": "1"}, {"regex": "x.*"}])
        self.path, self.regex, self.prefix = None, None, False
        kind = chance.choice(["exact", "exact", "prefix", "prefix", "parameters", "parameters", "rest", "regex", "any"])
        start = "/" + "/".join(chance.choices(ELEMENTS, k=chance.randint(1, 2)))
        if kind in ("exact", "prefix"):
            self.path, self.prefix = start, kind == "prefix"
        elif kind == "parameters":
            self.path = start + "/{id}" + chance.choice(["", "/items", "/{sub}"])
            self.prefix = chance.random() < 0.3
        elif kind == "rest":
            self.path = start + "/{rest...}"
        elif kind == "regex":
            self.regex = start + chance.choice(["/[0-9]+", "(/.*)?", "/[a-z]{2,4}/?"])
        self.target = chance.choice([*SERVICES, *SERVICES, "respond", "redirect"])
        if self.prefix and "{" not in self.path and chance.random() < 0.5:
            self.target = "files"
        self.rewrite = self.target in SERVICES and chance.random() < 0.3

    def key(self):
        return json.dumps([self.host, self.gateways, self.methods, self.header, self.query, self.path, self.regex,
                           self.prefix])

    def written(self):
        match = {}
        if self.host:
            match["host"] = self.host
        if self.path:
            match["path"] = self.path
        if self.regex:
            match["regex"] = self.regex
        if self.prefix:
            match["prefix"] = True
        if self.methods:
            match["method"] = self.methods
        if self.header:
            match["header"] = {"X-Test": self.header}
        if self.query:
            match["query"] = {"q": self.query}
        route = {"name": self.name, "match": match, "stages": [], "to": self.target}
        if self.gateways:
            route["gateway"] = self.gateways
        if self.target == "respond":
            route["to"] = {"respond": {"status": 210 + int(self.name[1:]), "body": self.name}}
        if self.target == "redirect":
            route["to"] = {"redirect": {"status": 307, "path": "/new/" + self.name, "host": "elsewhere.test"}}
        if self.target == "files":
            route["to"] = {"files": {"root": "files", "strip": self.path}}
        parameters = [name for name in ("id", "sub", "rest") if self.path and f"{{{name}" in self.path]
        if self.target in SERVICES and parameters:
            route["stages"].append({"headers": {"response": {"set": {
                f"X-{name}": f"<{{path.{name}}}>" for name in parameters}}}})
        if self.rewrite:
            route["stages"].append({"rewrite": {"path": "/rewritten/" + self.name, "query": "by=rewrite"}})
        return route

    def met(self, chance):
        """A request that is likely to be for it: method, gateway, host, path with query, header."""
        host = (self.host or chance.choice(HOSTS)).replace("*", chance.choice(["www", "a.b"]))
        path = self.path or "/" + "/".join(chance.choices(ELEMENTS, k=2))
        if self.regex:
            path = self.regex.split("(")[0].split("[")[0].rstrip("/") + chance.choice(["/42", "/abc", "", "/abc/"])
        for name, value in (("{id}", ["7", "x%20y", "new"]), ("{sub}", ["s", "a"]), ("{rest...}", ["", "a/b", "c"])):
            path = path.replace(name, chance.choice(value))
        if self.target == "files":
            path += chance.choice(["/page.txt", "/none.txt", "", "/", "/folder"])
        elif self.prefix:
            path += chance.choice(["", "/", "/below", "/items/9", "x"])
        query = chance.choice([None, "q=1", "q=xyz", "p=2&q=1"])
        return Request(method=chance.choice(self.methods or METHODS), gateway=chance.choice(self.gateways or GATEWAYS),
                       host=host, path=path, query=query if chance.random() < 0.8 else None,
                       header=chance.choice([None, "1", "2", "77", "word"]))


class Request:
    def __init__(self, **what):
        self.__dict__.update(what)

    def changed(self, chance):
        """The same with one thing that is different."""
        what = dict(self.__dict__)
        part = chance.choice(list(what))
        what[part] = {"method": chance.choice(METHODS), "gateway": chance.choice(GATEWAYS),
                      "host": chance.choice(["shop.example.com", "EXAMPLE.com", "x.api.example.com", "nobody.test"]),
                      "path": chance.choice(["/", "/a", "//a", "/a/../b", "/a/%2e%2e/b", "/A", "/orders/7/items/3",
                                             self.path + "/", self.path + "%2F", "/a;x"]),
                      "query": chance.choice([None, "", "q", "q=2", "q=1&q=x"]),
                      "header": chance.choice([None, "", "1", "x"])}[part]
        return Request(**what)

    def target(self):
        return self.path + ("" if self.query is None else "?" + self.query)


def generate():
    chance = random.Random(SEED)
    routes, keys = [], set()
    while len(routes) < ROUTES:
        route = Route(chance, len(routes))
        if route.key() not in keys:
            keys.add(route.key())
            routes.append(route)
    requests = []
    for _ in range(REQUESTS):
        request = chance.choice(routes).met(chance)
        requests.append(request.changed(chance) if chance.random() < 0.4 else request)
    return routes, requests


@pytest.fixture
def shop(system):
    routes, requests = generate()
    system.ports = {name: free_port() for name in GATEWAYS}
    system.write_raw(json.dumps({
        "system": "explained",
        "gateway": [{"name": name, "listen": f"http://127.0.0.1:{port}"} for name, port in system.ports.items()],
        "workers": 2,
        "control": {"listen": f"127.0.0.1:{system.control}"},
        "services": {name: {"run": SERVICE, "ready": "/readyz"} for name in SERVICES},
        "routes": [route.written() for route in routes],
    }, indent=1))
    (system.folder / "files/folder").mkdir(parents=True)
    (system.folder / "files/page.txt").write_text("a page")
    system.up()
    wait_until(lambda: system.process.poll() is not None or is_ready(system), "all services are ready")
    assert system.process.poll() is None, system.log()
    return system, requests


def is_ready(system):
    try:
        endpoints = tell(system, "/v1/endpoints")["endpoints"]
    except OSError:
        return False
    return len(endpoints) == len(SERVICES) and all(one["state"] == "ready" for one in endpoints)


def tell(system, path):
    status, body = system.get(path, system.control)
    assert status == 200, (path, status, body)
    return json.loads(body)


def explain(system, request):
    what = [("method", request.method), ("url", f"http://{request.host}{request.target()}"),
            ("gateway", request.gateway)]
    if request.header is not None:
        what.append(("header", f"X-Test: {request.header}"))
    return tell(system, "/v1/explain?" + urllib.parse.urlencode(what))


def make(system, request, number):
    """Status, fields and body of the real answer."""
    connection = system.connect(system.ports[request.gateway])
    try:
        connection.putrequest(request.method, request.target(), skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", request.host)
        connection.putheader("X-Request-Id", f"case-{number}")
        if request.header is not None:
            connection.putheader("X-Test", request.header)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def compare(case, explained, answer, exchange):
    status, fields, body = answer
    assert exchange["route"] == explained.get("route", ""), case
    assert exchange["service"] == explained.get("service", ""), case
    assert exchange["gateway"] == explained["gateway"], case
    if explained.get("service"):
        assert "status" not in explained and exchange["outcome"] == "ok", case
        for name, value in explained["parameters"].items():
            assert fields[f"X-{name}"] == f"<{value}>", case
        if case.method == "GET" and status == 200:
            forwarded = explained["forwarded"]
            query = "?" + forwarded["query"] if forwarded["query"] else ""
            assert json.loads(body)["path"].rstrip("?") == forwarded["path"] + query, case
            assert json.loads(body)["service"] == explained["service"], case
    else:
        assert status == explained["status"], case
        assert fields["Location"] == explained.get("location"), case
    chosen = [route["name"] for route in explained.get("routes", []) if route["chosen"]]
    assert chosen == ([exchange["route"]] if exchange["route"] else []), case


def test_explained_is_what_happens(shop):
    system, requests = shop
    before = {one["name"]: one["checks"] for one in tell(system, "/v1/endpoints")["endpoints"]}
    explained = [explain(system, request) for request in requests]
    assert tell(system, "/v1/traffic")["exchanges"] == []  # asking is no traffic
    answers = [make(system, request, number) for number, request in enumerate(requests)]
    told = wait_until(lambda: all_told(system), "every exchange is told")
    for number, request in enumerate(requests):
        compare(request, explained[number], answers[number], told[f"case-{number}"])
    check_spread(explained)
    assert before.keys() == {one["name"] for one in tell(system, "/v1/endpoints")["endpoints"]}


def all_told(system):
    told = {one["request_id"]: one for one in tell(system, "/v1/traffic?limit=1000")["exchanges"]}
    return told if len(told) >= REQUESTS else None


def check_spread(explained):
    """The cases are worth something: each kind of end is among them, and many routes."""
    kinds = [(one["answer"], one["stages"][-1]["stage"] if one.get("stages") else "") for one in explained]
    for kind in [("route", "endpoint"), ("route", "respond"), ("route", "redirect"), ("route", "files"),
                 ("no_route", ""), ("bad_request", "")]:
        assert kinds.count(kind) >= 2, (kind, kinds.count(kind))
    assert len({one.get("route") for one in explained}) > ROUTES / 3
    assert sum(bool(one.get("parameters")) for one in explained) >= 10


def test_the_command_says_the_same(shop):
    system, requests = shop
    for request in requests[:10]:
        header = [] if not request.header else ["-H", f"X-Test: {request.header}"]
        arguments = ["explain", request.method, f"http://{request.host}{request.target()}", "--gateway",
                     request.gateway, *header]
        running = json.loads(system.weft(*arguments, "-o", "json", check=0).stdout)
        if not request.header:
            continue
        assert without_state(running) == without_state(explain(system, request))
        alone = system.weft(*arguments, "-o", "json", "-f", "weft.yaml", "--dir", "nobody-runs-here", check=0)
        alone = json.loads(alone.stdout)
        assert alone["running"] is False and "endpoints" not in alone
        assert without_state(alone) == without_state(running)
        text = system.weft(*arguments, check=0).stdout
        for route in running.get("routes", []):
            assert not route["chosen"] or f"{route['name']}  " in text


def without_state(answer):
    return {name: value for name, value in answer.items() if name not in ("running", "config", "endpoints", "score_is")}


def test_endpoints_are_told_as_balance_sees_them(shop):
    system, _ = shop
    one = explain(system, Request(method="GET", host="orders", path="/x", query="y", gateway="mesh", header=None))
    assert one["answer"] == "mesh" and one["service"] == "orders" and one["forwarded"]["path"] == "/x"
    assert one["endpoints"] == [{**one["endpoints"][0], "name": "orders-0", "state": "ready", "active": 0, "score": 1,
                                 "chosen": True, "ejected": False, "reason": ""}]
    assert [stage["stage"] for stage in one["stages"]] == ["timeout", "retry", "balance", "endpoint"]
    assert one["stages"][0]["settings"] == {"limit": "15s"}


@pytest.mark.parametrize("query, detail", [
    ("", "url must be given"),
    ("url=ftp://x/", "url must begin with"),
    ("url=/x&gateway=wrong", "gateway must be one of public, internal, admin, mesh"),
    ("url=/x&header=nocolon", "header must be one line"),
    ("url=/x&header=A:%20b%0d%0aC:%20d", "header must be one line"),
    ("url=/x&method=A%0aB", "method must be one word"),
    ("url=/x&methods=GET", "a parameter must be method, url, gateway or header"),
    ("url=http://u:p@host/", "without user and password"),
])
def test_bad_questions_are_refused(system, query, detail):
    system.write({"one": f"{{ run: {SERVICE}, ready: /readyz }}"},
                 ["  - match: { path: / }", "    to: one"],
                 more="", workers=1)
    text = (system.folder / "weft.yaml").read_text()
    names = "".join(f"  - {{ listen: 'http://127.0.0.1:{free_port()}', name: {name} }}\n" for name in GATEWAYS)
    system.write_raw(text.replace(f"  - listen: http://127.0.0.1:{system.port}\n", names))
    system.up()
    wait_until(lambda: reads(system), "the control API answers")
    status, body = system.get(f"/v1/explain?{query}", system.control)
    assert status == 400 and detail in json.loads(body)["detail"], body


def reads(system):
    try:
        return system.get("/readyz", system.control)[0] == 200
    except OSError:
        return False
