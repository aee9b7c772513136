"""Slow clients, twice as many as there are fibers: honest ones shall hardly notice."""
import statistics
import time

from loading import SANITIZED, failures
from running import SLOWNESS, wait_until

FIBERS = 500
SLOW = 2 * FIBERS
FACTOR_MAX = 2
ALLOWANCE_US = 2000  # what the system's scheduler adds on a busy machine of two processors


def p99(client, windows=3, seconds=0.5):
    return statistics.median(client.window(seconds)["p99"] for _ in range(windows))


def measure(tools, honest, kinds, count=SLOW, settle=1.3):
    """p99 without and with slow clients, one right after the other."""
    before = p99(honest)
    with tools.slow(count, kinds) as slow:
        wait_until(lambda: slow.mark()["attached"] > count * 0.9, "they are attached")
        time.sleep(settle)
        during = p99(honest)
        attached = slow.mark()
    assert attached["attached"] + attached["dropped"] > count * 0.9, attached
    time.sleep(0.5)
    return before, during, attached["dropped"]


def hardly_noticed(rounds):
    """The median of rounds: another program's moment on the processor is no property of ours."""
    return SANITIZED or statistics.median((during - ALLOWANCE_US) / before for before, during, _ in rounds) <= FACTOR_MAX


def test_twice_as_many_as_fibers(system, tools):
    """Slow heads take no fiber; slow bodies leave room, and their senders are dropped when fibers are scarce."""
    tools.up(scale=2, workers=1, more=f"clients: {{ fibers: {FIBERS} }}")
    with tools.client(16, 2000) as honest:
        rounds = [measure(tools, honest, kinds) for kinds in ["hb", "b", "hb", "b", "hb"]]
        counts = honest.end()
    print(rounds, counts)
    assert not failures(counts) and counts["stuck"] == 0, (counts, system.log())
    assert counts["ok"] > 1000 / SLOWNESS
    assert any(dropped for _, _, dropped in rounds)
    assert hardly_noticed(rounds), rounds


def test_more_than_connections_to_a_service(system, tools):
    """Fibers are plentiful, but slow bodies hold connections to the service, at most three quarters of them."""
    tools.up(scale=2, workers=1, service=", connections: 100")
    with tools.client(16, 2000) as honest:
        rounds = [measure(tools, honest, "b", count=400) for _ in range(3)]
        counts = honest.end()
    print(rounds, counts)
    assert not failures(counts) and counts["stuck"] == 0, (counts, system.log())
    assert hardly_noticed(rounds), rounds


def test_slow_readers(system, tools):
    """A request of theirs looks like any other, so they hold what they got until they are called slow: that takes a
    second or two, and some time to fill the sockets' buffers. After that, honest clients go on."""
    tools.up(scale=2, workers=1, more=f"clients: {{ fibers: {FIBERS} }}")
    with tools.client(16, 2000) as honest:
        with tools.slow(SLOW, "hba") as slow:
            wait_until(lambda: slow.mark()["dropped"] > 0, "some are called slow")
            wait_until(lambda: honest.window(0.5)["p99"] < 100_000, "honest clients go on")
            during = honest.window(2)
        counts = honest.end()
    print(during, counts)
    assert not failures(counts) and counts["stuck"] == 0, (counts, system.log())
    assert during["samples"] > 500 / SLOWNESS
