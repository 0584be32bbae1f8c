import type { Quantity, Unit } from '../../../contract/figures.ts';
import type { JudgedClaim } from '../../../contract/study-analyses.ts';

/** A cell as people read it. */
export function cellText(value: string | number | null, unit: Unit = '', digits = 3): string {
  if (value === null) return '–';
  if (typeof value === 'string') return value;
  const text = unit === '%' ? `${(100 * value).toFixed(1)} %` : numberText(value, digits);
  return text.replaceAll('-', '−').replace('e+', 'e');
}

function numberText(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 10 ** -digits)) return value.toExponential(2);
  return value.toFixed(digits);
}

/** An estimate with its interval. */
export function quantityText({ value, interval, unit }: Quantity): string {
  const number = cellText(value, unit);
  if (interval === null) return number;
  return `${number} [${cellText(interval[0], unit)}, ${cellText(interval[1], unit)}]`;
}

/** The rule of a claim, in words. */
export function ruleText({ above, below }: Pick<JudgedClaim, 'above' | 'below'>): string {
  const parts = [
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return parts.join(' and ');
}
