/** Positions of a list as intervals [from, to): in order, disjoint, with a gap between them. */
export type Ranges = readonly (readonly [number, number])[];

/** How many positions. */
export const rangesSize = (ranges: Ranges): number =>
  ranges.reduce((sum, [from, to]) => sum + to - from, 0);

export const inRanges = (ranges: Ranges, position: number): boolean =>
  ranges.some(([from, to]) => position >= from && position < to);

/** With all of [from, to). */
export function addRange(ranges: Ranges, from: number, to: number): Ranges {
  const touching = ranges.filter(([start, end]) => end >= from && start <= to);
  const first = Math.min(from, ...touching.map(([start]) => start));
  const last = Math.max(to, ...touching.map(([, end]) => end));
  return [
    ...ranges.filter(([, end]) => end < from),
    [first, last] as const,
    ...ranges.filter(([start]) => start > to),
  ];
}

/** Without any of [from, to). */
export function cutRange(ranges: Ranges, from: number, to: number): Ranges {
  return ranges.flatMap(([start, end]) => {
    const parts = [
      [start, Math.min(end, from)],
      [Math.max(start, to), end],
    ] as const;
    return parts.filter(([left, right]) => left < right);
  });
}
