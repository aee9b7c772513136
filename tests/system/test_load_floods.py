"""Floods: every bound that clients can reach is reached, and afterwards the system serves as before."""
import errno
import socket
import time

import pytest

from loading import failures
from running import LIMIT, SLOWNESS, wait_until


def connect(system, timeout=LIMIT):
    return socket.create_connection(("127.0.0.1", system.port), timeout=timeout)


def read_all(client):
    """Until the other side ends; a reset ends it too."""
    text = b""
    try:
        while piece := client.recv(65536):
            text += piece
    except ConnectionResetError:
        pass
    return text


def metric(system, name):
    text = system.get("/metrics", system.control)[1]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{"))


@pytest.fixture
def honest(system, tools):
    """Every test ends with clients to whom nothing happens any more, in the same serving process."""
    def up(scale=2, **settings):
        tools.up(scale=scale, **settings)
        state["serving"] = system.serving()

    state = {}
    yield up
    assert system.serving() == state["serving"], system.log()
    with tools.client(16) as client:
        wait_until(lambda: client.mark()["ok"] > 500 / SLOWNESS, "it serves")
        counts = client.end()
    assert not failures(counts), (counts, system.log())


def test_too_many_connections(system, honest):
    """clients.connections is reached: more are closed at once, those that were there go on."""
    honest(workers=1, more="clients: { connections: 50 }")
    time.sleep(0.2)  # the connections that looked whether it is ready are gone
    kept = [connect(system) for _ in range(50)]
    for client in kept:
        client.sendall(b"GET /who HTTP/1.1\r\nHost: flood\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
    for _ in range(200):
        with connect(system) as client:
            assert read_all(client) == b""
    assert metric(system, "weft_server_connections_refused_total") >= 200
    for client in kept:
        client.sendall(b"GET /who HTTP/1.1\r\nHost: flood\r\nConnection: close\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 200 ")
        client.close()


@pytest.mark.parametrize("what", [
    pytest.param(b"X-Flood: yes\r\n", id="many fields"),
    pytest.param(b"X-Flood: " + b"y" * 8000 + b"\r\n", id="long fields"),
    pytest.param(b"X-Flood: " + b"y" * 4000, id="a line without an end"),
])
def test_header_flood(system, honest, what):
    honest()
    clients = [connect(system) for _ in range(100)]
    for client in clients:
        try:
            client.sendall(b"GET /who HTTP/1.1\r\nHost: flood\r\n")
            for _ in range(200):
                client.sendall(what)
        except (BrokenPipeError, ConnectionResetError):
            pass
    answers = [read_all(client) for client in clients]
    for client in clients:
        client.close()
    # Whoever goes on sending for long after the answer may lose it to a reset; most don't here.
    heard = [answer for answer in answers if answer]
    assert len(heard) >= 50
    assert all(answer.startswith(b"HTTP/1.1 431 ") for answer in heard), set(heard)


def test_pipelined_requests(system, honest):
    """64 in one piece, on 50 connections at once: all are answered, in order."""
    honest()
    request = b"".join(b"GET /bytes?%d HTTP/1.1\r\nHost: flood\r\n%s\r\n" %
                       (i, b"Connection: close\r\n" if i == 64 else b"") for i in range(1, 65))
    clients = [connect(system) for _ in range(50)]
    for client in clients:
        client.sendall(request)
    for client in clients:
        text = read_all(client)
        lengths = [int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
                   for head in text.split(b"HTTP/1.1 200 OK\r\n")[1:]]
        assert lengths == list(range(1, 65)), text[:500]
        client.close()


def test_connects_without_a_word(system, honest, tools):
    """Thousands that connect and say nothing, half a word, or leave with a reset."""
    honest()
    count = 2000
    with tools.client(8) as client:
        silent = []
        for i in range(count):
            one = socket.socket()
            one.setblocking(False)
            assert one.connect_ex(("127.0.0.1", system.port)) in (0, errno.EINPROGRESS)
            silent.append(one)
            if i % 200 == 199:
                time.sleep(0.02)
        for i, one in enumerate(silent):
            try:
                if i % 3 == 1:
                    one.send(b"GE")
                elif i % 3 == 2:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    one.close()
            except BlockingIOError:
                pass
        wait_until(lambda: metric(system, "weft_server_connections") >= count // 2, "they are there")
        for one in silent:
            one.close()
        wait_until(lambda: metric(system, "weft_server_connections") < 100, "they are gone")
        counts = client.end()
    assert not failures(counts), (counts, system.log())


def test_more_requests_than_places(system, honest, tools):
    """The services' connections are used up, and the places to wait for one: the rest is told so at once (503)."""
    honest(scale=1, workers=1, service=", connections: 50")
    with tools.client(3000, 4 * 10**9, path="/late?300") as client:
        wait_until(lambda: client.mark()["status"] > 0, "some are turned away")
        wait_until(lambda: client.mark()["stuck"] == 0, "all have an answer")
        counts = client.end()
    assert counts["first"] == 503 and counts["ok"] >= 1000
    assert counts["ok"] + counts["status"] == 3000
    assert counts["unanswered"] == counts["cut"] == counts["refused"] == 0, counts
