"""examples/first does what its page says, and its service works alone."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import uuid

import pytest

from running import LIMIT, ROOT, WEFT, free_port, wait_until

BUILD = WEFT.parents[2]
GREETER = BUILD / "examples/first/greeter"
FIRST = ROOT / "examples/first"


@pytest.fixture
def first(system, monkeypatch):
    """The example in a folder of its own, running."""
    monkeypatch.setenv("GREETER", str(GREETER))
    monkeypatch.setenv("FIRST_PORT", str(system.port))
    monkeypatch.setenv("FIRST_CONTROL", str(system.control))
    shutil.copy(FIRST / "weft.yaml", system.folder)
    system.up()
    wait_until(lambda: len(ready(system)) == 3, "three instances are ready")
    wait_until(lambda: system.answers("/hello/you"), "the gateway answers")
    return system


def endpoints(system):
    done = system.weft("get", "endpoints", "-o", "json")
    return {one["name"]: one for one in json.loads(done.stdout)["endpoints"]} if done.returncode == 0 else {}


def ready(system):
    return {name: one for name, one in endpoints(system).items() if one["state"] == "ready"}


def hello(system, count):
    """How often each instance has answered; fails when a request does."""
    counts = {}
    for _ in range(count):
        who = system.who("/hello/you")["instance"]
        counts[who] = counts.get(who, 0) + 1
    return counts


def change(system, old, new):
    path = system.folder / "weft.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_requests_are_shared_out(first):
    counts = hello(first, 30)
    assert set(counts) == {"greeter-0", "greeter-1", "greeter-2"}
    assert min(counts.values()) >= 8  # in turn, but for what two workers do apart


def test_a_killed_instance_fails_no_request_and_comes_back(first):
    old = ready(first)["greeter-1"]["pid"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asking = pool.submit(hello, first, 300)
        os.kill(old, signal.SIGKILL)
        assert sum(asking.result().values()) == 300
    first.wait_log("greeter-1: was killed by signal 9")
    wait_until(lambda: ready(first).get("greeter-1", {}).get("pid", old) != old, "it comes back")
    wait_until(lambda: "greeter-1" in hello(first, 6), "it answers")


def test_the_serving_process_is_started_again(first):
    instances = {name: one["pid"] for name, one in ready(first).items()}
    pid = json.loads(first.get("/v1/status", first.control)[1])["pid"]
    os.kill(pid, signal.SIGKILL)
    assert sum(hello(first, 30).values()) == 30  # they wait in the socket
    assert json.loads(first.get("/v1/status", first.control)[1])["pid"] != pid
    wait_until(lambda: {name: one["pid"] for name, one in ready(first).items()} == instances, "the same instances")


def test_the_file_is_changed_while_it_runs(first):
    change(first, "routes:\n", "routes:\n  - match: { path: /about }\n"
           '    to: { respond: { status: 200, body: "three instances of greeter\\n" } }\n')
    first.weft("apply", check=0)
    assert first.get("/about") == (200, "three instances of greeter\n")
    change(first, "scale: 3", "scale: 5")
    first.weft("apply", check=0)
    wait_until(lambda: len(ready(first)) == 5, "five instances")


def test_a_bad_file_changes_nothing(first):
    change(first, "scale: 3", "scael: 5")
    said = first.weft("apply", check=1).stderr
    assert 'weft.yaml:12:5: services.greeter: unknown key "scael" (did you mean "scale"?)' in said
    shown = re.search(r"^weft: apply: (.*)$", (FIRST / "README.md").read_text(), re.MULTILINE)[1]
    assert shown in said  # the page shows what is said
    assert sum(hello(first, 6).values()) == 6


def test_trace_and_request_id_reach_the_service(first):
    connection = first.connect()
    trace = "0af7651916cd43dd8448eb211c80319c"
    connection.request("GET", "/hello/you", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01",
                                                     "X-Request-Id": "order-7"})
    assert connection.getresponse().read()
    first.wait_log(f'"trace_id":"{trace}","request_id":"order-7","message":"greets you"')


def test_it_stops_in_order(first):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(first.get, "/slow/700")
        wait_until(lambda: established(first.port), "the request is there")
        first.weft("down", check=0)
        assert slow.result()[0] == 200
    assert first.exit_code() == 0


def established(port):
    """Whether somebody has a connection to the port."""
    lines = open("/proc/net/tcp", encoding="ascii").read().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "01" for line in lines)


# --- the demonstration


def demonstrate(*arguments, **environment):
    mark = f"WEFT_TEST={uuid.uuid4()}"
    name, value = mark.split("=")
    run = subprocess.run([ROOT / "examples/first/run.sh", BUILD, *arguments], capture_output=True, text=True,
                         stdin=subprocess.DEVNULL, timeout=LIMIT * 4, check=False,
                         env={**os.environ, name: value, **environment})
    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and has_mark(pid, mark)]
    assert not left, f"processes left behind: {left}"
    return run


def has_mark(pid, mark):
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            return mark.encode() in environ.read().split(b"\0")
    except OSError:
        return False


def test_the_demonstration_fails_no_request():
    run = demonstrate("--once", FIRST_PORT=str(free_port()), FIRST_CONTROL=str(free_port()))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "30 answered, 0 failed" in run.stdout
    assert "120 answered, 0 failed" in run.stdout
    assert "greeter-1 is back" in run.stdout
    assert "\x1b" not in run.stdout  # colour is for terminals


def test_the_demonstration_says_that_a_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        run = demonstrate(FIRST_PORT=str(port), FIRST_CONTROL=str(free_port()))
    assert run.returncode == 1
    assert f"port {port} is taken" in run.stderr
    assert f"FIRST_PORT={port + 1} " in run.stderr


# --- the service alone


class Greeter:
    def __init__(self, process, place):
        self.process = process
        self.place = place

    def connect(self):
        if isinstance(self.place, int):
            return http.client.HTTPConnection("127.0.0.1", self.place, timeout=LIMIT)
        connection = http.client.HTTPConnection("localhost", timeout=LIMIT)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(LIMIT)
        connection.sock.connect(str(self.place))
        return connection

    def ask(self, method, path, body=None, headers=None):
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer, answer.read()

    def answers(self):
        try:
            return self.ask("GET", "/readyz")[0].status == 200
        except OSError:
            assert self.process.poll() is None, self.process.communicate()
            return False


def clean_environment(**more):
    ours = ("PORT", "LISTEN_FDS", "LISTEN_PID", "WEFT_URL", "WEFT_SERVICE", "WEFT_INSTANCE")
    return {**{name: value for name, value in os.environ.items() if name not in ours}, **more}


@contextlib.contextmanager
def running(command, place, **options):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, **options)
    try:
        greeter = Greeter(process, place)
        wait_until(greeter.answers, "it is ready")
        yield greeter
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LIMIT)


@pytest.fixture
def greeter():
    port = free_port()
    with running([GREETER], port, env=clean_environment(PORT=str(port))) as it:
        yield it


def test_alone_on_a_port(greeter):
    answer, body = greeter.ask("GET", "/hello/w%C3%B6rld")
    assert answer.status == 200
    assert json.loads(body) == {"greeting": "hello, w\u00f6rld", "instance": "greeter", "greetings": 1}
    assert json.loads(greeter.ask("GET", "/hello/you")[1])["greetings"] == 2


def test_alone_on_a_socket_that_it_was_handed(tmp_path):
    place = tmp_path / "greeter.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        script = f'exec 3<&{listener.fileno()}; export LISTEN_PID=$$; exec "$0"'
        environment = clean_environment(LISTEN_FDS="1", PORT="1", WEFT_INSTANCE="greeter-7")
        with running(["bash", "-c", script, GREETER], place, env=environment, pass_fds=[listener.fileno()]) as greeter:
            assert json.loads(greeter.ask("GET", "/hello/you")[1])["instance"] == "greeter-7"


def test_sockets_for_another_process_are_not_taken():
    port = free_port()
    with running([GREETER], port, env=clean_environment(LISTEN_FDS="1", LISTEN_PID="1", PORT=str(port))) as greeter:
        assert greeter.ask("GET", "/hello/you")[0].status == 200


@pytest.mark.parametrize("fds", ["one", "-1", "99999999999"])
def test_variables_that_make_no_sense_are_told(fds):
    script = 'export LISTEN_PID=$$; exec "$0"'
    run = subprocess.run(["bash", "-c", script, GREETER], env=clean_environment(LISTEN_FDS=fds), capture_output=True,
                         text=True, timeout=LIMIT, check=False)
    assert run.returncode == 1
    assert "greeter: LISTEN_FDS and LISTEN_PID make no sense" in run.stderr


def test_alone_problems(greeter):
    def problem(method, path, status):
        answer, body = greeter.ask(method, path)
        assert answer.status == status
        assert answer.getheader("Content-Type") == "application/problem+json"
        assert json.loads(body)["status"] == status
        return answer

    problem("GET", "/nothing", 404)
    problem("GET", "/slow/tomorrow", 400)
    problem("GET", "/hello/%00", 400)
    assert problem("POST", "/hello/you", 405).getheader("Allow") == "GET, HEAD"
    assert problem("GET", "/echo", 405).getheader("Allow") == "POST"


def test_alone_streams_both_ways(greeter):
    content = os.urandom(3_000_000)
    answer, body = greeter.ask("POST", "/echo", content, {"Content-Type": "image/png"})
    assert answer.getheader("Content-Type") == "image/png"
    assert body == content


def test_alone_it_echoes_before_it_has_all(greeter):
    with contextlib.closing(greeter.connect()) as connection:
        connection.putrequest("POST", "/echo")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        connection.send(b"5\r\nfirst\r\n")
        answer = connection.response_class(connection.sock, method="POST")
        answer.begin()
        assert answer.read1(5) == b"first"  # the rest is still to come
        connection.send(b"6\r\nsecond\r\n0\r\n\r\n")
        assert answer.read() == b"second"


def test_alone_finishes_what_it_accepted(greeter):
    with contextlib.closing(greeter.connect()) as connection:
        connection.request("GET", "/slow/600")
        wait_until(lambda: established(greeter.place), "the request is there")
        assert greeter.ask("GET", "/livez")[0].status == 200  # it has been taken in by now
        greeter.process.send_signal(signal.SIGTERM)
        assert connection.getresponse().status == 200
    assert greeter.process.wait(timeout=LIMIT) == 0


def test_alone_it_says_why_it_can_not_start():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        run = subprocess.run([GREETER], env=clean_environment(PORT=str(port)), capture_output=True, text=True,
                             timeout=LIMIT, check=False)
    assert run.returncode == 1
    assert f"greeter: can't listen on 127.0.0.1:{port}: another process listens there" in run.stderr
