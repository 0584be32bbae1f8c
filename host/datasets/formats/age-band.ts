/** Oldest age in years and name of each band. */
const BANDS: readonly (readonly [number, string])[] = [
  [19, '0-19'],
  [39, '20-39'],
  [59, '40-59'],
  [79, '60-79'],
  [Infinity, '80+'],
];

const NAMES = /^(patient[ _]?)?age([ _](approx|in[ _]years|years|at[ _]\w+))?$/i;
export const AGE_BAND = 'Age band';

/** True for the name of a column of ages. */
export function isAge(name: string): boolean {
  return NAMES.test(name);
}

/** Adds `Age band` where one of the attributes is an age by its name and its value. */
export function withAgeBand(attributes: Record<string, string>): Record<string, string> {
  if (AGE_BAND in attributes) return attributes;
  const name = Object.keys(attributes).find(isAge);
  const band = name === undefined ? null : ageBand(yearsOf(attributes[name] ?? ''));
  return band === null ? attributes : { ...attributes, [AGE_BAND]: band };
}

/** An age as a number, or as DICOM has it (045Y, 018M, 006W, 010D), in years; NaN for what is none. */
export function yearsOf(age: string): number {
  if (/^\d+(\.\d+)?$/.test(age)) return Number(age);
  const [, count, unit] = /^(\d{1,3})([YMWD])$/.exec(age) ?? [];
  const perYear: Readonly<Record<string, number>> = { Y: 1, M: 12, W: 52, D: 365 };
  return Number(count) / (perYear[unit ?? ''] ?? NaN);
}

/** The band of an age in years, for subgroups; null: not an age. */
export function ageBand(years: number): string | null {
  if (!(years >= 0)) return null;
  return BANDS.find(([oldest]) => Math.floor(years) <= oldest)?.[1] ?? null;
}
