// Rates and quantiles from cumulative numbers: node --test web/test/*.test.js
import assert from "node:assert";
import test from "node:test";
import { difference, History, ofNode, quantile } from "../src/signals.js";

const BOUNDS = [0.005, 0.01, 0.025, Infinity];

function edge(requests, counts, more = {}) {
  const buckets = counts.map((count, i) => ({ le: i === 3 ? "+Inf" : BOUNDS[i], count }));
  return {
    from: "web", from_kind: "gateway", to: "orders", to_kind: "service",
    requests, errors: 0, retries: 0, active: 0, seconds: requests / 100, buckets, ...more,
  };
}

function answer(second, ...edges) {
  return { time: new Date(Date.UTC(2026, 10, 21, 8, 30, 0) + second * 1000).toISOString(), nodes: [], edges };
}

test("quantiles are linear within a bucket", () => {
  const rows = [
    [[0, 0, 0, 0], 0.5, null],
    [[10, 10, 10, 10], 0.5, 0.0025],
    [[10, 10, 10, 10], 1, 0.005],
    [[0, 10, 10, 10], 0.5, 0.0075],
    [[5, 10, 10, 10], 0.5, 0.005],
    [[5, 10, 10, 10], 0.75, 0.0075],
    [[0, 0, 4, 4], 0.99, 0.01 + 0.015 * 0.99],
    [[1, 1, 1, 1], 0.99, 0.00495],
  ];
  for (const [counts, q, wanted] of rows) {
    const found = quantile(BOUNDS, counts, q);
    if (wanted === null) assert.equal(found, null);
    else assert.ok(Math.abs(found.value - wanted) < 1e-12 && !found.over, `${counts} ${q}: ${found.value}`);
  }
});

test("above the last bound there is only: more than", () => {
  assert.deepEqual(quantile(BOUNDS, [0, 0, 9, 10], 0.99), { value: 0.025, over: true });
  assert.deepEqual(quantile(BOUNDS, [0, 0, 0, 1], 0.5), { value: 0.025, over: true });
  assert.equal(quantile([], [], 0.5), null);
});

test("a number that fell starts anew", () => {
  const before = edge(100, [50, 80, 100, 100]);
  assert.equal(difference(before, edge(130, [60, 100, 130, 130])).requests, 30);
  assert.deepEqual(difference(before, edge(130, [60, 100, 130, 130])).counts, [10, 20, 30, 30]);
  assert.equal(difference(before, edge(7, [1, 2, 7, 7])).requests, 7);
  // More requests than before, but a bucket shows that they are others.
  assert.deepEqual(difference(before, edge(120, [20, 100, 120, 120])).counts, [20, 100, 120, 120]);
  assert.equal(difference(before, edge(110, [50, 80, 110, 110], { errors: 0 })).requests, 10);
  assert.equal(difference(edge(100, [1, 1, 1, 1], { errors: 5 }), edge(110, [1, 1, 1, 1], { errors: 2 })).requests, 110);
  // Other buckets than before.
  const other = { ...before, buckets: [{ le: 1, count: 3 }, { le: "+Inf", count: 3 }] };
  assert.deepEqual(difference(other, edge(3, [1, 2, 3, 3])).counts, [1, 2, 3, 3]);
});

test("rates are of what came between answers", () => {
  const history = new History();
  const all = () => true;
  history.take(answer(0, edge(1000, [1000, 1000, 1000, 1000])));
  assert.equal(history.signals(all, 10).rate, null);
  history.take(answer(1, edge(1010, [1010, 1010, 1010, 1010])));
  assert.equal(history.signals(all, 10).rate, 10);
  history.take(answer(4, edge(1100, [1100, 1100, 1100, 1100], { errors: 10 })));
  assert.equal(history.signals(all, 10).rate, 25);
  assert.equal(history.signals(all, 3).rate, 30);
  assert.equal(history.signals(all, 10).errorShare, 0.1);
  assert.equal(history.signals(all, 10).busy, 0.25);
  history.take(answer(5, edge(20, [20, 20, 20, 20])));
  assert.equal(history.signals(all, 1).rate, 20);
  assert.equal(history.signals(all, 10).rate, 24);
  assert.deepEqual(history.series(all).map((point) => point.rate), [10, 30, 20]);
});

test("an edge that comes later counts from nothing", () => {
  const history = new History();
  history.take(answer(0));
  history.take(answer(2, edge(8, [8, 8, 8, 8])));
  assert.equal(history.signals(() => true, 10).rate, 4);
});

test("the same answer twice is one, and a clock set back starts anew", () => {
  const history = new History();
  history.take(answer(5, edge(10, [10, 10, 10, 10])));
  history.take(answer(5, edge(12, [12, 12, 12, 12])));
  history.take(answer(6, edge(20, [20, 20, 20, 20])));
  assert.equal(history.signals(() => true, 10).rate, 10);
  history.take(answer(1, edge(30, [30, 30, 30, 30])));
  assert.equal(history.signals(() => true, 10).rate, null);
  history.take(answer(2, edge(33, [33, 33, 33, 33])));
  assert.equal(history.signals(() => true, 10).rate, 3);
});

test("only so many minutes are kept", () => {
  const history = new History();
  for (let i = 0; i < 1000; i++) history.take(answer(i, edge(i, [i, i, i, i])));
  assert.equal(history.points.length, 301);
  assert.equal(history.signals(() => true, 300).rate, 1);
});

test("a node is the sum of its edges", () => {
  const history = new History();
  const from = (name, requests) => edge(requests, [requests, requests, requests, requests], { from: name, active: 2 });
  const none = edge(0, [0, 0, 0, 0], { to: "", to_kind: "answer" });
  history.take(answer(0, from("a", 0), from("b", 0), none));
  history.take(answer(1, from("a", 3), from("b", 4), { ...none, requests: 5 }));
  assert.equal(history.signals(ofNode("service", "orders"), 10).rate, 7);
  assert.equal(history.signals(ofNode("service", "orders"), 10).active, 4);
  assert.equal(history.signals((found) => found.from === "web", 10).active, 0);
  assert.equal(history.signals(() => false, 10).active, null);
  assert.equal(history.signals(ofNode("gateway", "a"), 10).rate, 3);
  assert.equal(history.signals(ofNode("answer", ""), 10).rate, 5);
});
