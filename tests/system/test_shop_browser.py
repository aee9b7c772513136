"""The shop's page in a real browser, before a real shop."""
import contextlib
import os
import pathlib
import uuid

import pytest
from selenium.webdriver.common.keys import Keys

from browser import Browser
from running import wait_until
from test_shop import Shop, set_up

EVIL = '<img src=x onerror="document.title=\'evil\'">'
SKUS = 12

pytestmark = pytest.mark.skipif(not os.path.exists("/usr/bin/chromium"), reason="there is no Chromium")


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def shop(system, monkeypatch):
    set_up(monkeypatch, system)
    return Shop(system).up()


@pytest.fixture
def page(chromium, shop):
    """The page on a shop of its own; afterwards nothing may have been complained of or fetched elsewhere."""
    url = f"http://127.0.0.1:{shop.system.port}/"
    chromium.look()
    chromium.open(url)
    chromium.wait(lambda: len(chromium.all(".product")) == SKUS, "the products")
    chromium.allowed = []
    yield chromium
    bad = [entry for entry in chromium.complaints() if not any(part in entry["message"] for part in chromium.allowed)]
    asked = {address for address, _ in chromium.traffic()}
    chromium.driver.get("about:blank")
    assert not bad
    assert {address for address in asked if not address.startswith((url, "about:"))} == set()


def picture(page, name):
    """Kept for people to look at, in the folder that $SHOP_PICTURES names."""
    if os.environ.get("SHOP_PICTURES"):
        page.driver.save_screenshot(str(pathlib.Path(os.environ["SHOP_PICTURES"]) / f"{name}.png"))


def card(sku, part=""):
    return f'.product[data-sku="{sku}"] {part}'


def put(page, sku, times=1):
    before = int(page.text("#cart-count") or 0)
    for more in range(times):
        page.one(card(sku, "button")).click()
        page.wait_text("#cart-count", str(before + more + 1))


def order(page, name):
    """From the cart on; its id."""
    page.go("#/cart")
    field = page.one("input[name=customer]")
    field.clear()
    field.send_keys(name)
    page.one("form button").click()
    page.one("#state")
    return page.text(".id")


def test_products_are_shown(page):
    names = page.texts(".product h2")
    assert "Table loom" in names and names == sorted(names)
    assert "189.00" in page.text(card("loom", ".price"))
    assert page.text(card("loom", ".stock")) == "600 in stock"
    seen = "return [...document.querySelectorAll('.product img')].every(i => i.complete && i.naturalWidth > 0)"
    page.run("document.querySelectorAll('img').forEach(i => { i.loading = 'eager'; })")
    page.wait(lambda: page.run(seen), "the pictures")
    assert page.text("main").endswith("Nobody has ordered yet.")
    picture(page, "products")
    page.look(dark=True)
    picture(page, "products-dark")


def test_from_the_shelf_to_a_confirmed_order(page, shop):
    put(page, "loom", 2)
    put(page, "comb")
    assert page.text(card("loom", "button")) == "One more (2)"
    page.one("#cart-link").click()
    page.wait_text("h1", "Your cart")
    assert "393.90" in page.text("#sum")
    picture(page, "cart")
    field = page.one('tr[data-sku="loom"] input')
    field.send_keys(Keys.CONTROL + "a" + Keys.NULL, "3", Keys.TAB)
    page.wait_text("#sum", "582.90")
    page.one('tr[data-sku="comb"] button').click()
    page.wait_text("#sum", "567.00")
    place = order(page, "Ada Lovelace")
    page.wait_text("#state", "confirmed")
    assert page.text(".order tbody") == "Table loom 3"
    assert "Ordered by Ada Lovelace" in page.text(".order")
    assert page.text("#cart-count") == "0"
    picture(page, "confirmed")
    found = shop.ask("GET", f"/orders/{place}")[1]
    assert (found["state"], found["lines"]) == ("confirmed", [{"sku": "loom", "quantity": 3}])
    page.go("#/")
    page.wait_text("table", "Ada Lovelace confirmed")
    assert page.text(card("loom", ".stock")) == "597 in stock, 3 sold lately"
    page.one("table a").click()
    page.wait_text("#state", "confirmed")


def test_an_order_is_settled_before_ones_eyes(page, shop):
    put(page, "loom")
    page.go("#/cart")
    page.one("input[name=customer]")
    shop.weft("scale", "inventory=0")
    wait_until(lambda: not shop.ready("inventory"), "inventory is gone")
    page.allowed = ["503"]  # the cart has no prices now
    page.one("input[name=customer]").send_keys("Ada", Keys.ENTER)
    page.wait_text("#state", "placed")
    assert page.text("#cart-count") == "0"
    page.run("window.same = true")
    picture(page, "placed")
    shop.weft("scale", "inventory=2")
    page.wait_text("#state", "confirmed")
    picture(page, "settled")
    assert page.run("return window.same") is True  # it was not loaded anew
    assert page.text("#notice") == ""
    shop.audit()


def test_an_order_waits_for_orders_too(page, shop):
    """Also while the page is closed: what was sent once is sent until there is an answer."""
    put(page, "loom")
    page.go("#/cart")
    page.one("input[name=customer]")
    shop.weft("scale", "orders=0")
    wait_until(lambda: not shop.ready("orders"), "orders is gone")
    page.allowed = ["503"]
    page.one("input[name=customer]").send_keys("Ada", Keys.ENTER)
    page.wait_text("#notice", "does not answer")
    picture(page, "unanswered")
    page.driver.get(f"http://127.0.0.1:{shop.system.port}/")
    page.wait_text("#notice", "does not answer")
    shop.weft("scale", "orders=2")
    page.wait_text("#state", "confirmed")
    assert page.text("#notice") == ""
    assert shop.audit() == 1


def test_a_stream_outlives_its_storefront(page, shop):
    put(page, "loom")
    page.go("#/cart")
    page.one("input[name=customer]")
    shop.weft("scale", "inventory=0")
    wait_until(lambda: not shop.ready("inventory"), "inventory is gone")
    page.allowed = ["503", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "502"]
    page.one("input[name=customer]").send_keys("Ada", Keys.ENTER)
    page.wait_text("#state", "placed")
    for one in shop.ready("storefront"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one["pid"], 9)
    shop.weft("scale", "inventory=2")
    page.wait_text("#state", "confirmed")


def test_what_is_sold_out_cannot_be_had(page, shop):
    stock = shop.item("loom")["stock"]
    while stock > 3:
        assert shop.order("loom", min(99, stock - 3)) == "confirmed"
        stock -= min(99, stock - 3)
    page.driver.refresh()
    page.wait_text(card("loom", ".stock"), "only 3 left")
    put(page, "loom")
    assert shop.order("loom", 3) == "confirmed"
    order(page, "Ben")
    page.wait_text("#state", "rejected: sold out")
    picture(page, "rejected")
    page.go("#/")
    page.wait_text(card("loom", ".stock"), "sold out")
    assert not page.one(card("loom", "button")).is_enabled()
    assert page.one(card("reed", "button")).is_enabled()


def test_texts_stay_texts(page, shop):
    shop.ask("PUT", f"/orders/{uuid.uuid4()}", {"customer": EVIL, "lines": [{"sku": EVIL[:40], "quantity": 1}]})
    page.driver.refresh()
    page.wait_text("table", EVIL)
    page.one("table a").click()
    page.wait_text("#state", "rejected: no such item")
    assert EVIL[:40] in page.text(".order tbody") and EVIL in page.text(".order")
    assert not page.all("main img") and "evil" not in page.driver.title
    page.go(f"#/orders/{EVIL}")
    page.wait_text("#notice", "there is no order of that id")
    page.allowed = ["404"]


def test_faults_are_told(page, shop):
    page.allowed = ["404", "503"]
    page.go("#/orders/no-such-order-1")
    page.wait_text("#notice", "there is no order of that id")
    shop.weft("scale", "inventory=0")
    wait_until(lambda: not shop.ready("inventory"), "inventory is gone")
    page.go("#/")
    page.wait_text("#notice", "the shop can't see its shelves now; try again")
    page.wait_text("h1", "That did not work")
    picture(page, "failed")
    shop.weft("scale", "inventory=2")
    wait_until(lambda: shop.ready("inventory"), "inventory is back")
    page.one("main button").click()
    page.wait(lambda: len(page.all(".product")) == SKUS, "the products")
    assert page.text("#notice") == ""


def test_a_phone_is_wide_enough(page):
    page.look(360, 740)
    put(page, "heddle")
    picture(page, "phone")
    page.go("#/cart")
    page.one("form button")
    picture(page, "phone-cart")
    order(page, "A name that is as long as a name may be, which is eighty letters, not one more..")
    page.wait_text("#state", "confirmed")
    picture(page, "phone-order")
    for place in ["#/", "#/cart", ""]:
        page.go(place)
        page.wait(lambda: not page.run("return document.documentElement.scrollWidth > innerWidth"), "no scrolling aside")


def test_it_works_by_keyboard_and_tells_where_one_is(page):
    unnamed = "return [...document.querySelectorAll('button, input, a, img')].filter(e => e.tagName === 'IMG' " \
              "? !e.hasAttribute('alt') : !(e.ariaLabel || e.innerText || e.labels?.length)).length"
    assert page.run(unnamed) == 0
    page.run("document.querySelector(arguments[0]).focus()", card("comb", "button"))
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait_text("#cart-count", "1")
    page.run("document.querySelector('#cart-link').focus()")
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait_text("h1", "Your cart")
    assert page.run(unnamed) == 0
    assert page.run("return document.activeElement.tagName") == "H1"
    assert page.driver.title.startswith("Your cart")
