"""web/build.py: what it says where npm can't do its work, and that it leaves nothing half made."""
import subprocess

import conftest


def build(tmp_path, npm_text):
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/bash\n{npm_text}\n")
    npm.chmod(0o755)
    return subprocess.run([conftest.PYTHON, str(conftest.ROOT / "web/build.py"), "--output", "dashboard.c", "--files",
                           "files", "--cache", "cache", "--node", "/bin/false", "--npm", str(npm)],
                          cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)


def test_a_failing_npm_is_heard_and_there_is_a_way_out(tmp_path):
    run = build(tmp_path, "echo no registry here >&2; exit 1")
    assert run.returncode == 1
    assert "no registry here" in run.stderr and "npm ci failed" in run.stderr
    assert f"meson configure {tmp_path} -Ddashboard=disabled" in run.stderr
    assert not (tmp_path / "dashboard.c").exists()
    assert list((tmp_path / "cache").iterdir()) == []


def test_npm_runs_no_scripts_of_packages_and_is_not_patient(tmp_path):
    run = build(tmp_path, 'echo "npm $*" >&2; exit 1')
    words = next(line for line in run.stderr.splitlines() if line.startswith("npm ci ")).split()
    assert "--ignore-scripts" in words and "--fetch-retry-maxtimeout=5000" in words
