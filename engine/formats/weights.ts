import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Preprocessing, WeightFormat } from '../../contract/checkpoints.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { type ByteSource, fileBytes } from './bytes.ts';
import { readKerasH5, readKerasZip } from './keras.ts';
import { readOnnx } from './onnx.ts';
import { readPytorchLegacy, readPytorchZip, torchPickleEntry } from './pytorch.ts';
import { readPytorchTar } from './pytorch-tar.ts';
import { readSafetensors } from './safetensors.ts';
import { seenIn, sniff } from './sniff.ts';
import { readTfjsLayers } from './tfjs-layers.ts';
import { readTimmConfig } from './timm.ts';
import { toldByMetadata } from './told.ts';
import { readZip } from './zip.ts';

const ACCEPTED =
  'safetensors, a PyTorch state dict (.pth, .pt), a TensorFlow.js layers model (model.json), ' +
  'Keras weights (.h5, .keras) or ONNX';

/** A tensor of a weights file as the file has it; its values are fetched when they are asked for. */
export interface RawTensor {
  shape: number[];
  /** As the file's format names it: F32, float16, HalfStorage ... */
  dtype: string;
  /**
   * The values, row by row, as float32 (integers and float64 are rounded to it). Every call may
   * read the file anew, and the result belongs to the caller.
   */
  read(): Float32Array;
}

/** What a weights file says about itself, in the file's own names. */
export interface RawWeights {
  format: WeightFormat;
  /** In the file's order. */
  tensors: Map<string, RawTensor>;
  metadata: Record<string, string>;
  classNames: string[] | null;
  preprocessing: Preprocessing;
  /** What a user should know before trusting the weights. */
  warnings: string[];
}

/**
 * Reads a file of weights (or the folder of a TensorFlow.js model). What it is, its content says,
 * not its name; no code that it may hold is ever run. A config.json of timm beside it is heard.
 * @throws CarryoverError `bad-input`, `unsupported`, `not-found` or `io` that names the file
 */
export async function readWeightsFile(given: string): Promise<RawWeights> {
  const path = weightsFileIn(given);
  const source = fileBytes(path);
  switch (sniff(source)) {
    case 'safetensors':
      return withTimmConfig(path, safetensorsWeights(source));
    case 'zip':
      return readArchive(path, source);
    case 'pytorch-legacy':
      return withTimmConfig(path, readPytorchLegacy(source));
    case 'tar':
      return readPytorchTar(source);
    case 'hdf5':
      return readKerasH5(path);
    case 'json':
      return readTfjsLayers(path);
    case 'protobuf':
      return readOnnx(source);
    default:
      throw unknown(path, seenIn(source));
  }
}

/**
 * The file that a path stands for: the path itself, or the model.json of a folder.
 * @throws CarryoverError `bad-input` for a folder without one
 */
export function weightsFileIn(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder) return path;
  const model = join(path, 'model.json');
  if (existsSync(model)) return model;
  throw new CarryoverError('bad-input', `${path} is a folder without a model.json`, {
    file: path,
    wayOut: `choose the file in it: ${ACCEPTED}`,
  });
}

function safetensorsWeights(source: ByteSource): RawWeights {
  const { tensors, metadata } = readSafetensors(source);
  return { format: 'safetensors', tensors, metadata, ...toldByMetadata(metadata) };
}

async function readArchive(path: string, source: ByteSource): Promise<RawWeights> {
  const entries = await readZip(source);
  if (entries.has('config.json') && entries.has('model.weights.h5')) return readKerasZip(path);
  if (torchPickleEntry(entries) !== null) {
    return withTimmConfig(path, readPytorchZip(source, entries));
  }
  const names = [...entries.keys()].slice(0, 3).join(', ');
  throw unknown(path, `a zip archive of ${entries.size} files (${names})`);
}

/** timm's config.json says what the file itself leaves open. */
function withTimmConfig(path: string, weights: RawWeights): RawWeights {
  const config = readTimmConfig(path);
  if (!config) return weights;
  const own = Object.entries(weights.preprocessing).filter(([, value]) => value !== null);
  return {
    ...weights,
    metadata: { ...config.metadata, ...weights.metadata },
    classNames: weights.classNames ?? config.classNames,
    preprocessing: { ...config.preprocessing, ...Object.fromEntries(own) },
    warnings: [...weights.warnings, ...config.warnings],
  };
}

function unknown(path: string, seen: string): CarryoverError {
  return new CarryoverError('bad-input', `${path} is no known file of weights: it is ${seen}`, {
    file: path,
    wayOut: `give ${ACCEPTED}`,
  });
}
