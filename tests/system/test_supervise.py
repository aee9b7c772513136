"""How `weft up` looks after services."""
import http.server
import json
import os
import pathlib
import re
import signal
import socketserver
import subprocess
import threading
import time

from running import LIMIT, ROOT, SLOWNESS, WEFT, wait_until

SERVICE = f"/usr/bin/python3 {ROOT / 'tests/system/supervised.py'}"


def endpoints(system):
    return {e["name"]: e for e in json.loads(system.weft("get", "endpoints", "-o", "json", check=0).stdout)["endpoints"]}


def services(system):
    return {s["name"]: s for s in json.loads(system.weft("get", "services", "-o", "json", check=0).stdout)["services"]}


def logs(system, *arguments):
    return system.weft("logs", *arguments, check=0).stdout


def route(path, service):
    return f"  - {{ match: {{ path: /{path}, prefix: true }}, to: {service} }}"


# --- the example does what its page says


def test_the_example(system, monkeypatch):
    example = ROOT / "examples/supervision"
    for name in ["weft.yaml", ".env"]:
        (system.folder / name).write_text((example / name).read_text())
    monkeypatch.setenv("KEEPER", str(WEFT.parents[2] / "examples/supervision/keeper"))
    monkeypatch.setenv("SUPERVISION_PORT", str(system.port))
    monkeypatch.setenv("SUPERVISION_CONTROL", str(system.control))
    system.up()
    wait_until(lambda: system.answers("/count"), "the gateway answers")
    assert log_position(system, "stock-0: ready") < log_position(system, "orders-0: started")
    assert json.loads(system.get("/count")[1])["greeting"] == "hello from .env"
    system.wait_log("weft: reports-0:   reports: no database at db:5432")
    assert endpoints(system)["reports-0"]["process"] == "crash-loop"
    assert "reports-0 | reports: no database at db:5432" in logs(system, "reports")

    def hang():
        connection = system.connect(timeout=1)
        try:
            connection.request("POST", "/hang")
            connection.getresponse()
        except OSError:
            pass
        finally:
            connection.close()

    hang()
    wait_until(lambda: services(system)["orders"]["restarts"] == 1, "it is started anew", LIMIT + 12)
    system.weft("scale", "orders=3", check=0)
    wait_until(lambda: services(system)["orders"]["ready"] == 3, "three of them")
    connection = system.connect()
    connection.request("POST", "/chatter")
    assert connection.getresponse().status == 204
    wait_until(lambda: "line 9999 of a long story" in logs(system, "--tail", "5", "orders"), "its last line")
    shown = (example / "README.md").read_text()
    written = (example / "weft.yaml").read_text()
    for line in written[written.index("services:"):written.index("routes:")].splitlines():
        if line.strip():
            assert line.strip() in shown, line


# --- what is broken is told, and does not disturb others


def test_a_broken_ready_check_keeps_traffic_away(system):
    system.write({"good": f"{{ run: {SERVICE}, ready: /readyz }}",
                  "bad": f"{{ run: {SERVICE} --never, ready: /readyz }}"}, [route("bad", "bad"), route("", "good")])
    begin = time.monotonic()
    system.up().ready()
    assert time.monotonic() - begin >= 4.5  # the first start waits for it, but not for ever
    assert "gateways are opened although no instance of bad is ready yet" in system.log()
    status, body = system.get("/bad")
    assert status == 503 and "no endpoint of the service is ready" in body
    bad = endpoints(system)["bad-0"]
    assert (bad["state"], bad["process"], bad["last_error"]) == ("starting", "starting", "status 503")
    assert services(system)["bad"]["ready"] == 0
    assert system.get("/who")[0] == 200


def test_a_crash_loop_is_said_with_its_last_words(system):
    system.write({"good": f"{{ run: {SERVICE}, ready: /readyz }}",
                  "bad": f"{{ run: {SERVICE} --last 'no database at db:5432', ready: /readyz }}"})
    system.up().ready()
    system.wait_log("bad-0: has died 3 times within ")
    said = re.search(r"weft: bad-0: has died 3 times within \d+ s, the last time it ended with status 7 "
                     r"\d\.\d s after its start; its last lines:\nweft: bad-0:   starting\n"
                     r"weft: bad-0:   no database at db:5432\n", system.log())
    assert said, system.log()
    bad = wait_until(lambda: endpoints(system)["bad-0"], "it is known")
    assert bad["process"] == "crash-loop" and bad["restarts"] >= 2
    assert bad["last_exit"].startswith("ended with status 7 ")
    assert services(system)["bad"]["restarts"] >= 2
    assert system.get("/who")[0] == 200
    lines = [json.loads(line) for line in logs(system, "-o", "json", "bad").splitlines()]
    assert {(line["stream"], line["message"]) for line in lines} == {("out", "starting"), ("err", "no database at db:5432")}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_flood_is_bounded(system):
    system.write({"good": f"{{ run: {SERVICE}, ready: /readyz }}", "loud": f"{{ run: {SERVICE}, ready: /readyz }}"},
                 [route("flood", "loud"), route("", "good")], "log: { files: 3, size: 256KiB, access: false }")
    system.up().ready()
    supervisor = system.supervisor()
    before = cpu_seconds(supervisor)
    assert system.get("/flood?3")[0] == 200
    slowest = 0
    end = time.monotonic() + 3
    while time.monotonic() < end:
        begin = time.monotonic()
        assert system.get("/who")[0] == 200
        slowest = max(slowest, time.monotonic() - begin)
        time.sleep(0.02)
    assert slowest < 0.5 * SLOWNESS, slowest
    used = cpu_seconds(supervisor) - before
    assert used < 1.5 * SLOWNESS, used  # of three seconds
    files = sorted((system.folder / ".weft/logs").glob("loud.log*"))
    assert len(files) == 3, files
    for file in files:
        assert file.stat().st_size <= (256 + 512) * 1024, file  # and a batch
    assert "hello from good-0" in logs(system, "good")
    pages = logs(system, "--tail", "10000", "loud").splitlines()
    numbers = [int(line.split()[2]) for line in pages if line.startswith("loud-0 | 0")]
    gaps = sum(b != (a + 1) % 1000 for a, b in zip(numbers, numbers[1:]))
    assert len(numbers) > 1000
    assert gaps <= "".join(pages).count("lines were dropped here"), gaps  # none without a word


# --- checks


def test_a_hung_service_is_started_anew(system):
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz, "
                         "live: { path: /livez, every: 200ms, timeout: 300ms, failures: 2 } }"})
    system.up().ready()
    first = system.who()["pid"]
    assert endpoints(system)["web-0"]["live"] == "ok"
    system.get("/hang")
    system.wait_log("web-0: its liveness check fails (Connection timed out): it is started anew")
    wait_until(lambda: system.answers() and system.who()["pid"] != first, "another process")
    web = endpoints(system)["web-0"]
    assert web["restarts"] == 1 and web["live"] == "ok"
    assert "web-0: stopped" in system.log()


def test_liveness_spares_who_is_starting(system):
    system.write({"web": f"{{ run: {SERVICE} --boot 2, ready: /readyz, "
                         "live: { path: /nothing-here/livez, every: 100ms, failures: 1 } }"})
    system.up().ready()
    assert endpoints(system)["web-0"]["restarts"] == 0


# --- order


def log_position(system, text):
    position = system.log().find(text)
    assert position >= 0, f"{text} in {system.log()}"
    return position


def test_services_wait_for_what_they_need(system):
    system.write({"web": f"{{ run: {SERVICE}, scale: 2, ready: /readyz, needs: [orders] }}",
                  "orders": f"{{ run: {SERVICE} --boot 0.4, ready: /readyz, needs: stock }}",
                  "stock": f"{{ run: {SERVICE} --boot 0.4, ready: /readyz }}"})
    system.up()
    wait_until(lambda: (system.folder / ".weft/control.sock").exists(), "the socket")
    wait_until(lambda: endpoints(system).get("web-1", {}).get("waits_for") == "orders", "web waits")
    assert endpoints(system)["web-1"]["process"] == "waiting"
    system.ready()
    order = ["stock-0: started", "stock-0: ready", "orders-0: started", "orders-0: ready", "web-0: started"]
    positions = [log_position(system, text) for text in order]
    assert positions == sorted(positions)
    # A need that dies later takes nobody along.
    pids = {name: e["pid"] for name, e in endpoints(system).items()}
    os.kill(pids["stock-0"], signal.SIGKILL)
    wait_until(lambda: endpoints(system)["stock-0"]["restarts"] == 1, "it comes back")
    assert endpoints(system)["orders-0"]["pid"] == pids["orders-0"]
    system.weft("down", check=0)
    assert system.exit_code() == 0
    order = ["web-0: stopped", "orders-0: stopped", "stock-0: stopped"]
    positions = [log_position(system, text) for text in order]
    assert positions == sorted(positions)
    assert log_position(system, "web-1: stopped") < positions[1]


def test_who_waits_for_whom_is_said(system):
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz, needs: [stock, catalog] }}",
                  "stock": f"{{ run: {SERVICE} --never, ready: /readyz }}",
                  "catalog": "{ url: http://127.0.0.1:1 }"})
    system.up()
    system.wait_log("web-0: is not started yet: it needs stock, catalog, where no instance is ready", LIMIT + 6)
    assert system.get("/who")[0] == 503


def test_a_service_elsewhere_may_be_needed(system):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        system.write({"web": f"{{ run: {SERVICE}, ready: /readyz, needs: catalog }}",
                      "catalog": f"{{ url: http://127.0.0.1:{server.server_address[1]} }}"})
        system.up().ready()
    finally:
        server.shutdown()
        server.server_close()


def test_the_first_request_finds_a_ready_service(system):
    system.write({"web": f"{{ run: {SERVICE} --boot 1, ready: /readyz }}"})
    system.up()

    def connects():
        try:
            return system.get("/who")
        except OSError:
            return None

    assert wait_until(connects, "an answer")[0] == 200
    assert "although" not in system.log()


# --- scale


def test_scale_survives(system):
    yaml = f"{{ run: {SERVICE}, ready: /readyz, scale: %d }}"
    system.write({"web": yaml % 1, "other": yaml % 1})
    system.up().ready()
    assert system.weft("scale", "web=3", check=0).stdout == "web: scale 3 (was 1)\n"
    wait_until(lambda: services(system)["web"]["ready"] == 3, "three")
    assert services(system)["web"]["scale_file"] == 1
    refused = system.weft("scale", "wbe=2", check=1)
    assert refused.stderr == "weft: scale: no service is named \"wbe\" (did you mean \"web\"?)\n"
    assert "must be SERVICE=NUMBER" in system.weft("scale", "web=1001", check=2).stderr
    assert "must be SERVICE=NUMBER" in system.weft("scale", "web", check=2).stderr
    system.weft("down", check=0)
    assert system.exit_code() == 0
    system.up().ready()
    wait_until(lambda: services(system)["web"]["ready"] == 3, "three again")
    # Another change of the file leaves it, a change of the number ends it.
    system.write({"web": yaml % 1, "other": yaml % 2})
    system.weft("apply", check=0)
    assert services(system)["web"]["scale"] == 3
    system.write({"web": yaml % 2, "other": yaml % 2})
    system.weft("apply", check=0)
    system.wait_log("web: the file's scale was changed from 1 to 2, and counts again instead of 3 of weft scale")
    assert services(system)["web"]["scale"] == 2 and "scale_file" not in services(system)["web"]
    wait_until(lambda: len([e for e in endpoints(system).values() if e["service"] == "web"]) == 2, "one has gone")
    assert system.weft("scale", "web=0", check=0).stdout == "web: scale 0 (was 2)\n"
    wait_until(lambda: system.get("/who")[0] == 503, "nobody")
    assert system.weft("scale", "web=1", check=0).returncode == 0
    wait_until(system.answers, "somebody")


def test_scaling_down_finishes_requests(system):
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz, scale: 3 }}"})
    system.up().ready()
    wait_until(lambda: services(system)["web"]["ready"] == 3, "three")
    results = []

    def ask():
        results.append(system.get("/slow?2.5"))

    threads = [threading.Thread(target=ask) for _ in range(9)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    system.weft("scale", "web=1", check=0)
    time.sleep(0.5)  # requests of now go to the one that stays
    assert {system.who()["instance"] for _ in range(10)} == {"web-0"}
    assert [e["process"] for e in endpoints(system).values()].count("leaving") == 2
    for thread in threads:
        thread.join()
    assert results == [(200, "slow")] * 9
    wait_until(lambda: list(endpoints(system)) == ["web-0"], "the others have gone", 2 * SLOWNESS)


def test_requests_finish_when_a_service_is_removed_and_at_the_end(system):
    web, old = f"{{ run: {SERVICE}, ready: /readyz }}", f"{{ run: {SERVICE}, ready: /readyz }}"
    system.write({"web": web, "old": old}, [route("slow", "old"), route("", "web")])
    system.up().ready()
    results = []

    def ask():
        results.append(system.get("/slow?0.7"))

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.2)
    system.write({"web": web})
    system.weft("apply", check=0)
    thread.join()
    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.2)
    system.weft("down", check=0)
    thread.join()
    assert results == [(200, "slow")] * 2


# --- environment


def test_env_files(system):
    (system.folder / ".env").write_text("# of the file\nNAME=from-file\nWEFT_TEST_HOME='not ours'\nexport N=\"${NAME}!\"\n")
    (system.folder / ".env.web").write_text("A=1\nB=${N}\nC=web\n")
    (system.folder / "more.env").write_text("C=more\n")
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz, env: {{ X: \"${{NAME}}\", A: over }}, "
                         "env-file: [.env.web, more.env] }"})
    os.environ["WEFT_TEST_HOME"] = "ours"
    try:
        system.up().ready()
    finally:
        del os.environ["WEFT_TEST_HOME"]
    got = {name: system.get(f"/env?{name}")[1] for name in ["X", "A", "B", "C", "NAME", "WEFT_TEST_HOME"]}
    assert got == {"X": "from-file", "A": "over", "B": "from-file!", "C": "more", "NAME": "-", "WEFT_TEST_HOME": "ours"}
    (system.folder / ".env").write_text("NAME=x\nbroken\nN=1\n")
    refused = system.weft("apply", check=1)
    assert ".env:2: must be NAME=value" in refused.stderr
    assert ".env:2: must be NAME=value" in system.weft("check", check=1).stderr
    (system.folder / ".env").write_text("NAME=x\n")
    assert ".env.web:2: variable N is not set" in system.weft("check", check=1).stderr
    (system.folder / ".env.web").unlink()
    assert "services.web.env-file: .env.web can't be read: no such file" in system.weft("check", check=1).stderr.lower()


# --- limits


def test_limits(system):
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz, limits: {{ files: 99, memory: 128MiB, cpu: 50% }} }}",
                  "free": f"{{ run: {SERVICE}, ready: /readyz }}"})
    system.up().ready()
    assert system.get("/files") == (200, "99")
    web = services(system)["web"]
    assert web["limits"] == {"memory": 128 << 20, "cpu": 0.5, "files": 99}
    if "warning" in web:
        assert re.match(r"memory and cpu are not enforced: .*control group.*", web["warning"]), web
        assert f"limits of web: {web['warning']}" in system.log()
        assert "limits of free" not in system.log()
        return
    try:
        system.get("/eat?512")
    except OSError:
        pass
    system.wait_log("web-0: was killed by signal 9 (out of memory: its limit is 128MiB)")


# --- logs


def test_logs_follow_over_rotations(system):
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz }}", "other": f"{{ run: {SERVICE}, ready: /readyz }}"},
                 more="log: { files: 3, size: 64KiB }")
    system.up().ready()
    with open(system.folder / "followed", "wb") as file:
        follower = subprocess.Popen([WEFT, "logs", "-f", "web"], cwd=system.folder, stdout=file,
                                    env=system.environment())
    try:
        time.sleep(0.5)
        os.kill(endpoints(system)["web-0"]["pid"], signal.SIGKILL)
        followed = system.folder / "followed"
        wait_until(lambda: followed.read_text().count("hello from web-0") == 2, "the line after the restart")
        wait_until(system.answers, "it is back")
        system.get("/flood?0.1")
        time.sleep(1.5 * SLOWNESS)
        os.kill(endpoints(system)["web-0"]["pid"], signal.SIGKILL)
        wait_until(lambda: followed.read_text().count("hello from web-0") == 3, "the line after the flood",
                   LIMIT + 5)
        assert len(list((system.folder / ".weft/logs").glob("web.log*"))) == 3
        assert "other" not in followed.read_text()
        assert "\033" not in followed.read_text()
    finally:
        follower.terminate()
        follower.wait(timeout=LIMIT)


def test_logs_are_kept_when_the_system_is_down(system):
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz, scale: 2 }}"})
    assert system.weft("logs", check=0).stdout == ""
    system.up().ready()
    wait_until(lambda: services(system)["web"]["ready"] == 2, "both are ready")
    system.weft("down", check=0)
    assert system.exit_code() == 0
    assert sorted(logs(system).splitlines()) == ["web-0 | hello from web-0", "web-1 | hello from web-1"]
    assert logs(system, "web-1") == "web-1 | hello from web-1\n"
    assert logs(system, "-n", "1").count("\n") == 1
    assert "--tail" in system.weft("logs", "--tail", "0", check=2).stderr


def test_logs_show_what_is_fit_to_be_shown(system):
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz }}"})
    folder = system.folder / ".weft/logs"
    folder.mkdir(parents=True)

    def line(second, message):
        return json.dumps({"time": f"2026-11-21T08:30:{second:02}.000000000Z", "service": "web", "instance": "web-0",
                           "stream": "out", "message": message}, separators=(",", ":"), ensure_ascii=False).encode()

    structured = {"level": "info", "message": "\u009b2J and \033[2J", "\u009bkey": "\x7f"}
    (folder / "web.log").write_bytes(b"\n".join([
        line(1, "one"), b"", b"\0" * 5000, line(2, "half of it")[:-9], b"{" * 100000, b'{"time":"now"}', b"\xff\xfe",
        line(3, json.dumps(structured)), line(4, json.dumps(structured, ensure_ascii=True)),
        line(5, "\u009b1A\u0085 over it"), b"z" * 200000, line(6, "\u00e4 six"), line(7, "still being writ")[:40]]))
    (folder / "other.log").mkdir()
    (folder / "more.log").symlink_to("/etc/passwd")
    shown = [text.removeprefix("web-0 | ") for text in logs(system).split("\n")]
    assert shown[0] == "one" and shown[3:] == ["?1A? over it", "\u00e4 six", ""], shown
    assert shown[1] == shown[2] == "info    ?2J and ?[2J ?key=?", shown


def test_logs_by_the_control_api(system):
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz, scale: 2 }}"})
    system.up().ready()

    def page(query=""):
        status, body = system.get(f"/v1/logs{query}", system.control)
        assert status == 200, body
        return json.loads(body)

    wait_until(lambda: len(page()["lines"]) == 2, "both have said hello")
    first = page("?tail=1")
    assert len(first["lines"]) == 1 and first["lines"][0]["stream"] == "out"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["lines"][0]["time"])
    assert page(f"?after={first['cursor']}") == {"lines": [], "cursor": first["cursor"]}
    assert [line["message"] for line in page("?instance=web-1")["lines"]] == ["hello from web-1"]
    assert len(page("?service=web")["lines"]) == 2 and page("?service=x")["lines"] == []
    assert system.get("/v1/logs?tail=0", system.control)[0] == 400
    assert system.get("/v1/logs?after=yesterday", system.control)[0] == 400
    assert system.get("/v1/logs?x=1", system.control)[0] == 400
