// Small pieces that several pages use.
import { useState } from "preact/hooks";
import { KEPT_SECONDS } from "./signals.js";
import { amount, clock, errorLevel, latency, milliseconds, plural, rate, share } from "./format.js";
import { linkTo } from "./place.js";

// --- instances

const STATES = {
  ready: "ok",
  starting: "warn",
  unready: "bad",
  absent: "bad",
};

export function instanceState(endpoint) {
  if (endpoint.ejected) return { level: "bad", words: "ejected" };
  const process = endpoint.state === "absent" && endpoint.process ? `, ${endpoint.process}` : "";
  return { level: STATES[endpoint.state] || "warn", words: `${endpoint.state}${process}` };
}

export function Dots({ endpoints }) {
  const shown = endpoints.slice(0, 12);
  return (
    <span class="dots">
      {shown.map((endpoint) => {
        const state = instanceState(endpoint);
        return <i key={endpoint.name} class={`dot ${state.level}`} title={`${endpoint.name}: ${state.words}`} />;
      })}
      {endpoints.length > shown.length && <small>+{endpoints.length - shown.length}</small>}
    </span>
  );
}

export function State({ level, children }) {
  return (
    <span class={`state ${level}`}>
      <i class={`dot ${level}`} />
      {children}
    </span>
  );
}

export const NODE_LEVELS = { ready: "ok", degraded: "warn", down: "bad", external: "ok", gone: "idle" };

// --- curves

const WIDTH = 300;
const HEIGHT = 56;

// As long as there is little to show, a minute is as wide as the picture; it widens by whole minutes.
function spanOf(ats, now) {
  const seconds = ats.length ? now - ats[0] : 0;
  return Math.min(Math.max(Math.ceil(seconds / 60) * 60, 60), KEPT_SECONDS);
}

// lines: [{ name, level, values: [number or null] }]; values stand at times `ats`; the right edge is `now`.
function paths(lines, ats, now, span, top) {
  const x = (at) => WIDTH - ((now - at) / span) * WIDTH;
  const y = (value) => HEIGHT - 2 - (Math.min(value, top) / top) * (HEIGHT - 6);
  return lines.map((line) => {
    let text = "";
    let pen = false;
    line.values.forEach((value, i) => {
      if (value === null) {
        pen = false;
        return;
      }
      text += `${pen ? "L" : "M"}${x(ats[i]).toFixed(1)},${y(value).toFixed(1)}`;
      if (!pen && line.values[i + 1] === null) text += "h1";
      pen = true;
    });
    return text;
  });
}

// One golden signal: its number now and its last minutes.
export function Tile({ title, value, note, level, lines, ats, now, show }) {
  const [over, setOver] = useState(null);
  const span = spanOf(ats, now);
  const top = Math.max(...lines.flatMap((line) => line.values.map((found) => found ?? 0)), 1e-9);
  const empty = lines.every((line) => line.values.every((found) => found === null));
  const move = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = now - (1 - (event.clientX - box.left) / box.width) * span;
    let best = -1;
    ats.forEach((found, i) => {
      if (best < 0 || Math.abs(found - at) < Math.abs(ats[best] - at)) best = i;
    });
    setOver(best >= 0 && Math.abs(ats[best] - at) < 10 ? ats[best] : null);
  };
  const i = over === null ? -1 : ats.indexOf(over);
  const shown = i >= 0 ? lines.map((line) => show(line.values[i])).join(" / ") : value;
  return (
    <section class="tile">
      <header>
        <h4>{title}</h4>
        <span class={`number ${level || ""}`}>{shown}</span>
      </header>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title} of the last ${span / 60} min; now ${value}`}
        onPointerMove={move}
        onPointerLeave={() => setOver(null)}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT - 2} y2={HEIGHT - 2} class="base" />
        {paths(lines, ats, now, span, top).map((d, n) => (
          <path key={lines[n].name} d={d} class={`curve ${lines[n].level || ""}`} />
        ))}
        {i >= 0 && (
          <line
            class="over"
            x1={WIDTH - ((now - over) / span) * WIDTH}
            x2={WIDTH - ((now - over) / span) * WIDTH}
            y1="0"
            y2={HEIGHT}
          />
        )}
      </svg>
      <footer>
        <span>{i >= 0 ? `${Math.round(now - over)} s ago` : note}</span>
        <span>{empty ? "" : `${span / 60} min, top ${show(top)}`}</span>
      </footer>
    </section>
  );
}

export function GoldenSignals({ history, wanted, seconds }) {
  const now = history.signals(wanted, seconds);
  const series = history.series(wanted);
  const ats = series.map((point) => point.at);
  const common = { ats, now: history.at || 0 };
  const seconds_of = (found) => (found ? found.value : null);
  const time = (value) => (value === null ? "–" : milliseconds(value * 1000));
  return (
    <div class="tiles">
      <Tile
        {...common}
        title="Rate"
        value={rate(now.rate)}
        note={now.retryRate ? `retries ${rate(now.retryRate)}` : "exchanges"}
        show={rate}
        lines={[{ name: "rate", values: series.map((point) => point.rate) }]}
      />
      <Tile
        {...common}
        title="Errors"
        value={share(now.errorShare)}
        level={errorLevel(now.errorShare)}
        note={`${now.errors} of ${now.requests}`}
        show={share}
        lines={[{ name: "errors", level: "bad", values: series.map((point) => point.errorShare) }]}
      />
      <Tile
        {...common}
        title="Latency"
        value={`${latency(now.p50)} / ${latency(now.p99)}`}
        note={[<span key="p50" class="first">p50</span>, " / ", <span key="p99" class="second">p99</span>]}
        show={time}
        lines={[
          { name: "p50", values: series.map((point) => seconds_of(point.p50)) },
          { name: "p99", level: "second", values: series.map((point) => seconds_of(point.p99)) },
        ]}
      />
      <Tile
        {...common}
        title="Under way"
        value={amount(now.busy)}
        note={now.active === null ? "on average" : `on average; ${now.active} now`}
        show={amount}
        lines={[{ name: "busy", values: series.map((point) => point.busy) }]}
      />
    </div>
  );
}

// --- exchanges

export function failed(exchange) {
  return exchange.outcome !== "ok" || exchange.status >= 500;
}

export function statusLevel(exchange) {
  if (failed(exchange)) return "bad";
  return exchange.status >= 400 ? "warn" : "ok";
}

export function Status({ exchange }) {
  const known = exchange.status > 0 ? exchange.status : "no answer";
  return (
    <span class={`status ${statusLevel(exchange)}`} title={exchange.reason || ""}>
      {known}
      {exchange.outcome !== "ok" && <small> {exchange.mark}</small>}
    </span>
  );
}

export function whereTo(exchange) {
  return exchange.service || "Weft";
}

export function whereFrom(exchange) {
  return exchange.caller || exchange.gateway || "";
}

export function BriefExchanges({ exchanges, ways, none = "None is kept." }) {
  if (!exchanges.length) return <p class="dim">{none}</p>;
  return (
    <ul class="brief">
      {exchanges.map((exchange) => (
        <li key={exchange.span_id}>
          <a href={linkTo("trace", exchange.trace_id)}>
            <span class="dim">{clock(exchange.time).slice(0, 8)}</span>
            <Status exchange={exchange} />
            <span class="what">
              {exchange.method} {exchange.path}
              {ways && <small class="dim"> {whereFrom(exchange)} → {whereTo(exchange)}</small>}
            </span>
            <span class="took">{milliseconds(exchange.duration_ms)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

// --- what went wrong, and nothing to see

export function Problem({ error, what }) {
  if (!error || error.gone) return null;
  const missing = error.status === 404;
  return (
    <p class="problem" role="status">
      {missing ? `This Weft can't tell about ${what}: ` : `No news about ${what}: `}
      {error.message}
    </p>
  );
}

export function Choice({ label, value, options, onChange }) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

export function restartsOf(number) {
  return plural(number, "restart", "restarts");
}
