"""What a run needs before it starts: packages, programs, and what is known about the machine."""

import os
import platform
import re
import shlex
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from .processes import BenchError

PACKAGES = {"nginx": "nginx-light", "haproxy": "haproxy"}
POLICY = Path("/usr/sbin/policy-rc.d")
PROGRAMS = {
    "load": ("load.c", "answer.c", "cpu_time.c", "histogram.c", "loopback.c"),
    "origin": ("origin.c", "loopback.c"),
    "forward": ("forward.c", "loopback.c"),
}
CFLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Werror")
QUIET_SHARE = 0.05
INSTALL_SECONDS, BUILD_SECONDS = 600, 1200


def search_sbin():
    """Debian puts servers where an ordinary user's PATH does not look."""
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


@contextmanager
def _services_stay_off(root):
    """Debian starts a server as it installs it; a policy that says no keeps port 80 free. One that exists stays."""
    if POLICY.exists():
        yield
        return
    subprocess.run([*root, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{POLICY}; chmod 755 {POLICY}"], check=True)
    try:
        yield
    finally:
        subprocess.run([*root, "rm", "-f", str(POLICY)], check=True)


def install_missing(names):
    """Installs the Debian packages of the named peers that are not there."""
    packages = [PACKAGES[name] for name in names if name in PACKAGES and not shutil.which(name)]
    if not packages:
        return
    root = [] if os.geteuid() == 0 else ["sudo"]
    print(f"bench: installing {' '.join(packages)} with apt-get", flush=True)
    try:
        with _services_stay_off(root):
            subprocess.run([*root, "apt-get", "update", "-q"], check=True, timeout=INSTALL_SECONDS)
            subprocess.run([*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y",
                            "--no-install-recommends", *packages], check=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise BenchError(f"could not install {' '.join(packages)}: {error}\n"
                         f"  install them by hand, or leave them out with --only") from error


def build_programs(source, target):
    """Compiles the client, the origin and the forwarder into `target`, when a source is newer."""
    target.mkdir(parents=True, exist_ok=True)
    newest = max(path.stat().st_mtime for path in source.glob("*.[ch]"))
    compiler = shlex.split(os.environ.get("CC", "cc"))
    for name, files in PROGRAMS.items():
        program = target / name
        if program.exists() and program.stat().st_mtime > newest:
            continue
        done = subprocess.run([*compiler, *CFLAGS, "-o", program, *(source / file for file in files)],
                              timeout=BUILD_SECONDS)
        if done.returncode:
            raise BenchError(f"could not compile bench/{files[0]}")


def build_weft(root):
    """Builds the release; returns where weft is, or None."""
    build = root / "build" / "release"
    if (root / "dev").exists():
        steps = [[root / "dev", "build", "release"]]
    else:
        steps = [] if (build / "build.ninja").exists() else [["meson", "setup", build, "--buildtype=release",
                                                              "-Db_lto=true", "-Dtests=false"]]
        steps.append(["ninja", "-C", build])
    for step in steps:
        if subprocess.run(step, cwd=root, timeout=BUILD_SECONDS).returncode:
            raise BenchError(f"`{' '.join(map(str, step))}` failed")
    return find_weft(root)


def find_weft(root):
    found = [path for path in sorted((root / "build" / "release").rglob("weft"))
             if path.is_file() and os.access(path, os.X_OK)]
    return found[0] if found else None


def _say(command, pattern, cwd=None):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, cwd=cwd)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(pattern, done.stdout + done.stderr)
    return match.group(1) if match else None


def commit(root):
    """The commit that is measured, with a + when files of the program differ from it."""
    name = _say(["git", "rev-parse", "--short=12", "HEAD"], r"(\w+)", root)
    changed = _say(["git", "status", "--porcelain", "--", "src", "include"], r"(\S)", root)
    return f"{name or 'unknown'}{'+' if changed else ''}"


def versions(names, weft):
    asked = {"nginx": (["nginx", "-v"], r"nginx/(\S+)"), "haproxy": (["haproxy", "-v"], r"version (\S+)"),
             "weft": ([weft, "version"], r"(\d+\.\d+\S*)")}
    return [f"{name} {_say(*asked[name]) or '(unknown version)'}" for name in names if name in asked]


def _first(path, pattern, otherwise):
    try:
        match = re.search(pattern, Path(path).read_text())
    except OSError:
        return otherwise
    return match.group(1).strip() if match else otherwise


def machine():
    model = _first("/proc/cpuinfo", r"model name\s*:\s*(.*)", platform.machine())
    memory = int(_first("/proc/meminfo", r"MemTotal:\s*(\d+)", "0")) / (1 << 20)
    virtual = ", virtual" if "hypervisor" in _first("/proc/cpuinfo", r"flags\s*:\s*(.*)", "").split() else ""
    system = _first("/etc/os-release", r'PRETTY_NAME="([^"]*)"', "Linux")
    congestion = _first("/proc/sys/net/ipv4/tcp_congestion_control", r"(\S+)", "?")
    return (f"{os.cpu_count()} x {model}{virtual}, {memory:.0f} GiB, {system}, Linux {platform.release()}, "
            f"TCP {congestion}")


def _processor_ticks():
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks), sum(ticks) - idle


def busy_share(seconds=1.0):
    """How much of all processors others use (stolen time included) while we wait."""
    total, busy = _processor_ticks()
    time.sleep(seconds)
    total_after, busy_after = _processor_ticks()
    return (busy_after - busy) / max(1, total_after - total)
