#!/usr/bin/python3
"""headers.py ROOT: a header has the guard that its path gives it, and compiles when it is included alone."""
import concurrent.futures
import os
import re
import subprocess

import tree

DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)(?:[ \t]+(\w+))?", re.MULTILINE)
ERROR = re.compile(r"^(.+?):(\d+):\d+: (?:fatal )?error: (.*)$", re.MULTILINE)
FOLDERS = ("src", "include", "sim", "tests", "examples", "bench")


HOUSE = ("src", "include", "sim")


def guard_of(path, root):
    """src/base/bytes.h: WEFT_BASE_BYTES_H; include/weft.h: WEFT_H; sim/world.h: WEFT_SIM_WORLD_H."""
    name = path.relative_to(root).as_posix()
    for prefix in ("src/", "include/"):
        name = name.removeprefix(prefix)
    words = re.sub(r"[^A-Za-z0-9]+", "_", name).upper()
    return words if words.startswith("WEFT_") else "WEFT_" + words


def check_guard(path, root, findings):
    text = path.read_text()
    code = tree.code_of(text)
    guard = guard_of(path, root)
    directives = list(DIRECTIVE.finditer(code))
    found = [(match[1], match[2]) for match in directives[:2]]
    if path.relative_to(root).parts[0] not in HOUSE and found:
        # Elsewhere a guard may leave out folders.
        ending = "_" + re.sub(r"[^A-Za-z0-9]+", "_", path.name).upper()
        if (found[0][1] or "").startswith("WEFT_") and found[0][1].endswith(ending):
            guard = found[0][1]
    if found != [("ifndef", guard), ("define", guard)] or directives[-1][1] != "endif":
        line = code.count("\n", 0, directives[0].start()) + 1 if directives else 1
        findings.add(path, line, "no include guard of the right name", f"#ifndef {guard}, #define, ... #endif")


def compile_alone(path, root):
    """The compiler's first complaint about a header that is included alone, as (line, text); None if there is none."""
    program = f'#include "{path}"\n'
    run = subprocess.run(
        [tree.tool("clang"), "-std=gnu11", "-fsyntax-only", "-D_GNU_SOURCE", '-DWEFT_VERSION=""', "-x", "c",
         f"-I{root / 'src'}", f"-I{root / 'include'}", f"-I{root}", "-"],
        check=False, input=program, capture_output=True, text=True)
    if run.returncode == 0:
        return None
    error = ERROR.search(run.stderr)
    if error and error[1] == str(path):
        return int(error[2]), error[3]
    return 1, error[3] if error else "clang fails"


def main():
    root = tree.root_from_arguments()
    findings = tree.Findings(root)
    headers = list(tree.c_files(root, FOLDERS, (".h",)))
    for path in headers:
        check_guard(path, root, findings)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, complaint in zip(headers, pool.map(compile_alone, headers, [root] * len(headers))):
            if complaint:
                findings.add(path, complaint[0], f"does not compile alone: {complaint[1]}", "include what it uses")
    findings.finish()


if __name__ == "__main__":
    main()
