import { type ByteSource, partOf } from './bytes.ts';
import { ByteCursor } from './cursor.ts';
import { unusable } from './failure.ts';
import { unpickle } from './pickle.ts';
import { findStateDict } from './state-dict.ts';
import { TorchRules } from './torch-pickle.ts';
import { rawTensor, type TorchStorage } from './torch-tensors.ts';
import { UNKNOWN_PREPROCESSING } from './told.ts';
import type { RawWeights } from './weights.ts';

/** What begins a file that torch.save wrote before PyTorch 1.6 (and on request since). */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/** The name of the pickle in a zip archive that torch.save wrote, or null where it is none. */
export function torchPickleEntry(entries: ReadonlyMap<string, ByteSource>): string | null {
  return [...entries.keys()].find((name) => /^(?:[^/]+\/)?data\.pkl$/.test(name)) ?? null;
}

/**
 * A zip archive as torch.save writes it: `<name>/data.pkl`, the storages beside it under `data/`.
 * @throws CarryoverError `bad-input`: damaged, a TorchScript program, a whole model, no weights
 */
export function readPytorchZip(
  source: ByteSource,
  entries: ReadonlyMap<string, ByteSource>,
): RawWeights {
  const { file } = source;
  const pickle = torchPickleEntry(entries);
  if (pickle === null) throw unusable(file, 'PyTorch file', 'it has no data.pkl');
  const folder = pickle.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) throw torchScript(file);
  const rules = new TorchRules(file);
  const root = unpickle(new ByteCursor(entries.get(pickle)!), rules);
  const order = entries.get(`${folder}byteorder`);
  const bigEndian = order !== undefined && readText(order) === 'big';
  const place = ({ key, length, width }: TorchStorage): ByteSource => {
    const entry = entries.get(`${folder}data/${key}`);
    if (entry && entry.size >= length * width) return entry;
    const what = entry ? `has ${entry.size} bytes, not ${length * width}` : 'is missing';
    throw unusable(file, 'PyTorch file', `its entry data/${key} ${what}`);
  };
  return assemble('pytorch-zip', root, rules, place, bigEndian);
}

function readText(source: ByteSource): string {
  return new TextDecoder().decode(source.read(0, Math.min(source.size, 16))).trim();
}

/**
 * The format before PyTorch 1.6: five pickles (magic number, protocol, system, object, keys of the
 * storages), then every storage: its length and its numbers.
 * @throws CarryoverError `bad-input`: damaged, a whole model, no weights
 */
export function readPytorchLegacy(source: ByteSource): RawWeights {
  const { file, size } = source;
  const rules = new TorchRules(file);
  const cursor = new ByteCursor(source);
  if (unpickle(cursor, rules) !== LEGACY_MAGIC) {
    throw unusable(file, 'PyTorch file', 'it does not begin with the magic number of torch.save');
  }
  const protocol = unpickle(cursor, rules);
  if (protocol !== LEGACY_PROTOCOL) {
    throw unusable(file, 'PyTorch file', `its protocol is ${String(protocol)}, not 1001`);
  }
  const system = unpickle(cursor, rules);
  const bigEndian = system instanceof Map && system.get('little_endian') === false;
  const root = unpickle(cursor, rules);
  const places = new Map<string, ByteSource>();
  for (const key of asList(unpickle(cursor, rules)).map(String)) {
    const storage = rules.storages.get(key);
    if (!storage) throw unusable(file, 'PyTorch file', `nothing says what its storage ${key} is`);
    const length = cursor.unsigned(8);
    if (length !== storage.length) {
      throw unusable(
        file,
        'PyTorch file',
        `storage ${key} has ${length} numbers, not ${storage.length}`,
      );
    }
    const bytes = length * storage.width;
    if (cursor.at + bytes > size) throw unusable(file, 'PyTorch file', 'it is cut off');
    places.set(key, partOf(source, cursor.at, bytes));
    cursor.at += bytes;
  }
  return assemble('pytorch-legacy', root, rules, ({ key }) => placed(places, key, file), bigEndian);
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function placed(places: ReadonlyMap<string, ByteSource>, key: string, file: string): ByteSource {
  const place = places.get(key);
  if (!place) throw unusable(file, 'PyTorch file', `its storage ${key} is missing`);
  return place;
}

/** The state dict of an unpickled file with the bytes of its storages. */
export function assemble(
  format: 'pytorch-zip' | 'pytorch-legacy',
  root: unknown,
  { file, strangers }: TorchRules,
  place: (storage: TorchStorage) => ByteSource,
  bigEndian: boolean,
): RawWeights {
  const { tensors, warnings, ...rest } = findStateDict(root, file);
  const raw = [...tensors].map(([name, tensor]) => {
    return [name, rawTensor(name, tensor, place(tensor.storage), bigEndian)] as const;
  });
  if (strangers.size > 0) {
    const names = [...strangers].slice(0, 5).join(', ');
    warnings.push(`the file also holds Python objects that were left alone: ${names}`);
  }
  return {
    format,
    tensors: new Map(raw),
    preprocessing: { ...UNKNOWN_PREPROCESSING },
    warnings,
    ...rest,
  };
}

function torchScript(file: string): Error {
  return unusable(
    file,
    'file of weights',
    'it is a TorchScript program (torch.jit.save), which would have to be run',
    `if you trust it, save its weights in Python and import that: torch.save(torch.jit.load(path).state_dict(), 'weights.pth')`,
  );
}
