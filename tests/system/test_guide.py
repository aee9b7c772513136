"""docs/guide.md, followed word by word from an empty folder."""
import os
import re
import subprocess

import pytest

from running import LIMIT, ROOT, WEFT, free_port, wait_until

BUILD = WEFT.parents[2]
GUIDE = ROOT / "docs/guide.md"
BLOCK = re.compile(r"(?:^File `(?P<file>[^`]+)`:\n\n)?(?:^<!-- (?P<note>[^>]+) -->\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$",
                   re.DOTALL | re.MULTILINE)


def blocks():
    found = [(match["kind"], match["file"], match["note"], match["text"]) for match in BLOCK.finditer(GUIDE.read_text())]
    assert {kind for kind, *_ in found} == {"sh", "c", "yaml", "text"}
    return found


@pytest.fixture
def prefix(tmp_path):
    """What ./dev install gives, from the build that is tested."""
    top = tmp_path / "weft"
    (top / "bin").mkdir(parents=True)
    (top / "bin/weft").symlink_to(WEFT)
    (top / "lib/pkgconfig").mkdir(parents=True)
    flags = "-fsanitize=address,undefined" if "asan" in BUILD.name else "-fsanitize=thread" if "tsan" in BUILD.name else ""
    (top / "lib/pkgconfig/weft.pc").write_text(
        f"Name: weft\nDescription: of a build\nVersion: 0\n"
        f"Libs: {BUILD}/src/chassis/libweft.a {flags} -lsqlite3 -ljansson -lpthread -lm\nCflags: -I{ROOT}/include\n")
    return top


class Reader:
    """Somebody who types what stands there."""

    def __init__(self, folder, prefix):
        self.folder, self.up = folder, None
        self.port = free_port()
        self.environment = {**os.environ, "PATH": f"{prefix}/bin:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
                            "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig"}
        self.said = ""

    def text(self, text):
        return text.replace(":8080", f":{self.port}")

    def write(self, name, text):
        (self.folder / name).write_text(self.text(text))

    def second_terminal(self, command):
        assert self.up is None
        with open(self.folder / "up.log", "wb") as log:
            self.up = subprocess.Popen(command.split(), cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: self.type("weft get endpoints").count(" ready ") >= 2, "the system is up")

    def type(self, commands):
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", self.text(commands)],
                              cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=LIMIT * 8, check=False)
        self.said, self.code = done.stdout, done.returncode
        return done.stdout


def pattern(text):
    """`...` is anything, also nothing, also lines."""
    return re.compile("".join(".*" if part == "..." else re.escape(part) for part in re.split(r"(\.\.\.)", text.strip())),
                      re.DOTALL)


def test_the_guide_is_true(tmp_path, prefix):
    folder = tmp_path / "empty"
    folder.mkdir()
    reader = Reader(folder, prefix)
    try:
        follow(reader)
    finally:
        if reader.up and reader.up.poll() is None:
            reader.up.terminate()
            reader.up.wait(timeout=LIMIT * 2)
        log = reader.folder / "up.log"
        print(log.read_text() if log.exists() else "")


def follow(reader):
    for kind, file, note, text in blocks():
        if note == "install":
            continue
        if file:
            reader.write(file, text)
        elif note == "second terminal":
            reader.second_terminal(text.strip())
        elif kind == "sh" and text.startswith("mkdir"):
            reader.type(text)
            reader.folder = reader.folder / "hello"
        elif kind == "sh":
            reader.type(text)
            assert reader.code == (1 if text.strip() == "weft diff" else 0), (text, reader.said)
        elif kind == "text":
            assert pattern(reader.text(text)).search(reader.said), f"{reader.said}\n-- is not\n{text}"
    assert reader.up.wait(timeout=LIMIT) == 0


def test_the_file_of_the_front_page_is_good(tmp_path):
    text = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    (tmp_path / "weft.yaml").write_text(text)
    (tmp_path / "web").mkdir()
    for command in ("check", "fmt"):
        options = ["--check"] if command == "fmt" else []
        done = subprocess.run([WEFT, command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr
