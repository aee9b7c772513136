"""A control API that says what a test wants: fixed numbers for the dashboard, and faults that a real system has rarely.

Each answer of /v1/topology is `step` seconds after the one before, whenever it is asked for, so that rates and
quantiles in the page are exact numbers. To look at the page by hand:

    python3 tests/system/dashboard_mock.py build/debug/web/files 7171
"""
import datetime
import http.server
import json
import pathlib
import sys
import threading
import time
import urllib.parse

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8"}
POLICY = ("default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; "
          "require-trusted-types-for 'script'; trusted-types 'none'")
BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
START = datetime.datetime(2026, 11, 21, 8, 30, tzinfo=datetime.timezone.utc)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
EVIL = "<img src=x onerror=\"document.title='owned'\">"


def moment(seconds):
    text = (START + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Edge:
    """Counts so much each second: `times` are exchanges by the upper bound of their bucket, in seconds."""

    def __init__(self, start, end, times, errors=0, retries=0):
        self.start, self.end, self.times = start, end, times
        self.errors, self.retries = errors, retries
        self.until = None  # seconds: nothing is counted after that

    def told(self, seconds):
        counts, sum_of = [], 0
        seconds = min(seconds, self.until or seconds)
        for bound in [*BOUNDS, "+Inf"]:
            sum_of += self.times.get(bound, 0) * seconds
            counts.append({"le": bound, "count": sum_of})
        spent = sum((bound if bound != "+Inf" else 20) * 0.8 * number for bound, number in self.times.items())
        return {"from": self.start[1], "from_kind": self.start[0], "to": self.end[1], "to_kind": self.end[0],
                "requests": sum_of, "errors": self.errors * seconds, "retries": self.retries * seconds,
                "seconds": spent * seconds, "buckets": counts}


def step(stage, depth, start, duration, outcome="ok", detail=""):
    return {"stage": stage, "path": f"services/{stage}", "depth": depth, "start_ms": start, "duration_ms": duration,
            "outcome": outcome, "detail": detail}


def exchange(number, at, **more):
    """One that went well; `at` is when it ended, in seconds from the start."""
    base = {"time": moment(at), "trace_id": f"{number:032x}", "span_id": f"{number:016x}", "parent_id": "",
            "request_id": f"r-{number}", "gateway": "web", "caller": "", "client": "127.0.0.1:50000", "method": "GET",
            "authority": "127.0.0.1:8080", "path": "/", "protocol": "http/1.1", "route": "shop",
            "service": "storefront", "endpoint": "storefront-1", "status": 200, "outcome": "ok", "mark": "-",
            "reason": "answered", "duration_ms": 4.2, "bytes_received": 0, "bytes_sent": 5120, "attempts": 1, "worker": 0,
            "steps": [step("route", 0, 0.004, 4.19), step("timeout", 1, 0.006, 4.18), step("retry", 2, 0.007, 4.17),
                      step("balance", 3, 0.01, 4.16), step("endpoint", 4, 0.012, 4.15, detail="storefront-1")],
            "steps_dropped": 0}
    return {**base, **more}


def checkout():
    """A trace through three services, whose last call was tried twice; times are ends."""
    common = {"trace_id": TRACE, "method": "POST"}
    return [
        exchange(0xa1, 10.120, **common, path="/checkout", span_id="00f067aa0ba902b7", duration_ms=120.0, status=503,
                 outcome="ok", bytes_received=312,
                 steps=[step("route", 0, 0.01, 119.9), step("retry", 1, 0.02, 119.8),
                        step("endpoint", 2, 0.1, 119.7, detail="storefront-1")]),
        exchange(0xa2, 10.110, **common, path="/orders", span_id="00f067aa0ba902b8", parent_id="00f067aa0ba902b7",
                 gateway="mesh", caller="storefront", service="orders", endpoint="orders-2", route="orders",
                 duration_ms=80.0, status=201, authority="127.0.0.1:40123",
                 steps=[step("route", 0, 0.01, 79.9), step("endpoint", 1, 0.1, 79.8, detail="orders-2")]),
        exchange(0xa3, 10.105, **common, path="/reservations", span_id="00f067aa0ba902b9",
                 parent_id="00f067aa0ba902b8", gateway="mesh", caller="orders", service="inventory",
                 endpoint="inventory-1", route="inventory", duration_ms=60.0, status=504, outcome="timeout",
                 mark="TO", reason="no answer within 25 ms, twice", attempts=2, authority="127.0.0.1:40123",
                 steps=[step("route", 0, 0.01, 59.9), step("retry", 1, 0.02, 59.8, "timeout"),
                        step("try", 2, 0.03, 25.1, "timeout", "1"), step("endpoint", 3, 0.05, 25.0, "timeout",
                                                                         "inventory-1"),
                        step("try", 2, 34.7, 25.1, "timeout", "2"), step("endpoint", 3, 34.8, 25.0, "timeout",
                                                                         "inventory-1")]),
    ]


class Mock:
    """Serves the dashboard's files and the API's answers. Attributes may be changed at any time."""

    def __init__(self, files):
        self.files = pathlib.Path(files)
        self.step = 1
        self.asked = 0  # answers of /v1/topology so far
        self.reset_at = 0  # the counts began anew with that answer
        self.missing = set()  # paths that are 404
        self.ready = 2  # instances of orders
        self.restarts = 3
        self.offsets = True  # /v1/traces says when exchanges started, and not only when they ended
        self.edges = [
            Edge(("gateway", "web"), ("service", "storefront"), {0.005: 30, 0.01: 8, 0.025: 2}),
            Edge(("gateway", "web"), ("answer", ""), {0.005: 4}, errors=1),
            Edge(("service", "storefront"), ("service", "orders"), {0.025: 10, 0.05: 10}, errors=3, retries=1),
            Edge(("service", "storefront"), ("service", "inventory"), {0.005: 50}),
            Edge(("service", "orders"), ("service", "inventory"), {0.25: 9, "+Inf": 1}),
        ]
        self.exchanges = [*checkout(), *(exchange(n, 9 - n / 10) for n in range(1, 40))]
        self.exchanges[5].update(path=f"/search?q={EVIL}", method="GET", status=404, outcome="no_route", service="",
                                 endpoint="", route="", mark="NR", reason="no route matches", duration_ms=0.09, steps=[])
        self.log = []
        for n in range(30):
            self.write("orders", f"orders-{n % 2 + 1}", f"order {n} stored")
        self.write("inventory", "inventory-1", EVIL, "err")
        self.write("orders", "orders-1", json.dumps({"time": "2026-11-21T08:30:00Z", "level": "error", "trace_id": TRACE,
                                                     "message": "inventory gave no answer", "order": 17}))
        self.requests = []  # what was asked for
        self.server = None
        self.port = 0

    def write(self, service, instance, message, stream="out"):
        self.log.append({"time": moment(len(self.log) / 7), "service": service, "instance": instance,
                         "stream": stream, "message": message})

    # --- answers

    def status(self, _):
        return {"system": "shop", "version": "0.1.0", "config": 3, "uptime_seconds": 4000 + self.asked, "workers": 2,
                "pid": 4711, "ready": True, "gateways": [{"name": "web", "listen": "http://0.0.0.0:8080"}]}

    def services(self, _):
        rows = [("storefront", 1, 1, 0), ("orders", 3, self.ready, self.restarts), ("inventory", 1, 1, 0)]
        return {"services": [{"name": name, "kind": "run", "ready": ready, "endpoints": scale, "scale": scale,
                              "balance": "round-robin", "policy": "call", "run": f"./{name}", "restarts": restarts, "scale_file": 1,
                              "limits": {"memory": 268435456, "cpu": 0.5}, "needs": ["inventory"] if name == "orders" else []}
                             for name, scale, ready, restarts in rows]}

    def endpoints(self, _):
        def row(service, number, state="ready", **more):
            return {"service": service, "name": f"{service}-{number}", "address": f"unix:.weft/{service}-{number}",
                    "state": state, "ejected": False, "checks": 9, "checks_failed": 0, "process": "ready",
                    "pid": 5000 + number, "restarts": 0, "active": 1, "weight": 1, "live": "ok", **more}
        broken = {"state": "absent", "process": "backing-off", "restarts": 3, "pid": 0,
                  "last_exit": "ended with status 3"} if self.ready < 3 else {}
        return {"endpoints": [row("storefront", 1), row("orders", 1), row("orders", 2),
                              row("orders", 3, **broken), row("inventory", 1)]}

    def topology(self, _):
        self.asked += 1
        nodes = [{"name": "web", "kind": "gateway", "ready": 0, "endpoints": 0, "restarts": 0, "state": "ready"}]
        for service in self.services(None)["services"]:
            state = "ready" if service["ready"] == service["endpoints"] else "degraded"
            nodes.append({"name": service["name"], "kind": "service", "ready": service["ready"],
                          "endpoints": service["endpoints"], "restarts": service["restarts"], "state": state})
        seconds = (self.asked - self.reset_at) * self.step
        return {"time": moment(self.asked * self.step), "nodes": nodes,
                "edges": [edge.told(seconds) for edge in self.edges]}

    def routes(self, _):
        return {"routes": [{"name": "shop", "gateways": ["web"], "hosts": [], "path": "/products", "path_kind": "prefix",
                            "methods": [], "headers": [], "query": [], "stages": [], "to": "storefront",
                            "to_kind": "service"}]}

    def traffic(self, query):
        found = self.exchanges
        if "service" in query:
            found = [one for one in found if one["service"] == query["service"]]
        if query.get("errors") == "true":
            found = [one for one in found if one["status"] >= 500 or one["outcome"] != "ok"]
        if "slower_ms" in query:
            found = [one for one in found if one["duration_ms"] > float(query["slower_ms"])]
        return {"recording": True, "exchanges": found[:int(query.get("limit", 100))]}

    def trace(self, trace_id):
        found = [dict(one) for one in self.exchanges if one["trace_id"] == trace_id]
        for one, offset in zip(found, (0.0, 30.25, 45.5)):
            if self.offsets:
                one["offset_ms"] = offset
        return {"trace_id": trace_id, "exchanges": found[::-1]} if found else None

    def logs(self, query):
        after = int(query.get("after", 0))
        lines = [line for line in self.log[after:] if query.get("service", line["service"]) == line["service"]]
        return {"lines": lines if after else lines[-int(query.get("tail", 200)):], "cursor": str(len(self.log))}

    def answer(self, path, query):
        self.requests.append(path)
        if path in self.missing:
            return None
        if path.startswith("/v1/traces/"):
            return self.trace(path.removeprefix("/v1/traces/"))
        name = path.removeprefix("/v1/")
        known = ("status", "services", "endpoints", "topology", "routes", "traffic", "logs")
        return getattr(self, name)(query) if path.startswith("/v1/") and name in known else None

    # --- the server

    def start(self, port=0):
        mock = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if mock.server is None:  # a connection that was kept open
                    self.close_connection = True
                    return None
                url = urllib.parse.urlsplit(self.path)
                name = "index.html" if url.path == "/" else url.path[1:]
                file = mock.files / name
                if "/" not in name and file.is_file():
                    return self.send(200, TYPES[file.suffix], file.read_bytes(),
                                     {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})
                told = mock.answer(url.path, dict(urllib.parse.parse_qsl(url.query)))
                if told is None:
                    problem = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is none"}
                    return self.send(404, "application/problem+json", json.dumps(problem).encode())
                return self.send(200, "application/json", json.dumps(told).encode())

            def send(self, status, kind, body, more=None):
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(more or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):  # browsers drop connections
                pass

        self.server = Server(("127.0.0.1", port or self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


if __name__ == "__main__":
    mock_by_hand = Mock(sys.argv[1]).start(int(sys.argv[2]))
    print(mock_by_hand.url)
    while True:
        time.sleep(1)
