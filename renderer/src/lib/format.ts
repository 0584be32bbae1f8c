// Numbers and times as people read them. English, no thousands surprises.

const whole = new Intl.NumberFormat('en');

/** 12345 → "12,345". */
export const count = (n: number): string => whole.format(n);

/** `count` with its noun: (1, 'image') → "1 image". */
export const counted = (n: number, noun: string, plural = `${noun}s`): string =>
  `${count(n)} ${n === 1 ? noun : plural}`;

/** A share in [0, 1] as a percentage, "71.3 %"; null as an en dash. */
export const percent = (share: number | null, digits = 1): string =>
  share === null ? '–' : `${(100 * share).toFixed(digits)} %`;

/** A number with fixed digits and a true minus sign, never "−0.00"; null as an en dash. */
export const fixed = (value: number | null, digits = 3): string =>
  value === null
    ? '–'
    : value
        .toFixed(digits)
        .replace(/^-(0\.?0*)$/, '$1')
        .replace('-', '−');

/** A p-value: "0.031", "< 0.001". */
export const pValue = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(3));

/** Bytes with decimal units, as file managers show them. */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Seconds as "45 s", "3 min 05 s", "2 h 10 min". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  const minutes = Math.round(s / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** An ISO time as "21 Nov 2026, 18:04" in the user's zone. */
export const when = (iso: string): string =>
  new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** The first characters of an id or hash, enough to tell it from others on screen. */
export const short = (id: string): string => id.slice(0, 8);

/** A shuffle for people: `none` → "no shuffle", `8` → "8 px blocks", `pixel` → "pixels". */
export function shuffleTitle(shuffle: string): string {
  if (shuffle === 'none') return 'no shuffle';
  return shuffle === 'pixel' ? 'pixels' : `${shuffle} px blocks`;
}
