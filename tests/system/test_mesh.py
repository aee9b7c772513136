"""Services call each other through the mesh: $WEFT_URL/NAME/path."""
import json
import os
import re
import signal
import socket
import threading
import time
import urllib.parse

from running import SERVICE, wait_until

RUN = f"{{ run: '{SERVICE}', ready: /readyz }}"
ROUTE = ["  - match: { path: /, prefix: true }", "    to: web"]


def mesh_at(system, target):
    url = urllib.parse.urlsplit(system.get(f"{target}?WEFT_URL")[1])
    assert url.scheme == "http" and url.hostname == "127.0.0.1"
    return url.port, url.path


def mesh(system):
    """Port and path of the WEFT_URL that an instance of `web` got."""
    return mesh_at(system, "/env")


def ask(port, target, *fields, method="GET", body=""):
    """Status, head and body of an answer, to a request that a browser or anybody else may send."""
    fields = fields if any(field.lower().startswith("host:") for field in fields) else ("Host: x", *fields)
    lines = [f"{method} {target} HTTP/1.1", *fields, f"Content-Length: {len(body)}", "Connection: close"]
    with socket.create_connection(("127.0.0.1", port), timeout=15) as client:
        client.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    head, _, content = answer.partition("\r\n\r\n")
    return int(head.split()[1]), head, content


def test_services_are_reached_by_name(system):
    system.write({"web": RUN, "orders": RUN}, ROUTE)
    system.up().ready()
    port, path = mesh(system)
    assert re.fullmatch("/~web-[0-9a-f]{32}", path)
    wait_until(lambda: system.get(f"{path}/orders/who", port)[0] == 200, "orders is ready")
    status, body = system.get(f"{path}/orders/a//b%2Fc?x=%20&y", port)
    assert status == 200, body
    assert (json.loads(body)["service"], json.loads(body)["path"]) == ("orders", "/a//b%2Fc?x=%20&y")
    assert json.loads(system.get(f"{path}/orders?q", port)[1])["path"] == "/?q"
    assert json.loads(system.get(f"{path}/orders/", port)[1])["path"] == "/"


def test_who_is_not_there_is_said(system):
    system.write({"web": RUN}, ROUTE)
    system.up().ready()
    port, path = mesh(system)
    for target in (f"{path}/ordrs/x", f"{path}/ordrs"):
        status, body = system.get(target, port)
        problem = json.loads(body)
        assert (status, problem["status"]) == (404, 404)
        assert '"ordrs"' in problem["detail"] and "$WEFT_URL/NAME/path" in problem["detail"]
    for target in (path, f"{path}/"):
        assert system.get(target, port)[0] == 404
    assert system.get(f"{path}/web/../x", port)[0] == 400


def test_gateways_do_not_lead_to_it(system):
    system.write({"web": RUN, "orders": RUN}, ["  - match: { path: /web, prefix: true }",
                                               "    stages: [ { rewrite: { prefix: / } } ]", "    to: web"])
    system.up()
    wait_until(lambda: system.answers("/web/who"), "web answers")
    for path in ("/orders/who", "/~web/orders/who", f"{mesh_at(system, '/web/env')[1]}/orders/who"):
        assert system.get(path)[0] == 404


def other_key(path):
    """One digit of it is another."""
    return path[:-1] + ("0" if path[-1] != "0" else "1")


def test_strangers_are_refused(system):
    """Whoever finds the port: a process of the machine, or a page in a browser on it."""
    system.write({"web": RUN, "orders": RUN}, ROUTE)
    system.up().ready()
    port, path = mesh(system)
    wait_until(lambda: system.get(f"{path}/orders/who", port)[0] == 200, "orders is ready")
    key = path.removeprefix("/~web-")
    own = f"Host: 127.0.0.1:{port}"
    page = ("Origin: http://evil.test", "Sec-Fetch-Site: cross-site", "Content-Type: text/plain")
    tries = [("no key", "/orders/who", (own,)), ("just a name", "/~web/orders/who", (own,)),
             ("no name", f"/~{key}/orders/who", (own,)), ("an empty name", f"/~-{key}/orders/who", (own,)),
             ("another service's name", f"/~orders-{key}/orders/who", (own,)),
             ("a wrong key", f"{other_key(path)}/orders/who", (own,)),
             ("a part of the key", f"{path[:-1]}/orders/who", (own,)),
             ("in capitals", f"/~web-{key.upper()}/orders/who" if key.upper() != key else "/~web-X/orders/who", (own,)),
             ("the key elsewhere", f"/orders{path}/who", (own,)), ("in the query", f"/orders/who?{path}", (own,)),
             ("a rebound name", "/orders/who", (f"Host: evil.test:{port}",)),
             ("a service's name as host", "/orders/who", ("Host: orders",)),
             ("a whole URL", f"http://127.0.0.1:{port}/orders/who", (own,)),
             ("a field", "/orders/who", (own, f"Authorization: Bearer web-{key}", f"Referer: http://x{path}/"))]
    answers = set()
    for what, target, fields in tries:
        for method, more, body in (("GET", (), ""), ("POST", page, "a=1"), ("OPTIONS", page, ""), ("HEAD", (), "")):
            status, head, content = ask(port, target, *fields, *more, method=method, body=body)
            assert status == 403, (what, method, status, content)
            assert "access-control" not in head.lower() and key not in head + content, what
            answers.add(re.sub('"instance":"[^"]*"', "", content))
    problem = next(json.loads(answer.replace(",}", "}")) for answer in answers if answer)
    assert len(answers) == 2  # nobody learns what there is: the one for all, and none to HEAD
    assert problem["type"] == "urn:weft:outcome:denied" and "$WEFT_URL" in problem["detail"]
    assert ask(port, "*", own, method="OPTIONS")[0] == 403
    # who has the key is asked for nothing else
    assert ask(port, f"{path}/orders/who", "Host: orders.test", *page)[0] == 200
    assert ask(port, f"/%7E{path[2:]}/orders/who", own)[0] == 200


def test_every_service_has_its_own_key(system):
    system.write({"web": RUN, "orders": RUN}, ["  - match: { path: /orders, prefix: true }",
                                               "    stages: [ { rewrite: { prefix: / } } ]", "    to: orders",
                                               *ROUTE])
    system.up().ready()
    wait_until(lambda: system.answers("/orders/who"), "orders answers")
    port, web = mesh(system)
    same, orders = mesh_at(system, "/orders/env")
    assert same == port and orders.startswith("/~orders-") and orders[-32:] != web[-32:]
    for path in (web, orders):
        assert system.get(f"{path}/web/who", port)[0] == 200
    assert ask(port, f"/~orders-{web[-32:]}/web/who")[0] == 403
    callers = [e["caller"] for e in traffic(system) if e["gateway"] == "mesh" and e["status"] == 200]
    assert sorted(callers) == ["orders", "web"]


def output(system):
    """The access log, and what services say."""
    return system.out_path.read_text()


def traffic(system):
    return json.loads(system.get("/v1/traffic?limit=1000", system.control)[1])["exchanges"]


def test_the_key_is_told_to_nobody_else(system):
    system.write({"web": RUN, "orders": RUN}, ROUTE)
    system.up().ready()
    port, path = mesh(system)
    wait_until(lambda: system.get(f"{path}/orders/who", port)[0] == 200, "orders is ready")
    key = path.removeprefix("/~web-")
    hops = ", ".join(["1.1 weft"] * 40)
    looped = ask(port, f"{path}/orders/looped", f"Via: {hops}")
    wrong = ask(port, f"/~orders-{key}/orders/wrong")
    refused = ask(port, f"{path}/orders/../refused")
    missing = ask(port, f"{path}/ordrs/missing")
    assert [answer[0] for answer in (looped, wrong, refused, missing)] == [502, 403, 400, 404]
    told = json.loads(ask(port, f"{path}/orders/told")[2])
    seen = {e["path"]: e["status"] for e in traffic(system) if e["gateway"] == "mesh"}
    assert seen["/orders/looped"] == 502 and seen["/orders/wrong"] == 403 and seen["/orders/../refused"] == 400
    assert seen["/ordrs/missing"] == 404 and seen["/told"] == 200
    explained = system.weft("explain", "--gateway", "mesh", f"{path}/orders/x", "-o", "json", check=0).stdout
    assert json.loads(explained)["caller"] == "web" and json.loads(explained)["request"]["path"] == "/orders/x"
    wait_until(lambda: "/told" in output(system), "the access log has it")
    texts = [system.log(), output(system), json.dumps(told), json.dumps(traffic(system)),
             *(json.dumps(answer) for answer in (looped, wrong, refused, missing))]
    for part in ("status", "services", "endpoints", "routes", "topology", "logs"):
        texts.append(system.get(f"/v1/{part}", system.control)[1])
    for text in texts:
        assert key not in text
    for pid, command in system.processes().items():
        assert key not in command


def test_keys_of_services_that_are_gone_call_as_nobody(system):
    """Their last instances drain, and may still need others."""
    system.write({"web": RUN, "orders": RUN, "gone": RUN}, ["  - match: { path: /gone, prefix: true }",
                                                           "    stages: [ { rewrite: { prefix: / } } ]",
                                                           "    to: gone", *ROUTE])
    system.up().ready()
    wait_until(lambda: system.answers("/gone/who"), "gone answers")
    port, path = mesh_at(system, "/gone/env")
    system.write({"web": RUN, "orders": RUN}, ROUTE)
    system.weft("apply", check=0)
    wait_until(lambda: system.get(f"{path}/orders/who", port)[0] == 200, "orders is reached")
    assert system.get(f"{path}/gone/who", port)[0] == 404
    last = next(e for e in traffic(system) if e["gateway"] == "mesh" and e["service"] == "orders")
    assert last["caller"] == ""


def test_a_system_that_was_started_anew_has_another_key(system):
    system.write({"web": RUN}, ROUTE)
    system.up().ready()
    before = mesh(system)[1]
    system.weft("down", check=0)
    system.process.wait(15)
    system.up().ready()
    port, path = mesh(system)
    assert path != before and ask(port, f"{before}/web/who")[0] == 403


def test_its_port_outlives_reloads_and_the_serving_process(system):
    system.write({"web": RUN}, ROUTE)
    system.up().ready()
    port, path = mesh(system)
    system.write({"web": RUN, "orders": RUN}, ROUTE)
    system.weft("apply", check=0)
    wait_until(lambda: system.get(f"{path}/orders/who", port)[0] == 200, "orders is ready")
    before = system.serving()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: system.serving() not in (None, before), "the serving process is there again")
    wait_until(lambda: system.get(f"{path}/orders/who", port)[0] == 200, "orders is reached again")
    assert system.who("/who")["service"] == "web"


def test_requests_under_way_may_call_while_all_is_stopped(system):
    system.write({"web": RUN, "orders": RUN}, ROUTE)
    system.up().ready()
    port, path = mesh(system)
    wait_until(lambda: system.get(f"{path}/orders/who", port)[0] == 200, "orders is ready")
    answers = []
    client = threading.Thread(target=lambda: answers.append(system.get("/later?orders/late")))
    client.start()
    time.sleep(0.3)  # it has been accepted
    system.weft("down", check=0)
    client.join()
    status, body = answers[0]
    assert status == 200, (body, system.log())
    assert (json.loads(body)["service"], json.loads(body)["path"]) == ("orders", "/late")


def test_a_gateway_may_be_a_unix_socket(system, tmp_path):
    place = tmp_path / "web.sock"
    system.write({"web": RUN}, ROUTE)
    text = (system.folder / "weft.yaml").read_text()
    system.write_raw(text.replace("gateway:\n", f"gateway:\n  - {{ name: local, listen: 'unix:{place}' }}\n"))
    system.up().ready()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place))
        client.sendall(b"GET /who HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200 ") and b'"service": "web"' in answer
    system.weft("down", check=0)
    assert not place.exists()
