// One trace: all exchanges that Weft saw of it, by who called whom, on one line of time.
import { useMemo, useState } from "preact/hooks";
import { clock, milliseconds, plural } from "./format.js";
import { linkTo } from "./place.js";
import { usePoll } from "./poll.js";
import { failed, Problem, Status, whereFrom, whereTo } from "./parts.jsx";
import { Bar, markLeaves, StepRow } from "./waterfall.jsx";

// Where each exchange starts: `offset_ms` says so. Without it, an exchange's `time` is its end, in whole milliseconds;
// what a service called lies within what it was called by, and is moved there by the fractions that `time` doesn't tell.
export function lineUp(exchanges) {
  const bySpan = new Map(exchanges.map((exchange) => [exchange.span_id, exchange]));
  const rows = [];
  const starts = new Map();
  const exact = exchanges.every((exchange) => typeof exchange.offset_ms === "number");
  const startOf = (exchange) => (exact ? exchange.offset_ms : Date.parse(exchange.time) - exchange.duration_ms);
  const children = (id) =>
    exchanges.filter((exchange) => exchange.parent_id === id && id).sort((a, b) => startOf(a) - startOf(b));
  const visit = (exchange, depth) => {
    if (starts.has(exchange.span_id)) return; // a span that is its own ancestor is drawn once
    const parent = bySpan.get(exchange.parent_id);
    let start = startOf(exchange);
    if (!exact && parent && starts.has(parent.span_id)) {
      const from = starts.get(parent.span_id);
      const until = from + parent.duration_ms - exchange.duration_ms;
      start = Math.max(Math.min(start, Math.max(until, from)), from);
    }
    starts.set(exchange.span_id, start);
    rows.push({ exchange, depth, start });
    for (const child of children(exchange.span_id)) visit(child, depth + 1);
  };
  const roots = exchanges.filter((exchange) => !bySpan.has(exchange.parent_id) || exchange.parent_id === exchange.span_id);
  for (const root of roots.sort((a, b) => startOf(a) - startOf(b))) visit(root, 0);
  for (const exchange of exchanges) visit(exchange, 0);
  const zero = Math.min(...rows.map((row) => row.start));
  const end = Math.max(...rows.map((row) => row.start + row.exchange.duration_ms));
  return { total: end - zero, rows: rows.map((row) => ({ ...row, start: row.start - zero })) };
}

function Row({ row, total, open, toggle }) {
  const { exchange, depth, start } = row;
  const steps = markLeaves(exchange.steps || []);
  return (
    <>
      <li class="span">
        <button aria-expanded={open} onClick={toggle}>
          <span class="name" style={{ paddingLeft: `${depth * 16}px` }}>
            <i class="fold" />
            <span class="from">{whereFrom(exchange)} → </span>
            <b>{whereTo(exchange)}</b>
            {exchange.endpoint && <small> {exchange.endpoint}</small>}
            <span class="request">
              {exchange.method} {exchange.path} <Status exchange={exchange} />
            </span>
          </span>
          <Bar start={start} duration={exchange.duration_ms} total={total} level={failed(exchange) ? "bad" : "ok"} />
          <span class="took">{milliseconds(exchange.duration_ms)}</span>
        </button>
      </li>
      {open &&
        steps.map((step, i) => (
          <StepRow key={i} step={step} offset={start} total={total} indent={depth * 1.34 + 2} />
        ))}
      {open && exchange.steps_dropped > 0 && <li class="dim">and {exchange.steps_dropped} steps that were not kept</li>}
    </>
  );
}

export function Trace({ id }) {
  const { data, error } = usePoll(`/v1/traces/${encodeURIComponent(id)}`);
  const [closed, setClosed] = useState({});
  const { rows, total } = useMemo(
    () => (data && data.exchanges.length ? lineUp(data.exchanges) : { rows: [], total: 0 }),
    [data],
  );
  const bad = rows.filter((row) => failed(row.exchange)).length;
  const first = rows[0] && rows[0].exchange;
  const services = new Set(rows.map((row) => row.exchange.service).filter(Boolean));
  return (
    <div class="page trace">
      <div class="bar-line">
        <a href={linkTo("exchanges")}>← exchanges</a>
        <h2>
          Trace <code>{id}</code>
        </h2>
      </div>
      {error && error.status === 404 && !data ? (
        <div class="empty">
          <h3>This trace is not kept any more</h3>
          <p>Weft keeps the last exchanges in memory only, or the id was mistyped.</p>
        </div>
      ) : (
        <Problem error={error} what="this trace" />
      )}
      {first && (
        <>
          <p class="summary">
            {first.method} {first.authority}
            {first.path} at {clock(first.time)}: {milliseconds(total)},{" "}
            {plural(rows.length, "exchange", "exchanges")} with {plural(services.size, "service", "services")}
            {bad > 0 && ", "}
            {bad > 0 && <b class="bad">{bad} failed</b>}
          </p>
          <ol class="waterfall wide" aria-label="the trace's exchanges on one line of time">
            <li class="scale" aria-hidden="true">
              <span class="name" />
              <span class="track">
                {[0, 0.25, 0.5, 0.75, 1].map((part) => (
                  <i key={part}>{milliseconds(total * part)}</i>
                ))}
              </span>
              <span class="took" />
            </li>
            {rows.map((row) => (
              <Row
                key={row.exchange.span_id}
                row={row}
                total={total}
                open={!closed[row.exchange.span_id]}
                toggle={() => setClosed({ ...closed, [row.exchange.span_id]: !closed[row.exchange.span_id] })}
              />
            ))}
          </ol>
        </>
      )}
    </div>
  );
}
