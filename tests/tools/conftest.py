"""What the tests of the tools share: small trees to try a check on."""
import json
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"


class Tree:
    """A tree of files below a folder, and the checks run on it."""

    def __init__(self, top):
        self.top = top

    def write(self, name, text):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def copy(self, name):
        """The real tree's file of that name."""
        self.write(name, (ROOT / name).read_text())

    def compile(self):
        """Compiles all sources as meson would and writes down how, in build/lint."""
        build = self.top / "build" / "lint"
        entries = []
        for source in sorted(self.top.glob("src/**/*.c")) + sorted(self.top.glob("sim/**/*.c")):
            target = f"{source.relative_to(self.top)}.o".replace("/", "_")
            source = pathlib.Path("..", "..", source.relative_to(self.top))
            command = ["clang", "-std=gnu11", "-g", "-O0", "-fPIC", "-fno-common", "-D_GNU_SOURCE",
                       "-I../../src", "-c", str(source), "-o", target]
            build.mkdir(parents=True, exist_ok=True)
            subprocess.run(command, check=True, cwd=build)
            entries.append({"directory": str(build), "command": " ".join(command), "file": str(source),
                            "output": target})
        (build / "compile_commands.json").write_text(json.dumps(entries))

    def check(self, name):
        """The findings of a check, a list of lines. Its status says the same."""
        run = subprocess.run([PYTHON, str(ROOT / "tools" / "lint" / f"{name}.py"), str(self.top)],
                             check=False, capture_output=True, text=True)
        assert run.stderr == "", run.stderr
        lines = run.stdout.splitlines()
        assert run.returncode == (1 if lines else 0)
        return lines


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)
