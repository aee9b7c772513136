"""weft top, trace, describe and get: what they show is what was sent; on a terminal they behave like guests."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest

from running import LIMIT, SERVICE, WEFT, wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
COLOUR = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture
def shop(system):
    service = f"run: {SERVICE}, ready: /readyz"
    system.write({"orders": f"{{ {service}, scale: 2, policy: call, limits: {{ files: 512 }} }}",
                  "web": f"{{ {service}, needs: [orders], balance: least-request }}"},
                 ["  - match: { path: /web, prefix: true }", "    stages: [ { timeout: 4s } ]", "    to: web",
                  "  - { name: calls, match: { path: /call }, to: web }",
                  "  - { match: { path: /old }, to: { redirect: { path: /web } } }",
                  "  - { match: { path: /tea, method: [GET], header: { X-A: '1' } }, to: { respond: 418 } }",
                  "  - { name: all, match: { path: /, prefix: true }, to: orders }"],
                 more="policies: { call: { timeout: 5s, retry: { attempts: 2, backoff: 10ms..20ms } } }")
    system.up().ready()
    wait_until(lambda: all(one["state"] == "ready" for one in get(system, "endpoints")["endpoints"]), "all are ready")
    return system


def get(system, what, *arguments):
    return json.loads(system.weft("get", what, "-o", "json", *arguments, check=0).stdout)


def ask(system, path, **headers):
    connection = system.connect()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def rows(text):
    """A table as dictionaries: columns begin where their titles do."""
    lines = text.rstrip("\n").split("\n")
    starts = [match.start() for match in re.finditer(r"(?:(?<=  )|^)\S", lines[0])]
    cut = [[line[a:b].strip() for a, b in zip(starts, [*starts[1:], None])] for line in lines]
    return [dict(zip(cut[0], row)) for row in cut[1:]]


# --- top


def test_top_adds_up_with_what_was_sent(shop):
    """Sent between the two looks: the numbers are of that time alone."""
    before = counted(shop)
    process = subprocess.Popen([WEFT, "top", "--once", "--interval", "3s", "-o", "json"], cwd=shop.folder,
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    time.sleep(0.7)
    for _ in range(12):
        assert ask(shop, "/call?orders/status%3F200") == 200
    for _ in range(5):
        assert ask(shop, "/status?503") == 503
    assert ask(shop, "/old") == 302
    top = json.loads(process.communicate(timeout=LIMIT)[0])
    calls = {(one["from"], one["to"]): one for one in top["calls"]}
    services = {one["name"]: one for one in top["services"]}
    assert calls["web", "orders"]["requests"] == 12 and calls["gateway", "web"]["requests"] == 12
    # 503 is tried again by the policy; the client sees one
    assert calls["gateway", "orders"]["requests"] == 5 == calls["gateway", "orders"]["errors"]
    assert calls["gateway", "orders"]["errors_percent"] == 100 and calls["gateway", "orders"]["retries"] >= 1
    assert calls["gateway", ""]["requests"] == 1 and calls["gateway", ""]["to_kind"] == "answer"
    assert services["orders"]["requests"] == 17 and services["web"]["requests"] == 12
    assert abs(services["orders"]["per_second"] - 17 / top["seconds"]) < 0.01
    assert top["requests"] == 18 and 2.9 < top["seconds"] < 3 + LIMIT
    assert 0 < services["web"]["p50_ms"] <= services["web"]["p99_ms"]
    assert counted(shop) - before == 30
    instances = {one["name"]: one for one in top["instances"]}
    assert set(instances) == {"orders-0", "orders-1", "web-0"} and instances["web-0"]["limit"] == 2 * 1024


def counted(system):
    body = system.get("/v1/topology", system.control)[1]
    return sum(edge["requests"] for edge in json.loads(body)["edges"])


def test_what_is_under_way_is_active(shop):
    threads = [threading.Thread(target=ask, args=(shop, "/slow?2")) for _ in range(3)]
    for thread in threads:
        thread.start()
    active = wait_until(lambda: [one for one in get(shop, "endpoints")["endpoints"] if one.get("active")], "3 are active")
    wait_until(lambda: sum(one["active"] for one in get(shop, "endpoints")["endpoints"]) == 3, "3 are active")
    assert {one["service"] for one in active} == {"orders"}
    table = shop.weft("get", "endpoints", check=0).stdout.splitlines()
    column = table[0].split().index("ACTIVE")
    assert sum(int(row.split()[column]) for row in table[1:]) == 3
    explained = json.loads(shop.weft("explain", "/slow", "-o", "json", check=0).stdout)
    assert sum(one["active"] for one in explained["endpoints"]) == 3
    text = shop.weft("top", "--once", "--interval", "100ms", check=0).stdout
    assert "3 active" in text.splitlines()[0]
    for thread in threads:
        thread.join()
    wait_until(lambda: not any(one["active"] for one in get(shop, "endpoints")["endpoints"]), "none is active")


def test_top_in_a_pipe_is_one_plain_table(shop):
    text = shop.weft("top", "--interval", "200ms", check=0).stdout
    assert "\x1b" not in text
    first, services, calls, instances = re.split("\n\n", text)
    assert first.startswith("test: ") and "req/s" in first
    assert [row["SERVICE"] for row in rows(services)] == ["orders", "web"]
    assert {row["FROM"] for row in rows(calls)} == {"gateway (gateway)"}
    assert len(rows(instances)) == 3


# --- terminals


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, system, *arguments, columns=100, lines=30, **environment):
        self.text = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(system.folder)
            os.execve(WEFT, [str(WEFT), *arguments], {**system.environment(), "TERM": "xterm", **environment})
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, limit=0.2):
        while select.select([self.master], [], [], limit)[0]:
            try:
                part = os.read(self.master, 65536)
            except OSError:
                part = b""
            if not part:
                return False
            self.text += part.decode()
        return True

    def wait_for(self, what, count=1):
        wait_until(lambda: not self.read(0.05) or self.text.count(what) >= count, f"{what!r} {count} times")
        assert self.text.count(what) >= count, self.text

    def end(self, number=None):
        if number:
            os.kill(self.pid, number)
        wait_until(lambda: not self.read(0.05), "it ends")
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.master)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_live_table_gives_the_terminal_back(shop, number):
    terminal = Terminal(shop, "top", "--interval", "200ms")
    terminal.wait_for("SERVICE", 3)
    assert terminal.end(number) == 0
    assert terminal.text.startswith(ENTER) and terminal.text.count(ENTER) == 1
    assert terminal.text.endswith("\x1b[?25h" + LEAVE) and terminal.text.count(LEAVE) == 1


def test_ctrl_c_ends_a_live_table(shop):
    terminal = Terminal(shop, "top", "--interval", "200ms")
    terminal.wait_for("SERVICE", 2)
    os.write(terminal.master, b"\x03")
    assert terminal.end() == 0
    assert terminal.text.endswith(LEAVE)


def test_a_live_table_tells_why_it_ends(shop):
    terminal = Terminal(shop, "top", "--interval", "200ms")
    terminal.wait_for("SERVICE", 2)
    shop.weft("down", check=0)
    assert terminal.end() == 3
    before, after = terminal.text.split(LEAVE)
    assert "top: no system runs" in after and "no system runs" not in before


@pytest.mark.parametrize("columns, lines", [(60, 12), (40, 30), (132, 50)])
def test_a_live_table_fits_the_terminal(shop, columns, lines):
    terminal = Terminal(shop, "top", "--interval", "200ms", columns=columns, lines=lines)
    terminal.wait_for("\x1b[J", 4)
    terminal.end(signal.SIGINT)
    frames = terminal.text.split("\x1b[H")[3:]
    assert frames
    for frame in frames[:-1]:
        shown = COLOUR.sub("", frame.split("\x1b[J")[0]).replace("\x1b[K", "").split("\r\n")[:-1]
        assert 3 < len(shown) < lines
        assert max(len(line) for line in shown) <= columns, shown


def test_colours_are_for_terminals_that_want_them(shop):
    assert ask(shop, "/old") == 302
    for arguments in [["explain", "/web/x"], ["get", "traffic"], ["get", "routes"], ["describe", "service", "orders"],
                      ["trace"], ["top", "--once", "--interval", "100ms"]]:
        assert "\x1b" not in shop.weft(*arguments, check=0).stdout
        terminal = Terminal(shop, *arguments)
        assert terminal.end() == 0
        assert COLOUR.search(terminal.text) and ENTER not in terminal.text, arguments
        terminal = Terminal(shop, *arguments, NO_COLOR="1")
        assert terminal.end() == 0
        assert "\x1b" not in terminal.text


# --- trace


def test_a_trace_is_a_waterfall(shop):
    assert ask(shop, "/call?orders/slow%3F0.1", traceparent=f"00-{TRACE}-{PARENT}-01") == 200
    wait_until(lambda: len(json.loads(shop.get("/v1/traffic?trace=" + TRACE, shop.control)[1])["exchanges"]) == 2,
               "both are told")
    text = shop.weft("trace", TRACE, check=0).stdout
    lines = text.splitlines()
    assert lines[0].startswith(f"trace {TRACE}, 2 exchanges in ")
    outer = next(line for line in lines if line.startswith("web GET /call"))
    inner = next(line for line in lines if line.startswith("  orders GET /slow?0.1"))
    bars = [line[line.index("|") + 1:line.rindex("|")] for line in (outer, inner)]
    assert len(bars[0]) == len(bars[1]) and set(bars[0]) <= set("= ") and bars[0].startswith("=")
    assert bars[0].count("=") >= bars[1].count("=") > len(bars[0]) / 2
    assert "200" in outer and "200" in inner
    steps = [line.strip().split(" ")[0] for line in lines[lines.index(outer) + 1:lines.index(inner)]]
    assert steps == ["route", "timeout", "retry", "balance", "endpoint"]
    assert any(re.match(r" +endpoint orders-[01] +\|", line) for line in lines)
    took = float(re.search(r"([0-9.]+) ms", inner)[1])
    assert 100 <= took <= float(re.search(r"([0-9.]+) ms", outer)[1])
    assert shop.weft("trace", TRACE[:4].upper(), check=0).stdout == text
    whole = json.loads(shop.weft("trace", TRACE, "-o", "json", check=0).stdout)
    assert [one["service"] for one in whole["exchanges"]] == ["web", "orders"]


def test_tries_are_told_below_their_exchange(shop):
    assert ask(shop, "/status?503", traceparent=f"00-{TRACE}-{PARENT}-01") == 503
    wait_until(lambda: shop.weft("trace", TRACE).returncode == 0, "it is told")
    text = shop.weft("trace", TRACE, check=0).stdout
    assert "retry 2 tries" in text and len(re.findall(r"^ +endpoint orders-[01] ", text, re.MULTILINE)) == 2


def test_the_newest_traces_are_listed(shop):
    for number in range(3):
        assert ask(shop, f"/web/{number}") == 200
    wait_until(lambda: "/web/2" in shop.weft("trace", check=0).stdout, "all are told")
    table = rows(shop.weft("trace", check=0).stdout)
    assert [row["PATH"] for row in table][:3] == ["/web/2", "/web/1", "/web/0"]
    assert shop.weft("trace", table[0]["TRACE"], check=0).stdout.splitlines()[1].startswith("web GET /web/2 ")


@pytest.mark.parametrize("id, code, said", [
    ("abc", 2, "32 hexadecimal digits"), ("wxyz", 2, "32 hexadecimal digits"), ("f" * 33, 2, "32 hexadecimal digits"),
    ("ffff", 1, "no recent exchange"), ("f" * 32, 1, "no recent exchange"),
])
def test_traces_that_are_not_there(shop, id, code, said):
    done = shop.weft("trace", id, check=code)
    assert said in done.stderr and done.stdout == ""


def test_the_start_of_an_id_must_tell_which(shop):
    for trace in (TRACE, TRACE[:-1] + "d"):
        assert ask(shop, "/web", traceparent=f"00-{trace}-{PARENT}-01") == 200
        wait_until(lambda: shop.weft("trace", trace).returncode == 0, "it is told")
    done = shop.weft("trace", TRACE[:8], check=1)
    assert "several traces begin with" in done.stderr and TRACE in done.stderr


# --- get and describe


def test_routes_are_listed_in_order(shop):
    table = rows(shop.weft("get", "routes", check=0).stdout)
    assert [row["NAME"] for row in table][-1] == "all"
    tea = next(row for row in table if row["PATH"] == "/tea")
    assert (tea["METHOD"], tea["MORE"], tea["TO"]) == ("GET", "X-A=1", "respond")
    web = next(row for row in table if row["PATH"] == "/web/*")
    assert (web["METHOD"], web["STAGES"], web["TO"]) == ("*", "timeout", "web")
    assert [route["name"] for route in get(shop, "routes")["routes"]] == [row["NAME"] for row in table]


def test_traffic_is_filtered(shop):
    ask(shop, "/web/fine")
    ask(shop, "/slow?0.3")
    ask(shop, "/status?500")
    wait_until(lambda: len(get(shop, "traffic")["exchanges"]) >= 3, "they are told")
    assert {one["service"] for one in get(shop, "traffic", "--service", "web")["exchanges"]} == {"web"}
    assert "/status?500" in {one["path"] for one in get(shop, "traffic", "--errors")["exchanges"]}
    assert "/web/fine" not in {one["path"] for one in get(shop, "traffic", "--errors")["exchanges"]}
    assert [one["path"] for one in get(shop, "traffic", "--slower", "250ms")["exchanges"]] == ["/slow?0.3"]
    assert len(get(shop, "traffic", "--limit", "1")["exchanges"]) == 1
    titles, row = shop.weft("get", "traffic", "--route", "all", "--slower", "250ms", check=0).stdout.splitlines()
    assert titles.split() == ["TIME", "METHOD", "PATH", "ROUTE", "SERVICE", "ENDPOINT", "STATUS", "MARK", "MS", "TRACE"]
    assert re.fullmatch(r"[0-9:.]{12}  GET +/slow\?0.3  all +orders +orders-[01] +200  - +3[0-9.]+  [0-9a-f]{12}", row)


def test_a_service_is_described(shop):
    for _ in range(4):
        assert ask(shop, "/call?orders/status%3F200") == 200
    told = json.loads(shop.weft("describe", "service", "orders", "-o", "json", check=0).stdout)
    assert told["service"]["needs"] == [] and told["service"]["limits"] == {"files": 512}
    assert told["stages"][0] == {"stage": "timeout", "path": "services/orders/timeout", "settings": {"limit": "5s"}}
    retry = told["stages"][1]["settings"]
    assert retry == {"attempts": "2", "backoff": "10ms..20ms", "budget": "20%", "floor": "3/s"}
    assert {one["name"] for one in told["endpoints"]} == {"orders-0", "orders-1"}
    text = shop.weft("describe", "service", "orders", check=0).stdout
    for line in [r"service +orders", r"ready +2 of 2", r"scale +2, 0 restarts", r"policy +call", r"limits +files 512",
                 r"  timeout +5s +services/orders/timeout", r"  all",
                 r"  retry +attempts 2, backoff 10ms..20ms, budget 20%, floor 3/s +services/orders/retry",
                 r"  orders-1 +ready .*", r"  service web +4 +.*"]:
        assert re.search(f"^{line}$", text, re.MULTILINE), (line, text)
    assert re.search(r"^needs +orders$", shop.weft("describe", "service", "web", check=0).stdout, re.MULTILINE)


def test_a_route_is_described(shop):
    name = next(route["name"] for route in get(shop, "routes")["routes"] if route["path"] == "/web")
    text = shop.weft("describe", "route", name, check=0).stdout
    assert re.search(r"^to +service web$", text, re.MULTILINE)
    assert re.search(r"^  timeout +4s +routes/", text, re.MULTILINE)
    told = json.loads(shop.weft("describe", "route", name, "-o", "json", check=0).stdout)
    assert [stage["stage"] for stage in told["way"]] == ["timeout", "timeout", "retry", "balance", "endpoint"]


# --- what goes wrong


@pytest.mark.parametrize("arguments, code, said", [
    (["describe", "service", "oders"], 1, "there is no service oders (did you mean orders?)"),
    (["describe", "route", "nothing"], 1, "there is no route nothing (there is "),
    (["describe", "thing", "x"], 2, "there is no 'thing'"),
    (["describe", "service"], 2, "wants service|route NAME"),
    (["get", "services", "--errors"], 2, "--errors goes with get traffic"),
    (["get", "traffic", "--limit", "0"], 2, "--limit wants N"),
    (["get", "traffic", "--slower", "fast"], 2, "--slower wants DURATION"),
    (["top", "--interval", "1ms"], 2, "--interval wants DURATION"),
    (["explain", "nowhere"], 2, "url must begin with"),
    (["explain", "/x", "-H", "nothing"], 2, "--header wants NAME:VALUE"),
    (["explain", "/x", "--gateway", "none"], 2, "gateway must be one of gateway, mesh"),
])
def test_mistakes_are_told(shop, arguments, code, said):
    done = shop.weft(*arguments, check=code)
    assert said in done.stderr and done.stdout == ""


@pytest.mark.parametrize("arguments", [["explain", "/x"], ["top"], ["top", "--once"], ["trace"], ["trace", "abcd"],
                                       ["describe", "service", "x"], ["get", "routes"], ["get", "traffic"]])
def test_nobody_runs(system, arguments):
    done = system.weft(*arguments, check=3)
    assert "no system runs at" in done.stderr and "weft up starts one" in done.stderr and done.stdout == ""
