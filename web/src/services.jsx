// All services in a table, and one service with everything that is known about it.
import { amount, bytes, count, errorLevel, latency, plural, rate, share } from "./format.js";
import { linkTo } from "./place.js";
import { usePoll } from "./poll.js";
import { Line, useLogs } from "./logs.jsx";
import {
  BriefExchanges,
  Dots,
  GoldenSignals,
  instanceState,
  NODE_LEVELS,
  Problem,
  restartsOf,
  State,
} from "./parts.jsx";
import { ofNode } from "./signals.js";

export function nodeOf(system, kind, name) {
  return system.nodes.find((node) => node.kind === kind && node.name === name);
}

// Why an instance is not ready, as far as it is known.
function reasonOf(endpoint) {
  const reasons = [
    endpoint.waits_for && `waits for ${endpoint.waits_for}`,
    endpoint.last_error && `check: ${endpoint.last_error}`,
    endpoint.last_exit && `last: ${endpoint.last_exit}`,
  ];
  return reasons.filter(Boolean).join(", ");
}

function Instances({ endpoints, brief }) {
  if (!endpoints.length) return <p class="dim">None.</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Instance</th>
            <th>State</th>
            <th class="right">Restarts</th>
            <th class="right">Under way</th>
            {!brief && <th>Address</th>}
          </tr>
        </thead>
        <tbody>
          {endpoints.map((endpoint) => {
            const state = instanceState(endpoint);
            return (
              <tr key={endpoint.name}>
                <td>
                  {endpoint.name}
                  {endpoint.pid > 0 && <small class="dim"> pid {endpoint.pid}</small>}
                </td>
                <td>
                  <State level={state.level}>{state.words}</State>
                  {endpoint.live === "failing" && <small class="bad"> not live</small>}
                  {state.level !== "ok" && <small class="why dim">{reasonOf(endpoint)}</small>}
                </td>
                <td class={`right ${endpoint.restarts > 0 ? "warn" : ""}`} title={endpoint.last_exit}>
                  {endpoint.restarts ?? "–"}
                </td>
                <td class="right">{endpoint.active ?? "–"}</td>
                {!brief && <td class="dim">{endpoint.address}</td>}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Calls({ title, edges, system, nameOf }) {
  return (
    <section class="block">
      <h3>{title}</h3>
      {!edges.length && <p class="dim">Nothing yet.</p>}
      <ul class="calls">
        {edges.map((edge) => {
          const now = system.history.signals((found) => found === edge, system.seconds);
          return (
            <li key={nameOf(edge)}>
              <b>{nameOf(edge)}</b>
              <span>{rate(now.rate)}</span>
              <span class={errorLevel(now.errorShare)}>{now.errors ? `${share(now.errorShare)} errors` : "no errors"}</span>
              <span>p99 {latency(now.p99)}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function RecentLogs({ service }) {
  const { lines, error } = useLogs(service, 20);
  return (
    <section class="block whole">
      <h3>
        Logs <a href={linkTo("logs", service)}>all</a>
      </h3>
      <Problem error={error} what="logs" />
      {lines && !lines.length && <p class="dim">No line yet.</p>}
      <ol class="lines brief">
        {(lines || []).slice(-12).map((line) => (
          <Line key={line.key} line={line} brief />
        ))}
      </ol>
    </section>
  );
}

function Recent({ kind, name }) {
  const path = kind === "service" ? `/v1/traffic?limit=8&service=${encodeURIComponent(name)}` : "/v1/traffic?limit=100";
  const { data, error } = usePoll(path);
  const fits = (exchange) =>
    kind === "gateway" ? exchange.gateway === name && !exchange.caller : kind === "service" || !exchange.service;
  return (
    <section class="block">
      <h3>
        Exchanges <a href={linkTo("exchanges", "", kind === "service" ? { service: name } : {})}>all</a>
      </h3>
      <Problem error={error} what="exchanges" />
      {data && <BriefExchanges exchanges={data.exchanges.filter(fits).slice(0, 8)} />}
    </section>
  );
}

// What is known about a node: of the side panel, and of a service's own page.
export function Detail({ kind, name, system, brief }) {
  const edges = system.history.last ? system.history.last.edges : [];
  const service = system.services.find((found) => found.name === name);
  const into = kind === "gateway" ? [] : edges.filter(ofNode(kind, name));
  const from = kind === "answer" ? [] : edges.filter((edge) => edge.from_kind === kind && edge.from === name);
  return (
    <div class="detail-of">
      {service && service.warning && <p class="problem">{service.warning}</p>}
      <GoldenSignals history={system.history} wanted={ofNode(kind, name)} seconds={system.seconds} />
      <div class="blocks">
        {kind === "service" && (
          <section class="block">
            <h3>Instances</h3>
            <Instances endpoints={system.endpoints.filter((endpoint) => endpoint.service === name)} brief={brief} />
          </section>
        )}
        <Recent kind={kind} name={name} />
        {kind !== "gateway" && (
          <Calls title="Called by" edges={into} system={system} nameOf={(edge) => edge.from || "unknown"} />
        )}
        {kind !== "answer" && (
          <Calls title="Calls" edges={from} system={system} nameOf={(edge) => edge.to || "answered by Weft"} />
        )}
        {kind === "service" && <RecentLogs service={name} />}
      </div>
    </div>
  );
}

export function Facts({ service }) {
  if (!service) return null;
  const run = service.run || (service.url || []).join(", ");
  const { memory, cpu, files } = service.limits || {};
  const limits = [memory && bytes(memory), cpu && `${cpu} CPU`, files && `${files} files`].filter(Boolean);
  const moved = service.scale_file !== undefined && service.scale_file !== service.scale;
  const facts = [
    service.scale !== undefined && `scale ${service.scale}${moved ? ` (${service.scale_file} in the file)` : ""}`,
    limits.length > 0 && `at most ${limits.join(", ")}`,
    service.policy && `policy ${service.policy}`,
    service.balance && `balance ${service.balance}`,
    service.needs && service.needs.length > 0 && `needs ${service.needs.join(", ")}`,
  ].filter(Boolean);
  return (
    <p class="dim">
      {run && <code>{run}</code>} {facts.join(" · ")}
    </p>
  );
}

function Row({ service, system }) {
  const node = nodeOf(system, "service", service.name);
  const now = system.history.signals(ofNode("service", service.name), system.seconds);
  const endpoints = system.endpoints.filter((endpoint) => endpoint.service === service.name);
  const restarts = service.restarts ?? (node && node.restarts) ?? 0;
  const state = node ? node.state : service.ready > 0 ? "ready" : "down";
  return (
    <tr>
      <td>
        <a href={linkTo("services", service.name)}>{service.name}</a>
        {service.warning && <small class="warn"> {service.warning}</small>}
      </td>
      <td>
        <State level={NODE_LEVELS[state] || "warn"}>{state}</State>
      </td>
      <td>
        <Dots endpoints={endpoints} />{" "}
        <span class="dim">
          {service.ready} of {service.endpoints}
        </span>
      </td>
      <td class={`right ${restarts > 0 ? "warn" : "dim"}`}>{restarts}</td>
      <td class="right">{rate(now.rate)}</td>
      <td class={`right ${errorLevel(now.errorShare)}`}>{share(now.errorShare)}</td>
      <td class="right">{latency(now.p50)}</td>
      <td class="right">{latency(now.p99)}</td>
      <td class="right">{amount(now.busy)}</td>
      <td class="right dim">{count(now.total)}</td>
    </tr>
  );
}

function List({ system, error }) {
  return (
    <div class="page services">
      <div class="bar-line">
        <h2>Services</h2>
        <span class="dim">{plural(system.services.length, "service", "services")}</span>
      </div>
      <Problem error={error} what="services" />
      <div class="scroll card">
        <table class="wide">
          <thead>
            <tr>
              <th>Service</th>
              <th>State</th>
              <th>Instances ready</th>
              <th class="right">Restarts</th>
              <th class="right">Rate</th>
              <th class="right">Errors</th>
              <th class="right">p50</th>
              <th class="right">p99</th>
              <th class="right">Under way</th>
              <th class="right">In all</th>
            </tr>
          </thead>
          <tbody>
            {system.services.map((service) => (
              <Row key={service.name} service={service} system={system} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

export function Services({ id, system, errors }) {
  if (!id) return <List system={system} error={errors.services} />;
  const node = nodeOf(system, "service", id);
  const service = system.services.find((found) => found.name === id);
  return (
    <div class="page one">
      <div class="bar-line">
        <a href={linkTo("services")}>← services</a>
        <h2>{id}</h2>
        {node && (
          <State level={NODE_LEVELS[node.state] || "warn"}>
            {node.state}, {node.ready} of {node.endpoints} ready
          </State>
        )}
        {node && node.restarts > 0 && <span class="warn">{restartsOf(node.restarts)}</span>}
      </div>
      <Facts service={service} />
      {!service && !node ? (
        <p class="empty">This system has no service {id}.</p>
      ) : (
        <Detail key={id} kind="service" name={id} system={system} />
      )}
    </div>
  );
}
