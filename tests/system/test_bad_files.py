"""Files with mistakes that people make, and exactly what they are told: bad/NAME.yaml and bad/NAME.txt.

A message is read by somebody who does not know what is wrong: it must say what, where, and what to do. When one has
changed on purpose: run `weft check -f NAME.yaml 2> NAME.txt` in bad/, and read what came out.
"""
import os
import pathlib
import shutil
import subprocess

import pytest

from running import SLOWNESS, WEFT

BAD = pathlib.Path(__file__).parent / "bad"
NAMES = sorted(path.stem for path in BAD.glob("*.yaml"))
GOOD = sorted(path.name for path in (BAD / "good").glob("*.yaml"))


def run(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if name not in ("PORT", "KEY")}
    return subprocess.run([WEFT, *arguments], cwd=folder, env={**environment, "LC_ALL": "C.UTF-8"}, text=True,
                          capture_output=True, timeout=30 * SLOWNESS, stdin=subprocess.DEVNULL)


def listing(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    copy = tmp_path_factory.mktemp("bad") / "files"
    shutil.copytree(BAD, copy)
    return copy


def test_there_are_many():
    assert len(NAMES) >= 80
    assert NAMES == sorted(path.stem for path in BAD.glob("*.txt"))


@pytest.mark.parametrize("name", NAMES)
def test_refused(folder, name):
    before = listing(folder)
    done = run(folder, "check", "-f", f"{name}.yaml")
    assert done.stderr == (BAD / f"{name}.txt").read_text()
    assert (done.returncode, done.stdout) == (1, "")
    assert listing(folder) == before
    for line in done.stderr.splitlines():
        assert line.startswith("weft: ") and len(line) < 600


@pytest.mark.parametrize("name", NAMES[::12])
def test_nothing_is_started(folder, name):
    """weft up says the same, and leaves nothing behind but its folder."""
    before = listing(folder)
    done = run(folder, "up", "-f", f"{name}.yaml", "--dir", str(folder))
    expected = (BAD / f"{name}.txt").read_text()
    assert done.returncode == 1
    assert done.stderr.startswith(expected)
    assert done.stderr[len(expected):].splitlines()[0] == f"weft: {name}.yaml: nothing was started"
    assert {file: text for file, text in listing(folder).items() if not file.startswith(".weft/")} == before


@pytest.mark.parametrize("name", GOOD)
def test_near_to_them_are_good_ones(folder, name):
    done = run(folder, "check", "-f", f"good/{name}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"good/{name}: good; ")
