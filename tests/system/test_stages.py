"""examples/stages does what its page says; stages in front of a real service, with real clients."""
import http.client
import http.server
import json
import shutil
import socket
import threading

import pytest

from running import LIMIT, ROOT, WEFT, wait_until

CATALOG = WEFT.parents[2] / "examples/stages/catalog"
STAGES = ROOT / "examples/stages"


@pytest.fixture
def stages(system, monkeypatch):
    """The example in a folder of its own, running."""
    monkeypatch.setenv("CATALOG", str(CATALOG))
    monkeypatch.setenv("STAGES_PORT", str(system.port))
    monkeypatch.setenv("STAGES_CONTROL", str(system.control))
    shutil.copy(STAGES / "weft.yaml", system.folder)
    system.up()
    wait_until(lambda: system.answers("/shop/x"), "the service answers")
    return system


def ask(system, path, method="GET", headers=None, body=None, chunked=False):
    """Status, fields (a list), and body."""
    connection = system.connect()
    try:
        connection.request(method, path, body, headers or {}, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read().decode()
    finally:
        connection.close()


def values(headers, name):
    return [value for key, value in headers if key.lower() == name.lower()]


def logged(system, path):
    """The newest line of the access log about that path."""
    def find():
        lines = [json.loads(line) for line in system.out_path.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("path") == path]
    return wait_until(find, f"a line about {path}")[-1]


# --- headers and rewrite

def test_a_request_is_changed_on_its_way_and_its_answer_on_the_way_back(stages):
    host = f"127.0.0.1:{stages.port}"
    status, headers, body = ask(stages, "/shop/books?page=2",
                                headers={"Cookie": "user=ann", "X-Internal": "1", "X-User": "root"})
    assert status == 200
    assert body.splitlines() == ["GET /books?page=2", f"Host: {host}", f"X-Forwarded-Host: {host}",
                                 "X-Client: 127.0.0.1", "X-User: ann", "body: 0 bytes"]
    assert values(headers, "Cache-Control") == ["private"]
    assert values(headers, "X-Request") == values(headers, "X-Request-Id") != []
    assert values(headers, "Server") == values(headers, "X-Debug") == []
    assert logged(stages, "/shop/books?page=2")["status"] == 200


def test_what_a_client_makes_up_does_not_come_through(stages):
    _, _, body = ask(stages, "/shop/", headers={"X-User": "root", "X-Client": "10.0.0.1", "x-internal": "1"})
    assert "X-User" not in body and "X-Internal" not in body
    assert "X-Client: 127.0.0.1" in body.splitlines()


@pytest.mark.parametrize("outside, inside", [("/shop", "/"), ("/shop/", "/"), ("/shop/a", "/a"), ("/shop/a/", "/a/"),
                                             ("/shop/a%2Fb?c", "/a%2Fb?c"), ("/books/17", "/item?number=17"),
                                             ("/books/a%20b?x=y", "/item?number=a%20b")])
def test_the_service_sees_another_path(stages, outside, inside):
    assert ask(stages, outside)[2].splitlines()[0] == f"GET {inside}"


def test_the_service_sees_another_host(stages):
    lines = ask(stages, "/books/17")[2].splitlines()
    assert "Host: catalog.internal" in lines and f"X-Forwarded-Host: 127.0.0.1:{stages.port}" in lines
    assert logged(stages, "/books/17")["authority"] == f"127.0.0.1:{stages.port}"


def test_a_parameter_is_no_way_around_the_path(stages):
    """It is taken as it came; what would be another path or query for the service is refused."""
    for sneaky in ["/books/..", "/books/%2e%2e", "/books/1#x"]:
        assert ask(stages, sneaky)[0] in (400, 404), sneaky


# --- redirect

@pytest.mark.parametrize("path, host, status, location", [
    ("/store", None, 301, "http://{here}/shop"),
    ("/store/books?page=2", None, 301, "http://{here}/shop/books?page=2"),
    ("/store/a%0d%0aSet-Cookie:%20x", None, 301, "http://{here}/shop/a%0d%0aSet-Cookie:%20x"),
    ("/search?q=a%20b", None, 302, "https://search.example.com/?q=a%20b"),
    ("/shop/books?x", "www.shop.test", 308, "http://shop.test/shop/books?x"),
    ("/shop/books", "www.shop.test:8080", 308, "http://shop.test:8080/shop/books"),
])
def test_the_client_is_sent_elsewhere(stages, path, host, status, location):
    got, headers, body = ask(stages, path, headers={"Host": host} if host else {})
    assert (got, body) == (status, "")
    assert values(headers, "Location") == [location.format(here=f"127.0.0.1:{stages.port}")]
    assert values(headers, "Set-Cookie") == []


def test_who_is_there_goes_on(stages):
    status, _, body = ask(stages, "/shop/books", headers={"Host": "shop.test"})
    assert status == 200 and body.startswith("GET /books\n")


# --- limit-body

PARTS = [b"x" * 500] * 4


def test_a_larger_body_is_refused_at_once(stages):
    status, headers, body = ask(stages, "/notes", "POST", body=b"x" * 2000)
    assert status == 413 and json.loads(body)["type"] == "urn:weft:outcome:body_too_large"
    assert 'details="body_too_large"' in values(headers, "Proxy-Status")[0]
    line = logged(stages, "/notes")
    assert (line["outcome"], line["flags"], line["attempts"]) == ("body_too_large", "BL", 0)


def test_nobody_is_asked_to_send_a_larger_body(stages):
    """With Expect: 100-continue the client need not send a byte of it."""
    connection = stages.connect()
    connection.putrequest("POST", "/notes")
    connection.putheader("Content-Length", "100000000")
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_that_grows_too_large_is_refused(stages):
    status, headers, body = ask(stages, "/notes", "POST", {"Transfer-Encoding": "chunked"}, iter(PARTS), True)
    assert status == 413 and json.loads(body)["type"] == "urn:weft:outcome:body_too_large"
    assert 'details="body_too_large"' in values(headers, "Proxy-Status")[0]
    line = logged(stages, "/notes")
    assert (line["outcome"], line["flags"]) == ("body_too_large", "BL")
    assert line["service"] == "catalog"  # it saw the beginning, and no end


def test_what_fits_goes_through(stages):
    assert ask(stages, "/notes", "POST", body=b"x" * 1024)[2].endswith("body: 1024 bytes\n")
    chunked = {"Transfer-Encoding": "chunked"}
    assert ask(stages, "/notes", "POST", chunked, iter(PARTS[:2]), True)[2].endswith("body: 1000 bytes\n")


def test_the_policy_of_the_service_holds_on_every_way(stages):
    for path in ["/shop/x", "/books/1"]:
        assert ask(stages, path, "POST", body=b"x" * 65536)[0] == 200
        assert ask(stages, path, "POST", body=b"x" * 65537)[0] == 413
        chunked = {"Transfer-Encoding": "chunked"}
        assert ask(stages, path, "POST", chunked, iter([b"x" * 8192] * 9), True)[0] == 413


def test_an_answer_that_has_begun_breaks_off(system):
    """The service answers while it reads: the client must not take what it got for all of it."""
    greeter = WEFT.parents[2] / "examples/first/greeter"
    system.write({"greeter": f"{{ run: ['{greeter}'], ready: /readyz }}"},
                 ["  - match: /echo", "    stages: [ limit-body: 1KiB ]", "    to: greeter",
                  "  - match: /hello/you", "    to: greeter"])
    system.up()
    wait_until(lambda: system.answers("/hello/you"), "the service answers")
    with socket.create_connection(("127.0.0.1", system.port), timeout=LIMIT) as client:
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" +
                       b"x" * 1000 + b"\r\n")
        answer = b""
        while answer.count(b"x" * 1000) == 0:
            answer += client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        client.sendall(b"64\r\n" + b"y" * 100 + b"\r\n")
        while True:
            try:
                more = client.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            answer += more
    assert b"y" not in answer.partition(b"\r\n\r\n")[2] and not answer.endswith(b"0\r\n\r\n")
    line = logged(system, "/echo")
    assert (line["status"], line["outcome"]) == (200, "body_too_large")


def test_connections_go_on_after_a_refusal(stages):
    connection = stages.connect()
    for _ in range(3):
        connection.request("POST", "/notes", b"x" * 2000)
        answer = connection.getresponse()
        assert answer.status == 413
        answer.read()
    connection.request("GET", "/hello")
    assert connection.getresponse().status == 200
    connection.close()


# --- respond

def test_answers_without_a_service(stages):
    status, headers, body = ask(stages, "/hello")
    assert (status, body) == (200, "hello, 127.0.0.1\n")
    assert values(headers, "Cache-Control") == ["no-store"]
    assert values(headers, "Content-Type") == ["text/plain; charset=utf-8"]
    status, headers, body = ask(stages, "/version")
    assert json.loads(body) == {"version": 7, "route": "/version"}
    assert values(headers, "Content-Type") == ["application/json"]


def test_head_has_the_fields_and_no_body(stages):
    status, headers, body = ask(stages, "/hello", "HEAD")
    assert (status, body) == (200, "") and values(headers, "Content-Length") == ["17"]


# --- around a service that fails

class Failing(http.server.BaseHTTPRequestHandler):
    """503 for the first requests; notes what it was asked."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.seen.append((self.path, self.headers["Host"], self.headers.get_all("X-Add")))
        failed = len(self.server.seen) <= self.server.failures
        self.send_response(503 if failed else 200)
        self.send_header("Content-Length", "0")
        self.send_header("X-Inside", "1")
        self.end_headers()


@pytest.fixture
def failing():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("failures", [0, 1, 3, 4])
def test_every_try_is_changed_once(system, failing, failures):
    """Three tries around the stages of the route, two within: those of the service's policy are between them."""
    failing.failures = failures
    system.write({"it": f"{{ url: 'http://127.0.0.1:{failing.server_port}', policy: deep }}"},
                 ["  - match: { path: /a, prefix: true }",
                  "    stages: [ retry: 3, rewrite: { prefix: /b }, headers: { request: { add: { X-Add: route } } } ]",
                  "    to: it"],
                 "policies: { deep: { retry: { attempts: 2, backoff: 1ms..1ms }, rewrite: { host: it.internal }, "
                 "headers: { request: { add: { X-Add: policy } }, response: { add: { X-Outside: \"2\" } } } } }")
    system.up()
    wait_until(lambda: system.answers("/a/ready") or len(failing.seen) > failures, "it answers")
    failing.seen.clear()
    status, headers, _ = ask(system, "/a/x")
    assert status == 200
    assert failing.seen == [("/b/x", "it.internal", ["route", "policy"])] * (failures + 1)
    assert values(headers, "X-Inside") == ["1"] and values(headers, "X-Outside") == ["2"]
    assert logged(system, "/a/x")["attempts"] == failures + 1


def test_the_file_is_refused_where_it_is_wrong(stages):
    path = stages.folder / "weft.yaml"
    text = path.read_text()
    path.write_text(text.replace("{cookie.user}", "{cokie.user}"))
    done = stages.weft("apply")
    assert done.returncode == 1
    assert "policies.visitor.headers.request.set.X-User: has {cokie.user}, which is not known (did you mean " \
           "{cookie.user}?)" in done.stderr
    path.write_text(text.replace("number={path.id}", "number={path.number}"))
    assert "rewrite has {path.number}, which the route's path has not" in stages.weft("apply").stderr
    assert ask(stages, "/books/17")[0] == 200
