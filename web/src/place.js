// Where one is: #/page/id?key=value. Places are plain links, so the browser's own history works.
import { useEffect, useState } from "preact/hooks";

export const PAGES = ["topology", "services", "exchanges", "logs"];

export function parsePlace(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const [page, ...rest] = path.split("/");
  let id = rest.join("/");
  try {
    id = decodeURIComponent(id);
  } catch {
    // not encoded by us: taken as it is
  }
  const known = PAGES.includes(page) || page === "trace";
  return { page: known ? page : "topology", id: known ? id : "", query: new URLSearchParams(query || "") };
}

export function linkTo(page, id, query) {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(query || {})) if (value) words.set(key, value);
  const text = words.toString();
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ""}${text ? `?${text}` : ""}`;
}

export function go(link) {
  location.hash = link.slice(1);
}

// Changes the place without a new entry in the history: for filters.
export function goQuietly(link) {
  location.replace(link);
}

export function usePlace() {
  const [place, set] = useState(() => parsePlace(location.hash));
  useEffect(() => {
    const look = () => set(parsePlace(location.hash));
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return place;
}
