/**
 * The most memory that a few training steps need: ours and PyTorch, each in a process of its own,
 * beside what the process needs with nothing but its runtime loaded. The steps of the two are the
 * same; so are weights and images.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench, Choice, Setting } from './bench.ts';
import { STANDARD, chosen, titleOf } from './bench.ts';
import type { MemoryJob } from './memory-child.ts';
import type { Network } from './network.ts';
import { networkAtStart } from './network.ts';
import { startTorch } from './torch.ts';

const child = fileURLToPath(new URL('./memory-child.ts', import.meta.url));
const STEPS = 4;

interface Peak {
  /** Bytes with the runtime loaded only, and after the steps. */
  idle: number;
  steps: number;
}

interface Result {
  architecture: Setting['architecture'];
  batch: number;
  steps: number;
  ours: Peak;
  torch: Peak | null;
  /** Ours over PyTorch's: of the whole process, and of what the steps add to the idle one. */
  ratios: { whole: number; added: number } | null;
}

async function ourPeak(job: MemoryJob | null): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(job)]);
  return (JSON.parse(stdout) as { bytes: number }).bytes;
}

async function torchPeak(network: Network | null, threads: number): Promise<number> {
  const peer = await startTorch(network, threads);
  try {
    for (let step = 0; network && step < STEPS; step++) await peer.ask('step');
    return (await peer.ask<{ bytes: number }>('memory')).bytes;
  } finally {
    await peer.close();
  }
}

async function torchPeaks(network: Network, threads: number): Promise<Peak | null> {
  try {
    return { idle: await torchPeak(null, threads), steps: await torchPeak(network, threads) };
  } catch (error) {
    process.stderr.write(`PyTorch is left out: ${String(error)}\n`);
    return null;
  }
}

async function measure({ architecture }: Setting, { batch, threads }: Choice): Promise<Result> {
  const ours = {
    idle: await ourPeak(null),
    steps: await ourPeak({ architecture, batch, steps: STEPS, threads }),
  };
  const torch = await torchPeaks(networkAtStart(architecture, batch), threads);
  const ratios = torch && {
    whole: ours.steps / torch.steps,
    added: (ours.steps - ours.idle) / (torch.steps - torch.idle),
  };
  return { architecture, batch, steps: STEPS, ours, torch, ratios };
}

export const memory: Bench = {
  name: 'memory',
  about: 'peak memory of a training step: ours, PyTorch',
  async run(choice) {
    const results: Result[] = [];
    for (const setting of chosen(choice, STANDARD)) results.push(await measure(setting, choice));
    return { results, lines: results.flatMap(linesOf) };
  },
};

function linesOf({ architecture, batch, steps, ours, torch, ratios }: Result): string[] {
  const line = (name: string, peak: Peak): string =>
    `  ${name.padEnd(12)}${mebibytes(peak.steps)} MiB, ${mebibytes(peak.idle)} MiB idle`;
  return [
    '',
    `${titleOf(architecture)}, batch ${batch}, ${steps} steps`,
    line('carryover', ours),
    ...(torch ? [line('pytorch', torch)] : []),
    ratios
      ? `  ours / PyTorch ${ratios.whole.toFixed(2)}; of what the steps add ${ratios.added.toFixed(2)}`
      : '  PyTorch was not measured',
  ];
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0).padStart(6);
}
