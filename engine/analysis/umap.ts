import { UMAP } from 'umap-js';
import { stream } from '../random/streams.ts';
import type { Nearest } from './neighbours.ts';
import { nearestOfAll } from './neighbours.ts';

export interface UmapOptions {
  /** Points that count as near, the point itself among them; less than there are points. */
  neighbours: number;
  minDistance: number;
  seed: number;
  onProgress?: (phase: 'neighbours' | 'layout', done: number, total: number) => void;
}

/**
 * A map of points in two dimensions by UMAP (McInnes et al., arXiv 1802.03426) as umap-js has it,
 * from exact nearest neighbours. The same points, options and seed give the same map.
 * @param points [point, dimension]
 * @returns [point, x and y], each axis in [0, 1] on one scale, centred
 */
export async function umapLayout(
  points: Float32Array,
  dimensions: number,
  { neighbours, minDistance, seed, onProgress = () => undefined }: UmapOptions,
): Promise<Float32Array> {
  const total = points.length / dimensions;
  const near = await nearestOfAll(points, dimensions, neighbours - 1, (done) =>
    onProgress('neighbours', done, total),
  );
  const random = stream(seed, 'umap');
  const umap = new UMAP({
    nNeighbors: neighbours,
    minDist: minDistance,
    random: () => random.randomSample(),
  });
  umap.setPrecomputedKNN(...withSelf(near, total));
  onProgress('layout', 0, 1);
  const epochs = umap.initializeFit(rowsOf(points, dimensions));
  for (let epoch = 1; epoch <= epochs; epoch++) {
    umap.step();
    onProgress('layout', epoch, epochs);
  }
  return inUnitSquare(umap.getEmbedding());
}

/** As umap-js wants neighbours: each point is its own first one. */
function withSelf({ count, indices, distances }: Nearest, total: number): [number[][], number[][]] {
  const rows = Array.from({ length: total }, (_, row) => row);
  return [
    rows.map((row) => [row, ...indices.subarray(row * count, (row + 1) * count)]),
    rows.map((row) => [0, ...distances.subarray(row * count, (row + 1) * count)]),
  ];
}

function rowsOf(points: Float32Array, dimensions: number): number[][] {
  const total = points.length / dimensions;
  return Array.from({ length: total }, (_, row) =>
    Array.from(points.subarray(row * dimensions, (row + 1) * dimensions)),
  );
}

function inUnitSquare(embedding: readonly number[][]): Float32Array {
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (const point of embedding) {
    for (const axis of [0, 1]) {
      low[axis] = Math.min(low[axis]!, point[axis]!);
      high[axis] = Math.max(high[axis]!, point[axis]!);
    }
  }
  const side = Math.max(high[0]! - low[0]!, high[1]! - low[1]!) || 1;
  const layout = new Float32Array(embedding.length * 2);
  for (const [index, point] of embedding.entries()) {
    for (const axis of [0, 1]) {
      const middle = (low[axis]! + high[axis]!) / 2;
      layout[index * 2 + axis] = 0.5 + (point[axis]! - middle) / side;
    }
  }
  return layout;
}
