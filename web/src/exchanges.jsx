// Recent exchanges, newest first, each with its way through the stages.
import { useState } from "preact/hooks";
import { bytes, clock, milliseconds } from "./format.js";
import { goQuietly, linkTo } from "./place.js";
import { usePoll } from "./poll.js";
import { Choice, failed, Problem, Status, whereFrom, whereTo } from "./parts.jsx";
import { Waterfall } from "./waterfall.jsx";
import { TryIt } from "./topology.jsx";

function Facts({ exchange }) {
  const facts = [
    ["Why", exchange.outcome === "ok" ? "" : exchange.reason],
    ["Client", exchange.client],
    ["Route", exchange.route],
    ["Instance", exchange.endpoint],
    ["Tries", exchange.attempts > 1 ? String(exchange.attempts) : ""],
    ["Body in, out", `${bytes(exchange.bytes_received)}, ${bytes(exchange.bytes_sent)}`],
    ["Request id", exchange.request_id],
  ];
  return (
    <dl class="facts">
      {facts
        .filter(([, text]) => text)
        .map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      <div>
        <dt>Trace</dt>
        <dd>
          <a href={linkTo("trace", exchange.trace_id)}>{exchange.trace_id}</a>
        </dd>
      </div>
    </dl>
  );
}

function Row({ exchange, slowest, open, toggle }) {
  const width = `${Math.max((exchange.duration_ms / slowest) * 100, 1).toFixed(1)}%`;
  return (
    <li class={open ? "open" : ""}>
      <button class="row" aria-expanded={open} onClick={toggle}>
        <span class="time">{clock(exchange.time)}</span>
        <Status exchange={exchange} />
        <span class="request" title={`${exchange.method} ${exchange.authority}${exchange.path}`}>
          <b>{exchange.method}</b> {exchange.path}
        </span>
        <span class="way">
          {whereFrom(exchange)} → {whereTo(exchange)}
          {exchange.attempts > 1 && <small> {exchange.attempts} tries</small>}
        </span>
        <span class="took">
          <i class={`meter ${failed(exchange) ? "bad" : ""}`} style={{ width }} />
          {milliseconds(exchange.duration_ms)}
        </span>
      </button>
      {open && (
        <div class="detail">
          <Facts exchange={exchange} />
          <Waterfall exchange={exchange} />
        </div>
      )}
    </li>
  );
}

export function Exchanges({ place, system }) {
  const [open, setOpen] = useState("");
  const [paused, setPaused] = useState(false);
  const wanted = Object.fromEntries(["service", "errors", "slower_ms"].map((key) => [key, place.query.get(key) || ""]));
  const words = new URLSearchParams({ limit: "100" });
  for (const [key, value] of Object.entries(wanted)) if (value) words.set(key, value);
  const held = paused || open !== ""; // what one reads doesn't run away
  const { data, error } = usePoll(`/v1/traffic?${words}`, held);
  const exchanges = data ? data.exchanges : [];
  const filter = (key, value) => {
    setOpen("");
    goQuietly(linkTo("exchanges", "", { ...wanted, [key]: value }));
  };
  const hold = (wish) => {
    setPaused(wish);
    setOpen("");
  };
  const filtered = Boolean(wanted.service || wanted.errors || wanted.slower_ms);
  const slowest = Math.max(...exchanges.map((exchange) => exchange.duration_ms), 1e-6);
  return (
    <div class="page exchanges">
      <div class="bar-line">
        <h2>Exchanges</h2>
        <Choice
          label="Service"
          value={wanted.service}
          options={[["", "all"], ...system.services.map((service) => [service.name, service.name])]}
          onChange={(value) => filter("service", value)}
        />
        <Choice
          label="Slower than"
          value={wanted.slower_ms}
          options={[["", "any"], ["10", "10 ms"], ["100", "100 ms"], ["500", "500 ms"], ["1000", "1 s"], ["5000", "5 s"]]}
          onChange={(value) => filter("slower_ms", value)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={wanted.errors === "true"}
            onChange={(event) => filter("errors", event.currentTarget.checked ? "true" : "")}
          />
          errors only
        </label>
        <button class="plain" aria-pressed={held} onClick={() => hold(!held)}>
          {held ? "▶ go on" : "❚❚ pause"}
        </button>
      </div>
      <Problem error={error} what="exchanges" />
      {data && data.recording === false && <p class="problem">Exchanges are not recorded: the file switches it off.</p>}
      {data && !exchanges.length && filtered && <p class="empty">No kept exchange is like that.</p>}
      {data && !exchanges.length && !filtered && <TryIt system={system} />}
      <ol class="list">
        {exchanges.map((exchange) => (
          <Row
            key={exchange.span_id}
            exchange={exchange}
            slowest={slowest}
            open={open === exchange.span_id}
            toggle={() => setOpen(open === exchange.span_id ? "" : exchange.span_id)}
          />
        ))}
      </ol>
    </div>
  );
}
