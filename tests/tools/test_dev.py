"""./dev: what it installs, what it says, and that its sums are right."""
import json
import os
import subprocess

import conftest
import pytest

ROOT = conftest.ROOT
COUNT = ROOT / "tools" / "test" / "count.py"


def dev(*arguments, environment=None):
    return subprocess.run([str(ROOT / "dev"), *arguments], check=False, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "NO_COLOR": "1", **(environment or {})})


def packages(*groups):
    names = []
    for group in groups:
        for line in (ROOT / "tools" / "packages" / f"{group}.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                names.append(line.split()[0])
    return names


class FakeSystem:
    """A Debian on which a list of packages is installed; apt-get writes down what it is asked for."""

    def __init__(self, top):
        self.folder = top / "bin"
        self.calls = top / "calls"
        self.installed = top / "installed"
        self.folder.mkdir()
        self.calls.write_text("")
        self.installed.write_text("")
        self.program("dpkg-query", f'grep -qx -- "${{@: -1}}" "{self.installed}" && echo "ii "')
        self.program("apt-get", f'echo "apt-get $* [$DEBIAN_FRONTEND]" >>"{self.calls}"')
        self.program("update-rc.d", f'echo "update-rc.d $*" >>"{self.calls}"')
        self.program("sudo", f'echo "sudo $*" >>"{self.calls}"; "$@"')
        self.program("id", "echo 1000")

    def program(self, name, text):
        path = self.folder / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def have(self, names):
        self.installed.write_text("".join(f"{name}\n" for name in names))

    def setup(self, *arguments):
        return dev("setup", *arguments, environment={"PATH": f"{self.folder}:{os.environ['PATH']}"})

    def apt_calls(self):
        return [line for line in self.calls.read_text().splitlines() if line.startswith("apt-get ")]


@pytest.fixture
def system(tmp_path):
    return FakeSystem(tmp_path)


def test_setup_does_nothing_when_nothing_is_missing(system):
    system.have(packages("build", "run", "test", "lint", "fuzz"))
    run = system.setup()
    assert run.returncode == 0 and "is installed" in run.stdout
    assert system.calls.read_text() == ""


def test_setup_is_silent_for_other_commands(system):
    system.have(packages("build"))
    run = system.setup("--quiet", "build")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_setup_installs_only_what_is_missing_and_as_root(system):
    build = packages("build")
    system.have(build[1:-1])
    run = system.setup("build")
    assert run.returncode == 0, run.stderr
    update, install = system.apt_calls()
    assert " update " in update
    assert install.endswith(f"install -y --no-install-recommends {build[0]} {build[-1]} [noninteractive]")
    assert "sudo env DEBIAN_FRONTEND=noninteractive apt-get" in system.calls.read_text()
    assert f"missing for build: {build[0]} {build[-1]}" in run.stdout


def test_setup_names_a_package_of_two_groups_once(system):
    run = system.setup("lint", "fuzz")
    assert run.returncode == 0
    assert system.apt_calls()[-1].split().count("clang") == 1


def bare_path(system):
    """A PATH with what a bare Debian has of what setup uses, and nothing else."""
    for name in ("bash", "dirname", "cat", "env", "grep"):
        (system.folder / name).symlink_to(f"/usr/bin/{name}")
    return {"PATH": str(system.folder)}


def test_setup_installs_node_where_there_is_none(system):
    system.have([name for name in packages("build") if name not in ("nodejs", "npm")])
    run = dev("setup", "--dry-run", "build", environment=bare_path(system))
    assert run.returncode == 0, run.stderr
    assert "missing for build: nodejs npm" in run.stdout


def test_setup_leaves_node_from_elsewhere_alone(system):
    system.have([name for name in packages("build") if name not in ("nodejs", "npm")])
    system.program("node", "")
    assert "missing for build: npm\n" in dev("setup", "--dry-run", "build", environment=bare_path(system)).stdout
    system.program("npm", "")
    assert "is installed" in dev("setup", "build", environment={"PATH": str(system.folder)}).stdout
    assert system.apt_calls() == []


def test_run_asks_for_no_more_than_it_needs(system):
    """A browser and a second compiler are for the tests."""
    system.have(packages("build"))
    system.program("apt-get", "exit 100")
    run = dev("run", environment={"PATH": f"{system.folder}:{os.environ['PATH']}"})
    assert run.returncode == 1
    assert "missing for build run: python3 curl\n" in run.stdout


def test_setup_only_says_what_is_missing_when_asked_to(system):
    run = system.setup("--dry-run", "build")
    assert run.returncode == 0 and "gcc" in run.stdout
    assert system.calls.read_text() == ""


def test_setup_says_what_apt_said_when_it_fails(system):
    system.program("apt-get", "echo E: no such mirror; exit 100")
    run = system.setup("build")
    assert run.returncode == 1
    assert "E: no such mirror" in run.stderr and "apt-get update failed" in run.stderr


def test_setup_without_root_and_sudo_says_what_to_do(system):
    (system.folder / "sudo").unlink()
    run = dev("setup", "build", environment=bare_path(system))
    assert run.returncode == 1
    assert "needs root" in run.stderr and "apt-get install --no-install-recommends gcc" in run.stderr


def test_setup_keeps_services_that_come_along_from_starting(system):
    """A fake policy file stands for /usr/sbin/policy-rc.d where there is one already; else sudo's log shows it."""
    system.program("sudo", f'echo "sudo $*" >>"{system.calls}"; case $1 in env) "$@" ;; *) cat >/dev/null ;; esac')
    system.have([name for name in packages("bench") if name != "haproxy"])
    run = system.setup("bench")
    assert run.returncode == 0, run.stderr
    calls = system.calls.read_text().splitlines()
    assert "sudo update-rc.d haproxy disable" in calls
    assert not any("nginx" in call for call in calls)
    if not os.path.exists("/usr/sbin/policy-rc.d"):
        made = calls.index("sudo tee /usr/sbin/policy-rc.d")
        removed = calls.index("sudo rm -f /usr/sbin/policy-rc.d")
        installed = next(i for i, call in enumerate(calls) if call.startswith("apt-get") and " install " in call)
        assert made < installed < removed


def test_package_lists_give_a_reason_for_each_name():
    for path in (ROOT / "tools" / "packages").glob("*.txt"):
        for line in path.read_text().splitlines():
            if not line.startswith("#"):
                name, reason = line.split("#")
                words = name.split()
                assert len(words) == 1 or len(words) == 3 and words[1] == "unless", f"{path.name}: {line}"
                assert len(reason.split()) >= 2, f"{path.name}: {line}"


def test_help_names_every_command_and_file():
    text = dev("help").stdout
    for command in (ROOT / "tools" / "dev").iterdir():
        if command.name != "common.sh":
            assert f"./dev {command.name}" in text, command.name
    for check in dev("lint", "--list").stdout.splitlines():
        assert check.split()[0] in text


@pytest.mark.parametrize("arguments, words", [
    (["frobnicate"], "there is no command 'frobnicate'"),
    (["build", "fast"], "there is no build type 'fast'"),
    (["test", "--type", "fast"], "there is no build type 'fast'"),
    (["test", "--only", "some"], "there is no part 'some'"),
    (["test", "--fast"], "no option '--fast'"),
    (["fuzz", "--seconds", "0"], "wants a whole number"),
    (["fuzz", "--seconds"], "wants a whole number"),
    (["lint", "taste"], "there is no check 'taste'"),
    (["setup", "everything"], "there is no package group 'everything'"),
    (["clean", "house"], "there is no build type 'house'"),
])
def test_wrong_usage_says_so(arguments, words):
    run = dev(*arguments)
    assert run.returncode == 2
    assert words in run.stderr


# --- the sums -------------------------------------------------------------------------------------------

PASSING = "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\nnoise[       OK ] b\n"
FAILING = PASSING + "[ RUN      ] c\n[  FAILED  ] c\n"
SKIPPING = PASSING + "[ RUN      ] c\n[  SKIPPED ] c\n"
DYING = PASSING + "[ RUN      ] c\n"


def count(tmp_path, programs, *failed_parts, junit=None):
    if programs is not None:
        lines = [json.dumps({"name": "t", "stdout": out, "returncode": code, "result": result})
                 for out, code, result in programs]
        (tmp_path / "unit.json").write_text("\n".join(lines) + "\n")
    if junit:
        (tmp_path / "system.xml").write_text(junit)
    run = subprocess.run([conftest.PYTHON, str(COUNT), str(tmp_path), *failed_parts], check=True,
                         capture_output=True, text=True)
    return run.stdout.split()


@pytest.mark.parametrize("program, counts", [
    ((PASSING, 0, "OK"), ["2", "0", "0"]),
    ((FAILING, 1, "FAIL"), ["2", "1", "0"]),
    ((SKIPPING, 0, "OK"), ["2", "0", "1"]),
    ((DYING, -6, "FAIL"), ["2", "1", "0"]),
    ((DYING, -15, "TIMEOUT"), ["2", "1", "0"]),
    ((PASSING, 1, "FAIL"), ["2", "1", "0"]),  # a sanitizer's report at the end
    (("", -11, "FAIL"), ["0", "1", "0"]),
    (("done\n", 0, "OK"), ["1", "0", "0"]),
    (("no ipv6 here\n", 77, "SKIP"), ["0", "0", "1"]),
])
def test_count_of_a_program(tmp_path, program, counts):
    assert count(tmp_path, [program]) == counts


def test_count_adds_all_parts(tmp_path):
    junit = ('<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/>'
             '<testsuite tests="1" failures="0" errors="0" skipped="0"/></testsuites>')
    assert count(tmp_path, [(PASSING, 0, "OK"), (FAILING, 1, "FAIL")], junit=junit) == ["8", "3", "2"]


def test_count_never_loses_a_failed_part(tmp_path):
    assert count(tmp_path, [(PASSING, 0, "OK")], "system") == ["2", "1", "0"]
    assert count(tmp_path, [(FAILING, 1, "FAIL")], "unit") == ["2", "1", "0"]


def test_count_of_a_real_cmocka_program(tmp_path):
    """The words of the installed cmocka, not those that we remember."""
    source = tmp_path / "t.c"
    source.write_text("#include <setjmp.h>\n#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n"
                      "#include <cmocka.h>\n"
                      "static void good(void **s) { (void)s; }\n"
                      "static void bad(void **s) { (void)s; assert_int_equal(1, 2); }\n"
                      "static void absent(void **s) { (void)s; skip(); }\n"
                      "int main(void)\n{\n    const struct CMUnitTest t[] = { cmocka_unit_test(good),\n"
                      "        cmocka_unit_test(bad), cmocka_unit_test(absent), cmocka_unit_test(good) };\n"
                      "    return cmocka_run_group_tests_name(\"g\", t, NULL, NULL);\n}\n")
    subprocess.run(["gcc", "-o", str(tmp_path / "t"), str(source), "-lcmocka"], check=True)
    run = subprocess.run([str(tmp_path / "t")], check=False, capture_output=True, text=True)
    assert count(tmp_path, [(run.stdout, run.returncode, "FAIL")]) == ["2", "1", "1"]
