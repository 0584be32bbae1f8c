import { readFile } from 'node:fs/promises';
import { startingFrom } from '../engine/runtime/batch.ts';
import { OnnxTrainer } from '../engine/runtime/onnx/trainer.ts';
import { TfjsTrainer } from '../engine/runtime/tfjs/trainer.ts';
import type { Choice } from './bench.ts';
import { median, timed } from './bench.ts';
import type { Network } from './network.ts';
import { RATE } from './network.ts';
import { useWasm } from './tfjs-wasm.ts';
import type { TorchPeer } from './torch.ts';

/** What was measured of one piece of work; `value` must be the same for all. */
export interface Sample {
  seconds: number;
  value: number;
}

/** Somebody who does the same piece of work as the others, again and again. */
export interface Competitor {
  name: string;
  version: string;
  threads: number;
  note?: string;
  /** Rounds that it takes part in; absent: all. */
  rounds?: number;
  once(): Promise<Sample>;
  close(): Promise<void>;
}

export interface Timing {
  name: string;
  version: string;
  threads: number;
  note?: string;
  /** One entry per round. */
  seconds: number[];
  /** batch / median seconds. */
  imagesPerSecond: number;
}

/** First values further apart than this mean that two competitors do not do the same. */
const SAME = 1e-3;

/**
 * Times everybody in turn, round after round, so that a noisy neighbour slows all; one round before
 * that is not counted. Each turn is two steps of which the second is timed: the first finds the
 * caches full of the others' data and cores that their waiting threads still hold. Closes the
 * competitors.
 * @throws where their first values differ
 */
export async function race(
  competitors: readonly Competitor[],
  rounds: number,
  batch: number,
): Promise<Timing[]> {
  const seconds = competitors.map((): number[] => []);
  try {
    const first: Sample[] = [];
    for (const competitor of competitors) first.push(await competitor.once());
    checkSame(competitors, first);
    for (let round = 0; round < rounds; round++) {
      for (const [i, competitor] of competitors.entries()) {
        if (round >= (competitor.rounds ?? rounds)) continue;
        await competitor.once();
        seconds[i]?.push((await competitor.once()).seconds);
      }
    }
  } finally {
    await Promise.all(competitors.map((competitor) => competitor.close()));
  }
  return competitors.map(({ name, version, threads, note }, i) => ({
    ...{ name, version, threads, ...(note === undefined ? {} : { note }) },
    seconds: seconds[i] ?? [],
    imagesPerSecond: batch / median(seconds[i] ?? []),
  }));
}

function checkSame(competitors: readonly Competitor[], first: readonly Sample[]): void {
  const reference = first[0]?.value ?? NaN;
  first.forEach(({ value }, i) => {
    if (Math.abs(value - reference) <= SAME * Math.abs(reference)) return;
    throw new Error(`${competitors[i]?.name} gives ${value}, ours ${reference}: not the same work`);
  });
}

/** Our images/s over those of the best whose name starts so; null: it does not take part. */
export function ratioTo(timings: readonly Timing[], prefix: string): number | null {
  const speeds = timings.filter(({ name }) => name.startsWith(prefix));
  if (speeds.length === 0) return null;
  const best = Math.max(...speeds.map(({ imagesPerSecond }) => imagesPerSecond));
  return (timings[0]?.imagesPerSecond ?? NaN) / best;
}

/** Timings as a table for people. */
export function linesOf(timings: readonly Timing[]): string[] {
  return timings.map(({ name, version, threads, imagesPerSecond, seconds, note }) => {
    const speed = imagesPerSecond.toFixed(1).padStart(9);
    const count = `${threads} thread${threads === 1 ? '' : 's'}, ${seconds.length} rounds`;
    return `  ${name.padEnd(28)}${speed} images/s   ${version}, ${count}${note ? ` (${note})` : ''}`;
  });
}

/** The version of an installed npm package. */
export async function versionOf(name: string): Promise<string> {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}

/** Our training step. */
export async function ours(
  { options, training, weights, batch }: Network,
  { threads, device }: Choice,
): Promise<Competitor> {
  const session = { threads, device };
  const trainer = await OnnxTrainer.create(options, training, startingFrom(weights), session);
  let steps = 0;
  const step = async (): Promise<Sample> => {
    steps += 1;
    const { seconds, result } = await timed(() => trainer.step(batch, RATE, () => steps));
    return { seconds, value: result.loss };
  };
  const version = `onnxruntime ${await versionOf('onnxruntime-node')}, ${device}`;
  return { name: 'carryover', version, threads, once: step, close: () => trainer.close() };
}

/** TensorFlow.js on its WebAssembly backend, through our second runtime. */
export async function tfjsWasm(
  { options, training, weights, batch }: Network,
  rounds: number,
): Promise<Competitor> {
  await useWasm();
  const trainer = await TfjsTrainer.create(options, training, startingFrom(weights));
  let steps = 0;
  const step = async (): Promise<Sample> => {
    steps += 1;
    const { seconds, result } = await timed(() => trainer.step(batch, RATE, () => steps));
    return { seconds, value: result.loss };
  };
  return {
    name: 'tfjs-wasm',
    version: `TensorFlow.js ${await versionOf('@tensorflow/tfjs-core')}`,
    threads: 1,
    note: 'SIMD; no threads under Node. It has no filter gradient: ours, of slices and matMul',
    rounds,
    once: step,
    close: () => trainer.close(),
  };
}

/** PyTorch's training step. */
export function torchStep({ ask, ...peer }: TorchPeer): Competitor {
  const once = async (): Promise<Sample> => {
    const { seconds, loss } = await ask<{ seconds: number; loss: number }>('step');
    return { seconds, value: loss };
  };
  return { ...peer, once };
}
