"""weft fmt, as a person uses it."""
import os
import subprocess

from running import ROOT, WEFT

UGLY = "system: a   \nservices:\n    b: {run: ./b,scale: 2}  # two\n"
NEAT = "system: a\nservices:\n  b: { run: ./b, scale: 2 }  # two\n"


def fmt(folder, *arguments, **more):
    return subprocess.run([WEFT, "fmt", *arguments], cwd=folder, capture_output=True, text=True, timeout=60, **more)


def test_a_file_is_laid_out_in_place(tmp_path):
    file = tmp_path / "weft.yaml"
    file.write_text(UGLY)
    file.chmod(0o640)
    check = fmt(tmp_path, "--check")
    assert (check.returncode, check.stdout, file.read_text()) == (1, "weft.yaml\n", UGLY)
    done = fmt(tmp_path)
    assert (done.returncode, done.stdout, file.read_text()) == (0, "weft.yaml\n", NEAT)
    assert file.stat().st_mode & 0o777 == 0o640
    again = fmt(tmp_path, "--check")
    assert (again.returncode, again.stdout) == (0, "")
    assert os.listdir(tmp_path) == ["weft.yaml"]


def test_standard_input_goes_to_standard_output(tmp_path):
    done = fmt(tmp_path, "-", input=UGLY)
    assert (done.returncode, done.stdout, done.stderr) == (0, NEAT, "")


def test_all_files_are_tried(tmp_path):
    (tmp_path / "a.yaml").write_text("a: [")
    (tmp_path / "b.yaml").write_text(UGLY)
    done = fmt(tmp_path, "a.yaml", "none.yaml", "b.yaml")
    assert done.returncode == 1
    assert done.stdout == "b.yaml\n"
    assert done.stderr.splitlines()[0].startswith("weft: a.yaml:2:1: yaml: ")
    assert done.stderr.splitlines()[1] == "weft: fmt: can't read none.yaml: No such file or directory"
    assert (tmp_path / "b.yaml").read_text() == NEAT


def test_the_examples_are_laid_out():
    files = sorted(str(path) for path in ROOT.glob("examples/**/*.yaml"))
    assert len(files) >= 1
    done = fmt(ROOT, "--check", *files)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
