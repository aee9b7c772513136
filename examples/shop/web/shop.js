// The shop's page: plain views on what storefront says. Texts are always put in as text, never as HTML.

const view = document.getElementById("view");
const notice = document.getElementById("notice");
const cart = remembered("cart");
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
    throw new Error(faults || content.detail || content.title || `the shop answered with status ${answer.status}`);
  }
  return content;
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

function show(...children) {
  view.replaceChildren(...children);
}

// --- products

function productCard(product) {
  const soldOut = product.stock === 0;
  return element("li", { class: "product", "data-sku": product.sku },
    element("img", { src: product.picture, alt: "", loading: "lazy", width: 240, height: 180 }),
    element("div", {},
      element("h2", {}, product.name),
      element("span", { class: "price" }, money(product.cents)),
      element("span", { class: "stock" },
        soldOut ? "sold out" : `${product.stock} in stock`, product.sold ? `, ${product.sold} sold lately` : ""),
      element("button", { disabled: soldOut, onclick: () => act(() => addToCart(product.sku)) }, "Put into cart")));
}

async function showProducts(turn) {
  const [{ products }, { orders }] = await Promise.all([
    ask("GET", "/api/products"),
    ask("GET", "/api/orders?limit=5").catch(() => ({ orders: [] })),
  ]);
  if (turn !== shown) return;
  show(element("ul", { class: "products" }, ...products.map(productCard)),
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
  document.getElementById("cart-count").textContent = cartLines.reduce((sum, line) => sum + line.quantity, 0);
}

const changeLine = async (sku, quantity) => keepCart(await ask("PUT", `/api/carts/${cart}/${encodeURIComponent(sku)}`, { quantity }));

async function addToCart(sku) {
  const line = cartLines.find((one) => one.sku === sku);
  await changeLine(sku, Math.min((line ? line.quantity : 0) + 1, 99));
}

function cartRow(line) {
  const change = (event) => act(async () => {
    await changeLine(line.sku, Number(event.target.value));
    go();
  });
  return element("tr", {},
    element("td", {}, line.name || line.sku),
    element("td", { class: "number" },
      element("input", { type: "number", min: 0, max: 99, value: line.quantity, "aria-label": `how many of ${line.name}`, onchange: change })),
    element("td", { class: "number" }, money(line.cents * line.quantity)));
}

async function showCart(turn) {
  const content = await ask("GET", `/api/carts/${cart}`);
  if (turn !== shown) return;
  keepCart(content);
  if (!content.lines.length) {
    show(element("p", { class: "quiet" }, "There is nothing in your cart. "), element("a", { href: "#/" }, "Look at what we have"));
    return;
  }
  show(element("h1", {}, "Your cart"),
    element("table", {},
      element("tbody", {}, ...content.lines.map(cartRow)),
      element("tfoot", {}, element("tr", {}, element("th", {}, "Sum"), element("th", {}),
        element("th", { class: "number" }, money(content.cents))))),
    checkoutForm());
}

// The order's id is chosen before anything is sent, and kept until there is an answer: whatever is lost on the way, the
// same order is sent again, never another one.
function checkoutForm() {
  const name = element("input", { name: "customer", required: true, maxlength: 80, autocomplete: "name", value: localStorage.getItem("customer") || "" });
  return element("form", {
    onsubmit: (event) => {
      event.preventDefault();
      act(async () => {
        const order = remembered("order");
        localStorage.setItem("customer", name.value);
        await ask("POST", `/api/carts/${cart}/checkout`, { order, customer: name.value });
        localStorage.removeItem("order");
        keepCart({ lines: [] });
        location.hash = `#/orders/${order}`;
      });
    },
  }, element("label", {}, "Your name", name), element("button", {}, "Order"));
}

// --- an order, which updates itself

const STATES = { placed: "placed, being reserved", confirmed: "confirmed", rejected: "rejected" };

function drawOrder(order) {
  show(element("article", { class: "order" },
    element("h1", {}, "Your order"),
    element("p", { class: "id" }, order.id),
    element("p", {}, "State: ", element("span", { class: `state ${order.state}`, id: "state" }, STATES[order.state] || order.state),
      order.reason ? ` (${order.reason})` : ""),
    element("table", {}, element("tbody", {}, ...order.lines.map((line) => element("tr", {},
      element("td", {}, line.sku), element("td", { class: "number" }, String(line.quantity)))))),
    element("p", { class: "quiet" }, `Ordered by ${order.customer}, ${new Date(order.placed_ms).toLocaleString()}`)));
}

async function showOrder(turn, id) {
  const order = await ask("GET", `/api/orders/${encodeURIComponent(id)}`);
  if (turn !== shown) return;
  drawOrder(order);
  if (order.state !== "placed") return;
  events = new EventSource(`/api/orders/${encodeURIComponent(id)}/events`);
  events.addEventListener("state", (event) => {
    const now = JSON.parse(event.data);
    if (turn !== shown) return;
    drawOrder(now);
    if (now.state !== "placed") events.close();
  });
}

// --- which view

async function go() {
  const turn = ++shown;
  const [, where, id] = location.hash.split("/");
  if (events) events.close();
  events = null;
  await act(() => {
    if (where === "cart") return showCart(turn);
    if (where === "orders" && id) return showOrder(turn, id);
    return showProducts(turn);
  });
}

window.addEventListener("hashchange", go);
await go();
await act(async () => keepCart(await ask("GET", `/api/carts/${cart}`)));
