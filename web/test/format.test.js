// How numbers are written.
import assert from "node:assert";
import test from "node:test";
import * as format from "../src/format.js";

test("numbers have three digits and a unit", () => {
  const rows = [
    [format.rate, [[null, "–"], [0, "0/s"], [0.004, "<0.01/s"], [0.25, "0.25/s"], [9.999, "10.0/s"], [42, "42.0/s"],
      [99.96, "100/s"], [999.6, "1000/s"], [1234, "1234/s"], [12345, "12.3k/s"], [2.5e6, "2.50M/s"]]],
    [format.milliseconds, [[null, "–"], [undefined, "–"], [0, "0 ms"], [0.001, "<0.01 ms"], [0.42, "0.42 ms"],
      [22, "22.0 ms"], [999.4, "999 ms"], [999.6, "1.00 s"], [59994, "60.0 s"], [60000, "1.00 min"]]],
    [format.share, [[null, "–"], [0, "0%"], [0.00001, "<0.01%"], [0.005, "0.50%"], [0.15, "15.0%"], [0.9995, ">99.9%"],
      [1, "100%"]]],
    [format.amount, [[null, "–"], [0, "0"], [0.001, "<0.01"], [0.6, "0.60"], [12, "12.0"]]],
    [format.count, [[0, "0"], [9999, "9999"], [10000, "10.0k"], [3.2e9, "3.20G"]]],
    [format.bytes, [[312, "312 B"], [5120, "5.00 KiB"], [3145728, "3.00 MiB"]]],
    [format.duration, [[4, "4 s"], [61, "1 min"], [4000, "1 h 6 min"], [90000, "1 d 1 h"]]],
    [format.latency, [[null, "–"], [{ value: 0.022, over: false }, "22.0 ms"], [{ value: 10, over: true }, ">10.0 s"]]],
    [format.errorLevel, [[null, "ok"], [0, "ok"], [0.0001, "warn"], [0.00999, "warn"], [0.01, "bad"], [1, "bad"]]],
    [format.clock, [["", ""], ["nonsense", "nonsense"]]],
  ];
  for (const [write, cases] of rows)
    for (const [value, wanted] of cases) assert.equal(write(value), wanted, `${write.name}(${JSON.stringify(value)})`);
  assert.equal(format.plural(1, "service", "services"), "1 service");
  assert.equal(format.plural(0, "service", "services"), "0 services");
});
