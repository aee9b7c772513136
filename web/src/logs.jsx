// What services wrote, as it comes. Texts of services are always put in as text.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { clock } from "./format.js";
import { go, linkTo } from "./place.js";
import { ask, useEvery } from "./poll.js";
import { Choice, Problem } from "./parts.jsx";

const KEPT_LINES = 2000;

// Lines of a service (or all, for ""), the last `tail` first and then what comes.
export function useLogs(service, tail) {
  const [state, set] = useState({ service, lines: null, error: null });
  const cursor = useRef({ service: null, at: null, count: 0 });
  useEvery(
    async (wanted) => {
      if (cursor.current.service !== service) cursor.current = { service, at: null, count: 0 };
      const words = new URLSearchParams({ tail: String(tail) });
      if (service) words.set("service", service);
      if (cursor.current.at) words.set("after", cursor.current.at);
      try {
        const answer = await ask(`/v1/logs?${words}`);
        if (!wanted()) return;
        const first = !cursor.current.at;
        const fresh = answer.lines.map((line) => ({ ...line, key: cursor.current.count++, ...parseMessage(line.message) }));
        cursor.current.at = answer.cursor;
        set((old) => {
          const before = old.service === service && !first && old.lines ? old.lines : [];
          if (old.service === service && old.lines && !fresh.length && !first && !old.error) return old;
          return { service, lines: before.concat(fresh).slice(-KEPT_LINES), error: null };
        });
      } catch (error) {
        if (wanted()) set((old) => ({ service, lines: old.service === service ? old.lines : null, error }));
      }
    },
    [service, tail],
  );
  return state.service === service ? state : { service, lines: null, error: null };
}

// Many services write JSON: then the message is read out of it, and the rest stands behind it.
export function parseMessage(message) {
  if (!message.startsWith("{")) return { text: message };
  let fields;
  try {
    fields = JSON.parse(message);
  } catch {
    return { text: message };
  }
  const key = ["message", "msg"].find((name) => typeof fields[name] === "string");
  if (!key) return { text: message };
  const level = typeof fields.level === "string" ? fields.level : "";
  const hidden = new Set([key, "level", "time", "ts", "timestamp", "service", "instance", "trace_id"]);
  const rest = Object.entries(fields)
    .filter(([name]) => !hidden.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
  return { text: fields[key], level, rest, trace: typeof fields.trace_id === "string" ? fields.trace_id : "" };
}

function levelOf(line) {
  if (/^(err|fatal|crit|panic)/i.test(line.level || "")) return "bad";
  if (/^warn/i.test(line.level || "")) return "warn";
  return "";
}

export function Line({ line, brief }) {
  return (
    <li class={`line ${levelOf(line)} ${line.stream}`}>
      <span class="time">{clock(line.time).slice(0, brief ? 8 : 12)}</span>
      <span class="who" title={`${line.service}, ${line.stream === "err" ? "standard error" : "standard output"}`}>
        {line.instance}
      </span>
      <span class="text">
        {line.level && <b>{line.level} </b>}
        {line.text}
        {line.rest && <small> {line.rest}</small>}
        {line.trace && <a href={linkTo("trace", line.trace)}> trace</a>}
      </span>
    </li>
  );
}

export function Logs({ id, system }) {
  const [words, setWords] = useState("");
  const [follow, setFollow] = useState(true);
  const { lines, error } = useLogs(id, 500);
  const box = useRef(null);
  const shown = useMemo(() => {
    const wanted = words.toLowerCase();
    const has = (line) => `${line.instance} ${line.message}`.toLowerCase().includes(wanted);
    return (lines || []).filter((line) => !wanted || has(line));
  }, [lines, words]);
  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, follow]);
  const scrolled = () => {
    const it = box.current;
    setFollow(it.scrollHeight - it.scrollTop - it.clientHeight < 24);
  };
  return (
    <div class="page logs">
      <div class="bar-line">
        <h2>Logs</h2>
        <Choice
          label="Service"
          value={id}
          options={[["", "all"], ...system.services.map((service) => [service.name, service.name])]}
          onChange={(value) => go(linkTo("logs", value))}
        />
        <input
          type="search"
          aria-label="show lines with these words"
          placeholder="only lines with…"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <label class="check">
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
          follow
        </label>
        <span class="dim count">
          {words ? `${shown.length} of ${(lines || []).length} lines` : `${shown.length} lines`}
        </span>
      </div>
      <Problem error={error} what="logs" />
      {lines && !shown.length && (
        <p class="empty">
          {words ? "No line has these words." : "Nothing yet. What services write to standard output and error appears here."}
        </p>
      )}
      {shown.length > 0 && (
        <ol class="lines" ref={box} onScroll={scrolled} tabIndex={0} aria-label="log lines">
          {shown.map((line) => (
            <Line key={line.key} line={line} />
          ))}
        </ol>
      )}
    </div>
  );
}
