#!/usr/bin/python3
"""banned.py ROOT: sources use no function of banned.txt, no typedef of a struct, no constructor magic."""
import re

import tree

PATTERNS = (
    (re.compile(r"\btypedef\s+(?:struct|union)\b"), "a typedef hides a struct", "write struct NAME"),
    (re.compile(r"__attribute__\s*\(\(\s*_*(?:constructor|destructor|section)_*\b"), "linker magic",
     "src/app names everything in explicit arrays"),
    (re.compile(r"#\s*pragma\s+(?:GCC|clang)\s+diagnostic\s+ignored"), "a warning is silenced", "mend its cause"),
    (re.compile(r"\b__builtin_alloca\b"), "__builtin_alloca is banned", "a bounded array, or an arena"),
)
HOUSE = ("src", "include", "sim", "examples")


def banned_words(root):
    """What is banned, as word: (whether everywhere, what to use instead)."""
    words = {}
    for line in tree.rules_file(root, "banned.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, where, instead = line.split(None, 2)
            words[name] = (where == "all", instead)
    return words


def main():
    root = tree.root_from_arguments()
    findings = tree.Findings(root)
    words = banned_words(root)
    call = re.compile(r"(?<![\w.>])(" + "|".join(map(re.escape, words)) + r")\s*\(")
    for path in tree.c_files(root, endings=(".c", ".h", ".def")):
        code = tree.code_of(path.read_text())
        in_house = path.relative_to(root).parts[0] in HOUSE
        for number, line in enumerate(code.splitlines(), 1):
            for match in call.finditer(line):
                everywhere, instead = words[match[1]]
                if everywhere or in_house:
                    findings.add(path, number, f"{match[1]}() is banned", instead)
        for pattern, what, hint in PATTERNS:
            for match in pattern.finditer(code):
                findings.add(path, code.count("\n", 0, match.start()) + 1, what, hint)
    findings.finish()


if __name__ == "__main__":
    main()
