/** Addresses of the window that figures lead to. */

/** Two runs compared, or one cell of theirs. */
export function pairLink(a: string, b: string, cell?: string): string {
  return address('compare', { a, b, cell });
}

/** A run within its study. */
export function runLink(study: string, run: string): string {
  return address(`studies/${encodeURIComponent(study)}`, { run });
}

/** An image of a data set. */
export function imageLink(dataset: string, image: number): string {
  return address(`data/${encodeURIComponent(dataset)}`, { image: String(image) });
}

/** The images of a domain. */
export function domainLink(dataset: string, domain: string): string {
  return address(`data/${encodeURIComponent(dataset)}`, { domain });
}

function address(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const search = new URLSearchParams(given).toString();
  return `#/${path}${search === '' ? '' : `?${search}`}`;
}
