"""What `meson install` gives to people who write services in C: headers, the library, pkg-config."""
import json
import os
import re
import subprocess
import urllib.error
import urllib.request

import pytest

from running import ROOT, WEFT, LIMIT, free_port, wait_until

BUILD = WEFT.parents[2]


def run(*command, **more):
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, check=False,
                           **more)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def sanitizers():
    """How the library was built is how a program with it is linked."""
    listed = json.loads(run("meson", "introspect", "--buildoptions", BUILD))
    options = {option["name"]: option["value"] for option in listed}
    flags = [] if options["b_sanitize"] in ("none", [], "") else [f"-fsanitize={options['b_sanitize']}"]
    return flags + (["--coverage"] if options["b_coverage"] else [])


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The installed files, and what pkg-config says of them."""
    top = tmp_path_factory.mktemp("installed")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--tags", "devel", "--destdir", top)
    found = list(top.glob("**/weft.pc"))
    assert len(found) == 1
    environment = dict(os.environ, PKG_CONFIG_PATH=str(found[0].parent), PKG_CONFIG_SYSROOT_DIR="")
    prefix = top / run("pkg-config", "--variable=prefix", "weft", env=environment).strip().lstrip("/")

    def ask(*options):
        return run("pkg-config", f"--define-variable=prefix={prefix}", *options, "weft", env=environment).split()

    return prefix, ask


@pytest.mark.parametrize("options", [[], ["--static"]])
def test_linking_asks_for_what_weft_was_built_with_and_no_more(tree, options):
    _, ask = tree
    named = {word for word in ask("--libs", *options) if word.startswith("-l")}
    assert named == {"-lweft", "-lsqlite3", "-ljansson", "-lpthread", "-lm"}


def compile_and_link(tree, source, program):
    _, ask = tree
    run("cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
        *ask("--cflags"), source, "-o", program, *sanitizers(),
        *ask("--static", "--libs"))


def test_the_first_example_links_with_what_is_installed(tree, tmp_path):
    program = tmp_path / "greeter"
    compile_and_link(tree, ROOT / "examples/first/greeter.c", program)
    ended = subprocess.run([program], env=dict(os.environ, PORT="no port"), capture_output=True, text=True,
                           timeout=LIMIT, check=False)
    assert ended.returncode == 1
    assert "PORT is no port: no port" in ended.stderr


def ask(url, body=None):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as problem:
        return problem.code, json.load(problem)
    except urllib.error.URLError:
        return 0, {}


def test_the_service_of_the_documentation_does_what_it_says(tree, tmp_path):
    page = (ROOT / "docs/chassis.md").read_text()
    source = tmp_path / "orders.c"
    source.write_text(re.search(r"```c\n(.*?)```", page, re.S).group(1))
    compile_and_link(tree, source, tmp_path / "orders")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "WEFT_URL"}
    with subprocess.Popen([tmp_path / "orders"], env=dict(environment, PORT=str(port)),
                          stdout=subprocess.DEVNULL) as service:
        try:
            url = f"http://127.0.0.1:{port}"
            status, ready = wait_until(lambda: (lambda got: got if got[0] else None)(ask(f"{url}/readyz")), "the service")
            assert status == 503
            assert ready == {"status": "failing", "checks": {"inventory": ready["checks"]["inventory"]}}
            body = re.search(r"-d '(.*?)'", page).group(1)
            status, problem = ask(f"{url}/orders", body.encode())
            assert status == 422
            assert [(fault["pointer"], fault["detail"]) for fault in problem["errors"]] == \
                re.findall(r'{"pointer":"(.*?)","detail":"(.*?)"}', page)
        finally:
            service.terminate()
        assert service.wait(timeout=LIMIT) == 0


def test_all_that_the_headers_declare_is_in_the_library(tree, tmp_path):
    prefix, _ = tree
    text = "".join(path.read_text() for path in sorted((prefix / "include").glob("weft*.h")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^#.*(\\\n.*)*$", "", text, flags=re.M)
    names = sorted(set(re.findall(r"^(?!typedef)[\w \*]*?\b(weft_\w+)\([^;{}]*\)[^;{}]*;", text, flags=re.M)))
    assert len(names) > 90 and "weft_test_tick" in names and "weft_transaction" in names
    lines = ["#include <weft.h>", "typedef void any(void);", "int main(void)", "{", "    any *const all[] = {"]
    lines += [f"        (any *)(void *){name}," for name in names]
    lines += ["    };", "", "    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)", "        if (!all[i])",
              "            return 1;", "    return 0;", "}", ""]
    source = tmp_path / "all.c"
    source.write_text("\n".join(lines))
    compile_and_link(tree, source, tmp_path / "all")
    run(tmp_path / "all")


@pytest.mark.parametrize("standard", ["c++11", "c++17", "c++20"])
def test_the_header_is_fine_for_c_plus_plus(tree, tmp_path, standard):
    prefix, ask = tree
    source = tmp_path / "plus.cpp"
    source.write_text('#include <weft.h>\n#include <weft_database.h>\n'
                      'weft_service *make() { weft_options o = weft_options(); weft_service *s = nullptr;\n'
                      '    return weft_service_create(&o, &s) == 0 ? s : nullptr; }\n')
    run("g++", f"-std={standard}", "-Wall", "-Wextra", "-Werror", *ask("--cflags"), "-c", source, "-o",
        tmp_path / "plus.o")
    assert (prefix / "include/weft.h").is_file()
