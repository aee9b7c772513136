""".ci/run adds up its parts, loses none, and goes on after a failing one."""
import shutil
import subprocess

import conftest
import pytest

PARTS = ("setup", "lint", "test", "sim", "asan", "fuzz")


@pytest.fixture
def checkout(tmp_path):
    """A tree with the real .ci/run and a ./dev that says what a test wants it to."""
    for name in (".ci/run", "tools/dev/common.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(conftest.ROOT / name, tmp_path / name)

    def run(**parts):
        cases = "".join(f'"{name}")\n{text}\n;;\n' for name, text in parts.items())
        dev = tmp_path / "dev"
        dev.write_text('#!/bin/bash\npart=$1\ncase "$*" in *asan*) part=asan ;; esac\n'
                       f'case $part in\n{cases}*) echo did "$@" ;;\nesac\n')
        dev.chmod(0o755)
        return subprocess.run([str(tmp_path / ".ci" / "run")], check=False, capture_output=True, text=True, timeout=60)

    return run


def test_a_part_without_counts_counts_one(checkout):
    run = checkout()
    assert run.returncode == 0
    assert run.stdout.splitlines()[-1] == "6 passed, 0 failed"
    for name in PARTS:
        assert f"==> {name}: ./dev" in run.stdout


def test_counts_are_added(checkout):
    run = checkout(test="echo 1 passed, 1 failed; echo 100 passed, 0 failed, 3 skipped", asan="echo 50 passed, 0 failed",
                   fuzz="echo 2 passed, 0 failed")
    assert run.returncode == 0
    assert run.stdout.splitlines()[-1] == "155 passed, 0 failed, 3 skipped"


def test_runs_of_the_simulator_are_counted(checkout):
    run = checkout(sim="echo '6 runs, each in two processes: 0 failed; 96728 events'")
    assert run.stdout.splitlines()[-1] == "11 passed, 0 failed"
    run = checkout(sim="echo '6 runs, each in two processes: 2 failed; 96728 events'; exit 1")
    assert run.stdout.splitlines()[-1] == "9 passed, 2 failed"


@pytest.mark.parametrize("what", ["echo 7 passed, 2 failed; exit 1", "echo 7 passed, 1 failed; exit 1; echo no"])
def test_failures_end_in_failure_but_the_rest_runs(checkout, what):
    run = checkout(test=what)
    assert run.returncode != 0
    assert "did fuzz --seconds 20" in run.stdout
    assert ", 0 failed" not in run.stdout.splitlines()[-1]


@pytest.mark.parametrize("what", ["exit 1", "echo 7 passed, 0 failed; exit 3", "kill -9 $$"])
def test_a_failed_part_is_never_lost_in_the_sum(checkout, what):
    run = checkout(lint=what)
    assert run.returncode != 0
    assert " 1 failed" in run.stdout.splitlines()[-1]
    assert "FAILED" in run.stdout


def test_nothing_runs_without_the_packages(checkout):
    run = checkout(setup="exit 1")
    assert run.returncode != 0
    assert "did" not in run.stdout
    assert run.stdout.splitlines()[-1] == "0 passed, 1 failed"
