"""Tables from rows, and the file of results."""

import re
from statistics import median

from .peers import LIMIT
from .stats import better, compare

COLUMNS = ("started", "commit", "scenario", "round", "program", "why", "requests", "seconds", "cpu_us", "rps", "p50_us",
           "p99_us", "cpu_us_per_mib", "mib_per_cpu_second", "mib_per_second", "growth_mb", "lines", "bytes_each",
           "pss_each", "idle_anonymous_mb", "idle_pss_mb")

PREAMBLE = """\
# Results

Written by `./dev bench`; how to read it is in [README.md](README.md). A section is replaced when its scenario runs
again, so each says when and on what it was measured.
"""


def series(rows, key):
    """{program: {round: figure}} of the rounds that count: those in which nothing went wrong."""
    found = {}
    for row in rows:
        if not row["why"] and key in row:
            found.setdefault(row["program"], {})[row["round"]] = row[key]
    return found


def _number(value, digits):
    return f"{value:,.{digits}f}"


def _cell(measure, rounds):
    if not rounds:
        return "-"
    values = rounds.values()
    cell = _number(max(values) if measure.greatest else median(values), measure.digits)
    if measure.spread:
        cell += f" ({_number(min(values), measure.digits)}..{_number(max(values), measure.digits)})"
    return cell


def table(header, lines):
    """A Markdown table that is also readable as it stands: first column to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]

    def row(cells):
        padded = [cells[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([row(header), rule, *map(row, lines)])


def _figures_table(scenario, rows, names):
    lines = []
    for name in names:
        own = [row for row in rows if row["program"] == name]
        good = sum(not row["why"] for row in own)
        cells = [_cell(measure, series(own, measure.key).get(name)) for measure in scenario.measures]
        lines.append([name, *cells, f"{good}/{len(own)}"])
    return table(["", *(measure.title for measure in scenario.measures), "rounds"], lines)


def _ratio_line(what, measure, interval):
    if interval is None:
        return [what, measure.title, "-", "-", "0"]
    bounds = "too few rounds" if interval.low is None else f"{interval.low:.3f}..{interval.high:.3f}"
    return [what, measure.title, f"{interval.middle:.3f}", bounds, str(interval.count)]


def rivals(names):
    """The program that is compared, and the ones that it is compared with."""
    return names[0], [name for name in names[1:] if name != LIMIT]


def _ratio_table(scenario, rows, names):
    subject, others = rivals(names)
    lines = []
    for measure in (measure for measure in scenario.measures if measure.compared):
        figures = series(rows, measure.key)
        best = better({name: figures.get(name, {}) for name in others})
        for name in names[1:]:
            mark = " (the better peer)" if name == best and len(others) > 1 else ""
            lines.append(_ratio_line(f"{subject} / {name}{mark}", measure,
                                     compare(figures.get(subject, {}), figures.get(name, {}))))
    return table(["median of the rounds' ratios", "of", "ratio", "95 % interval", "rounds"], lines) if lines else ""


def _verdict(target, measure, rows, names):
    subject, others = rivals(names)
    figures = series(rows, target.key)
    if target.of == "own":
        values = figures.get(subject, {}).values()
        reached = (max if measure.greatest else median)(values) if values else None
        return None if reached is None else "met" if reached <= target.most else "missed"
    if target.of == "more":
        return _more_verdict(target, figures.get(subject, {}), figures.get(others[0], {}) if others else {})
    best = better({name: figures.get(name, {}) for name in others})
    interval = compare(figures.get(subject, {}), figures.get(best, {})) if best else None
    if interval is None or interval.low is None:
        return None
    if interval.high <= target.most:
        return "met"
    if interval.low > target.most:
        return "missed"
    return f"the median {'meets' if interval.middle <= target.most else 'misses'} it, the interval includes it"


def _more_verdict(target, own, other):
    """The median of the rounds' differences."""
    differences = [own[number] - other[number] for number in own.keys() & other.keys()]
    if not differences:
        return None
    middle = median(differences)
    return f"{'met' if middle <= target.most else 'missed'}, {middle:.2f} ({min(differences):.2f}..{max(differences):.2f})"


def _targets(scenario, rows, names):
    if names[0] != "weft":
        return ""
    measures = {measure.key: measure for measure in scenario.measures}
    said = []
    for target in scenario.targets:
        whose = {"ratio": " of the better peer's", "more": f" more than {names[-1]}"}.get(target.of, "")
        what = f"{measures[target.key].title} at most {target.most:g}{whose}"
        said.append(f"- Target: {what}: {_verdict(target, measures[target.key], rows, names) or 'not enough rounds'}.")
    return "\n".join(said)


def _errors(rows):
    said = [f"- Round {row['round']} of {row['program']} is not used: {row['why']}." for row in rows if row["why"]]
    return "\n".join(said)


def section(scenario, rows, names, about):
    """The section of one scenario; `about` says when, of what and how it was measured."""
    parts = [f"## {scenario.name}", f"{scenario.title[0].upper()}{scenario.title[1:]}.",
             _figures_table(scenario, rows, names), _ratio_table(scenario, rows, names),
             _targets(scenario, rows, names), _errors(rows), about]
    return "\n\n".join(part for part in parts if part) + "\n"


def merge(old, sections, order):
    """The text of the results file with `sections` ({name: text}) replaced, in the given order of scenarios."""
    parts = re.split(r"(?m)^(?=## )", old)
    kept = {part[3:].split("\n", 1)[0].strip(): part.rstrip("\n") + "\n" for part in parts if part.startswith("## ")}
    kept |= sections
    return "\n".join([PREAMBLE, *(kept[name] for name in order if name in kept)])


def tsv(row):
    def text(value):
        return f"{value:.4f}" if isinstance(value, float) else str(value)

    return "\t".join(text(row.get(column, "")) for column in COLUMNS)
