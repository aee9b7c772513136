"""Slow clients, twice as many as there are fibers: honest ones shall hardly notice."""
import statistics
import time

from loading import SANITIZED, failures
from running import SLOWNESS, wait_until

FIBERS = 500
SLOW = 2 * FIBERS
FACTOR_MAX = 2
ALLOWANCE_US = 2000  # what the system's scheduler adds on a busy machine of two processors


def p99(client, windows=3, seconds=0.6):
    return statistics.median(client.window(seconds)["p99"] for _ in range(windows))


def measure(tools, honest, kinds):
    """p99 without and with slow clients, one right after the other."""
    before = p99(honest)
    with tools.slow(SLOW, kinds) as slow:
        wait_until(lambda: slow.mark()["attached"] > SLOW * 0.9, "they are attached")
        time.sleep(1.2)  # some are called slow by now
        during = p99(honest)
        attached = slow.mark()
    assert attached["attached"] > SLOW * 0.5, attached
    time.sleep(0.3)
    return before, during, attached["dropped"]


def test_honest_clients(system, tools):
    """The median of rounds: another program's moment on the processor is no property of ours."""
    tools.up(scale=2, workers=1, more=f"clients: {{ fibers: {FIBERS} }}")
    with tools.client(16, 2000) as honest:
        rounds = [measure(tools, honest, kinds) for kinds in ["hba", "b", "hba", "hb", "hba"]]
        counts = honest.end()
    print(rounds, counts)
    assert not failures(counts) and counts["stuck"] == 0, (counts, system.log())
    assert counts["ok"] > 1000 / SLOWNESS
    if not SANITIZED:
        assert statistics.median((during - ALLOWANCE_US) / before for before, during, _ in rounds) <= FACTOR_MAX, rounds
