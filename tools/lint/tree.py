"""What the checks share: the files of a tree, findings, C without its comments and strings, compiled objects.

Every check is a program `check.py ROOT [BUILD]`. It prints `file:line: what (hint)` for each finding, with the file
relative to ROOT, and exits 1 if there was one. Its lists of rules lie beside it in tools/lint of the tree it checks,
or, where that tree has none, beside the program.
"""
import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

C_FOLDERS = ("src", "include", "sim", "examples", "tests", "bench")
NEVER_ENTERED = {".git", ".weft", "build", "__pycache__", ".pytest_cache", "node_modules"}


class Findings:
    """Collects what a check has found; finish() prints it in order and ends the program."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.found = set()

    def add(self, path, line, what, hint=""):
        path = pathlib.Path(path)
        if path.is_absolute():
            path = path.relative_to(self.root)
        self.found.add((path.as_posix(), line, what + (f" ({hint})" if hint else "")))

    def finish(self):
        for path, line, text in sorted(self.found):
            print(f"{path}:{line}: {text}")
        sys.exit(1 if self.found else 0)


def root_from_arguments():
    """The ROOT argument of a check, as an absolute path."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} ROOT [BUILD]")
    return pathlib.Path(sys.argv[1]).resolve()


def build_from_arguments(root):
    """The BUILD argument: a meson build directory of ROOT; build/lint if it isn't given."""
    return pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else root / "build" / "lint"


def rules_file(root, name):
    """A list of rules, from the checked tree or from beside this program."""
    own = root / "tools" / "lint" / name
    return own if own.exists() else pathlib.Path(__file__).resolve().parent / name


def read_rules(path):
    """The lines of a rules file as (line number, words); `#` starts a comment, which is left out."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split("#", 1)[0].split()
        if words:
            yield number, words


def walk(top):
    """All files below a folder, in order, without what is built."""
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if name not in NEVER_ENTERED)
        for name in sorted(files):
            path = pathlib.Path(folder) / name
            if not path.is_symlink():
                yield path


def c_files(root, folders=C_FOLDERS, endings=(".c", ".h")):
    for folder in folders:
        for path in walk(root / folder):
            if path.suffix in endings:
                yield path


def text_of(path):
    """A file's text; None for what isn't text."""
    data = path.read_bytes()
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


_NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL
)


def code_of(text):
    """C source with comments and the inside of strings blanked, line by line the same length."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return _NOT_CODE.sub(blank, text)


def tool(name):
    """Debian's own program: others of that name earlier in PATH may be other versions."""
    for candidate in (f"/usr/bin/{name}-14", f"/usr/bin/{name}"):
        if os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which(name)
    if found is None:
        sys.exit(f"error: {name} is missing (./dev setup lint installs it)")
    return found


def compiled(root, build, folders):
    """The compiled objects of the sources in some folders, as (source, object); what isn't compiled is left out."""
    listing = build / "compile_commands.json"
    if not listing.exists():
        sys.exit(f"error: {listing} is missing (./dev lint makes it)")
    for entry in json.loads(listing.read_text()):
        directory = pathlib.Path(entry["directory"])
        source = pathlib.Path(os.path.normpath(directory / entry["file"]))
        target = directory / entry["output"]
        if any(source.is_relative_to(root / folder) for folder in folders):
            yield source, target


def object_or_end(target):
    if not target.exists():
        sys.exit(f"error: {target} is missing (ninja -C the build directory makes it)")
    return target


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def line_with(source, symbol):
    """The first line of a source whose code has the symbol as a word; 1 if a macro hides it."""
    word = re.compile(rf"\b{re.escape(symbol)}\b")
    for number, line in enumerate(code_of(source.read_text()).splitlines(), 1):
        if word.search(line) and not line.startswith("#"):
            return number
    return 1


class Allowances:
    """A rules file of `PATTERN: SYMBOL...` lines: which symbols are allowed in the files that match. PATTERN and
    SYMBOL may have shell wildcards. A line about one file that has no use is itself a finding."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        for number, words in read_rules(path):
            if not words[0].endswith(":"):
                sys.exit(f"{path}:{number}: a line is `pattern: symbol...`")
            self.lines.append((number, words[0][:-1], words[1:]))
        self.used = set()

    def allows(self, name, symbol):
        found = False
        for number, pattern, symbols in self.lines:
            if fnmatch.fnmatchcase(name, pattern):
                for wanted in symbols:
                    if fnmatch.fnmatchcase(symbol, wanted):
                        self.used.add((number, wanted))
                        found = True
        return found

    def report_unused(self, findings):
        for number, pattern, symbols in self.lines:
            if "*" in pattern or not self.path.is_relative_to(findings.root):
                continue
            for symbol in symbols:
                if (number, symbol) not in self.used and "*" not in symbol:
                    findings.add(self.path, number, f"{pattern} has no use of {symbol}", "take the exception out")
