#!/usr/bin/python3
"""globals.py ROOT [BUILD]: no writable variable outlives a function, but for those with a reason in globals.txt.

Looks at the sections of the objects' symbols (objdump -t): .data.rel.ro is const after relocation and fine, .data,
.bss, COMMON and their thread-local kin are not.
"""
import re

import tree

ENTRY = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+ (?:\.hidden )?(\S+)$")
WRITABLE = re.compile(r"^(?:\.data|\.bss|\.tdata|\.tbss|\.sdata|\.sbss|\*COM\*)(?:\.|$)|^\*COM\*$")
# Numbers and function names that compilers put round the name of a local static.
DECORATION = re.compile(r"^(?:[A-Za-z_]\w*\.)?([A-Za-z_]\w*)(?:\.\d+)?$")


def variables(target):
    """The writable variables that an object defines."""
    for line in tree.output_of("objdump", "-t", str(target)).splitlines():
        entry = ENTRY.match(line)
        if not entry or "d" in entry[1] or "f" in entry[1]:  # sections and files are no variables
            continue
        section, symbol = entry[2], entry[3]
        if WRITABLE.match(section) and not section.startswith(".data.rel.ro") and symbol != section:
            plain = DECORATION.match(symbol)
            yield plain[1] if plain else symbol


def main():
    root = tree.root_from_arguments()
    build = tree.build_from_arguments(root)
    findings = tree.Findings(root)
    allowed = tree.Allowances(tree.rules_file(root, "globals.txt"))
    for source, target in tree.compiled(root, build, ("src", "sim")):
        name = source.relative_to(root).as_posix()
        for symbol in variables(tree.object_or_end(target)):
            if not allowed.allows(name, symbol):
                findings.add(source, tree.line_with(source, symbol), f"{symbol} is a writable global",
                             "give it an owner that is passed along, or make it const")
    allowed.report_unused(findings)
    findings.finish()


if __name__ == "__main__":
    main()
