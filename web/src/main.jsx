// The dashboard: asks the control API each second and shows what it says. See docs/dashboard.md.
import { render } from "preact";
import { useRef, useState } from "preact/hooks";
import { duration } from "./format.js";
import { linkTo, PAGES, usePlace } from "./place.js";
import { ask, useEvery } from "./poll.js";
import { State } from "./parts.jsx";
import { History } from "./signals.js";
import { Exchanges } from "./exchanges.jsx";
import { Logs } from "./logs.jsx";
import { Services } from "./services.jsx";
import { Topology } from "./topology.jsx";
import { Trace } from "./trace.jsx";

const PARTS = ["status", "services", "endpoints", "topology"];
const TITLES = { topology: "Topology", services: "Services", exchanges: "Exchanges", logs: "Logs" };

// What every page needs: asked all the time, so that rates go on while another page is open.
function useSystem(seconds) {
  const history = useRef(null);
  if (!history.current) history.current = new History();
  const [state, set] = useState({ parts: {}, errors: {}, goneSince: null, seen: false });
  useEvery(async (wanted) => {
    const answers = await Promise.allSettled(PARTS.map((part) => ask(`/v1/${part}`)));
    if (!wanted()) return;
    const parts = {};
    const errors = {};
    answers.forEach((answer, i) => {
      if (answer.status === "fulfilled") parts[PARTS[i]] = answer.value;
      else errors[PARTS[i]] = answer.reason;
    });
    const gone = answers.every((answer) => answer.status === "rejected" && answer.reason.gone);
    if (parts.topology) history.current.take(parts.topology);
    set((old) => ({
      parts: { ...old.parts, ...parts },
      errors: gone ? {} : errors,
      goneSince: gone ? old.goneSince || Date.now() : null,
      now: Date.now(),
      seen: old.seen || !gone,
    }));
  }, []);
  const { parts } = state;
  const services = parts.services ? parts.services.services : [];
  return {
    ...state,
    system: {
      status: parts.status || null,
      services,
      endpoints: parts.endpoints ? parts.endpoints.endpoints : [],
      nodes: parts.topology ? parts.topology.nodes : [],
      history: history.current,
      seconds,
    },
  };
}

function Header({ place, system, gone }) {
  const status = system.status;
  const current = place.page === "trace" ? "exchanges" : place.page;
  return (
    <header class="top">
      <a class="brand" href={linkTo("topology")}>
        <img src="/icon.svg" alt="" width="22" height="22" />
        <b>{status ? status.system || "Weft" : "Weft"}</b>
      </a>
      <nav aria-label="pages">
        {PAGES.map((page) => (
          <a key={page} href={linkTo(page)} aria-current={current === page ? "page" : undefined}>
            {TITLES[page]}
          </a>
        ))}
      </nav>
      <span class="about">
        {gone ? (
          <State level="bad">no answer</State>
        ) : status ? (
          <State level={status.ready ? "ok" : "warn"}>{status.ready ? "ready" : "not ready"}</State>
        ) : null}
        {status && (
          <small class="dim">
            up {duration(status.uptime_seconds)} · file {status.config} · Weft {status.version}
          </small>
        )}
      </span>
    </header>
  );
}

function Gone({ since, now, seen }) {
  return (
    <p class="gone" role="alert">
      <b>The control API at {location.host} gives no answer</b>
      {seen ? ` for ${duration((now - since) / 1000)}. What you see is the last that it said.` : "."} Asking again each
      second. Is <code>weft up</code> running?
    </p>
  );
}

function Page({ place, system, errors, setSeconds }) {
  const { page, id } = place;
  if (page === "services") return <Services id={id} system={system} errors={errors} />;
  if (page === "exchanges") return <Exchanges place={place} system={system} />;
  if (page === "trace") return <Trace key={id} id={id} />;
  if (page === "logs") return <Logs id={id} system={system} />;
  return <Topology id={id} system={system} errors={errors} setSeconds={setSeconds} />;
}

function App() {
  const place = usePlace();
  const [seconds, setSeconds] = useState(10);
  const { system, errors, goneSince, now, seen } = useSystem(seconds);
  const name = system.status && system.status.system;
  document.title = `${name ? `${name} · ` : ""}${TITLES[place.page] || "Trace"} · Weft`;
  return (
    <>
      <Header place={place} system={system} gone={goneSince !== null} />
      {goneSince !== null && <Gone since={goneSince} now={now} seen={seen} />}
      <main class={goneSince !== null ? "stale" : ""}>
        {seen ? <Page place={place} system={system} errors={errors} setSeconds={setSeconds} /> : null}
      </main>
    </>
  );
}

render(<App />, document.getElementById("app"));
