"""What happens when processes die."""
import http.client
import json
import os
import pathlib
import signal
import threading
import time

import pytest

from running import LIMIT, SERVICE, wait_until


def web(system, arguments="", scale=2, more=""):
    system.write({"web": f"{{ run: '{SERVICE} {arguments}', scale: {scale}, ready: /readyz{more} }}"})


def test_an_instance_is_started_again(system):
    web(system, scale=2)
    system.up().ready()
    wait_until(lambda: len({system.who()["pid"] for _ in range(4)}) == 2, "both answer")
    victim = system.who()["pid"]
    os.kill(victim, signal.SIGKILL)
    for _ in range(50):
        assert system.who()["pid"] != victim  # no request fails
    system.wait_log("was killed by signal 9")
    system.wait_log("starts again in 1s")
    wait_until(lambda: len(system.instances()) == 2, "it comes back")
    wait_until(lambda: len({system.who()["pid"] for _ in range(4)}) == 2, "both answer again")


def test_back_off_grows(system):
    web(system, arguments="--crash", scale=1)
    system.up()
    system.wait_log("ended with status 7")
    for wait in ["1s", "2s", "4s"]:
        system.wait_log(f"starts again in {wait}")
    assert system.process.poll() is None


def test_a_command_that_is_not_there(system):
    system.write({"web": "{ run: /nothing/at/all, ready: /readyz }"})
    system.up()
    system.wait_log("can't start /nothing/at/all")
    system.wait_log("starts again in 1s")


def test_port_is_given_where_it_is_asked_for(system):
    web(system, scale=2, more=", port: true")
    system.up().ready()
    assert int(system.get("/env?PORT")[1]) > 1024
    assert system.get("/env?LISTEN_FDS")[1] == ""


def stopped(pid):
    """Whether each of its threads has stopped: the signal takes a moment to reach them."""
    stats = [path.read_text() for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def test_the_serving_process_comes_back(system):
    web(system)
    system.up().ready()
    instances = system.instances()
    old = system.serving()
    os.kill(old, signal.SIGSTOP)
    wait_until(lambda: stopped(old), "none of its threads accepts any more")
    connections = [system.connect() for _ in range(20)]
    for connection in connections:
        connection.connect()
        connection.request("GET", "/who")
    os.kill(old, signal.SIGKILL)
    answers = [connection.getresponse() for connection in connections]
    failed = [answer.status for answer in answers if answer.status != 200]
    assert not failed, (failed, system.log())
    wait_until(lambda: system.serving() not in (None, old), "another serving process")
    assert system.instances() == instances
    system.wait_log("is started again; listeners and services live on")


def test_connections_made_while_it_is_gone_are_served(system):
    web(system)
    system.up().ready()
    for _ in range(2):
        old = system.serving()
        os.kill(old, signal.SIGKILL)
        assert system.who()["service"] == "web"


def test_a_crash_loop_of_the_serving_process_is_said(system):
    web(system)
    system.up().ready()
    for _ in range(3):
        old = wait_until(system.serving, "a serving process")
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: system.serving() != old, "it is gone")
    system.wait_log("dies again and again")
    wait_until(lambda: system.answers(), "it comes back all the same")


@pytest.mark.parametrize("who", ["guard", "supervisor"])
def test_no_orphan(system, who):
    web(system, arguments="--fork", scale=2)
    system.up().ready()
    wait_until(lambda: sum("sleep 600" in command for command in system.processes().values()) == 2, "two grandchildren")
    os.kill(system.guard() if who == "guard" else system.supervisor(), signal.SIGKILL)
    if who == "supervisor":
        assert system.exit_code() == 1
        assert "killed by signal 9" in system.log()
    wait_until(lambda: not system.processes(), f"nothing is left: {system.processes()}")


def test_orphans_are_reaped(system):
    web(system, scale=1)
    system.up().ready()
    supervisor = system.supervisor()
    children = pathlib.Path(f"/proc/{supervisor}/task/{supervisor}/children")
    before = set(children.read_text().split())
    for _ in range(5):
        system.get("/orphan")
    wait_until(lambda: len(set(children.read_text().split()) - before) == 5, "they come to the supervisor")
    wait_until(lambda: set(children.read_text().split()) == before, "they are reaped")
    assert system.who()["service"] == "web"


def test_an_instance_that_is_not_ready_any_more(system):
    web(system, scale=2)
    system.up().ready()
    wait_until(lambda: len({system.who()["pid"] for _ in range(4)}) == 2, "both answer")
    victim = system.who()["pid"]
    os.kill(victim, signal.SIGSTOP)
    system.wait_log("not ready any more", limit=LIMIT + 10)
    for _ in range(20):
        assert system.who()["pid"] != victim
    os.kill(victim, signal.SIGCONT)
    wait_until(lambda: len({system.who()["pid"] for _ in range(4)}) == 2, "both answer again")


def test_sigterm_finishes_what_was_accepted(system):
    web(system, scale=1)
    system.up().ready()
    results = []

    def ask():
        results.append(system.get("/slow?1.5"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    os.kill(system.guard(), signal.SIGTERM)
    for thread in threads:
        thread.join(LIMIT)
    assert results == [(200, "slow")] * 8
    assert system.exit_code() == 0
    assert not system.processes()


def test_what_does_not_finish_is_cut_off(system):
    """A drain has a limit (30 s), however long an answer takes."""
    web(system, scale=1)
    system.up().ready()
    connection = system.connect(timeout=60)
    connection.request("GET", "/drip?1000")
    answer = connection.getresponse()
    assert answer.read(1) == b"."
    begin = time.monotonic()
    os.kill(system.guard(), signal.SIGTERM)
    assert system.exit_code(limit=60) == 0
    assert 29 < time.monotonic() - begin < 45
    assert "cut off" in system.log()
    with pytest.raises((OSError, http.client.HTTPException)):
        answer.read()
    assert not system.processes()


def test_a_deaf_service_is_killed(system):
    web(system, arguments="--deaf", scale=1)
    system.up().ready()
    begin = time.monotonic()
    os.kill(system.guard(), signal.SIGTERM)
    assert system.exit_code(limit=LIMIT + 10) == 0
    assert 9 < time.monotonic() - begin < 20
    assert not system.processes()


def test_a_second_signal_hurries(system):
    web(system, arguments="--deaf", scale=1)
    system.up().ready()
    os.kill(system.guard(), signal.SIGTERM)
    system.wait_log("stopping")
    time.sleep(1)  # an earlier one would pass for an echo of the first
    begin = time.monotonic()
    os.kill(system.guard(), signal.SIGTERM)
    assert system.exit_code() == 0
    assert time.monotonic() - begin < 5


class Load:
    """Clients that ask one request after the other, each on a connection of its own that is kept alive."""

    def __init__(self, system, clients=4):
        self.system = system
        self.count = 0
        self.failed = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def run(self):
        connection = self.system.connect()
        while not self.stop.is_set():
            try:
                connection.request("GET", "/who")
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                connection.close()
                continue
            self.count += 1
            if answer.status != 200:
                self.failed.append((answer.status, body))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(LIMIT)


def test_reloads_under_load(system):
    web(system)
    system.up().ready()
    with Load(system) as load:
        for i in range(10):
            web(system, scale=2 + i % 2)
            system.weft("apply", check=0)
    assert not load.failed, (load.failed[:3], system.log())
    assert load.count > 50


def test_a_killed_instance_under_load(system):
    """No request fails whose answer had not begun."""
    web(system, scale=3)
    system.up().ready()
    wait_until(lambda: system.log().count(": ready") == 3, "all are ready")
    with Load(system) as load:
        for _ in range(3):
            time.sleep(0.3)
            os.kill(system.instances()[0], signal.SIGKILL)
            wait_until(lambda: len(system.instances()) == 3, "it comes back")
    assert not load.failed, (load.failed[:3], system.log())
    assert load.count > 50


def test_a_killed_serving_process_under_load(system):
    """Only what was in flight fails: at most one request of each client."""
    web(system, scale=2)
    system.up().ready()
    with Load(system) as load:
        time.sleep(0.5)
        old = system.serving()
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: system.serving() not in (None, old), "another serving process")
        time.sleep(1)
        count = load.count
        wait_until(lambda: load.count > count, "it serves")
    assert len(load.failed) <= len(load.threads), (load.failed, system.log())


def test_access_log_is_json(system):
    web(system, scale=1)
    system.up().ready()
    system.who("/who?here")
    wait_until(lambda: "/who?here" in system.out_path.read_text(), "a line of the access log")
    for line in system.out_path.read_text().splitlines():
        assert json.loads(line)["service"] == "web"
