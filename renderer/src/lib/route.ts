/** Where the user is, as the address bar says it: `#/data/<id>?domain=line&image=12`. */
export interface Route {
  /** Path parts: `['data', '<id>']`. */
  parts: string[];
  query: URLSearchParams;
}

/** Reads a location hash; anything unreadable becomes the Data page. */
export function parseHash(hash: string): Route {
  const text = hash.replace(/^#\/?/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  const parts = path.split('/').filter(Boolean).map(decodePart);
  return {
    parts: parts.length === 0 ? ['data'] : parts,
    query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)),
  };
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export type QueryValue = string | number | readonly string[] | null | undefined;

/** The hash of a page; empty, null and undefined values are left out. */
export function formatHash(parts: readonly string[], query: Record<string, QueryValue> = {}) {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue;
    if (Array.isArray(value)) for (const one of value as string[]) search.append(key, one);
    else search.set(key, String(value));
  }
  const tail = search.toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${tail === '' ? '' : `?${tail}`}`;
}

/** The hash with some query keys replaced; null removes a key. */
export function withQuery(route: Route, changes: Record<string, QueryValue>): string {
  const query: Record<string, QueryValue> = {};
  for (const key of new Set(route.query.keys())) query[key] = route.query.getAll(key);
  return formatHash(route.parts, { ...query, ...changes });
}
