/** Objects compared and laid over each other, key by key. */
export type Mapping = Record<string, unknown>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `base` with the keys that only `rest` has. */
export function merged(base: Mapping, rest: Mapping): Mapping {
  const result = { ...base };
  for (const [key, value] of Object.entries(rest)) {
    const own = result[key];
    if (own === undefined) result[key] = value;
    else if (isMapping(own) && isMapping(value)) result[key] = merged(own, value);
  }
  return result;
}

/** What of `value` the other does not have: keys that are not in it, at any depth. */
export function beyond(value: Mapping, other: Mapping): Mapping {
  const entries = Object.entries(value).flatMap(([key, own]): [string, unknown][] => {
    const there = other[key];
    if (there === undefined) return [[key, own]];
    if (!isMapping(own) || !isMapping(there)) return [];
    const deeper = beyond(own, there);
    return Object.keys(deeper).length === 0 ? [] : [[key, deeper]];
  });
  return Object.fromEntries(entries);
}

/** Dotted paths of the leaves of an object. */
export function leaves(value: unknown, path = ''): string[] {
  if (!isMapping(value) || Object.keys(value).length === 0) return path === '' ? [] : [path];
  return Object.entries(value).flatMap(([key, each]) =>
    leaves(each, path === '' ? key : `${path}.${key}`),
  );
}

/** Dotted paths where two values differ; absent and undefined are the same. */
export function differences(a: unknown, b: unknown, path = ''): string[] {
  if (isMapping(a) && isMapping(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return keys.flatMap((key) => differences(a[key], b[key], path === '' ? key : `${path}.${key}`));
  }
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [path];
}
