#!/usr/bin/python3
"""count.py RESULTS [FAILED_PART...]: adds up the test cases of a run and prints `passed failed skipped`.

RESULTS holds unit.json (meson's testlog.json: one JSON object a line, one a program) and PART.xml (pytest's junit
file). A cmocka program counts as many as the cases it reports; one that dies or hangs before it has reported a
failure counts one failure more. A program that isn't cmocka's counts one. A part named as failed whose files show
no failure (it was killed, say) counts one failure, so that a failure is never lost in the sum.
"""
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

SKIPPED_STATUS = 77  # how a whole program says that it can't run here

# Not anchored: what a test prints without a newline may stand before them.
RUN = re.compile(r"\[ RUN      \] \S")
OK = re.compile(r"\[       OK \] \S")
SKIPPED = re.compile(r"\[  SKIPPED \] (?!(?:.*: )?\d+ test)\S")


def count_program(entry):
    """The cases of one program, as (passed, failed, skipped)."""
    output = entry.get("stdout") or ""
    status = entry.get("returncode", 0)
    succeeded = status == 0 and entry.get("result") in ("OK", "EXPECTEDFAIL")
    run = len(RUN.findall(output))
    if run == 0:
        if status == SKIPPED_STATUS or entry.get("result") == "SKIP":
            return 0, 0, 1
        return (1, 0, 0) if succeeded else (0, 1, 0)
    passed = len(OK.findall(output))
    skipped = len(SKIPPED.findall(output))
    failed = max(run - passed - skipped, 0)
    if not succeeded and failed == 0:
        failed = 1
    return passed, failed, skipped


def count_meson(path):
    totals = (0, 0, 0)
    for line in path.read_text().splitlines():
        if line.strip():
            totals = add(totals, count_program(json.loads(line)))
    return totals


def count_junit(path):
    tests = failed = skipped = 0
    for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite"):
        tests += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return max(tests - failed - skipped, 0), failed, skipped


def add(left, right):
    return tuple(a + b for a, b in zip(left, right))


def count(results, failed_parts):
    totals = (0, 0, 0)
    for part in ("unit", "system", "tools"):
        counted = (0, 0, 0)
        if (results / f"{part}.json").exists():
            counted = count_meson(results / f"{part}.json")
        elif (results / f"{part}.xml").exists():
            counted = count_junit(results / f"{part}.xml")
        if part in failed_parts and counted[1] == 0:
            counted = add(counted, (0, 1, 0))
        totals = add(totals, counted)
    return totals


if __name__ == "__main__":
    print(*count(pathlib.Path(sys.argv[1]), sys.argv[2:]))
