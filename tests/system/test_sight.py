"""What went through the system is told as it was: /v1/traffic, /v1/traces, /v1/topology, beside log and metrics."""
import json
import re
import time
import urllib.parse

import pytest

from running import ROOT, SERVICE, wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.fixture
def shop(system):
    """web calls orders; one of two instances of flaky never answers; echo is another gateway's own answer."""
    service = f"run: {SERVICE}, ready: /readyz"
    system.write({"web": f"{{ {service} }}", "orders": f"{{ {service} }}",
                  "flaky": f"{{ run: {SERVICE} --drop flaky-0, ready: /readyz, scale: 2, policy: often }}"},
                 ["  - match: { path: /web, prefix: true }", "    to: web",
                  "  - match: { path: /flaky, prefix: true }", "    to: flaky",
                  "  - match: { path: /status }", "    to: orders",
                  "  - match: { path: /call }", "    to: web",
                  "  - match: { path: /who }", "    to: orders",
                  "  - match: { path: /teapot }", "    to: { respond: { status: 418, body: short } }"],
                 more="policies: { often: { retry: { attempts: 4, backoff: 1ms..2ms, floor: 100/s } } }")
    system.up().ready()
    wait_until(lambda: all(state == "ready" for state in states(system).values()), "all instances are ready")
    return system


def states(system):
    return {one["name"]: one["state"] for one in tell(system, "/v1/endpoints")["endpoints"]}


def tell(system, path, status=200):
    found, body = system.get(path, system.control)
    assert found == status, (found, body)
    return json.loads(body)


def traffic(system, **filters):
    return tell(system, f"/v1/traffic?{urllib.parse.urlencode(filters)}")["exchanges"]


def ask(system, path, trace=None):
    """The status, the fields of the answer, and how long it took in milliseconds."""
    connection = system.connect()
    begin = time.monotonic()
    connection.request("GET", path, headers={"traceparent": f"00-{trace}-{PARENT}-01"} if trace else {})
    answer = connection.getresponse()
    answer.read()
    took = (time.monotonic() - begin) * 1000
    connection.close()
    return answer.status, answer.headers, took


def check_times(exchange):
    """Steps lie within the exchange, and each within the nearest one before that is less deep."""
    open_steps = []
    for step in exchange["steps"]:
        begin, end = step["start_ms"], step["start_ms"] + step["duration_ms"]
        assert 0 <= begin <= end <= exchange["duration_ms"] + 0.002
        while open_steps and open_steps[-1]["depth"] >= step["depth"]:
            open_steps.pop()
        assert step["depth"] == (open_steps[-1]["depth"] + 1 if open_steps else 0)
        if open_steps:
            outer = open_steps[-1]
            assert outer["start_ms"] <= begin and end <= outer["start_ms"] + outer["duration_ms"] + 0.002
        open_steps.append(step)


def test_a_retry_is_seen_as_two_endpoint_steps(shop):
    """Whoever is asked first: of several requests, one meets the instance that hangs up."""
    found = None
    for number in range(10):
        assert ask(shop, f"/flaky?{number}")[0] == 200
    for exchange in wait_until(lambda: traffic(shop, service="flaky"), "they are told"):
        check_times(exchange)
        tries = [step for step in exchange["steps"] if step["stage"] == "endpoint"]
        assert len(tries) == exchange["attempts"] and tries[-1]["detail"] == "flaky-1" == exchange["endpoint"]
        assert tries[-1]["outcome"] == "ok" and tries[-1]["status"] == 200
        retry = next(step for step in exchange["steps"] if step["stage"] == "retry")
        assert retry["detail"] == str(len(tries)) and retry["path"] == "services/flaky/retry"
        if len(tries) > 1:
            found = exchange
            assert tries[0]["detail"] == "flaky-0"
            assert tries[0]["outcome"] == "upstream_closed" and tries[0]["status"] == 0
            assert tries[0]["start_ms"] + tries[0]["duration_ms"] <= tries[1]["start_ms"]
    assert found and [step["stage"] for step in found["steps"]][:3] == ["route", "timeout", "retry"]


def test_a_trace_links_calls_over_the_mesh(shop):
    status, _, took = ask(shop, "/call?orders/slow%3F0.05", TRACE)
    assert status == 200
    trace = wait_until(lambda: whole_trace(shop), "both exchanges are told")
    outer, inner = trace["exchanges"]
    assert trace["trace_id"] == TRACE and outer["parent_id"] == PARENT
    assert inner["parent_id"] == outer["span_id"] != inner["span_id"]
    assert (outer["gateway"], outer["caller"], outer["service"]) == ("gateway", "", "web")
    assert (inner["gateway"], inner["caller"], inner["service"]) == ("mesh", "web", "orders")
    assert outer["path"] == "/call?orders/slow%3F0.05" and inner["path"] == "/slow?0.05"
    assert outer["offset_ms"] == 0 < inner["offset_ms"]
    spans = []
    for exchange in (outer, inner):
        check_times(exchange)
        endpoint = exchange["steps"][-1]
        begin = exchange["offset_ms"] + endpoint["start_ms"]
        spans.append((begin, begin + endpoint["duration_ms"]))
        assert endpoint["stage"] == "endpoint" and endpoint["duration_ms"] >= 50
    # an exchange ends after its client has the answer; where the answer began is told in order
    assert spans[0][0] <= spans[1][0] and spans[1][1] <= spans[0][1] + 0.002 and spans[0][1] <= took + 0.002
    check_log(shop, trace)


def whole_trace(system):
    status, body = system.get(f"/v1/traces/{TRACE}", system.control)
    trace = json.loads(body)
    return trace if status == 200 and len(trace["exchanges"]) == 2 else None


def lines(system):
    return [json.loads(line) for line in system.out_path.read_text().splitlines() if line.startswith('{"time"')]


def check_log(system, trace):
    """The access log tells of the same spans, parents and callers."""
    spans = {one["span_id"]: one for one in trace["exchanges"]}
    found = wait_until(lambda: [one for one in lines(system) if one.get("span_id") in spans][1:] and
                       [one for one in lines(system) if one.get("span_id") in spans], "the lines are written")
    for line in found:
        told = spans[line["span_id"]]
        for name in ("trace_id", "parent_id", "caller", "gateway", "service", "endpoint", "status", "outcome",
                     "request_id", "path", "attempts"):
            assert line[name] == told[name], name
        assert line["flags"] == told["mark"]
        assert abs(line["duration_ms"] - told["duration_ms"]) < 5


def test_a_request_without_a_trace_begins_one(shop):
    ask(shop, "/who?first")
    one = wait_until(lambda: [one for one in traffic(shop) if one["path"] == "/who?first"], "it is told")[0]
    assert re.fullmatch("[0-9a-f]{32}", one["trace_id"]) and one["parent_id"] == "" and one["caller"] == ""
    assert tell(shop, f"/v1/traces/{one['trace_id']}")["exchanges"][0]["span_id"] == one["span_id"]
    assert tell(shop, f"/v1/traces/{'f' * 32}", 404)["type"] == "urn:weft:control:no-trace"


def test_filters_and_bad_parameters(shop):
    for path in ["/status?503", "/teapot", "/none", "/who?fine"]:
        ask(shop, path)
    wait_until(lambda: len(traffic(shop)) >= 4, "they are told")
    failed = {one["path"] for one in traffic(shop, errors="true")} - {"/who"}  # asked before anybody was ready
    assert failed == {"/status?503", "/none"}
    route = next(one["route"] for one in traffic(shop) if one["path"] == "/status?503")
    assert [one["status"] for one in traffic(shop, service="orders", route=route)] == [503]
    assert len(traffic(shop, limit=1)) == 1
    assert traffic(shop, slower_ms=60000) == []
    said = tell(shop, "/v1/traffic?limit=many", 400)
    assert said["detail"] == 'limit must be a number from 1 to 1000 (is "many")'
    assert said["type"] == "urn:weft:control:parameter"
    assert "limit, service, route" in tell(shop, "/v1/traffic?limits=1", 400)["detail"]


def test_proxy_status_says_who_failed(shop):
    assert ask(shop, "/status?503")[1]["Proxy-Status"] == "weft; received-status=503"
    assert ask(shop, "/status?404")[1]["Proxy-Status"] is None
    assert ask(shop, "/who")[1]["Proxy-Status"] is None
    assert ask(shop, "/none")[1]["Proxy-Status"] == 'weft; error=destination_not_found; details="no_route"'


def counted(system):
    """What /metrics says of each edge: requests and seconds."""
    edges = {}
    text = system.get("/metrics", system.control)[1]
    pattern = r'^http_server_request_duration_seconds_(count|sum)\{(.*)\} (.*)$'
    for kind, labels, value in re.findall(pattern, text, re.MULTILINE):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        key = (labels.get("weft_caller") or labels["weft_gateway"], labels.get("weft_service", ""))
        edges.setdefault(key, {"count": 0, "sum": 0})[kind] += float(value)
    return edges


def edges_of(topology):
    return {(edge["from"], edge["to"]): edge for edge in topology["edges"]}


def test_the_topology_adds_up_with_the_metrics(shop):
    before = edges_of(tell(shop, "/v1/topology"))  # it was asked before anybody was ready
    for path in ["/call?orders/who"] * 7 + ["/who"] * 5 + ["/teapot", "/none", "/status?500"] + ["/flaky"] * 6:
        ask(shop, path)
    wait_until(lambda: len(traffic(shop, service="flaky")) == 6, "the last ones have ended")
    topology = tell(shop, "/v1/topology")
    edges = edges_of(topology)
    assert {key: edge["requests"] for key, edge in edges.items()} == \
        {key: edge["count"] for key, edge in counted(shop).items()}
    for key, edge in counted(shop).items():
        assert abs(edges[key]["seconds"] - edge["sum"]) < 1e-5
        assert edges[key]["buckets"][-1] == {"le": "+Inf", "count": edges[key]["requests"]}
    assert edges["web", "orders"]["requests"] == 7 and edges["web", "orders"]["from_kind"] == "service"
    assert edges["gateway", "web"]["requests"] == 7 and edges["gateway", "web"]["from_kind"] == "gateway"
    assert edges["gateway", "orders"]["errors"] == before["gateway", "orders"]["errors"] + 1
    assert edges["gateway", ""]["to_kind"] == "answer" and edges["gateway", ""]["requests"] >= 2
    assert edges["gateway", "flaky"]["retries"] >= 1
    nodes = {node["name"]: node for node in topology["nodes"]}
    assert nodes["flaky"] == {"name": "flaky", "kind": "service", "ready": 2, "endpoints": 2, "restarts": 0,
                              "state": "ready"}
    assert nodes["gateway"]["kind"] == "gateway"


def test_the_page_lists_every_mark():
    table = (ROOT / "src/exchange/outcome.def").read_text()
    page = (ROOT / "docs/sight.md").read_text()
    outcomes = re.findall(r'^OUTCOME\(\w+, "(\w+)", (\d+), "([^"]+)", "([^"]*)", \w+, "([^"]+)"\)', table, re.MULTILINE)
    assert len(outcomes) == len(re.findall("^OUTCOME", table, re.MULTILINE)) > 20
    for name, status, mark, token, text in outcomes:
        assert f"| `{mark}` | `{name}` | {status if status != '0' else '-'} | " \
               f"{f'`{token}`' if token else '-'} | {text} |\n" in page


def test_remembering_can_be_turned_off(shop):
    ask(shop, "/who?seen")
    wait_until(lambda: traffic(shop), "it is told")
    path = shop.folder / "weft.yaml"
    path.write_text(path.read_text() + "log: { traffic: false }\n")
    shop.weft("apply", check=0)
    ask(shop, "/who?unseen")
    told = tell(shop, "/v1/traffic")
    assert told["recording"] is False
    assert "/who?unseen" not in {one["path"] for one in told["exchanges"]}
