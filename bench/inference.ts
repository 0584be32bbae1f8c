/** Images per second of a network whose weights do not change, ours beside PyTorch without gradients. */
import { OnnxInference } from '../engine/runtime/onnx/trainer.ts';
import type { Bench, Choice, Setting } from './bench.ts';
import { STANDARD, chosen, timed, titleOf } from './bench.ts';
import type { Competitor, Sample, Timing } from './competitors.ts';
import { linesOf, race, ratioTo, versionOf } from './competitors.ts';
import type { Network } from './network.ts';
import { networkAtStart } from './network.ts';
import type { TorchPeer } from './torch.ts';
import { torchPeers } from './torch.ts';

interface Result extends Setting {
  batch: number;
  timings: Timing[];
  /** Our images/s over the better PyTorch setting's; null: not measured. */
  ratios: { torch: number | null };
}

/** Logits that are compared with the peer's. */
const COMPARED = 16;

function sizeOf(logits: readonly number[]): number {
  return logits.slice(0, COMPARED).reduce((sum, logit) => sum + Math.abs(logit), 0);
}

async function fixed(
  { options, weights, batch }: Network,
  { threads, device }: Choice,
): Promise<Competitor> {
  const network = await OnnxInference.create(options, weights, { threads, device });
  const once = async (): Promise<Sample> => {
    const { seconds, result } = await timed(() => network.run(batch.images, batch.size));
    return { seconds, value: sizeOf([...result.logits.subarray(0, COMPARED)]) };
  };
  const version = `onnxruntime ${await versionOf('onnxruntime-node')}, ${device}`;
  return { name: 'carryover', version, threads, once, close: () => network.close() };
}

function torchInference({ ask, ...peer }: TorchPeer): Competitor {
  const once = async (): Promise<Sample> => {
    const { seconds, logits } = await ask<{ seconds: number; logits: number[] }>('infer');
    return { seconds, value: sizeOf(logits) };
  };
  return { ...peer, once };
}

/** A head whose weights are zero at the start would make all networks look the same. */
function withHead(network: Network): Network {
  const weights = new Map(network.weights);
  for (const { name, stage } of network.parameters) {
    const data = weights.get(name);
    if (stage === 'head' && data) {
      weights.set(
        name,
        data.map((_, i) => Math.sin(i) / 10),
      );
    }
  }
  return { ...network, weights };
}

async function measure(setting: Setting, choice: Choice): Promise<Result> {
  const network = withHead(networkAtStart(setting.architecture, choice.batch));
  const peers = await torchPeers(network, choice);
  const competitors = [await fixed(network, choice), ...peers.map(torchInference)];
  const timings = await race(competitors, setting.rounds, choice.batch);
  return {
    ...setting,
    batch: choice.batch,
    timings,
    ratios: { torch: ratioTo(timings, 'pytorch') },
  };
}

export const inference: Bench = {
  name: 'inference',
  about: 'images/s with fixed weights: ours, PyTorch',
  async run(choice) {
    const results: Result[] = [];
    for (const setting of chosen(choice, STANDARD)) results.push(await measure(setting, choice));
    const lines = results.flatMap(({ architecture, batch, timings, ratios: { torch } }) => [
      '',
      `${titleOf(architecture)}, batch ${batch}`,
      ...linesOf(timings),
      `  ours / PyTorch ${torch === null ? 'not measured' : torch.toFixed(2)}`,
    ]);
    return { results, lines };
  },
};
