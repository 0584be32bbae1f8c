import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { z } from 'zod';
import { CarryoverError } from '../../contract/errors.ts';
import { sizeOf } from '../graph/types.ts';
import type { ElementType } from './elements.ts';
import { ELEMENT_BYTES, toFloats } from './elements.ts';
import { unusable } from './failure.ts';
import type { KerasWeights } from './keras-topology.ts';
import { asRecord, classNamesIn, inputSide, layersOf, metadataOf } from './keras-topology.ts';
import type { RawTensor } from './weights.ts';
import { UNKNOWN_PREPROCESSING } from './told.ts';

const weightSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.string(),
  quantization: z
    .object({ dtype: z.string(), scale: z.number().optional(), min: z.number().optional() })
    .optional(),
});

const modelSchema = z.looseObject({
  modelTopology: z.record(z.string(), z.unknown()).nullish(),
  weightsManifest: z.array(
    z.object({ paths: z.array(z.string()), weights: z.array(weightSchema) }),
  ),
});

type ModelJson = z.infer<typeof modelSchema>;
type Group = ModelJson['weightsManifest'][number];
type Weight = Group['weights'][number];

/** Types that TensorFlow.js stores numbers in. */
const STORED: ReadonlySet<string> = new Set<ElementType>([
  'float32',
  'float16',
  'int32',
  'uint16',
  'uint8',
  'bool',
]);

/**
 * Reads a TensorFlow.js layers-model: model.json and the shards that its manifest
 * names, concatenated group by group. Values stored as uint8 or uint16 are
 * value * scale + min, float16 is widened (tfjs-core io_utils decodeWeights). Tensor names are the
 * manifest's: `Conv1/kernel`.
 * @throws CarryoverError `bad-input` or `io` that names model.json or the shard
 */
export async function readTfjsLayers(file: string): Promise<KerasWeights> {
  const json = parseModel(await read(file, file), file);
  if (isGraphModel(json)) throw graphModel(file);
  const folder = dirname(file);
  const tensors = new Map<string, RawTensor>();
  const warnings: string[] = [];
  for (const group of json.weightsManifest) {
    const bytes = await readShards(group, { folder, file, warnings });
    takeTensors(group, { bytes, file, tensors });
  }
  const topology = json.modelTopology ?? {};
  const model = asRecord(topology['model_config']) ?? topology;
  const layers = layersOf(model);
  return {
    format: 'tfjs-layers',
    tensors,
    metadata: {
      ...metadataOf(json, METADATA),
      ...metadataOf(topology, ['keras_version', 'backend', 'training_config']),
      ...metadataOf({ name: asRecord(model['config'])?.['name'] }, ['name']),
    },
    classNames: classNamesIn(json['userDefinedMetadata']) ?? (await labelsBeside(folder)),
    preprocessing: { ...UNKNOWN_PREPROCESSING, size: inputSide(layers) },
    warnings,
    layers: layers.length > 0 ? layers : null,
  };
}

const METADATA = ['format', 'generatedBy', 'convertedBy', 'trainingConfig', 'userDefinedMetadata'];

async function read(path: string, model: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw unreadable(path, model, error);
  });
}

function parseModel(bytes: Buffer, file: string): ModelJson {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw notModel(file, `it is not JSON (${(error as Error).message})`);
  }
  const parsed = modelSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw notModel(
    file,
    `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'not as it should be'}`,
  );
}

function isGraphModel(json: ModelJson): boolean {
  return json['format'] === 'graph-model' || json.modelTopology?.['node'] !== undefined;
}

/** The bytes of a group's shards, one after another, as long as its tensors need at least. */
async function readShards(
  { paths, weights }: Group,
  { folder, file, warnings }: { folder: string; file: string; warnings: string[] },
): Promise<Uint8Array> {
  const shards: Buffer[] = [];
  for (const path of paths) {
    const shard = resolve(folder, path);
    if (!shard.startsWith(resolve(folder) + sep)) {
      throw notModel(file, `its shard "${path}" lies outside the folder of model.json`);
    }
    shards.push(await read(shard, file));
  }
  const needed = weights.reduce((sum, weight) => sum + storedBytes(weight, file), 0);
  const found = shards.reduce((sum, { length }) => sum + length, 0);
  if (found < needed) {
    const name = shortShard(paths, shards);
    throw new CarryoverError(
      'bad-input',
      `${name} is cut off: the ${paths.length} shards named with it in ${basename(file)} hold ${found} bytes, its tensors need ${needed}`,
      { file: join(folder, name), wayOut: 'fetch or copy the shards again' },
    );
  }
  if (found > needed) warnings.push(`${paths.join(', ')}: ${found - needed} bytes are left over`);
  return Buffer.concat(shards);
}

/** Shards but the last are equally long: the first that is shorter than another, else the last. */
function shortShard(paths: readonly string[], shards: readonly Buffer[]): string {
  const longest = Math.max(...shards.map(({ length }) => length));
  const short = shards.findIndex(({ length }) => length < longest);
  return paths[short] ?? paths.at(-1) ?? 'the list of shards';
}

/** How the values of a tensor lie in the shards. */
function storedAs({ name, dtype, quantization }: Weight, file: string): ElementType {
  const stored = quantization?.dtype ?? dtype;
  if (STORED.has(stored)) return stored as ElementType;
  throw notModel(file, `tensor "${name}" is of type ${stored}`);
}

function storedBytes(weight: Weight, file: string): number {
  return sizeOf(weight.shape) * ELEMENT_BYTES[storedAs(weight, file)];
}

function takeTensors(
  { weights }: Group,
  { bytes, file, tensors }: { bytes: Uint8Array; file: string; tensors: Map<string, RawTensor> },
): void {
  let offset = 0;
  for (const weight of weights) {
    const end = offset + storedBytes(weight, file);
    if (tensors.has(weight.name)) throw notModel(file, `tensor "${weight.name}" is in it twice`);
    tensors.set(weight.name, tensorOf(weight, bytes.subarray(offset, end), storedAs(weight, file)));
    offset = end;
  }
}

function tensorOf(
  { shape, dtype, quantization }: Weight,
  bytes: Uint8Array,
  stored: ElementType,
): RawTensor {
  const affine = quantization?.scale !== undefined && stored !== 'float16';
  return {
    shape,
    dtype: quantization ? `${dtype} as ${stored}${affine ? ' x scale + min' : ''}` : dtype,
    read: () => {
      const values = toFloats(new Uint8Array(bytes), stored);
      if (!affine) return values;
      const { scale = 1, min = 0 } = quantization;
      const round = dtype === 'int32' ? Math.round : (value: number) => value;
      return values.map((value) => round(value * scale + min));
    },
  };
}

/** Teachable Machine writes `labels` into metadata.json beside model.json. */
async function labelsBeside(folder: string): Promise<string[] | null> {
  try {
    return classNamesIn(JSON.parse(await readFile(join(folder, 'metadata.json'), 'utf8')));
  } catch {
    return null;
  }
}

function graphModel(file: string): CarryoverError {
  return new CarryoverError(
    'unsupported',
    `${file} is a TensorFlow.js graph-model: BatchNorm is folded into its convolutions and its layers are gone, so it can be run but not trained on`,
    {
      file,
      wayOut:
        'bring the model as a layers-model (tensorflowjs_converter --output_format=tfjs_layers_model), as Keras .h5 or .keras, or as the checkpoint that it was converted from',
    },
  );
}

function unreadable(path: string, model: string, error: unknown): CarryoverError {
  const reason = error instanceof Error ? error.message : String(error);
  const isShard = path !== model;
  return new CarryoverError(
    'io',
    isShard
      ? `${model} names the shard ${basename(path)}, which cannot be read: ${reason}`
      : reason,
    {
      file: path,
      wayOut: isShard
        ? 'put every .bin file that belongs to the model beside its model.json'
        : 'check the path and its permissions',
    },
    error,
  );
}

function notModel(file: string, what: string): CarryoverError {
  const wayOut = 'save the model again with model.save() or tensorflowjs_converter';
  return unusable(file, 'TensorFlow.js layers-model', what, wayOut);
}
