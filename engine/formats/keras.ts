import type { ByteSource } from './bytes.ts';
import { fileBytes } from './bytes.ts';
import { unusable } from './failure.ts';
import type { Hdf5Group } from './hdf5.ts';
import { readKerasStore } from './keras-store.ts';
import type { KerasLayer, KerasWeights } from './keras-topology.ts';
import { asRecord, inputSide, layersOf, metadataOf } from './keras-topology.ts';
import type { RawTensor } from './weights.ts';
import { UNKNOWN_PREPROCESSING } from './told.ts';
import { readZip } from './zip.ts';

const KIND = 'Keras file';
const WAY_OUT = 'save it in Keras with model.save("model.keras") or model.save("model.h5")';

/** The optimiser's state is no part of the network. */
const isOptimiser = (path: string) => /^optimizer(_weights)?(\/|$)/.test(path);

/** Loads HDF5 only now: its WebAssembly takes a fifth of the time in which a program starts. */
async function groupOf(bytes: Uint8Array, path: string): Promise<Hdf5Group> {
  const { readHdf5 } = await import('./hdf5.ts');
  return readHdf5(bytes, path, isOptimiser);
}

/**
 * Reads a Keras .h5 file: a whole model (group `model_weights`), its weights only (the same groups
 * at the root), or the newer `.weights.h5` of numbered variables. Tensor names are the file's own
 * weight names (`Conv1/kernel:0`); numbered variables are named by layer and role (`Conv1/kernel`)
 * where both are known, else by their path.
 * @throws CarryoverError `bad-input`, `not-found` or `io` that names the file
 */
export async function readKerasH5(path: string): Promise<KerasWeights> {
  const root = await groupOf(whole(fileBytes(path)), path);
  const weights = root.groups.get('model_weights') ?? root;
  const model = parsedJson(root.attributes.get('model_config'), path);
  const layers = layersOf(model);
  const tensors = new Map<string, RawTensor>();
  if (listOf(weights, 'layer_names')) takeNamed(weights, path, tensors);
  else readKerasStore(root, layers, tensors);
  if (tensors.size === 0) throw unusable(path, KIND, 'it holds no weights of layers', WAY_OUT);
  const said = Object.fromEntries([...weights.attributes, ...root.attributes]);
  return {
    ...described('keras-h5', tensors, layers),
    metadata: metadataOf({ ...said, name: nameOf(model) }, METADATA),
  };
}

/**
 * Reads a .keras archive (Keras 2.12 and later): config.json, metadata.json, model.weights.h5.
 * Tensor names are those of layer and role (`Conv1/kernel`) as config.json has them.
 * @throws CarryoverError `bad-input`, `unsupported` or `io` that names the file
 */
export async function readKerasZip(path: string): Promise<KerasWeights> {
  const archive = fileBytes(path);
  const entries = await readZip(archive);
  const config = entries.get('config.json');
  const stored = entries.get('model.weights.h5');
  if (!config || !stored) {
    const missing = config ? 'model.weights.h5' : 'config.json';
    throw unusable(path, KIND, `there is no ${missing} in it`, WAY_OUT);
  }
  for (const { size } of [config, stored]) guardSize(path, archive.size, size);
  const model = parsedJson(textOf(config), path);
  const layers = layersOf(model);
  const root = await groupOf(whole(stored), path);
  const tensors = new Map<string, RawTensor>();
  readKerasStore(root, layers, tensors);
  if (tensors.size === 0) throw unusable(path, KIND, 'it holds no weights of layers', WAY_OUT);
  const about = entries.get('metadata.json');
  const said = asRecord(about && parsedJson(textOf(about), path)) ?? {};
  return {
    ...described('keras-zip', tensors, layers),
    metadata: metadataOf({ ...said, name: nameOf(model) }, METADATA),
  };
}

const MOST_TIMES = 100;
const ALWAYS_ALLOWED = 64 * 2 ** 20;

/** Keras packs weights nearly as they are: what unpacks to many times the archive is a zip bomb. */
function guardSize(path: string, archive: number, unpacked: number): void {
  if (unpacked <= Math.max(MOST_TIMES * archive, ALWAYS_ALLOWED)) return;
  throw unusable(path, KIND, `${archive} bytes would unpack to ${unpacked}`, WAY_OUT);
}

function whole(source: ByteSource): Uint8Array {
  return source.read(0, source.size);
}

function textOf(source: ByteSource): string {
  return new TextDecoder().decode(whole(source));
}

const METADATA = ['name', 'keras_version', 'backend', 'date_saved', 'training_config'];

function described(
  format: 'keras-h5' | 'keras-zip',
  tensors: Map<string, RawTensor>,
  layers: KerasLayer[],
): Omit<KerasWeights, 'metadata'> {
  return {
    format,
    tensors,
    classNames: null,
    preprocessing: { ...UNKNOWN_PREPROCESSING, size: inputSide(layers) },
    warnings: [],
    layers: layers.length > 0 ? layers : null,
  };
}

function parsedJson(text: string | string[] | undefined, file: string): unknown {
  if (typeof text !== 'string') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unusable(file, KIND, `its configuration is not JSON (${String(error)})`, WAY_OUT);
  }
}

function nameOf(model: unknown): unknown {
  return asRecord(asRecord(model)?.['config'])?.['name'];
}

/** `layer_names` -> groups, `weight_names` -> tensors in them; '/' in either goes one group deeper. */
function takeNamed(weights: Hdf5Group, file: string, into: Map<string, RawTensor>): void {
  const layerNames = listOf(weights, 'layer_names') ?? [];
  if (weights.groups.has(TOP_LEVEL)) layerNames.push(TOP_LEVEL);
  for (const layer of layerNames) {
    const group = groupAt(weights, layer);
    if (!group) throw unusable(file, KIND, `layer "${layer}" is named but not in it`, WAY_OUT);
    for (const weight of listOf(group, 'weight_names') ?? []) {
      const tensor = tensorAt(group, weight);
      if (!tensor) {
        throw unusable(file, KIND, `weight "${weight}" of layer "${layer}" is not in it`, WAY_OUT);
      }
      const isClear = weight.includes('/') && !into.has(weight);
      into.set(isClear ? weight : `${layer}/${weight}`, tensor);
    }
  }
}

/** Variables of the model itself, which belong to no layer. */
const TOP_LEVEL = 'top_level_model_weights';

function groupAt(group: Hdf5Group, path: string): Hdf5Group | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.reduce<Hdf5Group | undefined>((at, part) => at?.groups.get(part), group);
}

function tensorAt(group: Hdf5Group, path: string): RawTensor | undefined {
  const at = path.lastIndexOf('/');
  return groupAt(group, path.slice(0, Math.max(at, 0)))?.tensors.get(path.slice(at + 1));
}

/** A list attribute; long ones are cut into `name0`, `name1` ... (HDF5 headers hold 64 kB). */
function listOf(group: Hdf5Group, name: string): string[] | null {
  const whole = group.attributes.get(name);
  if (Array.isArray(whole)) return [...whole];
  const list: string[] = [];
  for (let chunk = 0; ; chunk++) {
    const part = group.attributes.get(`${name}${chunk}`);
    if (!Array.isArray(part)) return chunk === 0 ? null : list;
    list.push(...part);
  }
}
