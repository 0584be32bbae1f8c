/** What a better curve is worth, in what the other curve needs to come up to it. */

/** A point of a learning curve; lists of them ascend in x, which is above 0. */
export interface CurvePoint {
  x: number;
  y: number;
}

/** Where on x; `beyond`: past the last point, `before`: at the first point or earlier. */
export type Reached = { x: number; where: 'within' | 'before' | 'beyond' };

/**
 * The first x at which a curve reaches a height, straight in log x between its points.
 * @throws RangeError on an empty curve
 */
export function reaches(curve: readonly CurvePoint[], height: number): Reached {
  const [first] = curve;
  if (first === undefined) throw new RangeError('a curve needs points');
  if (first.y >= height) return { x: first.x, where: 'before' };
  for (const [at, right] of curve.entries()) {
    if (at === 0 || right.y < height) continue;
    const left = curve[at - 1]!;
    return { x: between(left.x, right.x, (height - left.y) / (right.y - left.y)), where: 'within' };
  }
  return { x: curve.at(-1)!.x, where: 'beyond' };
}

/**
 * The x from which on the upper curve is no longer above the lower one: their last crossing, straight
 * in log x. Both have the same x.
 * @returns `beyond` where it is above to the end, `before` where it nowhere is
 */
export function breakEven(upper: readonly CurvePoint[], lower: readonly CurvePoint[]): Reached {
  const gaps = upper.map(({ x, y }, at) => ({ x, y: y - lower[at]!.y }));
  const last = gaps.findLastIndex(({ y }) => y > 0);
  if (gaps.length === 0) throw new RangeError('a curve needs points');
  if (last < 0) return { x: gaps[0]!.x, where: 'before' };
  const [left, right] = [gaps[last]!, gaps[last + 1]];
  if (right === undefined) return { x: left.x, where: 'beyond' };
  return { x: between(left.x, right.x, left.y / (left.y - right.y)), where: 'within' };
}

/** A share of the way in log x. */
function between(from: number, to: number, share: number): number {
  return Math.exp(Math.log(from) + share * (Math.log(to) - Math.log(from)));
}
