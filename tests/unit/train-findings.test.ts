/** Targets of batches with findings, and what the loss makes of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import { targetsOf } from '../../engine/runtime/batch.ts';
import { sigmoidCrossEntropy } from '../../engine/train/loss.ts';
import { runOnnx } from '../conformance/support/single.ts';

const SIZE = 3;
const FINDINGS = 2;
const CELLS = SIZE * FINDINGS;
const bits = fc.array(fc.constantFrom(0, 1), { minLength: CELLS, maxLength: CELLS });
const logits = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: CELLS, maxLength: CELLS });

const batchOf = (targets: number[], mask: number[]) => ({
  labels: new Int32Array(),
  size: SIZE,
  findings: { targets: Float32Array.from(targets), mask: Float32Array.from(mask) },
});

/** -log of the probability of a target. */
const cost = (logit: number, target: number): number =>
  Math.log1p(Math.exp(target === 1 ? -logit : logit));

test('are the findings themselves, and the mask says what counts', () => {
  const { targets, exampleWeights } = targetsOf(batchOf([1, 0, 0, 1, 1, 0], [1, 1, 0, 1, 0, 1]), {
    classes: FINDINGS,
  });
  expect([...exampleWeights]).toEqual([1, 1, 0, 1, 0, 1]);
  expect([...targets].filter((_, at) => exampleWeights[at] === 1)).toEqual([1, 0, 1, 0]);
});

test('smoothing moves every target towards a half', () => {
  const settings = { smoothing: 0.2, classWeights: null };
  const batch = batchOf([1, 0, 1, 0, 1, 0], [1, 1, 1, 1, 1, 1]);
  const { targets } = targetsOf(batch, { classes: FINDINGS }, settings);
  [...targets].forEach((target, at) => expect(target).toBeCloseTo(at % 2 === 0 ? 0.9 : 0.1, 6));
});

test('the loss of a mixture is the mixture of the losses of what is known', async () => {
  const g = new GraphBuilder();
  const shape = [SIZE, FINDINGS];
  const inputs = ['logits', 'targets', 'mask'].map((name) => g.input(name, shape));
  const graph = g.finish([['loss', sigmoidCrossEntropy(g, inputs[0]!, inputs[1]!, inputs[2]!)]]);
  const partner = [1, 2, 0];
  await fc.assert(
    fc.asyncProperty(
      logits,
      bits,
      bits,
      fc.integer({ min: 0, max: 10 }),
      async (z, t, m, tenth) => {
        const lambda = tenth / 10;
        const scores = z.map((each) => each / 10);
        const batch = { ...batchOf(t, m), mix: { partner: Int32Array.from(partner), lambda } };
        const mixed = targetsOf(batch, { classes: FINDINGS });
        const found = await runOnnx(
          graph,
          new Map([
            ['logits', Float32Array.from(scores)],
            ['targets', mixed.targets],
            ['mask', mixed.exampleWeights],
          ]),
        );
        let [sum, weight] = [0, 0];
        scores.forEach((score, at) => {
          const other = partner[Math.floor(at / FINDINGS)]! * FINDINGS + (at % FINDINGS);
          sum += lambda * m[at]! * cost(score, t[at]!);
          sum += (1 - lambda) * m[other]! * cost(score, t[other]!);
          weight += lambda * m[at]! + (1 - lambda) * m[other]!;
        });
        expect(found.get('loss')?.[0]).toBeCloseTo(sum / Math.max(1, weight), 4);
      },
    ),
    { numRuns: 25 },
  );
});
