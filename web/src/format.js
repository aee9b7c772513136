// Numbers and times as people read them. Three digits are enough for anything here.

function digits(value) {
  if (value === 0) return "0";
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

export function count(value) {
  if (value >= 1e9) return `${digits(value / 1e9)}G`;
  if (value >= 1e6) return `${digits(value / 1e6)}M`;
  if (value >= 1e4) return `${digits(value / 1e3)}k`;
  return String(Math.round(value));
}

export function rate(value) {
  if (value === null) return "–";
  if (value >= 1e3) return `${count(value)}/s`;
  if (value > 0 && value < 0.005) return "<0.01/s";
  return `${digits(value)}/s`;
}

// An average of how many.
export function amount(value) {
  if (value === null) return "–";
  if (value > 0 && value < 0.005) return "<0.01";
  return digits(value);
}

export function milliseconds(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms >= 59995) return `${digits(ms / 60000)} min`;
  if (ms >= 999.5) return `${digits(ms / 1000)} s`;
  if (ms > 0 && ms < 0.005) return "<0.01 ms";
  return `${digits(ms)} ms`;
}

// A quantile of signals.js.
export function latency(found) {
  if (!found) return "–";
  return (found.over ? ">" : "") + milliseconds(found.value * 1000);
}

export function share(value) {
  if (value === null) return "–";
  if (value === 0) return "0%";
  const percent = value * 100;
  if (percent < 0.01) return "<0.01%";
  if (percent > 99.9 && percent < 100) return ">99.9%";
  return `${percent >= 99.95 ? "100" : digits(percent)}%`;
}

export function bytes(value) {
  if (value >= 1048576) return `${digits(value / 1048576)} MiB`;
  if (value >= 1024) return `${digits(value / 1024)} KiB`;
  return `${value} B`;
}

export function duration(seconds) {
  const s = Math.floor(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

// The local time of day, with milliseconds.
export function clock(text) {
  const time = new Date(text);
  if (isNaN(time)) return text || "";
  const two = (value) => String(value).padStart(2, "0");
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}

export function plural(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

// ok, warn or bad, for colours; words say the same beside them.
export function errorLevel(errorShare) {
  if (!errorShare) return "ok";
  return errorShare < 0.01 ? "warn" : "bad";
}
