/**
 * Images per second of a whole training step (forward, backward, update), ours beside others', on
 * the same model, weights, images and recipe. Rounds are interleaved, so that a noisy neighbour
 * slows everybody.
 */
import { cpus } from 'node:os';
import type { ArchitectureSpec } from '../contract/architecture.ts';
import type { Competitor } from './competitors.ts';
import { ours, tfjsWasm } from './competitors.ts';
import { settingOf } from './setting.ts';
import type { Setting } from './setting.ts';
import { pythonWithTorch, torch } from './torch.ts';

export interface Timing {
  name: string;
  version: string;
  threads: number;
  note?: string;
  /** Seconds of one step, one entry per round. */
  seconds: number[];
  /** batch / median seconds. */
  imagesPerSecond: number;
}

export interface TrainStepResult {
  architecture: ArchitectureSpec;
  batch: number;
  timings: Timing[];
  /** Our images/s over the other's (over the better PyTorch setting's); null: not installed. */
  ratios: { torch: number | null; tfjs: number };
}

/** A first loss further off than this means that two competitors do not do the same. */
const SAME_LOSS = 1e-3;

async function competitorsFor(setting: Setting): Promise<Competitor[]> {
  const found = [await ours(setting), await tfjsWasm(setting)];
  const python = pythonWithTorch();
  if (python === null) {
    process.stderr.write('PyTorch is not installed (Debian: python3-torch): left out\n');
    return found;
  }
  const own = await torch(python, setting, null);
  found.push(own);
  const cores = cpus().length;
  if (own.threads !== cores) found.push(await torch(python, setting, cores));
  return found;
}

export async function measureTrainStep(
  architecture: ArchitectureSpec,
  batch: number,
  rounds: number,
): Promise<TrainStepResult> {
  const competitors = await competitorsFor(settingOf(architecture, batch));
  const seconds = competitors.map((): number[] => []);
  try {
    const first = await inTurn(competitors);
    first.forEach(({ loss }, i) => {
      const reference = first[0]?.loss ?? NaN;
      if (Math.abs(loss - reference) <= SAME_LOSS * reference) return;
      throw new Error(`${competitors[i]?.name}: first loss ${loss}, ours ${reference}`);
    });
    for (let round = 0; round < rounds; round++) {
      (await inTurn(competitors)).forEach((result, i) => seconds[i]?.push(result.seconds));
    }
  } finally {
    await Promise.all(competitors.map((competitor) => competitor.close()));
  }
  const timings = competitors.map(({ name, version, threads, note }, i) => ({
    ...{ name, version, threads, ...(note === undefined ? {} : { note }) },
    seconds: seconds[i] ?? [],
    imagesPerSecond: batch / median(seconds[i] ?? []),
  }));
  return { architecture, batch, timings, ratios: ratiosOf(timings) };
}

async function inTurn(competitors: readonly Competitor[]) {
  const results: { seconds: number; loss: number }[] = [];
  for (const competitor of competitors) results.push(await competitor.step());
  return results;
}

function ratiosOf(timings: readonly Timing[]): TrainStepResult['ratios'] {
  const best = (prefix: string): number =>
    Math.max(...timings.filter((t) => t.name.startsWith(prefix)).map((t) => t.imagesPerSecond));
  const [mine, torchs] = [best('carryover'), best('pytorch')];
  return { torch: torchs > 0 ? mine / torchs : null, tfjs: mine / best('tfjs') };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}
