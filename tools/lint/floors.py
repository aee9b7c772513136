#!/usr/bin/python3
"""floors.py ROOT: includes point to the own folder and downwards only (floors.txt).

Outside src/: the simulator and the tests see everything, examples see their own folder and the installed header.
"""
import re

import tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


class House:
    def __init__(self, path):
        self.floor = {}
        self.visitors = {}
        for _, words in tree.read_rules(path):
            self.floor[words[1]] = int(words[0])
            if len(words) > 2 and words[2] == "only":
                self.visitors[words[1]] = set(words[3:])

    def folder_of(self, name):
        """The innermost folder of the house that the path `name`, relative to src/, lies in."""
        folder = name
        while "/" in folder:
            folder = folder.rsplit("/", 1)[0]
            if folder in self.floor:
                return folder
        return None

    def objection(self, own, other):
        """Why a file in folder `own` may not include one in `other`; None if it may."""
        if own == other or own.startswith(f"{other}/"):
            return None
        top = own.split("/", 1)[0]
        if other in self.visitors:
            return None if top in self.visitors[other] else f"only {', '.join(sorted(self.visitors[other]))} may see it"
        if self.floor[other] > self.floor[own]:
            return f"upwards, from floor {self.floor[own]} to {self.floor[other]}"
        if self.floor[other] == self.floor[own]:
            return f"a neighbour on floor {self.floor[own]}"
        return None


def includes(path):
    text = path.read_text()
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[1]


def check_house(root, house, findings):
    source = root / "src"
    unknown = set()
    for path in tree.c_files(root, ("src",), (".c", ".h", ".def", ".S", ".inc")):
        own = house.folder_of(path.relative_to(source).as_posix())
        if own is None:
            if path.parent not in unknown:
                findings.add(path, 1, "this folder has no floor", "tools/lint/floors.txt gives each folder one")
            unknown.add(path.parent)
            continue
        for line, name in includes(path):
            other = house.folder_of(name)
            if other is None and (root / "include" / name).exists():
                if house.floor[own] < house.floor.get("chassis", 0):
                    findings.add(path, line, f'"{name}" is the installed header', "only chassis and app know it")
            elif other is None:
                findings.add(path, line, f'"{name}" names no folder of the house', 'write it as "folder/file.h"')
            elif (why := house.objection(own, other)) is not None:
                findings.add(path, line, f'{own} includes "{name}": {why}', "includes point downwards only")


def check_outside(root, findings):
    for path in tree.c_files(root, ("include",)):
        for line, name in includes(path):
            if not (root / "include" / name).exists():
                findings.add(path, line, f'the installed header includes "{name}"', "what is installed stands alone")
    for path in tree.c_files(root, ("examples",)):
        for line, name in includes(path):
            if not (path.parent / name).exists() and not (root / "include" / name).exists():
                findings.add(path, line, f'an example includes "{name}"', "examples see weft.h and their own folder")


def main():
    root = tree.root_from_arguments()
    findings = tree.Findings(root)
    check_house(root, House(tree.rules_file(root, "floors.txt")), findings)
    check_outside(root, findings)
    findings.finish()


if __name__ == "__main__":
    main()
