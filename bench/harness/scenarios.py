"""What is measured: the scenarios, and how one round of one program becomes a row."""

import selectors
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass

from . import peers
from .processes import BenchError, start_pinned

SPARE_SECONDS = 15  # what a client may take beyond its measurement before it counts as hung
IDLE_OPEN_SECONDS = 60
IDLE_SETTLE_SECONDS = 3.5  # idle means that the burst is over: whoever gives its memory back has done so
LOG_FLUSH_SECONDS = 1.3  # nginx writes its buffer every second
IDLE_CONNECTIONS = 10_000
SPARE_DESCRIPTORS = 1_000  # listeners, upstream connections, logs: besides those of the clients
ERRORS = ("failed", "refused", "broken", "closed", "stuck", "late")
MIB = 1 << 20


@dataclass(frozen=True)
class Measure:
    """A column. `compared`: lower is better, and the paired ratios of it are worked out."""

    key: str
    title: str
    digits: int = 0
    spread: bool = False
    compared: bool = False
    greatest: bool = False  # the greatest of all rounds instead of their median


@dataclass(frozen=True)
class Target:
    """What is to be reached by a figure of the first program: `of` says how it is looked at."""

    key: str
    most: float
    of: str  # "ratio": to the better peer; "own": as it is; "more": than the second program


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    measures: tuple
    body: int = 1024
    load: tuple = ()
    log: bool = False
    idle: bool = False
    targets: tuple = ()
    programs: tuple = ()  # measured instead of those of the run


_CPU = Measure("cpu_us", "CPU us/request", 2, spread=True, compared=True)
_USUAL = (_CPU, Measure("rps", "requests/s"), Measure("p50_us", "p50 us"), Measure("p99_us", "p99 us"))
_OPEN = (_CPU, Measure("p50_us", "p50 us", 1, spread=True, compared=True), Measure("p99_us", "p99 us"),
         Measure("rps", "requests/s"))

SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario("keepalive", "keep-alive, 1 KiB answers, 64 connections, closed loop", _USUAL,
             load=("-c", 64), targets=(Target("cpu_us", 1.0, of="ratio"),)),
    Scenario("close", "a connection for each request, 1 KiB answers, 64 at a time", _USUAL,
             load=("-m", "close", "-c", 64)),
    Scenario("rate2k", "open loop, 2,000 requests/s over 16 connections, 1 KiB answers", _OPEN,
             load=("-m", "rate", "-r", 2000, "-c", 16)),
    Scenario("rate10k", "open loop, 10,000 requests/s over 64 connections, 1 KiB answers", _OPEN,
             load=("-m", "rate", "-r", 10000, "-c", 64)),
    Scenario("bulk", "10 MiB answers, 8 connections, closed loop",
             (Measure("cpu_us_per_mib", "CPU us/MiB", 1, spread=True, compared=True),
              Measure("mib_per_cpu_second", "MiB/CPU second"), Measure("mib_per_second", "MiB/s"),
              Measure("p50_us", "p50 us"), Measure("growth_mb", "peak RSS growth MB", 2, greatest=True)),
             body=10 * MIB, load=("-c", 8), targets=(Target("growth_mb", 2.0, of="own"),)),
    Scenario("log", "as keepalive, with the access log written to a file",
             (*_USUAL, Measure("lines", "lines/request", 3)), load=("-c", 64), log=True),
    Scenario("sight", "as keepalive; weft with access log and recent traffic beside the same without both", _USUAL,
             load=("-c", 64), log=True, programs=("weft", peers.BLIND), targets=(Target("cpu_us", 2.0, of="more"),)),
    Scenario("idle", "memory of idle keep-alive connections, one request done on each",
             (Measure("bytes_each", "bytes/connection", 0, spread=True, compared=True),
              Measure("pss_each", "Pss/connection"),
              Measure("idle_anonymous_mb", "idle: private anonymous MB", 2, compared=True),
              Measure("idle_pss_mb", "idle: Pss MB", 2)),
             idle=True, targets=(Target("bytes_each", 455, of="own"),
                                 Target("idle_anonymous_mb", 4.0, of="own"))),
)}


@dataclass(frozen=True)
class Settings:
    rounds: int
    seconds: float
    warm: float
    connections: int  # of the idle scenario


def rotated(names, number):
    """The order of round `number`: everyone is first, second, ... equally often."""
    shift = number % len(names)
    return [*names[shift:], *names[:shift]]


def read_report(line):
    """key=value pairs as a dict of floats."""
    return {key: float(value) for key, _, value in (pair.partition("=") for pair in line.split())}


def complaints(report):
    """What went wrong, in words; empty when nothing did."""
    said = [f"{int(report[name])} {name}" for name in ERRORS if report[name]]
    return ", ".join(said) or ("" if report["total"] else "no answers")


def _load_command(bench, server, scenario, more=()):
    watched = [word for pid in server.tree() for word in ("-p", pid)]
    return [bench.programs / "load", *scenario.load, *more, *watched, server.port, scenario.body]


def _run_load(bench, server, scenario, settings):
    before = server.tree()
    more = ("-d", round(settings.seconds * 1000), "-w", round(settings.warm * 1000))
    client = start_pinned(_load_command(bench, server, scenario, more), bench.client_cpu,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        line, _ = client.communicate(timeout=settings.seconds + settings.warm + SPARE_SECONDS)
    except subprocess.TimeoutExpired:
        return None, "the client hung"
    finally:
        client.kill()
        client.wait()
    if client.returncode != 0 or not line:
        return None, f"the client ended with {client.returncode}"
    report = read_report(line)
    why = complaints(report)
    if server.tree() != before:
        why = ", ".join(filter(None, [why, "its processes changed"]))
    return report, why


def _figures(scenario, report):
    done, cpu_us, mib = report["ok"], report["cpu_us"], report["bytes"] / MIB
    figures = {"requests": int(done), "seconds": report["seconds"], "rps": done / report["seconds"],
               "cpu_us": cpu_us / done, "p50_us": report["p50"], "p99_us": report["p99"]}
    if scenario.body >= MIB and cpu_us > 0:
        figures |= {"cpu_us_per_mib": cpu_us / mib, "mib_per_cpu_second": mib / cpu_us * 1e6,
                    "mib_per_second": mib / report["seconds"]}
    return figures


def _lines(path):
    with open(path, "rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def _logs(scenario, server):
    return scenario.log and server.name not in (peers.LIMIT, peers.BLIND)


def _load_round(bench, server, scenario, settings, resident_kb):
    if _logs(scenario, server):
        with open(peers.access_log(bench, server), "ab") as file:
            file.truncate(0)  # the server appends, so it goes on at the start
    report, why = _run_load(bench, server, scenario, settings)
    if report is None:
        return {}, why
    if not report["ok"] or not report["seconds"]:
        return {}, why or "no answers"
    figures = _figures(scenario, report)
    figures["growth_mb"] = (server.peak_kb() - resident_kb) * 1024 / 1e6
    if _logs(scenario, server):
        time.sleep(LOG_FLUSH_SECONDS)
        figures["lines"] = _lines(peers.access_log(bench, server)) / report["total"]
    return figures, why


def _wait_line(client, seconds):
    with selectors.DefaultSelector() as selector:
        selector.register(client.stdout, selectors.EVENT_READ)
        return client.stdout.readline() if selector.select(seconds) else ""


def _hold_connections(bench, server, scenario, count):
    """(Server.memory_kb() with the connections held, what went wrong)."""
    client = start_pinned(_load_command(bench, server, scenario, ("-m", "idle", "-c", count)), bench.client_cpu,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        first = _wait_line(client, IDLE_OPEN_SECONDS)
        if not first.startswith("READY"):
            return None, complaints(read_report(first)) if "=" in first else "the connections could not be opened"
        time.sleep(IDLE_SETTLE_SECONDS)
        held = server.memory_kb()
        last, _ = client.communicate(timeout=SPARE_SECONDS)  # ends its input, so it ends
        return held, complaints(read_report(last))
    except subprocess.TimeoutExpired:
        return None, "the client hung"
    finally:
        client.kill()
        client.wait()


def _idle_round(bench, name, scenario, settings):
    """A fresh server each time: allocators keep what earlier connections made them take."""
    server = peers.start(bench, name, scenario.body)
    try:
        time.sleep(IDLE_SETTLE_SECONDS)
        before = server.memory_kb()
        held, why = _hold_connections(bench, server, scenario, settings.connections)
    finally:
        server.stop()
    figures = {"idle_pss_mb": before["Pss"] * 1024 / 1e6, "idle_anonymous_mb": before["Pss_Anon"] * 1024 / 1e6}
    if held:
        figures |= {"requests": settings.connections} | _bytes_each(before, held, settings.connections)
    return figures, why


def _bytes_each(before, held, connections):
    """What a connection adds. Pages of files are left out of the main figure: the share of the C library that counts as
    the server's changes with every other program that comes and goes, the client among them."""
    grown = {name: (held[name] - before[name]) * 1024 / connections for name in held}
    return {"bytes_each": grown["Pss_Anon"] + grown["Pss_Shmem"], "pss_each": grown["Pss"]}


def _start_all(bench, names, scenario, stack):
    servers, resident = {}, {}
    for name in names:
        servers[name] = peers.start(bench, name, scenario.body, scenario.log)
        stack.callback(servers[name].stop)
        servers[name].forget_peak()
        resident[name] = servers[name].peak_kb()
    return servers, resident


def run(bench, scenario, names, settings, tell):
    """Runs all rounds; returns the rows, and calls tell(row) after each."""
    rows = []
    with ExitStack() as stack:
        servers, resident = {}, {}
        if not scenario.idle:
            servers, resident = _start_all(bench, names, scenario, stack)
        for number in range(settings.rounds):
            for name in rotated(names, number):
                if scenario.idle:
                    figures, why = _idle_round(bench, name, scenario, settings)
                else:
                    figures, why = _load_round(bench, servers[name], scenario, settings, resident[name])
                rows.append({"scenario": scenario.name, "round": number + 1, "program": name, "why": why, **figures})
                tell(rows[-1])
    return rows


def idle_connections(descriptors, with_limit):
    """As many as every program in the run can hold; the forwarder needs two descriptors for each."""
    room = descriptors - SPARE_DESCRIPTORS
    count = min(IDLE_CONNECTIONS, room // 2 if with_limit else room)
    if count < 100:
        raise BenchError(f"RLIMIT_NOFILE is {descriptors}: too low for the idle scenario (ulimit -Hn)")
    return count
