#!/usr/bin/python3
"""lengths.py ROOT: files up to 800 lines, functions up to 70, lines up to 120 columns."""
import tree

FILE_MAX = 800
FUNCTION_MAX = 70
LINE_MAX = 120


def check_functions(path, lines, findings):
    """Functions are what stands between a `{` and a `}` that are alone in the first column, as .clang-format puts
    them. The signature above does not count."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            length = number - start - 1
            if length > FUNCTION_MAX:
                findings.add(path, start, f"a function of {length} lines", f"at most {FUNCTION_MAX}; split it")
            start = None


def main():
    root = tree.root_from_arguments()
    findings = tree.Findings(root)
    for path in tree.c_files(root):
        lines = path.read_text().splitlines()
        check_functions(path, lines, findings)
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_MAX:
                findings.add(path, number, f"a line of {len(line)} columns", f"at most {LINE_MAX}")
    for folder in (*tree.C_FOLDERS, "tools"):
        for path in tree.walk(root / folder):
            if path.suffix in (".c", ".h", ".def", ".S", ".py", ".sh", ""):
                text = tree.text_of(path)
                if text is not None and text.count("\n") > FILE_MAX:
                    findings.add(path, FILE_MAX + 1, f"a file of {text.count(chr(10))} lines",
                                 f"at most {FILE_MAX}; split it")
    findings.finish()


if __name__ == "__main__":
    main()
