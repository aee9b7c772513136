"""A hundred reloads that change routes, stages and endpoints while clients ask, with a tunnel held through all of them."""
import os
import signal
import socket
import time

from loading import KIB, SANITIZED, anonymous, failures
from running import LIMIT, SLOWNESS, free_port, wait_until

RELOADS = 100
GROWTH_MAX = 512 * KIB  # of the serving process, from the 20th reload on


class Tunnel:
    """An upgraded connection; each message must come back."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        self.socket.sendall(b"GET /tunnel HTTP/1.1\r\nHost: load\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            assert byte, head
            head += byte
        assert head.startswith(b"HTTP/1.1 101 "), head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def echo(self, text):
        self.socket.sendall(text)
        back = b""
        while len(back) < len(text):
            piece = self.socket.recv(65536)
            assert piece, f"the tunnel has ended; {back!r} of {text!r} came back"
            back += piece
        assert back == text


def write(system, service, i, outside):
    """The i-th version: another number of instances, other limits, other routes, other addresses."""
    attempts, timeout = 2 + i % 3, 5 + i % 7
    urls = [f"http://127.0.0.1:{port}" for port in (outside if i % 2 else outside[:1])]
    routes = ["  - match: { path: /tunnel }", "    to: fixed",
              "  - match: { path: /outside, prefix: true }", "    to: far"]
    for k in range(i % 20):
        routes += [f"  - match: {{ path: /extra/{i}/{k}, prefix: true }}", "    to: { respond: 204 }"]
    if i % 3:
        routes += ["  - match: { path: /, prefix: true }", f"    stages: [timeout: {timeout + 10}s]", "    to: web"]
    else:
        routes += ["  - match: { path: /, prefix: true }", "    to: web"]
    system.write({
        "web": f"{{ run: '{service}', scale: {1 + i % 3}, ready: /readyz, policy: p, "
               f"balance: {'round-robin' if i % 4 < 2 else 'least-request'} }}",
        "fixed": f"{{ run: '{service}', ready: /readyz }}",
        "far": f"{{ url: [{', '.join(urls)}], ready: /readyz, policy: p }}",
    }, routes=routes, more=f"policies: {{ p: {{ timeout: {timeout}s, retry: {{ attempts: {attempts} }} }} }}\n"
                           f"log: {{ access: {'true' if i % 2 else 'false'} }}\n")


def apply(system, i):
    """By the command, or by a signal: then the log tells when."""
    if i % 10 != 9:
        system.weft("apply", check=0)
        return
    live = system.log().count(" is live")
    os.kill(system.guard(), signal.SIGHUP)
    wait_until(lambda: system.log().count(" is live") > live, "the version is live")


def apply_nonsense(system):
    good = (system.folder / "weft.yaml").read_text()
    system.write_raw(good + "nonsense: [\n")
    system.weft("apply", check=1)
    system.write_raw(good.replace("to: web", "to: wbe"))
    system.weft("apply", check=1)
    system.write_raw(good)


def test_reloads(system, tools):
    outside = [free_port(), free_port()]
    count = RELOADS if not SANITIZED else 30
    with tools.outside(outside[0]), tools.outside(outside[1]):
        write(system, tools.service, 0, outside)
        system.up().ready()
        serving = system.serving()
        with Tunnel(system.port) as tunnel, tools.client(8, 2000) as kept, tools.client(4, 2000, path="/outside/x") as far, \
                tools.client(4, 5000, fresh=True) as fresh, tools.client(4, 0, path="/late?20") as late:
            for i in range(1, count + 1):
                write(system, tools.service, i, outside)
                apply(system, i)
                tunnel.echo(b"hello %d" % i)
                time.sleep(0.08)  # time for new instances to become ready
                if i % 25 == 12:
                    apply_nonsense(system)
                if i == 20:
                    before = anonymous(serving)
            time.sleep(1)  # a version goes when nobody lives in it any more
            growth = anonymous(serving) - before
            tunnel.echo(bytes(range(256)) * 1000)
            counts = [client.end() for client in (kept, far, fresh, late)]
        print(counts, "growth:", growth)
    for each in counts:
        assert not failures(each), (each, system.log())
        assert each["stuck"] == 0 and each["ok"] > 100 / SLOWNESS
    assert system.serving() == serving
    wait_until(lambda: len(tools.instances()) == 2 + count % 3, "as many instances as the last version says")
    if not SANITIZED:
        assert growth <= GROWTH_MAX, f"{growth} bytes"
