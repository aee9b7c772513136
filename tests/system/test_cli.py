"""Exit codes and exact words of commands; systems side by side; what has been applied when apply returns."""
import json
import os
import pathlib
import shutil
import signal
import socket
import tempfile
import threading
import urllib.error
import urllib.request

import pytest

import running
from running import SERVICE, System, wait_until

NOWHERE = ("no system runs at {socket}: No such file or directory (weft up starts one; -f or --dir tell where)")
LONG = "d" * 100

# (command line, exit code, what stands on standard error behind "weft: ")
ALONE = [
    ("apply", 3, "apply: " + NOWHERE.format(socket=".weft/control.sock")),
    ("diff", 3, "diff: " + NOWHERE.format(socket=".weft/control.sock")),
    ("down", 3, "down: " + NOWHERE.format(socket=".weft/control.sock")),
    ("get services", 3, "get: " + NOWHERE.format(socket=".weft/control.sock")),
    ("scale orders=2", 3, "scale: " + NOWHERE.format(socket=".weft/control.sock")),
    ("diff --dir no-such-folder", 3, "diff: " + NOWHERE.format(socket="no-such-folder/.weft/control.sock")),
    ("apply -f no-such-folder/weft.yaml", 3, "apply: " + NOWHERE.format(socket="no-such-folder/.weft/control.sock")),
    (f"get services --dir {LONG}", 2, f"get: the path {LONG}/.weft/control.sock is too long for a socket (choose a shorter "
                                      "one with --dir)"),
    ("check -f nothing.yaml", 1, "nothing.yaml: can't be read: No such file or directory (-f FILE names another one)"),
    ("check -f folder", 1, "folder: can't be read: Is a directory"),
    ("check -f secret.yaml", 1, "secret.yaml: can't be read: Permission denied"),
    ("check", 1, "weft.yaml: can't be read: No such file or directory (-f FILE names another one)"),
    ("fmt nothing.yaml", 1, "fmt: can't read nothing.yaml: No such file or directory"),
    ("up -f nothing.yaml", 1, "nothing.yaml: can't be read: No such file or directory (-f FILE names another one)\n"
                              "weft: nothing.yaml: nothing was started"),
    ("scale orders", 2, 'scale: "orders" must be SERVICE=NUMBER, with a number from 0 to 1000 (such as orders=3)'),
    ("scale orders=-1", 2, 'scale: "orders=-1" must be SERVICE=NUMBER, with a number from 0 to 1000 (such as orders=3)'),
    ("scale =1", 2, 'scale: "=1" must be SERVICE=NUMBER, with a number from 0 to 1000 (such as orders=3)'),
    ("help nothing", 2, "help: there is no command 'nothing' (weft help lists them)"),
    ("man nothing", 2, "man: there is no command 'nothing' (weft help lists them)"),
]

# While a system runs whose services are orders and credit, and elsewhere.
RUNNING = [
    ("scale order=2", 1, 'scale: no service is named "order" (did you mean "orders"?)'),
    ("scale nobody=2", 1, 'scale: no service is named "nobody" (weft get services lists them)'),
    ("scale elsewhere=2", 1, "scale: elsewhere has a url: it runs elsewhere, and is not started by weft"),
    ("up", 1, "control-socket: can't listen on unix:.weft/control.sock: Address already in use (the system is running "
              "already: weft down stops it, weft apply changes it)\nweft: weft.yaml: nothing was started"),
]


@pytest.fixture
def place(system):
    (system.folder / "folder").mkdir()
    secret = system.folder / "secret.yaml"
    secret.write_text("system: test\n")
    secret.chmod(0)
    return system


@pytest.mark.parametrize("line, code, words", ALONE, ids=[row[0][:40] for row in ALONE])
def test_errors_without_a_system(place, line, code, words):
    if "secret" in line and os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root")
    done = place.weft(*line.split())
    assert (done.returncode, done.stderr, done.stdout) == (code, f"weft: {words}\n", "")


def test_errors_of_a_system(system):
    system.write({"orders": f'{{ run: "{SERVICE}" }}', "credit": f'{{ run: "{SERVICE}" }}',
                  "elsewhere": "{ url: http://127.0.0.1:9 }"})
    system.up().ready()
    wait_until(lambda: "hello from credit-0" in system.weft("logs", check=0).stdout, "what services said is kept")
    before = (system.instances(), system.serving(), sorted(os.listdir(system.folder / ".weft")))
    said = system.weft("logs", check=0).stdout
    for line, code, words in RUNNING:
        done = system.weft(*line.split())
        assert (line, done.returncode, done.stderr, done.stdout) == (line, code, f"weft: {words}\n", "")
    assert (system.instances(), system.serving(), sorted(os.listdir(system.folder / ".weft"))) == before
    assert system.weft("logs", check=0).stdout == said
    assert system.who()["service"] == "orders"


def serve_nonsense(path, answer):
    """A system of another version, or something else, at the control socket."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return server


def http_answer(status, body, kind="application/json"):
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize("line", ["diff", "get services", "get endpoints"])
def test_an_answer_of_another_version(system, line):
    (system.folder / ".weft").mkdir()
    command = line.split()[0]
    for body in ["{}", "[", "", "[" * 1000, '{"differences": 7, "services": 7, "endpoints": 7}']:
        with serve_nonsense(system.folder / ".weft/control.sock", http_answer("200 OK", body)):
            done = system.weft(*line.split(), check=1)
            assert done.stderr == (f"weft: {command}: the system's answer was not understood (is it of another version?)\n")
        os.remove(system.folder / ".weft/control.sock")
    problem = json.dumps({"type": "about:blank", "status": 404, "detail": "there is /v1/status"})
    with serve_nonsense(system.folder / ".weft/control.sock", http_answer("404 Not Found", problem)):
        assert system.weft(*line.split(), check=1).stderr == f"weft: {command}: there is /v1/status\n"


def test_what_is_no_http(system):
    (system.folder / ".weft").mkdir()
    with serve_nonsense(system.folder / ".weft/control.sock", b"SSH-2.0-x\r\n"):
        done = system.weft("diff", check=3)
    assert done.stderr == "weft: diff: can't talk to the system at .weft/control.sock: Protocol error\n"


# --- two systems ---------------------------------------------------------------------------------------------------


@pytest.fixture
def other():
    it = System(pathlib.Path(tempfile.mkdtemp(prefix="weft-")))
    try:
        yield it
    finally:
        left = it.end()
        shutil.rmtree(it.folder, ignore_errors=True)
    assert not left


def plain(system, name, control=""):
    """No control: in the file, unless it is given."""
    system.write_raw(f"system: {name}\nworkers: 1\n{control}gateway: [ listen: 'http://127.0.0.1:{system.port}' ]\n"
                     f"services: {{ {name}: {{ run: '{SERVICE}' }} }}\n"
                     f"routes: [ {{ match: {{ path: /, prefix: true }}, to: {name} }} ]\n")


def control_of(system):
    """(address, remark), as the system said it last."""
    line = [line for line in system.log().splitlines() if line.startswith("weft: control: ")][-1]
    address, _, remark = line.removeprefix("weft: control: http://").partition(" ")
    return address, remark


def status_of(address):
    with urllib.request.urlopen(f"http://{address}/v1/status", timeout=running.LIMIT) as answer:
        return json.load(answer)


def test_two_systems_side_by_side(system, other):
    plain(system, "one")
    plain(other, "two")
    system.up().ready()
    other.up().ready()
    first, second = control_of(system)[0], control_of(other)[0]
    taken = {int(first.split(":")[1]), int(second.split(":")[1])}
    assert len(taken) == 2 and all(7070 <= port <= 7089 for port in taken)
    for it, address, name in [(system, first, "one"), (other, second, "two")]:
        status = status_of(address)
        assert (status["system"], status["control"]) == (name, address)
        assert control_of(it)[1] == ("" if address.endswith(":7070") else "(7070 is taken)")
        services = json.loads(it.weft("get", "services", "-o", "json", check=0).stdout)["services"]
        assert [service["name"] for service in services] == [name]
        assert it.who()["service"] == name
    # Services see those of their own system only.
    assert system.get("/call?two/who")[0] == 404 and other.get("/call?one/who")[0] == 404
    assert other.get("/call?two/who")[0] == 200
    # The port stays: over reloads, over the death of the serving process, and when it is written down.
    os.kill(other.serving(), signal.SIGKILL)
    other.weft("apply")
    wait_until(lambda: other.weft("apply").returncode == 0, "the serving process is back")
    assert status_of(second)["control"] == second
    plain(other, "two", f"control: {second}\n")
    assert other.weft("diff").stdout.endswith("\nnothing is started anew\n")
    other.weft("apply", check=0)
    assert status_of(second)["control"] == second
    assert system.weft("down", check=0).stdout == "stopped\n"
    assert other.who()["service"] == "two"


def test_an_address_that_is_written_must_be_free(system):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        plain(system, "one", f"control: 127.0.0.1:{port}\n")
        done = system.weft("up", check=1)
    assert done.stderr.startswith(
        f"weft: control: can't listen on 127.0.0.1:{port}: Address already in use (another system, perhaps: choose another "
        "address with control: { listen: ... }, or off)\n")


def test_no_port_is_left(system):
    """CONTROL_PORT_LAST: all of them are taken."""
    servers = []
    for port in range(7070, 7090):
        try:
            servers.append(socket.create_server(("127.0.0.1", port)))
        except OSError:
            pass  # somebody else has it
    try:
        plain(system, "one")
        done = system.weft("up", check=1)
    finally:
        for server in servers:
            server.close()
    assert done.stderr.startswith("weft: control: can't listen on 127.0.0.1:7070, nor on a port up to 7089: Address already "
                                  "in use (")


def test_a_refused_version_leaves_the_port(system):
    """What a version that came to nothing had opened is closed, and what was before is told again."""
    plain(system, "one", f"control: 127.0.0.1:{system.control}\n")
    system.up().ready()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = (system.folder / "weft.yaml").read_text()
        elsewhere = running.free_port()
        system.write_raw(text.replace(str(system.control), str(elsewhere)).replace(
            "gateway: [ ", f"gateway: [ listen: 'http://127.0.0.1:{taken.getsockname()[1]}', "))
        assert "Address already in use" in system.weft("apply", check=1).stderr
    assert status_of(f"127.0.0.1:{system.control}")["control"] == f"127.0.0.1:{system.control}"
    system.write_raw(text.replace(str(system.control), str(elsewhere)))
    system.weft("apply", check=0)
    assert status_of(f"127.0.0.1:{elsewhere}")["control"] == f"127.0.0.1:{elsewhere}"
    system.write_raw(text.replace(f"control: 127.0.0.1:{system.control}", "control: off"))
    system.weft("apply", check=0)
    with pytest.raises(urllib.error.URLError):
        status_of(f"127.0.0.1:{elsewhere}")


def test_gateways_collide(system, other):
    plain(system, "one")
    system.up().ready()
    other.port = system.port
    plain(other, "two")
    done = other.weft("up", check=1)
    assert done.stderr == (
        f"weft: gateway: can't listen on 127.0.0.1:{system.port}: Address already in use (another process listens there: "
        "stop it, or choose another address)\nweft: weft.yaml: nothing was started\n")
    assert system.who()["service"] == "one"


# --- apply ------------------------------------------------------------------------------------------------------------


def respond(system, text):
    system.write_raw(f"system: test\nworkers: 3\ncontrol: off\ngateway: [ listen: 'http://127.0.0.1:{system.port}' ]\n"
                     f"routes: [ {{ match: {{ path: /, prefix: true }}, to: {{ respond: {{ status: 200, body: '{text}' }} }} }} ]\n")


def answers(system, count):
    """On a connection of its own each, so that all workers are met."""
    return {system.get("/")[1] for _ in range(count)}


def test_all_workers_answer_anew_when_apply_returns(system):
    respond(system, "v0")
    system.up()
    wait_until(lambda: system.answers("/"), "the system answers")
    kept = system.connect()
    kept.request("GET", "/")
    assert kept.getresponse().read() == b"v0"
    for i in range(1, 51):
        respond(system, f"v{i}")
        system.weft("apply", check=0)
        assert answers(system, 4) == {f"v{i}"}
        kept.request("GET", "/")
        assert kept.getresponse().read() == f"v{i}".encode()
    kept.close()


def test_all_workers_answer_anew_when_a_hangup_is_live(system):
    """SIGHUP applies; the log says when every worker lives in it."""
    respond(system, "v0")
    system.up()
    wait_until(lambda: system.answers("/"), "the system answers")
    for i in range(1, 11):
        respond(system, f"v{i}")
        os.kill(system.process.pid, signal.SIGHUP)
        system.wait_log(f"version {i + 1} is live")
        assert answers(system, 4) == {f"v{i}"}


def test_a_hangup_with_a_bad_file_changes_nothing(system):
    respond(system, "v0")
    system.up()
    wait_until(lambda: system.answers("/"), "the system answers")
    system.write_raw("system: test\nroutes: [ { to: nobody } ]\n")
    os.kill(system.process.pid, signal.SIGHUP)
    system.wait_log('weft.yaml:2:17: routes[0].to: no service is named "nobody"')
    system.wait_log("weft.yaml: nothing was changed")
    assert answers(system, 4) == {"v0"}
