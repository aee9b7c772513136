#!/usr/bin/env python3
"""order.py [--orders N] [--clients N] [--rate N] [--deliver] [URL]: sends orders to the shop, with a line that tells how it goes.

Each client keeps a connection and sends PUT /orders/ID. An answer that did not come, or that was a 5xx, is no answer:
the same order is sent again until the shop has said what became of it. Ends with status 1 if an order got no answer.
"""
import argparse
import http.client
import json
import random
import sys
import threading
import time
import urllib.parse
import uuid

SKUS = ["loom", "shuttle", "bobbin", "reed", "heddle", "warp-linen", "weft-wool", "cotton", "comb", "needle", "winder",
        "spindle"]
NAMES = ["Ada", "Ben", "Chidi", "Dana", "Eli", "Fatma", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lea"]
PATIENCE = 60  # seconds for one order


class Tally:
    def __init__(self, total):
        self.lock = threading.Lock()
        self.total, self.sent = total, 0
        self.done = self.again = self.lost = 0
        self.states = {}
        self.slowest = 0.0
        self.start = time.monotonic()

    def take(self):
        with self.lock:
            if self.total and self.sent >= self.total:
                return False
            self.sent += 1
            return True

    def count(self, state, again, seconds):
        with self.lock:
            self.done += state is not None
            self.lost += state is None
            self.again += again
            self.states[state or "lost"] = self.states.get(state or "lost", 0) + 1
            self.slowest = max(self.slowest, seconds)

    def line(self):
        seconds = max(time.monotonic() - self.start, 0.001)
        with self.lock:
            states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
            of = f"/{self.total}" if self.total else ""
            return (f"{self.done}{of} orders, {self.done / seconds:.0f}/s: {states or 'none yet'}; "
                    f"{self.again} sent again, slowest {self.slowest:.2f} s")


class Client:
    def __init__(self, url, tally, chance, deliver):
        self.url, self.tally, self.chance, self.deliver = url, tally, chance, deliver
        self.connection = None

    def ask(self, method, path, body):
        """The status and the answer, or None when none came."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.url.hostname, self.url.port or 80, timeout=10)
            self.connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError):
            if self.connection:
                self.connection.close()
            self.connection = None
            return None

    def order(self):
        """One order, sent until it has an answer that is final."""
        skus = self.chance.sample(SKUS, self.chance.randint(1, 3))
        body = json.dumps({"customer": self.chance.choice(NAMES),
                           "lines": [{"sku": sku, "quantity": self.chance.randint(1, 3)} for sku in skus]})
        path, began, again = f"/orders/{uuid.UUID(int=self.chance.getrandbits(128))}", time.monotonic(), 0
        while True:
            answer = self.ask("PUT", path, body)
            if answer and answer[0] in (200, 201) and answer[1].get("state") != "placed":
                if self.deliver and answer[1].get("reason") == "sold out":
                    for sku in skus:
                        self.ask("POST", f"/items/{sku}/deliveries", json.dumps({"quantity": 100}))
                return self.tally.count(answer[1].get("state"), again, time.monotonic() - began)
            if answer and 400 <= answer[0] < 500:
                print(f"\norder.py: {path}: {answer}", file=sys.stderr)
                return self.tally.count(None, again, time.monotonic() - began)
            if time.monotonic() - began > PATIENCE:
                return self.tally.count(None, again, time.monotonic() - began)
            again += 1
            time.sleep(min(0.05 * again, 0.5))

    def run(self, pause):
        while self.tally.take():
            self.order()
            if pause:
                time.sleep(pause)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8080")
    parser.add_argument("--orders", type=int, default=0, help="how many in all; 0: until it is stopped")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--rate", type=float, default=0, help="orders a second, of all clients; 0: as fast as they go")
    parser.add_argument("--deliver", action="store_true", help="what is sold out is delivered anew")
    parser.add_argument("--seed", type=int, default=None, help="the same orders again")
    options = parser.parse_args()
    tally, url = Tally(options.orders), urllib.parse.urlsplit(options.url)
    seed = random.randrange(2**32) if options.seed is None else options.seed
    pause = options.clients / options.rate if options.rate else 0
    clients = [Client(url, tally, random.Random(f"{seed}/{number}"), options.deliver) for number in range(options.clients)]
    threads = [threading.Thread(target=client.run, args=(pause,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.5)
            if sys.stdout.isatty():
                print(f"\r\033[K{tally.line()}", end="", flush=True)
    except KeyboardInterrupt:
        pass
    print(f"\r\033[K{tally.line()}" if sys.stdout.isatty() else tally.line())
    return 1 if tally.lost else 0


if __name__ == "__main__":
    sys.exit(main())
