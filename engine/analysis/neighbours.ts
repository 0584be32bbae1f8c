/** The nearest of many points, by looking at all of them. */
import { matrixProduct } from './product.ts';

/** Distances that are computed at once. */
const AT_ONCE = 8_000_000;
/** Candidates beyond those asked for: the first look is in float32. */
const SPARE = 8;

/** The nearest points of each point, itself left out: [point, rank], nearest first. */
export interface Nearest {
  count: number;
  indices: Int32Array;
  /** Euclidean. */
  distances: Float64Array;
}

/**
 * The nearest other points of every point, by Euclidean distance; ties by index. Candidates come
 * from matrix products in float32, distances are computed again in double precision.
 * @param points [point, dimension]
 * @param count less than the number of points
 */
export async function nearestOfAll(
  points: Float32Array,
  dimensions: number,
  count: number,
  onProgress: (done: number) => void = () => undefined,
): Promise<Nearest> {
  const total = points.length / dimensions;
  const squares = squaredLengths(points, dimensions);
  const rows = Math.min(total, Math.max(16, Math.floor(AT_ONCE / total)));
  const block = new Float32Array(rows * dimensions);
  const result: Nearest = {
    count,
    indices: new Int32Array(total * count),
    distances: new Float64Array(total * count),
  };
  const product = await matrixProduct({
    ...{ rows, inner: dimensions, columns: total, transposeB: true },
  });
  try {
    for (let from = 0; from < total; from += rows) {
      const size = Math.min(rows, total - from);
      block.set(points.subarray(from * dimensions, (from + size) * dimensions));
      const dots = await product.of(block, points);
      for (let row = 0; row < size; row++) {
        const own = dots.subarray(row * total, (row + 1) * total);
        const found = candidates(own, squares, from + row, Math.min(count + SPARE, total - 1));
        store(result, points, dimensions, from + row, found);
      }
      onProgress(from + size);
    }
  } finally {
    await product.close();
  }
  return result;
}

function squaredLengths(points: Float32Array, dimensions: number): Float64Array {
  const squares = new Float64Array(points.length / dimensions);
  for (let at = 0; at < points.length; at++) {
    squares[Math.floor(at / dimensions)]! += points[at]! ** 2;
  }
  return squares;
}

/** Indices of the `most` smallest |b|^2 - 2 a b. */
function candidates(dots: Float32Array, squares: Float64Array, self: number, most: number) {
  const best = new Best(most);
  for (let other = 0; other < dots.length; other++) {
    const score = squares[other]! - 2 * dots[other]!;
    if (score < best.bound && other !== self) best.add(other, score);
  }
  return best.indices();
}

/** The least of many scores, in order; of equal ones the first given. */
class Best {
  /** What is not below it is no longer among the best. */
  bound = Infinity;
  readonly #most: number;
  readonly #indices: Int32Array;
  readonly #scores: Float64Array;
  #size = 0;

  constructor(most: number) {
    this.#most = most;
    this.#indices = new Int32Array(most);
    this.#scores = new Float64Array(most);
  }

  add(index: number, score: number): void {
    if (this.#most === 0) return;
    let at = this.#size < this.#most ? this.#size++ : this.#most - 1;
    while (at > 0 && this.#scores[at - 1]! > score) {
      this.#scores[at] = this.#scores[at - 1]!;
      this.#indices[at] = this.#indices[at - 1]!;
      at -= 1;
    }
    this.#scores[at] = score;
    this.#indices[at] = index;
    if (this.#size === this.#most) this.bound = this.#scores[this.#most - 1]!;
  }

  indices(): Int32Array {
    return this.#indices.subarray(0, this.#size);
  }

  scores(): Float64Array {
    return this.#scores.subarray(0, this.#size);
  }
}

function store(
  { count, indices, distances }: Nearest,
  points: Float32Array,
  dimensions: number,
  self: number,
  found: Int32Array,
): void {
  const exact = Array.from(found, (index) => ({
    index,
    distance: distanceOf(points, dimensions, self, index),
  }));
  exact.sort((a, b) => a.distance - b.distance || a.index - b.index);
  for (const [rank, { index, distance }] of exact.slice(0, count).entries()) {
    indices[self * count + rank] = index;
    distances[self * count + rank] = distance;
  }
}

function distanceOf(points: Float32Array, dimensions: number, a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < dimensions; i++) {
    sum += (points[a * dimensions + i]! - points[b * dimensions + i]!) ** 2;
  }
  return Math.sqrt(sum);
}

/** Finds the rows most like one by cosine similarity, block after block. */
export class NearestByCosine {
  readonly #query: Float32Array;
  readonly #best: Best;

  /** @param most how many are wanted */
  constructor(query: Float32Array, most: number) {
    this.#query = query;
    this.#best = new Best(most);
  }

  /** @param values [row, feature], of which the first row has the index `first`; zeros are like nothing */
  add(values: Float32Array, first: number): void {
    const features = this.#query.length;
    for (let at = 0, row = first; at < values.length; at += features, row++) {
      let [dot, square] = [0, 0];
      for (let i = 0; i < features; i++) {
        const value = values[at + i]!;
        dot += value * this.#query[i]!;
        square += value * value;
      }
      const score = square === 0 ? 0 : -dot / Math.sqrt(square);
      if (score < this.#best.bound) this.#best.add(row, score);
    }
  }

  /** Most alike first; similarity in [-1, 1]. */
  result(): { index: number; similarity: number }[] {
    const length = Math.hypot(...this.#query) || 1;
    const scores = this.#best.scores();
    return Array.from(this.#best.indices(), (index, rank) => ({
      index,
      similarity: Math.max(-1, Math.min(1, -scores[rank]! / length)),
    }));
  }
}
