"""examples/shop: whatever dies, no order is lost, none is there twice, and the stock is what the books say."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import uuid

import pytest

from running import LIMIT, ROOT, SLOWNESS, WEFT, System, free_port, wait_until

SHOP = ROOT / "examples/shop"
PROGRAMS = WEFT.parents[2] / "examples/shop"
SERVICES = ["inventory", "orders", "storefront"]
MANY = 10000 if SLOWNESS == 1 else 800
SOME = 1500 if SLOWNESS == 1 else 300
CLIENTS = 16


class Shop:
    """A copy of the example in the system's folder, on free ports."""

    def __init__(self, system):
        self.system, self.folder = system, system.folder
        shutil.copytree(SHOP, self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.db*"))

    def up(self):
        self.system.up()
        wait_until(self.is_open, "the shop is open")
        return self

    def is_open(self):
        assert self.system.process.poll() is None, self.system.log()
        return self.system.answers("/api/products") and len(self.ready()) == 6

    def endpoints(self):
        try:
            return json.loads(self.system.get("/v1/endpoints", self.system.control)[1])["endpoints"]
        except OSError:
            return []

    def ready(self, service=""):
        return [one for one in self.endpoints() if one["state"] == "ready" and one["name"].startswith(service)]

    def ask(self, method, path, body=None, headers=None):
        with contextlib.closing(self.system.connect()) as connection:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def ask_on(self, method, path, body=None):
        """As a client does that can't know whether it was heard: asks until there is an answer."""
        end = time.monotonic() + 4 * LIMIT
        while time.monotonic() < end:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                status, answer = self.ask(method, path, body)
                if status < 500 and status != 202:
                    return status, answer
            time.sleep(0.05)
        raise AssertionError(f"no answer: {method} {path}\n{self.system.log()}")

    def order(self, sku, quantity=1):
        return self.ask_on("PUT", f"/orders/{uuid.uuid4()}",
                           {"customer": "Ada", "lines": [{"sku": sku, "quantity": quantity}]})[1]["state"]

    def item(self, sku):
        return self.ask("GET", f"/items/{sku}")[1]

    def orders(self, count, *arguments):
        """order.py: what it says at its end. It ends with status 1 where an order is lost."""
        done = subprocess.run([self.folder / "order.py", "--orders", str(count), "--clients", str(CLIENTS), *arguments,
                               f"http://127.0.0.1:{self.system.port}"], capture_output=True, text=True, check=False,
                              timeout=120 * SLOWNESS, env=self.system.environment(), stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (done.stdout, done.stderr, self.system.log())
        print(done.stdout)
        return done.stdout

    def audit(self):
        done = audit(self.folder / "data")
        assert done.returncode == 0, (done.stdout, done.stderr)
        return int(re.search(r"^(\d+) orders", done.stdout, re.MULTILINE)[1])

    def weft(self, *arguments):
        return self.system.weft(*arguments, check=0).stdout


def audit(folder):
    return subprocess.run([PROGRAMS / "shop-audit", folder], capture_output=True, text=True, check=False, timeout=LIMIT)


def set_up(environment, system):
    for name, value in {"SHOP_PORT": system.port, "SHOP_CONTROL": system.control, "SHOP_BIN": PROGRAMS,
                        "SHOP_DATA": system.folder / "data"}.items():
        environment.setenv(name, str(value))


@pytest.fixture
def closed(system, monkeypatch):
    set_up(monkeypatch, system)
    return Shop(system)


@pytest.fixture
def shop(closed):
    return closed.up()


# --- opening


def test_it_is_open_within_a_second(closed):
    began = time.monotonic()
    closed.up()
    took = time.monotonic() - began
    assert took < 1 * SLOWNESS, f"{took:.3f} s"
    for path, part in {"/": "<title>", "/shop.css": ":root", "/shop.js": "remembered", "/pictures/loom.svg": "<path",
                       "/api/products": '"sku":"loom"'}.items():
        status, body = closed.system.get(path)
        assert status == 200 and part in body, (path, status, body)


def test_the_way_to_the_dashboard(shop):
    with contextlib.closing(shop.system.connect()) as connection:
        connection.request("GET", "/dashboard")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (302, f"http://127.0.0.1:{shop.system.control}/")


# --- whatever dies


KILLS = 3  # of one instance: it is started again after 1 s, 2 s, 4 s, and ever later


class Killer(threading.Thread):
    """Kills an instance of each service in turn, again and again."""

    def __init__(self, shop, pause):
        super().__init__(daemon=True)
        self.shop, self.pause = shop, pause
        self.enough, self.killed = threading.Event(), {}

    def run(self):
        turn = 0
        while not self.enough.wait(self.pause):
            victims = [one for one in self.shop.ready(SERVICES[turn % len(SERVICES)])
                       if self.killed.get(one["name"], 0) < KILLS]
            if victims:
                victim = min(victims, key=lambda one: self.killed.get(one["name"], 0))
                os.kill(victim["pid"], signal.SIGKILL)
                self.killed[victim["name"]] = self.killed.get(victim["name"], 0) + 1
            turn += 1

    def count(self, service):
        return sum(count for name, count in self.killed.items() if name.startswith(service))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.enough.set()
        self.join()


def buy(shop, enough):
    """A customer of the page, until it is enough: {order: what was in the cart}."""
    bought = {}
    while not enough.is_set():
        cart, order, sku = (f"cart-{uuid.uuid4()}", f"page-{uuid.uuid4()}", ["cotton", "needle"][len(bought) % 2])
        assert shop.ask_on("PUT", f"/api/carts/{cart}/{sku}", {"quantity": 1})[0] == 200
        status, answer = shop.ask_on("PUT", f"/api/orders/{order}", {"cart": cart, "customer": "Lea"})
        assert status in (200, 201) and answer["state"] in ("confirmed", "rejected"), (status, answer)
        assert answer["lines"] == [{"sku": sku, "quantity": 1}]
        bought[order] = sku
    return bought


def test_no_order_is_lost_while_instances_are_killed(shop):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with Killer(shop, 0.4 * SLOWNESS) as killer:
            buying = pool.submit(buy, shop, killer.enough)
            said = shop.orders(MANY, "--deliver")
            count = MANY
            while min(killer.count(service) for service in SERVICES) < 2:
                shop.orders(100, "--rate", "100")
                count += 100
        bought = buying.result(timeout=4 * LIMIT)
    assert f"{MANY}/{MANY} orders" in said
    assert bought
    assert shop.audit() == count + len(bought)
    killed = {service: killer.count(service) for service in SERVICES}
    wait_until(lambda: restarts(shop) == killed and len(shop.ready()) == 6, "all are back")
    for item in shop.ask("GET", "/items")[1]["items"]:
        assert item["stock"] + item["reserved"] == item["delivered"] and item["stock"] >= 0, item


def restarts(shop):
    told = json.loads(shop.system.get("/v1/services", shop.system.control)[1])["services"]
    return {one["name"]: one["restarts"] for one in told}


def test_no_order_is_lost_when_the_serving_process_is_killed(shop):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ordering = pool.submit(shop.orders, SOME, "--rate", str(SOME / SLOWNESS / 5))
        wait_until(lambda: sold(shop) > 20, "orders flow")
        pid = json.loads(shop.system.get("/v1/status", shop.system.control)[1])["pid"]
        os.kill(pid, signal.SIGKILL)
        said = ordering.result()
    assert f"{SOME}/{SOME} orders" in said
    assert not re.search(r"\b0 sent again", said)  # it was felt
    assert shop.audit() == SOME
    assert json.loads(shop.system.get("/v1/status", shop.system.control)[1])["pid"] != pid


def sold(shop):
    return sum(item["reserved"] for item in shop.ask("GET", "/items")[1]["items"])


def test_no_request_fails_while_it_is_changed(shop):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ordering = pool.submit(shop.orders, SOME, "--rate", str(SOME / SLOWNESS / 5))
        wait_until(lambda: sold(shop) > 20, "orders flow")
        shop.weft("scale", "orders=4")
        wait_until(lambda: len(shop.ready("orders")) == 4, "four instances of orders")
        shop.weft("scale", "orders=1", "inventory=3")
        path = shop.folder / "weft.yaml"
        text = path.read_text()
        assert "per-try: 2s" in text
        path.write_text(text.replace("per-try: 2s", "per-try: 1900ms"))
        shop.weft("apply")
        assert not ordering.done(), "it was too fast to be disturbed"
        said = ordering.result()
    assert f"{SOME}/{SOME} orders" in said
    assert re.search(r"; 0 sent again", said), said
    wait_until(lambda: (len(shop.ready("orders")), len(shop.ready("inventory"))) == (1, 3), "the scale is what was said")
    assert shop.audit() == SOME


def test_orders_wait_while_inventory_is_away(shop):
    shop.weft("scale", "inventory=0")
    wait_until(lambda: not shop.ready("inventory"), "inventory is gone")
    places = [f"/orders/waiting-{number}" for number in range(5)]
    for place in places:
        status, order = shop.ask("PUT", place, {"customer": "Ada", "lines": [{"sku": "loom", "quantity": 1}]})
        assert (status, order["state"]) == (202, "placed")
        assert shop.ask("GET", place)[1]["state"] == "placed"
    assert audit(shop.folder / "data").returncode == 1  # they are not final
    shop.weft("scale", "inventory=2")
    for place in places:
        wait_until(lambda at=place: shop.ask("GET", at)[1]["state"] == "confirmed", "it is settled")
    assert shop.item("loom")["reserved"] == 5
    assert shop.audit() == 5


def test_a_page_that_waits_does_not_hold_up_the_end(shop):
    shop.weft("scale", "inventory=0")
    wait_until(lambda: not shop.ready("inventory"), "inventory is gone")
    assert shop.ask("PUT", "/orders/waiting-1", {"customer": "Ada", "lines": [{"sku": "loom", "quantity": 1}]})[0] == 202
    with concurrent.futures.ThreadPoolExecutor() as pool, contextlib.closing(shop.system.connect()) as connection:
        connection.request("GET", "/api/orders/waiting-1/events")
        stream = connection.getresponse()
        assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
        rest = pool.submit(stream.read)
        time.sleep(2.5)  # longer than a try may take until its answer begins
        assert not rest.done()
        shop.weft("down")
        said = rest.result().decode()  # to its proper end
    assert said.startswith("retry: ") and said.count("event: state\n") == 1 and '"state":"placed"' in said
    assert shop.system.exit_code() == 0


# --- the stock


def test_the_last_hundred_are_sold_once(shop):
    stock = shop.item("loom")["stock"]
    while stock > 100:
        quantity = min(99, stock - 100)
        assert shop.order("loom", quantity) == "confirmed"
        stock -= quantity

    def fight(_):
        got = 0
        while shop.order("loom") == "confirmed":
            got += 1
        return got

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        got = list(pool.map(fight, range(CLIENTS)))
    assert sum(got) == 100, got
    loom = shop.item("loom")
    assert loom["stock"] == 0 and loom["reserved"] == loom["delivered"]
    shop.audit()


# --- the audit finds it


@pytest.fixture(scope="module")
def books():
    """The data of a shop with confirmed and rejected orders, which is closed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-"))
    system = System(folder)
    with pytest.MonkeyPatch.context() as environment:
        set_up(environment, system)
        try:
            shop = Shop(system).up()
            for sku in ["loom", "comb", "gold", "silver"]:
                shop.order(sku)
            shop.weft("down")
            system.exit_code()
            assert shop.audit() == 4
            yield folder / "data"
        finally:
            system.end()
            shutil.rmtree(folder, ignore_errors=True)


STOCK = "stock and reserved are what was delivered, and never below zero"
HELD = "what is reserved is what reservations hold"
REFUSED = "refused reservations hold nothing"
FINAL = "every order is in a final state"
TWICE = "no order is there twice"
AGREE = "confirmed orders are held, rejected ones are refused"
OWNED = "every reservation belongs to an order"
ORDERED = "what is held is what was ordered"
BREAKAGES = {
    "more stock": ("inventory", "UPDATE items SET stock = stock + 1 WHERE sku = 'loom'", {STOCK}),
    "below zero": ("inventory", "UPDATE items SET stock = -1, delivered = reserved - 1 WHERE sku = 'reed'", {STOCK}),
    "reserved for nobody": ("inventory", "UPDATE items SET stock = stock - 1, reserved = reserved + 1", {HELD}),
    "refused, but held": (
        "inventory", "INSERT INTO reservation_lines SELECT id, 'gold', 1 FROM reservations"
        " WHERE asked = 'gold=1'", {REFUSED}),
    "left behind": ("orders", "UPDATE orders SET state = 'placed' WHERE number = 1", {FINAL}),
    "a copy": ("orders", "CREATE TABLE copy AS SELECT * FROM orders; INSERT INTO copy SELECT * FROM orders LIMIT 1;"
               " DROP TABLE orders; ALTER TABLE copy RENAME TO orders", {TWICE}),
    "rejected, but held": ("orders", "UPDATE orders SET state = 'rejected' WHERE number = 1", {AGREE}),
    "confirmed, but refused": (
        "inventory", "DELETE FROM reservations WHERE asked = 'gold=1'", {AGREE}),
    "an order is lost": ("orders", "DELETE FROM order_lines WHERE sku = 'gold'; DELETE FROM orders WHERE number = 3",
                         {OWNED}),
    "another quantity": ("orders", "UPDATE order_lines SET quantity = 2 WHERE sku = 'loom'", {ORDERED}),
    "half of it": ("inventory", "DELETE FROM reservation_lines WHERE sku = 'loom'; UPDATE items"
                   " SET stock = stock + 1, reserved = 0 WHERE sku = 'loom'", {ORDERED}),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_the_audit_finds(books, tmp_path, breakage):
    name, script, broken = BREAKAGES[breakage]
    copy = shutil.copytree(books, tmp_path / "data")
    with contextlib.closing(sqlite3.connect(copy / f"{name}.db")) as database:
        database.executescript(f"PRAGMA ignore_check_constraints = ON; {script};")
    done = audit(copy)
    assert done.returncode == 1
    assert set(re.findall(r"^BROKEN  (.*)$", done.stdout, re.MULTILINE)) == broken, done.stdout
    assert set(re.findall(r"^holds   (.*)$", done.stdout, re.MULTILINE)) | broken == {
        STOCK, HELD, REFUSED, FINAL, TWICE, AGREE, OWNED, ORDERED}


def test_the_audit_says_what_it_cannot_read(books, tmp_path):
    done = audit(tmp_path)
    assert done.returncode == 1 and f"shop-audit: {tmp_path}: unable to open" in done.stderr
    copy = shutil.copytree(books, tmp_path / "data")
    (copy / "orders.db").write_bytes(b"these are no books" * 1000)
    done = audit(copy)
    assert done.returncode == 1 and "file is not a database" in done.stderr
    assert subprocess.run([PROGRAMS / "shop-audit"], capture_output=True, check=False).returncode == 2


# --- sight


def test_a_checkout_is_one_trace(closed, monkeypatch):
    monkeypatch.setenv("WEFT_LOG_ACCESS", "1")
    shop = closed.up()
    cart, order, trace = "cart-0001", "traced-order-1", uuid.uuid4().hex
    shop.ask("PUT", f"/api/carts/{cart}/loom", {"quantity": 1})
    status, _ = shop.ask("PUT", f"/api/orders/{order}", {"cart": cart, "customer": "Ada"},
                         {"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert status == 201
    exchanges = wait_until(lambda: all_of(shop, trace, 3), "three exchanges")
    assert [(one["caller"], one["service"], one["status"]) for one in exchanges] == [
        ("", "storefront", 201), ("storefront", "orders", 201), ("orders", "inventory", 201)]
    parents = ["b7ad6b7169203331"] + [one["span_id"] for one in exchanges]
    assert [one["parent_id"] for one in exchanges] == parents[:3]
    wait_until(lambda: {line["service"] for line in lines_about(shop, order)} == set(SERVICES), "all have said it")
    assert {line["trace_id"] for line in lines_about(shop, order)} == {trace}
    assert "inventory" in shop.weft("trace", trace)


def all_of(shop, trace, count):
    status, answer = shop.system.get(f"/v1/traces/{trace}", shop.system.control)
    exchanges = json.loads(answer)["exchanges"] if status == 200 else []
    return exchanges if len(exchanges) == count else None


def lines_about(shop, order):
    """What services have written about the order."""
    said = json.loads(shop.system.get("/v1/logs?tail=1000", shop.system.control)[1])["lines"]
    return [{"service": line["service"], "trace_id": json.loads(line["message"]).get("trace_id")}
            for line in said if order in line["message"]]


# --- the demonstration, and the page of the example


def demonstrate(folder, *arguments, **environment):
    mark = f"WEFT_TEST={uuid.uuid4()}"
    name, value = mark.split("=")
    run = subprocess.run([SHOP / "run.sh", WEFT.parents[2], *arguments], capture_output=True, text=True,
                         stdin=subprocess.DEVNULL, timeout=LIMIT * 4, check=False,
                         env={**os.environ, name: value, "TMPDIR": str(folder), **environment})
    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and has_mark(pid, mark)]
    assert not left, f"processes left behind: {left}"
    assert not list(folder.iterdir())
    return run


def has_mark(pid, mark):
    try:
        return mark.encode() in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


@pytest.fixture
def short():
    """A folder whose path is short, as unix sockets' paths are."""
    folder = tempfile.mkdtemp(prefix="weft-")
    yield pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_demonstration_orders_kills_and_audits(short):
    port, control = free_port(), free_port()
    run = demonstrate(short, "--once", SHOP_PORT=str(port), SHOP_CONTROL=str(control))
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"the first page after \d+ ms", run.stdout)
    assert "300/300 orders" in run.stdout
    for victim in ["inventory-0", "orders-1", "storefront-0"]:
        assert f"killed {victim}, process " in run.stdout
    assert run.stdout.count("    holds   ") == 8 and "BROKEN" not in run.stdout
    assert f"http://127.0.0.1:{port}/ " in run.stdout and f"http://127.0.0.1:{control}/ " in run.stdout
    assert "\x1b" not in run.stdout  # colour is for terminals


@pytest.mark.parametrize("taken", ["SHOP_PORT", "SHOP_CONTROL"])
def test_the_demonstration_says_that_a_port_is_taken(short, taken):
    ports = {"SHOP_PORT": str(free_port()), "SHOP_CONTROL": str(free_port())}
    with socket.create_server(("127.0.0.1", int(ports[taken]))):
        run = demonstrate(short, "--once", **ports)
    assert run.returncode == 1
    assert f"port {ports[taken]} is taken" in run.stderr
    assert f"{taken}={int(ports[taken]) + 1} " in run.stderr


def commands():
    """What the page tells to type: its indented lines, continued ones as one, and what it says in passing."""
    text = (SHOP / "README.md").read_text().replace("\\\n", "")
    lines = [re.sub(r"\s+#.*|\s+(?=\s)", "", line).strip() for line in text.splitlines() if line.startswith("    ")]
    return [line for line in lines if line] + re.findall(r"`(weft [^`]+)`", text)


# Each is run as it stands, but for ports and the folder of the build, and says this. None: it is tried elsewhere, or
# before each of the others.
PATH = 'PATH="$PWD/../../build/debug/src/app:$PWD/../../build/debug/examples/shop:$PATH"'
SAID = {
    "./dev run": None,
    PATH: None,
    "weft up": None,
    "./order.py --orders 1000 --clients 16": "1000/1000 orders",
    "shop-audit data": "1000 orders: ",
    "weft explain GET http://127.0.0.1:8080/api/products": "storefront",
    "weft get traffic": "/orders/",
    "weft trace": "orders",
    "weft scale inventory=0": "",
    "weft scale inventory=2": "",
    "weft get endpoints": "inventory-1",
    "curl -i -X PUT -H 'Content-Type: application/json' http://127.0.0.1:8080/orders/my-order-1"
    " -d '{\"customer\":\"Ada\",\"lines\":[{\"sku\":\"loom\",\"quantity\":1}]}'": "HTTP/1.1 201",
    "curl -s -X PUT -H 'Content-Type: application/json' http://127.0.0.1:8080/orders/my-order-2"
    " -d '{\"customer\":\"\",\"lines\":[{\"sku\":\"loom\",\"quantity\":0}]}'": "/lines/0/quantity",
}


def run_as_told(shop, command):
    command = f"{PATH}\n{command}".replace("8080", str(shop.system.port))
    command = command.replace("$PWD/../../build/debug", str(WEFT.parents[2]))
    if "order.py" in command:
        command += f" http://127.0.0.1:{shop.system.port}"
    done = subprocess.run(["bash", "-c", command], cwd=shop.folder, env=shop.system.environment(), capture_output=True,
                          text=True, check=False, timeout=60 * SLOWNESS, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_the_page_can_be_followed(shop):
    assert [command for command in commands() if command not in SAID] == []
    assert [command for command in SAID if command not in commands()] == []
    for command, said in SAID.items():
        if said is not None:
            assert said in run_as_told(shop, command), command
    again = next(command for command in SAID if "my-order-1" in command)
    wait_until(lambda: len(shop.ready()) == 6, "all are back")
    assert "HTTP/1.1 200" in run_as_told(shop, again)
    assert "HTTP/1.1 409" in run_as_told(shop, again.replace("Ada", "Ben"))
    shop.audit()
