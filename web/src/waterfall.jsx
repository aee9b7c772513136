// Where the time of an exchange went: a line for each stage that it passed, as deep as it was nested.
import { milliseconds } from "./format.js";
import { failed, Status, whereTo } from "./parts.jsx";

// Steps that have steps of their own inside only wrap them; the others did the work.
export function markLeaves(steps) {
  return steps.map((step, i) => ({ ...step, leaf: !(i + 1 < steps.length && steps[i + 1].depth > step.depth) }));
}

function percent(value) {
  return `${Math.max(0, Math.min(100, value * 100)).toFixed(2)}%`;
}

// A line of the picture; start and duration are shares of the whole.
export function Bar({ start, duration, total, level, wrap, title }) {
  const whole = Math.max(total, 1e-6);
  const left = percent(start / whole);
  const width = `max(2px, ${percent(Math.min(duration / whole, 1 - Math.min(start / whole, 1)))})`;
  return (
    <span class="track">
      <i class={`bar ${level} ${wrap ? "wrap" : ""}`} style={{ left, width }} title={title} />
    </span>
  );
}

export function StepRow({ step, offset, total, indent }) {
  const bad = step.outcome !== "ok";
  const at = `at ${milliseconds(offset + step.start_ms)}, took ${milliseconds(step.duration_ms)}`;
  return (
    <li class="step" title={step.path}>
      <span class="name" style={{ paddingLeft: `${(step.depth + indent) * 12}px` }}>
        {step.stage}
        {step.detail && <b> {step.detail}</b>}
        {bad && <em> {step.outcome}</em>}
      </span>
      <Bar
        start={offset + step.start_ms}
        duration={step.duration_ms}
        total={total}
        level={bad ? "bad" : "ok"}
        wrap={!step.leaf}
        title={at}
      />
      <span class="took">{milliseconds(step.duration_ms)}</span>
    </li>
  );
}

export function Waterfall({ exchange }) {
  const steps = markLeaves(exchange.steps || []);
  const total = Math.max(exchange.duration_ms, ...steps.map((step) => step.start_ms + step.duration_ms));
  return (
    <ol class="waterfall" aria-label="where the time went">
      <li class="step whole">
        <span class="name">
          {whereTo(exchange)} <Status exchange={exchange} />
        </span>
        <Bar start={0} duration={exchange.duration_ms} total={total} level={failed(exchange) ? "bad" : "ok"} wrap={steps.length > 0} />
        <span class="took">{milliseconds(exchange.duration_ms)}</span>
      </li>
      {steps.map((step, i) => (
        <StepRow key={i} step={step} offset={0} total={total} indent={1} />
      ))}
      {exchange.steps_dropped > 0 && <li class="dim">and {exchange.steps_dropped} more, which were not kept</li>}
    </ol>
  );
}
