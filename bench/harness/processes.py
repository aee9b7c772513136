"""Servers under measurement: start them pinned, find their whole process tree, read its memory, end them.

Only processes that this module has started are ever signalled, each by its own id.
"""

import ctypes
import itertools
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

PORTS = range(18080, 18480)  # below the range from which the kernel takes the client's own ports
READY_SECONDS = 10
STOP_SECONDS = 5
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class BenchError(Exception):
    """Something that a person has to mend before there can be a measurement."""


class Ports:
    """Hands out loopback ports that nobody listens on, each once."""

    def __init__(self):
        self._next = itertools.cycle(PORTS)

    def take(self):
        for port in itertools.islice(self._next, len(PORTS)):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue
        raise BenchError(f"no free port in {PORTS.start}..{PORTS.stop - 1}")


def raise_file_limit():
    """Takes as many descriptors as this user may have; returns the number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _in_child(cpu):
    def prepare():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # nothing is left behind when the run is killed
        os.sched_setaffinity(0, {cpu})

    return prepare


def start_pinned(command, cpu, **how):
    return subprocess.Popen([str(word) for word in command], preexec_fn=_in_child(cpu), **how)


def _stat(pid):
    """(parent, start time) of a live process, else None."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else (int(fields[1]), int(fields[19]))


def process_tree(root):
    """{pid: start time} of `root` and all its descendants that are alive."""
    alive = {int(name): stat for name in os.listdir("/proc") if name.isdigit() and (stat := _stat(name))}
    tree, found = {}, [root]
    while found:
        pid = found.pop()
        if pid in alive and pid not in tree:
            tree[pid] = alive[pid][1]
            found.extend(child for child, (parent, _) in alive.items() if parent == pid)
    return tree


def _kb(path, names):
    """The sum of the named lines ("Pss: 12 kB") of each file in /proc, as a dict; 0 for a process that is gone."""
    sums = dict.fromkeys(names, 0)
    try:
        for line in Path(path).read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in sums:
                sums[name] += int(rest.split()[0])
    except (OSError, ValueError, IndexError):
        pass
    return sums


class Server:
    """One server program, started on a processor of its own and listening on 127.0.0.1:port."""

    def __init__(self, name, command, port, cpu, directory):
        self.name, self.port = name, port
        self.output = Path(directory) / f"{name}.out"
        self.errors = Path(directory) / f"{name}.err"
        with open(self.output, "ab") as out, open(self.errors, "wb") as err:
            self._process = start_pinned(command, cpu, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=directory)
        self.pid = self._process.pid

    def tree(self):
        return process_tree(self.pid)

    def _complaint(self):
        lines = self.errors.read_text(errors="replace").splitlines()[-8:]
        return "\n".join("  " + line for line in lines) or "  (it printed nothing)"

    def wait_ready(self, body):
        """Returns when GET /BODY is answered as it should be."""
        until = time.monotonic() + READY_SECONDS
        why = "no answer"
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise BenchError(f"{self.name} ended with {self._process.returncode}:\n{self._complaint()}")
            try:
                why = self._ask(body)
                if why is None:
                    return
            except OSError as error:
                why = str(error)
            time.sleep(0.05)
        raise BenchError(f"{self.name} is not ready on port {self.port} after {READY_SECONDS} s ({why}):\n"
                         f"{self._complaint()}")

    def _ask(self, body):
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(f"GET /{body} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := connection.recv(1 << 20):
                answer += piece
        head, _, content = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or len(content) != body:
            return f"answered {head.split(b' ', 1)[-1][:40]!r} and {len(content)} bytes"
        return None

    def memory_kb(self):
        """Pss, Pss_Anon and Pss_Shmem of the whole tree: what is shared between its processes counts once."""
        sums = {"Pss": 0, "Pss_Anon": 0, "Pss_Shmem": 0}
        for pid in self.tree():
            for name, value in _kb(f"/proc/{pid}/smaps_rollup", sums).items():
                sums[name] += value
        return sums

    def peak_kb(self):
        return sum(_kb(f"/proc/{pid}/status", ["VmHWM"])["VmHWM"] for pid in self.tree())

    def forget_peak(self):
        """Makes peak_kb() start anew from what is resident now."""
        for pid in self.tree():
            try:
                Path(f"/proc/{pid}/clear_refs").write_text("5")
            except OSError:
                pass

    def stop(self):
        tree = self.tree()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        for pid, born in tree.items():  # what the server itself did not end
            stat = _stat(pid)
            if stat and stat[1] == born:
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
