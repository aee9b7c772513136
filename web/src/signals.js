// Golden signals from cumulative numbers: what /v1/topology tells since the start becomes rates and quantiles of a
// window. Pure: no DOM, no clock; times are those of the answers.

export const KEPT_SECONDS = 300;

// What an edge counted between two answers. A number that has fallen means that the counting began anew (the serving
// process was restarted): then all that it has counted since is the difference.
export function difference(before, now) {
  const buckets = now.buckets || [];
  const old = before && !fell(before, now) ? before : null;
  return {
    requests: now.requests - (old ? old.requests : 0),
    errors: now.errors - (old ? old.errors : 0),
    retries: now.retries - (old ? old.retries : 0),
    seconds: now.seconds - (old ? old.seconds : 0),
    bounds: buckets.map((bucket) => (bucket.le === "+Inf" ? Infinity : bucket.le)),
    counts: buckets.map((bucket, i) => bucket.count - (old ? old.buckets[i].count : 0)),
  };
}

function fell(before, now) {
  const [a, b] = [before.buckets || [], now.buckets || []];
  return (
    now.requests < before.requests ||
    now.errors < before.errors ||
    now.retries < before.retries ||
    a.length !== b.length ||
    b.some((bucket, i) => bucket.le !== a[i].le || bucket.count < a[i].count)
  );
}

export function edgeKey(edge) {
  return [edge.from_kind, edge.from, edge.to_kind, edge.to].join("\n");
}

// The q-quantile of cumulative counts, linear within a bucket as Prometheus does it. null: nothing was counted. In the
// last bucket, which has no upper bound, all that is known is "more than": { value, over: true }.
export function quantile(bounds, counts, q) {
  const total = counts.length ? counts[counts.length - 1] : 0;
  if (!(total > 0)) return null;
  const rank = q * total;
  const i = counts.findIndex((count) => count >= rank);
  const low = i > 0 ? bounds[i - 1] : 0;
  if (bounds[i] === Infinity) return { value: low, over: true };
  const below = i > 0 ? counts[i - 1] : 0;
  const within = counts[i] > below ? (rank - below) / (counts[i] - below) : 1;
  return { value: low + (bounds[i] - low) * within, over: false };
}

function nothing() {
  return { requests: 0, errors: 0, retries: 0, seconds: 0, bounds: [], counts: [] };
}

function add(sum, part) {
  sum.requests += part.requests;
  sum.errors += part.errors;
  sum.retries += part.retries;
  sum.seconds += part.seconds;
  if (!sum.bounds.length) {
    sum.bounds = part.bounds;
    sum.counts = part.counts.slice();
  } else if (sum.bounds.length === part.bounds.length) {
    for (let i = 0; i < part.counts.length; i++) sum.counts[i] += part.counts[i];
  }
}

function signalsOf(sum, span) {
  return {
    span,
    requests: sum.requests,
    rate: span > 0 ? sum.requests / span : null,
    retryRate: span > 0 ? sum.retries / span : null,
    errors: sum.errors,
    errorShare: sum.requests > 0 ? sum.errors / sum.requests : null,
    p50: quantile(sum.bounds, sum.counts, 0.5),
    p99: quantile(sum.bounds, sum.counts, 0.99),
    // Time spent in exchanges for each second that passed: how many were under way on average (Little's law).
    busy: span > 0 ? sum.seconds / span : null,
  };
}

export class History {
  constructor() {
    this.last = null; // the newest answer
    this.at = null; // its time in seconds
    this.points = []; // { at, span, edges: Map of differences }, oldest first
  }

  // Takes an answer of /v1/topology. The first one only tells where counting stands.
  take(answer) {
    const at = Date.parse(answer.time) / 1000;
    const span = this.last ? at - this.at : 0;
    if (this.last && span > 0) {
      const before = new Map(this.last.edges.map((edge) => [edgeKey(edge), edge]));
      const edges = new Map();
      for (const edge of answer.edges) edges.set(edgeKey(edge), difference(before.get(edgeKey(edge)), edge));
      this.points.push({ at, span, edges });
      while (this.points[0].at < at - KEPT_SECONDS) this.points.shift();
    } else if (this.last && span < 0) {
      this.points = []; // another machine's clock, or this one was set back
    } else if (this.last) {
      return;
    }
    this.last = answer;
    this.at = at;
  }

  // Signals of the edges that `wanted(edge)` chooses, over the last `seconds`.
  signals(wanted, seconds) {
    const keys = this.keys(wanted);
    const sum = nothing();
    let span = 0;
    for (let i = this.points.length - 1; i >= 0 && this.points[i].at > this.at - seconds; i--) {
      span += this.points[i].span;
      for (const key of keys) if (this.points[i].edges.has(key)) add(sum, this.points[i].edges.get(key));
    }
    return { ...signalsOf(sum, span), active: this.active(wanted), total: this.total(wanted) };
  }

  // The same for each point, oldest first: for a curve.
  series(wanted) {
    const keys = this.keys(wanted);
    return this.points.map((point) => {
      const sum = nothing();
      for (const key of keys) if (point.edges.has(key)) add(sum, point.edges.get(key));
      return { at: point.at, ...signalsOf(sum, point.span) };
    });
  }

  keys(wanted) {
    return this.last ? this.last.edges.filter(wanted).map(edgeKey) : [];
  }

  // null: the answers don't say.
  active(wanted) {
    const edges = this.last ? this.last.edges.filter((edge) => wanted(edge) && edge.active !== undefined) : [];
    return edges.length ? edges.reduce((sum, edge) => sum + edge.active, 0) : null;
  }

  total(wanted) {
    return this.last ? this.last.edges.filter(wanted).reduce((sum, edge) => sum + edge.requests, 0) : 0;
  }
}

// Which edges tell about a node: what a service is asked, what a gateway has asked for.
export function ofNode(kind, name) {
  if (kind === "service") return (edge) => edge.to_kind === "service" && edge.to === name;
  if (kind === "answer") return (edge) => edge.to_kind === "answer";
  return (edge) => edge.from_kind === "gateway" && edge.from === name;
}
