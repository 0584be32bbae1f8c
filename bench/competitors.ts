import { cpus } from 'node:os';
import { readFile } from 'node:fs/promises';
import { OnnxTrainer } from '../engine/runtime/onnx/trainer.ts';
import { TfjsTrainer } from '../engine/runtime/tfjs/trainer.ts';
import type { Setting } from './setting.ts';
import { useWasm } from './tfjs-wasm.ts';

/** Something that does training steps, one at a time. */
export interface Competitor {
  name: string;
  version: string;
  threads: number;
  note?: string;
  /** One step: how long it took and the loss before it. */
  step(): Promise<{ seconds: number; loss: number }>;
  close(): Promise<void>;
}

export const RATE = 0.01;

/** The version of an installed npm package. */
export async function versionOf(name: string): Promise<string> {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}

async function timed(
  step: () => Promise<{ loss: number }>,
): Promise<{ seconds: number; loss: number }> {
  const start = performance.now();
  const { loss } = await step();
  return { seconds: (performance.now() - start) / 1000, loss };
}

/** Our step, on every core. */
export async function ours({ options, training, start, batch }: Setting): Promise<Competitor> {
  const threads = cpus().length;
  const trainer = await OnnxTrainer.create(options, training, start, threads);
  return {
    name: 'carryover',
    version: `onnxruntime ${await versionOf('onnxruntime-node')}`,
    threads,
    step: () => timed(() => trainer.step(batch, RATE)),
    close: () => trainer.close(),
  };
}

/** TensorFlow.js on its WebAssembly backend, through our second runtime. */
export async function tfjsWasm({ options, training, start, batch }: Setting): Promise<Competitor> {
  await useWasm();
  const trainer = await TfjsTrainer.create(options, training, start);
  return {
    name: 'tfjs-wasm',
    version: `TensorFlow.js ${await versionOf('@tensorflow/tfjs-core')}`,
    threads: 1,
    note: 'SIMD; no threads under Node. It has no filter gradient: ours, of slices and matMul',
    step: () => timed(() => trainer.step(batch, RATE)),
    close: () => trainer.close(),
  };
}
