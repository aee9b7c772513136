"""Help, manual pages and completion come from one table: what one of them knows, all know."""
import pathlib
import re
import shutil
import subprocess

import pytest
from running import ROOT, WEFT


def weft(*arguments):
    done = subprocess.run([WEFT, *arguments], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout


def commands():
    names = re.findall(r"^  ([a-z]+) +\S", weft("help"), re.MULTILINE)
    assert {"up", "check", "help", "man"} <= set(names)
    return names


def test_the_build_installs_a_page_for_every_command():
    text = (pathlib.Path(ROOT) / "src/app/meson.build").read_text()
    listed = re.findall(r"'([a-z]+)'", re.search(r"manual_commands = \[(.*?)\]", text, re.DOTALL)[1])
    assert sorted(listed) == sorted(commands())


def test_every_command_tells_how_it_is_used():
    for name in commands():
        text = weft("help", name)
        assert text.startswith(f"weft {name} - "), name
        assert f"usage: weft {name}" in text, name
        assert weft(name, "--help") == text, name


@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_every_page_reads_well(tmp_path):
    for name in [None, *commands()]:
        page = tmp_path / "page.1"
        page.write_text(weft("man", *([name] if name else [])))
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True,
                              env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin"}, timeout=60, check=True)
        assert done.stderr == "", name
        plain = re.sub(".\b", "", done.stdout)
        for part in ("NAME", "SYNOPSIS", "EXIT STATUS"):
            assert re.search(f"^{part}$", plain, re.MULTILINE), (name, part)
        help_text = weft("help", name) if name else ""
        for option in re.findall(r"--[a-z][a-z-]*", help_text.split("examples:")[0]):
            assert option in plain, (name, option)


def complete(*words):
    script = weft("completion", "bash")
    line = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(["bash", "-c", f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _weft; "
                           "printf '%s\\n' \"${COMPREPLY[@]}\""], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes():
    assert complete("weft", "comp") == ["completion"]
    assert sorted(complete("weft", "")) == sorted(commands())
    assert complete("weft", "completion", "") == ["bash", "zsh", "fish", "--help"]
    assert complete("weft", "get", "services", "-o", "j") == ["json"]
    assert complete("weft", "get", "services", "--output", "") == ["json", "table"]
    assert "--file" in complete("weft", "up", "--")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_the_script(shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=weft("completion", shell), text=True, timeout=60, check=True)
