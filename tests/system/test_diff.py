"""`weft diff`: what an apply would change, before it is done."""
import json

import pytest

import running
from running import SERVICE

BASE = """\
system: test
workers: 2
control: off
gateway: [ listen: "http://127.0.0.1:{port}" ]
services:
  orders: {{ run: "{service}", scale: 2 }}
  credit: {{ run: "{service}", scale: 2, env: {{ RATE: "1" }} }}
  search: {{ run: "{service}" }}
routes:
  - {{ match: {{ path: /orders, prefix: true }}, to: orders }}
  - {{ match: {{ path: / , prefix: true }}, to: credit, name: all }}
"""


@pytest.fixture
def base(system):
    text = BASE.format(port=system.port, service=SERVICE)
    system.write_raw(text)
    system.up().ready()
    return text


def diff(system, text, code, *arguments):
    system.write_raw(text)
    done = system.weft("diff", *arguments, check=code)
    assert done.stderr == ""
    return done.stdout


def test_differences_and_what_follows(system, base):
    assert diff(system, base, 0) == "no difference\n"
    assert diff(system, "# a comment\n" + base.replace("scale: 2, env", "env").replace('RATE: "1" }', 'RATE: 1 }, scale: 2'),
                0) == "no difference\n"
    pids = system.instances()
    assert diff(system, base.replace("orders: { run: \"" + SERVICE + "\", scale: 2", "orders: { run: \"" + SERVICE + "\", scale: 3"),
                1) == "~ services.orders.scale: 2 -> 3\n\norders: one instance more\n"
    assert diff(system, base.replace('RATE: "1"', 'RATE: "2", TAX: "19"'), 1) == (
        "~ services.credit.env.RATE: 1 -> 2\n+ services.credit.env.TAX: 19\n\n"
        "credit: 2 instances start anew (env: RATE TAX)\n")
    assert diff(system, base.replace(f'  search: {{ run: "{SERVICE}" }}\n', ""), 1) == (
        f'- services.search: {{ run: "{SERVICE}" }}\n\nsearch: 1 instance stops\n')
    assert diff(system, base.replace("services:\n", f'services:\n  new: {{ run: "{SERVICE}", scale: 3 }}\n'), 1) == (
        f'+ services.new: {{ run: "{SERVICE}", scale: 3 }}\n\nnew: 3 instances start\n')
    assert diff(system, base.replace("routes:\n", "routes:\n  - { match: { path: /x }, name: ex, to: search }\n"), 1) == (
        "+ routes[0] (ex): { match: { path: /x }, to: search }\n\nnothing is started anew\n")
    assert diff(system, base.replace("to: credit, name: all", "to: { respond: { status: 204 } }, name: all"), 1) == (
        "~ routes[1] (all).to: credit -> { respond: { status: 204 } }\n\nnothing is started anew\n")
    first, second = base.split("routes:\n")[1].splitlines(keepends=True)
    assert diff(system, base.replace(first + second, second.replace("to: credit", "to: search") + first), 1) == (
        "> routes[0] (all): was routes[1]\n~ routes[0] (all).to: credit -> search\n\nnothing is started anew\n")
    other = running.free_port()
    assert diff(system, base.replace(str(system.port), str(other)).replace("workers: 2", "workers: 3"), 1) == (
        f"~ workers: 2 -> 3\n~ gateway[0] (gateway).listen: http://127.0.0.1:{system.port} -> http://127.0.0.1:{other}\n\n"
        f"gateway http://127.0.0.1:{other}: a new listener\n"
        f"gateway http://127.0.0.1:{system.port}: is closed\n"
        "workers: 3 takes effect when the system is started again (now 2)\n")
    assert system.instances() == pids, "diff changed something"


def test_as_json(system, base):
    told = json.loads(diff(system, base.replace("to: orders", "to: search"), 1, "-o", "json"))
    assert told == {"differences": [{"change": "changed", "path": "routes[0] (/orders/*).to", "before": "orders",
                                     "after": "search"}], "effects": []}
    assert json.loads(diff(system, base, 0, "-o", "json")) == {"differences": [], "effects": []}


def test_files_with_faults(system, base):
    system.write_raw(base.replace("scale: 2", "scal: 2", 1).replace("to: orders", "to: order"))
    expected = system.weft("check", check=1).stderr
    done = system.weft("diff", check=1)
    assert done.stdout == ""
    assert done.stderr == expected + "weft: diff: the file has faults: nothing was compared\n"
    assert expected.count("\n") == 2


def test_what_stands_in_other_files(system, base):
    """Included files, variables and .env count; how things are written does not."""
    (system.folder / "more.yaml").write_text("services:\n  extra: { url: http://127.0.0.1:9 }\n")
    assert diff(system, "include: more.yaml\n" + base, 1) == (
        "+ services.extra: { url: http://127.0.0.1:9 }\n\nnothing is started anew\n")
    (system.folder / ".env").write_text("FEE=5\n")
    assert diff(system, base.replace('RATE: "1"', 'RATE: "${FEE}"'), 1) == (
        "~ services.credit.env.RATE: 1 -> 5\n\ncredit: 2 instances start anew (env: RATE)\n")
    (system.folder / "credit.env").write_text("TAX=1\n")
    text = base.replace('env: { RATE: "1" }', 'env-file: credit.env, env: { RATE: "1" }')
    diff(system, text, 1)
    system.weft("apply", check=0)
    assert diff(system, text, 0) == "no difference\n"
    (system.folder / "credit.env").write_text("TAX=2\n")
    assert diff(system, text, 1) == "credit: 2 instances start anew (env: TAX)\n"


def test_scale_that_was_chosen(system, base):
    system.weft("scale", "orders=4", check=0)
    assert diff(system, base, 0) == "no difference\n"
    text = base.replace("scale: 2", "scale: 1", 1)
    assert diff(system, text, 1) == (
        "~ services.orders.scale: 2 -> 1\n\norders: 3 instances fewer (weft scale's choice ends)\n")


def test_long_answers_end(system, base):
    lines = "".join(f"  - {{ match: {{ path: /path-{i:04}/{'x' * 60} }}, to: orders }}\n" for i in range(1000))
    told = diff(system, base.replace("routes:\n", "routes:\n" + lines), 1)
    shown = told.count("\n+ routes[") + told.startswith("+ routes[")
    assert 100 < shown < 1000
    assert f"\nand {1000 - shown} more\n" in told


def test_only_the_owner_is_told(system):
    system.write({"a": f'{{ run: "{SERVICE}", env: {{ PASSWORD: swordfish }} }}'})
    system.up().ready()
    system.write({"a": f'{{ run: "{SERVICE}", env: {{ PASSWORD: pike }} }}'})
    assert "PASSWORD: swordfish -> pike" in system.weft("diff", check=1).stdout
    connection = system.connect(system.control)
    connection.request("POST", "/v1/diff")
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 403 and "swordfish" not in text and "pike" not in text


def test_colours_on_a_terminal(system, base):
    import pty
    import os
    system.write_raw(base.replace("scale: 2", "scale: 3", 1))
    output = b""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(system.folder)
        os.environ["TERM"] = "xterm"
        os.environ.pop("NO_COLOR", None)
        os.execv(running.WEFT, [str(running.WEFT), "diff"])
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        if not part:
            break
        output += part
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    os.close(terminal)
    line = output.splitlines()[0]
    assert line.startswith(b"\x1b[") and b"~ services.orders.scale: 2 -> 3" in line and line.endswith(b"\x1b[0m")
