"""Processes die while clients ask: failed requests are counted."""
import errno
import os
import signal
import socket
import threading
import time

from loading import failures
from running import LIMIT, SLOWNESS, wait_until


def test_killed_instances(system, tools):
    """No GET fails whose answer had not begun, five times in a row."""
    tools.up(scale=3)
    with tools.client(connections=16) as quick, tools.client(connections=16, pause_us=0, path="/late?5") as late:
        for i in range(5):
            time.sleep(0.3)
            ready = system.log().count(": ready")
            os.kill(tools.instances()[f"web-{i % 3}"], signal.SIGKILL)
            wait_until(lambda: system.log().count(": ready") > ready, "it is back")
        time.sleep(0.3)
        both = [quick.end(), late.end()]
    print(both)
    assert system.log().count("was killed by signal 9") == 5
    for counts in both:
        assert not failures(counts), (counts, system.log())
        assert counts["stuck"] == 0 and counts["ok"] > 500 / SLOWNESS


def kill_serving(system):
    old = system.serving()
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: system.serving() not in (None, old), "another serving process")
    wait_until(system.answers, "it answers")


def test_killed_serving_process(system, tools):
    """Only what is in flight fails: one request of a connection at most. No connection is refused."""
    kills, connections = 3, 16
    tools.up(scale=2)
    instances = tools.instances()
    with tools.client(connections) as kept, tools.client(connections, fresh=True) as fresh:
        for _ in range(kills):
            time.sleep(0.5)
            kill_serving(system)
        kept.mark()
        before = kept.mark()
        time.sleep(0.5)
        after = kept.mark()
        both = [kept.end(), fresh.end()]
    print(both)
    for counts in both:
        assert counts["refused"] == counts["status"] == counts["stuck"] == 0, (counts, system.log())
        assert counts["unanswered"] + counts["cut"] <= kills * connections, (counts, system.log())
    assert after["ok"] > before["ok"] and failures(after) == failures(before), "once it is back, nothing fails"
    assert tools.instances() == instances


def test_connections_made_during_the_restart(system, tools):
    """They wait in the listening socket, and none fails."""
    tools.up(scale=2)
    instances = tools.instances()
    for _ in range(2):
        old = system.serving()
        os.kill(old, signal.SIGSTOP)  # from now on nobody accepts
        with tools.client(64) as kept, tools.client(64, fresh=True) as fresh:
            time.sleep(0.3)
            assert kept.mark()["ok"] == fresh.mark()["ok"] == 0
            os.kill(old, signal.SIGKILL)
            wait_until(lambda: kept.mark()["ok"] > 1000 / SLOWNESS and fresh.mark()["ok"] > 1000 / SLOWNESS, "all is well")
            for counts in [kept.end(), fresh.end()]:
                assert not failures(counts), (counts, system.log())
                assert counts["stuck"] == 0
    assert tools.instances() == instances


def refused(port):
    with socket.socket() as client:
        client.settimeout(LIMIT)
        return client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_sigterm(system, tools):
    """What was accepted is finished; nobody else is let in; the end is in order."""
    tools.up(scale=2)
    with tools.client(connections=16) as quick, tools.client(connections=16, pause_us=0) as busy, \
            tools.client(connections=32, pause_us=10**9, path="/slow?1500") as begun, \
            tools.client(connections=32, pause_us=10**9, path="/late?1500") as waiting:
        time.sleep(0.3)
        wait_until(lambda: begun.mark()["stuck"] == waiting.mark()["stuck"] == 32, "all have asked")
        os.kill(system.guard(), signal.SIGTERM)
        wait_until(lambda: refused(system.port), "new connections are refused", limit=1 * SLOWNESS)
        assert begun.mark()["stuck"] == waiting.mark()["stuck"] == 32, "theirs are still under way"
        assert system.exit_code() == 0
        counts = {"begun": begun.end(), "waiting": waiting.end(), "quick": quick.end(), "busy": busy.end()}
    print(counts)
    for name in ["begun", "waiting"]:
        assert counts[name]["ok"] == 32, (counts, system.log())
        assert counts[name]["unanswered"] == counts[name]["cut"] == counts[name]["status"] == 0
    for name in ["quick", "busy"]:
        assert counts[name]["unanswered"] == counts[name]["cut"] == counts[name]["status"] == 0, (counts, system.log())
        assert counts[name]["refused"] > 0
    assert not system.processes()
