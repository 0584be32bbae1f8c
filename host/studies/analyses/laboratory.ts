import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ModelOptions, ParameterSpec } from '../../../engine/models/model.ts';
import type { Weights } from '../../../engine/models/registry.ts';
import { buildModel } from '../../../engine/models/registry.ts';
import { stream } from '../../../engine/random/streams.ts';
import type { Batch } from '../../../engine/runtime/batch.ts';
import type { Evaluator } from '../../../engine/runtime/devices/trainer.ts';
import { createEvaluator } from '../../../engine/runtime/devices/trainer.ts';
import { OnnxInference } from '../../../engine/runtime/onnx/trainer.ts';
import type { Evaluation } from '../../../engine/train/evaluate.ts';
import { evaluate } from '../../../engine/train/evaluate.ts';
import type { BatchSource } from '../../../engine/train/loop.ts';
import { writeFileAtomic } from '../../files.ts';
import { readWeights } from '../../trainer/journal.ts';
import { modelOptions, openLoader } from '../../trainer/open-loader.ts';
import type { TrainerJob } from '../../trainer/protocol.ts';
import { trainerSettings } from '../../trainer/train.ts';
import { readJob } from '../run-files.ts';
import type { NetworkRef } from './definition.ts';
import type { Activations, ImagesRef, Lab } from './lab.ts';
import { networkKey, type MeasureJob, type MeasureMessage } from './protocol.ts';

type Progress = Omit<Extract<MeasureMessage, { type: 'progress' }>, 'type'>;

/** Weights of so many networks are kept in memory. */
const MOST_WEIGHTS = 16;
/** Drawn images are the same in every analysis. */
const DRAWN_BY = 0;

/** The laboratory of one process. Close it after use. */
export class Laboratory implements Lab {
  readonly #given: MeasureJob;
  readonly #send: (progress: Progress) => void;
  readonly #jobs = new Map<string, TrainerJob>();
  readonly #weights = new Map<string, Weights>();
  readonly #batches = new Map<string, Promise<Batch[]>>();
  readonly #evaluators = new Map<string, Promise<Evaluator>>();

  constructor(given: MeasureJob, send: (progress: Progress) => void) {
    this.#given = given;
    this.#send = send;
  }

  job(run: string): TrainerJob {
    const known = this.#jobs.get(run);
    if (known) return known;
    const home = { runs: this.#given.runs } as Parameters<typeof readJob>[0]['home'];
    const job = readJob({ home }, run);
    this.#jobs.set(run, job);
    return job;
  }

  file(run: string, name: string): string {
    return join(this.#given.runs, run, name);
  }

  options(run: string): ModelOptions {
    return modelOptions(this.job(run));
  }

  parameters(run: string): readonly ParameterSpec[] {
    return buildModel({ ...this.options(run), batch: 1, mode: 'evaluation' }).parameters;
  }

  async weights(network: NetworkRef): Promise<Weights> {
    const key = networkKey(network);
    const known = this.#weights.get(key);
    if (known) return known;
    const file = this.#given.weights[key];
    if (file === undefined) throw new Error(`the weights of ${key} were not kept`);
    const { tensors } = await readWeights(file);
    const weights: Weights = new Map([...tensors].map(([name, { data }]) => [name, data]));
    const [oldest] = this.#weights.keys();
    if (this.#weights.size >= MOST_WEIGHTS && oldest !== undefined) this.#weights.delete(oldest);
    this.#weights.set(key, weights);
    return weights;
  }

  rows({ run, split, most, only }: ImagesRef): number[] {
    if (only) return [...only];
    const count = this.job(run)[split]?.imageIds.length ?? 0;
    const all = Array.from({ length: count }, (_, row) => row);
    if (most === undefined || most >= count) return all;
    const drawn = stream(DRAWN_BY, 'images of an analysis', split).permutation(count);
    return Array.from(drawn.subarray(0, most)).sort((a, b) => a - b);
  }

  batches(images: ImagesRef): Promise<readonly Batch[]> {
    const key = this.#imagesKey(images);
    const known = this.#batches.get(key) ?? this.#make(images);
    this.#batches.set(key, known);
    return known;
  }

  async source(images: ImagesRef): Promise<BatchSource> {
    const batches = await this.batches(images);
    const never = (): never => {
      throw new Error('nothing is trained in a laboratory');
    };
    return {
      count: batches.reduce((sum, { size }) => sum + size, 0),
      training: never,
      evaluation: async function* () {
        yield* batches;
      },
    };
  }

  async evaluate(weights: Weights, images: ImagesRef): Promise<Evaluation> {
    const options = this.options(images.run);
    const evaluator = await this.#evaluator(images.run);
    return evaluate(evaluator, weights, await this.source(images), options);
  }

  async activations(
    run: string,
    weights: Weights,
    images: ImagesRef,
    taps: readonly string[],
    maps: 'mean' | 'flat',
  ): Promise<Map<string, Activations>> {
    const options = this.options(run);
    const threads = availableParallelism();
    const model = buildModel({ ...options, mode: 'evaluation' });
    const inference = await OnnxInference.create(options, weights, { threads }, taps);
    try {
      const collected = new Map(taps.map((tap) => [tap, [] as Float32Array[]]));
      for (const { images: pixels, size } of await this.batches(images)) {
        const inferred = await inference.run(pixels, size);
        for (const tap of taps) {
          const values = tap === 'logits' ? inferred.logits : inferred.taps.get(tap);
          if (!values) throw new Error(`the network has no tap ${tap}`);
          const [, , ...places] = model.taps.get(tap)?.shape ?? [];
          const positions = places.reduce((product, side) => product * side, 1);
          const kept = maps === 'mean' ? averaged(values, positions) : values;
          collected.get(tap)?.push(kept);
        }
      }
      const count = this.rows(images).length;
      return new Map([...collected].map(([tap, parts]) => [tap, joined(parts, count)]));
    } finally {
      await inference.close();
    }
  }

  async memo<T>(key: string, compute: () => Promise<T>): Promise<T> {
    const name = createHash('sha256').update(key).digest('hex').slice(0, 24);
    const file = join(this.#given.folder, `found-${name}.json`);
    if (existsSync(file)) return JSON.parse(await readFile(file, 'utf8')) as T;
    const found = await compute();
    await writeFileAtomic(file, JSON.stringify(found));
    return found;
  }

  tell(phase: string, done: number, total: number, unit: string): void {
    this.#send({ phase, done, total, unit });
  }

  async picture(
    name: string,
    pixels: Uint8Array,
    size: { width: number; height: number; channels: 1 | 3 },
  ): Promise<string> {
    await mkdir(this.#given.folder, { recursive: true });
    const file = `${name}.png`;
    const data = await sharp(pixels, { raw: size }).png({ compressionLevel: 9 }).toBuffer();
    await writeFileAtomic(join(this.#given.folder, file), data);
    return file;
  }

  async close(): Promise<void> {
    for (const evaluator of this.#evaluators.values()) await (await evaluator).close();
  }

  #evaluator(run: string): Promise<Evaluator> {
    const options = this.options(run);
    const key = JSON.stringify(options);
    const known =
      this.#evaluators.get(key) ?? createEvaluator(options, trainerSettings(this.job(run)));
    this.#evaluators.set(key, known);
    return known;
  }

  /** The same for all runs that see the same pixels with the same labels. */
  #imagesKey({ run, split, most, only }: ImagesRef): string {
    const { recipe, shuffle, seed, architecture, training, ...job } = this.job(run);
    const { image, channels } = architecture;
    const { imageIds, labels, findings } = job[split] ?? { imageIds: [], labels: [] };
    const seen = [recipe, shuffle, shuffle === 'none' ? 0 : seed, image, channels, training.batch];
    const chosen = [split, most ?? null, only ?? null];
    const what = JSON.stringify([...seen, ...chosen, imageIds, labels, findings ?? null]);
    return createHash('sha256').update(what).digest('hex');
  }

  async #make(images: ImagesRef): Promise<Batch[]> {
    const job = this.job(images.run);
    const loader = await openLoader(
      job,
      (message) => {
        if (message.type !== 'preparing') return;
        this.tell('reading images', message.done, message.total, 'images');
      },
      { only: [images.split] },
    );
    try {
      const source = loader.source(images.split);
      if (!source) throw new Error(`run ${images.run} has no ${images.split} images`);
      const chosen = new Set(this.rows(images));
      return await rebatched(source, chosen, job.training.batch);
    } finally {
      await loader.close();
    }
  }
}

/** The chosen images of a source in batches of their own. */
async function rebatched(
  source: BatchSource,
  chosen: ReadonlySet<number>,
  size: number,
): Promise<Batch[]> {
  const made: Batch[] = [];
  let singles: Batch[] = [];
  let row = 0;
  for await (const batch of source.evaluation()) {
    for (let i = 0; i < batch.size; i++, row++) if (chosen.has(row)) singles.push(single(batch, i));
    while (singles.length >= size) {
      made.push(together(singles.slice(0, size)));
      singles = singles.slice(size);
    }
  }
  if (singles.length > 0) made.push(together(singles));
  return made;
}

/** One image of a batch, as a view. */
function single({ images, labels, findings, size, ids }: Batch, at: number): Batch {
  const part = <A extends Float32Array | Int32Array>(values: A): A => {
    const width = values.length / size;
    return values.subarray(at * width, (at + 1) * width) as A;
  };
  return {
    images: part(images),
    labels: part(labels),
    ...(findings && { findings: { targets: part(findings.targets), mask: part(findings.mask) } }),
    size: 1,
    ids: [ids?.[at] ?? 0],
  };
}

function together(parts: readonly Batch[]): Batch {
  const floats = (arrays: readonly Float32Array[]): Float32Array => {
    const result = new Float32Array(arrays.reduce((sum, each) => sum + each.length, 0));
    let at = 0;
    for (const each of arrays) {
      result.set(each, at);
      at += each.length;
    }
    return result;
  };
  const findings = parts.flatMap((part) => part.findings ?? []);
  return {
    images: floats(parts.map(({ images }) => images)),
    labels: Int32Array.from(parts.flatMap(({ labels }) => [...labels])),
    ...(findings.length > 0 && {
      findings: {
        targets: floats(findings.map(({ targets }) => targets)),
        mask: floats(findings.map(({ mask }) => mask)),
      },
    }),
    size: parts.length,
    ids: parts.flatMap(({ ids }) => [...(ids ?? [])]),
  };
}

/** Means over positions: [.., position] to [..]. */
function averaged(values: Float32Array, positions: number): Float32Array {
  if (positions === 1) return values;
  const means = new Float32Array(values.length / positions);
  for (let at = 0; at < means.length; at++) {
    let sum = 0;
    for (let p = 0; p < positions; p++) sum += values[at * positions + p]!;
    means[at] = sum / positions;
  }
  return means;
}

function joined(parts: readonly Float32Array[], images: number): Activations {
  const length = parts.reduce((sum, each) => sum + each.length, 0);
  const values = new Float32Array(length);
  let at = 0;
  for (const each of parts) {
    values.set(each, at);
    at += each.length;
  }
  return { values, images, dimensions: length / images };
}
