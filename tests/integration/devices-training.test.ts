/** A whole run in the trainer's process on a device that is not the CPU: WebGPU on SwiftShader. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { trainingSchema } from '../../contract/study.ts';
import { findSwiftShader } from '../conformance/support/swiftshader.ts';
import type { Fixture } from './trainer-support.ts';
import { doneOf, finalWeights, runChild, trainerFixture } from './trainer-support.ts';

const NAME = 'a run on WebGPU ends with the weights of a run on the CPU, and says where it ran';
const found = findSwiftShader();
if ('missing' in found) console.warn(`skipped, ${found.missing}: ${NAME}`);

/** Float32 numbers as they lie in a file. */
function numbers(bytes: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

describe('a run on a device', () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await trainerFixture();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await rm(fixture.folder, { recursive: true });
  });

  const training = trainingSchema.parse({ epochs: 1, batch: 16, lr: { peak: 0.02 } });

  test.skipIf('missing' in found)(
    NAME,
    async () => {
      if ('env' in found) for (const pair of Object.entries(found.env)) vi.stubEnv(...pair);
      const there = await fixture.job('webgpu', {
        ...{ training, keepEpochs: [], device: 'webgpu', adapter: 'SwiftShader' },
      });
      const done = doneOf(await runChild(there));
      expect(done.device).toBe('webgpu');
      expect(done.versions['adapter']).toBe('SwiftShader');

      const here = await fixture.job('cpu', { training, keepEpochs: [] });
      expect(doneOf(await runChild(here)).device).toBe('cpu');
      const ours = numbers(await finalWeights(there, 1));
      const theirs = numbers(await finalWeights(here, 1));
      const norm = (values: Float32Array): number => Math.hypot(...values);
      const gap = theirs.map((value, i) => value - (ours[i] ?? NaN));
      expect(norm(gap)).toBeGreaterThan(0);
      expect(norm(gap) / norm(theirs)).toBeLessThan(5e-3);
    },
    600_000,
  );

  test('a device that is not there fails the run with the reason, not the host', async () => {
    const foreign = process.platform === 'darwin' ? 'directml' : 'coreml';
    const messages = await runChild(await fixture.job('foreign', { training, device: foreign }));
    expect(messages.at(-1)).toMatchObject({
      type: 'failed',
      failure: { message: expect.stringContaining('backend not found') as string },
    });
  });
});
