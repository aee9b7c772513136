// The shop's page: plain views on what storefront says. Texts are always put in as text, never as HTML.

const view = document.getElementById("view");
const notice = document.getElementById("notice");
const SHOP = document.title;
const FEW = 10; // left in stock: worth a word
const AGAIN_MS = 1000;
const cart = remembered("cart");
const names = new Map(); // of products, by SKU
let shown = 0; // counts views, so that an answer that comes late does not overwrite a newer one
let events = null;

function remembered(name) {
  let value = localStorage.getItem(name);
  if (!value) {
    value = makeId();
    localStorage.setItem(name, value);
  }
  return value;
}

function makeId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- small helpers

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const money = (cents) => (cents / 100).toLocaleString(undefined, { style: "currency", currency: "EUR" });
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function tell(text) {
  notice.textContent = text;
  notice.hidden = !text;
}

async function ask(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const faults = (content.errors || []).map((one) => `${one.pointer} ${one.detail}`).join(", ");
    const error = new Error(faults || content.detail || content.title || `the shop answered with status ${answer.status}`);
    error.refused = answer.status < 500;
    throw error;
  }
  return content;
}

// Asks again until there is an answer, or another view is shown (null). Only for what may be asked twice.
async function askUntilAnswered(turn, ...request) {
  for (;;) {
    try {
      const content = await ask(...request);
      if (turn !== shown) return null;
      tell("");
      return content;
    } catch (error) {
      if (turn !== shown) return null;
      if (error.refused) throw error;
      tell("The shop does not answer. Your order is not forgotten: this page asks again.");
      await sleep(AGAIN_MS);
    }
  }
}

// Runs what a person has begun, and says what went wrong.
async function act(work) {
  try {
    tell("");
    await work();
  } catch (error) {
    tell(error.message);
  }
}

function show(title, ...children) {
  const heading = element("h1", { tabindex: -1 }, title);
  const first = !view.querySelector("h1");
  document.title = `${title} · ${SHOP}`;
  view.replaceChildren(heading, ...children);
  if (!first) heading.focus({ preventScroll: true }); // for those who don't see that the view has changed
}

// --- products

function stockText({ stock, sold }) {
  const left = stock === 0 ? "sold out" : stock <= FEW ? `only ${stock} left` : `${stock} in stock`;
  return sold ? `${left}, ${sold} sold lately` : left;
}

function productCard(product) {
  const button = element("button", { disabled: product.stock === 0, "aria-label": `Put ${product.name} into the cart` });
  const label = () => {
    const line = cartLines.find((one) => one.sku === product.sku);
    button.textContent = line ? `One more (${line.quantity})` : "Put into cart";
  };
  button.addEventListener("click", () => act(async () => {
    await addToCart(product.sku);
    label();
  }));
  label();
  return element("li", { class: "product", "data-sku": product.sku },
    element("img", { src: product.picture, alt: "", loading: "lazy", width: 240, height: 180 }),
    element("div", {},
      element("h2", {}, product.name),
      element("span", { class: "price" }, money(product.cents)),
      element("span", { class: product.stock <= FEW ? "stock few" : "stock" }, stockText(product)),
      button));
}

async function loadProducts() {
  const { products } = await ask("GET", "/api/products");
  products.forEach((product) => names.set(product.sku, product.name));
  return products;
}

async function showProducts(turn) {
  const [products, { orders }] = await Promise.all([
    loadProducts(),
    ask("GET", "/api/orders?limit=5").catch(() => ({ orders: [] })),
    loadCart().catch(() => {}),
  ]);
  if (turn !== shown) return;
  show("What we have", element("ul", { class: "products" }, ...products.map(productCard)),
    element("h2", {}, "Latest orders"),
    orders.length ? orderTable(orders) : element("p", { class: "quiet" }, "Nobody has ordered yet."));
}

function orderTable(orders) {
  return element("table", {},
    element("tbody", {}, ...orders.map((order) => element("tr", {},
      element("td", {}, element("a", { href: `#/orders/${order.id}` }, order.customer)),
      element("td", {}, element("span", { class: `state ${order.state}` }, order.state), order.reason ? `: ${order.reason}` : ""),
      element("td", { class: "number" }, new Date(order.placed_ms).toLocaleTimeString())))));
}

// --- cart

let cartLines = [];

function keepCart(content) {
  cartLines = content.lines;
  cartLines.forEach((line) => names.set(line.sku, line.name || line.sku));
  document.getElementById("cart-count").textContent = cartLines.reduce((sum, line) => sum + line.quantity, 0);
}

const loadCart = async () => keepCart(await ask("GET", `/api/carts/${cart}`));
const changeLine = async (sku, quantity) => keepCart(await ask("PUT", `/api/carts/${cart}/${encodeURIComponent(sku)}`, { quantity }));

async function addToCart(sku) {
  const line = cartLines.find((one) => one.sku === sku);
  await changeLine(sku, Math.min((line ? line.quantity : 0) + 1, 99));
}

const sum = () => money(cartLines.reduce((cents, line) => cents + line.cents * line.quantity, 0));

function cartRow(line) {
  const name = names.get(line.sku);
  const price = element("td", { class: "number" }, money(line.cents * line.quantity));
  const change = (quantity) => act(async () => {
    await changeLine(line.sku, quantity);
    if (quantity === 0) return drawCart();
    price.textContent = money(line.cents * quantity); // only that, so that the field keeps the focus
    document.getElementById("sum").textContent = sum();
  });
  return element("tr", { "data-sku": line.sku },
    element("td", {}, name),
    element("td", { class: "number" },
      element("input", { type: "number", min: 0, max: 99, required: true, value: line.quantity, "aria-label": `how many: ${name}`,
        onchange: (event) => event.target.reportValidity() && change(Number(event.target.value)) })),
    price,
    element("td", {}, element("button", { class: "plain", "aria-label": `remove ${name}`, onclick: () => change(0) }, "×")));
}

function drawCart() {
  if (!cartLines.length) {
    show("Your cart", element("p", { class: "quiet" }, "There is nothing in it. "), element("a", { href: "#/" }, "Look at what we have"));
    return;
  }
  show("Your cart",
    element("table", { class: "cart" },
      element("tbody", {}, ...cartLines.map(cartRow)),
      element("tfoot", {}, element("tr", {}, element("th", { scope: "row", colspan: 2 }, "Sum"),
        element("th", { class: "number", id: "sum" }, sum()), element("th", {})))),
    checkoutForm());
}

async function showCart(turn) {
  await loadCart();
  if (turn === shown) drawCart();
}

// The order's id is chosen and kept before anything is sent, and forgotten when there is an answer: whatever is lost on
// the way, also this page, the same order is sent again, never another one.
const pending = () => JSON.parse(localStorage.getItem("pending"));

function checkoutForm() {
  const name = element("input", { name: "customer", required: true, maxlength: 80, autocomplete: "name", value: localStorage.getItem("customer") || "" });
  return element("form", {
    onsubmit: (event) => {
      const order = pending() || { id: makeId(), customer: name.value };
      event.preventDefault();
      localStorage.setItem("customer", order.customer);
      localStorage.setItem("pending", JSON.stringify(order));
      location.hash = `#/orders/${order.id}`;
    },
  }, element("label", {}, "Your name", name), element("button", {}, "Order"));
}

// --- an order, which updates itself

const STATES = {
  placed: "placed: we have it, and look for it on our shelves",
  confirmed: "confirmed: it is yours",
  rejected: "rejected",
};

function drawState(state, order) {
  state.className = `state ${order.state}`;
  state.textContent = (STATES[order.state] || order.state) + (order.reason ? `: ${order.reason}` : "");
}

function drawOrder(order) {
  const state = element("p", { id: "state", role: "status" });
  drawState(state, order);
  show("Your order", element("article", { class: "order" },
    state,
    element("table", {}, element("tbody", {}, ...order.lines.map((line) => element("tr", {},
      element("td", {}, names.get(line.sku) || line.sku), element("td", { class: "number" }, String(line.quantity)))))),
    element("p", { class: "quiet" }, `Ordered by ${order.customer}, ${new Date(order.placed_ms).toLocaleString()}`),
    element("p", { class: "id" }, order.id)),
  element("a", { href: "#/" }, "Back to the shop"));
  return state;
}

async function sendOrder(turn, { id, customer }) {
  show("Your order", element("p", { class: "quiet" }, "It is being sent."));
  try {
    const order = await askUntilAnswered(turn, "PUT", `/api/orders/${id}`, { cart, customer });
    if (order) {
      localStorage.removeItem("pending");
      keepCart({ lines: [] });
    }
    return order;
  } catch (error) {
    localStorage.removeItem("pending"); // refused: it will never be one
    throw error;
  }
}

async function showOrder(turn, id) {
  const waiting = pending();
  const order = waiting && waiting.id === id
    ? await sendOrder(turn, waiting)
    : await askUntilAnswered(turn, "GET", `/api/orders/${encodeURIComponent(id)}`);
  if (order && !names.size) await loadProducts().catch(() => {});
  if (!order || turn !== shown) return;
  const state = drawOrder(order);
  loadCart().catch(() => {});
  if (order.state !== "placed") return;
  events = new EventSource(`/api/orders/${encodeURIComponent(id)}/events`);
  events.addEventListener("state", (event) => {
    const now = JSON.parse(event.data);
    if (turn !== shown) return;
    drawState(state, now);
    if (now.state !== "placed") events.close();
  });
  // An answer that is no stream is the end for the browser; not for us.
  events.addEventListener("error", async () => {
    if (turn !== shown || events.readyState !== EventSource.CLOSED) return;
    await sleep(AGAIN_MS);
    if (turn === shown) go();
  });
}

// --- which view

async function go() {
  const turn = ++shown;
  const [, where, id] = location.hash.split("/");
  if (events) events.close();
  events = null;
  try {
    tell("");
    if (where === "cart") await showCart(turn);
    else if (where === "orders" && id) await showOrder(turn, id);
    else await showProducts(turn);
  } catch (error) {
    if (turn !== shown) return;
    show("That did not work", element("p", {}, element("button", { onclick: go }, "Try again")), element("a", { href: "#/" }, "Back to the shop"));
    tell(error.message);
  }
}

window.addEventListener("hashchange", go);
const unsent = pending();
if (unsent && location.hash !== `#/orders/${unsent.id}`) location.hash = `#/orders/${unsent.id}`;
else go();
