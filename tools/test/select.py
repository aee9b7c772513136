#!/usr/bin/python3
"""select.py BUILD FILTER: the names of the unit tests in a build directory that contain FILTER, one a line."""
import json
import pathlib
import sys


def main():
    build, wanted = pathlib.Path(sys.argv[1]), sys.argv[2]
    tests = json.loads((build / "meson-info" / "intro-tests.json").read_text())
    for name in sorted({test["name"] for test in tests}):
        if wanted in name:
            print(name)


if __name__ == "__main__":
    main()
