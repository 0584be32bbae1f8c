import { type ByteSource, partOf } from './bytes.ts';
import { ByteCursor } from './cursor.ts';
import { unusable } from './failure.ts';
import { unpickle } from './pickle.ts';
import { PickleGlobal, PickleTuple } from './pickle-machine.ts';
import { assemble } from './pytorch.ts';
import { TorchRules } from './torch-pickle.ts';
import { type TorchStorage, TorchTensor, torchStorage } from './torch-tensors.ts';
import type { RawWeights } from './weights.ts';

const BLOCK = 512;

/** Whether the bytes are a tar archive's. */
export function isTar(source: ByteSource): boolean {
  if (source.size < BLOCK) return false;
  return new TextDecoder().decode(source.read(257, 5)) === 'ustar';
}

/**
 * The oldest format of torch.save (until 0.1.11), a tar archive: `storages` and `tensors`, which
 * `pickle` refers to by number. See `legacy_load` in torch/serialization.py.
 * @throws CarryoverError `bad-input`: not PyTorch's, damaged, a whole model, no weights
 */
export function readPytorchTar(source: ByteSource): RawWeights {
  const { file } = source;
  const entries = readTar(source);
  const [storages, tensors, pickle] = ['storages', 'tensors', 'pickle'].map((name) => {
    const entry = entries.get(name);
    if (entry) return entry;
    const wayOut = 'unpack it and give the file of weights in it';
    throw unusable(file, 'PyTorch file', `it is a tar archive without "${name}"`, wayOut);
  }) as [ByteSource, ByteSource, ByteSource];
  const rules = new NumberedRules(file);
  const places = readStorages(storages, rules);
  readTensors(tensors, rules);
  const root = unpickle(new ByteCursor(pickle), rules);
  return assemble('pytorch-legacy', root, rules, ({ key }) => places.get(key)!, false);
}

/** In this format the pickle refers to tensors, each by its number. */
class NumberedRules extends TorchRules {
  readonly tensors = new Map<string, TorchTensor>();

  override persistent(id: unknown): unknown {
    if (id instanceof PickleTuple) return id.items[0]; // a class, its source file, its source
    const tensor = this.tensors.get(String(id));
    if (!tensor) throw new TypeError(`there is no tensor ${String(id)}`);
    return tensor;
  }
}

function readTar(source: ByteSource): Map<string, ByteSource> {
  const entries = new Map<string, ByteSource>();
  for (let at = 0; at + BLOCK <= source.size;) {
    const header = new TextDecoder('latin1').decode(source.read(at, BLOCK));
    const name = header.slice(0, 100).replace(/\0.*$/s, '');
    if (name === '') break;
    const size = Number.parseInt(header.slice(124, 136).replace(/\0.*$/s, ''), 8);
    if (!Number.isSafeInteger(size))
      throw unusable(source.file, 'tar archive', `"${name}" has no size`);
    entries.set(name, partOf(source, at + BLOCK, size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}

/** For each: (number, device, class), its length, its values. Then views: (number, of which, first, length). */
function readStorages(source: ByteSource, rules: TorchRules): Map<string, ByteSource> {
  const places = new Map<string, ByteSource>();
  const cursor = new ByteCursor(source);
  const read = (): unknown => unpickle(cursor, rules);
  const count = read();
  for (let i = 0; typeof count === 'number' && i < count; i++) {
    const [key, , type] = tupleOf(read(), source.file);
    if (!(type instanceof PickleGlobal)) throw damaged(source.file, 'a storage has no class');
    const storage = checked(source.file, () =>
      torchStorage(String(key), type.name, cursor.unsigned(8)),
    );
    const bytes = storage.length * storage.width;
    places.set(storage.key, partOf(source, cursor.at, bytes));
    rules.storages.set(storage.key, storage);
    cursor.at += bytes;
  }
  const views = read();
  for (const view of Array.isArray(views) ? (views as unknown[]) : []) {
    const [key, root, first, length] = tupleOf(view, source.file);
    const whole = storageNumbered(rules, root);
    const part = checked(source.file, () =>
      torchStorage(whole.key, whole.type, length, first as number),
    );
    rules.storages.set(String(key), part);
  }
  return places;
}

/** For each: (number, storage, class), then rank, 4 bytes of nothing, sizes, strides, offset. */
function readTensors(source: ByteSource, rules: NumberedRules): void {
  const cursor = new ByteCursor(source);
  const count = unpickle(cursor, rules);
  for (let i = 0; typeof count === 'number' && i < count; i++) {
    const [key, of] = tupleOf(unpickle(cursor, rules), source.file);
    const storage = storageNumbered(rules, of);
    const rank = cursor.unsigned(4);
    cursor.unsigned(4);
    if (rank > 64) throw damaged(source.file, `a tensor has ${rank} axes`);
    const numbers = (): number[] => Array.from({ length: rank }, () => cursor.unsigned(8));
    const [shape, stride, offset] = [numbers(), numbers(), cursor.unsigned(8)];
    const tensor = checked(source.file, () => new TorchTensor(storage, offset, shape, stride));
    rules.tensors.set(String(key), tensor);
  }
}

function storageNumbered({ storages, file }: TorchRules, key: unknown): TorchStorage {
  const storage = storages.get(String(key));
  if (!storage) throw damaged(file, `there is no storage ${String(key)}`);
  return storage;
}

function tupleOf(value: unknown, file: string): unknown[] {
  if (value instanceof PickleTuple) return value.items;
  throw damaged(file, 'a line of its tables is missing');
}

/** Unsound sizes as a failure of the file. */
function checked<T>(file: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof TypeError) throw damaged(file, error.message);
    throw error;
  }
}

function damaged(file: string, what: string): Error {
  return unusable(file, 'PyTorch file', what);
}
