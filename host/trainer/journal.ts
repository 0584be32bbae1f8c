import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EpochMetrics } from '../../contract/runs.ts';
import type { Tensor, TensorFile } from '../../engine/formats/safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../engine/formats/safetensors.ts';
import type { ParameterSpec } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';
import type { Best } from '../../engine/train/early-stopping.ts';
import type { TrainingPoint } from '../../engine/train/loop.ts';
import { systemCode, writeFileAtomic } from '../files.ts';
import type { WrittenFile } from './protocol.ts';

/** What a run has behind it: its curve so far, and the point from which it goes on. */
export interface Journal {
  curve: EpochMetrics[];
  point: TrainingPoint;
  files: WrittenFile[];
  /** What has computed so far. */
  device: string;
}

const NAME = 'journal.safetensors';
const WEIGHT = 'weight/';
const OPTIMISER = 'optimiser/';
const BEST = 'best/';

interface Stored {
  curve: EpochMetrics[];
  position: Omit<TrainingPoint, 'state' | 'best'>;
  best: Omit<Best, 'weights'> | null;
  files: WrittenFile[];
  device: string;
}

/** Replaces the run's journal; a crash leaves the old one or the new one. */
export async function writeJournal(
  folder: string,
  { curve, point, files, device }: Journal,
): Promise<void> {
  const { state, best, ...position } = point;
  const { weights: bestWeights = new Map() as Weights, ...bestEpoch } = best ?? {};
  const tensors = new Map<string, Tensor>();
  const put = (prefix: string, values: Weights): void =>
    values.forEach((data, name) => tensors.set(prefix + name, { shape: [data.length], data }));
  put(WEIGHT, state.weights);
  put(OPTIMISER, state.optimiser);
  put(BEST, bestWeights);
  const stored = { curve, position, best: best && bestEpoch, files, device };
  const metadata = { position: JSON.stringify(stored) };
  await writeFileAtomic(join(folder, NAME), encodeSafetensors({ tensors, metadata }));
}

/** The run's journal, or null when it has none yet. */
export async function readJournal(folder: string): Promise<Journal | null> {
  const bytes = await readFile(join(folder, NAME)).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });
  if (!bytes) return null;
  const { tensors, metadata } = decodeSafetensors(bytes, join(folder, NAME));
  const { curve, position, best, files, device } = JSON.parse(
    metadata['position'] ?? '{}',
  ) as Stored;
  const pick = (prefix: string): Weights =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, { data }]) => [name.slice(prefix.length), data]),
    );
  const state = { weights: pick(WEIGHT), optimiser: pick(OPTIMISER) };
  const point = { state, ...position, best: best && { ...best, weights: pick(BEST) } };
  return { curve, point, files, device };
}

/** Writes the weights of an epoch as `weights-<epoch>.safetensors`. */
export async function writeWeights(
  folder: string,
  epoch: number,
  parameters: readonly ParameterSpec[],
  weights: Weights,
  metadata: Record<string, string>,
): Promise<WrittenFile> {
  const tensors = new Map(
    parameters.map(({ name, shape }) => [name, { shape, data: required(weights, name) }]),
  );
  const name = `weights-${String(epoch).padStart(4, '0')}.safetensors`;
  const bytes = encodeSafetensors({ tensors, metadata: { ...metadata, epoch: String(epoch) } });
  return writeRunFile(folder, { kind: 'weights', name, epoch, split: null }, bytes);
}

/** Writes logits [image, class] as raw little-endian float32. */
export async function writeLogits(
  folder: string,
  epoch: number,
  split: 'train' | 'test',
  logits: Float32Array,
): Promise<WrittenFile> {
  const bytes = new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength);
  return writeRunFile(folder, { kind: 'logits', name: `logits-${split}.f32`, epoch, split }, bytes);
}

async function writeRunFile(
  folder: string,
  file: Omit<WrittenFile, 'bytes' | 'sha256'>,
  bytes: Uint8Array,
): Promise<WrittenFile> {
  await writeFileAtomic(join(folder, file.name), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { ...file, bytes: bytes.byteLength, sha256 };
}

/** Tensors of a weights file. */
export async function readWeights(file: string): Promise<TensorFile> {
  return decodeSafetensors(await readFile(file), file);
}

function required(weights: Weights, name: string): Float32Array {
  const found = weights.get(name);
  if (!found) throw new Error(`the state lacks "${name}"`);
  return found;
}
