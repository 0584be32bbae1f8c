import type { ParameterSpec } from '../models/model.ts';

/** The convolution that sees the image: the first filter that an architecture declares. */
export function firstConvolution(parameters: readonly ParameterSpec[]): ParameterSpec | undefined {
  return parameters.find(({ shape }) => shape.length === 4);
}

/**
 * Filters [out, 3, h, w] for grey images, [out, 1, h, w]: the sum over the channels, which answers a
 * grey image as the colour filter answers it with three equal channels (timm's rule).
 */
export function rgbToGrey(filters: Float32Array, shape: readonly number[]): Float32Array {
  const area = (shape[2] ?? 1) * (shape[3] ?? 1);
  return Float32Array.from({ length: filters.length / 3 }, (_, i) => {
    const first = Math.floor(i / area) * 3 * area + (i % area);
    return (filters[first] ?? 0) + (filters[first + area] ?? 0) + (filters[first + 2 * area] ?? 0);
  });
}

/** Filters [out, 1, h, w] for colour images, [out, 3, h, w]: each three times, a third of its size (timm's rule). */
export function greyToRgb(filters: Float32Array, shape: readonly number[]): Float32Array {
  const area = (shape[2] ?? 1) * (shape[3] ?? 1);
  return Float32Array.from({ length: filters.length * 3 }, (_, i) => {
    const filter = Math.floor(i / (3 * area));
    return (filters[filter * area + (i % area)] ?? 0) / 3;
  });
}
