"""No descriptor, no thread and no file is left behind by what a system goes through again and again."""
import os
import pathlib
import re
import signal

from running import ROOT, SLOWNESS, free_port, wait_until

CYCLES = 50
WARM = 5  # what is opened once and kept: a lane, a pool, a connection to each worker
SERVICE = f"/usr/bin/python3 {ROOT / 'tests/system/service.py'}"


def opened(pid):
    """What a process has open, by kind."""
    folder, found = pathlib.Path(f"/proc/{pid}/fd"), []
    for one in folder.iterdir():
        try:
            found.append(re.sub(r"\d+", "N", os.readlink(one)))
        except OSError:
            pass  # it was just closed
    return sorted(found)


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def instances(system):
    return len(system.instances())


def write(system, cycle, second_port):
    """Every other version has a second gateway, another route and another service."""
    odd = cycle % 2
    routes = [f"  - match: {{ path: /cycle{cycle}, prefix: true }}", "    to: web",
              "  - match: { path: /, prefix: true }", "    to: web"]
    services = {"web": f"{{ run: {SERVICE}, ready: /readyz }}"}
    if odd:
        services["more"] = f"{{ run: {SERVICE}, ready: /readyz, limits: {{ files: {200 + cycle} }} }}"
    system.write(services, routes, more="log: { files: 2, size: 64KiB }")
    if odd:
        text = (system.folder / "weft.yaml").read_text()
        system.write_raw(text.replace("workers:", f"  - listen: http://127.0.0.1:{second_port}\nworkers:", 1))


def turn(system, cycle, second_port):
    write(system, cycle, second_port)
    system.weft("apply", check=0)
    system.weft("scale", f"web={1 + cycle % 2}", check=0)
    assert system.get(f"/cycle{cycle}/who")[0] == 200
    for command in [("get", "services"), ("logs", "-n", "3"), ("get", "endpoints", "-o", "json")]:
        system.weft(*command, check=0)


def settled(system):
    """Back to one instance, and nothing on its way."""
    write(system, 0, 0)
    system.weft("apply", check=0)
    system.weft("scale", "web=1", check=0)
    wait_until(lambda: instances(system) == 1, "one instance is left", 40 * SLOWNESS)
    wait_until(system.answers, "it answers")


def measure(system):
    return {pid: (opened(pid), threads(pid)) for pid in (system.supervisor(), system.serving())}


def test_cycles_leave_nothing_open(system):
    second_port = free_port()
    write(system, 0, second_port)
    system.up().ready()
    for cycle in range(WARM):
        turn(system, cycle, second_port)
    settled(system)
    before = measure(system)
    for cycle in range(CYCLES):
        turn(system, cycle, second_port)
    settled(system)

    def same():
        return measure(system) == before

    try:
        wait_until(same, "as much is open as before")
    except AssertionError:
        assert measure(system) == before
        raise


def test_deaths_leave_nothing_open(system):
    write(system, 0, 0)
    system.up().ready()
    settled(system)
    before = opened(system.supervisor())
    for _ in range(2):  # more would be a crash loop
        for kill in [lambda: next(iter(system.instances())), system.serving]:
            os.kill(kill(), signal.SIGKILL)
            wait_until(system.answers, "it is back")
    settled(system)
    wait_until(lambda: opened(system.supervisor()) == before, "as much is open as before")
