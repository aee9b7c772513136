"""Each check finds what it is there for, says where, and lets a good tree pass."""
import subprocess

import conftest
import pytest

GOOD_HEADER = """/* base/sum.h - adds. */
#ifndef WEFT_BASE_SUM_H
#define WEFT_BASE_SUM_H

#include <stddef.h>

size_t sum(const size_t *parts, size_t count);

#endif
"""
GOOD_SOURCE = """#include "base/sum.h"

static const char *const names[] = { "one", "two" };

size_t sum(const size_t *parts, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += parts[i] + (names[i & 1] == NULL);
    return total;
}
"""
GOOD_SCRIPT = """#!/usr/bin/env bash
set -euo pipefail

echo "$0"
"""


@pytest.fixture
def good(tree):
    tree.copy(".clang-format")
    tree.copy(".clang-tidy")
    tree.write("src/base/sum.h", GOOD_HEADER)
    tree.write("src/base/sum.c", GOOD_SOURCE)
    tree.write("dev", GOOD_SCRIPT)
    return tree


@pytest.mark.parametrize("check", ["texts", "scripts", "lengths", "banned", "floors", "headers", "format"])
def test_good_tree_passes(good, check):
    assert good.check(check) == []


@pytest.mark.parametrize("check", ["symbols", "globals", "tidy"])
def test_good_tree_passes_compiled(good, check):
    good.compile()
    assert good.check(check) == []


def only(lines, start, part):
    """There is one finding; it starts with the place and has the words in it."""
    assert len(lines) == 1, lines
    assert lines[0].startswith(start) and part in lines[0], lines[0]


# --- format ---------------------------------------------------------------------------------------------


def test_format_finds_what_clang_format_would_change(good):
    good.write("src/base/odd.c", "int odd(void);\n\nint odd(void) {\n  return 1;\n}\n")
    only(good.check("format"), "src/base/odd.c:3: not formatted", "./dev fmt")


def test_format_mends(good):
    odd = good.write("src/base/odd.c", "int odd(void) { return 1; }\n")
    subprocess.run([conftest.PYTHON, str(conftest.ROOT / "tools/lint/format.py"), "--fix", str(good.top)], check=True)
    assert odd.read_text() == "int odd(void)\n{\n    return 1;\n}\n"
    assert good.check("format") == []


# --- floors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source, include, why", [
    ("src/base/a.c", "io/b.h", "upwards, from floor 0 to 1"),
    ("src/io/a.c", "wire/b.h", "a neighbour on floor 1"),
    ("src/http/a.h", "stage/b.h", "upwards, from floor 4 to 7"),
    ("src/event/a.c", "flow/b.h", "a neighbour on floor 8"),
    ("src/io/linux/a.c", "conf/b.h", "a neighbour on floor 1"),
    ("src/io/a.c", "io/linux/b.h", "only app, chassis may see it"),
    ("src/net/a.c", "io/linux/b.h", "only app, chassis may see it"),
    ("src/http/a.c", "b.h", "names no folder of the house"),
    ("src/http/a.c", "sim/b.h", "names no folder of the house"),
    ("src/http/a.c", "../io/b.h", "names no folder of the house"),
    ("include/weft.h", "base/bytes.h", "stands alone"),
    ("examples/first/a.c", "io/b.h", "an example includes"),
])
def test_floors_finds(tree, source, include, why):
    tree.write(source, f'/* "io/comment.h" */\n#include <stdio.h>\n#include "{include}"\n')
    only(tree.check("floors"), f"{source}:3:", why)


def test_floors_lets_installed_headers_include_each_other(tree):
    tree.write("include/weft_part.h", '#include "weft.h"\n')
    tree.write("include/weft.h", '#include "weft_part.h"\n')
    assert tree.check("floors") == []


@pytest.mark.parametrize("source, include", [
    ("src/base/a.c", "base/b.h"),
    ("src/io/a.c", "base/b.h"),
    ("src/io/linux/a.c", "io/io.h"),
    ("src/io/linux/a.c", "io/linux/b.h"),
    ("src/http/a.c", "wire/http.h"),
    ("src/app/a.c", "io/linux/b.h"),
    ("src/wire/a.c", "wire/fields.def"),
    ("sim/a.c", "app/b.h"),
    ("tests/unit/io/a.c", "io/linux/b.h"),
])
def test_floors_allows(tree, source, include):
    tree.write(source, f'#include "{include}"\n')
    assert tree.check("floors") == []


def test_floors_finds_folder_without_a_floor(tree):
    tree.write("src/misc/a.c", "int a;\n")
    only(tree.check("floors"), "src/misc/a.c:1:", "no floor")


def test_floors_finds_installed_header_below_chassis(tree):
    tree.write("include/weft.h", "\n")
    tree.write("src/http/a.c", '#include "weft.h"\n')
    tree.write("src/chassis/a.c", '#include "weft.h"\n')
    only(tree.check("floors"), "src/http/a.c:1:", "installed header")


# --- symbols --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header, code, symbol", [
    ("unistd.h", "return (int)write(1, \"\", 0);", "write"),
    ("time.h", "return (int)time(NULL);", "time"),
    ("time.h", "struct timespec t; return clock_gettime(CLOCK_MONOTONIC, &t);", "clock_gettime"),
    ("stdlib.h", "return rand();", "rand"),
    ("sys/random.h", "char b; return (int)getrandom(&b, 1, 0);", "getrandom"),
    ("sys/socket.h", "return socket(AF_INET, SOCK_STREAM, 0);", "socket"),
    ("stdio.h", "return fopen(\"f\", \"r\") != NULL;", "fopen"),
    ("stdio.h", "return puts(\"f\");", "puts"),
    ("unistd.h", "return fork();", "fork"),
    ("pthread.h", "pthread_mutex_t m; return pthread_mutex_lock(&m);", "pthread_mutex_lock"),
    ("stdlib.h", "return malloc(1) != NULL;", "malloc"),
    ("stdlib.h", "free(NULL); return 0;", "free"),
    ("stdlib.h", "return getenv(\"A\") != NULL;", "getenv"),
    ("stdlib.h", "exit(1);", "exit"),
])
def test_symbols_finds(tree, header, code, symbol):
    tree.write("src/net/bad.c", f"#include <{header}>\n\nint bad(void);\n\nint bad(void)\n{{\n    {code}\n}}\n")
    tree.compile()
    only(tree.check("symbols"), "src/net/bad.c:7:", f"uses {symbol} of the system")


def test_symbols_allows_the_seam_the_allocator_and_each_other(tree):
    tree.write("src/io/linux/clock.c", "#include <time.h>\nlong now(void) { return (long)time(0); }\n")
    tree.write("src/base/alloc.c", "#include <stdlib.h>\nvoid *take(void) { return malloc(1); }\n")
    tree.write("src/base/other.c", "#include <string.h>\nvoid *take(void);\nlong now(void);\n"
               "int same(const char *a) { return now() == 0 && strcmp(a, take()) == 0; }\n")
    tree.compile()
    assert tree.check("symbols") == []


def test_symbols_finds_what_a_seed_would_not_repeat(tree):
    tree.write("sim/clock.c", "#include <time.h>\nlong now(void) { return (long)time(0); }\n")
    tree.compile()
    only(tree.check("symbols"), "sim/clock.c:2:", "uses time of the system")


def test_symbols_finds_an_exception_without_use(tree):
    tree.write("tools/lint/symbols.txt", "src/base/*: strlen\nsrc/base/a.c: abort  # once needed\n")
    tree.write("src/base/a.c", "int a(void) { return 1; }\n")
    tree.compile()
    only(tree.check("symbols"), "tools/lint/symbols.txt:2:", "src/base/a.c has no use of abort")


# --- globals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", [
    "int found;",
    "int found = 1;",
    "static int found;",
    "static int found = 1;",
    "static _Thread_local int found;",
    "_Thread_local int found = 1;",
    "const char *found = \"writable pointer to const\";",
    "static struct { int a; } found[10];",
])
@pytest.mark.parametrize("folder", ["src/net", "sim"])
def test_globals_finds(tree, variable, folder):
    tree.write(f"{folder}/bad.c", f"{variable}\nconst void *use(void) {{ return &found; }}\n")
    tree.compile()
    only(tree.check("globals"), f"{folder}/bad.c:1:", "found is a writable global")


def test_globals_finds_static_in_function(tree):
    tree.write("src/net/bad.c", "int next(void)\n{\n    static int last;\n    return ++last;\n}\n")
    tree.compile()
    only(tree.check("globals"), "src/net/bad.c:3:", "last is a writable global")


def test_globals_allows_const_tables_with_pointers(tree):
    tree.write("src/net/good.c", "static int one(void) { return 1; }\n"
               "static int (*const table[])(void) = { one };\n"
               "const char *const names[] = { \"a\" };\nint run(void) { return table[0](); }\n")
    tree.compile()
    assert tree.check("globals") == []


def test_globals_allows_what_has_a_reason_and_finds_reasons_without_use(tree):
    tree.write("tools/lint/globals.txt", "# reasons\nsrc/io/a.c: current  # the running fiber\nsrc/io/a.c: gone\n")
    tree.write("src/io/a.c", "static _Thread_local int current;\nint *a(void) { return &current; }\n")
    tree.compile()
    only(tree.check("globals"), "tools/lint/globals.txt:3:", "no use of gone")


# --- lengths --------------------------------------------------------------------------------------------


def function_of(lines):
    return "int f(int a)\n{\n" + "    a++;\n" * lines + "}\n"


def test_lengths_of_functions(tree):
    tree.write("src/base/longest.c", function_of(70))
    assert tree.check("lengths") == []
    tree.write("src/base/longer.c", "\n" + function_of(71))
    only(tree.check("lengths"), "src/base/longer.c:3:", "a function of 71 lines")


def test_lengths_of_files(tree):
    tree.write("src/base/longest.c", "\n" * 800)
    assert tree.check("lengths") == []
    tree.write("tests/unit/longer.c", "\n" * 801)
    only(tree.check("lengths"), "tests/unit/longer.c:801:", "a file of 801 lines")


def test_lengths_of_lines(tree):
    tree.write("src/base/wide.h", "\n//" + "x" * 118 + "\n")
    assert tree.check("lengths") == []
    tree.write("src/base/wide.h", "\n//" + "x" * 119 + "\n")
    only(tree.check("lengths"), "src/base/wide.h:2:", "a line of 121 columns")


# --- banned ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code, what", [
    ("strcpy(a, b);", "strcpy()"),
    ("strcat (a, b);", "strcat()"),
    ("n = sprintf(a, b);", "sprintf()"),
    ("strtok(a, b);", "strtok()"),
    ("n = atoi(a);", "atoi()"),
    ("sscanf(a, b);", "sscanf()"),
    ("p = alloca(9);", "alloca()"),
    ("p = __builtin_alloca(9);", "__builtin_alloca"),
    ("setjmp(a);", "setjmp()"),
    ("typedef struct foo foo;", "typedef"),
    ("__attribute__((constructor)) void f(void);", "linker magic"),
    ("#pragma GCC diagnostic ignored \"-Wall\"", "silenced"),
])
def test_banned_finds(tree, code, what):
    tree.write("src/base/bad.c", f"/* comment\n */\n{code}\n")
    only(tree.check("banned"), "src/base/bad.c:3:", what)


def test_banned_leaves_comments_strings_and_other_names(tree):
    tree.write("src/base/good.c", '/* strcpy(a) */ // gets(b)\nconst char *a = "strcat(\\"x\\")";\n'
               "int n = my_strcpy(a) + table->system(a) + table.rand(a) + snprintf(a);\n")
    assert tree.check("banned") == []


def test_banned_measuring_programs_may_do_more_than_the_house(tree):
    tree.write("bench/load.c", "fscanf(f, x);\nstrcpy(a, b);\n")
    only(tree.check("banned"), "bench/load.c:2:", "strcpy()")


# --- headers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, guard", [
    ("src/io/linux/clock.h", "WEFT_IO_LINUX_CLOCK_H"),
    ("include/weft.h", "WEFT_H"),
    ("sim/world.h", "WEFT_SIM_WORLD_H"),
    ("tests/unit/faults.h", "WEFT_TESTS_UNIT_FAULTS_H"),
])
def test_headers_guards(tree, name, guard):
    text = "/* what */\n#ifndef {0}\n#define {0}\nint a(void);\n#endif\n"
    tree.write(name, text.format(guard))
    assert tree.check("headers") == []
    tree.write(name, text.format(guard + "_"))
    only(tree.check("headers"), f"{name}:2:", guard)


def test_headers_guards_outside_the_house_may_leave_out_folders(tree):
    tree.write("tests/unit/wire/feed.h", "#ifndef WEFT_TESTS_FEED_H\n#define WEFT_TESTS_FEED_H\n#endif\n")
    assert tree.check("headers") == []
    tree.write("src/wire/feed.h", "#ifndef WEFT_FEED_H\n#define WEFT_FEED_H\n#endif\n")
    only(tree.check("headers"), "src/wire/feed.h:1:", "WEFT_WIRE_FEED_H")


def test_headers_finds_missing_guard(tree):
    tree.write("src/base/a.h", "int a(void);\n")
    only(tree.check("headers"), "src/base/a.h:1:", "WEFT_BASE_A_H")


def test_headers_finds_what_does_not_compile_alone(tree):
    tree.write("src/base/a.h", "#ifndef WEFT_BASE_A_H\n#define WEFT_BASE_A_H\nsize_t a(void);\n#endif\n")
    only(tree.check("headers"), "src/base/a.h:3:", "does not compile alone")


# --- texts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line, what", [
    ("// TO" "DO: later", "is a promise"),
    ("// FIX" "ME", "is a promise"),
    ("// XX" "X", "is a promise"),
    ("// HA" "CK", "is a promise"),
    ("int a; ", "white space ends the line"),
    ("int a;\r", "a carriage return"),
    ("\tint a;", "a tab"),
    ("read /ho" "me/somebody/file", "a path of one machine"),
    ("read /ro" "ot/file", "a path of one machine"),
    ("<<<<" "<<< ours", "a conflict marker"),
])
def test_texts_finds(tree, line, what):
    tree.write("src/base/a.c", f"\n{line}\n")
    only(tree.check("texts"), "src/base/a.c:2:", what)


def test_texts_finds_the_path_of_the_checkout(tree):
    tree.write("docs/a.md", f"see {tree.top}/docs\n")
    only(tree.check("texts"), "docs/a.md:1:", "a path of this machine")


def test_texts_finds_a_last_line_without_end(tree):
    tree.write("docs/a.md", "one\ntwo")
    only(tree.check("texts"), "docs/a.md:2:", "no end")


def test_texts_leaves_what_is_built_binary_or_an_input(tree):
    tree.write("build/debug/a.c", "int a; \n")
    tree.write("tests/fuzz/corpus/http1/bare", "GET / \r\n")
    (tree.top / "picture.png").write_bytes(b"\x89PNG\0 \n")
    tree.write("src/base/a.c", 'mkstemp("aXXXXXX");\n')
    assert tree.check("texts") == []


# --- scripts --------------------------------------------------------------------------------------------


def test_scripts_finds_what_shellcheck_finds(tree):
    tree.write("tools/a", "#!/usr/bin/env bash\nset -euo pipefail\n\nrm -r $1\n")
    only(tree.check("scripts"), "tools/a:4:", "SC2086")


def test_scripts_finds_what_goes_on_after_failures(tree):
    tree.write("examples/run.sh", "#!/usr/bin/env bash\ntrue\n")
    only(tree.check("scripts"), "examples/run.sh:1:", "does not stop at failures")


# --- tidy -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body, check", [
    ("int *p = 0;\n    return *p;", "clang-analyzer-core.NullDereference"),
    ("int b;\n    return b + (int)a;", "clang-analyzer-core.UndefinedBinaryOperatorResult"),
    ("int b;\n    return errno == EAGAIN ? b : 0;", "clang-analyzer-core.uninitialized"),
    ("if (a);\n    return 1;", "bugprone-suspicious-semicolon"),
])
def test_tidy_finds(tree, body, check):
    tree.copy(".clang-tidy")
    tree.write("src/base/bad.c", f"#include <errno.h>\n\nint bad(unsigned a);\n\nint bad(unsigned a)\n{{\n    {body}\n}}\n")
    tree.compile()
    lines = tree.check("tidy")
    assert any(line.startswith("src/base/bad.c:") and check in line for line in lines), lines


def test_tidy_knows_that_errno_is_positive(tree):
    tree.copy(".clang-tidy")
    tree.write("src/base/good.c", """#include <errno.h>

int outer(int a);
int outside(int a);

static int inner(int a, int *ret)
{
    if (outside(a) < 0)
        return errno == EAGAIN ? -EBUSY : -errno;
    *ret = a;
    return 0;
}

int outer(int a)
{
    int value;
    int r = inner(a, &value);

    if (r < 0)
        return r;
    return value + 1;
}
""")
    tree.compile()
    assert tree.check("tidy") == []


def test_tidy_finds_long_functions(tree):
    tree.copy(".clang-tidy")
    tree.write("src/base/bad.c", "int f(int a);\n" + function_of(80).replace("}\n", "    return a;\n}\n"))
    tree.compile()
    assert any("readability-function-size" in line for line in tree.check("tidy"))
