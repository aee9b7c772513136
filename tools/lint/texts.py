#!/usr/bin/python3
"""texts.py ROOT: what no file of the tree contains: promises, paths of one machine, stray bytes."""
import re

import tree

# Written in halves, so that this file passes its own check.
PROMISES = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
HOMES = re.compile(r"(?<![\w./-])/(?:home|Users)/[A-Za-z]\w*|(?<![\w./-])/ro" r"ot/\w")
CONFLICT = re.compile(r"^(?:<{7} |>{7} |={7}$)")
BYTES_ARE_CONTENT = ("tests/fuzz/corpus/",)  # inputs of the fuzzers are as they are


def check_lines(path, text, here, findings):
    for number, line in enumerate(text.split("\n"), 1):
        if match := PROMISES.search(line):
            findings.add(path, number, f"{match[1]} is a promise", "do it, or open an issue")
        if match := HOMES.search(line):
            findings.add(path, number, f"{match[0]} is a path of one machine", "paths are relative to the root")
        elif here and here.search(line):
            findings.add(path, number, f"{here.search(line)[0]} is a path of this machine", "paths are relative to the root")
        if line.endswith("\r"):
            findings.add(path, number, "a carriage return ends the line", "lines end with a line feed")
        elif line != line.rstrip():
            findings.add(path, number, "white space ends the line", "take it out")
        if CONFLICT.match(line):
            findings.add(path, number, "a conflict marker", "finish the merge")
        if "\t" in line and path.suffix in (".c", ".h", ".def", ".py"):
            findings.add(path, number, "a tab", "four spaces a level")


def main():
    root = tree.root_from_arguments()
    findings = tree.Findings(root)
    # A checkout in /src, say, has a name too short to tell from parts of others.
    here = re.compile(rf"(?<![\w./-]){re.escape(str(root))}\b") if len(root.parts) > 2 else None
    for path in tree.walk(root):
        if path.relative_to(root).as_posix().startswith(BYTES_ARE_CONTENT):
            continue
        text = tree.text_of(path)
        if not text:
            continue
        check_lines(path, text, here, findings)
        if not text.endswith("\n"):
            findings.add(path, text.count("\n") + 1, "the last line has no end", "add a line feed")
    findings.finish()


if __name__ == "__main__":
    main()
