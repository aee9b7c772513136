"""The dashboard in a real browser: against fixed numbers, against faults, and against a real system."""
import gzip
import http.client
import pathlib
import re
import shutil
import subprocess
import time

import pytest

import dashboard_mock
from browser import Browser
from dashboard_mock import EVIL, TRACE, Mock
from running import LIMIT, ROOT, SERVICE, SLOWNESS, WEFT, wait_until

FILES = WEFT.parents[2] / "web" / "files"
PAGES = ["#/topology", "#/topology/service:orders", "#/topology/gateway:web", "#/topology/answer:", "#/services",
         "#/services/orders", "#/exchanges", f"#/trace/{TRACE}", "#/logs", "#/logs/orders"]

pytestmark = pytest.mark.skipif(not (FILES / "app.js").exists(),
                                reason="this weft was built without node and npm: it has no dashboard")


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def mock():
    it = Mock(FILES).start()
    yield it
    it.stop()


@pytest.fixture
def page(chromium, mock):
    """The dashboard on the mock, from its start; afterwards nothing may have been complained of or fetched elsewhere."""
    chromium.look()
    chromium.open(mock.url)
    chromium.allowed = []
    yield chromium
    bad = [entry for entry in chromium.complaints() if not any(part in entry["message"] for part in chromium.allowed)]
    assert not bad
    assert {url for url, _ in chromium.traffic() if not url.startswith((mock.url, "about:"))} == set()


def label(caller, called):
    return f'.label[data-edge="{caller}>{called}"]'


def node(name):
    return f'.node[data-node="{name}"]'


# --- topology


def test_edges_tell_rate_errors_and_latency(page):
    page.wait_text(label("web", "storefront"), "40.0/s p99 22.0 ms")
    assert page.text(label("web", "storefront")) == "40.0/s p99 22.0 ms"
    assert page.text(label("storefront", "orders")) == "20.0/s p99 49.5 ms 15.0% errors"
    assert page.text(label("orders", "inventory")) == "10.0/s p99 >10.0 s"
    assert page.text(label("web", "answer")) == "4.00/s p99 4.95 ms 25.0% errors"


def test_errors_are_red_and_said(page):
    page.wait_text(label("storefront", "orders"), "errors")
    colours = {edge.get_attribute("data-edge"): edge.get_attribute("class") for edge in page.all("g.edge")}
    assert colours["storefront>orders"] == "edge bad" and colours["web>storefront"] == "edge ok"
    stroke = "return getComputedStyle(document.querySelector(arguments[0] + ' path')).stroke"
    red = page.run(stroke, 'g.edge[data-edge="storefront>orders"]')
    assert red == "rgb(200, 35, 44)" != page.run(stroke, 'g.edge[data-edge="web>storefront"]')


def test_few_errors_are_told_from_many(page, mock):
    mock.edges[2].times = {0.025: 999}
    mock.edges[2].errors = 1
    mock.reset_at = mock.asked
    page.open(mock.url)
    page.wait_text(label("storefront", "orders"), "0.10% errors")
    assert "warn" in page.one(label("storefront", "orders")).get_attribute("class")


def test_widths_follow_rates(page):
    page.wait_text(label("storefront", "inventory"), "50.0/s")
    width = {edge.get_attribute("data-edge"): float(edge.find_element("css selector", "path").get_attribute(
        "stroke-width")) for edge in page.all("g.edge")}
    assert width["storefront>inventory"] > width["web>storefront"] > width["storefront>orders"] > width["web>answer"]


def test_nodes_tell_the_sum_of_their_edges(page):
    page.wait_text(node("inventory"), "60.0/s")
    assert page.text(node("web")).startswith("web gateway 44.0/s rate 2.27% errors 3.24 ms p50 ")
    orders = page.text(node("orders"))
    assert "degraded" in orders and "2/3 ready" in orders and "↻ 3" in orders and "0.60 under way" in orders
    dots = [dot.get_attribute("title") for dot in page.all(f"{node('orders')} .foot .dot")]
    assert dots == ["orders-1: ready", "orders-2: ready", "orders-3: absent, backing-off"]


def test_gateways_stand_left_and_services_in_layers(page):
    page.wait_text(node("inventory"), "60.0/s")
    left = {name: page.one(node(name)).rect["x"] for name in ("web", "storefront", "orders", "inventory")}
    assert left["web"] < left["storefront"] < left["orders"] < left["inventory"]
    boxes = [page.run("const r = arguments[0].getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]", it)
             for it in page.all(".node, .label")]
    for i, a in enumerate(boxes):
        for b in boxes[i + 1:]:
            apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
            assert apart, (a, b)


def test_the_picture_stays_where_it_is(page, mock):
    page.wait_text(label("web", "storefront"), "40.0/s")
    places = [element.rect for element in page.all(".node, .label, .top a")]
    mock.edges[0].times = {0.005: 3000}
    mock.edges[0].errors = 2
    mock.ready = 3
    page.wait_text(label("web", "storefront"), "errors")
    assert [element.rect for element in page.all(".node, .label, .top a")] == places


def test_counting_anew_is_no_spike(page, mock):
    page.wait_text(label("web", "storefront"), "40.0/s")
    mock.reset_at = mock.asked
    seen = set()
    until = mock.asked + 3
    while mock.asked < until:
        seen.add(page.text(label("web", "storefront")))
        time.sleep(0.03)
    assert seen == {"40.0/s p99 22.0 ms"}


def test_the_window_can_be_chosen(page, mock):
    mock.step = 6
    page.open(mock.url)
    page.wait_text(label("web", "storefront"), "40.0/s")
    mock.edges[0].until = mock.asked * mock.step
    page.wait_text(label("web", "storefront"), "idle")
    buttons = page.all(".choice-of button")
    assert [button.text for button in buttons] == ["10 s", "1 min", "5 min"]
    buttons[1].click()
    page.wait(lambda: "/s" in page.text(label("web", "storefront")), "the minute has a rate")
    assert buttons[1].get_attribute("aria-pressed") == "true"


# --- the side panel


def test_panel_shows_what_is_known_of_a_service(page):
    page.one(node("orders")).click()
    page.wait_text(".panel .tiles", "20.0/s")
    panel = page.text(".panel")
    for part in ["degraded, 2 of 3 ready", "./orders", "needs inventory", "scale 3 (1 in the file)", "at most 256 MiB, 0.5 CPU",
                 "15.0%", "49.5 ms", "orders-3", "backing-off", "last: ended with status 3",
                 "Called by storefront 20.0/s 15.0% errors", "Calls inventory 10.0/s no errors"]:
        assert part in panel, part
    page.wait_text(".panel", "POST /orders")
    page.wait_text(".panel", "inventory gave no answer")
    page.wait(lambda: len(page.all(".panel .curve")) == 5 and all(
        "L" in (curve.get_attribute("d") or "") for curve in page.all(".panel .curve")), "curves")
    assert page.run("return location.hash") == "#/topology/service%3Aorders"


def test_panel_by_keyboard(page):
    page.one(node("orders"))
    page.run("document.querySelector(arguments[0]).focus()", node("storefront"))
    page.driver.switch_to.active_element.send_keys("\ue007")
    page.wait_text(".panel h2", "storefront")
    page.driver.switch_to.active_element.send_keys("\ue00c")
    page.wait(lambda: not page.all(".panel"), "Escape closes the panel")


# --- exchanges and traces


def test_exchanges_and_where_their_time_went(page):
    page.go("#/exchanges")
    page.wait(lambda: len(page.all(".row")) == 42, "all rows")
    page.all(".row")[2].click()
    waterfall = page.wait(lambda: page.texts(".detail .step"), "the waterfall")
    assert [" ".join(text.split()) for text in waterfall] == [
        "inventory 504 TO 60.0 ms", "route 59.9 ms", "retry timeout 59.8 ms", "try 1 timeout 25.1 ms",
        "endpoint inventory-1 timeout 25.0 ms", "try 2 timeout 25.1 ms", "endpoint inventory-1 timeout 25.0 ms"]
    assert "no answer within 25 ms, twice" in page.text(".detail .facts")
    second = page.run("const [track, bar] = ['.track', '.bar'].map((s) => document.querySelectorAll('.detail .step')[5]"
                      ".querySelector(s).getBoundingClientRect()); return [(bar.left - track.left) / track.width, "
                      "bar.width / track.width]")
    assert second == pytest.approx([34.7 / 60, 25.1 / 60], abs=0.01)


def test_exchanges_are_chosen_by_filters_in_the_address(page):
    page.go("#/exchanges?errors=true")
    page.wait(lambda: len(page.all(".row")) == 3, "errors only")
    page.one(".check input").click()
    page.wait(lambda: len(page.all(".row")) == 42, "all again")
    page.go("#/exchanges?service=orders")
    page.wait(lambda: len(page.all(".row")) == 1, "one service")
    page.go("#/exchanges?slower_ms=100")
    page.wait(lambda: len(page.all(".row")) == 1, "slow ones")
    page.go("#/exchanges?service=nothing")
    page.wait_text(".empty", "No kept exchange is like that")


def test_pause_keeps_the_list(page, mock):
    page.go("#/exchanges")
    page.wait(lambda: len(page.all(".row")) == 42, "all rows")
    page.one("button.plain").click()
    asked = mock.requests.count("/v1/traffic")
    mock.exchanges.insert(0, dashboard_mock.exchange(99, 11, path="/new"))
    until = mock.asked + 2
    page.wait(lambda: mock.asked >= until, "the page goes on asking")
    assert mock.requests.count("/v1/traffic") <= asked + 1 and "/new" not in page.text(".list")
    page.one("button.plain").click()
    page.wait_text(".list", "/new")


@pytest.mark.parametrize("offsets", [True, False])
def test_a_trace_is_one_waterfall_across_services(page, mock, offsets):
    mock.offsets = offsets
    page.go(f"#/trace/{TRACE}")
    page.wait(lambda: len(page.all(".span")) == 3, "three exchanges")
    assert "120 ms, 3 exchanges with 3 services, 2 failed" in page.text(".summary")
    names = [" ".join(text.split()) for text in page.texts(".span .name")]
    assert names == ["web → storefront storefront-1 POST /checkout 503",
                     "storefront → orders orders-2 POST /orders 201",
                     "orders → inventory inventory-1 POST /reservations 504 TO"]
    bars = page.run("return [...document.querySelectorAll('.span')].map((row) => { const [track, bar] = "
                    "['.track', '.bar'].map((s) => row.querySelector(s).getBoundingClientRect()); return [(bar.left - "
                    "track.left) / track.width, bar.width / track.width]; })")
    for bar, (start, took) in zip(bars, [(0, 120), (30, 80), (45, 60)]):
        assert bar == pytest.approx([start / 120, took / 120], abs=0.01)
    steps = len(page.all(".step"))
    page.all(".span button")[0].click()
    page.wait(lambda: len(page.all(".step")) == steps - 3, "its steps are folded away")


def test_an_open_exchange_does_not_run_away(page, mock):
    page.go("#/exchanges")
    page.wait(lambda: len(page.all(".row")) == 42, "all rows")
    page.all(".row")[2].click()
    page.wait_text("button.plain", "go on")
    mock.exchanges.insert(0, dashboard_mock.exchange(99, 11, path="/new"))
    until = mock.asked + 2
    page.wait(lambda: mock.asked >= until, "the page goes on asking")
    assert "/reservations" in page.texts(".list > li")[2] and "/new" not in page.text(".list")
    page.all(".row")[2].click()
    page.wait_text(".list", "/new")


def test_a_trace_that_is_not_kept(page):
    page.allowed = ["404"]
    page.go("#/trace/0123")
    page.wait_text(".empty", "not kept any more")


# --- logs


def test_logs_come_live_and_can_be_searched(page, mock):
    page.go("#/logs/orders")
    page.wait(lambda: len(page.all(".logs .line")) == 31, "the lines of orders")
    mock.write("orders", "orders-2", "a line that came later")
    mock.write("inventory", "inventory-1", "of another service")
    page.wait(lambda: page.texts(".logs .line .text")[-1] == "a line that came later", "the new line")
    assert len(page.all(".logs .line")) == 32
    page.one("input[type=search]").send_keys("STORED")
    page.wait(lambda: len(page.all(".logs .line")) == 30, "lines with the word")
    assert "30 of 32 lines" in page.text(".count")


def test_json_lines_are_read(page):
    page.go("#/logs")
    page.wait(lambda: page.all(".logs .line.bad"), "a line with a level")
    assert page.text(".logs .line.bad .text") == "error inventory gave no answer order=17 trace"
    assert page.one(".logs .line.bad a").get_attribute("href").endswith(f"#/trace/{TRACE}")


def test_following_stops_when_one_scrolls_up(page, mock):
    for number in range(200):
        mock.write("orders", "orders-1", f"old {number}")
    page.go("#/logs")
    at_end = "const e = document.querySelector('.logs .lines'); return e.scrollHeight - e.scrollTop - e.clientHeight < 2"
    page.wait(lambda: page.all(".logs .line") and page.run(at_end), "the end is shown")
    page.run("document.querySelector('.logs .lines').scrollTop = 100")
    page.wait(lambda: not page.run("return document.querySelector('.check input').checked"), "following is off")
    mock.write("orders", "orders-1", "the newest")
    page.wait(lambda: page.texts(".logs .line .text")[-1] == "the newest", "the new line")
    assert page.run("return document.querySelector('.logs .lines').scrollTop") == 100


def test_texts_of_services_are_texts(page, mock):
    mock.exchanges[2]["reason"] = mock.exchanges[2]["service"] = EVIL
    mock.write("orders", "orders-1", '{"message":"<script>document.title=\'owned\'</script>","level":"<b>x</b>"}')
    page.go("#/logs")
    page.wait(lambda: EVIL in page.texts(".logs .line .text"), "the line as it is")
    page.wait(lambda: "<b>x</b> <script>document.title='owned'</script>" in page.texts(".logs .line .text"), "JSON too")
    page.go("#/exchanges")
    page.wait(lambda: any(EVIL in text for text in page.texts(".row .request")), "the path as it is")
    page.all(".row")[2].click()
    page.wait_text(".detail .facts", EVIL)
    assert page.run("return document.querySelectorAll('main img, main script, main b b').length") == 0
    assert "owned" not in page.driver.title and "/x" not in mock.requests


def test_scripts_in_the_page_are_refused(page):
    """The policy that weft sends makes it impossible to turn a text into HTML, even for our own code by mistake."""
    with pytest.raises(Exception, match="TrustedHTML"):
        page.run("document.querySelector('main').innerHTML = arguments[0]", EVIL)
    page.allowed = ["Trusted"]


# --- when things are missing


def test_no_answer_is_said_and_the_last_state_stays(page, mock):
    page.allowed = ["ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "ERR_CONNECTION_ABORTED"]
    page.wait_text(label("web", "storefront"), "40.0/s")
    mock.stop()
    page.wait_text("[role=alert]", f"The control API at 127.0.0.1:{mock.port} gives no answer")
    assert page.all("main.stale") and page.text(label("web", "storefront")) == "40.0/s p99 22.0 ms"
    assert "no answer" in page.text(".about")
    mock.start()
    page.wait(lambda: not page.all("[role=alert]") and not page.all("main.stale"), "the page is live again")
    page.wait_text(label("web", "storefront"), "40.0/s")


def test_parts_that_a_weft_does_not_have_are_said(page, mock):
    page.allowed = ["404"]
    mock.missing = {"/v1/logs", "/v1/traffic", "/v1/topology"}
    page.open(mock.url)
    page.wait_text(".problem", "This Weft can't tell about the topology")
    page.go("#/logs")
    page.wait_text(".problem", "This Weft can't tell about logs: there is none")
    page.go("#/exchanges")
    page.wait_text(".problem", "This Weft can't tell about exchanges")
    page.go("#/services")
    page.wait_text(".services table", "orders")


def test_an_empty_picture_says_what_to_do(page, mock):
    mock.edges = []
    mock.exchanges = []
    page.open(mock.url)
    page.wait_text(".try pre", "curl -i http://127.0.0.1:8080/products")
    assert {element.get_attribute("data-node") for element in page.all(".node")} == {
        "web", "storefront", "orders", "inventory"}
    assert len({element.rect["y"] for element in page.all(".node")}) == 1  # side by side
    page.go("#/exchanges")
    page.wait_text(".try pre", "curl -i http://127.0.0.1:8080/products")


# --- how it looks, and what it costs


@pytest.mark.parametrize("width, dark", [(1280, False), (1280, True), (390, False), (390, True)])
def test_every_page_fits(page, width, dark):
    page.look(width, 844 if width < 600 else 800, dark)
    grounds = set()
    for place in PAGES:
        page.go(place)
        page.wait(lambda: page.all(".page > *, .main > *"), place)
        time.sleep(0.2)
        assert page.run("return document.documentElement.scrollWidth <= innerWidth"), place
        grounds.add(page.run("return getComputedStyle(document.body).backgroundColor"))
    assert grounds == {"rgb(14, 18, 22)" if dark else "rgb(244, 246, 248)"}


def test_every_control_has_a_name(page):
    nameless = ("return [...document.querySelectorAll('button, a, input, select')].filter((e) => !(e.innerText || "
                "e.getAttribute('aria-label') || e.closest('label'))).map((e) => e.outerHTML)")
    for place in PAGES:
        page.go(place)
        page.wait(lambda: page.all(".page > *, .main > *"), place)
        assert page.run(nameless) == []


def test_the_page_is_small(page, mock):
    page.wait_text(label("web", "storefront"), "40.0/s")
    sizes = dict(page.traffic())
    assert f"{mock.url}app.js" in sizes
    assert sum(sizes.values()) < 200_000, sizes
    assert sum(path.stat().st_size for path in FILES.iterdir()) < 150_000


# --- the parts without a page


def test_numbers_without_a_browser():
    run = subprocess.run(["node", "--test", *sorted((ROOT / "web/test").glob("*.test.js"))], check=False,
                         capture_output=True, text=True, timeout=60 * SLOWNESS)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "a number that fell starts anew" in run.stdout


def test_the_lock_names_no_registry():
    lock = (ROOT / "web/package-lock.json").read_text()
    assert '"resolved"' not in lock and "registry" not in lock
    assert lock.count('"integrity": "sha512-') >= 4


def build_files(folder):
    """Runs the build as meson does, with what is there; returns the C source's bytes."""
    folder.mkdir()
    subprocess.run(["python3", ROOT / "web/build.py", "--output", folder / "dashboard.c", "--files", folder / "files",
                    "--cache", ROOT / "build/npm", "--node", shutil.which("node"), "--npm", shutil.which("npm")],
                   check=True, timeout=300)
    return (folder / "dashboard.c").read_bytes()


def test_the_same_sources_give_the_same_bytes(tmp_path):
    assert build_files(tmp_path / "a") == build_files(tmp_path / "b")


def test_without_npm_there_is_a_plain_page(tmp_path):
    subprocess.run(["python3", ROOT / "web/build.py", "--output", tmp_path / "dashboard.c", "--files",
                    tmp_path / "files", "--cache", tmp_path / "npm"], check=True, timeout=60)
    page = (tmp_path / "files/index.html").read_text()
    assert "built without its dashboard" in page and "<script" not in page and 'href="/v1/topology"' in page
    assert not (tmp_path / "npm").exists()


# --- weft itself


def up(system, **services):
    system.write(services or {"echo": f"{{ run: {SERVICE}, scale: 2, ready: /readyz }}"})
    return system.up().ready()


def get(system, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", system.control, timeout=LIMIT)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_weft_serves_the_files(system):
    up(system)
    for path in FILES.iterdir():
        place = "/" if path.name == "index.html" else f"/{path.name}"
        status, head, body = get(system, place)
        assert (status, body) == (200, path.read_bytes()), place
        assert head["Content-Type"] == dashboard_mock.TYPES[path.suffix]
        assert head["Content-Security-Policy"] == dashboard_mock.POLICY
        assert head["X-Content-Type-Options"] == "nosniff" and head["Cache-Control"] == "no-cache"
        assert head["Vary"] == "Accept-Encoding" and "Content-Encoding" not in head
        status, packed_head, packed = get(system, place, Accept_Encoding="br, gzip")
        assert status == 200 and packed_head["ETag"] != head["ETag"]
        assert packed_head["Content-Encoding"] == "gzip" and gzip.decompress(packed) == body
        for tag in (head["ETag"], f'"other", W/{packed_head["ETag"]}', "*"):
            status, kept, body = get(system, place, If_None_Match=tag)
            assert (status, body) == (304, b"") and kept["ETag"] == head["ETag"]
        assert get(system, place, If_None_Match='"other"')[0] == 200
        status, head_only, body = get(system, place, "HEAD")
        assert (status, body) == (200, b"") and head_only["Content-Length"] == head["Content-Length"]
        assert get(system, place, "POST")[0] == 405
        assert get(system, place, Host="evil.example")[0] == 403
        assert get(system, place, Origin="http://evil.example")[0] == 403


@pytest.mark.parametrize("accepted, packed", [
    ("gzip", True), ("GZIP", True), ("gzip;q=0.5", True), ("*", True), ("deflate, *;q=0.1", True),
    ("", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.000", False), ("gzip;q=0, *", False),
    ("*;q=0", False), ("identity", False), ("xgzip", False)])
def test_gzip_is_sent_to_who_takes_it(mock_weft, accepted, packed):
    head = get(mock_weft, "/app.js", Accept_Encoding=accepted)[1]
    assert (head.get("Content-Encoding") == "gzip") == packed


@pytest.fixture(scope="module")
def mock_weft(tmp_path_factory):
    """A weft that several tests only read from."""
    from running import System
    it = System(pathlib.Path(tmp_path_factory.mktemp("weft")))
    up(it)
    yield it
    assert not it.end()


def test_a_real_system_is_drawn(system, chromium):
    """Two services, one of which calls the other through the mesh; now and then that fails."""
    service = f"{{ run: {SERVICE}, scale: 2, ready: /readyz }}"
    up(system, front=service, back=f"{{ run: {SERVICE}, ready: /readyz }}")
    chromium.look()
    chromium.open(f"http://127.0.0.1:{system.control}/")
    chromium.wait_text(node("front"), "2/2 ready")

    def asks():
        for path, status in [("/call?back/who", 200)] * 3 + [("/call?back/status?500", 500)]:
            assert system.get(path)[0] == status
        return "errors" in chromium.text(label("front", "back")) and "/s" in chromium.text(label("gateway", "front"))

    wait_until(asks, "the edges show what is asked")
    shares = [float(re.search(r"([0-9.]+)% errors", chromium.text(label(*edge)))[1])
              for edge in [("front", "back"), ("gateway", "front")]]
    assert all(15 < share < 35 for share in shares), shares
    chromium.go("#/exchanges?service=back&errors=true")
    chromium.wait(lambda: chromium.all(".row"), "exchanges")
    assert set(chromium.texts(".row .way")) == {"front → back"}
    chromium.all(".row")[0].click()
    chromium.wait(lambda: any("endpoint back-" in text for text in chromium.texts(".detail .step")), "its stages")
    chromium.one(".detail .facts a").click()
    chromium.wait_text(".summary", "2 exchanges with 2 services, 2 failed")
    assert [text.split("\n")[0] for text in chromium.texts(".span .name b")] == ["front", "back"]
    chromium.go("#/logs/back")
    chromium.wait_text(".logs .lines", "hello from back-")
    assert "hello from front-" not in chromium.text(".logs .lines")
    assert chromium.complaints() == []
