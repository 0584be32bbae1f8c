import type { Dataset, Group, Metadata } from 'h5wasm';
import { File, Module, ready } from 'h5wasm';
import { CarryoverError } from '../../contract/errors.ts';
import type { ElementType } from './elements.ts';
import { toFloats } from './elements.ts';
import { unusable } from './failure.ts';
import type { RawTensor } from './weights.ts';

/** A group of an HDF5 file with all that is below it. */
export interface Hdf5Group {
  /** Texts and lists of texts; numbers are left out. */
  attributes: Map<string, string | string[]>;
  groups: Map<string, Hdf5Group>;
  tensors: Map<string, RawTensor>;
}

/** Tensors may take this many times the file's bytes (compression), and in any case this many bytes. */
const MOST_TIMES = 100;
const ALWAYS_ALLOWED = 64 * 2 ** 20;
/** Bounds against files whose groups contain themselves. */
const MOST_OBJECTS = 200_000;
const MOST_DEPTH = 64;

interface Walk {
  file: string;
  skip: (path: string) => boolean;
  /** Bytes that tensors may still take. */
  bytesLeft: number;
  objectsLeft: number;
}

/**
 * Everything in an HDF5 file but the groups that `skip` says (by their path, `optimizer/vars`).
 * The file is given as bytes and read inside WebAssembly's own file system, so that links in it
 * lead nowhere.
 * @throws CarryoverError `bad-input` that names `file` where it is damaged, holds values that are
 *   no numbers, or unpacks to over 100 times its size
 */
export async function readHdf5(
  bytes: Uint8Array,
  file: string,
  skip: (path: string) => boolean = () => false,
): Promise<Hdf5Group> {
  const { FS } = await ready;
  Module.activate_throwing_error_handler();
  const name = '/weights.h5';
  FS.writeFile(name, bytes);
  let opened: File | null = null;
  try {
    opened = new File(name, 'r');
    const bytesLeft = Math.max(MOST_TIMES * bytes.length, ALWAYS_ALLOWED);
    return readGroup(opened, '', { file, skip, bytesLeft, objectsLeft: MOST_OBJECTS });
  } catch (error) {
    if (error instanceof CarryoverError) throw error;
    throw unusable(file, 'HDF5 file', firstLine(error));
  } finally {
    opened?.close();
    FS.unlink(name);
  }
}

function readGroup(group: Group, path: string, walk: Walk): Hdf5Group {
  const found: Hdf5Group = { attributes: textsOf(group), groups: new Map(), tensors: new Map() };
  for (const key of group.keys()) {
    const below = path === '' ? key : `${path}/${key}`;
    if (walk.skip(below)) continue;
    if (--walk.objectsLeft < 0 || below.split('/').length > MOST_DEPTH) {
      throw unusable(walk.file, 'HDF5 file', 'its groups contain themselves');
    }
    const entity = group.get(key);
    if (isGroup(entity)) found.groups.set(key, readGroup(entity, below, walk));
    else if (isDataset(entity)) found.tensors.set(key, readDataset(entity, below, walk));
  }
  return found;
}

function isGroup(entity: ReturnType<Group['get']>): entity is Group {
  return entity !== null && 'type' in entity && String(entity.type) === 'Group';
}

function isDataset(entity: ReturnType<Group['get']>): entity is Dataset {
  return entity !== null && 'type' in entity && String(entity.type) === 'Dataset';
}

function textsOf(group: Group): Map<string, string | string[]> {
  const texts = new Map<string, string | string[]>();
  for (const [name, attribute] of Object.entries(group.attrs)) {
    const isEmpty = attribute.shape?.length === 1 && attribute.shape[0] === 0;
    const value = isEmpty ? [] : attribute.value;
    if (typeof value === 'string') texts.set(name, value);
    else if (isTexts(value)) texts.set(name, value);
  }
  return texts;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function readDataset(dataset: Dataset, path: string, walk: Walk): RawTensor {
  const { metadata } = dataset;
  const type = elementType(metadata, dataset.attrs['dtype']?.value);
  if (type === null || metadata.shape === null) {
    throw unusable(
      walk.file,
      'weights file',
      `"${path}" holds values that are not numbers`,
      'save the model again with its weights in float32',
    );
  }
  const size = metadata.size * metadata.total_size;
  walk.bytesLeft -= size;
  if (walk.bytesLeft < 0) {
    throw unusable(
      walk.file,
      'HDF5 file',
      `its tensors would take over ${MOST_TIMES} times its size ("${path}" alone ${size} bytes)`,
    );
  }
  const values = toFloats(datasetBytes(dataset, size), type);
  return { shape: [...metadata.shape], dtype: type, read: () => values.slice() };
}

/** The values' bytes, made little-endian by h5wasm, whose own `value` knows no half floats. */
function datasetBytes({ file_id: file, path }: Dataset, size: number): Uint8Array {
  if (size === 0) return new Uint8Array(0);
  const place = Module._malloc(size);
  if (place === 0) throw new Error(`"${path}" of ${size} bytes does not fit into memory`);
  try {
    Module.get_dataset_data(file, path, null, null, null, BigInt(place));
    return Module.HEAPU8.slice(place, place + size);
  } finally {
    Module._free(place);
  }
}

const FLOATS: Record<number, ElementType> = { 2: 'float16', 4: 'float32', 8: 'float64' };
const SIGNED: Record<number, ElementType> = { 1: 'int8', 2: 'int16', 4: 'int32', 8: 'int64' };
const UNSIGNED: Record<number, ElementType> = {
  1: 'uint8',
  2: 'uint16',
  4: 'uint32',
  8: 'uint64',
};

/** `marked`: the attribute by which Keras marks bfloat16, which HDF5 has no type for. */
function elementType(metadata: Metadata, marked: unknown): ElementType | null {
  const { H5T_class_t: classes } = Module;
  const { type, size, signed } = metadata;
  if (marked === 'bfloat16' && size === 2) return 'bfloat16';
  if (type === classes.H5T_FLOAT.value) return FLOATS[size] ?? null;
  if (type === classes.H5T_INTEGER.value) return (signed ? SIGNED : UNSIGNED)[size] ?? null;
  // h5py writes booleans as an enumeration of one byte.
  return type === classes.H5T_ENUM.value && size === 1 ? 'bool' : null;
}

/** HDF5 reports a whole stack; its first line says what happened. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]?.trim() || 'HDF5 could not read it';
}
