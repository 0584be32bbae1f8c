/** Oldest age in years and name of each band. */
const BANDS: readonly (readonly [number, string])[] = [
  [19, '0-19'],
  [39, '20-39'],
  [59, '40-59'],
  [79, '60-79'],
  [Infinity, '80+'],
];

/** The band of an age in years, for subgroups; null: not an age. */
export function ageBand(years: number): string | null {
  if (!(years >= 0)) return null;
  return BANDS.find(([oldest]) => Math.floor(years) <= oldest)?.[1] ?? null;
}
