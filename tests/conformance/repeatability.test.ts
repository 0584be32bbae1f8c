import { describe, expect, test } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { trainingSchema } from '../../contract/study.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import { stream } from '../../engine/random/streams.ts';
import type { Batch, TrainingState } from '../../engine/runtime/batch.ts';
import { startingFrom } from '../../engine/runtime/batch.ts';
import { OnnxTrainer } from '../../engine/runtime/onnx/trainer.ts';

const training = trainingSchema.parse({ epochs: 1, lr: { peak: 0.1 }, 'clip-norm': 1 });
const options: ModelOptions = {
  architecture: architectureSchema.parse({ name: 'fixup-resnet10', width: 12, image: 40 }),
  classes: 9,
  batch: 16,
};

function fresh(): TrainingState {
  return startingFrom(initialise(buildModel(options).parameters, 5));
}

function batchOf(step: number): Batch {
  const random = stream(7, 'batch', step);
  const images = new Float32Array(options.batch * 3 * 40 * 40).map(() => random.normal());
  const labels = Int32Array.from({ length: options.batch }, () => random.randint(0, 9));
  return { images, labels, size: options.batch };
}

/** Steps `from` to `to` with `threads` threads from `state`. */
async function train(state: TrainingState, from: number, to: number, threads: number) {
  const trainer = await OnnxTrainer.create(options, training, state, { threads });
  try {
    const losses: number[] = [];
    for (let step = from; step < to; step++) {
      losses.push((await trainer.step(batchOf(step), 0.1 / (step + 1), () => step + 1)).loss);
    }
    return { losses, state: await trainer.state() };
  } finally {
    await trainer.close();
  }
}

function bytes({ weights, optimiser }: TrainingState): Buffer {
  const parts = [...weights.values(), ...optimiser.values()];
  return Buffer.concat(parts.map((p) => new Uint8Array(p.buffer, p.byteOffset, p.byteLength)));
}

describe('training on the CPU is repeatable bit for bit', () => {
  const reference = train(fresh(), 0, 6, 1);

  test('in a second run', async () => {
    const [a, b] = [await reference, await train(fresh(), 0, 6, 1)];
    expect(b.losses).toEqual(a.losses);
    expect(bytes(b.state).equals(bytes(a.state))).toBe(true);
  });

  test('with two threads', async () => {
    const [a, b] = [await reference, await train(fresh(), 0, 6, 2)];
    expect(b.losses).toEqual(a.losses);
    expect(bytes(b.state).equals(bytes(a.state))).toBe(true);
  });

  test('when it goes on from a saved state', async () => {
    const half = await train(fresh(), 0, 3, 1);
    const copy: TrainingState = structuredClone(half.state);
    const rest = await train(copy, 3, 6, 1);
    const whole = await reference;
    expect([...half.losses, ...rest.losses]).toEqual(whole.losses);
    expect(bytes(rest.state).equals(bytes(whole.state))).toBe(true);
    expect(bytes(half.state).equals(bytes(whole.state))).toBe(false);
  });

  test("a state is not changed by the steps that follow, nor is the caller's", async () => {
    const given = fresh();
    const before = Buffer.from(bytes(given));
    const trainer = await OnnxTrainer.create(options, training, given, { threads: 1 });
    try {
      await trainer.step(batchOf(0), 0.1, () => 1);
      const state = await trainer.state();
      const kept = Buffer.from(bytes(state));
      await trainer.step(batchOf(1), 0.1, () => 2);
      expect(bytes(state).equals(kept)).toBe(true);
      expect(bytes(given).equals(before)).toBe(true);
    } finally {
      await trainer.close();
    }
  });
});
