// Who calls whom: drawn from what was really exchanged, with golden signals on nodes and edges.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { amount, errorLevel, latency, rate, share } from "./format.js";
import { LABEL, layOut, NODE } from "./layout.js";
import { go, linkTo } from "./place.js";
import { Detail, Facts } from "./services.jsx";
import { BriefExchanges, Dots, NODE_LEVELS, Problem, restartsOf, State } from "./parts.jsx";
import { edgeKey, ofNode } from "./signals.js";
import { usePoll } from "./poll.js";

const READABLE = 0.7; // below this scale, layers go from top to bottom

function idOf(kind, name) {
  return `${kind} ${name}`;
}

// Nodes and edges to draw. A caller that nobody knows (any more) is a node as well, or its edges would hang in the air.
function graphOf(system) {
  const nodes = system.nodes.map((node) => ({ ...node, id: idOf(node.kind, node.name) }));
  const known = new Set(nodes.map((node) => node.id));
  const need = (kind, name) => {
    const id = idOf(kind, name);
    if (!known.has(id)) nodes.push({ id, kind, name, state: kind === "answer" ? "" : "unknown", ready: 0, endpoints: 0, restarts: 0 });
    known.add(id);
    return id;
  };
  const edges = (system.history.last ? system.history.last.edges : [])
    .filter((edge) => edge.requests > 0 || edge.active > 0)
    .map((edge) => ({
      key: edgeKey(edge),
      from: need(edge.from_kind, edge.from),
      to: need(edge.to_kind, edge.to),
      edge,
    }));
  const order = { gateway: 0, service: 1, answer: 2 };
  nodes.sort((a, b) => order[a.kind] - order[b.kind] || (a.name < b.name ? -1 : 1));
  edges.sort((a, b) => (a.key < b.key ? -1 : 1));
  return { nodes, edges };
}

// The width of an element, as it changes.
function useWidth(ref) {
  const [width, set] = useState(0);
  useLayoutEffect(() => {
    const look = () => set(ref.current.clientWidth);
    const observer = new ResizeObserver(look);
    look();
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return width;
}

// --- edges

function edgeWidth(perSecond) {
  return perSecond ? Math.min(1.5 + 1.7 * Math.log10(1 + perSecond), 8) : 1.2;
}

function Edge({ item, place, system }) {
  const now = system.history.signals((edge) => edge === item.edge, system.seconds);
  const idle = !now.requests;
  const level = idle ? "idle" : errorLevel(now.errorShare);
  return (
    <g class={`edge ${level}`} data-edge={`${item.edge.from || "?"}>${item.edge.to || "answer"}`}>
      <path d={place.path} stroke-width={edgeWidth(now.rate).toFixed(2)} marker-end={`url(#tip-${level})`} />
    </g>
  );
}

function Label({ item, place, system }) {
  const now = system.history.signals((edge) => edge === item.edge, system.seconds);
  const idle = !now.requests;
  const level = idle ? "idle" : errorLevel(now.errorShare);
  const style = { left: `${place.x - LABEL.width / 2}px`, top: `${place.y - LABEL.height / 2}px` };
  return (
    <div class={`label ${level}`} style={style} data-edge={`${item.edge.from || "?"}>${item.edge.to || "answer"}`}>
      <b>{now.rate === null ? "…" : idle ? "idle" : rate(now.rate)}</b>
      {!idle && <span>p99 {latency(now.p99)}</span>}
      {now.errors > 0 && <em>{share(now.errorShare)} errors</em>}
    </div>
  );
}

// --- nodes

function nodeTitle(node) {
  if (node.kind === "answer") return "Weft itself";
  return node.name || "unknown caller";
}

function nodeState(node) {
  if (node.kind === "answer") return "no service";
  return node.kind === "gateway" ? "gateway" : node.state;
}

function Node({ node, place, system, chosen }) {
  const now = system.history.signals(ofNode(node.kind, node.name), system.seconds);
  const endpoints = system.endpoints.filter((endpoint) => node.kind === "service" && endpoint.service === node.name);
  const level = node.kind === "service" ? NODE_LEVELS[node.state] || "warn" : "";
  const style = { left: `${place.x - NODE.width / 2}px`, top: `${place.y - NODE.height / 2}px` };
  const words = `${nodeTitle(node)}, ${nodeState(node)}, ${rate(now.rate)}, ${share(now.errorShare)} errors, p99 ${latency(now.p99)}`;
  return (
    <button
      class={`node ${node.kind} ${level} ${chosen ? "chosen" : ""}`}
      style={style}
      data-node={node.name || node.kind}
      aria-label={words}
      aria-pressed={chosen}
      onClick={() => go(chosen ? linkTo("topology") : linkTo("topology", `${node.kind}:${node.name}`))}
    >
      <span class="head">
        <b>{nodeTitle(node)}</b>
        {node.kind === "service" ? <State level={level}>{node.state}</State> : <small class="dim">{nodeState(node)}</small>}
      </span>
      <span class="figures">
        <span>
          <b>{rate(now.rate)}</b>
          <small>rate</small>
        </span>
        <span class={errorLevel(now.errorShare)}>
          <b>{share(now.errorShare)}</b>
          <small>errors</small>
        </span>
        <span>
          <b>{latency(now.p50)}</b>
          <small>p50</small>
        </span>
        <span>
          <b>{latency(now.p99)}</b>
          <small>p99</small>
        </span>
      </span>
      <span class="foot">
        {node.kind === "service" && (
          <>
            <Dots endpoints={endpoints} />
            <small>
              {node.ready}/{node.endpoints} ready
            </small>
            {node.restarts > 0 && (
              <small class="warn" title={restartsOf(node.restarts)}>
                ↻ {node.restarts}
              </small>
            )}
          </>
        )}
        <small class="right" title="on average">
          {amount(now.busy)} under way
        </small>
      </span>
    </button>
  );
}

// --- nothing has come by yet

function firstPath(routes) {
  const route = (routes || []).find((found) => ["exact", "prefix", "any"].includes(found.path_kind));
  return { path: (route && route.path) || "/", host: (route && route.hosts && route.hosts[0]) || "" };
}

export function TryIt({ system }) {
  const { data } = usePoll("/v1/routes");
  const gateways = (system.status && system.status.gateways) || [];
  const listen = gateways.length ? gateways[0].listen : "http://127.0.0.1:8080";
  const { path, host } = firstPath(data && data.routes);
  const address = listen.replace("//0.0.0.0", "//127.0.0.1").replace("//[::]", "//[::1]");
  const named = host && !host.startsWith("*") ? ` -H 'Host: ${host}'` : "";
  return (
    <div class="empty try">
      <h3>No exchange yet</h3>
      <p>This picture is drawn from what really happens. Ask something:</p>
      <pre>
        curl -i{named} {address}
        {path}
      </pre>
      <p class="dim">
        Which route that takes, and why: <code>weft explain GET {address + path}</code>
      </p>
    </div>
  );
}

// --- the side panel

function Panel({ id, system }) {
  const at = id.indexOf(":");
  const [kind, name] = at < 0 ? ["service", id] : [id.slice(0, at), id.slice(at + 1)];
  const ref = useRef(null);
  const node = system.nodes.find((found) => found.kind === kind && found.name === name);
  useEffect(() => {
    if (ref.current) ref.current.focus({ preventScroll: true });
    const escape = (event) => {
      if (event.key === "Escape") go(linkTo("topology"));
    };
    addEventListener("keydown", escape);
    return () => removeEventListener("keydown", escape);
  }, [id]);
  return (
    <aside class="panel" tabIndex={-1} ref={ref} aria-label={`about ${name || "answers of Weft itself"}`}>
      <div class="bar-line">
        <h2>{kind === "answer" ? "Weft itself" : name || "unknown caller"}</h2>
        {node && kind === "service" && (
          <State level={NODE_LEVELS[node.state] || "warn"}>
            {node.state}, {node.ready} of {node.endpoints} ready
          </State>
        )}
        {kind === "gateway" && <span class="dim">gateway</span>}
        <a class="close" href={linkTo("topology")} aria-label="close">
          ✕
        </a>
      </div>
      {kind === "answer" && (
        <p class="dim">Answers that no service gave: respond, redirect and files stages, and requests without a route.</p>
      )}
      {kind === "service" && (
        <>
          <Facts service={system.services.find((service) => service.name === name)} />
          <a href={linkTo("services", name)}>open as a page</a>
        </>
      )}
      <Detail key={id} kind={kind} name={name} system={system} brief />
    </aside>
  );
}

// --- the picture

function Picture({ system, chosen }) {
  const ref = useRef(null);
  const width = useWidth(ref);
  const graph = graphOf(system);
  const shape = [...graph.nodes.map((node) => node.id), ...graph.edges.map((edge) => edge.key)].join("\n\n");
  const across = useMemo(() => layOut(graph.nodes, graph.edges, false), [shape]);
  const down = useMemo(() => layOut(graph.nodes, graph.edges, true), [shape]);
  const choices = graph.edges.length ? [across, down] : [down, across]; // without edges, all stand in one layer
  const narrow = across.width < down.width ? across : down;
  const places = choices.find((choice) => width / choice.width >= READABLE) || narrow;
  const scale = Math.max(Math.min(width / places.width, 1.1), READABLE);
  const box = { width: `${places.width * scale}px`, height: `${places.height * scale}px` };
  const size = { width: `${places.width}px`, height: `${places.height}px`, transform: `scale(${scale.toFixed(4)})` };
  return (
    <div class="picture" ref={ref}>
      {width > 0 && graph.nodes.length > 0 && (
        <div class="canvas" style={box}>
          <div class="scaled" style={size}>
            <svg width={places.width} height={places.height} aria-hidden="true">
              <defs>
                {["ok", "warn", "bad", "idle"].map((level) => (
                  <marker
                    key={level}
                    id={`tip-${level}`}
                    class={level}
                    viewBox="0 0 10 10"
                    refX="9"
                    refY="5"
                    markerUnits="userSpaceOnUse"
                    markerWidth="11"
                    markerHeight="11"
                    orient="auto"
                  >
                    <path d="M0,0.5L10,5L0,9.5z" />
                  </marker>
                ))}
              </defs>
              {graph.edges.map((item) => (
                <Edge key={item.key} item={item} place={places.edges.get(item.key)} system={system} />
              ))}
            </svg>
            {graph.edges.map((item) => (
              <Label key={item.key} item={item} place={places.edges.get(item.key)} system={system} />
            ))}
            {graph.nodes.map((node) => (
              <Node
                key={node.id}
                node={node}
                place={places.nodes.get(node.id)}
                system={system}
                chosen={chosen === `${node.kind}:${node.name}` || (node.kind === "service" && chosen === node.name)}
              />
            ))}
          </div>
        </div>
      )}
    </div>
  );
}

// What happened last, below the picture.
function Lately() {
  const last = usePoll("/v1/traffic?limit=8");
  const failed = usePoll("/v1/traffic?limit=8&errors=true");
  if (!last.data || !last.data.exchanges.length) return null;
  return (
    <div class="blocks">
      <section class="block">
        <h3>
          Last exchanges <a href={linkTo("exchanges")}>all</a>
        </h3>
        <BriefExchanges exchanges={last.data.exchanges} ways />
      </section>
      <section class="block">
        <h3>
          Failed last <a href={linkTo("exchanges", "", { errors: "true" })}>all</a>
        </h3>
        {failed.data && <BriefExchanges exchanges={failed.data.exchanges} ways none="None of those that are kept." />}
      </section>
    </div>
  );
}

export function Topology({ id, system, errors, setSeconds }) {
  const edges = system.history.last ? system.history.last.edges : [];
  const quiet = system.history.last && !edges.some((edge) => edge.requests > 0 || edge.active > 0);
  return (
    <div class={`page topology ${id ? "with-panel" : ""}`}>
      <div class="main">
        <div class="bar-line">
          <h2>Topology</h2>
          <span class="dim">
            widths by rate; <i class="key ok" /> no errors <i class="key warn" /> under 1% <i class="key bad" /> 1% and more
          </span>
          <div class="choice-of" role="group" aria-label="numbers over the last">
            {[[10, "10 s"], [60, "1 min"], [300, "5 min"]].map(([seconds, text]) => (
              <button key={seconds} aria-pressed={system.seconds === seconds} onClick={() => setSeconds(seconds)}>
                {text}
              </button>
            ))}
          </div>
        </div>
        <Problem error={errors.topology} what="the topology" />
        {quiet && <TryIt system={system} />}
        <Picture system={system} chosen={id} />
        <Lately />
      </div>
      {id && <Panel id={id} system={system} />}
    </div>
  );
}
