/** Weights that tests/reference/*.py give their networks. */
import { sizeOf } from '../../../engine/graph/types.ts';
import type { ParameterSpec } from '../../../engine/models/model.ts';
import type { Weights } from '../../../engine/models/registry.ts';
import { formula } from './formula.ts';

/** As `start` of fixup_resnet.py gives them. */
export function fixupWeights(parameters: readonly ParameterSpec[]): Weights {
  const names = parameters.map(({ name }) => name).sort();
  return new Map(
    parameters.map(({ name, shape, role }) => {
      const values = formula(sizeOf(shape), names.indexOf(name));
      if (role === 'scale') return [name, values.map((v) => 1 + v * 0.5)];
      if (role === 'bias') return [name, values.map((v) => v * 0.25)];
      const factor = Math.fround(4 / Math.sqrt(sizeOf(shape.slice(1))));
      return [name, values.map((v) => v * factor)];
    }),
  );
}

/** As `value` of architectures.py gives them. */
export function normalisedWeights(parameters: readonly ParameterSpec[], shift: number): Weights {
  const names = parameters.map(({ name }) => name).sort();
  return new Map(
    parameters.map(({ name, shape }) => {
      const values = formula(sizeOf(shape), names.indexOf(name));
      const factor = Math.fround(4 / Math.sqrt(sizeOf(shape.slice(1))));
      if (shape.length > 1) return [name, values.map((v) => v * factor)];
      if (name.endsWith('running_var')) return [name, values.map((v) => 1 + v * 0.5)];
      if (name.endsWith('.weight')) return [name, values.map((v) => 0.5 + v * 0.25)];
      return [name, values.map((v) => v * shift)];
    }),
  );
}
