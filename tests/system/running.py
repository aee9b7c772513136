"""What the tests of real processes share: a system in a folder of its own, on free ports, ended at the end."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEFT = pathlib.Path(os.environ.get("WEFT_BIN", ROOT / "build/debug/src/app/weft")).resolve()
SERVICE = f"/usr/bin/python3 {ROOT / 'tests/system/service.py'}"
SLOWNESS = float(os.environ.get("WEFT_TEST_SLOWNESS", "1"))
LIMIT = 15 * SLOWNESS  # seconds for anything to happen


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_until(condition, what, limit=LIMIT):
    """Looks again and again; returns what the condition gave when it was true."""
    end = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {limit} s for: {what}"
        time.sleep(0.02)


class System:
    """`weft up` on a folder of its own. All its processes carry a mark in their environment."""

    def __init__(self, folder):
        self.folder = folder
        self.mark = f"WEFT_TEST={uuid.uuid4()}"
        self.port = free_port()
        self.control = free_port()
        self.process = None
        self.log_path = folder / "log"
        self.out_path = folder / "out"

    # --- the file

    def write(self, services, routes=None, more="", workers=2):
        """services: {name: settings in YAML flow}; routes: lines, or everything to the first service."""
        lines = ["system: test", "gateway:", f"  - listen: http://127.0.0.1:{self.port}", f"workers: {workers}",
                 f"control: {{ listen: 127.0.0.1:{self.control} }}", "services:"]
        lines += [f"  {name}: {settings}" for name, settings in services.items()]
        lines += ["routes:"]
        lines += routes or ["  - match: { path: /, prefix: true }", f"    to: {next(iter(services))}"]
        lines += [more]
        self.write_raw("\n".join(lines) + "\n")

    def write_raw(self, text):
        (self.folder / "weft.yaml").write_text(text)

    # --- processes

    def environment(self):
        name, value = self.mark.split("=")
        return {**os.environ, name: value, "LC_ALL": "C.UTF-8"}

    def up(self, *arguments):
        with open(self.log_path, "ab") as log, open(self.out_path, "ab") as out:
            self.process = subprocess.Popen([WEFT, "up", *arguments], cwd=self.folder, env=self.environment(),
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                            start_new_session=True)
        return self

    def ready(self):
        wait_until(lambda: self.answers() or self.process.poll() is not None, "the system answers")
        assert self.process.poll() is None, self.log()
        return self

    def answers(self, path="/who"):
        try:
            return self.get(path)[0] == 200
        except OSError:
            return False

    def weft(self, *arguments, check=None):
        done = subprocess.run([WEFT, *arguments], cwd=self.folder, env=self.environment(), capture_output=True,
                              text=True, timeout=60 * SLOWNESS, stdin=subprocess.DEVNULL)
        if check is not None:
            assert done.returncode == check, (done.returncode, done.stdout, done.stderr, self.log())
        return done

    def processes(self):
        """{pid: command line} of all that carry our mark and are no zombies."""
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environ = (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:
                continue
            if self.mark.encode() in environ.split(b"\0") and command:
                found[int(entry.name)] = command
        return found

    def pid_of(self, what):
        return next((pid for pid, command in self.processes().items() if what(pid, command)), None)

    def guard(self):
        return self.process.pid

    def supervisor(self):
        """The guard's only child."""
        children = pathlib.Path(f"/proc/{self.guard()}/task/{self.guard()}/children").read_text().split()
        return int(children[0])

    def serving(self):
        return self.pid_of(lambda pid, command: command.endswith("exe serve") and pid != self.guard())

    def instances(self):
        return sorted(pid for pid, command in self.processes().items() if "service.py" in command)

    # --- traffic

    def connect(self, port=None, timeout=LIMIT):
        return http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)

    def get(self, path, port=None):
        connection = self.connect(port)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def who(self, path="/who"):
        status, body = self.get(path)
        assert status == 200, (status, body, self.log())
        return json.loads(body)

    # --- what it says

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_log(self, text, limit=LIMIT):
        wait_until(lambda: text in self.log(), f"'{text}' in the log:\n{self.log()}", limit)

    def exit_code(self, limit=LIMIT):
        return self.process.wait(timeout=limit)

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                pass
        left = self.processes()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process:
            self.process.wait(timeout=LIMIT)
        if left:
            print("left behind:", left, file=sys.stderr)
        print(self.log())
        return left
