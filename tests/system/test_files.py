"""Static files by real processes: examples/files does what its page says; large files, ranges, changes, ways out."""
import gzip
import hashlib
import http.client
import os
import random
import re
import shutil
import socket
import subprocess

import pytest

from running import LIMIT, ROOT, wait_until

EXAMPLE = ROOT / "examples/files"
LARGE = 20 * 1024 * 1024 + 4711


@pytest.fixture
def example(system, monkeypatch):
    """The example in a folder of its own, running."""
    monkeypatch.setenv("FILES_PORT", str(system.port))
    monkeypatch.setenv("FILES_CONTROL", str(system.control))
    shutil.copy(EXAMPLE / "weft.yaml", system.folder)
    shutil.copytree(EXAMPLE / "web", system.folder / "web")
    system.up()
    wait_until(lambda: system.answers("/"), "the gateway answers")
    return system


@pytest.fixture
def site(system):
    """A folder with a large file, and a route to it. `system.large` is what it holds."""
    (system.folder / "web").mkdir()
    system.large = random.Random(7).randbytes(LARGE)
    (system.folder / "web/large.bin").write_bytes(system.large)
    (system.folder / "web/index.html").write_text("<p>start")
    (system.folder / "secret").write_text("secret")
    route(system, "{ root: web, precompressed: true }")
    system.up()
    wait_until(lambda: system.answers("/"), "the gateway answers")
    return system


def route(system, settings):
    system.write_raw(f"""system: test
gateway:
  - listen: http://127.0.0.1:{system.port}
workers: 2
control: {{ listen: 127.0.0.1:{system.control} }}
routes:
  - match: {{ path: /, prefix: true }}
    to: {{ files: {settings} }}
""")


def ask(system, path, method="GET", **headers):
    """Status, fields, body."""
    connection = system.connect()
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def serving_files(system):
    """What the serving process has open below the system's folder."""
    descriptors = f"/proc/{system.serving()}/fd"
    paths = []
    for one in os.listdir(descriptors):
        try:
            paths.append(os.readlink(f"{descriptors}/{one}"))
        except OSError:
            pass  # it was just closed
    return [path for path in paths if path.startswith(f"{system.folder}/web")]


# --- the example


def blocks():
    """(commands, what they say) of the page's section to try."""
    text = (EXAMPLE / "README.md").read_text()
    part = text[text.index("## Try"):]
    return re.findall(r"```sh\n(.*?)```\n(?:\n```\n(.*?)```\n)?", part, re.DOTALL)


def test_the_page_shows_the_file():
    shown = re.search(r"```yaml\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.DOTALL)[1]
    lines = (EXAMPLE / "weft.yaml").read_text().splitlines()
    assert shown.splitlines() == [line for line in lines if line and not line.startswith("#")]


def test_the_page_is_true(example):
    said = []
    for commands, wanted in blocks():
        commands = commands.replace("127.0.0.1:8080", f"127.0.0.1:{example.port}")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=example.folder, capture_output=True,
                              text=True, timeout=LIMIT, check=True)
        said.append(done.stdout)
        if wanted:
            assert done.stdout.strip() == wanted.strip(), commands
    assert len(said) == 6
    assert "Content-Type: text/css; charset=utf-8" in said[0]
    assert "Cache-Control: max-age=3600" in said[0]
    assert said[1] == "304\n"
    assert 0 < int(said[4]) < (EXAMPLE / "web/assets/app.js").stat().st_size


def test_pages_of_the_example_are_complete(example):
    page = example.get("/")[1]
    for path in re.findall(r'(?:src|href)="(/assets/[^"]*)"', page):
        assert ask(example, path)[0] == 200, path
    status, fields, body = ask(example, "/cloth/wool", Accept="text/html")
    assert (status, body.decode()) == (200, page)
    assert fields["Cache-Control"] == "no-cache"


# --- large files


def test_a_large_file_arrives_whole(site):
    status, fields, body = ask(site, "/large.bin")
    assert status == 200
    assert int(fields["Content-Length"]) == LARGE
    assert hashlib.sha256(body).digest() == hashlib.sha256(site.large).digest()
    assert not serving_files(site)


@pytest.mark.parametrize("first,last", [(0, 0), (0, LARGE - 1), (16383, 16384), (262143, 524289), (LARGE - 1, LARGE),
                                        (5_000_000, 15_000_000)])
def test_ranges_are_those_bytes(site, first, last):
    status, fields, body = ask(site, "/large.bin", Range=f"bytes={first}-{last}")
    assert status == 206
    assert body == site.large[first:last + 1]
    assert fields["Content-Range"] == f"bytes {first}-{min(last, LARGE - 1)}/{LARGE}"


def test_a_download_is_put_together_from_ranges(site):
    parts, at = [], 0
    tag = ask(site, "/large.bin", "HEAD")[1]["ETag"]
    while at < LARGE:
        status, _, body = ask(site, "/large.bin", Range=f"bytes={at}-{at + 1_999_999}", If_Range=tag)
        assert status == 206
        parts.append(body)
        at += len(body)
    assert b"".join(parts) == site.large


def test_several_ranges(site):
    status, fields, body = ask(site, "/large.bin", Range="bytes=19000000-19999999,-5,0-9")
    assert status == 206
    boundary = re.fullmatch(r"multipart/byteranges; boundary=([0-9a-f]{32})", fields["Content-Type"])[1].encode()
    parts = body.split(b"--" + boundary)
    assert parts[0] == b"" and parts[-1] == b"--\r\n" and len(parts) == 5
    wanted = [(19000000, 20000000), (LARGE - 5, LARGE), (0, 10)]
    for part, (start, end) in zip(parts[1:-1], wanted):
        head, content = part.split(b"\r\n\r\n", 1)
        assert f"Content-Range: bytes {start}-{end - 1}/{LARGE}".encode() in head
        assert content[:-2] == site.large[start:end]


def test_curl_resumes(site, tmp_path):
    got = tmp_path / "large.bin"
    got.write_bytes(site.large[:12_345_678])
    subprocess.run(["curl", "-sf", "-C", "-", "-o", got, f"http://127.0.0.1:{site.port}/large.bin"], check=True,
                   timeout=LIMIT)
    assert got.read_bytes() == site.large


# --- answers without a file


def test_statuses(site):
    assert ask(site, "/none")[0] == 404
    status, fields, _ = ask(site, "/large.bin", "PUT")
    assert (status, fields["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert ask(site, "/large.bin", "OPTIONS")[0] == 204
    status, fields, _ = ask(site, "/large.bin", Range=f"bytes={LARGE}-")
    assert (status, fields["Content-Range"]) == (416, f"bytes */{LARGE}")
    assert ask(site, "/large.bin", If_Match='"other"')[0] == 412
    fields = ask(site, "/large.bin", "HEAD")[1]
    assert ask(site, "/large.bin", If_None_Match=fields["ETag"])[0] == 304
    assert ask(site, "/large.bin", If_Modified_Since=fields["Last-Modified"])[0] == 304
    assert ask(site, "/%00")[0] == 400


def test_a_connection_carries_them_all(site):
    """Answers without bodies, with bodies, and with parts of bodies leave the connection in order."""
    connection = site.connect()
    for path, headers, status in [("/large.bin", {"Range": "bytes=0-99"}, 206), ("/none", {}, 404), ("/", {}, 200),
                                  ("/large.bin", {"If-Match": '"x"'}, 412), ("/", {"If-None-Match": "*"}, 304),
                                  ("/large.bin", {"Range": "bytes=0-1,4-5"}, 206), ("/", {}, 200)]:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert not answer.will_close
    connection.close()


WAYS_OUT = ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/%2e%2e%2fsecret", "/x/../../secret", "//etc/passwd",
            "/up/secret", "/out", "/passwd", "/..%5csecret", "/%252e%252e/secret", "/.env", "/." + "/secret",
            "/large.bin/../../secret", "/" + "a/" * 1500 + "b", "/" + "a" * 3000]


def test_nothing_leads_out(site):
    web = site.folder / "web"
    (web / ".env").write_text("secret")
    (web / "up").symlink_to("..")
    (web / "out").symlink_to("../secret")
    (web / "passwd").symlink_to("/etc/passwd")
    for path in WAYS_OUT:
        with socket.create_connection(("127.0.0.1", site.port), timeout=LIMIT) as line:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            answer = http.client.HTTPResponse(line)
            answer.begin()
            assert answer.status in (400, 404), path
            body = answer.read()
            assert b"root:" not in body and body.strip() != b"secret"


# --- changes meanwhile


def begin(system, path):
    """A request whose answer is read slowly: its head, and what is left to be read."""
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=LIMIT)
    connection.connect()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.request("GET", path)
    return connection, connection.getresponse()


def test_a_file_is_replaced_while_it_is_served(site):
    connection, answer = begin(site, "/large.bin")
    first = answer.read(100_000)
    (site.folder / "web/new").write_bytes(b"another file")
    os.replace(site.folder / "web/new", site.folder / "web/large.bin")
    assert first + answer.read() == site.large
    connection.close()
    assert ask(site, "/large.bin")[2] == b"another file"


def test_a_file_that_shrinks_cuts_the_connection_off(site):
    connection, answer = begin(site, "/large.bin")
    answer.read(100_000)
    os.truncate(site.folder / "web/large.bin", 15_000_000)
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        answer.read()
    connection.close()
    wait_until(lambda: not serving_files(site), "the file is closed")


def test_a_file_that_grows_keeps_its_length(site):
    connection, answer = begin(site, "/large.bin")
    first = answer.read(100_000)
    with open(site.folder / "web/large.bin", "ab") as file:
        file.write(b"more")
    assert first + answer.read() == site.large
    connection.close()


def test_clients_that_leave_leave_nothing_open(site):
    for _ in range(40):
        connection, answer = begin(site, "/large.bin")
        answer.read(1000)
        assert serving_files(site)
        connection.close()
        answer.close()
    wait_until(lambda: not serving_files(site), "all files are closed")
    assert ask(site, "/")[0] == 200


def test_variants_by_name(site):
    text = b"let a = 1;\n" * 1000
    (site.folder / "web/app.js").write_bytes(text)
    (site.folder / "web/app.js.gz").write_bytes(gzip.compress(text))
    _, fields, body = ask(site, "/app.js", Accept_Encoding="gzip, br")
    assert fields["Content-Encoding"] == "gzip" and fields["Vary"] == "Accept-Encoding"
    assert fields["Content-Type"] == "text/javascript; charset=utf-8"
    assert gzip.decompress(body) == text
    _, fields, body = ask(site, "/app.js", Accept_Encoding="gzip;q=0")
    assert fields["Content-Encoding"] is None and body == text


# --- the file


def test_root_counts_from_the_file(site):
    """weft up -f from elsewhere, and a reload with another root."""
    (site.folder / "other").mkdir()
    (site.folder / "other/index.html").write_text("<p>other")
    route(site, "./other")
    site.weft("apply", check=0)
    assert site.get("/") == (200, "<p>other")
    site.end()
    site.process = subprocess.Popen([*site.process.args, "-f", f"{site.folder}/weft.yaml"], cwd="/",
                                    env=site.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=open(site.log_path, "ab"), start_new_session=True)
    wait_until(lambda: site.answers("/"), "the gateway answers")
    assert site.get("/") == (200, "<p>other")


def test_a_missing_root_is_said(site):
    route(site, "{ root: none }")
    site.weft("apply", check=0)
    status, body = site.get("/")
    assert status == 500 and "the folder of this route is not there" in body


@pytest.mark.parametrize("settings,said", [
    ("{ index: a.html }", 'files: missing key "root"'),
    ("{ root: web, index: a/b.html }", "index: must be the name of a file, without a folder"),
    ("{ root: web, fallback: ../x.html }", "fallback: must be the path of a file below `root`"),
    ("{ root: web, strip: assets }", "strip: must begin with a slash and not end with one"),
    ("{ root: web, cache: 400d }", "cache: must be at most 365d"),
])
def test_faults_of_the_file(system, settings, said):
    route(system, settings)
    assert said in system.weft("check", check=1).stderr
