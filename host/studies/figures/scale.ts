/** Scales of axes, their ticks, and how numbers are written. */
import type { Axis, Unit } from '../../../contract/figures.ts';

/** From a value to a place along the axis. */
export interface Scale {
  at(value: number): number;
  ticks: number[];
  domain: [number, number];
}

/** A scale over the values (and what the axis must show), from `start` to `end` in user units. */
export function scaleOf(axis: Axis, values: readonly number[], start: number, end: number): Scale {
  const shown = [...values, ...(axis.include ?? [])].filter(Number.isFinite);
  if (axis.categories) return bands(axis.categories.length, start, end);
  return axis.scale === 'log' ? logScale(shown, start, end) : linearScale(shown, start, end);
}

/** How far intervals may stretch an axis, as a share of the span of the estimates. */
const STRETCH = 0.6;

/**
 * Ends of intervals as an axis shows them: of few repetitions they reach so far that the estimates
 * would lie on one line. What is cut off is in the numbers.
 */
export function shownEnds(
  estimates: readonly number[],
  intervals: readonly (readonly [number, number])[],
): [number, number] {
  const finite = estimates.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const room = STRETCH * (high > low ? high - low : Math.abs(high) || 1);
  const ends = intervals.flat().filter(Number.isFinite);
  return [
    Math.max(low - room, Math.min(low, ...ends)),
    Math.min(high + room, Math.max(high, ...ends)),
  ];
}

function bands(count: number, start: number, end: number): Scale {
  const step = (end - start) / Math.max(1, count);
  return {
    at: (value) => start + (value + 0.5) * step,
    ticks: Array.from({ length: count }, (_, index) => index),
    domain: [0, Math.max(0, count - 1)],
  };
}

function linearScale(values: readonly number[], start: number, end: number): Scale {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (values.length === 0) [low, high] = [0, 1];
  if (low === high)
    [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  const step = niceStep((high - low) / 5);
  const first = Math.floor(low / step + 1e-9) * step;
  const last = Math.ceil(high / step - 1e-9) * step;
  const count = Math.round((last - first) / step);
  const ticks = Array.from({ length: count + 1 }, (_, i) =>
    Number((first + i * step).toPrecision(12)),
  );
  const at = (value: number) => start + ((value - first) / (last - first)) * (end - start);
  return { at, ticks, domain: [first, last] };
}

function logScale(values: readonly number[], start: number, end: number): Scale {
  const positive = values.filter((value) => value > 0);
  const [low, high] =
    positive.length === 0 ? [1, 10] : [Math.min(...positive), Math.max(...positive)];
  const [from, to] = [Math.log10(low), Math.log10(high === low ? low * 10 : high)];
  const at = (value: number) =>
    start + ((Math.log10(Math.max(value, low)) - from) / (to - from)) * (end - start);
  const decades: number[] = [];
  for (let power = Math.floor(from); power <= Math.ceil(to); power++) {
    for (const digit of to - from < 2 ? [1, 2, 5] : [1]) decades.push(digit * 10 ** power);
  }
  const ticks = decades.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  return { at, ticks, domain: [low, high] };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.999)!;
}

/** A tick's label. */
export function tickText(value: number, { unit = '', categories }: Axis): string {
  if (categories) return categories[value] ?? '';
  if (unit === '%') return `${minus(Number((100 * value).toPrecision(4)))} %`;
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return minus(value.toExponential(0));
  return minus(Number(value.toPrecision(4)));
}

/** A value as people read it beside its mark. */
export function valueText(value: number | null, unit: Unit = '', digits = 3): string {
  if (value === null || !Number.isFinite(value)) return '–';
  if (unit === '%') return `${minus((100 * value).toFixed(1))} %`;
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 10 ** -digits)) return minus(value.toExponential(2));
  return minus(value.toFixed(digits));
}

export function intervalText(
  [low, high]: readonly [number, number],
  unit: Unit = '',
  digits = 3,
): string {
  return `[${valueText(low, unit, digits)}, ${valueText(high, unit, digits)}]`;
}

function minus(value: number | string): string {
  return String(value).replaceAll('-', '−').replace('e+', 'e');
}

/** Coordinates as they are written. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
