"""The client of bench/ against origins that behave and that do not: an error that it missed would become a figure."""

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from harness import prepare, scenarios  # noqa: E402
from harness.processes import Ports, Server  # noqa: E402

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    target = tmp_path_factory.mktemp("bench-bin")
    prepare.build_programs(ROOT / "bench", target)
    return target


@pytest.fixture(scope="module")
def origin(programs, tmp_path_factory):
    port = Ports().take()
    server = Server("origin", [programs / "origin", port], port, 0, tmp_path_factory.mktemp("origin"))
    server.wait_ready(100)
    yield server
    server.stop()


class Stub:
    """Answers every connection's first bytes with `pieces`, then closes unless `keep` is set."""

    def __init__(self, pieces, keep=False):
        self._pieces, self._keep, self._held = pieces, keep, []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
                connection.recv(4096)
                for piece in self._pieces:
                    connection.sendall(piece)
            except OSError:
                return
            if self._keep:
                self._held.append(connection)
            else:
                connection.close()

    def close(self):
        self._listener.close()


def load(programs, port, body, *more):
    done = subprocess.run([str(word) for word in (programs / "load", "-d", 300, "-w", 100, *more, port, body)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return scenarios.read_report(done.stdout)


@pytest.mark.parametrize("more", [("-c", 8), ("-m", "close", "-c", 8), ("-m", "rate", "-r", 500, "-c", 8)])
def test_a_good_origin_gives_answers_and_no_errors(programs, origin, more):
    found = load(programs, origin.port, 1024, "-p", origin.pid, *more)
    assert scenarios.complaints(found) == ""
    assert found["ok"] > 20 and found["cpu_us"] > 0
    assert found["bytes"] >= found["ok"] * 1024
    assert 0 < found["p50"] <= found["p99"] < 300_000


def test_the_open_loop_offers_what_it_says(programs, origin):
    found = load(programs, origin.port, 100, "-m", "rate", "-r", 1000, "-c", 16, "-d", 1000)
    assert 900 <= found["ok"] / found["seconds"] <= 1100


def test_idle_holds_all_connections_until_told(programs, origin):
    client = subprocess.Popen([programs / "load", "-m", "idle", "-c", "300", str(origin.port), "100"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout.readline() == "READY\n"
        sockets = Path(f"/proc/{origin.pid}/fd")
        assert len(list(sockets.iterdir())) >= 300
        last, _ = client.communicate(timeout=10)
        assert scenarios.complaints(scenarios.read_report(last)) == ""
    finally:
        client.kill()
        client.wait()


@pytest.mark.parametrize("pieces, keep, expected", [
    ([b"HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nhello"], True, "failed"),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell"], True, "failed"),
    ([b"HTTP/1.1 200 OK\r\n\r\nhello"], True, "failed"),
    ([GOOD + b"hello and more"], True, "failed"),
    ([b"x" * 5000], True, "failed"),
    ([GOOD + b"hel"], False, "broken"),
    ([], False, "broken"),
])
def test_what_a_bad_origin_does_is_counted(programs, pieces, keep, expected):
    stub = Stub(pieces, keep)
    try:
        found = load(programs, stub.port, 5, "-c", 2)
        assert found[expected] > 0
        assert scenarios.complaints(found)
    finally:
        stub.close()


def test_a_kept_connection_that_the_server_closes_is_counted(programs):
    stub = Stub([GOOD + b"hello"])
    try:
        found = load(programs, stub.port, 5, "-m", "rate", "-r", 20, "-c", 2)
        assert found["closed"] > 0 and found["ok"] > 0
    finally:
        stub.close()


def test_a_head_in_pieces_is_one_answer(programs):
    stub = Stub([GOOD[:7], GOOD[7:30], GOOD[30:] + b"he", b"llo"])
    try:
        found = load(programs, stub.port, 5, "-m", "close", "-c", 1)
        assert scenarios.complaints(found) == "" and found["ok"] > 0
    finally:
        stub.close()


def test_an_origin_that_is_silent_leaves_requests_stuck(programs):
    stub = Stub([], keep=True)
    try:
        found = load(programs, stub.port, 5, "-c", 3, "-w", 900)
        assert found["stuck"] == 3 and found["total"] == 0
    finally:
        stub.close()


def test_nobody_there_is_refused_soon(programs):
    found = load(programs, Ports().take(), 5, "-c", 4, "-d", 20000)
    assert found["refused"] > 0 and found["seconds"] < 20


def test_an_open_loop_that_falls_behind_says_so(programs):
    stub = Stub([], keep=True)
    try:
        assert load(programs, stub.port, 5, "-m", "rate", "-r", 1000, "-c", 2)["late"] > 100
    finally:
        stub.close()


@pytest.mark.parametrize("more", [("-c", "0"), ("-c", "ten"), ("-m", "fast"), ("-r", "-1")])
def test_nonsense_is_refused(programs, more):
    done = subprocess.run([programs / "load", *more, "80", "1"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 2
    assert re.search(r"is not (one of|a whole number)", done.stderr)
