/** Against `torch.optim` (tests/reference/make_training.py), in both runtimes. */
import { describe, expect, test } from 'vitest';
import { trainingSchema } from '../../contract/study.ts';
import type { Training } from '../../contract/study.ts';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import type { Graph } from '../../engine/graph/types.ts';
import { sizeOf } from '../../engine/graph/types.ts';
import type { ParameterRole, ParameterSpec } from '../../engine/models/model.ts';
import { tfjsForward } from '../../engine/runtime/tfjs/runtime.ts';
import {
  gradientNorm,
  optimiserUpdates,
  slotName,
  slotsOf,
  stepScalars,
} from '../../engine/train/optimiser.ts';
import { UPDATED } from '../../engine/train/step.ts';
import { runOnnx } from '../conformance/support/single.ts';
import reference from '../reference/training.json' with { type: 'json' };

type Numbers = Record<string, number[]>;
type Run = (
  graph: Graph,
  feeds: ReadonlyMap<string, Float32Array>,
) => Promise<Map<string, Float32Array>>;

const specs: ParameterSpec[] = Object.entries(reference.parameters).map(
  ([name, { shape, role, stage }]) => ({
    name,
    shape,
    role: role as ParameterRole,
    stage,
    module: stage,
    initialiser: { kind: 'constant', value: 0 },
  }),
);

function updateOf(trained: readonly ParameterSpec[], training: Training): Graph {
  const g = new GraphBuilder();
  const parameters = trained.map((spec) => ({
    spec,
    value: g.parameter(spec.name, spec.shape),
    gradient: g.input(`gradient/${spec.name}`, spec.shape),
  }));
  const norm = gradientNorm(g, parameters);
  const updates = optimiserUpdates(g, parameters, norm, training, reference.stages).map(
    ([name, value]) => [UPDATED + name, value] as const,
  );
  return g.finish([...updates, ['norm', norm]]);
}

function arrays(numbers: Numbers, prefix = ''): [string, Float32Array][] {
  return Object.entries(numbers).map(([name, data]) => [prefix + name, Float32Array.from(data)]);
}

/** Largest difference of two lists, over the larger of 1e-2 and the wanted value. */
function off(found: ArrayLike<number> | undefined, wanted: readonly number[]): number {
  return Math.max(
    ...wanted.map((w, i) => Math.abs((found?.[i] ?? NaN) - w) / Math.max(Math.abs(w), 1e-2)),
  );
}

const cases = reference.optimisers as {
  name: string;
  training: object;
  joins: Record<string, number>;
  start: Numbers;
  steps: { rate: number; gradients: Numbers; norm: number; after: Numbers }[];
}[];

const runtimes: [string, Run][] = [
  ['onnxruntime', runOnnx],
  ['TensorFlow.js', tfjsForward],
];

describe.each(runtimes)('%s', (_, run) => {
  test.each(cases)('$name: five steps are those of PyTorch', async (expected) => {
    const training = trainingSchema.parse({ epochs: 1, lr: { peak: 1 }, ...expected.training });
    const state = new Map(arrays(expected.start));
    for (const [step, { rate, gradients, norm, after }] of expected.steps.entries()) {
      const trained = specs.filter(({ stage }) => step >= (expected.joins[stage] ?? 0));
      for (const { name, shape } of trained) {
        for (const slot of slotsOf(training.optimiser)) {
          const key = slotName(slot, name);
          if (!state.has(key)) state.set(key, new Float32Array(sizeOf(shape)));
        }
      }
      const scalars = stepScalars(
        training,
        new Set(trained.map(({ stage }) => stage)),
        rate,
        (stage) => step - (expected.joins[stage] ?? 0) + 1,
      );
      const feeds = new Map([...state, ...scalars, ...arrays(gradients, 'gradient/')]);
      const { norm: found, ...updated } = Object.fromEntries(
        await run(updateOf(trained, training), feeds),
      );
      for (const [name, data] of Object.entries(updated)) {
        state.set(name.slice(UPDATED.length), data);
      }
      expect(off(found, [norm]), `norm of step ${step}`).toBeLessThan(1e-5);
      for (const [name, wanted] of Object.entries(after)) {
        expect(off(state.get(name), wanted), `${name} after step ${step}`).toBeLessThan(1e-5);
      }
    }
  });
});
