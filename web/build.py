#!/usr/bin/python3
"""build.py: the dashboard's files, and a C source that holds them.

    build.py --output FILE.c --files FOLDER --cache FOLDER [--node PROGRAM --npm PROGRAM]

With node and npm: `npm ci` into a folder below --cache that is named after what package.json and package-lock.json say
(once for all build directories that share the cache), then esbuild. Without them: the plain page of web/plain. The
files are left in --files too, for whoever wants to serve them without weft. The same sources give the same bytes.
"""
import argparse
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

WEB = pathlib.Path(__file__).resolve().parent
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8"}
NPM_LIMIT = 300  # seconds
ESBUILD_LIMIT = 60
BYTES_A_LINE = 32


def fail(what, hint):
    sys.exit(f"error: {what}\n       {hint}")


def run_npm(npm, folder):
    # Scripts of packages are not run: esbuild works without its own. A registry that can't be reached is asked again
    # after seconds, not after minutes as npm would.
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error",
               "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    # Ninja runs us in the build directory.
    hint = ("npm needs its registry once (npm config get registry says which); to build without the dashboard: "
            f"meson configure {pathlib.Path.cwd()} -Ddashboard=disabled")
    try:
        run = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=NPM_LIMIT)
    except subprocess.TimeoutExpired:
        fail(f"npm ci took more than {NPM_LIMIT} s", hint)
    if run.returncode != 0:
        print(run.stdout + run.stderr, file=sys.stderr)
        fail("npm ci failed, its words are above", hint)


def packages(npm, cache):
    """The folder with node_modules. Builds that run side by side may both make it; the first one to be ready wins."""
    key = hashlib.sha256()
    for name in ("package.json", "package-lock.json"):
        key.update((WEB / name).read_bytes())
    ready = cache / key.hexdigest()[:16]
    if ready.is_dir():
        return ready
    cache.mkdir(parents=True, exist_ok=True)
    making = pathlib.Path(tempfile.mkdtemp(prefix="making-", dir=cache))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(WEB / name, making)
        run_npm(npm, making)
        try:
            making.chmod(0o755)
            making.rename(ready)
        except OSError:
            if not ready.is_dir():
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return ready


def bundle(node, modules, files):
    command = [node, modules / "esbuild" / "bin" / "esbuild", WEB / "src/main.jsx", WEB / "src/app.css", "--bundle",
               "--minify", "--charset=utf8", "--jsx=automatic", "--jsx-import-source=preact", "--format=esm",
               "--target=chrome100,firefox100,safari15.4", "--legal-comments=none", "--log-level=warning",
               "--entry-names=app", f"--outdir={files}"]
    run = subprocess.run(command, check=False, cwd=WEB, env={**os.environ, "NODE_PATH": str(modules)},
                         timeout=ESBUILD_LIMIT)
    if run.returncode != 0:
        fail("esbuild failed, its words are above", "the sources are in web/src")


def licences(modules):
    """What the authors of the bundled packages want to be said wherever their work goes."""
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    parts = ["The dashboard contains these packages.\n"]
    for place, package in sorted(locked.items()):
        if place and not package.get("dev"):
            folder = modules / place.removeprefix("node_modules/")
            text = next(path for path in sorted(folder.iterdir()) if path.name.lower().startswith("licen")).read_text()
            parts.append(f"\n--- {place.removeprefix('node_modules/')} {package['version']}\n\n{text.strip()}\n")
    return "".join(parts)


def make_files(arguments, files):
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir(parents=True)
    shutil.copy(WEB / "src/icon.svg", files)
    if not arguments.npm:
        shutil.copy(WEB / "plain/index.html", files)
        shutil.copy(WEB / "plain/app.css", files)
        return
    modules = packages(arguments.npm, arguments.cache) / "node_modules"
    bundle(arguments.node, modules, files)
    shutil.copy(WEB / "src/index.html", files)
    (files / "licences.txt").write_text(licences(modules))


def array(name, data):
    """A C array; empty data gives none."""
    if not data:
        return ""
    lines = [",".join(str(byte) for byte in data[at:at + BYTES_A_LINE]) for at in range(0, len(data), BYTES_A_LINE)]
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(lines) + "};\n\n"


def bytes_of(name, data):
    return f"{{ (const char *){name}, {len(data)} }}" if data else "{ NULL, 0 }"


def source_of(files):
    arrays, rows = [], []
    for number, path in enumerate(sorted(files.iterdir())):
        data = path.read_bytes()
        packed = gzip.compress(data, 9, mtime=0)
        # A name for the cache of browsers: it changes with the content.
        tag = hashlib.sha256(data).hexdigest()[:16]
        place = "/" if path.name == "index.html" else f"/{path.name}"
        if len(packed) >= len(data):
            packed = b""
        arrays += [array(f"plain_{number}", data), array(f"packed_{number}", packed)]
        kind = TYPES[path.suffix]
        rows.append(f'    {{ .path = {{ "{place}", {len(place)} }}, .type = {{ "{kind}", {len(kind)} }},\n'
                    f'      .tag = {{ "\\"{tag}\\"", {len(tag) + 2} }}, '
                    f'.packed_tag = {{ "\\"{tag}-gzip\\"", {len(tag) + 7} }},\n'
                    f"      .plain = {bytes_of(f'plain_{number}', data)},\n"
                    f"      .packed = {bytes_of(f'packed_{number}', packed)} }},\n")
    return ("/* Made by web/build.py. */\n#include \"control/assets.h\"\n\n" + "".join(arrays)
            + "const struct asset CONTROL_ASSETS[] = {\n" + "".join(rows) + "};\n\n"
            + f"const size_t CONTROL_ASSETS_COUNT = {len(rows)};\n")


def main():
    parser = argparse.ArgumentParser(description="makes the dashboard's files and a C source that holds them")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--files", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--node")
    parser.add_argument("--npm")
    arguments = parser.parse_args()
    files = arguments.files.resolve()
    arguments.cache = arguments.cache.resolve()
    make_files(arguments, files)
    arguments.output.write_text(source_of(files))


if __name__ == "__main__":
    main()
