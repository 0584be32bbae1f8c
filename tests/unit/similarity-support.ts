import type { GramPair } from '../../engine/analysis/cka.ts';
import { gramOf, type Features, type Gram } from '../../engine/analysis/gram.ts';
import { RandomState } from '../../engine/random/random-state.ts';

export interface Sides {
  x: Features;
  y: Features;
}

/** As make_similarity.py draws them. */
export function demoFeatures(): Sides {
  const random = new RandomState(1337);
  const x = Float64Array.from({ length: 1000 }, () => random.normal());
  const y = x.map((value) => value + random.normal());
  return { x: features(x, 100), y: features(y, 100) };
}

/** As make_similarity.py draws them: more dimensions than images. */
export function wideFeatures(): Sides {
  const random = new RandomState(5);
  const x = Float64Array.from(
    { length: 1200 },
    (_, at) => random.normal() * Math.exp(-(at % 60) / 20) + 3,
  );
  const y = Float64Array.from(
    { length: 800 },
    (_, at) => x[Math.floor(at / 40) * 60 + (at % 40)]! + 0.5 * random.normal(),
  );
  return { x: features(x, 20), y: features(y, 20) };
}

function features(values: Float64Array, rows: number): Features {
  return { values: Float32Array.from(values), rows, dimensions: values.length / rows };
}

export function noise(rows: number, dimensions: number, seed: number): Features {
  const random = new RandomState(seed);
  const values = Float32Array.from({ length: rows * dimensions }, () => random.normal());
  return { values, rows, dimensions };
}

export async function pairOf(x: Features, y: Features): Promise<GramPair> {
  return { x: await gramOf(x), y: await gramOf(y) };
}

/** Turned by reflections along random directions, and scaled. */
export function rotated(
  { values, rows, dimensions }: Features,
  seed: number,
  scale: number,
): Features {
  const turned = Float64Array.from(values);
  const random = new RandomState(seed);
  for (let turn = 0; turn < 3; turn++) {
    const v = Float64Array.from({ length: dimensions }, () => random.normal());
    const length = v.reduce((sum, value) => sum + value * value, 0);
    for (let row = 0; row < rows; row++) {
      const own = turned.subarray(row * dimensions, (row + 1) * dimensions);
      const along = own.reduce((sum, value, i) => sum + value * v[i]!, 0);
      v.forEach((value, i) => (own[i]! -= (2 * along * value) / length));
    }
  }
  return { values: Float32Array.from(turned, (value) => value * scale), rows, dimensions };
}

/** Inner products of points of the plane. */
export function planeGram(points: Float64Array): Gram {
  const rows = points.length / 2;
  const values = Float64Array.from({ length: rows * rows }, (_, at) => {
    const [i, j] = [2 * Math.floor(at / rows), 2 * (at % rows)];
    return points[i]! * points[j]! + points[i + 1]! * points[j + 1]!;
  });
  return { values, rows };
}
