import type { Conv2dGeometry, Value } from '../../../graph/types.ts';

export type Four = readonly [number, number, number, number];

export const four = (value: Value): Four => value.shape as Four;

export function inputOf(value: Value, position: number): Value {
  const found = value.inputs[position];
  if (!found) throw new Error(`"${value.name}" lacks input ${position}`);
  return found;
}

/** Geometry of a convolution or one of its gradients, with what is left out filled in. */
export function geometryOf({ operation }: Value): Required<Conv2dGeometry> {
  const { stride, pad, padEnd = pad, groups = 1 } = operation as unknown as Conv2dGeometry;
  return { stride, pad, padEnd, groups };
}
