/** Values of an attribute as points in time. */

const DATE = /^\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?$/;

/**
 * Numbers that rise with time: of numbers themselves, of dates as ISO 8601 writes them (in UTC where
 * they name no zone) milliseconds. A list is of one kind or the other.
 * @returns the first text that is neither, or that does not go with the others
 */
export function readTimes(
  texts: readonly string[],
): { times: number[] } | { times: null; bad: string } {
  const numeric = texts.every((text) => isNumber(text));
  const times = texts.map((text) => (numeric ? Number(text) : dateOf(text.trim())));
  const bad = times.findIndex((time) => Number.isNaN(time));
  return bad < 0 ? { times } : { times: null, bad: texts[bad]! };
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}

function dateOf(text: string): number {
  if (/^\d{4}$/.test(text)) return Date.UTC(Number(text), 0);
  const parts = DATE.exec(text);
  if (parts === null) return NaN;
  const [, , clock, , , zone] = parts;
  return Date.parse(clock !== undefined && zone === undefined ? `${text}Z` : text);
}
