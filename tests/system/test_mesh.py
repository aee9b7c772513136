"""Services call each other through the mesh: $WEFT_URL/NAME/path."""
import json
import os
import signal
import socket
import threading
import time
import urllib.parse

from running import SERVICE, wait_until

RUN = f"{{ run: '{SERVICE}', ready: /readyz }}"
ROUTE = ["  - match: { path: /, prefix: true }", "    to: web"]


def mesh(system):
    """Port and path of the WEFT_URL that an instance of `web` got."""
    url = urllib.parse.urlsplit(system.get("/env?WEFT_URL")[1])
    assert url.scheme == "http" and url.hostname == "127.0.0.1"
    return url.port, url.path


def test_services_are_reached_by_name(system):
    system.write({"web": RUN, "orders": RUN}, ROUTE)
    system.up().ready()
    port, path = mesh(system)
    assert path == "/~web"
    wait_until(lambda: system.get(f"{path}/orders/who", port)[0] == 200, "orders is ready")
    for prefix in (path, "", "/~orders", "/~nobody"):
        status, body = system.get(f"{prefix}/orders/a//b%2Fc?x=%20&y", port)
        assert status == 200, body
        assert (json.loads(body)["service"], json.loads(body)["path"]) == ("orders", "/a//b%2Fc?x=%20&y")
    assert json.loads(system.get(f"{path}/orders?q", port)[1])["path"] == "/?q"
    assert json.loads(system.get(f"{path}/orders/", port)[1])["path"] == "/"


def test_who_is_not_there_is_said(system):
    system.write({"web": RUN}, ROUTE)
    system.up().ready()
    port, path = mesh(system)
    for target in (f"{path}/ordrs/x", "/ordrs", f"{path}/ordrs"):
        status, body = system.get(target, port)
        problem = json.loads(body)
        assert (status, problem["status"]) == (404, 404)
        assert '"ordrs"' in problem["detail"] and "$WEFT_URL/NAME/path" in problem["detail"]
    for target in (path, f"{path}/", "/"):
        assert system.get(target, port)[0] == 404
    assert system.get(f"{path}/web/../x", port)[0] == 400


def test_gateways_do_not_lead_to_it(system):
    system.write({"web": RUN, "orders": RUN}, ["  - match: { path: /web, prefix: true }", "    to: web"])
    system.up()
    wait_until(lambda: system.answers("/web/who"), "web answers")
    for path in ("/orders/who", "/~web/orders/who"):
        assert system.get(path)[0] == 404


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
