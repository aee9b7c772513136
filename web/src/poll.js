// Asking the control API, again and again while the page is seen.
import { useEffect, useRef, useState } from "preact/hooks";

const EVERY_MS = 1000;
const LIMIT_MS = 5000;

// The JSON of an answer. Throws { gone: true } when nobody answered, { status, message } when the answer was a problem.
export async function ask(path, signal) {
  const limit = AbortSignal.timeout ? AbortSignal.timeout(LIMIT_MS) : undefined;
  let response, answer;
  try {
    response = await fetch(path, { signal: signal || limit, cache: "no-store" });
    answer = await response.json();
  } catch (error) {
    if (response && !response.ok) throw { status: response.status, message: `status ${response.status}` };
    if (response && error instanceof SyntaxError) throw { status: response.status, message: "the answer is no JSON" };
    throw { gone: true, message: "no answer" };
  }
  if (!response.ok)
    throw { status: response.status, message: answer.detail || answer.title || `status ${response.status}` };
  return answer;
}

// Calls `work` now, and a second after it is done, as long as the page is seen. `work` gets told whether it is still
// wanted when it comes back from waiting.
export function useEvery(work, keys) {
  useEffect(() => {
    let stopped = false;
    let timer = null;
    const turn = async () => {
      clearTimeout(timer);
      timer = null;
      const since = performance.now();
      if (!document.hidden) await work(() => !stopped);
      if (!stopped) timer = setTimeout(turn, Math.max(EVERY_MS - (performance.now() - since), 100));
    };
    const seen = () => {
      if (!document.hidden && timer !== null) turn();
    };
    turn();
    document.addEventListener("visibilitychange", seen);
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, keys);
}

// { data, error }: the last good answer of a path, and what the last try failed with. path null: nothing is asked.
// A new path starts empty; `paused` keeps what is there.
export function usePoll(path, paused = false) {
  const [state, set] = useState({ path, data: null, error: null });
  const last = useRef(null);
  useEvery(
    async (wanted) => {
      if (!path || (paused && last.current === path)) return;
      try {
        const data = await ask(path);
        if (!wanted()) return;
        last.current = path;
        set({ path, data, error: null });
      } catch (error) {
        if (wanted()) set((old) => ({ path, data: old.path === path ? old.data : null, error }));
      }
    },
    [path, paused],
  );
  return state.path === path ? state : { path, data: null, error: null };
}
