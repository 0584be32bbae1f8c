import type { ArchitectureInput } from '../../contract/architecture.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import type { Tensor } from '../../engine/formats/safetensors.ts';
import { buildModel } from '../../engine/models/registry.ts';

/**
 * Values `scale * u + offset` with u in [-1, 1) that belong to a name: the draw of
 * tests/reference/make_logits.py.
 */
function draw(name: string, length: number, scale: number, offset = 0): Float32Array {
  let seed = 2166136261;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    let x = Math.imul(i, 2654435769) + seed;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x = (x ^ (x >>> 16)) >>> 0;
    values[i] = scale * (x / 2 ** 31 - 1) + offset;
  }
  return values;
}

/** A network's tensors, drawn by name: the weights whose logits tests/reference/logits.json holds. */
export function drawnWeights(given: ArchitectureInput, classes: number): Map<string, Tensor> {
  const architecture = architectureSchema.parse(given);
  const { parameters } = buildModel({ architecture, classes, batch: 1, mode: 'evaluation' });
  return new Map(
    parameters.map(({ name, shape }) => [name, { shape, data: drawTensor(name, shape) }]),
  );
}

function drawTensor(name: string, shape: readonly number[]): Float32Array {
  const [first = 1, ...rest] = shape;
  const fan = rest.reduce((product, side) => product * side, 1);
  if (shape.length > 1) return draw(name, first * fan, Math.sqrt(3 / fan));
  if (name.endsWith('running_var')) return draw(name, first, 0.5, 1);
  return name.endsWith('.weight') ? draw(name, first, 0.2, 1) : draw(name, first, 0.1);
}

/** The images of that reference, [count, channels, side, side]. */
export function drawnImages(count: number, channels: number, side: number): Float32Array {
  return draw('images', count * channels * side * side, 2);
}
