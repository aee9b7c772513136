"""What the tests of real processes under load share: programs in C (load/), their answers, and memory."""
import os
import pathlib
import re
import resource
import subprocess
import time

from running import ROOT, SLOWNESS, wait_until

SOURCES = ROOT / "tests/system/load"
PROGRAMS = ["service", "client", "slow", "bulk"]
SANITIZED = SLOWNESS > 1  # then memory is not ours to measure, and figures of time say nothing
KIB = 1024
MIB = 1024 * 1024
FAILURES = ["status", "unanswered", "cut", "refused"]


def compile_programs(folder):
    for name in PROGRAMS:
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror",
                        "-o", folder / name, SOURCES / f"{name}.c", SOURCES / "common.c"], check=True, timeout=120)
    return folder


def numbers(line):
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}


class Program:
    """One of the programs. A line is a question, a line is the answer; the end of its input is its end."""

    def __init__(self, folder, name, *arguments):
        self.process = subprocess.Popen([folder / name, *map(str, arguments)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def mark(self):
        self.tell("mark")
        line = self.process.stdout.readline()
        assert line, f"it has ended with {self.process.wait(10)}"
        return numbers(line)

    def window(self, seconds):
        """What happened in so many seconds."""
        self.mark()
        time.sleep(seconds)
        return self.mark()

    def end(self):
        out, _ = self.process.communicate(timeout=30 * SLOWNESS)
        assert self.process.returncode == 0, self.process.returncode
        return numbers(out.strip().splitlines()[-1]) if out.strip() else {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=30)


class Tools:
    """The programs, for one system."""

    def __init__(self, folder, system):
        self.folder = folder
        self.system = system
        self.service = str(folder / "service")

    def client(self, connections=16, pause_us=1000, path="/who", fresh=False):
        more = ["new"] if fresh else []
        return Program(self.folder, "client", self.system.port, connections, pause_us, path, *more)

    def slow(self, count, kinds, sources=0):
        return Program(self.folder, "slow", self.system.port, count, kinds, *([sources] if sources else []))

    def bulk(self, *arguments):
        done = subprocess.run([self.folder / "bulk", str(self.system.port), *map(str, arguments)], capture_output=True,
                              text=True, timeout=50 * SLOWNESS)
        assert done.returncode == 0, (done.stderr, self.system.log())

    def outside(self, port):
        """A service that Weft does not run."""
        return Program(self.folder, "service", "--listen", port)

    def instances(self):
        """{name: pid} of what Weft runs."""
        found = {}
        for pid, command in self.system.processes().items():
            if command.startswith(self.service):
                try:
                    environ = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                except OSError:
                    continue
                found[next(e for e in environ if e.startswith(b"WEFT_INSTANCE=")).decode().partition("=")[2]] = pid
        return found

    def up(self, scale=3, more="", workers=2, service=""):
        self.system.write({"web": f"{{ run: '{self.service}', scale: {scale}, ready: /readyz{service} }}"},
                          more="log: { access: false }\n" + more, workers=workers)
        self.system.up().ready()
        self.all_ready(scale)

    def all_ready(self, count):
        wait_until(lambda: self.system.log().count(": ready") >= count, "all are ready")


def failures(counts):
    return {name: counts[name] for name in FAILURES if counts[name]}


# --- memory


def status(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{key}:\s+(\d+) kB$", text, re.MULTILINE).group(1)) * KIB


def anonymous(pid):
    """Bytes of private anonymous memory that are there."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss_Anon:\s+(\d+) kB$", text, re.MULTILINE).group(1)) * KIB


def descriptors():
    """As many as a program may open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]
