#!/usr/bin/python3
"""symbols.py ROOT [BUILD]: objects of src/ and sim/ use only what symbols.txt allows them from outside Weft (nm -u)."""
import tree


def main():
    root = tree.root_from_arguments()
    build = tree.build_from_arguments(root)
    findings = tree.Findings(root)
    allowed = tree.Allowances(tree.rules_file(root, "symbols.txt"))
    pairs = [(source, tree.object_or_end(target)) for source, target in tree.compiled(root, build, ("src", "sim"))]
    ours = set()
    for _, target in pairs:
        for line in tree.output_of("nm", "--defined-only", "--extern-only", "-P", str(target)).splitlines():
            ours.add(line.split()[0])
    for source, target in pairs:
        name = source.relative_to(root).as_posix()
        for line in tree.output_of("nm", "--undefined-only", "-P", str(target)).splitlines():
            symbol = line.split()[0]
            if symbol not in ours and not allowed.allows(name, symbol):
                findings.add(source, tree.line_with(source, symbol), f"uses {symbol} of the system or its library",
                             "go through io/ or base/alloc.h, or give a reason in tools/lint/symbols.txt")
    allowed.report_unused(findings)
    findings.finish()


if __name__ == "__main__":
    main()
