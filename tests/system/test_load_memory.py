"""What idle clients and an idle system cost. The build type makes no difference to what is measured here."""
import time

import pytest

from loading import MIB, SANITIZED, anonymous, descriptors
from running import SLOWNESS, wait_until

CONNECTIONS = 10_000
SPARE = 500  # descriptors that are not clients' connections
BYTES_MAX = 455  # of ours for an idle connection
IDLE_MAX = 4 * MIB  # guard, supervisor and serving process together


pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer's memory is not ours")


def test_idle_system(system, tools):
    tools.up(scale=3)
    time.sleep(1)
    parts = {"guard": system.guard(), "supervisor": system.supervisor(), "serving process": system.serving()}
    sizes = {name: anonymous(pid) for name, pid in parts.items()}
    print(sizes)
    assert sum(sizes.values()) < IDLE_MAX, sizes


def test_idle_connections(system, tools):
    count = min(CONNECTIONS, descriptors() - SPARE)
    if count < 1000:
        pytest.skip(f"only {descriptors()} descriptors are allowed (ulimit -Hn)")
    tools.up(scale=1, workers=1)
    with tools.client(100, 10**6) as warm_up:
        wait_until(lambda: warm_up.mark()["ok"] >= 200, "its pools are warm")
    time.sleep(0.5)
    serving = system.serving()
    before = anonymous(serving)
    with tools.client(count, 4 * 10**9) as idle:
        wait_until(lambda: idle.mark()["ok"] == count, "each has asked once")
        time.sleep(2.5 * SLOWNESS)  # what the burst has taken is given back when it is over
        each = (anonymous(serving) - before) / count
        for asked in range(0, count, 500):
            idle.tell("ask")
            wait_until(lambda: idle.mark()["ok"] >= min(count + asked + 500, 2 * count), "they are all alive")
        counts = idle.end()
    print(count, "connections:", each, "bytes each", counts)
    assert counts["unanswered"] == counts["cut"] == counts["status"] == counts["closed"] == 0
    assert each <= BYTES_MAX
    if count < CONNECTIONS:
        pytest.skip(f"held with {count} connections: only {descriptors()} descriptors are allowed (ulimit -Hn)")
