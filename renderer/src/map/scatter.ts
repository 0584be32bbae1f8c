// Geometry of the scatter plot. Map coordinates are in [0, 1]; screen ones in CSS pixels.

export interface Point {
  x: number;
  y: number;
}

/** screen = map * scale + offset, on both axes alike. */
export interface View {
  scale: number;
  left: number;
  top: number;
}

const MARGIN = 24;
const LARGEST = 400;

/** The whole map, centred. */
export function wholeView(width: number, height: number): View {
  const scale = Math.max(1, Math.min(width, height) - 2 * MARGIN);
  return { scale, left: (width - scale) / 2, top: (height - scale) / 2 };
}

/** Enlarges around a place on the screen, at most 400 times what shows the whole map. */
export function zoomed(view: View, at: Point, factor: number, whole: View): View {
  const scale = Math.min(whole.scale * LARGEST, Math.max(whole.scale / 2, view.scale * factor));
  const grown = scale / view.scale;
  return {
    scale,
    left: at.x - (at.x - view.left) * grown,
    top: at.y - (at.y - view.top) * grown,
  };
}

export const toScreen = ({ scale, left, top }: View, x: number, y: number): Point => ({
  x: x * scale + left,
  y: y * scale + top,
});

export const toMap = ({ scale, left, top }: View, at: Point): Point => ({
  x: (at.x - left) / scale,
  y: (at.y - top) / scale,
});

/** Whether a place is inside a closed line (even-odd rule). */
export function isInside(line: readonly Point[], { x, y }: Point): boolean {
  let inside = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [a, b] = [line[i]!, line[j]!];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

const CELLS = 128;

/** Finds points near a place without looking at all of them. */
export class PointIndex {
  readonly #x: readonly number[];
  readonly #y: readonly number[];
  readonly #cells = new Map<number, number[]>();

  constructor(x: readonly number[], y: readonly number[]) {
    this.#x = x;
    this.#y = y;
    for (let point = 0; point < x.length; point++) {
      const key = cellOf(x[point]!) * CELLS + cellOf(y[point]!);
      const cell = this.#cells.get(key);
      if (cell) cell.push(point);
      else this.#cells.set(key, [point]);
    }
  }

  /** The nearest point within `reach` that is shown, or -1. */
  nearest(at: Point, reach: number, isShown: (point: number) => boolean): number {
    let best = -1;
    let least = reach * reach;
    for (let i = cellOf(at.x - reach); i <= cellOf(at.x + reach); i++) {
      for (let j = cellOf(at.y - reach); j <= cellOf(at.y + reach); j++) {
        for (const point of this.#cells.get(i * CELLS + j) ?? []) {
          const distance = (this.#x[point]! - at.x) ** 2 + (this.#y[point]! - at.y) ** 2;
          if (distance <= least && isShown(point)) [best, least] = [point, distance];
        }
      }
    }
    return best;
  }
}

const cellOf = (value: number): number =>
  Math.min(CELLS - 1, Math.max(0, Math.floor(value * CELLS)));
