"""Headless Chromium for the tests of pages: waits for what a page shows, and knows what it asked for and complained of."""
import json
import os
import shutil
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from running import LIMIT

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"]


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="weft-browser-")
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*FLAGS, f"--user-data-dir={self.profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = Service("/usr/bin/chromedriver", env={**os.environ, "TZ": "UTC"})
        self.driver = webdriver.Chrome(service=service, options=options)
        self.driver.set_page_load_timeout(LIMIT)
        self.driver.set_script_timeout(LIMIT)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def look(self, width=1280, height=800, dark=False):
        """The size of the window and what the user prefers."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, url):
        """A page that knows nothing of the last one."""
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(url)

    def go(self, place):
        self.run("location.hash = arguments[0]", place)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.wait(lambda: (self.all(selector) or [None])[0], selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText.trim())", selector)

    def text(self, selector):
        """The text of the first such element, with white space as one space; empty if there is none."""
        found = self.texts(selector)
        return " ".join(found[0].split()) if found else ""

    def wait(self, condition, what, limit=LIMIT):
        end = time.monotonic() + limit
        while True:
            result = condition()
            if result:
                return result
            if time.monotonic() > end:
                raise AssertionError(f"waited {limit} s for: {what}; the page says:\n{self.text('body')}")
            time.sleep(0.05)

    def wait_text(self, selector, part):
        return self.wait(lambda: part in self.text(selector), f"'{part}' in {selector}")

    def complaints(self):
        """What the console got since open()."""
        return [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def traffic(self):
        """What was asked for since open(): [(address, bytes on the wire)]."""
        urls, sizes = {}, {}
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            told = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                urls[told["requestId"]] = told["request"]["url"]
            elif message["method"] == "Network.loadingFinished":
                sizes[told["requestId"]] = told["encodedDataLength"]
        return [(url, sizes.get(key, 0)) for key, url in urls.items()]
