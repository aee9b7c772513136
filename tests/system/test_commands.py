"""The commands of weft against real processes."""
import json
import os
import re
import signal
import time

import pytest

from running import SERVICE, wait_until


def test_version_and_help(system):
    assert system.weft("version", check=0).stdout.startswith("weft ")
    listing = system.weft("help", check=0).stdout
    for name in ["up", "check", "apply", "get", "down", "schema", "completion", "version"]:
        assert f"\n  {name} " in listing
        assert f"usage: weft {name}" in system.weft("help", name, check=0).stdout
        assert system.weft(name, "--help", check=0).stdout == system.weft("help", name).stdout
    assert "serve" not in listing


@pytest.mark.parametrize("arguments, words", [
    (["upp"], "did you mean up?"),
    (["get"], "wants services|endpoints"),
    (["get", "nothing"], "there is no 'nothing'"),
    (["check", "--nothing"], "there is no option --nothing"),
    (["check", "-f"], "--file wants FILE"),
    (["help", "nothing"], "there is no command 'nothing'"),
    (["down", "now"], "one word too many"),
])
def test_usage_errors(system, arguments, words):
    done = system.weft(*arguments, check=2)
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_the_commands(system, shell):
    script = system.weft("completion", shell, check=0).stdout
    for word in ["up", "check", "services", "endpoints", "file"]:
        assert word in script


@pytest.mark.parametrize("arguments", [["get", "services"], ["get", "endpoints"], ["apply"], ["down"]])
def test_unreachable_is_3(system, arguments):
    done = system.weft(*arguments, check=3)
    assert "no system runs" in done.stderr and ".weft/control.sock" in done.stderr


def test_check(system):
    system.write({"web": f"{{ run: '{SERVICE}', scale: 2, ready: /readyz }}"})
    assert "good" in system.weft("check", check=0).stdout
    system.write({"web": "{ run: x, scale: many, reddy: /readyz }"})
    errors = system.weft("check", check=1).stderr
    assert "weft.yaml:7:" in errors and "scale" in errors and "reddy" in errors
    assert "no such file" in system.weft("check", "-f", "nothing.yaml", check=1).stderr.lower()


def test_schema_is_json(system):
    schema = json.loads(system.weft("schema", check=0).stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "services" in json.dumps(schema)


def test_up_refuses_a_bad_file(system):
    system.write_raw("system: test\nserviced: {}\n")
    system.up()
    assert system.exit_code() == 1
    assert "weft.yaml:2:" in system.log()


def test_up_get_down(system):
    system.write({"web": f"{{ run: '{SERVICE}', scale: 2, ready: /readyz }}"})
    system.up().ready()
    assert {system.who()["service"] for _ in range(4)} == {"web"}
    wait_until(lambda: {system.who()["instance"] for _ in range(4)} == {"web-0", "web-1"}, "both instances answer")
    assert "web-0 | hello from web-0" in system.log()

    table = system.weft("get", "services", check=0).stdout
    assert "web" in table
    services = json.loads(system.weft("get", "services", "-o", "json", check=0).stdout)
    assert "web" in json.dumps(services)
    table = system.weft("get", "endpoints", check=0).stdout
    assert "web-0" in table and "web-1" in table

    assert "stopped" in system.weft("down", check=0).stdout
    assert system.exit_code() == 0
    assert not (system.folder / ".weft/control.sock").exists()
    assert not list((system.folder / ".weft/run").iterdir())


def test_second_up_is_refused(system):
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    system.up().ready()
    done = system.weft("up", check=1)
    assert "running already" in done.stderr
    assert system.who()["service"] == "web"


def test_port_in_use_is_said(system):
    import socket

    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    with socket.create_server(("127.0.0.1", system.port)):
        done = system.weft("up", check=1)
    assert f"can't listen on 127.0.0.1:{system.port}" in done.stderr


def test_environment_of_a_service(system):
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    system.up().ready()
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/~web-[0-9a-f]{32}", system.get("/env?WEFT_URL")[1])
    assert system.get("/env?WEFT_SERVICE")[1] == "web"
    assert system.get("/env?WEFT_INSTANCE")[1] == "web-0"


def test_control_over_tcp_only_reads(system):
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    system.up().ready()
    assert system.get("/livez", system.control)[0] == 200
    assert system.get("/readyz", system.control)[0] == 200
    status, text = system.get("/metrics", system.control)
    assert status == 200 and "http_server_request_duration_seconds" in text
    connection = system.connect(system.control)
    connection.request("POST", "/v1/down")
    assert connection.getresponse().status in (403, 404, 405)
    assert system.who()["service"] == "web"


def test_connections_to_endpoints_are_counted(system):
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    system.up().ready()

    def count(name):
        lines = system.get("/metrics", system.control)[1].splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name + "{"))

    for _ in range(5):
        assert system.get("/")[0] == 200
    wait_until(lambda: count("weft_client_connects_total") >= 1, "the connection is counted")
    wait_until(lambda: count("weft_client_reuses_total") >= 1, "its reuse is counted")


def test_apply(system):
    system.write({"web": f"{{ run: '{SERVICE}', scale: 1, ready: /readyz }}"})
    system.up().ready()
    system.write({"web": f"{{ run: '{SERVICE}', scale: 3, ready: /readyz }}"})
    assert "version 2 is live" in system.weft("apply", check=0).stdout
    wait_until(lambda: {system.who()["instance"] for _ in range(6)} == {"web-0", "web-1", "web-2"}, "three instances")
    system.write({"web": f"{{ run: '{SERVICE}', scale: 1, ready: /readyz }}"})
    system.weft("apply", check=0)
    wait_until(lambda: len(system.instances()) == 1, "one instance is left")
    assert system.who()["instance"] == "web-0"


def test_a_bad_file_changes_nothing(system):
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    system.up().ready()
    before = system.who()["pid"]
    system.write({"web": f"{{ run: '{SERVICE}', scale: -3, ready: /readyz, colour: red }}"})
    errors = system.weft("apply", check=1).stderr
    assert "weft.yaml:7:" in errors and "scale" in errors and "colour" in errors
    assert "nothing was changed" in system.log()
    os.kill(system.guard(), signal.SIGHUP)
    wait_until(lambda: system.log().count("nothing was changed") == 2, "SIGHUP says it too")
    assert system.who()["pid"] == before
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    system.weft("apply", check=0)
    assert system.who()["pid"] == before


def test_a_changed_command_is_replaced_without_a_gap(system):
    system.write({"web": f"{{ run: '{SERVICE} --say old', ready: /readyz }}"})
    system.up().ready()
    assert system.who()["say"] == "old"
    system.write({"web": f"{{ run: '{SERVICE} --say new', ready: /readyz }}"})
    os.kill(system.guard(), signal.SIGHUP)
    end = time.monotonic() + 20
    while system.who()["say"] != "new":  # who() fails the test when an answer is none
        assert time.monotonic() < end, system.log()
    wait_until(lambda: len(system.instances()) == 1, "the old one ends")
    assert system.who()["say"] == "new"


def test_a_new_version_that_is_never_ready_does_not_take_over(system):
    system.write({"web": f"{{ run: '{SERVICE} --say old', ready: /readyz }}"})
    system.up().ready()
    system.write({"web": f"{{ run: '{SERVICE} --say new --not-ready', ready: /readyz }}"})
    system.weft("apply", check=0)
    for _ in range(30):
        assert system.who()["say"] == "old"
        time.sleep(0.05)


def test_a_new_gateway_port(system):
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    system.up().ready()
    old, system.port = system.port, system.control  # any other free one
    from running import free_port
    system.port = free_port()
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    system.weft("apply", check=0)
    assert system.who()["service"] == "web"
    with pytest.raises(OSError):
        system.get("/who", old)


def test_a_file_in_many_parts(system):
    """The serving process gets the very texts, however long they are, and whoever includes them."""
    (system.folder / "conf").mkdir()
    padding = "# \u00e4 line of a comment that says nothing, many times over\n" * 4000
    (system.folder / "conf/web.yaml").write_text(
        padding + f"services:\n  web: {{ run: '{SERVICE}', ready: /readyz }}\n")
    system.write_raw(f"system: test\ninclude: [conf/web.yaml]\nworkers: 1\ncontrol: {{ listen: 127.0.0.1:{system.control} }}\n"
                     f"gateway: [ {{ listen: 'http://127.0.0.1:{system.port}' }} ]\n{padding}"
                     "routes: [ { match: { path: /, prefix: true }, to: web } ]\n")
    system.up().ready()
    assert system.who()["service"] == "web"
    (system.folder / "conf/web.yaml").write_text("services:\n  web: { run: x, colour: red }\n")
    assert "conf/web.yaml:2:" in system.weft("apply", check=1).stderr


def test_a_file_elsewhere(system):
    """Services run where the file is; variables come from the environment."""
    folder = system.folder / "there"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner/run.sh").write_text(f"#!/bin/sh\nexec {SERVICE} --say \"$PWD $WORD\"\n")
    (folder / "inner/run.sh").chmod(0o755)
    (folder / "weft.yaml").write_text(
        f"system: test\ncontrol: {{ listen: 127.0.0.1:{system.control} }}\n"
        f"gateway: [ {{ listen: 'http://127.0.0.1:{system.port}' }} ]\n"
        "services:\n  web: { run: ./run.sh, directory: inner, env: { WORD: '${LC_ALL}' }, ready: /readyz }\n"
        "routes: [ { match: { path: /, prefix: true }, to: web } ]\n")
    system.up("-f", "there/weft.yaml").ready()
    assert system.who()["say"] == f"{folder / 'inner'} C.UTF-8"
    assert (folder / ".weft/control.sock").exists()
    assert "web-0" in system.weft("get", "endpoints", "-f", "there/weft.yaml", check=0).stdout
    assert "stopped" in system.weft("down", "-f", "there/weft.yaml", check=0).stdout
    assert system.exit_code() == 0


def test_a_folder_too_deep_for_sockets(system):
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    (system.folder / ("d" * 120)).mkdir()
    done = system.weft("up", "--dir", "d" * 120, check=1)
    assert "too long" in done.stderr


def test_fifty_reloads(system):
    """Old versions go: what they needed is given back."""
    system.write({"web": f"{{ run: '{SERVICE}', ready: /readyz }}"})
    system.up().ready()

    def memory():
        status = open(f"/proc/{system.supervisor()}/status").read()
        return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])

    for _ in range(5):
        system.weft("apply", check=0)
    before, pid = memory(), system.who()["pid"]
    for _ in range(50):
        system.weft("apply", check=0)
    assert "version 56 is live" in system.log()
    assert system.who()["pid"] == pid
    maps = open(f"/proc/{system.supervisor()}/maps").read()
    if "libasan" not in maps and "libtsan" not in maps:  # they keep what was freed
        assert memory() - before < 512
