/**
 * Images per second of a whole training step (forward, backward, update), ours beside others', on
 * the same model, weights, images and recipe.
 */
import type { Bench, Choice, Setting } from './bench.ts';
import { SMALL, STANDARD, chosen, titleOf } from './bench.ts';
import type { Timing } from './competitors.ts';
import { linesOf, ours, race, ratioTo, tfjsWasm, torchStep } from './competitors.ts';
import { networkAtStart } from './network.ts';
import { torchPeers } from './torch.ts';

interface Compared extends Setting {
  /** TensorFlow.js takes seconds per image: how often it takes part. */
  tfjsRounds: number;
}

/** Where TensorFlow.js would take minutes per step it is left out. */
const SETTINGS: readonly Compared[] = [
  { ...SMALL, tfjsRounds: SMALL.rounds },
  ...STANDARD.map((setting) => ({
    ...setting,
    tfjsRounds: setting.architecture.image > 64 ? 0 : 2,
  })),
];

interface Result extends Setting {
  batch: number;
  timings: Timing[];
  /** Our images/s over the other's (over the better PyTorch setting's); null: not measured. */
  ratios: { torch: number | null; tfjs: number | null };
}

async function measure(setting: Setting | Compared, choice: Choice): Promise<Result> {
  const network = networkAtStart(setting.architecture, choice.batch);
  const competitors = [await ours(network, choice)];
  const tfjsRounds = 'tfjsRounds' in setting ? setting.tfjsRounds : 2;
  if (choice.tfjs && tfjsRounds > 0) competitors.push(await tfjsWasm(network, tfjsRounds));
  competitors.push(...(await torchPeers(network, choice)).map(torchStep));
  const timings = await race(competitors, setting.rounds, choice.batch);
  const ratios = { torch: ratioTo(timings, 'pytorch'), tfjs: ratioTo(timings, 'tfjs') };
  return { ...setting, batch: choice.batch, timings, ratios };
}

export const trainStep: Bench = {
  name: 'train-step',
  about: 'images/s of a training step: ours, TensorFlow.js, PyTorch',
  async run(choice) {
    const results: Result[] = [];
    for (const setting of chosen(choice, SETTINGS)) results.push(await measure(setting, choice));
    const lines = results.flatMap(({ architecture, batch, timings, ratios }) => [
      '',
      `${titleOf(architecture)}, batch ${batch}`,
      ...linesOf(timings),
      `  ours / PyTorch ${shown(ratios.torch, 2)}, ours / TensorFlow.js ${shown(ratios.tfjs, 1)}`,
    ]);
    return { results, lines };
  },
};

function shown(ratio: number | null, digits: number): string {
  return ratio === null ? 'not measured' : ratio.toFixed(digits);
}
